"""One conversation's fence: what a team factory is given to build its team with."""

import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from autogen_agentchat.base import ChatAgent, Team
from autogen_agentchat.teams import BaseGroupChat
from autogen_core import CancellationToken
from autogen_core.memory import Memory
from autogen_core.models import ChatCompletionClient, CreateResult
from autogen_core.tools import ToolResult, ToolSchema, Workbench

from ringfence.agents import client_facts
from ringfence.agents.compiled_policy import CompiledPolicy
from ringfence.agents.coverage import Coverage, walk
from ringfence.agents.delivery import Deliver
from ringfence.agents.judges import price_of_client
from ringfence.agents.memory import FencedMemory, JournalRecalls, Recall, Recalled
from ringfence.agents.model_client import FencedModelClient, prompt_tokens
from ringfence.agents.policy_fit import misplaced_arguments, misplaced_names, unread_arguments
from ringfence.agents.termination import FenceTermination, own_turns, speakers
from ringfence.agents.user_input import FencedInput
from ringfence.agents.workbench import FencedWorkbench, ToolLike, ToolOrigin, as_workbench
from ringfence.budgets.meter import MeterModelCalls, MeterToolCalls
from ringfence.budgets.prices import Price
from ringfence.conversations.crossing import RecordCrossing
from ringfence.conversations.journaled_calls import JournalModelCalls
from ringfence.conversations.journaled_tools import JournalToolCalls, StartToolCalls, has_started
from ringfence.conversations.questions import Questions
from ringfence.conversations.session import Session
from ringfence.errors import CoverageError, Fault, PolicyError
from ringfence.guardrails.approval import Approve
from ringfence.guardrails.call_judge import CallJudge
from ringfence.guardrails.calls import ModelCall, ToolCall
from ringfence.guardrails.clearance import Clearances, ClearToolCalls, RequireClearance
from ringfence.guardrails.enforcement import Enforce, Scan
from ringfence.guardrails.masking import Mask, reveal_arguments
from ringfence.guardrails.middleware import Middleware
from ringfence.guardrails.passages import Point
from ringfence.guardrails.reask import Reask
from ringfence.guardrails.refusal import RefuseInsteadOfRaise, StopInsteadOfRaise
from ringfence.guardrails.structure import ValidateStructure
from ringfence.guardrails.tool_directory import ToolDirectory
from ringfence.guardrails.tool_policy import ToolPolicy
from ringfence.guardrails.tool_spec import ToolSpec

_MEMORY = "memory"
_ever_used: "weakref.WeakSet[Any]" = weakref.WeakSet()
"""Teams and agents that a conversation has taken; one instance serves one conversation, once."""


class Fence:
    """Hands out model clients and workbenches that belong to one conversation."""

    def __init__(
        self,
        *,
        session: Session,
        compiled: CompiledPolicy,
        tier_client: Callable[[str], ChatCompletionClient],
        task_messages: Callable[[Any, str], Sequence[Any]],
    ) -> None:
        self._session = session
        self._policy = compiled.policy
        self._compiled = compiled
        self._tier_client = tier_client
        self._tool_policy = ToolPolicy(compiled.policy.tools)
        self._directory = ToolDirectory(specs={}, handoffs=set())
        self._judge = CallJudge(
            policy=self._tool_policy,
            directory=self._directory,
            vault=session.vault,
            suspicions=session.suspicions,
            provenance=session.provenance,
        )
        self._clearances = Clearances()
        self._owners: dict[str, object] = {}
        self._workbenches: dict[str, FencedWorkbench] = {}
        self._admitted: weakref.WeakSet[Any] = weakref.WeakSet()
        self._questions = Questions(session, task_messages=task_messages)

    def __repr__(self) -> str:
        return f"Fence(conversation={self._session.id!r})"

    @property
    def tools(self) -> Mapping[str, ToolSpec]:
        """The tools handed out so far, as the policy describes them."""
        return dict(self._directory.specs)

    def model_client(
        self,
        client: ChatCompletionClient | str,
        *,
        model: str | None = None,
        max_output_tokens: int | None = None,
    ) -> FencedModelClient:
        """A model client behind the model door.

        Args:
            client: An AutoGen model client, or the name of one of the policy's model tiers.
            model: The model's name for the price list, when the client does not tell.
            max_output_tokens: Upper bound of one reply, in tokens; None takes the tier's, or 1024.

        Raises:
            PolicyError: The tier or the model's price is not known.
        """
        tier = self._policy.models.get(client) if isinstance(client, str) else None
        bare = self._tier_client(client) if isinstance(client, str) else client
        if isinstance(bare, FencedModelClient):
            bare = bare._client  # noqa: SLF001 - fencing a fenced client binds what is inside to this fence
        name = model or client_facts.model_name(bare)
        if name is None:
            raise PolicyError(
                f"{type(bare).__name__} does not tell its model; say fence.model_client(..., model=...)"
            )
        limit = (tier.max_output_tokens if tier else 1024) if max_output_tokens is None else max_output_tokens
        if limit < 1:
            raise PolicyError(f"max_output_tokens must be at least 1, not {limit}")
        return FencedModelClient(
            bare,
            model=name,
            max_output_tokens=limit,
            middlewares=self._model_door(self._price(bare, name)),
            stop=self._session.stop,
            fence=self,
            live_pieces=self._session.live_pieces,
        )

    def workbench(self, tools: Workbench | Sequence[ToolLike]) -> FencedWorkbench:
        """Tools behind the tool door: typed functions, AutoGen tools, or a Workbench such as McpWorkbench.

        A tool that does not say what it is, with `@tool(...)` or in the policy, counts as consequential.

        Raises:
            PolicyError: Something is no tool, or two tools share a name.
        """
        if isinstance(tools, FencedWorkbench):
            bare, origins = tools._workbench, dict(tools.origins)  # noqa: SLF001 - as in model_client
        else:
            bare, origins = as_workbench(tools)
        for name, origin in origins.items():
            self._register(name, origin)
        return FencedWorkbench(
            bare,
            origins=origins,
            register=self._register,
            middlewares=self._tool_door(),
            stop=self._session.stop,
            fence=self,
            descriptions=(self._scan(Point.TOOL_RESULT),),
        )

    def user_input(self) -> Callable[[str, CancellationToken | None], Awaitable[str]]:
        """What a UserProxyAgent asks the user with: `UserProxyAgent("user", input_func=fence.user_input())`.

        The conversation is suspended until `Conversation.answer`; what the user says passes the user door.
        """
        return FencedInput(self._questions.ask, fence=self).answer

    def start_team(self) -> None:
        """Forget the team before, its tools and its calls, because a new one is about to be built."""
        self._clearances.clear()
        self._directory.specs.clear()
        self._directory.handoffs.clear()
        self._owners.clear()
        self._workbenches.clear()

    def memory(self, memory: Memory) -> FencedMemory:
        """A memory whose recollections are masked before an agent takes them in."""
        return FencedMemory(memory, middlewares=self._memory_door(), stop=self._session.stop, fence=self)

    async def inspect(self, team: object) -> Coverage:
        """Walk a team without taking it; `faults` lists what cannot be fenced, or is named and not there."""
        coverage = walk(team, self)
        schemas: list[ToolSchema] = []
        for workbench in [one for one in coverage.workbenches if one.fence is self]:
            for schema in await workbench.list_tools():
                schemas.append(schema)
                self._workbenches[schema["name"]] = workbench
                spec = self._directory.specs[schema["name"]]
                coverage.faults.extend(
                    misplaced_arguments(self._policy, schema, spec, types=self._session.masker.types)
                )
        if self._session.stop.error is not None:
            coverage.faults.append(Fault(str(self._session.stop.error), where="tools"))
        tools = {*self._directory.specs, *coverage.handoffs}
        agents = {agent.name for agent in coverage.agents}
        coverage.faults.extend(misplaced_names(self._policy, tools=tools, agents=agents))
        coverage.faults.extend(unread_arguments(self._policy, schemas))
        for name in coverage.handoffs & self._directory.specs.keys():
            coverage.faults.append(
                Fault("a tool and a handoff have this name; rename one", where=f"tools.{name}")
            )
        self._directory.handoffs.update(coverage.handoffs)
        return coverage

    def _spec(self, tool: str) -> ToolSpec:
        return self._directory.specs[tool]

    async def _ask_about(self, call: ToolCall, reason: str, occasion: str) -> None:
        """Return when a person says that a call of which nobody knows whether it has run may run."""
        spec = self._spec(call.tool)
        real = reveal_arguments(call, spec, self._session.vault).arguments
        await self._session.approvals.settle(
            call, real_arguments=real, reason=reason, kind="doubt", occasion=occasion, reveals=spec.reveals
        )

    async def admit(self, team: Team | ChatAgent, *, is_new: bool = False) -> None:
        """Take a team in, when it is new and before each of its runs.

        Raises:
            CoverageError: It has parts that cannot be fenced, or it was used before.
        """
        coverage = await self.inspect(team)
        parts: list[Any] = [*coverage.teams, *coverage.agents, *coverage.stateful]
        fresh = [part for part in parts if is_new or part not in self._admitted]
        for part in fresh:
            if part in _ever_used or getattr(part, "_initialized", False):
                said = "was used before; build all of a team anew inside its factory"
                where = getattr(part, "name", type(part).__name__)
                coverage.faults.append(Fault(said, where=where))
        if coverage.faults:
            raise CoverageError(coverage.faults)
        for agent in coverage.agents:
            _name_parts(agent)
        for part in fresh:
            _ever_used.add(part)
            self._admitted.add(part)
            if isinstance(part, BaseGroupChat):
                self._end_gracefully(part)

    def _end_gracefully(self, team: BaseGroupChat) -> None:
        team._termination_condition = FenceTermination(  # noqa: SLF001
            stop=self._session.stop,
            ledger=self._session.ledger,
            agents=speakers(team),
            own=team._termination_condition,  # noqa: SLF001
            own_turns=own_turns(team),
        )

    def _register(self, name: str, origin: ToolOrigin) -> None:
        if name in self._directory.handoffs:
            raise PolicyError(f"A tool and a handoff of this team have the name {name}; rename one")
        owner = self._owners.setdefault(name, origin.owner)
        if owner is not origin.owner:
            # Else a call that was cleared for one of them could run the other.
            raise PolicyError(f"Two different tools of this team have the name {name}; rename one")
        self._directory.specs[name] = self._tool_policy.describe(name, origin.spec)

    def _price(self, client: ChatCompletionClient, model: str) -> Price:
        return price_of_client(client, model, self._policy)

    def _model_door(self, price: Price) -> Sequence[Middleware[ModelCall, CreateResult]]:
        session, record = self._session, self._session.record
        return (
            StopInsteadOfRaise(session.stop),
            RecordCrossing(door="model", record=record),
            ClearToolCalls(
                directory=self._directory,
                judge=self._judge,
                clearances=self._clearances,
                vault=session.vault,
                record=record,
            ),
            Reask(times=self._policy.reasks, record=record),
            JournalModelCalls(session.journal, record),
            ValidateStructure(),
            self._enforce(after=Point.MESSAGE),
            Mask(session.masker, point="prompt", reply_point=Point.MESSAGE.value),
            MeterModelCalls(
                ledger=session.ledger,
                price=price,
                count_prompt=lambda call: prompt_tokens(call.messages, call.tools, call.structure),
                record=record,
            ),
        )

    def _tool_door(self) -> Sequence[Middleware[ToolCall, ToolResult]]:
        session, record = self._session, self._session.record
        return (
            RefuseInsteadOfRaise(session.stop, session.masker),
            RecordCrossing(door="tool", record=record),
            RequireClearance(self._clearances),
            JournalToolCalls(
                session.journal, record, spec_of=self._spec, ask=self._ask_about, stop=session.stop
            ),
            self._enforce(before=Point.TOOL_CALL, after=Point.TOOL_RESULT),
            Mask(session.masker, point=Point.TOOL_CALL.value, reply_point=Point.TOOL_RESULT.value),
            self._scan(Point.TOOL_RESULT),
            Approve(
                book=session.approvals,
                judge=self._judge,
                directory=self._directory,
                has_started=lambda call: has_started(session.journal, call),
            ),
            MeterToolCalls(session.ledger),
            StartToolCalls(session.journal, spec_of=self._spec),
            Deliver(self._tool_policy),
        )

    def _memory_door(self) -> Sequence[Middleware[Recall, Recalled]]:
        return (
            JournalRecalls(self._session.journal),
            self._enforce(after=Point.TOOL_RESULT),
            Mask(self._session.masker, point=_MEMORY, reply_point=_MEMORY),
            self._scan(Point.TOOL_RESULT),
        )

    def _enforce(self, *, before: Point | None = None, after: Point | None = None) -> Enforce:
        session = self._session
        return Enforce(
            record=session.record,
            before=None if before is None else (before, self._session.guardrails.get(before, ())),
            after=None if after is None else (after, self._session.guardrails.get(after, ())),
            heard=session.heard,
            suspicions=session.suspicions,
            masker=session.masker,
        )

    def _scan(self, point: Point) -> Scan:
        session = self._session
        checks = (point, self._compiled.scanners.get(point, ()))
        return Scan(record=session.record, after=checks, suspicions=session.suspicions)


def _name_parts(agent: ChatAgent) -> None:
    """Tell what an agent holds whose it is: AutoGen says it only in a team, and names the outermost agent."""

    def named(part: Any) -> Any:
        is_ours = isinstance(part, FencedModelClient | FencedWorkbench | FencedMemory)
        return part.of(agent.name) if is_ours and not part.agent else part

    for name, value in vars(agent).items():
        if isinstance(value, list):
            value[:] = map(named, value)
        else:
            setattr(agent, name, named(value))
