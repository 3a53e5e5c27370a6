"""The page at `/`: files of `web/`, with a strict Content-Security-Policy."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

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


DOCS_HEADERS = {
    # FastAPI's own page would run scripts of other hosts where the page keeps its key.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
        " connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def open_paths() -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the paths of the page, which need no key: single files, and prefixes of folders."""
    entries = sorted(WEB.iterdir()) if WEB.is_dir() else []
    files = {f"/{entry.name}" for entry in entries if entry.is_file()}
    return frozenset({"/", "/favicon.ico", *files}), tuple(f"/{entry.name}/" for entry in entries if entry.is_dir())


class WebFiles(StaticFiles):
    """The files of the page with their headers."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, or 304 for one that the browser has."""
        response = await super().get_response(path, scope)
        caching = "public, max-age=604800" if path.startswith("vendor/") else "no-cache"
        response.headers.update(PAGE_HEADERS | {"Cache-Control": caching})
        return response


def page_router() -> APIRouter:
    """Return the routes of the page."""
    for suffix in (".js", ".mjs"):
        mimetypes.add_type("text/javascript", suffix)
    router, files = APIRouter(include_in_schema=False), WebFiles(directory=WEB)

    async def page_file(request: Request) -> Response:
        path = request.url.path
        return await files.get_response(
            {"/": "index.html", "/favicon.ico": "icon.svg"}.get(path, path[1:]), request.scope
        )

    async def docs() -> Response:
        shown = get_swagger_ui_html(
            openapi_url="/openapi.json", title="LLM Chat Backend", swagger_js_url="/vendor/swagger-ui-bundle.js",
            swagger_css_url="/vendor/swagger-ui.css", swagger_favicon_url="/icon.svg",
        )  # fmt: skip
        shown.headers.update(DOCS_HEADERS)
        return shown

    router.add_api_route("/docs", docs, methods=["GET", "HEAD"])
    single, folders = open_paths()
    for path in (*single, *(f"{folder}{{path:path}}" for folder in folders)):
        router.add_api_route(path, page_file, methods=["GET", "HEAD"])
    return router
