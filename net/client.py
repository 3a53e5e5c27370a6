"""HTTP to URLs that users and models name: public addresses only, bounded in size and time.

Redirects are followed here, one by one, and checked like the first URL. No proxy, no cookie, nothing of the environment
is used.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import cast

import httpcore
import httpx

from domain.words import Words
from net.addresses import PublicConnections, Resolver, resolve
from net.failures import FetchTimedOut, HttpFailed, TooLarge, TooManyRedirects, Unreachable, UrlRefused
from settings import Settings

USER_AGENT = "llm-chat-backend/0.1 (fetches a page on a user's request)"
MAX_REDIRECTS = 5
MAX_URL_CHARS = 4096
MOST_ANSWER = 64 * 1024 * 1024
WEB_PORTS = frozenset({80, 443, *range(8000, 9000)})
_CONNECT_SECONDS = 5.0
_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(rb"[a-z0-9._-]+|[0-9a-f:.]+")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A complete answer: `url` after redirects, `media_type` without parameters, `encoding` as the header claims it."""

    url: str
    status: int
    media_type: str
    body: bytes
    encoding: str | None


class _PublicTransport(httpx.AsyncHTTPTransport):
    """httpx over `PublicConnections`; no proxy, and by default no connection kept and no bound on an answer."""

    def __init__(self, connections: PublicConnections, kept: int = 0, most: int | None = None) -> None:
        self._most = most
        context = httpx.create_ssl_context()
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context, max_keepalive_connections=kept, keepalive_expiry=30, network_backend=connections
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; where answers are bounded, a packed one is refused: its size is not known before."""
        response = await super().handle_async_request(request)
        if self._most is not None:
            if response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
                await response.aclose()
                raise httpx.DecodingError("a packed answer", request=request)
            response.stream = _Bounded(cast("httpx.AsyncByteStream", response.stream), self._most)
        return response


class _Bounded(httpx.AsyncByteStream):
    """A body that breaks off behind so many bytes."""

    def __init__(self, stream: httpx.AsyncByteStream, most: int) -> None:
        self._stream, self._left = stream, most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._left -= len(chunk)
            if self._left < 0:
                raise httpx.ReadError("the answer is too large")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class GuardedHttp:
    """The only way to a URL that somebody else chose."""

    def __init__(
        self, settings: Settings, *, resolver: Resolver = resolve, also: frozenset[tuple[str, int]] = frozenset()
    ) -> None:
        """Take the limits from `settings`; nothing is opened before the first request.

        Args:
            settings: `fetch_max_bytes`, `fetch_allow_hosts` and `tool_timeout` are read.
            resolver: How names become addresses.
            also: Hosts and ports that may be reached besides, wherever they are.
        """
        self._settings, self._resolver = settings, resolver
        self._allowed = frozenset(_host_port(entry) for entry in settings.fetch_allow_hosts) | also
        self._connections = PublicConnections(resolver, self._allowed)
        self._client: httpx.AsyncClient | None = None

    async def fetch(
        self, url: str, *, accept: str = "*/*", max_bytes: int | None = None, seconds: float | None = None
    ) -> Fetched:
        """Return what is behind `url`, at most five redirects away.

        Args:
            url: http or https.
            accept: The Accept header.
            max_bytes: Most bytes of the body, compressed and decompressed; default `fetch_max_bytes`.
            seconds: Longest time for everything together; default `tool_timeout`.

        Raises:
            FetchFailure: One of its subclasses says why there is no page.
        """
        limit = min(max_bytes or self._settings.fetch_max_bytes, self._settings.fetch_max_bytes)
        seconds = seconds or self._settings.tool_timeout
        async with _bounded(url, seconds):
            fetched = await self._follow(url, {"Accept": accept}, limit)
        return fetched

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float = 10) -> int:
        """Send `body` to `url` and return the HTTP status; redirects are not followed, the answer is not read.

        Raises:
            FetchFailure: The request could not be made.
        """
        async with _bounded(url, seconds):
            checked = self._check(url)
            async with self._http().stream("POST", checked, content=body, headers=dict(headers)) as response:
                status = response.status_code
        return status

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        seconds: float | None = None,
    ) -> Fetched:
        """Send a request and return its answer, whatever its status; redirects are not followed.

        Raises:
            FetchFailure: There is no answer, or it is larger than `fetch_max_bytes`.
        """
        async with _bounded(url, seconds or self._settings.tool_timeout):
            checked = self._check(url)
            async with self._http().stream(method, checked, headers=dict(headers or {}), content=body) as response:
                fetched = await _read(response, str(checked), self._settings.fetch_max_bytes)
        return fetched

    def reaching(self, *urls: str) -> GuardedHttp:
        """Return a client of its own that may besides reach the hosts of `urls`: those that an operator has named.

        Raises:
            UrlRefused: One of them is not a URL.
        """
        places = (_parsed(url) for url in urls)
        also = frozenset((place.host.lower(), place.port or _PORTS.get(place.scheme, 0)) for place in places)
        return GuardedHttp(self._settings, resolver=self._resolver, also=self._allowed | also)

    def open_client(self, url: str, headers: Mapping[str, str], timeout: httpx.Timeout) -> httpx.AsyncClient:
        """Return a client for one service at `url`, whose connections are checked and kept; close it after use.

        An answer ends behind `MOST_ANSWER` bytes, a stream of events too.

        Raises:
            UrlRefused: It is not a URL that may be asked.
        """
        self._check(url)
        return httpx.AsyncClient(
            transport=_PublicTransport(self._connections, kept=4, most=MOST_ANSWER),
            timeout=timeout,
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers},
            follow_redirects=False,
            trust_env=False,
        )

    async def aclose(self) -> None:
        """Close the client."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                transport=_PublicTransport(self._connections),
                timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"},
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                follow_redirects=False,
                trust_env=False,
            )
        return self._client

    async def _follow(self, url: str, headers: Mapping[str, str], limit: int) -> Fetched:
        here = self._check(url)
        for _ in range(MAX_REDIRECTS + 1):
            async with self._http().stream("GET", here, headers=headers) as response:
                if response.has_redirect_location:
                    here = self._check(str(here.join(response.headers["Location"])))
                    continue
                if not response.is_success:
                    raise HttpFailed(url=str(here), status=response.status_code)
                return await _read(response, str(here), limit)
        raise TooManyRedirects(url=url)

    def _check(self, url: str) -> httpx.URL:
        """Parse `url`, or refuse it before anything is sent."""
        if len(url) > MAX_URL_CHARS:
            raise UrlRefused(url=url[:80] + "...", reason=Words("the URL is too long", "网址过长"))
        parsed = _parsed(url)
        host, port = parsed.host.lower(), parsed.port or _PORTS.get(parsed.scheme, 0)
        if parsed.scheme not in ("http", "https") or not _HOST.fullmatch(parsed.raw_host):
            raise UrlRefused(url=url, reason=Words("it is not an http or https address", "不是 http 或 https 网址"))
        if parsed.userinfo:
            raise UrlRefused(
                url=str(parsed.copy_with(userinfo=b"")), reason=Words("it carries a password", "网址中含有密码")
            )
        if port not in WEB_PORTS and (host, port) not in self._allowed:
            raise UrlRefused(url=url, reason=Words(f"port {port} is not a web port", f"端口 {port} 不是网页端口"))
        return parsed.copy_with(fragment=None)


@asynccontextmanager
async def _bounded(url: str, seconds: float) -> AsyncIterator[None]:
    """Limit the block to `seconds`; translate what httpx and the network raise."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except (TimeoutError, httpx.TimeoutException) as exc:
        raise FetchTimedOut(url=url, seconds=seconds) from exc
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as exc:
        raise Unreachable(url=url) from exc


async def _read(response: httpx.Response, url: str, limit: int) -> Fetched:
    """Read the body, never holding more than `limit` bytes of it, compressed or not."""
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise TooLarge(url=url, limit=limit)
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip"):
        raise Unreachable(url=url)
    unpacker = zlib.decompressobj(wbits=31) if "gzip" in coding else None
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += _unpack(unpacker, chunk, limit - len(body) + 1, url) if unpacker else chunk
        if len(body) > limit:
            raise TooLarge(url=url, limit=limit)
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return Fetched(url, response.status_code, media_type, bytes(body), response.charset_encoding)


def _unpack(unpacker: zlib._Decompress, chunk: bytes, room: int, url: str) -> bytes:
    try:
        return unpacker.decompress(chunk, room)
    except zlib.error as exc:
        raise Unreachable(url=url) from exc


def _parsed(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
        _ = parsed.host, parsed.port
    except (httpx.InvalidURL, ValueError) as exc:
        raise UrlRefused(url=url, reason=Words("it is not a URL", "不是有效的网址")) from exc
    return parsed


def _host_port(entry: str) -> tuple[str, int]:
    host, _, port = entry.rpartition(":")
    return host.strip("[]").lower(), int(port)
