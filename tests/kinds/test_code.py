"""Code is a consequential call: no block runs uncleared, whoever wrote it and whatever runs it."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from autogen_agentchat.agents import CodeExecutorAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import CancellationToken
from autogen_core.code_executor import CodeBlock, CodeExecutor, CodeResult
from autogen_ext.code_executors.local import LocalCommandLineCodeExecutor
from autogen_ext.tools.code_execution import PythonCodeExecutionTool
from fenced import EMAIL, agent, canaries_in, reply_of, team_of
from kinds import RESULT, asks, fenced, is_refused, refused, runs_once_approved
from scripted import Scripted

from ringfence import CoverageError, Fence, PolicyError, Ringfence, Status
from ringfence.agents.code_executor import FencedCodeExecutor

House = Callable[..., Ringfence]
EXECUTE = "execute_code"
BLOCK = "Run this:\n```python\nprint(1)\n```"


class Noting(CodeExecutor):
    """Notes the blocks that reach it, and answers with personal data; a block that says so fails."""

    def __init__(self) -> None:
        self.ran: list[CodeBlock] = []

    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CodeResult:
        """Note it."""
        self.ran += code_blocks
        return CodeResult(exit_code=int("fail" in code_blocks[0].code), output=RESULT)

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""

    async def restart(self) -> None:
        """Nothing to restart."""


def local(folder: Path) -> LocalCommandLineCodeExecutor:
    """A real executor; it warns of itself."""
    with warnings.catch_warnings(action="ignore"):
        return LocalCommandLineCodeExecutor(work_dir=folder)


def coder(executor: CodeExecutor, **more: Any) -> CodeExecutorAgent:
    """An agent that runs code; it warns of itself, too."""
    with warnings.catch_warnings(action="ignore"):
        return CodeExecutorAgent("coder", executor, **more)


def writes_and_runs(executor: CodeExecutor, model: Scripted, turns: int = 1) -> Any:
    """An agent that writes code with a model and runs it."""
    return lambda fence: RoundRobinGroupChat(
        [
            coder(
                fence.code_executor(executor),
                model_client=fence.model_client(model, model="scripted"),
            )
        ],
        max_turns=turns,
    )


def runs_others(executor: CodeExecutor, writer: Scripted, reader: Scripted) -> Any:
    """An agent without a model runs what another one wrote, and a third one reads what came of it."""
    return lambda fence: RoundRobinGroupChat(
        [
            agent(fence, writer, name="writer"),
            coder(fence.code_executor(executor)),
            agent(fence, reader, name="reader"),
        ],
        max_turns=3,
    )


@fenced(
    "Code",
    "`CodeExecutorAgent` with a model",
    "`CodeExecutorAgent(name, fence.code_executor(executor), ...)`",
)
async def test_an_agent_that_writes_and_runs_code(house: House) -> None:
    """The code waits for a person; what it wrote is masked before the model reads it."""
    executor, model = Noting(), Scripted(BLOCK, "Done.")
    await runs_once_approved(house(), writes_and_runs(executor, model), executor.ran, model, tool=EXECUTE)
    assert executor.ran == [CodeBlock(code="print(1)\n", language="python")]


@fenced("Code", "`CodeExecutorAgent` without a model", "likewise; it runs the code that other agents wrote")
async def test_an_agent_that_runs_what_others_wrote(house: House) -> None:
    """Whoever wrote the code, it waits."""
    executor, writer, reader = Noting(), Scripted(BLOCK), Scripted("I see.")
    await runs_once_approved(
        house(), runs_others(executor, writer, reader), executor.ran, writer, reader, tool=EXECUTE
    )


@fenced("Code", "`PythonCodeExecutionTool`", "as a `BaseTool`, by the name `CodeExecutor`")
async def test_a_tool_that_runs_python(house: House) -> None:
    """Its code is an argument of a consequential call."""
    executor, model = Noting(), asks("CodeExecutor", '{"code": "print(1)"}')
    factory = team_of(model, [PythonCodeExecutionTool(executor)], max_tool_iterations=3)
    ringfence = house(tools={"CodeExecutor": {}})
    await runs_once_approved(ringfence, factory, executor.ran, model, tool="CodeExecutor")


@refused("Code", "A bare code executor", "runs code past the tool door; wrap it: `fence.code_executor(...)`")
async def test_a_bare_executor(house: House, tmp_path: Path) -> None:
    """Also when the agent's model is fenced."""
    factory = lambda _: RoundRobinGroupChat([coder(local(tmp_path))])  # noqa: E731 - a factory
    await is_refused(house(), factory, "fence.code_executor(...)")


@refused(
    "Code", "A code executor of another conversation", "its code would be cleared by the other one's policy"
)
async def test_an_executor_of_another_fence(house: House) -> None:
    """The advice is to call fence.code_executor anew."""
    others: list[FencedCodeExecutor] = []

    def first(fence: Fence) -> Any:
        others.append(fence.code_executor(Noting()))
        return RoundRobinGroupChat([coder(others[0])])

    ringfence = house()
    assert await ringfence.check(first) == []
    await is_refused(
        ringfence, lambda _: RoundRobinGroupChat([coder(others[0])]), "fence.code_executor(...) anew"
    )


async def test_a_real_script_runs_with_real_values_where_the_policy_reveals_them(
    house: House, tmp_path: Path
) -> None:
    """The file that it writes holds the address; its output is masked again."""
    code = "print('to <EMAIL_ADDRESS_1>'); open('out.txt', 'w').write('<EMAIL_ADDRESS_1>')"
    model = Scripted(f"```python\n{code}\n```", "Done.")
    rule = {"decision": "allow", "reveals": {"code": ["EMAIL_ADDRESS"]}}
    conversation = house(tools={EXECUTE: rule}).conversation(writes_and_runs(local(tmp_path), model))
    run = await conversation.run(task=f"Write {EMAIL} into a file")
    assert (tmp_path / "out.txt").read_text() == EMAIL
    assert not canaries_in(model.seen)
    assert "to <EMAIL_ADDRESS_1>" in model.seen
    assert reply_of(run) == "Done."


async def test_a_policy_judges_the_code(house: House) -> None:
    """A language that is not allowed does not run, and the agent hears why."""
    executor, model = Noting(), Scripted("```sh\nrm -rf /\n```", "I see.")
    rule = {"decision": "allow", "arguments": {"language": {"one_of": ["python"]}}}
    conversation = house(tools={EXECUTE: rule}).conversation(writes_and_runs(executor, model))
    await conversation.run(task="Go")
    assert executor.ran == []
    assert "argument `language` of execute_code is none of the values" in model.seen


async def test_a_rejected_block_does_not_run(house: House) -> None:
    """The agent hears who rejected it, and why."""
    executor, model = Noting(), Scripted(BLOCK, "I see.")
    conversation = house().conversation(writes_and_runs(executor, model))
    await conversation.run(task="Go")
    await conversation.reject(conversation.pending_approvals[0].id, by="bob", reason="not here")
    assert reply_of(await conversation.resume()) == "I see."
    assert executor.ran == []
    assert "not here" in model.seen


async def test_after_a_block_that_failed_no_other_one_runs(house: House) -> None:
    """As AutoGen's own executors do it."""
    blocks = "".join(f"```python\n{code}\n```\n" for code in ("one", "fail", "three"))
    executor, model = Noting(), Scripted(blocks, "I see.")
    ringfence = house(tools={EXECUTE: {"decision": "allow", "trusted": True}})
    conversation = ringfence.conversation(writes_and_runs(executor, model))
    await conversation.run(task="Go")
    assert [block.code for block in executor.ran] == ["one\n", "fail\n"]
    assert "exited with an error" in model.seen


async def test_the_same_code_is_asked_about_each_time(house: House) -> None:
    """Two turns, two approvals, two runs."""
    executor, model = Noting(), Scripted(BLOCK, "Done.", BLOCK, "Done.")
    conversation = house().conversation(writes_and_runs(executor, model, turns=2))
    await conversation.run(task="Go")
    for done in range(2):
        assert (conversation.status, len(executor.ran)) == (Status.WAITING_FOR_APPROVAL, done)
        await conversation.approve(conversation.pending_approvals[0].id, by="bob")
        await conversation.resume()
    assert (conversation.status, len(executor.ran)) == (Status.DONE, 2)


async def test_what_the_agent_was_told_is_known_in_another_process(house: House, tmp_path: Path) -> None:
    """AutoGen does not save what a CodeExecutorAgent heard."""
    first, second = Scripted("Nothing to run."), Scripted("Still nothing.")
    ringfence = house(store={"url": f"sqlite:///{tmp_path / 'talk.sqlite'}"})
    await ringfence.conversation(writes_and_runs(Noting(), first), id="talk").run(task="Remember lamp")
    again = house(store={"url": f"sqlite:///{tmp_path / 'talk.sqlite'}"})
    await again.conversation(writes_and_runs(Noting(), second), id="talk").run(task="Go on")
    assert "Remember lamp" in second.seen


async def test_two_executors_need_two_names(house: House) -> None:
    """Else a block that was cleared for one of them could run in the other."""

    def factory(fence: Fence, second: str) -> Any:
        fence.code_executor(Noting())
        fence.code_executor(Noting(), name=second)
        return team_of(Scripted("ok"))(fence)

    with pytest.raises(PolicyError, match="Two different tools of this team have the name execute_code"):
        await house().conversation(lambda fence: factory(fence, EXECUTE)).run(task="Go")
    assert await house().check(lambda fence: factory(fence, "execute_elsewhere")) == []


async def test_a_loaded_executor_is_sealed(house: House, tmp_path: Path) -> None:
    """A saved definition holds what runs the code, never the fence."""
    made: list[FencedCodeExecutor] = []

    def factory(fence: Fence) -> Any:
        made.append(fence.code_executor(local(tmp_path)))
        return team_of(Scripted("ok"))(fence)

    await house().check(factory)
    with warnings.catch_warnings(action="ignore"):
        loaded = CodeExecutor.load_component(made[0].dump_component())
    ran = await loaded.execute_code_blocks(
        [CodeBlock(code="print(1)", language="python")], CancellationToken()
    )
    assert (ran.exit_code, "not fenced" in ran.output) == (1, True)
    with pytest.raises(CoverageError):
        await house().conversation(lambda _: RoundRobinGroupChat([coder(loaded)])).run(task="Go")
