"""Learns of votes: proposes changes, tries them, applies those that pass, and keeps the others with their figures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import orjson
from sqlalchemy import Connection, select

from domain.owner import Owner
from stores.feedback.changes import ALL, KNOWN_USERS, Change, Changes
from stores.feedback.trial import (
    LEANS,
    LEAST,
    NEEDED,
    Proposal,
    Replayed,
    StoredTurn,
    cited_place,
    is_held_out,
    proposals,
    retrieval_proposals,
    speaks_of_passages,
    verdict,
)
from stores.library.documents import Documents
from stores.sql.database import Database
from stores.sql.tables import feedback, messages

MOST_TURNS: Final = {False: 200, True: 5000}
"""Newest votes that are looked at: of a user, and of all."""
MOST_REPLAYED: Final = {False: 60, True: 1000}
"""Questions that are searched again in one trial."""
DEPTH: Final = 20
"""Places of a search that are looked at."""
MORE_VOTES: Final = 1.5
"""A slot is tried again when it has so many times the turns of its last trial: a proposal that is tried after every
vote passes by chance some day."""


Replay = Callable[[Sequence[StoredTurn], str, str], Awaitable[Replayed | None]]
"""Answers turns again with a value of a slot and without it; None where that tells nothing."""


class Learner:
    """Tries changes, a user's own or for all.

    Args:
        database: Votes and conversations.
        changes: Where changes go.
        documents: What retrieval weights are tried on.
        reranked: A reranker orders what searches find, so that a retrieval weight would change nothing.
    """

    def __init__(self, database: Database, changes: Changes, documents: Documents, *, reranked: bool = False) -> None:
        self._database, self._changes, self._documents = database, changes, documents
        self._reranked = reranked
        self._searched: dict[str, int] = {}

    async def learn(self, user_id: str, replay: Replay | None = None) -> list[Change]:
        """Try what the votes of a user propose, or with `ALL` those of everybody; return what was tried.

        What votes speak for is answered again with `replay` before it is applied.
        """
        by_user = user_id == ALL
        turns = await self._database.read(lambda db: _turns(db, user_id))
        in_force = await self._changes.in_force(user_id)
        before = await self._changes.of(user_id)
        seen, _ = _halves(turns, by_user=by_user)
        offered = proposals(seen, in_force)
        if not self._reranked and len(turns) >= self._searched.get(user_id, 0) * MORE_VOTES:
            offered += await self._retrieval(user_id, turns, before, float(in_force.get("retrieval", 1.0)))
        tried = []
        for slot in dict.fromkeys(proposal.slot for proposal in offered):
            past = [change for change in before if change.slot == slot]
            of_slot = [one for one in offered if one.slot == slot and not _taken_back(one, past)]
            tried += await self._try(user_id, of_slot, _fresh(turns, past), replay, by_user=by_user)
        return tried

    async def _try(
        self, user_id: str, offered: Sequence[Proposal], turns: Sequence[StoredTurn], replay: Replay | None, *,
        by_user: bool,
    ) -> list[Change]:  # fmt: skip
        """Try the proposal of a slot that the proposing half likes best; none where too few turns can judge it."""
        seen, held_out = _halves(turns, by_user=by_user)
        liked = [(verdict(seen, one.judge, by_user=by_user), one) for one in offered]
        liked = [(found, one) for found, one in liked if found.wins > found.losses]
        if not liked:
            return []
        _, best = max(liked, key=lambda item: item[0].bound)
        found = verdict(held_out, best.judge, by_user=by_user)
        if not found.enough:
            return []
        figures = {"wins": found.wins, "losses": found.losses, "bound": round(found.bound, 4), "needed": NEEDED,
                   "turns": len(turns)}  # fmt: skip
        passed = found.passed
        if passed and replay is not None:
            asked = [turn for turn in held_out if best.judge(turn) > 0]
            if (answers := await replay(asked, best.slot, best.value)) is not None:
                figures |= {"answered": answers.answered, "changed": answers.changed}
                passed = answers.shows
        state = "applied" if passed else "rejected"
        kept = await self._changes.add(user_id, best.slot, best.value, state, figures)  # type: ignore[arg-type]
        return [kept] if kept is not None else []

    async def _retrieval(
        self, user_id: str, turns: Sequence[StoredTurn], before: Sequence[Change], lean: float
    ) -> list[Proposal]:
        """Search the questions again at every weight, where that many can be judged that a trial is possible."""
        by_user = user_id == ALL
        fresh = _fresh(turns, [change for change in before if change.slot == "retrieval"])
        asked = [turn for turn in fresh if speaks_of_passages(turn)]
        if len(_halves(asked, by_user=by_user)[1]) < LEAST:
            return []
        self._searched = {**(self._searched if len(self._searched) < KNOWN_USERS else {}), user_id: len(turns)}
        leans = sorted({*LEANS, lean})
        places: dict[str, dict[float, int]] = {}
        for turn in asked[-MOST_REPLAYED[by_user] :]:
            owner = Owner(turn.user_id, turn.thread_id)
            found = await self._documents.placings(turn.question, owner, leans, DEPTH)
            places[turn.message_id] = {at: cited_place(turn, placing) for at, placing in zip(leans, found, strict=True)}
        return retrieval_proposals(places, lean) if places else []


def _halves(turns: Sequence[StoredTurn], *, by_user: bool) -> tuple[list[StoredTurn], list[StoredTurn]]:
    held = [is_held_out(turn.user_id if by_user else turn.message_id) for turn in turns]
    return (
        [turn for turn, out in zip(turns, held, strict=True) if not out],
        [turn for turn, out in zip(turns, held, strict=True) if out],
    )


def _fresh(turns: Sequence[StoredTurn], past: Sequence[Change]) -> list[StoredTurn]:
    """Return the turns that a slot may be tried on, given its changes, newest first; none where that is too soon.

    Turns from before a change speak of what was before it.
    """
    since = next((change.changed for change in past if change.state != "rejected"), 0.0)
    fresh = [turn for turn in turns if turn.at > since]
    last = past[0] if past and past[0].state == "rejected" else None
    return fresh if last is None or len(fresh) >= last.figures["turns"] * MORE_VOTES else []


def _taken_back(proposal: Proposal, past: Sequence[Change]) -> bool:
    """Tell whether somebody took this very change back."""
    return any(change.state == "rolled_back" and change.value == proposal.value for change in past)


def _turns(db: Connection, user_id: str) -> list[StoredTurn]:
    """Return the turns with consent, oldest vote first."""
    asked = messages.alias()
    query = (
        select(feedback, messages.c.entry, asked.c.entry.label("asked"))
        .join(messages, messages.c.id == feedback.c.message_id)
        .join(asked, asked.c.id == messages.c.parent_id)
        .where(feedback.c.consent, feedback.c.user_id == user_id if user_id != ALL else feedback.c.user_id != ALL)
        .order_by(feedback.c.created.desc(), feedback.c.message_id.desc())
        .limit(MOST_TURNS[user_id == ALL])
    )
    found: list[Any] = list(db.execute(query))
    return [
        StoredTurn(
            message_id=str(row.message_id), user_id=row.user_id, thread_id=row.thread_id, at=row.created,
            vote=row.vote, reasons=row.reasons, question=orjson.loads(row.asked).get("text", ""),
            answer=orjson.loads(row.entry),
        )
        for row in reversed(found)
    ]  # fmt: skip
