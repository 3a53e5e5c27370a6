"""What votes propose, and the trial that a proposal has to pass.

Proposals and trials see only turns whose voter agreed to it, in two halves that do not change (`is_held_out`): one half
proposes, the other, which had no part in that, judges. Each turn of the judging half that a proposal would have touched
speaks for it (+1), against it (-1), or neither (0):

* A habit or note (`Rule`) would have touched the turns of the size that it is about, such as answers at least as long
  as the usual one that was called too long. One that was voted down for the rule's reason speaks for it, one that was
  voted up, or down for the opposite reason, against it. Where the votes speak for one that can be measured
  (`SHOWS`), a hosted model answers a few of the turns again, with it and without: it is applied where most of
  these answers change as it says.
* A tool hint touches the turns that called the tool.
* A retrieval weight is replayed for real: the stored question is searched again at both weights (`cited_place`). What
  an answer with a good vote cites should come earlier, what a wrong one cites later.

Statistic: the lower end of Wilson's score interval for the share that speaks for it, one-sided at 95 % (E. B. Wilson,
Probable inference, the law of succession, and statistical inference, JASA 22, 1927). It has to reach `NEEDED`, and
`LEAST` turns have to say anything; those that say neither are left out, as in a sign test.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from domain.text import sentences
from stores.feedback.votes import Choice, Reason

LEAST: Final = 6
NEEDED: Final = 0.55
Z: Final = 1.645
"""Quantile of the normal distribution for one side at 95 %."""
LEANS: Final = (0.5, 0.7, 1.0, 1.4, 2.0)
"""What is tried of the keyword weight, within `stores.library.ranking.LEANS`."""
TOOL_NAME: Final = re.compile(r"[\w.:-]{1,64}")
MISSED: Final[frozenset[Reason]] = frozenset({"wrong", "not_found", "no_source"})
"""Reasons that say that an answer rests on the wrong passages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTurn:
    """A turn that was voted on and may be replayed; `at` is the Unix time of the first vote on it."""

    message_id: str
    user_id: str
    thread_id: str
    at: float
    vote: Choice
    reasons: Sequence[Reason]
    question: str
    answer: dict[str, Any]

    def gives(self, reason: str | None) -> bool:
        """Tell whether it was voted down for this reason."""
        return self.vote == "down" and reason in self.reasons

    def places(self) -> set[tuple[str, int]]:
        """Return the documents and pages that its answer cites."""
        cited = [(one.get("document_id"), one.get("page", 1)) for one in self.answer.get("citations") or ()]
        return {(document, page) for document, page in cited if isinstance(document, str) and isinstance(page, int)}

    def tools(self) -> set[str]:
        """Return the tools that it called; an imported turn may name what no tool is called."""
        names = (one.get("name") for one in self.answer.get("tools") or ())
        return {name for name in names if isinstance(name, str) and TOOL_NAME.fullmatch(name)}


@dataclass(frozen=True, slots=True)
class Rule:
    """A habit that a reason proposes: where it is in force already, `undone` by the opposite reason.

    `size` measures a turn; the habit touches those at least (`large`) or at most as large as the usual complaint.
    """

    slot: str
    value: str
    reason: Reason
    opposite: Reason | None = None
    size: Callable[[StoredTurn], float] = lambda _: 0.0
    large: bool = True


RULES: Final = (
    Rule("length", "shorter", "too_long", "too_short", lambda turn: len(turn.answer.get("text", ""))),
    Rule("length", "longer", "too_short", "too_long", lambda turn: len(turn.answer.get("text", "")), large=False),
    Rule("ask_back", "first", "ask_back", None, lambda turn: len(turn.question), large=False),
    Rule("note:sources", "name", "no_source", None, lambda turn: len(turn.places()), large=False),
    Rule("note:tone", "plain", "tone"),
)
UNDONE: Final = {"shorter": "longer", "longer": "shorter"}
"""A habit that is in force is given up before its opposite is tried."""
USUAL: Final = "usual"

Judge = Callable[[StoredTurn], int]
CLEARLY: Final = 0.9
"""A length that counts as another is at most so many times the other."""
SHOWS: Final[dict[tuple[str, str], Callable[[str, str], bool]]] = {
    ("length", "shorter"): lambda without, with_it: 0 < len(with_it) <= CLEARLY * len(without),
    ("length", "longer"): lambda without, with_it: len(without) <= CLEARLY * len(with_it),
    ("ask_back", "first"): lambda without, with_it: asks_first(with_it) and not asks_first(without),
}
"""Whether a habit shows in an answer, beside one without it."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many turns were answered again, and in how many of them the habit showed."""

    answered: int
    changed: int

    @property
    def shows(self) -> bool:
        """Whether it did in most."""
        return self.changed * 2 > self.answered


@dataclass(frozen=True, slots=True)
class Proposal:
    """A value for a slot, and what each turn says of it."""

    slot: str
    value: str
    judge: Judge


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many units spoke for a proposal and against it, and the lower bound of the share that does."""

    wins: int
    losses: int

    @property
    def enough(self) -> bool:
        """Whether that many spoke that it can be decided."""
        return self.wins + self.losses >= LEAST

    @property
    def bound(self) -> float:
        """The lower bound."""
        return lower_bound(self.wins, self.wins + self.losses)

    @property
    def passed(self) -> bool:
        """Whether the proposal is to be applied."""
        return self.enough and self.bound >= NEEDED


def asks_first(answer: str) -> bool:
    """Tell whether an answer begins with a question.

    >>> [asks_first(text) for text in ("Which lease? There are two.", "您指哪一份合同？", "Rent is due. More?")]
    [True, True, False]
    """
    return next(iter(sentences(answer)), "").rstrip().endswith(("?", "？"))


def lower_bound(wins: int, trials: int) -> float:
    """Return the lower end of Wilson's score interval, one-sided at 95 %; 0 without trials.

    >>> round(lower_bound(9, 10), 3), lower_bound(0, 0)
    (0.652, 0.0)
    """
    if not trials:
        return 0.0
    share = wins / trials
    centre = share + Z * Z / (2 * trials)
    spread = Z * math.sqrt(share * (1 - share) / trials + Z * Z / (4 * trials * trials))
    return max(0.0, (centre - spread) / (1 + Z * Z / trials))


def is_held_out(unit: str) -> bool:
    """Tell in which half a unit is: a turn of a user's own changes, a user of those for all."""
    return hashlib.sha256(unit.encode("utf-8", "replace")).digest()[0] % 2 == 1


def verdict(turns: Iterable[StoredTurn], judge: Judge, *, by_user: bool) -> Verdict:
    """Count what turns say; with `by_user` each user counts once, as most of their turns say.

    So no user outvotes others by voting more often.
    """
    signs: Counter[str] = Counter()
    for turn in turns:
        signs[turn.user_id if by_user else turn.message_id] += judge(turn)
    return Verdict(sum(sign > 0 for sign in signs.values()), sum(sign < 0 for sign in signs.values()))


def proposals(seen: Sequence[StoredTurn], in_force: dict[str, str]) -> list[Proposal]:
    """Return what the reasons of these turns propose, but no retrieval weight; see `retrieval_proposals`."""
    made = []
    for rule in RULES:
        sizes = [rule.size(turn) for turn in seen if turn.gives(rule.reason)]
        value = in_force.get(rule.slot, USUAL)
        if sizes and value != rule.value:
            wanted = USUAL if UNDONE.get(value) == rule.value else rule.value
            made.append(Proposal(rule.slot, wanted, _judge(rule, median(sizes))))
    for tool in sorted({name for turn in seen if turn.gives("wrong_tool") for name in turn.tools()}):
        if f"tool:{tool}" not in in_force:
            made.append(Proposal(f"tool:{tool}", "avoid", _tool_judge(tool)))
    return made


def _judge(rule: Rule, usual: float) -> Judge:
    def judge(turn: StoredTurn) -> int:
        if turn.gives(rule.reason):
            return 1
        touched = rule.size(turn) >= usual if rule.large else rule.size(turn) <= usual
        return -1 if turn.gives(rule.opposite) or (turn.vote == "up" and touched) else 0

    return judge


def _tool_judge(tool: str) -> Judge:
    def judge(turn: StoredTurn) -> int:
        if tool not in turn.tools():
            return 0
        return 1 if turn.gives("wrong_tool") else -1 if turn.vote == "up" else 0

    return judge


def speaks_of_passages(turn: StoredTurn) -> bool:
    """Tell whether a turn can judge a retrieval weight: it cites documents, and its vote is about them."""
    return bool(turn.places()) and (turn.vote == "up" or bool(MISSED & set(turn.reasons)))


def retrieval_proposals(places: dict[str, dict[float, int]], lean: float) -> list[Proposal]:
    """Return the retrieval weights beside `lean`, the nearest first, judged by the place of what was cited at each.

    Args:
        places: By message and weight.
        lean: The weight in force.
    """

    def against(other: float) -> Judge:
        def judge(turn: StoredTurn) -> int:
            if turn.message_id not in places:
                return 0
            found = places[turn.message_id]
            earlier = (found[lean] > found[other]) - (found[lean] < found[other])
            return earlier if turn.vote == "up" else -earlier

        return judge

    near = sorted((other for other in LEANS if other != lean), key=lambda other: abs(math.log(other / lean)))
    return [Proposal("retrieval", repr(other), against(other)) for other in near]


def cited_place(turn: StoredTurn, placing: Sequence[tuple[str, int]]) -> int:
    """Return the first place of something that the answer cites in a search; the length where there is none."""
    cited = turn.places()
    return next((place for place, found in enumerate(placing) if found in cited), len(placing))
