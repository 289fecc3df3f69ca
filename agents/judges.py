"""Models that judge a conversation's texts, at the cost of an account of their own."""

from autogen_core.models import ChatCompletionClient, UserMessage

from ringfence.agents import client_facts
from ringfence.agents.model_client import FencedModelClient, prompt_tokens
from ringfence.agents.model_delivery import DeliverModelCalls, patience_of
from ringfence.agents.services import Services
from ringfence.budgets.ledger import Ledger
from ringfence.budgets.meter import MeterModelCalls
from ringfence.budgets.prices import FREE, Price, price_of
from ringfence.conversations.crossing import RecordCrossing
from ringfence.conversations.journaled_calls import JournalModelCalls
from ringfence.errors import PolicyError
from ringfence.guardrails.records import Record
from ringfence.guardrails.stop import StopSignal
from ringfence.guardrails.validators import Ask
from ringfence.policy import Policy


def price_of_client(client: ChatCompletionClient, model: str, policy: Policy) -> Price:
    """What a model costs by the policy's prices or the public price list.

    Raises:
        PolicyError: Its price is not known.
    """
    if client_facts.is_free(client) and model not in policy.prices:
        return FREE
    return price_of(model, provider=client_facts.provider_id(client), overrides=policy.prices)


def judge_model(
    client: ChatCompletionClient,
    tier: str,
    *,
    policy: Policy,
    ledger: Ledger,
    record: Record,
    stop: StopSignal,
    journaled: JournalModelCalls,
    services: Services,
) -> Ask:
    """Asks a model tier of the policy. What goes wrong is raised, so that the check counts as crashed."""
    model = policy.models[tier].model or client_facts.model_name(client)
    if model is None:
        raise PolicyError(f"{type(client).__name__} does not tell its model")
    judge = FencedModelClient(
        client,
        model=model,
        max_output_tokens=policy.models[tier].max_output_tokens,
        middlewares=(
            RecordCrossing(door="judge", record=record),
            journaled,
            DeliverModelCalls(
                patience_of(tier, policy.models[tier]),
                services=services,
                stop=stop,
                seconds_left=ledger.seconds_left,
                record=record,
            ),
            MeterModelCalls(
                ledger=ledger,
                price=price_of_client(client, model, policy),
                count_prompt=lambda call: prompt_tokens(call.messages, call.tools),
                record=record,
            ),
        ),
        stop=stop,
        fence=None,
    )

    async def ask(prompt: str) -> str:
        reply = await judge.create([UserMessage(content=prompt, source="ringfence")])
        return reply.content if isinstance(reply.content, str) else ""

    return ask
