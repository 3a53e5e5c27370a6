"""Votes on answers: given, changed, taken back; for administrators how many there are, without what was written."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from api.backend import AdminDep, BackendDep, UserDep
from api.edge.responses import json_response
from api.schemas import ERRORS, MOST_ITEMS, SessionId
from domain.owner import Owner
from stores.feedback.votes import MOST_COMMENT_CHARS, REASONS, Reason, Totals, Vote

router = APIRouter(prefix="/api/v1", tags=["feedback"])


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


@router.get("/admin/feedback", response_model=Totals, responses=ERRORS)
async def count_votes(backend: BackendDep, admin: AdminDep) -> Response:
    """Return how many votes all users gave and for which reasons; what they wrote is not in it."""
    return json_response(await backend.services.votes.totals())
