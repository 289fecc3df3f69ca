"""A model that is asked again: bounded, paid, told what failed and no more, and no tool runs twice."""

from collections.abc import Callable
from typing import Any

import pytest
from fenced import agent, recording, reply_of, team_of
from pydantic import BaseModel
from scripted import Scripted, call

from ringfence import GuardrailTripped, Ringfence, Status

House = Callable[..., Ringfence]


def rule(**more: Any) -> dict[str, Any]:
    """Bans a word, and has the reply written again."""
    options = {"phrases": ["bluebird", "secret"]}
    use = {"use": "ringfence/banned_phrases", "at": ["message"], "on_fail": "reask", "with": options}
    return {"guardrails": [use | more]}


async def test_each_answer_is_paid(house: House) -> None:
    """From the conversation's budget, as any other call."""
    conversation = house(reasks=2, **rule()).conversation(team_of(Scripted("secret", "secret", "fine")))
    assert reply_of(await conversation.run(task="Go")) == "fine"
    assert conversation.usage.model_calls == 3


async def test_the_budget_ends_it(house: House) -> None:
    """Before the number of re-asks does."""
    ringfence = house(reasks=5, limits={"model_calls": 2}, **rule())
    conversation = ringfence.conversation(team_of(Scripted("secret")))
    await conversation.run(task="Go")
    assert conversation.status is Status.LIMIT_REACHED
    assert conversation.usage.model_calls == 2


@pytest.mark.parametrize("reasks", [0, 1, 3])
async def test_it_ends(house: House, reasks: int) -> None:
    """With the refusal."""
    model = Scripted("secret")
    more = rule() if reasks else rule(on_fail="exception")
    with pytest.raises(GuardrailTripped):
        await house(reasks=reasks, **more).conversation(team_of(model)).run(task="Go")
    assert model.calls == reasks + 1


async def test_the_policy_is_not_told(house: House) -> None:
    """The model hears that a phrase is not allowed, and not which others are not."""
    model = Scripted("secret", "fine")
    await house(**rule()).conversation(team_of(model)).run(task="Go")
    said = str(model.prompts[-1])
    assert "it contains a phrase that is not allowed here" in said
    assert "bluebird" not in said


async def test_the_policys_own_words_are_told(house: House) -> None:
    """Where it has some."""
    model = Scripted("secret", "fine")
    await house(**rule(hint="Leave the project out.")).conversation(team_of(model)).run(task="Go")
    assert "Leave the project out." in str(model.prompts[-1])


async def test_no_tool_runs_twice(house: House) -> None:
    """A refused reply's calls were never cleared, and what ran before stays as it is."""
    act = recording(consequential=False)
    model = Scripted(
        [call("act", '{"what": "one"}')],
        [call("act", '{"what": "the secret"}', id="call-2")],
        [call("act", '{"what": "two"}', id="call-3")],
        "fine",
    )
    team = team_of(model, [act.function], max_tool_iterations=4)
    await house(**rule()).conversation(team).run(task="Go")
    assert act.calls == [{"what": "one"}, {"what": "two"}]
    assert model.tools == [["act"]] * 4, "the tools are offered again"


class Answer(BaseModel):
    """What is asked for."""

    text: str


async def test_the_structure_is_still_asked_for(house: House) -> None:
    """A second answer has to fit as the first one."""
    wanted: list[Any] = []

    class Notes(Scripted):
        async def create(self, messages: Any, **options: Any) -> Any:
            wanted.append(options["json_output"])
            return await super().create(messages, **options)

    model = Notes('{"text": "secret"}', '{"text": "fine"}')
    conversation = house(**rule()).conversation(lambda fence: agent(fence, model, output_content_type=Answer))
    result = await conversation.run(task="Go")
    assert result.messages[-1].content == Answer(text="fine")  # type: ignore[union-attr]  # a structured message
    assert wanted == [Answer, Answer]
