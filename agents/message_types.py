"""The types of message that a team and all its parts know, to make messages of their JSON."""

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import ChatAgent
from autogen_agentchat.messages import MessageFactory, SelectorEvent, StructuredMessage
from autogen_agentchat.teams import BaseGroupChat

from ringfence.agents.coverage import Coverage


def message_types(coverage: Coverage) -> MessageFactory:
    """A factory of every type that one of the parts has registered or says that it produces."""
    factory = MessageFactory()
    known: list[type] = [SelectorEvent]  # AutoGen's factories leave it out
    for part in coverage.parts.values():
        if isinstance(part, BaseGroupChat):
            known += part._message_factory._message_types.values()  # noqa: SLF001 - AutoGen tells it no other way
        elif isinstance(part, ChatAgent):
            known += part.produced_message_types
        if isinstance(part, AssistantAgent) and (content := part._output_content_type):  # noqa: SLF001 - likewise
            known.append(StructuredMessage[content])  # type: ignore[valid-type]  # known at run time alone
    for kind in known:
        if not factory.is_registered(kind):
            factory.register(kind)
    return factory
