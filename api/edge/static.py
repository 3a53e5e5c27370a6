"""The page at `/`: files of `web/`, with a strict Content-Security-Policy."""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from domain.errors import UnknownPath

WEB = Path(__file__).resolve().parents[2] / "web"
PAGE_HEADERS = {
    # No inline scripts, no inline styles, and no HTML from text that did not pass through DOMPurify.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self';"
        " media-src blob:; form-action 'none'; base-uri 'none'; frame-ancestors 'none';"
        " require-trusted-types-for 'script'; trusted-types dompurify"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def open_paths() -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the paths of the page, which need no key: single files, and prefixes of folders."""
    entries = sorted(WEB.iterdir()) if WEB.is_dir() else []
    files = {f"/{entry.name}" for entry in entries if entry.is_file()}
    return frozenset({"/", "/favicon.ico", *files}), tuple(f"/{entry.name}/" for entry in entries if entry.is_dir())


def page_router() -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter(include_in_schema=False)
    files, folders = open_paths()
    for path in (*files, *(f"{folder}{{path:path}}" for folder in folders)):
        router.add_api_route(path, page_file, methods=["GET", "HEAD"])
    return router


async def page_file(request: Request) -> Response:
    """Return a file of the page."""
    return _file(request, {"/": "index.html", "/favicon.ico": "icon.svg"}.get(request.url.path, request.url.path[1:]))


def _file(request: Request, path: str) -> Response:
    file = (WEB / path).resolve()
    if not file.is_relative_to(WEB) or not file.is_file():
        raise UnknownPath(path=request.url.path)
    status = file.stat()
    tag = hashlib.sha256(f"{status.st_mtime_ns}-{status.st_size}".encode()).hexdigest()[:20]
    caching = "public, max-age=604800" if path.startswith("vendor/") else "no-cache"
    headers = {**PAGE_HEADERS, "ETag": f'"{tag}"', "Cache-Control": caching}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    kind = "text/javascript" if file.suffix in (".js", ".mjs") else mimetypes.guess_type(file.name)[0]
    return FileResponse(file, headers=headers, media_type=kind or "application/octet-stream")
