"""The tasks of an AgentDojo suite: what a user asks, what an attacker wants, and who judges it."""

import io
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

from agentdojo.functions_runtime import FunctionCall
from agentdojo.task_suite.load_suites import get_suite
from pydantic_core import to_jsonable_python

from benchmarks.dojo.obedient_model import Call
from benchmarks.dojo.own_solutions import own_solution
from benchmarks.dojo.world import Ran, World

VERSION = "v1.2.2"
_NO_CALLS = {"travel": ("injection_task_6",)}
"""What the attacker wants the model to say, not to do: no gate of tools can see that."""


@dataclass(frozen=True, slots=True)
class Task:
    """A user's task, or an attacker's."""

    id: str
    text: str
    """What the user asks, or the attacker's goal."""
    answer: str
    """What the model has to say."""
    judge: Any
    """AgentDojo's own task."""


class Suite:
    """One suite of AgentDojo."""

    def __init__(self, name: str) -> None:
        self._suite = get_suite(VERSION, name)
        self.name = name
        self.users = [
            Task(name, one.PROMPT, one.GROUND_TRUTH_OUTPUT, one)
            for name, one in self._suite.user_tasks.items()
        ]
        self.attackers = [
            Task(name, one.GOAL, one.GROUND_TRUTH_OUTPUT, one)
            for name, one in self._suite.injection_tasks.items()
            if name not in _NO_CALLS.get(self.name, ())
        ]
        self.tools = tuple(one.name for one in self._suite.tools)
        self._vectors: tuple[str, ...] = tuple(self._suite.get_injection_vector_defaults())
        self._read: dict[str, list[str]] = {}

    def world(self, user: Task, injections: Mapping[str, str]) -> World:
        """A fresh world for the user's task, with texts of an attacker in it."""
        environment = self._suite.load_and_inject_default_environment(dict(injections))
        return World(self._suite.tools, user.judge.init_environment(environment))

    def solution(self, task: Task, environment: Any) -> tuple[Call, ...]:
        """The calls that solve a task."""
        calls = task.judge.ground_truth(environment.model_copy(deep=True))
        own = None if calls else own_solution(self.name, task.id, task.judge)
        if own is not None:
            return own(environment.model_copy(deep=True))
        return tuple(Call(one.function, to_jsonable_python(dict(one.args))) for one in calls)

    def vectors_read(self, user: Task) -> list[str]:
        """The places of an attacker's text that the user's task reads."""
        if user.id not in self._read:
            marks = {vector: f"MARK{number}OF{vector}" for number, vector in enumerate(self._vectors)}
            world = self.world(user, marks)
            read = "\n".join(world.run(call) for call in self.solution(user, world.environment))
            self._read[user.id] = [vector for vector, mark in marks.items() if mark in read]
        return self._read[user.id]

    def is_done(self, task: Task, *, answer: str, before: Any, after: Any, ran: Sequence[Ran]) -> bool:
        """What AgentDojo says of the world after the run: the user's task is done, or the attack is."""
        traces = [FunctionCall(function=one.call.tool, args=dict(one.call.arguments)) for one in ran]
        with redirect_stdout(io.StringIO()):  # one of its checks prints what it looks at
            verdict = self._suite._check_task_result(  # noqa: SLF001 - there is no other way to ask
                task.judge, [{"type": "text", "content": answer}], before, after, traces
            )
        return bool(verdict)
