"""The policy: what a deployment allows, read once and the same for every conversation."""

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from genai_prices.data_snapshot import get_snapshot
from pydantic import ConfigDict, Field, field_validator, model_validator

from ringfence.budgets.limits import Count, Limits
from ringfence.budgets.prices import Price, price_of
from ringfence.conversations.job_settings import JobSettings
from ringfence.conversations.store_settings import StoreSettings
from ringfence.errors import Fault, PolicyError
from ringfence.guardrails.approval_deciders import ApprovalSettings
from ringfence.guardrails.guardrail_use import GuardrailUse, OnFail
from ringfence.guardrails.guardrails_ai import files_of
from ringfence.guardrails.injection_guardrail import InjectionSettings
from ringfence.guardrails.pii import PiiSettings
from ringfence.guardrails.provenance_settings import ProvenanceSettings
from ringfence.guardrails.tool_rules import Autonomy, ToolRule
from ringfence.located_yaml import Document, Loc, dotted, parse
from ringfence.model_tier import PAID, Capabilities, ModelTier, lost_fallbacks
from ringfence.policy_file import SectionError, attempt, in_order, read_text, validate
from ringfence.settings import Section

__all__ = [
    "ApprovalSettings",
    "AuditSettings",
    "Capabilities",
    "LoadedPolicy",
    "ModelTier",
    "Policy",
    "check_paths",
    "json_schema",
    "load_policy",
]

Problem = tuple[Loc, str]

_TEAM = re.compile(r"(?P<file>.*[^/\\]\.py):(?P<attribute>[^\W\d]\w*)")
_PRICE_LISTS: dict[str, str] = {"openai": "openai", "azure_openai": "azure", "anthropic": "anthropic"}


class JudgeLimits(Section):
    """The `judges` section: what the models may cost that judge a conversation, beside its own limits."""

    model_calls: Count = 100
    tokens: Count = 100_000
    usd: Annotated[Decimal, Field(gt=0)] = Decimal("0.10")

    def as_limits(self) -> Limits:
        """For a ledger of its own."""
        return Limits(
            turns=None, seconds=None, model_calls=self.model_calls, tokens=self.tokens, usd=self.usd
        )


class AuditSettings(Section):
    """The `audit` section."""

    path: Annotated[str, Field(min_length=1)] = "ringfence-audit.jsonl"
    """The audit file, relative to the policy file."""


class Policy(Section):
    """Everything that the policy file says."""

    model_config = ConfigDict(hide_input_in_errors=True)

    version: Literal[1] = 1
    team: str | None = None
    """The file of the team, relative to the policy file, and the name in it: `team.py:support_team`."""
    models: dict[str, ModelTier] = Field(default_factory=dict)
    """Tier → model."""
    prices: dict[str, Price | Literal["free"]] = Field(default_factory=dict)
    """Model → its own price, where the public price list has none or another one."""
    pii: PiiSettings = Field(default_factory=PiiSettings)
    guardrails: tuple[GuardrailUse, ...] = ()
    """Validators and guards; `guardrails/judging.py` says in which order they are asked."""
    injection: InjectionSettings = Field(default_factory=InjectionSettings)
    provenance: ProvenanceSettings = Field(default_factory=ProvenanceSettings)
    judges: JudgeLimits = Field(default_factory=JudgeLimits)
    reasks: Annotated[int, Field(ge=0, le=5)] = 1
    """How often a model is asked again after a validator's no."""
    tools: dict[str, ToolRule] = Field(default_factory=dict)
    """Name or glob of tools → what the policy says of their calls."""
    autonomy: Autonomy = 2
    """How much tools without an `autonomy` of their own do unasked."""
    reviews: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Share of the consequential calls at level 3 that are noted for review."""
    roles: dict[str, tuple[Annotated[str, Field(min_length=1)], ...]] = Field(default_factory=dict)
    """Role → names or globs of the users who have it."""
    limits: Limits = Field(default_factory=Limits)
    approvals: ApprovalSettings = Field(default_factory=ApprovalSettings)
    audit: AuditSettings = Field(default_factory=AuditSettings)
    store: StoreSettings = Field(default_factory=StoreSettings)
    jobs: JobSettings = Field(default_factory=JobSettings)

    @field_validator("team")
    @classmethod
    def _check_team(cls, team: str | None) -> str | None:
        if team is not None and not _TEAM.fullmatch(team):
            raise ValueError("must name a file and a function in it, such as team.py:support_team")
        return team

    @field_validator("guardrails")
    @classmethod
    def _check_guardrails(cls, uses: tuple[GuardrailUse, ...]) -> tuple[GuardrailUse, ...]:
        idle = [index for index, use in enumerate(uses) if not use.at]
        problems: list[Problem] = [((index, "at"), "names no point, so it would never run") for index in idle]
        problems += _named_twice(dict(enumerate(uses)))
        if problems:
            raise SectionError(*problems)
        return uses

    @model_validator(mode="after")
    def _check_sections_together(self) -> Self:
        problems = [
            *_unpriced(self.models, self.prices),
            *lost_fallbacks(self.models),
            *_never_asked_again(dict(enumerate(self.guardrails)), self.reasks),
        ]
        if problems:
            raise SectionError(*problems)
        return self


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy and where it came from."""

    policy: Policy
    path: Path
    folder: Path
    """What the policy's paths are relative to; absolute."""
    version_hash: str
    """The first 12 hexadecimal digits of the SHA-256 of the file and of those that its guardrails name."""


def load_policy(path: Path | str) -> LoadedPolicy:
    """Read a policy file; PolicyError lists everything that is wrong with it, in the order of its lines."""
    raw, text = read_text(path)
    document = parse(text, str(path))
    folder = Path(path).resolve().parent
    policy = validate(document, Policy)
    known = {(fault.where, fault.message) for fault in document.faults}
    for loc, message in _across(document, folder):
        fault = document.fault(message, loc)
        if (fault.where, fault.message) not in known:
            document.faults.append(fault)
    if policy is None or document.faults:
        raise PolicyError(in_order(document.faults))
    return LoadedPolicy(policy, Path(path), folder, _version(raw, policy, folder))


def _version(raw: bytes, policy: Policy, folder: Path) -> str:
    version = hashlib.sha256(raw)
    for file in sorted({file for use in policy.guardrails if (file := files_of(use.use))}):
        # Its length first, so that no two sets of files read alike. A file that is not there is told later.
        content = (folder / file).read_bytes() if _is(Path.is_file, folder / file) else b""
        version.update(len(content).to_bytes(8, "big") + content)
    return version.hexdigest()[:12]


def check_paths(policy: Policy, folder: Path) -> list[Fault]:
    """What is wrong with the files that the policy names, relative to `folder`."""
    problems = _unusable_files(policy.team, policy.models, policy.audit.path, folder)
    return [Fault(message, where=dotted(loc)) for loc, message in problems]


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the policy file."""
    return Policy.model_json_schema()


def _across(document: Document, folder: Path) -> Iterator[Problem]:
    """The checks that look past one section, over whatever is sound in the file.

    Pydantic checks a whole model only when each of its fields is sound, so a typo would hide these.
    """
    data = document.data if isinstance(document.data, dict) else {}
    models, prices, team, audit = (data.get(key) for key in ("models", "prices", "team", "audit"))
    yield from _across_guardrails(data)
    tiers = (
        {name: attempt(tier, ModelTier) for name, tier in models.items()} if isinstance(models, dict) else {}
    )
    sound = {name: tier for name, tier in tiers.items() if tier is not None}
    yield from _unpriced(sound, prices if isinstance(prices, dict) else ())
    yield from lost_fallbacks(sound, {*tiers})
    audit_path = (attempt(audit, AuditSettings) or AuditSettings()).path
    yield from _unusable_files(team if isinstance(team, str) else None, sound, audit_path, folder)


def _across_guardrails(data: Mapping[str, Any]) -> Iterator[Problem]:
    entries = data.get("guardrails")
    uses = enumerate(entries if isinstance(entries, list) else ())
    sound = {index: use for index, entry in uses if (use := attempt(entry, GuardrailUse))}
    for loc, said in _named_twice(sound):
        yield ("guardrails", *loc), said
    yield from _never_asked_again(sound, data.get("reasks"))


def _named_twice(uses: Mapping[int, GuardrailUse]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, use in uses.items():
        earlier = first.setdefault(use.known_as, index)
        if earlier != index:
            said = f"has the name of guardrails[{earlier}], so their verdicts look alike; give it a `name`"
            yield (index, "use" if use.name is None else "name"), said


def _never_asked_again(uses: Mapping[int, GuardrailUse], reasks: object) -> Iterator[Problem]:
    for index, use in uses.items():
        if use.on_fail is OnFail.REASK and reasks == 0 and reasks is not False:
            yield ("guardrails", index, "on_fail"), "is reask, and `reasks` is 0, so no model is asked again"


def _unpriced(models: Mapping[str, ModelTier], priced: Collection[str]) -> Iterator[Problem]:
    for name, tier in models.items():
        if tier.provider not in PAID or tier.model is None or tier.model in priced:
            continue
        try:
            price_of(tier.model, provider=_price_list(tier))
        except PolicyError:
            message = "has no known price; add the model to `prices` with its price, or as free"
            yield ("models", name, "model"), message


def _price_list(tier: ModelTier) -> str | None:
    if tier.base_url is None:
        return _PRICE_LISTS.get(tier.provider)
    try:
        return get_snapshot().find_provider(None, None, tier.base_url).id
    except LookupError:
        return None


def _unusable_files(
    team: str | None, models: Mapping[str, ModelTier], audit: str, folder: Path
) -> Iterator[Problem]:
    match = _TEAM.fullmatch(team or "")
    if match and not _is(Path.is_file, folder / match["file"]):
        yield ("team",), "there is no such file beside the policy file"
    for name, tier in models.items():
        if tier.rules is not None and not _is(Path.is_file, folder / tier.rules):
            yield ("models", name, "rules"), "there is no such file beside the policy file"
    if _is(Path.is_dir, folder / audit):
        yield ("audit", "path"), "is a folder; name a file"


def _is(kind: Callable[[Path], bool], path: Path) -> bool:
    try:
        return kind(path)
    except (OSError, ValueError):  # a name that is too long for the file system, or a folder without access
        return False
