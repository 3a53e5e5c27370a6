"""How the caller wants to be answered: what they set, and what was learned of what they said."""

from __future__ import annotations

from fastapi import APIRouter, Response
from typing_extensions import TypedDict

from api.backend import BackendDep, UserDep
from api.edge.responses import json_response
from api.schemas import ERRORS
from domain.owner import Owner
from domain.times import iso_time
from stores.people.profiles import Profile, ProfileField

router = APIRouter(prefix="/api/v1/profile", tags=["people"])


class LearnedItem(TypedDict):
    """Something that was learned: `said` is the sentence, empty for what the browser told (its time zone).

    It is used unless the caller has set the field (`used`).
    """

    id: str
    field: ProfileField
    value: str
    said: str
    session_id: str
    run_id: str
    learned_at: str
    used: bool


class LearnedList(TypedDict):
    """What was learned, newest first."""

    learned: list[LearnedItem]


@router.get("", response_model=Profile, responses=ERRORS)
async def get_profile(backend: BackendDep, user: UserDep) -> Response:
    """Return how the caller has set to be answered; it wins over what was learned."""
    return json_response(await backend.services.profiles.own(user))


@router.put("", response_model=Profile, responses=ERRORS)
async def put_profile(body: Profile, backend: BackendDep, user: UserDep) -> Response:
    """Replace how the caller wants to be answered; an empty object removes it."""
    await backend.services.profiles.put(user, body)
    return json_response(await backend.services.profiles.own(user))


@router.get("/learned", response_model=LearnedList, responses=ERRORS)
async def list_learned(backend: BackendDep, user: UserDep) -> Response:
    """List what was learned of how the caller wants to be answered, and of which words."""
    profiles = backend.services.profiles
    own = await profiles.own(user)
    listed: list[LearnedItem] = [
        {
            "id": one["id"], "field": one["field"], "value": one["value"], "said": one["said"],
            "session_id": one["session_id"], "run_id": one["run_id"], "learned_at": iso_time(one["created"]),
            "used": one["field"] not in own,
        }
        for one in reversed(await profiles.learned(user))
    ]  # fmt: skip
    return json_response(LearnedList(learned=listed))


@router.delete("/learned/{item_id}", status_code=204, responses=ERRORS)
async def forget_learned(item_id: str, backend: BackendDep, user: UserDep) -> Response:
    """Forget something that was learned; it is not learned again."""
    await backend.services.profiles.unlearn(user, item_id)
    backend.services.actions.append("memory", Owner(user), id=item_id, change="unlearned")
    return Response(status_code=204)
