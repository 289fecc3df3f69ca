"""A team's own termination condition counts a whole run, however many processes share it."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from autogen_agentchat.base import TerminationCondition
from autogen_agentchat.conditions import (
    ExternalTermination,
    FunctionalTermination,
    FunctionCallTermination,
    MaxMessageTermination,
    SourceMatchTermination,
    StopMessageTermination,
    TextMentionTermination,
    TextMessageTermination,
    TimeoutTermination,
    TokenUsageTermination,
)
from autogen_agentchat.messages import StopMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core.models import UserMessage
from fenced import agent
from scripted import TOKENS_A_CALL, Scripted, call
from stepped import (
    Factory,
    Script,
    alone,
    from_process_to_process,
    go_on,
    in_another_process,
    look,
    runner_of,
    walk,
    words,
)

from ringfence import Ringfence

House = Callable[..., Ringfence]
MaxMessages, Mention = MaxMessageTermination, TextMentionTermination


def speaks_of_four(messages: Sequence[Any]) -> bool:
    """Whether the last of the messages since the last turn says so."""
    return "four" in messages[-1].to_text()


class Third(TerminationCondition):
    """A condition of one's own, that remembers what it has seen."""

    def __init__(self) -> None:
        self._seen: list[str] = []

    @property
    def terminated(self) -> bool:
        """After the third call, of which the task is one."""
        return len(self._seen) >= 3

    async def __call__(self, messages: Sequence[Any]) -> StopMessage | None:
        """One more call."""
        self._seen.append(messages[-1].source)
        return StopMessage(content=" ".join(self._seen), source="Third") if self.terminated else None

    async def reset(self) -> None:
        """Forget it all."""
        self._seen.clear()


CONDITIONS: dict[str, Callable[[], TerminationCondition | None]] = {
    "messages": lambda: MaxMessages(4),
    "messages and events": lambda: MaxMessages(6, include_agent_event=True),
    "the task is enough": lambda: MaxMessages(1),
    "a text": lambda: Mention("three"),
    "a text in the task": lambda: Mention("go"),
    "tokens": lambda: TokenUsageTermination(max_total_token=4 * TOKENS_A_CALL),
    "a source": lambda: SourceMatchTermination(["b"]),
    "a text message of somebody": lambda: TextMessageTermination("b"),
    "a function call": lambda: FunctionCallTermination("look"),
    "a function": lambda: FunctionalTermination(speaks_of_four),
    "one's own": Third,
    "this or that": lambda: MaxMessages(4) | Mention("nothing") | StopMessageTermination(),
    "this and that": lambda: Mention("one") & Mention("four"),
    "one's own and a source": lambda: Third() & SourceMatchTermination(["user"]) & MaxMessages(2),
    "deeply mixed": lambda: (
        (Mention("one") & (MaxMessages(3) | Mention("x"))) & SourceMatchTermination(["b"])
    ),
    "a clock and an outer signal beside a count": lambda: (
        MaxMessages(4) | TimeoutTermination(600) | ExternalTermination()
    ),
    "turns alone": lambda: None,
}


def team(condition: Callable[[], TerminationCondition | None], *, turns: int = 5) -> Factory:
    """Two agents that count, with the condition made anew for each team."""
    first, second = (
        Scripted([call("look", '{"what": "it"}')], "one", "three", "five"),
        Scripted("two", "four"),
    )
    return lambda fence: RoundRobinGroupChat(
        [
            agent(fence, first, name="a", tools=[look], max_tool_iterations=2),
            agent(fence, second, name="b"),
        ],
        termination_condition=condition(),
        max_turns=turns,
    )


@pytest.mark.parametrize("case", CONDITIONS)
async def test_a_condition_ends_the_run_as_with_autogen_alone(house: House, case: str) -> None:
    """In one process, and when another one takes over after every turn."""
    whole = await alone(team(CONDITIONS[case]))
    ringfence = house()
    walked = await walk(await runner_of(ringfence, team(CONDITIONS[case])))
    assert (walked.said, walked.stop_reason) == (words(whole), whole.stop_reason)

    factory = team(CONDITIONS[case])
    runner = await runner_of(ringfence, factory)
    walked = await walk(runner, steps=1)
    await from_process_to_process(ringfence, factory, runner, walked)
    assert (walked.said, walked.stop_reason) == (words(whole), whole.stop_reason)


async def test_a_run_that_ends_at_the_task_costs_nothing(house: House) -> None:
    """The condition is asked before the first agent is."""
    script = Script()
    model = script("never")

    def factory(fence: Any) -> RoundRobinGroupChat:
        return RoundRobinGroupChat([agent(fence, model)], termination_condition=Mention("go"))

    runner = await runner_of(house(), factory)
    walked = await walk(runner)
    assert (runner.finished, walked.steps, model.calls) == (True, 1, 0)


async def test_a_signal_that_was_set_between_two_runs_ends_the_next(house: House) -> None:
    """As with AutoGen, which resets a condition when a run ends, not when one begins."""
    signal = ExternalTermination()
    runner = await runner_of(house(), team(lambda: signal, turns=1))
    await walk(runner)
    signal.set()
    assert (await walk(runner)).stop_reason == "External termination requested"


async def test_a_run_that_was_given_up_does_not_count_in_the_next(house: House) -> None:
    """A run begins to count anew, also after one that did not come to its end."""
    runner = await runner_of(house(), team(lambda: MaxMessages(3)))
    assert (await walk(runner, steps=1)).steps == 1
    assert not runner.finished
    walked = await walk(runner)
    assert walked.steps == 2
    assert walked.stop_reason == "Maximum number of messages 3 reached, current message count: 3"


async def test_a_condition_that_would_have_ended_the_run_before_ends_it_now(house: House) -> None:
    """The team was changed in between: its new condition waits for what was said already."""
    ringfence, factory = house(), team(lambda: MaxMessages(9))
    runner = await runner_of(ringfence, factory)
    walked = await walk(runner, steps=1)
    changed = await in_another_process(ringfence, team(lambda: Mention("one")), runner, walked)
    await go_on(changed, walked)
    assert (walked.steps, walked.stop_reason) == (2, "Text 'one' mentioned")


class Judge(TerminationCondition):
    """Asks a model whether all is said."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self._terminated = False

    @property
    def terminated(self) -> bool:
        """Whether the model said so."""
        return self._terminated

    async def __call__(self, messages: Sequence[Any]) -> StopMessage | None:
        """Ask."""
        reply = await self.client.create([UserMessage(content=messages[-1].to_text(), source="user")])
        self._terminated = reply.content == "yes"
        return StopMessage(content="judged", source="Judge") if self._terminated else None

    async def reset(self) -> None:
        """Begin anew."""
        self._terminated = False


async def test_a_condition_that_asks_a_model_is_not_asked_again(house: House) -> None:
    """Its calls were paid for; the conditions beside it are rebuilt without it."""
    judge, model = Scripted("no", "no", "no", "yes"), Scripted("hm")

    def factory(fence: Any) -> RoundRobinGroupChat:
        judged = Judge(fence.model_client(judge, model="scripted"))
        return RoundRobinGroupChat(
            [agent(fence, model)], termination_condition=(judged & MaxMessages(2)) | MaxMessages(9)
        )

    ringfence = house()
    runner = await runner_of(ringfence, factory)
    walked = await walk(runner, steps=1)
    await from_process_to_process(ringfence, factory, runner, walked)
    assert (judge.calls, model.calls) == (4, 3)
    assert walked.stop_reason is not None
    assert walked.stop_reason.endswith("judged")
