"""Links to conversations: made, listed and revoked by their owners, opened by whoever has one."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Response
from fastapi import Path as PathParameter
from pydantic import Field
from typing_extensions import TypedDict

from api.backend import Backend, BackendDep, UserDep
from api.edge.responses import file_response, json_response
from api.edge.static import PAGE_HEADERS, WEB
from api.rest.openapi import answers
from api.schemas import ERRORS, MOST_ITEMS, Body, SessionId
from domain.errors import BadInput, SharingOff, UnknownAttachment, UnknownShare
from domain.owner import Owner
from domain.words import Words
from settings import Settings
from stores.conversations.shares import Opened, Share, SharedConversation

DEFAULT_SECONDS = 7 * 86_400

router = APIRouter(tags=["sharing"])
SessionPath = Annotated[SessionId, PathParameter()]
Token = Annotated[str, PathParameter(min_length=1, max_length=200)]
Number = Annotated[int, PathParameter(ge=0, le=MOST_ITEMS)]

_PRIVATE = {
    "Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}  # fmt: skip
_PAGE = PAGE_HEADERS | _PRIVATE | {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " font-src 'self'; frame-src 'self'; form-action 'none'; base-uri 'self'; frame-ancestors 'none';"
        " require-trusted-types-for 'script'; trusted-types dompurify"
    ),
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}  # fmt: skip
_OPEN: dict[str, Any] = {"security": []}


class ShareBody(Body):
    """What a link shows, and for how long."""

    expires_in: int | None = Field(
        None, ge=60, le=MOST_ITEMS, description="Seconds; empty: 7 days, or `SHARING_MAX_SECONDS` where that is less."
    )
    files: bool = Field(False, description="Whether the files of the messages can be loaded.")
    quotes: bool = Field(True, description="Whether the quotes of sources are shown.")


class NewShare(Share):
    """A link that was just made. `path` on this server opens it, and is told only now."""

    path: str


class ShareList(TypedDict):
    """The links of a session that open, newest first."""

    shares: list[Share]


def longest_link(settings: Settings) -> int:
    """Return how many seconds a link may open; 0 where nothing is shared."""
    return settings.sharing_max_seconds if settings.sharing == "on" else 0


@router.post("/api/v1/sessions/{session_id}/share", status_code=201, response_model=NewShare, responses=ERRORS)
async def share_session(session_id: SessionPath, body: ShareBody, backend: BackendDep, user: UserDep) -> Response:
    """Make a link that shows what is shown of a session now, without a key; what is said later is not in it."""
    longest = longest_link(backend.settings)
    if not longest:
        raise SharingOff
    seconds = body.expires_in or min(DEFAULT_SECONDS, longest)
    if seconds > longest:
        raise BadInput(reason=Words(f"a link opens for at most {longest} seconds", f"链接的有效期最长为 {longest} 秒"))
    owner = Owner(user, session_id)
    token, made = await backend.services.shares.add(owner, seconds=seconds, files=body.files, quotes=body.quotes)
    backend.services.actions.append("share", owner, change="made", share=made["id"], expires=made["expires_at"])
    return json_response({**made, "path": f"/shared/{token}"}, 201)


@router.get("/api/v1/sessions/{session_id}/share", response_model=ShareList, responses=ERRORS)
async def list_shares(session_id: SessionPath, backend: BackendDep, user: UserDep) -> Response:
    """List the links of a session that open."""
    return json_response({"shares": await backend.services.shares.of(Owner(user, session_id))})


@router.delete("/api/v1/sessions/{session_id}/share/{share_id}", status_code=204, responses=ERRORS)
async def revoke_share(session_id: SessionPath, share_id: Number, backend: BackendDep, user: UserDep) -> Response:
    """Revoke a link: it opens nothing from now on."""
    owner = Owner(user, session_id)
    if not await backend.services.shares.remove(owner, share_id):
        raise UnknownShare
    backend.services.actions.append("share", owner, change="revoked", share=share_id)
    return Response(status_code=204)


@router.get(
    "/shared/{token}",
    response_class=Response,
    responses={**ERRORS, 200: answers("text/html"), 404: answers("text/html")},
    openapi_extra=_OPEN,
)
async def shared_page(token: Token, backend: BackendDep) -> Response:
    """Return the page of a link; one that says so, in both languages, where it opens nothing."""
    try:
        await _opened(backend, token)
    except UnknownShare:
        return await _page("shared_gone.html", 404)
    return await _page("shared.html", 200)


@router.get("/shared/{token}/conversation", response_model=SharedConversation, responses=ERRORS, openapi_extra=_OPEN)
async def shared_conversation(token: Token, backend: BackendDep) -> Response:
    """Return what a link shows, and count that it was opened."""
    response = json_response((await _opened(backend, token, count=True)).shown)
    response.headers.update(_PRIVATE)
    return response


@router.get(
    "/shared/{token}/files/{number}",
    response_class=Response,
    responses={**ERRORS, 200: answers("application/octet-stream")},
    openapi_extra=_OPEN,
)
async def shared_file(token: Token, number: Number, backend: BackendDep) -> Response:
    """Return a file that the link gives out, as a download."""
    opened = await _opened(backend, token)
    if number >= len(opened.files):
        raise UnknownShare
    attachments = backend.services.attachments
    try:
        ref = await attachments.get(opened.files[number], opened.owner)
        stored = await attachments.stored(ref)
    except UnknownAttachment:
        raise UnknownShare from None
    headers = _PRIVATE | {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(ref['name'], safe='')}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return await file_response(stored, headers=headers, media_type="application/octet-stream")


async def _opened(backend: Backend, token: str, *, count: bool = False) -> Opened:
    if not longest_link(backend.settings):
        raise UnknownShare
    return await backend.services.shares.open(token, count=count)


async def _page(name: str, status: int) -> Response:
    text = await asyncio.to_thread((WEB / name).read_text, "utf-8")
    return Response(text, status, headers=_PAGE, media_type="text/html")
