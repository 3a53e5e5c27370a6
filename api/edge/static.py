"""The page at `/`: files of `web/`, compressed once, with a strict Content-Security-Policy.

The page is sent with the words of the language that the reader has chosen there (a cookie), else of `Accept-Language`.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from api.edge.failures import asked_language
from api.edge.modules import ENTRY, chunks

WEB = Path(__file__).resolve().parents[2] / "web"
FOR_GOOD: Final = "public, max-age=31536000, immutable"
ALWAYS_ASKED: Final = "no-cache"
TAGS: Final = {"en": "en", "zh": "zh-CN"}
"""By language of the interface, how HTML names it."""
PAGE_HEADERS = {
    # No inline scripts, no inline styles, and no HTML from text that did not pass through DOMPurify.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self';"
        " font-src 'self'; frame-src 'self'; media-src blob:; manifest-src 'self'; form-action 'none'; base-uri 'none';"
        " frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types dompurify"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
}


DIAGRAM_HEADERS = {
    # A document without an origin: Mermaid writes styles, and can reach nothing but what it draws.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; form-action 'none';"
        " base-uri 'none'; frame-ancestors 'self'; sandbox allow-scripts"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
DOCS_HEADERS = {
    # Swagger UI writes styles; where the page keeps its key, no script of another host runs.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
        " connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
OWN_HEADERS: Final = {"diagram.html": DIAGRAM_HEADERS, "docs.html": DOCS_HEADERS}


def open_paths() -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the paths of the page, which need no key: single files, and prefixes of folders."""
    entries = sorted(WEB.iterdir()) if WEB.is_dir() else []
    files = {f"/{entry.name}" for entry in entries if entry.is_file()}
    folders = [f"/{entry.name}/" for entry in entries if entry.is_dir()]
    return frozenset({"/", "/favicon.ico", "/docs", *files}), (*folders, "/chunks/")


@dataclass(frozen=True)
class Asset:
    """A file as it is sent."""

    data: bytes
    media_type: str
    etag: str
    zipped: bool


@dataclass
class Page:
    """The files of `web/`. The page's modules are joined and named by a version, anew whenever a file has changed."""

    version: str = ""
    _seen: object = None
    _assets: dict[str, Asset] = field(default_factory=dict)

    def asset(self, path: str) -> tuple[Asset, str]:
        """Return a file and how long browsers keep it.

        Raises:
            HTTPException: 404, there is no such file, or it belongs to another version of the page.
        """
        if path.startswith("index.") or not self._seen:
            self._renew()
        if path not in self._assets:
            self._assets[path] = _read(path)
        lasting = path.startswith(("vendor/", "chunks/")) and not path.endswith((".md", "LICENSE"))
        return self._assets[path], FOR_GOOD if lasting else ALWAYS_ASKED

    def _renew(self) -> None:
        seen = [(path.name, stat.st_mtime_ns, stat.st_size) for path in _sources() for stat in [path.stat()]]
        if seen == self._seen:
            return
        sources = {path.name: path.read_text("utf-8") for path in _sources() if path.parent.name == "js"}
        style, shell = (WEB / "app.css").read_text("utf-8"), (WEB / "index.html").read_text("utf-8")
        files = chunks(sources)
        version = hashlib.sha256("".join([shell, style, *(files[name] for name in sorted(files))]).encode()).hexdigest()
        folder = f"chunks/{version[:16]}"
        shell = shell.replace('"js/main.js"', f'"{folder}/{ENTRY}"').replace('"app.css"', f'"{folder}/app.css"')
        shell = shell.replace('"js/words_', f'"{folder}/words_')
        self._assets = {}
        for language, tag in TAGS.items():
            own = shell.replace('<html lang="en">', f'<html lang="{tag}">').replace(
                "words_en.js", f"words_{language}.js"
            )
            self._assets[_shell(language)] = _asset("index.html", own.encode())
        for name, text in files.items():
            path = f"{folder}/{name}"
            self._assets[path] = _asset(path, text.replace('"../vendor/', '"../../vendor/').encode())
        path = f"{folder}/app.css"
        self._assets[path] = _asset(path, style.replace('"vendor/', '"../../vendor/').encode())
        self.version, self._seen = version[:16], seen


def _shell(language: str) -> str:
    return f"index.{language}.html"


def _wanted(request: Request) -> tuple[str, str]:
    """Return which file is asked for, and by which headers that is decided."""
    path = {"/": "index.html", "/favicon.ico": "icon.svg", "/docs": "docs.html"}.get(
        request.url.path, request.url.path[1:]
    )
    if path != "index.html":
        return path, "Accept-Encoding"
    chosen = request.cookies.get("language")
    language = chosen if chosen in TAGS else asked_language(request)
    return _shell(language), "Accept-Encoding, Accept-Language, Cookie"


def _sources() -> Iterator[Path]:
    yield from sorted(WEB.glob("*.*"))
    yield from sorted((WEB / "js").glob("*.js"))


def _read(path: str) -> Asset:
    """Return a file of `web/`; a large one may lie there compressed already."""
    try:
        file = (WEB / path).resolve()
        if file.is_relative_to(WEB) and file.relative_to(WEB).as_posix() == path:  # one name a file: names are kept
            packed = file.with_name(f"{file.name}.gz")
            return _packed(path, packed.read_bytes()) if packed.is_file() else _asset(path, file.read_bytes())
    except (OSError, ValueError):  # ValueError: a null byte
        pass
    raise HTTPException(404)


def _asset(path: str, content: bytes) -> Asset:
    """Return a file with its type; text is compressed as far as gzip goes, once."""
    kind, encoding = mimetypes.guess_type(path)
    kind = kind or "application/octet-stream"
    if encoding is None and kind.startswith("text/") or kind in ("image/svg+xml", "application/manifest+json"):
        return _packed(path, gzip.compress(content, 9, mtime=0))
    return Asset(content, kind, _etag(content), zipped=False)


def _packed(path: str, content: bytes) -> Asset:
    return Asset(content, mimetypes.guess_type(path)[0] or "application/octet-stream", _etag(content), zipped=True)


def _etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:24]}"'


def page_router() -> APIRouter:
    """Return the routes of the page."""
    for suffix in (".js", ".mjs"):
        mimetypes.add_type("text/javascript", suffix)
    mimetypes.add_type("application/manifest+json", ".webmanifest")
    mimetypes.add_type("font/woff2", ".woff2")
    router, page = APIRouter(include_in_schema=False), Page()

    async def page_file(request: Request) -> Response:
        path, varies = _wanted(request)
        asset, caching = await asyncio.to_thread(page.asset, path)
        own = OWN_HEADERS.get(path, PAGE_HEADERS)
        headers = own | {"ETag": asset.etag, "Cache-Control": caching, "Vary": varies}
        if request.headers.get("if-none-match", "").removeprefix("W/") == asset.etag:
            return Response(status_code=304, headers=headers)
        content = asset.data
        if asset.zipped and "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
        elif asset.zipped:
            content = await asyncio.to_thread(gzip.decompress, content)
        return Response(content, headers=headers, media_type=asset.media_type)

    single, folders = open_paths()
    for path in (*single, *(f"{folder}{{path:path}}" for folder in folders)):
        router.add_api_route(path, page_file, methods=["GET", "HEAD"])
    return router
