"""One conversation's fence: what a team factory is given to build its team with."""

import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from autogen_agentchat.base import ChatAgent, Team
from autogen_agentchat.teams import BaseGroupChat
from autogen_core import CancellationToken
from autogen_core.code_executor import CodeExecutor
from autogen_core.memory import Memory
from autogen_core.models import ChatCompletionClient, CreateResult
from autogen_core.tools import ToolResult, ToolSchema, Workbench

from ringfence.agents import client_facts
from ringfence.agents.code_executor import FencedCodeExecutor
from ringfence.agents.code_workbench import CodeWorkbench
from ringfence.agents.compiled_policy import CompiledPolicy
from ringfence.agents.coverage import Coverage, walk
from ringfence.agents.delivery import Deliver
from ringfence.agents.delivery_fit import misplaced_delivery
from ringfence.agents.inner_events import InnerEvents
from ringfence.agents.judges import price_of_client
from ringfence.agents.listed_tools import server_of
from ringfence.agents.memory import FencedMemory, JournalRecalls, Recall, Recalled
from ringfence.agents.model_client import FencedModelClient, prompt_tokens
from ringfence.agents.model_delivery import DeliverModelCalls, Fallback, fallbacks_of, patience_of
from ringfence.agents.policy_fit import (
    misplaced_arguments,
    misplaced_names,
    undescribed_tools,
    unread_arguments,
)
from ringfence.agents.services import Services
from ringfence.agents.termination import FenceTermination, own_turns, speakers
from ringfence.agents.tool_origins import ToolLike, ToolOrigin, as_workbench
from ringfence.agents.user_input import FencedInput
from ringfence.agents.workbench import FencedWorkbench
from ringfence.budgets.meter import MeterModelCalls, MeterToolCalls
from ringfence.budgets.prices import Price
from ringfence.conversations.counted_calls import CountCalls
from ringfence.conversations.crossing import RecordCrossing
from ringfence.conversations.journaled_calls import JournalModelCalls, own_id
from ringfence.conversations.journaled_tools import (
    JournalToolCalls,
    StartToolCalls,
    has_started,
    key_of,
    note_change,
)
from ringfence.conversations.questions import Questions
from ringfence.conversations.session import Session
from ringfence.errors import CoverageError, Fault, PolicyError
from ringfence.guardrails.approval import DOUBT
from ringfence.guardrails.approval_door import Approve
from ringfence.guardrails.call_judge import CallJudge
from ringfence.guardrails.calls import ModelCall, ToolCall
from ringfence.guardrails.clearance import Clearances, ClearToolCalls, RequireClearance
from ringfence.guardrails.code_clearance import ClearCode
from ringfence.guardrails.dry_runs import StopDryRuns
from ringfence.guardrails.enforcement import Enforce, Scan
from ringfence.guardrails.masking import Mask, reveal_arguments
from ringfence.guardrails.middleware import Handler, Middleware, door
from ringfence.guardrails.passages import Point
from ringfence.guardrails.provenance_notes import NoteDescriptions, NotePrompts, NoteRecalls, NoteResults
from ringfence.guardrails.reask import Reask
from ringfence.guardrails.refusal import RefuseInsteadOfRaise, StopInsteadOfRaise
from ringfence.guardrails.reviews import NoteForReview
from ringfence.guardrails.structure import ValidateStructure
from ringfence.guardrails.tool_directory import ToolDirectory
from ringfence.guardrails.tool_spec import ToolSpec
from ringfence.model_tier import ModelTier

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
        services: Services | None = None,
    ) -> None:
        self._session = session
        self._services = services or Services()
        self._policy = compiled.policy
        self._compiled = compiled
        self._tier_client = tier_client
        self._tool_policy = compiled.tool_policy
        self._directory = ToolDirectory(specs={}, handoffs=set(), listings=session.listings)
        self._judge = CallJudge(
            policy=self._tool_policy,
            directory=self._directory,
            vault=session.vault,
            suspicions=session.suspicions,
            provenance=session.provenance,
            tracing=compiled.tracing,
            standing=session.standing,
        )
        self._prompts: list[object] = []
        """What the agents were built with, until it is noted."""
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
        retries: int | None = None,
        fallback: str | None = None,
    ) -> FencedModelClient:
        """A model client behind the model door.

        Args:
            client: An AutoGen model client, or the name of one of the policy's model tiers.
            model: The model's name for the price list, when the client does not tell.
            max_output_tokens: Upper bound of one reply, in tokens; None takes the tier's, or 1024.
            retries: How often a call is made again that failed in a way that may pass; None takes the tier's,
                or none: a client that was handed in may have retries of its own.
            fallback: The tier that answers when this model does not; None takes the tier's, if it has one.

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
            middlewares=self._model_door(
                self._meter(self._price(bare, name)),
                self._model_delivery(client if tier else "", tier, retries=retries, fallback=fallback),
            ),
            stop=self._session.stop,
            fence=self,
            live_pieces=self._session.live_pieces,
        )

    def workbench(
        self, tools: Workbench | Sequence[ToolLike], *, believe_hints: bool = False
    ) -> FencedWorkbench:
        """Tools behind the tool door: typed functions, AutoGen tools, or a Workbench such as McpWorkbench.

        A tool that does not say what it is, with `@tool(...)` or in the policy, counts as consequential.

        Args:
            tools: What is fenced.
            believe_hints: Take an MCP server's annotations, such as `readOnlyHint`, for what its tools do;
                only for a server of your own.

        Raises:
            PolicyError: Something is no tool, or two tools share a name.
        """
        if isinstance(tools, FencedWorkbench):
            bare, origins = as_workbench(tools._workbench)  # noqa: SLF001 - as in model_client
            origins = {**origins, **tools.origins}
            believe_hints = believe_hints or (tools.server is not None and tools.server.believes_hints)
        else:
            bare, origins = as_workbench(tools)
        return self._bench(bare, origins, believe_hints=believe_hints)

    def _bench(
        self, bare: Workbench, origins: Mapping[str, ToolOrigin], *, believe_hints: bool = False
    ) -> FencedWorkbench:
        session = self._session
        server = server_of(
            bare, listings=session.listings, record=session.record, believes_hints=believe_hints
        )
        for name, origin in origins.items():
            self._register(name, origin)
        return FencedWorkbench(
            bare,
            origins=origins,
            register=self._register,
            middlewares=self._tool_door(),
            stop=session.stop,
            fence=self,
            descriptions=(
                *(() if server is None else (NoteDescriptions(session.provenance, session.masker),)),
                self._scan(Point.TOOL_RESULT),
            ),
            server=server,
            inner_events=InnerEvents(
                of_tools=(NoteResults(session.provenance, spec_of=self._spec), *self._memory_checks()),
                of_agents=(Mask(session.masker, point=_MEMORY, reply_point=Point.TOOL_RESULT.value),),
                stop=session.stop,
            ),
        )

    def code_executor(self, executor: CodeExecutor, *, name: str = "execute_code") -> FencedCodeExecutor:
        """A code executor behind the tool door, for a CodeExecutorAgent.

        Each block of code is a call of a consequential tool with the arguments `language` and `code`.

        Args:
            executor: What runs the code.
            name: The tool's name in the policy; two executors of a team need two.

        Raises:
            PolicyError: Another tool of the team has this name.
        """
        bare = executor._executor if isinstance(executor, FencedCodeExecutor) else executor  # noqa: SLF001 - as in model_client
        session = self._session
        return FencedCodeExecutor(
            bare,
            bench=self._bench(CodeWorkbench(bare, name), {name: ToolOrigin(ToolSpec(described=True), bare)}),
            clear=ClearCode(
                judge=self._judge,
                clearances=self._clearances,
                record=session.record,
                new_id=lambda key: own_id(session.journal, session.journal.occurrence(key)),
            ),
            stop=session.stop,
            fence=self,
        )

    def user_input(self) -> Callable[[str, CancellationToken | None], Awaitable[str]]:
        """What a UserProxyAgent asks the user with: `UserProxyAgent("user", input_func=fence.user_input())`.

        The conversation is suspended until `Conversation.answer`; what the user says passes the user door.
        """
        return FencedInput(self._questions.ask, fence=self).answer

    def start_team(self) -> None:
        """Forget the team before, its tools and its calls, because a new one is about to be built."""
        self._clearances.clear()
        self._prompts.clear()
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
        handed_in = {name for one in coverage.workbenches if one.fence is self for name in one.origins}
        coverage.faults.extend(undescribed_tools(self._directory.specs, handed_in))
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
        coverage.faults.extend(misplaced_delivery(self._tool_policy, self._directory.specs))
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
            call, real_arguments=real, reason=reason, kind=DOUBT, occasion=occasion, reveals=spec.reveals
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
            self._prompts.append(getattr(agent, "_system_messages", ()))
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

    def _meter(self, price: Price) -> Middleware[ModelCall, CreateResult]:
        return MeterModelCalls(
            ledger=self._session.ledger,
            price=price,
            count_prompt=lambda call: prompt_tokens(call.messages, call.tools, call.structure),
            record=self._session.record,
        )

    def _model_delivery(
        self, name: object, tier: ModelTier | None, *, retries: int | None, fallback: str | None
    ) -> Middleware[ModelCall, CreateResult]:
        session = self._session
        return DeliverModelCalls(
            patience_of(str(name), tier, retries),
            fallbacks=[
                Fallback(patience_of(one, self._policy.models[one]), *self._stand_in(one))
                for one in fallbacks_of(self._policy, fallback or (tier.fallback if tier else None))
            ],
            services=self._services,
            stop=session.stop,
            seconds_left=session.ledger.seconds_left,
            record=session.record,
        )

    def _stand_in(self, name: str) -> tuple[str, int, Handler[ModelCall, CreateResult]]:
        """The model of a tier, the longest reply, and a way to ask it that is paid from this budget."""
        bare, tier = self._tier_client(name), self._policy.models[name]
        model = client_facts.model_name(bare) or name
        inside = FencedModelClient(
            bare,
            model=model,
            max_output_tokens=tier.max_output_tokens,
            middlewares=(),
            stop=self._session.stop,
            fence=self,
        )
        return model, tier.max_output_tokens, door([self._meter(self._price(bare, model))], inside.answer)

    def _model_door(
        self, meter: Middleware[ModelCall, CreateResult], delivery: Middleware[ModelCall, CreateResult]
    ) -> Sequence[Middleware[ModelCall, CreateResult]]:
        session, record = self._session, self._session.record
        return (
            StopInsteadOfRaise(session.stop),
            RecordCrossing(door="model", record=record),
            NotePrompts(session.provenance, session.masker, self._prompts),
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
            delivery,
            meter,
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
            NoteResults(session.provenance, spec_of=self._spec),
            self._enforce(before=Point.TOOL_CALL, after=Point.TOOL_RESULT),
            Mask(session.masker, point=Point.TOOL_CALL.value, reply_point=Point.TOOL_RESULT.value),
            self._scan(Point.TOOL_RESULT),
            NoteForReview(
                policy=self._tool_policy,
                bounds=session.standing.bounds,
                directory=self._directory,
                share=self._policy.reviews,
                key=lambda call: session.journal.idempotency_key(key_of(call)),
                record=record,
            ),
            Approve(
                book=session.approvals,
                judge=self._judge,
                directory=self._directory,
                has_started=lambda call: has_started(session.journal, call),
                changed=lambda call: note_change(session.journal, call),
                recheck=self._enforce(before=Point.TOOL_CALL),
            ),
            MeterToolCalls(session.ledger),
            StopDryRuns(self._tool_policy, session.standing.bounds, self._directory),
            CountCalls(self._tool_policy, session.standing, session.journal),
            StartToolCalls(session.journal, spec_of=self._spec),
            Deliver(self._tool_policy, spec_of=self._spec, services=self._services, record=record),
        )

    def _memory_door(self) -> Sequence[Middleware[Recall, Recalled]]:
        session = self._session
        trusts = self._policy.provenance.trusts
        journaled = JournalRecalls(session.journal, trusts=trusts)
        return (journaled, NoteRecalls(session.provenance, trusts=trusts), *self._memory_checks())

    def _memory_checks(self) -> Sequence[Middleware[ToolCall, Any]]:
        return (
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
        is_ours = isinstance(part, FencedModelClient | FencedWorkbench | FencedMemory | FencedCodeExecutor)
        return part.of(agent.name) if is_ours and not part.agent else part

    for name, value in vars(agent).items():
        if isinstance(value, list):
            value[:] = map(named, value)
        else:
            setattr(agent, name, named(value))
