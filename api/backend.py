"""What routes receive: the open parts of the process, and the caller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, Request

from domain.errors import AdminNeeded
from settings import Settings

if TYPE_CHECKING:
    from api.runs.runner import TurnRunner
    from net.oidc import OpenIdConnect
    from stores.disk import Reserve
    from stores.redis.events import RunEvents
    from stores.redis.server import RedisHandle
    from stores.redis.sign_ins import SignIns
    from stores.redis.turns import ThreadTurns
    from turn.context import Services


@dataclass(frozen=True, kw_only=True)
class Backend:
    """The open parts of one server process."""

    settings: Settings
    redis: RedisHandle
    services: Services
    turns: ThreadTurns
    events: RunEvents
    runner: TurnRunner
    reserve: Reserve
    oidc: OpenIdConnect
    sign_ins: SignIns


def backend_of(request: Request) -> Backend:
    """Return the open parts of this process."""
    return cast("Backend", request.app.state.backend)


def user_of(request: Request) -> str:
    """Return the id of the calling user."""
    return cast("str", request.state.user_id)


# FastAPI calls what is not asynchronous in a thread, which costs more than these do and lets requests overtake others.
async def _backend(request: Request) -> Backend:
    return backend_of(request)


async def _user(request: Request) -> str:
    return user_of(request)


async def _admin(request: Request) -> str:
    if request.state.role != "admin":
        raise AdminNeeded()
    return user_of(request)


BackendDep = Annotated[Backend, Depends(_backend)]
UserDep = Annotated[str, Depends(_user)]
AdminDep = Annotated[str, Depends(_admin)]
"""The id of the calling user, who is an administrator; for others `AdminNeeded` is raised."""
