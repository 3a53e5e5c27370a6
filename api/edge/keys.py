"""Authentication by API key or by the session of a browser, and the rate limit of a user."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import SecretStr
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.edge.attempts import Bursts, address_of, hold_back, note_burst, note_wrong_key
from api.edge.failures import error_response
from api.edge.local_callers import check_local
from api.edge.sessions import OPEN_PATHS, session_of
from api.edge.static import open_paths
from domain.errors import AppError, RateLimited, Unauthorized, Unavailable
from domain.owner import LOCAL_USER
from privacy.outbound import ask_for_privacy, wanted_privacy
from stores.people.users import PREFIX, Role, calling_key, calling_user
from stores.redis.attempts import Subject

if TYPE_CHECKING:
    from settings import Settings

logger = logging.getLogger(__name__)

_ALWAYS_OPEN = frozenset({"/api/v1/health"})
_LINKS = "/shared/"
"""What a link opens: its token is the key."""


def user_of_key(key: str) -> str:
    """Return the user id of a key: opaque, so that it may be stored and logged."""
    return "key-" + hashlib.sha256(key.encode()).hexdigest()[:20]


def is_admin(settings: Settings, user: str) -> bool:
    """Tell whether the settings make a user an administrator: without keys and sign-in the one local user is."""
    if not settings.has_users:
        return True
    keys = (_present(settings.admin_keys) or _present(settings.api_keys)[:1]) if _present(settings.api_keys) else []
    return user in {user_of_key(key.get_secret_value()) for key in keys}


class ApiKeys:
    """Authenticates callers by key or session and counts calls; without either everyone is the one local user."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self._settings = app, settings
        self._users = [(secret.get_secret_value().encode(), user_of_key(secret.get_secret_value()))
                       for secret in _present(settings.api_keys)]  # fmt: skip
        self._origins = settings.cors_origins
        self._limit = settings.rate_limit_per_minute
        self._bursts = Bursts() if settings.attempts != "off" else None
        files, folders = open_paths()
        self._folders = (*folders, _LINKS)
        self._files = files | _ALWAYS_OPEN | OPEN_PATHS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        calling_user.set("")  # a pipelined request begins in the context of the one before it
        calling_key.set(None)
        wanted_privacy.set("off")
        try:
            user, role = await self._authenticated(request)
            scope.setdefault("state", {}).update(user_id=user, role=role)
            calling_user.set(user)
            await self._watch(request, user, role)
            await self._hold_privacy(request, user)
            if self._limit and scope["path"].startswith(_LINKS):
                await self._count(request, f"link-{address_of(request).id}")
            elif self._limit and (scope["path"] in OPEN_PATHS or not self._is_open(scope["path"])):
                await self._count(request, user or f"stranger-{address_of(request).id}")
        except AppError as exc:
            await error_response(request, await self._counted(request, exc))(scope, receive, send)
            return
        await self.app(scope, receive, send)

    async def _hold_privacy(self, request: Request, user: str) -> None:
        """Hold what the user has set for personal data over the request; without the database the safe way."""
        if not user or self._is_open(request.scope["path"]):
            return
        try:
            profile = await request.app.state.backend.services.profiles.own(user)
        except Unavailable:
            ask_for_privacy("mask")
        else:
            ask_for_privacy(profile.get("pii") or "off")

    async def _authenticated(self, request: Request) -> tuple[str, Role]:
        """Return who calls from an address that is not held back; administrators pass, as it is they who lift it.

        Raises:
            HeldBack: Access is stopped, whether or not the key is right.
            Unauthorized: The key or session is none.
        """
        held = self._settings.has_users and not self._is_open(request.scope["path"])
        try:
            user, role = await self._user(request)
        except Unauthorized:
            if held:
                await hold_back(request, address_of(request))
            raise
        if held and role != "admin":
            await hold_back(request, address_of(request))
        return user, role

    async def _user(self, request: Request) -> tuple[str, Role]:
        """Return who calls, and as what; an empty id for a stranger where the door is open."""
        if not self._settings.has_users:
            if not self._is_open(request.scope["path"]):
                check_local(request, self._origins)
            return LOCAL_USER, "admin"
        sent = _sent_key(request)
        found = [user for key, user in self._users if hmac.compare_digest(key, sent.encode("latin-1"))]
        if found:
            return found[0], "admin" if is_admin(self._settings, found[0]) else "user"
        if sent.startswith(PREFIX) and (known := await request.app.state.backend.services.users.of_key(sent)):
            user, key = known
            calling_key.set(key)
            administers = key.quota is None and (user.role == "admin" or is_admin(self._settings, user.id))
            return user.id, "admin" if administers else "user"
        if not sent and self._settings.oidc_issuer and (session := session_of(request, self._settings)):
            if (signed_in := await request.app.state.backend.services.users.of_session(session)) is not None:
                request.state.session = session
                return signed_in.id, signed_in.role
        if self._is_open(request.scope["path"]) or request.method == "OPTIONS":
            return "", "user"
        raise Unauthorized()

    def _is_open(self, path: str) -> bool:
        return path in self._files or path.startswith(self._folders)

    async def _counted(self, request: Request, error: AppError) -> AppError:
        """Count a wrong key for the address that it came from; return what to answer."""
        if self._bursts is not None and isinstance(error, Unauthorized) and _sent_key(request):
            note_wrong_key(request)
        if self._limit and isinstance(error, Unauthorized) and _sent_key(request):
            try:
                await self._count(request, f"wrong-{address_of(request).id}")
            except RateLimited as exc:
                return exc
            except RedisError:
                logger.warning("wrong keys are not counted")
        return error

    async def _watch(self, request: Request, user: str, role: Role) -> None:
        """Count a burst; hold a user back who passed a limit. Administrators are watched only: they lift it.

        Raises:
            HeldBack: Access is stopped.
        """
        if self._bursts is None or not user:
            return
        if self._bursts.is_burst(user):
            note_burst(request, user)
        if role != "admin":
            await hold_back(request, Subject("user", user))

    async def _count(self, request: Request, user: str) -> None:
        """Count this call in the user's current minute.

        Raises:
            RateLimited: The minute's calls are used up.
        """
        now = time.time()
        name = f"rate:{user}:{int(now // 60)}"
        redis = request.app.state.backend.redis.client
        async with redis.pipeline(transaction=False) as pipe:
            pipe.incr(name)
            pipe.expire(name, 120)
            count, _ = await pipe.execute()
        if count > self._limit:
            raise RateLimited(seconds=60 - int(now % 60))


def _present(keys: Sequence[SecretStr]) -> list[SecretStr]:
    return [key for key in keys if key.get_secret_value()]


def _sent_key(request: Request) -> str:
    """Return the key as Latin-1, as headers are read; its letters may be any that the client encoded."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip(" ") if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
