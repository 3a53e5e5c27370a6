"""Votes on answers: given, changed, taken back; and what was learned of them, which can be taken back as well.

Administrators see how many votes there are, without what was written, and may try changes for all.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from api.backend import AdminDep, Backend, BackendDep, UserDep
from api.edge.failures import asked_language
from api.edge.responses import json_response
from api.schemas import ERRORS, MOST_ITEMS, SessionId
from domain.errors import BadInput
from domain.owner import Owner
from domain.times import iso_time
from domain.words import Language, Words
from stores.feedback.changes import ALL, Change, ChangeState
from stores.feedback.texts import what, why
from stores.feedback.votes import MOST_COMMENT_CHARS, REASONS, Reason, Totals, Vote
from turn.replay import replayed

logger = logging.getLogger(__name__)

router = APIRouter(prefix="/api/v1", tags=["feedback"])
ChangeId = Annotated[int, Path(ge=1, le=MOST_ITEMS)]


class VoteBody(BaseModel):
    """A vote on an answer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"session_id": "s-1", "message_id": "2", "vote": "down", "reasons": ["too_long"], "comment": "太长了"},
                {"session_id": "s-1", "message_id": "2", "vote": None},
            ]
        },
    )

    session_id: SessionId
    message_id: str = Field(max_length=20, description="An answer of the session.")
    vote: Literal["up", "down"] | None = Field(description="null takes the vote back, with all that came with it.")
    reasons: list[Reason] = Field([], max_length=len(REASONS))
    comment: str = Field("", max_length=MOST_COMMENT_CHARS)
    consent: bool = Field(
        False,
        description="The turn may be replayed to try a change, for the user or for all: no model is asked, and nobody "
        "sees it.",
    )


class Voted(TypedDict):
    """What is kept after a vote; null after it was taken back."""

    feedback: Vote | None


class VoteList(TypedDict):
    """Votes, the last changed first; `total` counts all of them."""

    feedback: list[Vote]
    total: int
    offset: int


class ShownChange(TypedDict):
    """A change that votes proposed: what it does, why it was applied or not, and the figures of its trial.

    `wins` and `losses` count the answers (for all: users) that judged it, `bound` is the lower end of Wilson's interval
    for the share of wins, which had to reach `needed`. `answered` turns were answered again, where that can tell
    anything: in `changed` of them the change showed, which had to be most.
    """

    id: int
    scope: Literal["own", "all"]
    slot: str
    value: str
    state: ChangeState
    what: str
    why: str
    figures: dict[str, float]
    created: str
    changed: str


class ChangeList(TypedDict):
    """Changes; without `learning` none is in force and none is tried."""

    learning: bool
    changes: list[ShownChange]


@router.post("/feedback", response_model=Voted, responses=ERRORS)
async def vote(body: VoteBody, backend: BackendDep, user: UserDep) -> Response:
    """Vote on an answer, in place of an earlier vote on it; or take the vote back."""
    owner, votes = Owner(user, body.session_id), backend.services.votes
    if body.vote is None:
        await votes.take_back(owner, body.message_id)
        return json_response(Voted(feedback=None))
    given = await votes.put(
        owner, body.message_id, body.vote, reasons=body.reasons, comment=body.comment, consent=body.consent
    )
    if body.consent and backend.services.changes.learning:
        backend.services.background.spawn(f"learn from the votes of {user}", _learn(backend, user))
    return json_response(Voted(feedback=given))


@router.get("/feedback", response_model=VoteList, responses=ERRORS)
async def list_votes(
    backend: BackendDep,
    user: UserDep,
    offset: Annotated[int, Query(ge=0, le=MOST_ITEMS)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """List the caller's votes, the last changed first."""
    listed, total = await backend.services.votes.page(user, offset, limit)
    return json_response(VoteList(feedback=listed, total=total, offset=offset))


@router.get("/feedback/changes", response_model=ChangeList, responses=ERRORS)
async def list_changes(request: Request, backend: BackendDep, user: UserDep) -> Response:
    """List what the caller's votes proposed and how it did, newest first, and what is in force for all."""
    changes = backend.services.changes
    language = asked_language(request)
    shown = [_shown(one, language) for one in await changes.of(user, with_all=True)]
    return json_response(ChangeList(learning=changes.learning, changes=shown))


@router.post("/feedback/changes/{change_id}/rollback", response_model=ShownChange, responses=ERRORS)
async def roll_back(change_id: ChangeId, request: Request, backend: BackendDep, user: UserDep) -> Response:
    """Take a change of the caller's own back, and later ones of the same kind: what was before it holds again."""
    return json_response(_shown(await backend.services.changes.roll_back(user, change_id), asked_language(request)))


@router.get("/admin/feedback", response_model=Totals, responses=ERRORS)
async def count_votes(backend: BackendDep, admin: AdminDep) -> Response:
    """Return how many votes all users gave and for which reasons; what they wrote is not in it."""
    return json_response(await backend.services.votes.totals())


@router.get("/admin/feedback/changes", response_model=ChangeList, responses=ERRORS)
async def list_changes_for_all(request: Request, backend: BackendDep, admin: AdminDep) -> Response:
    """List the changes that were tried for all, newest first."""
    changes, language = backend.services.changes, asked_language(request)
    shown = [_shown(one, language) for one in await changes.of(ALL)]
    return json_response(ChangeList(learning=changes.learning, changes=shown))


@router.post("/admin/feedback/changes", response_model=ChangeList, responses=ERRORS)
async def learn_for_all(request: Request, backend: BackendDep, admin: AdminDep) -> Response:
    """Try what the votes of all users propose, each user counting once, and apply for all what passes.

    The answer lists what was tried now; nothing where too few users can judge it.
    """
    services = backend.services
    if not services.changes.learning:
        raise BadInput(reason=Words("FEEDBACK_LEARNING is off", "FEEDBACK_LEARNING 已关闭"))
    tried = await services.learner.learn(ALL, partial(replayed, services))
    for one in tried:
        await services.actions.record(
            "policy", Owner(admin), what="change tried for all", change=one.id, slot=one.slot, state=one.state
        )
    shown = [_shown(one, asked_language(request)) for one in tried]
    return json_response(ChangeList(learning=True, changes=shown))


@router.post("/admin/feedback/changes/{change_id}/rollback", response_model=ShownChange, responses=ERRORS)
async def roll_back_for_all(change_id: ChangeId, request: Request, backend: BackendDep, admin: AdminDep) -> Response:
    """Take a change for all back, and later ones of the same kind: what was before it holds again."""
    taken_back = await backend.services.changes.roll_back(ALL, change_id)
    await backend.services.actions.record("policy", Owner(admin), what="change for all taken back", change=change_id)
    return json_response(_shown(taken_back, asked_language(request)))


async def _learn(backend: Backend, user: str) -> None:
    for one in await backend.services.learner.learn(user, partial(replayed, backend.services)):
        logger.info("a change was tried", extra={"slot": one.slot, "state": one.state})


def _shown(change: Change, language: Language) -> ShownChange:
    return ShownChange(
        id=change.id, scope="all" if change.user_id == ALL else "own", slot=change.slot, value=change.value,
        state=change.state, what=what(change.slot, change.value).text(language), why=why(change).text(language),
        figures=change.figures, created=iso_time(change.created), changed=iso_time(change.changed),
    )  # fmt: skip
