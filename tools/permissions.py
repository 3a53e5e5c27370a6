"""Who may call which tool: rules, what is allowed without any, and what a person has allowed for longer.

A verdict is made in this order, and each step sees the one before: the strictest of the operator's rules that fit, or
the default of the tool's class; what the user has allowed turns "ask" into "allow"; guards and the request make it
stricter. A rule that denies ends it, whosever it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import escape
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from langchain_core.messages import ToolCall
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.approvals import Decision, Evidence
from domain.owner import Owner
from domain.text import has_han
from domain.words import Words
from tools import texts
from tools.interface import ToolSpec

if TYPE_CHECKING:
    from settings import Settings
    from stores.grants import Grants

LONGEST_VALUE = 200
"""Characters of a text that is a value of its own; a longer one is free text."""
_STRICTNESS: dict[Decision, int] = {"allow": 0, "ask": 1, "deny": 2}
Glob = Annotated[str, Field(min_length=1, max_length=20_000)]


class Rule(BaseModel):
    """What calls of some tools come to.

    Patterns are globs. That of a tool fits its name (`web_search`) or its address (`mcp:github:*`).
    With `closed`, a call that has other arguments than those named does not fit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tool: Glob
    decision: Decision
    roles: Annotated[tuple[Glob, ...], Field(max_length=100)] = ("*",)
    sessions: Annotated[tuple[Glob, ...], Field(max_length=100)] = ("*",)
    arguments: Annotated[dict[str, Glob], Field(max_length=100)] = {}
    closed: bool = False

    def fits(self, spec: ToolSpec, arguments: Mapping[str, object], owner: Owner, role: str) -> bool:
        """Tell whether the rule is about this call."""
        return (
            _any((spec.name, spec.address), (self.tool,))
            and _any((role,), self.roles)
            and _any((owner.thread_id or "",), self.sessions)
            and not (self.closed and arguments.keys() - self.arguments.keys())
            and all(name in arguments and fnmatchcase(as_text(arguments[name]), glob)
                    for name, glob in self.arguments.items())
        )  # fmt: skip


RULES = TypeAdapter(tuple[Rule, ...])


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a call comes to, and why, for people."""

    decision: Decision
    reasons: tuple[Words, ...] = ()

    def tightened(self, *others: Verdict) -> Verdict:
        """Return the strictest of these verdicts; the reasons of all that are as strict."""
        strictest = max((self, *others), key=lambda one: _STRICTNESS[one.decision]).decision
        equal = [one for one in (self, *others) if one.decision == strictest]
        return Verdict(strictest, tuple(dict.fromkeys(reason for one in equal for reason in one.reasons)))


ALLOWED = Verdict("allow")
Guard = Callable[[ToolCall, ToolSpec, Mapping[str, Any]], Verdict]
"""Looks at a call, its tool and the state of the turn. It can only make a verdict stricter."""


class Permissions:
    """Judges calls.

    Attributes:
        guards: Asked for every call; more may be added while the process starts.
    """

    def __init__(self, settings: Settings, grants: Grants, rules: Callable[[], Sequence[Rule]] = tuple) -> None:
        """Take the operator's rules: those of PERMISSIONS, and `rules`, which may change while the process runs.

        Raises:
            ValidationError: PERMISSIONS holds something that is no rule.
        """
        self.grants = grants
        self.guards: list[Guard] = []
        self._rules, self._more = RULES.validate_python(settings.permissions), rules

    @property
    def uses_roles(self) -> bool:
        """Whether a rule of the operator asks for the role of a user."""
        return any(rule.roles != ("*",) for rule in (*self._rules, *self._more()))

    def guarded(self, call: ToolCall, spec: ToolSpec, state: Mapping[str, Any]) -> Verdict:
        """Return the strictest verdict of the guards."""
        return ALLOWED.tightened(*(guard(call, spec, state) for guard in self.guards))

    async def judge(
        self,
        spec: ToolSpec,
        arguments: Mapping[str, object],
        owner: Owner,
        evidence: Evidence,
        *,
        role: str = "user",
        tightened: Sequence[Verdict] = (),
    ) -> Verdict:
        """Return what a call comes to.

        Args:
            spec: The tool.
            arguments: Its arguments.
            owner: Who asks, and in which thread.
            evidence: Where the arguments come from.
            role: Role of the user.
            tightened: What guards and the request say of it.

        Raises:
            Unavailable: The database does not answer.
        """
        granted = [Rule.model_validate(grant["rule"]) for grant in await self.grants.of(owner)]
        own, users = (
            [rule for rule in rules if rule.fits(spec, arguments, owner, role)]
            for rules in ((*self._rules, *self._more()), granted)
        )
        verdict = (
            ALLOWED.tightened(*(Verdict(rule.decision, (texts.RULE_SAYS,)) for rule in own))
            if own
            else default_verdict(spec, evidence)
        )
        if verdict.decision == "ask" and any(rule.decision == "allow" for rule in users):
            verdict = ALLOWED
        return verdict.tightened(*tightened, *(Verdict(rule.decision, (texts.YOU_SAID,)) for rule in users))

    def requested(self, spec: ToolSpec, wishes: Mapping[str, Decision]) -> Verdict:
        """Return what a request says of a tool by patterns of names; it cannot allow anything."""
        said = [decision for glob, decision in wishes.items() if _any((spec.name, spec.address), (glob,))]
        return ALLOWED.tightened(*(Verdict(decision, (texts.YOU_SAID,)) for decision in said))

    async def allow(self, spec: ToolSpec, pattern: Mapping[str, str], owner: Owner, *, lasting: bool) -> None:
        """Allow a user the calls of a tool that fit a pattern: in the thread, or everywhere and lastingly.

        Raises:
            Unavailable: The database does not answer.
        """
        rule = Rule(tool=escape(spec.address), decision="allow", arguments=dict(pattern), closed=True)
        await self.grants.add(owner, rule.model_dump(exclude_defaults=True), lasting=lasting)


def default_verdict(spec: ToolSpec, evidence: Evidence) -> Verdict:
    """Return what a call comes to without any rule.

    Reading is allowed. What sends something out, or keeps it of the user here, is allowed where all of it is the user's
    own words; what else changes something is asked.
    """
    if spec.permission == "read" or (evidence["own"] and (spec.permission == "egress" or spec.of_user)):
        return ALLOWED
    doubts = tuple(texts.DOUBTS[doubt] for doubt in evidence["doubts"])
    return Verdict("ask", ((texts.WRITES,) if spec.permission == "write" else ()) + doubts)


def pattern_of(spec: ToolSpec, arguments: Mapping[str, object]) -> dict[str, str]:
    """Return what "for this pattern" stands for: addresses by their host, short values as they are, free text as any.

    >>> from tools.registry import built_in
    >>> fetch = next(spec for spec in built_in() if spec.name == "fetch_url")
    >>> pattern_of(fetch, {"url": "https://example.org/a?b=1", "start": 0})
    {'url': 'https://example.org/*', 'start': '*'}
    """
    return {name: _glob_of(value, exact=spec.permission == "write") for name, value in arguments.items()}


def _glob_of(value: object, *, exact: bool) -> str:
    text = as_text(value)
    if not isinstance(value, str):
        return escape(text) if exact or isinstance(value, dict | list) else "*"
    parts = urlsplit(text) if "://" in text and " " not in text else None
    if parts is not None and parts.hostname:
        return f"{escape(f'{parts.scheme}://{parts.netloc}')}/*"
    free = not text or len(text) > LONGEST_VALUE or any(map(str.isspace, text)) or has_han(text)
    return "*" if free else escape(text)


def as_text(value: object) -> str:
    """Return an argument as the text that patterns are held against."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _any(names: Collection[str], globs: Collection[str]) -> bool:
    return any(fnmatchcase(name, glob) for name in names for glob in globs)
