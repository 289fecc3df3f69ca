"""A policy as a bench of some of its tools needs it: without what only a whole team could fulfil."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Literal

from ringfence.agents.stand_in_model import STAND_IN
from ringfence.budgets.limits import Limits
from ringfence.budgets.prices import Price
from ringfence.conversations.job_settings import JobSettings
from ringfence.conversations.store_settings import StoreSettings
from ringfence.guardrails.guardrail_use import GuardrailUse
from ringfence.policy import LoadedPolicy, Policy

_LLM_JUDGE = "ringfence/llm_judge"


def for_bench(
    policy: Policy | LoadedPolicy | None, *, tools: Collection[str], agent: str
) -> Policy | LoadedPolicy:
    """The policy for these tools and one agent.

    Rules of other tools, guardrails that judge other tools or agents only, and those that ask a model are
    left out. So are the limits of models, because a stand-in spends nothing, and the store and queue,
    because nothing is kept. All else holds as it is written.
    """
    if isinstance(policy, LoadedPolicy):
        return replace(policy, policy=_fitted(policy.policy, tools, agent))
    return _fitted(policy or Policy(), tools, agent)


def _fitted(policy: Policy, tools: Collection[str], agent: str) -> Policy:
    limits = policy.limits
    prices: dict[str, Price | Literal["free"]] = {**policy.prices, STAND_IN: "free"}
    return policy.model_copy(
        update={
            "team": None,
            "prices": prices,
            "tools": {name: rule for name, rule in policy.tools.items() if name in tools or is_glob(name)},
            "guardrails": tuple(_guardrails(policy, tools, agent)),
            "limits": Limits(
                turns=None,
                model_calls=None,
                tokens=None,
                usd=None,
                seconds=None,
                tool_calls=limits.tool_calls,
                task_characters=limits.task_characters,
            ),
            "store": StoreSettings(),
            "jobs": JobSettings(),
        }
    )


def _guardrails(policy: Policy, tools: Collection[str], agent: str) -> Iterator[GuardrailUse]:
    for use in policy.guardrails:
        if use.use == _LLM_JUDGE or "model" in use.options:
            continue
        of_tools = _there(use.tools, tools)
        of_agents = _there(use.agents, {agent})
        if of_tools != () and of_agents != ():
            yield use.model_copy(update={"tools": of_tools, "agents": of_agents})


def _there(names: tuple[str, ...] | None, known: Collection[str]) -> tuple[str, ...] | None:
    if names is None:
        return None
    return tuple(name for name in names if name in known or is_glob(name))


def is_glob(name: str) -> bool:
    """Whether a name of the policy stands for several."""
    return any(character in name for character in "*?[")
