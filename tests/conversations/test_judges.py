"""A model judges what a model writes, and is paid from an account of its own."""

from collections.abc import Callable
from typing import Any

import pytest
from fenced import audit, reply_of, team_of
from scripted import Scripted, created

import ringfence.agents.ringfence as composition
from ringfence import GuardrailTripped, Ringfence, Status

House = Callable[..., Ringfence]
YES, NO = '{"pass": true, "reason": "fine"}', '{"pass": false, "reason": "it is rude"}'
JUDGE = {
    "use": "ringfence/llm_judge",
    "at": ["message"],
    "with": {"criteria": "The reply is polite.", "model": "small"},
}
TIER = {
    "provider": "openai_compatible",
    "base_url": "http://127.0.0.1:9/v1",
    "model": "small-model",
    "capabilities": {
        "function_calling": False,
        "json_output": True,
        "structured_output": False,
        "vision": False,
    },
    "max_output_tokens": 50,
}
PRICES = {
    "scripted": "free",
    "small-model": {"input_usd_per_million_tokens": 100, "output_usd_per_million_tokens": 100},
}


@pytest.fixture
def judged(house: House, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ringfence]:
    """A house whose small model, a stand-in, gives these answers."""

    def build(judge: Scripted, **sections: Any) -> Ringfence:
        monkeypatch.setattr(composition, "build_client", lambda *_, **__: judge)
        return house(**{"guardrails": [JUDGE], "models": {"small": TIER}, "prices": PRICES} | sections)

    return build


async def test_a_yes_lets_the_reply_pass(judged: Callable[..., Ringfence]) -> None:
    """The judge sees the criteria and the reply, and nothing else of the conversation."""
    judge = Scripted(created(YES))
    conversation = judged(judge).conversation(team_of(Scripted("You are welcome.")))
    assert reply_of(await conversation.run(task="Thanks, and my code is bluebird")) == "You are welcome."
    (prompt,) = judge.prompts
    assert "The reply is polite." in str(prompt)
    assert "You are welcome." in str(prompt)
    assert "bluebird" not in str(prompt)


async def test_a_no_blocks(judged: Callable[..., Ringfence]) -> None:
    """As any guardrail's."""
    conversation = judged(Scripted(created(NO))).conversation(team_of(Scripted("Go away.")))
    with pytest.raises(GuardrailTripped) as caught:
        await conversation.run(task="Hello")
    assert (caught.value.guardrail, caught.value.crashed) == ("ringfence/llm_judge", False)


@pytest.mark.parametrize("answer", ["yes", "true", "", YES + NO, f"Sure: {YES}", '{"pass": "true"}', "[]"])
async def test_what_is_no_verdict_is_no_yes(judged: Callable[..., Ringfence], answer: str) -> None:
    """It blocks as a crash."""
    conversation = judged(Scripted(created(answer))).conversation(team_of(Scripted("Hi.")))
    with pytest.raises(GuardrailTripped) as caught:
        await conversation.run(task="Hello")
    assert caught.value.crashed


async def test_it_has_its_own_account(judged: Callable[..., Ringfence]) -> None:
    """What the judge costs is not the conversation's, and is on record."""
    ringfence = judged(Scripted(created(YES, usage=(70, 5))))
    conversation = ringfence.conversation(team_of(Scripted("Hi.")))
    await conversation.run(task="Hello")
    assert conversation.judge_usage.model_calls == 1
    assert conversation.judge_usage.tokens == 75
    assert str(conversation.judge_usage.usd) == "0.0075"
    assert conversation.usage.model_calls == 1
    assert conversation.usage.usd == 0
    assert [line["model"] for line in audit(ringfence) if line["event"] == "model_usage"] == [
        "scripted",
        "small-model",
    ]


@pytest.mark.parametrize("limits", [{"usd": 0.001}, {"tokens": 20}, {"model_calls": 1}])
async def test_an_empty_account_blocks(judged: Callable[..., Ringfence], limits: dict[str, Any]) -> None:
    """Nothing is judged on credit, and the reason says why."""
    judge = Scripted(created(YES, usage=(10, 1)))
    conversation = judged(judge, judges=limits).conversation(team_of(Scripted("Hi.")))

    async def twice() -> None:
        for _ in range(2):
            await conversation.run(task="Hello")

    with pytest.raises(GuardrailTripped, match="limit") as caught:
        await twice()
    assert caught.value.crashed
    assert conversation.status is not Status.LIMIT_REACHED


async def test_a_failed_judge_blocks(judged: Callable[..., Ringfence]) -> None:
    """Its provider's words are not told."""
    conversation = judged(Scripted(RuntimeError("jane@acme.com"))).conversation(team_of(Scripted("Hi.")))
    with pytest.raises(GuardrailTripped) as caught:
        await conversation.run(task="Hello")
    assert caught.value.crashed
    assert "jane" not in str(caught.value)


async def test_two_conversations_have_two_accounts(judged: Callable[..., Ringfence]) -> None:
    """One user's judge is not paid by another."""
    ringfence = judged(Scripted(created(YES)))
    one, other = (ringfence.conversation(team_of(Scripted("Hi."))) for _ in range(2))
    await one.run(task="Hello")
    assert (one.judge_usage.model_calls, other.judge_usage.model_calls) == (1, 0)


def test_a_judge_needs_a_tier(house: House) -> None:
    """Of the policy; the fault names its place."""
    from ringfence import PolicyError

    with pytest.raises(PolicyError, match=r"guardrails\[0\]\.with\.model: no model tier has this name"):
        house(guardrails=[JUDGE])
