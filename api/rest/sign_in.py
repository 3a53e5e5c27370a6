"""Sign-in with an OpenID Connect provider, in a browser: there, back, and out."""

from __future__ import annotations

import hmac
import logging
from dataclasses import asdict
from hashlib import sha256
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import RedirectResponse
from typing_extensions import TypedDict

from api.backend import Backend, BackendDep, UserDep
from api.edge.responses import json_response
from api.edge.sessions import ATTEMPT_COOKIE, PATH, base_url, clear_session, set_attempt, set_session
from api.schemas import ERRORS
from domain.errors import AppError, SignInFailed, SignInRefused, SignInUnavailable, UnknownPath, UnknownUser
from domain.owner import Owner
from domain.words import Words
from net.oidc import Attempt, Identity
from stores.people.users import Role
from stores.redis.sign_ins import KEEP_SECONDS

logger = logging.getLogger(__name__)

router = APIRouter(prefix=PATH, tags=["people"])
Given = Annotated[str, Query(max_length=4096)]


class WaysIn(TypedDict):
    """How one may sign in: with a key always, with a provider where it is configured."""

    provider: bool


class SignedOut(TypedDict):
    """Where a browser goes to sign out at the provider too; empty where there is nothing to end."""

    provider: str


@router.get("")
async def get_ways_in(backend: BackendDep) -> WaysIn:
    """Tell whether people can sign in with a provider."""
    return WaysIn(provider=bool(backend.settings.oidc_issuer))


@router.get("/login", status_code=303, response_class=Response, responses=ERRORS)
async def sign_in(request: Request, backend: BackendDep, next: Given = "/") -> Response:
    """Send a browser to the provider; `next` is the path of this server that it comes back to."""
    _check_configured(backend)
    try:
        attempt, url = await backend.oidc.begin(_callback_url(request, backend))
        await backend.sign_ins.keep(attempt.state, {**asdict(attempt), "next": _own_path(next)})
    except AppError as exc:
        return _failed(request, backend, exc)
    response = RedirectResponse(url, 303, {"Cache-Control": "no-store"})
    set_attempt(response, request, backend.settings, attempt.state, KEEP_SECONDS)
    return response


@router.get("/callback", status_code=303, response_class=Response, responses=ERRORS)
async def come_back(
    request: Request, backend: BackendDep, state: Given = "", code: Given = "", error: Given = "", iss: Given = ""
) -> Response:
    """Take a browser back from the provider, and begin its session."""
    _check_configured(backend)
    try:
        session, path = await _session(request, backend, state, code, error, iss)
    except AppError as exc:
        logger.warning("a sign-in failed", extra={"error": exc.code, "cause": repr(exc.__cause__)})
        return _failed(request, backend, exc)
    response = RedirectResponse(_address(backend, path), 303, {"Cache-Control": "no-store"})
    set_session(response, request, backend.settings, session)
    set_attempt(response, request, backend.settings, "", 0)
    return response


@router.post("/logout", response_model=SignedOut, responses=ERRORS)
async def sign_out(request: Request, backend: BackendDep, user: UserDep) -> Response:
    """End the session of this browser, on every server; a key stays what it is.

    The provider has a session of its own: `provider` is the address that ends it.
    """
    session, there = getattr(request.state, "session", ""), ""
    if session:
        await backend.services.users.sign_out(session)
        try:
            there = await backend.oidc.end(f"{base_url(request, backend.settings)}/")
        except SignInUnavailable as exc:  # the session here has ended all the same
            logger.warning("nobody is signed out at the provider", extra={"error": exc.code})
    response = json_response(SignedOut(provider=there))
    if session:
        clear_session(response, request, backend.settings)
    return response


async def _session(request: Request, backend: Backend, state: str, code: str, error: str, iss: str) -> tuple[str, str]:
    """Return a new session, and the path that the browser wanted."""
    kept = await backend.sign_ins.take(state) if state else None
    begun_here = hmac.compare_digest(request.cookies.get(ATTEMPT_COOKIE, "").encode(), state.encode())
    if kept is None or not begun_here:
        reason = Words("it took too long, or was begun elsewhere", "等待时间过长，或不是由此浏览器发起")
        raise SignInFailed(reason=reason)
    path = kept.pop("next")
    if error or not code or (iss and iss.rstrip("/") != backend.oidc.issuer.rstrip("/")):
        raise SignInFailed(reason=Words("the provider did not agree", "身份提供方未同意"))
    identity = await backend.oidc.finish(Attempt(**kept), code, _callback_url(request, backend))
    return await _begin(backend, identity), path


async def _begin(backend: Backend, identity: Identity) -> str:
    services, settings = backend.services, backend.settings
    # Of what the provider says and nothing that people choose: equal names are still two people.
    facts = "\0".join((identity.issuer, settings.oidc_user_claim, identity.subject))
    user_id = f"oidc-{sha256(facts.encode()).hexdigest()[:32]}"
    role: Role | None = None if identity.admin is None else "admin" if identity.admin else "user"
    try:
        await services.users.get(user_id)
        known = True
    except UnknownUser:
        known = False
    session = await services.users.sign_in(user_id, identity.name, role, settings.oidc_session_seconds)
    if not known:
        await services.actions.record("policy", Owner(user_id), what="user made", user=user_id, role=role or "user")
    if not session:
        raise SignInRefused()
    return session


def _check_configured(backend: Backend) -> None:
    if not backend.settings.oidc_issuer:
        raise UnknownPath(path=PATH)


def _callback_url(request: Request, backend: Backend) -> str:
    return f"{base_url(request, backend.settings)}{PATH}/callback"


def _address(backend: Backend, path: str) -> str:
    """Return a path as the browser knows it; one below PUBLIC_URL came from it as it is."""
    public = urlsplit(backend.settings.public_url or "")
    return f"{public.scheme}://{public.netloc}{path}" if public.netloc else path


def _own_path(path: str) -> str:
    r"""Return a path of this server; anything that a browser may take for an address elsewhere becomes `/`.

    >>> [_own_path(path) for path in ("/?s=1#x", "//evil.example", "/\\\\evil", "https://evil.example", "/a\\tb")]
    ['/?s=1#x', '/', '/', '/', '/']
    """
    sound = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if sound else "/"


def _failed(request: Request, backend: Backend, error: AppError) -> Response:
    """A browser goes back to the page, which tells; a program gets the error.

    Raises:
        AppError: The one that is given, to programs.
    """
    if "text/html" not in request.headers.get("accept", ""):
        raise error
    base = (backend.settings.public_url or "").rstrip("/")
    response = RedirectResponse(f"{base}/?sign_in={error.code}", 303, {"Cache-Control": "no-store"})
    set_attempt(response, request, backend.settings, "", 0)
    return response
