"""Who tries to get at what is not theirs, and how to let them go on: for administrators."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from typing_extensions import TypedDict

from api.backend import AdminDep, BackendDep
from api.edge.responses import json_response
from api.schemas import ERRORS
from domain.attempts import Level
from domain.errors import UnknownSubject
from domain.owner import Owner
from domain.times import iso_time
from stores.redis.attempts import Subject

router = APIRouter(prefix="/api/v1/admin/attempts", tags=["people"])
SubjectKind = Literal["user", "address"]


class Counted(TypedDict):
    """Attempts of a user or an address in the last minutes; `level` and `until` are empty where access is free."""

    kind: SubjectKind
    id: str
    points: int
    counts: dict[str, int]
    level: Level | Literal[""]
    until: str


@router.get("", response_model=list[Counted], responses=ERRORS)
async def list_attempts(backend: BackendDep, _: AdminDep) -> Response:
    """List attempts by user and address, newest first; no content is among it."""
    return json_response(
        [
            Counted(
                kind="user" if subject.kind == "user" else "address",
                id=subject.id,
                points=points,
                counts=counts,
                level=hold.level if hold else "",
                until=iso_time(hold.until) if hold else "",
            )
            for subject, points, counts, hold in await backend.services.attempts.counted()
        ]
    )


@router.delete("/{kind}/{identity}", status_code=204, responses=ERRORS)
async def lift_hold(
    kind: SubjectKind, identity: Annotated[str, Path(max_length=200)], backend: BackendDep, admin: AdminDep
) -> Response:
    """Let a user or an address go on at once, with nothing counted."""
    if not await backend.services.attempts.lift(Subject(kind, identity)):
        raise UnknownSubject(id=identity)
    await backend.services.actions.record("policy", Owner(admin), what="attempts lifted", subject=f"{kind}:{identity}")
    return Response(status_code=204)
