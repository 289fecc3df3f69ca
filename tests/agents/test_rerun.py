"""A recorded conversation is played against another policy or team, and nothing is called."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent, UserProxyAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_agentchat.tools import AgentTool
from autogen_core.memory import ListMemory, MemoryContent
from fenced import EMAIL, RecordingTool, agent, policy_file, recording, team_of
from scripted import Scripted, call, created
from stepped import KINDS, Script

import ringfence.agents.ringfence as composition
from ringfence import Fence, Ringfence, Status
from ringfence.agents.rerun import Rerun, recording_of, rerun
from ringfence.conversations.recording import Recording
from ringfence.errors import ModelCallFailed, PolicyError
from ringfence.policy import Policy

House = Callable[..., Ringfence]
FREE = {"prices": {"scripted": "free"}}
ALLOWED = {"tools": {"act": {"decision": "allow"}}}
TWO_CALLS = [call("act", '{"what": "one"}')], [call("act", '{"what": "two"}')], "all is done"


def banned(point: str, *phrases: str, **more: Any) -> dict[str, Any]:
    """A policy that bans phrases."""
    use = {"use": "ringfence/banned_phrases", "at": [point], "with": {"phrases": [*phrases]}}
    return ALLOWED | {"guardrails": [use | more]}


def clerk(act: RecordingTool, *replies: Any, **more: Any) -> Any:
    """A factory of a team of one agent with the tool; without replies, its model must not be asked."""
    model = Scripted(*(replies or (AssertionError("a model was called"),)))
    return team_of(model, [act.function], max_tool_iterations=3, **more)


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A folder for another policy."""
    folder = tmp_path / "other"
    folder.mkdir()
    return folder


def ringfence_files(folder: Path) -> set[str]:
    """What stands in a folder."""
    return {one.name for one in folder.iterdir()}


async def recorded(
    house: House, act: RecordingTool, *replies: Any, task: str = "go", **sections: Any
) -> Recording:
    """A conversation that ran to its end."""
    ringfence = house(**(ALLOWED | sections))
    await ringfence.conversation(clerk(act, *replies), id="c-1").run(task=task)
    return await recording_of(ringfence, "c-1")


async def against(folder: Path, recording: Recording, team: Any, **sections: Any) -> Rerun:
    """The recording against a policy of these sections."""
    return await rerun(recording, policy=policy_file(folder, **sections), team=team)


def told(done: Rerun) -> dict[str, tuple[str, str]]:
    """The differences, but for what was used."""
    counts = {"input tokens", "output tokens", "model calls", "tool calls", "usd", "turns"}
    return {one.what: (one.recorded, one.now) for one in done.differences if one.what not in counts}


@pytest.mark.parametrize("kind", KINDS)
async def test_under_the_same_policy_nothing_differs(house: House, kind: str) -> None:
    """For every kind of team."""
    ringfence = house()
    conversation = ringfence.conversation(KINDS[kind](Script()), id=kind)
    await conversation.run(task="go")
    assert conversation.status is Status.DONE

    quiet = Script()
    done = await rerun(
        await recording_of(ringfence, kind),
        policy=ringfence.folder / "ringfence.yaml",
        team=KINDS[kind](quiet),
    )

    assert done.differences == ()
    assert done.equal > 8
    assert not any(quiet.prompts)


async def test_nothing_is_called_and_nothing_is_written(house: House, other: Path) -> None:
    """Neither a model, a tool, the store of the recording, nor an audit log."""
    act = recording()
    made = await recorded(house, act, *TWO_CALLS, task=f"write to {EMAIL}")

    done = await against(other, made, clerk(act), **ALLOWED)

    assert (done.differences, len(act.calls)) == ((), 2)
    assert not ringfence_files(other) - {"ringfence.yaml"}


async def test_a_call_that_the_other_policy_denies(house: House, other: Path) -> None:
    """It names turn, step and call."""
    act = recording()
    made = await recorded(house, act, *TWO_CALLS)
    rule = {"decision": "allow", "arguments": {"what": {"pattern": "one"}}}

    done = await against(other, made, clerk(act), tools={"act": rule})

    refusal = "Refused: argument `what` of act does not match what the policy allows. The call was not run."
    assert told(done) == {'act(what="two")': ("it runs", refusal)}
    assert (done.differences[0].turn, done.differences[0].step) == (1, 4)
    assert done.policy != done.recorded_policy


async def test_a_call_that_two_persons_changed_is_changed_again(house: House) -> None:
    """As they said it when it was recorded, whoever may decide."""
    approvals = {"approvers": 2, "by": ["bob", "carol"]}
    ringfence, act = house(approvals=approvals), recording()
    talk = ringfence.conversation(clerk(act, *TWO_CALLS[::2]), id="c-1")
    await talk.run(task="go")
    (request,) = talk.pending_approvals
    await talk.approve(request.id, by="bob", arguments={"what": "another"})
    await talk.approve(request.id, by="carol")
    await talk.resume()
    assert act.calls == [{"what": "another"}]

    policy = ringfence.folder / "ringfence.yaml"
    done = await rerun(await recording_of(ringfence, "c-1"), policy=policy, team=clerk(act))

    assert (done.differences, len(act.calls)) == ((), 1)


async def test_a_call_that_would_need_a_person(house: House, other: Path) -> None:
    """The rerun goes on as recorded, so that the rest is compared, too."""
    act = recording()
    made = await recorded(house, act, *TWO_CALLS)
    wanted = ("it runs", "a person would be asked; then it runs")
    done = await against(other, made, clerk(act))
    assert told(done) == {'act(what="one")': wanted, 'act(what="two")': wanted}


async def test_what_a_person_decided_holds(house: House) -> None:
    """An approval and a rejection are those of the recording, and what waited waits."""
    act, ringfence = recording(), house()
    calls = [[call("act", json.dumps({"what": name}))] for name in ("one", "two", "three")]
    conversation = ringfence.conversation(clerk(act, *calls, "end"), id="c-1")
    await conversation.run(task="go")
    await conversation.approve(conversation.pending_approvals[0].id, by="bob")
    await conversation.resume()
    await conversation.reject(conversation.pending_approvals[0].id, by="eve", reason="no")
    await conversation.resume()
    assert conversation.status is Status.WAITING_FOR_APPROVAL
    made = await recording_of(ringfence, "c-1")

    done = await rerun(made, policy=ringfence.folder / "ringfence.yaml", team=clerk(act))
    policy = ALLOWED | FREE | {"provenance": {"mode": "off"}}  # else "two", which nobody said, needs a person
    freed = await rerun(made, policy=Policy.model_validate(policy), team=clerk(act))

    assert done.differences == ()
    assert told(freed)['act(what="one")'] == ("approved by bob, it runs", "it runs")
    assert told(freed)['act(what="two")'][1] == "it would run; its result is not recorded"
    assert [one["what"] for one in act.calls] == ["one"]


async def test_a_tool_that_is_gone(house: House, other: Path) -> None:
    """The team of now does not have it."""
    act = recording()
    made = await recorded(house, act, *TWO_CALLS)
    done = await against(other, made, clerk(recording("other")))
    assert told(done)['act(what="one")'] == ("it runs", "the team no longer has this tool")


async def test_a_result_that_would_be_withheld(house: House, other: Path) -> None:
    """The recorded result passes the other policy's door, with the values that the tool gave."""
    act = recording(answer=f"call {EMAIL}")
    made = await recorded(house, act, *TWO_CALLS)
    done = await against(other, made, clerk(act), **banned("tool_result", "call"))
    assert "ringfence/banned_phrases blocked the tool_result" in told(done)['act(what="one")'][1]


async def test_other_personal_data_is_masked(house: House, other: Path) -> None:
    """What the other policy does not mask comes back as it was."""
    act = recording()
    made = await recorded(house, act, "fine", task=f"write to {EMAIL}")
    allowed = {"pii": {"entities": {"EMAIL_ADDRESS": "allow"}}}
    done = await against(other, made, clerk(act), **ALLOWED, **allowed)
    (one,) = done.differences
    assert (one.what, one.recorded) == ("a message of user", "goes out: write to <EMAIL_ADDRESS_1>")
    assert one.now == f"goes out: write to {EMAIL}"


async def test_a_task_that_would_be_blocked(house: House, other: Path) -> None:
    """One difference for the turn, and another status."""
    act = recording()
    made = await recorded(house, act, *TWO_CALLS, task="please go")
    done = await against(other, made, clerk(act), **banned("input", "please"))
    assert told(done)["the turn"][1].startswith("is not played: Guardrail 'ringfence/banned_phrases' blocked")
    assert told(done)["status"] == ("done", "blocked")


async def test_an_answer_that_would_be_blocked(house: House, other: Path) -> None:
    """It does not go out."""
    act = recording()
    made = await recorded(house, act, *TWO_CALLS)
    done = await against(other, made, clerk(act), **banned("output", "all is"))
    assert told(done)["a message of desk"] == ("goes out", "is not there")
    assert "blocked the output" in told(done)["the run"][1]


async def test_a_reply_that_would_be_asked_for_again(house: House, other: Path) -> None:
    """What the model would say then, the recording does not know, and says so."""
    act = recording()
    made = await recorded(house, act, "all is done")
    done = await against(other, made, clerk(act), **banned("message", "all is", on_fail="reask"))
    said = [(one.recorded, one.now) for one in done.differences if one.what == "a reply of desk"]
    assert said[0][1].startswith("ringfence/banned_phrases blocked the message")
    assert said[1] == ("is not there", "asked again, The recording has no more replies of desk in this turn")
    assert told(done)["status"][1].startswith("cannot be told")


async def test_a_refused_reply_is_refused_again(house: House, other: Path) -> None:
    """Its text was not kept, and what came after it is played; it costs what it cost."""
    act = recording()
    made = await recorded(
        house, act, "all is done", "it is finished", **banned("message", "all is", on_fail="reask")
    )
    done = await against(other, made, clerk(act), **ALLOWED)
    assert done.differences == ()


async def test_a_limit_that_would_be_reached(house: House, other: Path) -> None:
    """With what is no longer done then."""
    act = recording()
    made = await recorded(house, act, *TWO_CALLS)
    done = await against(other, made, clerk(act), **ALLOWED, limits={"tool_calls": 1})
    assert told(done)["status"] == ("done", "limit_reached")
    assert "tool_calls limit" in told(done)["the run"][1]


async def test_fewer_turns(house: House, other: Path) -> None:
    """A run that would end earlier."""
    ringfence, act = house(), recording()
    await ringfence.conversation(clerk(act, "one", "two", "three", turns=3), id="c-1").run(task="go")
    made = await recording_of(ringfence, "c-1")
    done = await against(other, made, clerk(act, turns=3), limits={"turns": 2})
    assert told(done)["the turn"][1].startswith("is not played: The turns limit")
    shorter = await against(other, made, clerk(act, turns=2))
    longer = await against(other, made, clerk(act, turns=4))
    assert told(shorter)["the turn"][1] == "is not played: the team is done before it"
    assert told(longer)["the run"] == ("ends after this turn", "goes on")


async def test_other_prompts(house: House, other: Path) -> None:
    """The n-th reply of each agent answers, whatever it is asked."""
    act = recording()
    made = await recorded(house, act, *TWO_CALLS)
    done = await against(other, made, clerk(act, system_message="Be brief."), **ALLOWED)
    assert done.differences == ()


async def test_answers_of_the_user_are_played(house: House) -> None:
    """A question is answered as it was."""
    ringfence = house()

    def factory(fence: Fence) -> RoundRobinGroupChat:
        person = UserProxyAgent("person", input_func=fence.user_input())
        return RoundRobinGroupChat([person, agent(fence, Scripted("thank you"))], max_turns=2)

    conversation = ringfence.conversation(factory, id="c-1")
    await conversation.run(task="go")
    await conversation.answer(conversation.pending_questions[0].id, f"I am {EMAIL}")
    await conversation.resume()
    done = await rerun(
        await recording_of(ringfence, "c-1"), policy=ringfence.folder / "ringfence.yaml", team=factory
    )
    assert (done.differences, conversation.status) == ((), Status.DONE)


async def test_a_conversation_with_failures_and_withdrawn_turns(house: House) -> None:
    """A failed model fails again, and what was given up is given up."""
    ringfence, act = house(), recording()
    down = ModelCallFailed(model="scripted", reason="it is down", retryable=True, billing_unknown=False)
    model = Scripted(down, [call("act")], "done")
    conversation = ringfence.conversation(team_of(model, [act.function]), id="c-1")
    with pytest.raises(ModelCallFailed):
        await conversation.run(task="first")
    await conversation.run(task="second")
    await conversation.withdraw()
    await conversation.run(task="third")

    made = await recording_of(ringfence, "c-1")
    done = await rerun(made, policy=ringfence.folder / "ringfence.yaml", team=clerk(act))

    assert done.differences == ()
    assert done.equal > 6


async def test_judges_are_not_asked(house: House, other: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their recorded verdicts count; what they never judged passes, and is told."""
    judge = {"use": "ringfence/llm_judge", "at": ["message"], "on_fail": "noop"}
    tier = {
        "provider": "openai_compatible", "base_url": "http://127.0.0.1:9/v1", "model": "small-model",
        "max_output_tokens": 50,
    }  # fmt: skip
    sections: dict[str, Any] = {
        "models": {"small": tier},
        "prices": {"scripted": "free", "small-model": "free"},
        "guardrails": [judge | {"with": {"criteria": "It is polite.", "model": "small"}}],
    }
    asked = Scripted(created('{"pass": false, "reason": "rude"}'))
    monkeypatch.setattr(composition, "build_client", lambda *_, **__: asked)
    made = await recorded(house, recording(), "go away", **sections)

    blocking = sections | {"guardrails": [sections["guardrails"][0] | {"on_fail": "exception"}]}
    blocked = await against(other, made, clerk(recording()), **ALLOWED, **blocking)
    another = blocking | {"guardrails": [judge | {"with": {"criteria": "It is short.", "model": "small"}}]}
    unasked = await against(other, made, clerk(recording()), **ALLOWED, **another)

    assert "ringfence/llm_judge blocked the message" in told(blocked)["a reply of desk"][1]
    assert (unasked.differences, unasked.unasked) == ((), {"ringfence/llm_judge": 1})
    assert asked.calls == 1


async def test_what_was_suspected_is_suspected(house: House, other: Path) -> None:
    """Hidden signs are taken away before a text is kept; still the next call goes to a person."""
    look = recording("look", answer="fine \u202egnp.exe", consequential=False)
    act = recording()
    model = Scripted([call("look")], [call("act")], "done")
    ringfence = house(**ALLOWED, injection={"mode": "shadow"})
    both = [look.function, act.function]
    await ringfence.conversation(team_of(model, both, max_tool_iterations=3), id="c-1").run(task="go")
    strict = house(**ALLOWED)
    team = team_of(Scripted([call("look")], [call("act")], "done"), both, max_tool_iterations=3)
    conversation = strict.conversation(team, id="c-1")
    await conversation.run(task="go")
    assert conversation.status is Status.WAITING_FOR_APPROVAL

    done = await rerun(await recording_of(strict, "c-1"), policy=strict.folder / "ringfence.yaml", team=team)

    assert done.differences == ()


async def test_a_memory_is_left_alone(house: House) -> None:
    """It is neither asked nor written to."""
    memory = ListMemory()
    await memory.add(MemoryContent(content="the sky is blue", mime_type="text/plain"))
    ringfence = house()

    def factory(fence: Fence) -> RoundRobinGroupChat:
        desk = agent(fence, Scripted("fine"), memory=[fence.memory(memory)])
        return RoundRobinGroupChat([desk], max_turns=1)

    await ringfence.conversation(factory, id="c-1").run(task="go")
    done = await rerun(
        await recording_of(ringfence, "c-1"), policy=ringfence.folder / "ringfence.yaml", team=factory
    )
    assert [one for one in done.differences if one.what.startswith("a reply")] == []


async def test_an_agent_as_a_tool_is_played(house: House) -> None:
    """Its own steps are in the recording, and are answered from it; so are calls side by side."""
    ringfence, act = house(tools={"*": {"decision": "allow"}}), recording()

    def factory(fence: Fence) -> RoundRobinGroupChat:
        inner = agent(fence, Scripted([call("act")], "found"), name="helper", tools=[act.function])
        outer = Scripted([call("helper", '{"task": "find it"}', id="1"), call("act", id="2")], "done")
        bench = fence.workbench([AgentTool(inner), act.function])
        desk = AssistantAgent("desk", fence.model_client(outer, model="scripted"), workbench=bench)
        return RoundRobinGroupChat([desk], max_turns=1)

    await ringfence.conversation(factory, id="c-1").run(task="go")
    made = await recording_of(ringfence, "c-1")
    calls = len(act.calls)
    done = await rerun(made, policy=ringfence.folder / "ringfence.yaml", team=factory)
    assert done.differences == ()
    assert [step.agent for step in made.turns[0].steps if step.kind == "model"] == ["desk", "helper"]
    assert (calls, len(act.calls)) == (2, 2)


async def test_a_team_that_cannot_be_fenced_is_told_at_once(house: House, other: Path) -> None:
    """As by `ringfence check`."""
    made = await recorded(house, recording(), "fine")

    def factory(_fence: Fence) -> RoundRobinGroupChat:
        raise SystemExit

    with pytest.raises((PolicyError, SystemExit)):
        await against(other, made, factory)
    with pytest.raises(PolicyError, match="no model tier"):
        await against(other, made, lambda fence: agent(fence, fence.model_client("frontier")))
