"""The session of a browser whose user has signed in: its cookie, and which pages may act with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from api.edge.local_callers import check_same_site

if TYPE_CHECKING:
    from settings import Settings

ATTEMPT_COOKIE: Final = "llmchat_sign_in"
"""Ties a sign-in to the browser that began it."""
PATH: Final = "/api/v1/auth"
OPEN_PATHS: Final = frozenset({PATH, f"{PATH}/login", f"{PATH}/callback"})


def base_url(request: Request, settings: Settings) -> str:
    """Return the address at which the browser reaches this server, without a slash at its end."""
    return (settings.public_url or f"{request.url.scheme}://{request.url.netloc}").rstrip("/")


def session_of(request: Request, settings: Settings) -> str:
    """Return the session that a request carries; empty for none.

    Raises:
        ForeignPage: A page of another site sent the request, and it would change something.
    """
    session = request.cookies.get(_name(request, settings), "")
    if session:
        check_same_site(request, settings.public_url)
    return session


def set_session(response: Response, request: Request, settings: Settings, session: str) -> None:
    """Give a browser its session: no script reads it, no other site's form sends it, no plain connection carries it."""
    response.set_cookie(
        _name(request, settings), session, max_age=settings.oidc_session_seconds, path="/", httponly=True,
        samesite="lax", secure=_is_secure(request, settings),
    )  # fmt: skip


def clear_session(response: Response, request: Request, settings: Settings) -> None:
    """Take a browser's session away."""
    secure = _is_secure(request, settings)
    response.delete_cookie(_name(request, settings), path="/", httponly=True, samesite="lax", secure=secure)


def set_attempt(response: Response, request: Request, settings: Settings, state: str, seconds: int) -> None:
    """Note in the browser which sign-in it has begun; no seconds: none."""
    response.set_cookie(
        ATTEMPT_COOKIE, state, max_age=seconds, path=PATH if not settings.public_url else _path(settings.public_url),
        httponly=True, samesite="lax", secure=_is_secure(request, settings),
    )  # fmt: skip


def _path(public_url: str) -> str:
    return urlsplit(public_url).path.rstrip("/") + PATH


def _is_secure(request: Request, settings: Settings) -> bool:
    return base_url(request, settings).startswith("https://")


def _name(request: Request, settings: Settings) -> str:
    """Where the connection is safe, a name that only this very host can give a cookie."""
    return "__Host-llmchat" if _is_secure(request, settings) else "llmchat_session"
