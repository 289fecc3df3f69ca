"""AutoGen traces its agents and tools with OpenTelemetry; nobody's data gets into a span."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from fenced import EVERY_CANARY, canaries_in, recording, team_of
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from scripted import Scripted, call

from ringfence import Ringfence, RingfenceError

House = Callable[..., Ringfence]


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """What is traced during the test."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield exporter
    provider.shutdown()


def written(spans: InMemorySpanExporter) -> str:
    """All spans with their attributes and events."""
    return "\n".join(span.to_json() for span in spans.get_finished_spans())


@pytest.mark.parametrize(
    "replies",
    [
        pytest.param([[call()], "ok"], id="a tool that fails"),
        pytest.param([ValueError(EVERY_CANARY)], id="a provider that fails"),
        pytest.param([EVERY_CANARY], id="a reply"),
        pytest.param([[call("nope")], "ok"], id="an unknown tool"),
    ],
)
async def test_no_span_holds_personal_data(
    house: House, spans: InMemorySpanExporter, replies: list[Any]
) -> None:
    """Whatever happens at the doors, the traces that AutoGen writes stay clean."""
    act = recording(consequential=False, answer=ValueError(EVERY_CANARY))
    conversation = house().conversation(team_of(Scripted(*replies), [act.function]))
    try:
        await conversation.run(task=f"Go {EVERY_CANARY}")
    except RingfenceError:
        assert isinstance(replies[0], ValueError)
    assert "invoke_agent" in written(spans)
    assert not canaries_in(written(spans))


async def test_a_bare_team_does_write_it_there(spans: InMemorySpanExporter) -> None:
    """So the test above can fail: without the fence the exception of a tool is in the span, word for word."""
    act = recording(answer=ValueError(EVERY_CANARY))
    bare = AssistantAgent("desk", Scripted([call()], "ok"), tools=[act.function])
    await RoundRobinGroupChat([bare], max_turns=1).run(task="Go")
    assert canaries_in(written(spans))
