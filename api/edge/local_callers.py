"""Without API keys, whoever reaches the server is its one user: only this machine may, and no stranger's web page."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.requests import Request

from domain.errors import ForeignPage, KeysNeeded

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a server bound to `host`."""
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def check_local(request: Request, allowed_origins: Sequence[str]) -> None:
    """Accept callers on this machine, except a browser that acts for a foreign page.

    A page that DNS has led here (rebinding) is known by its name in `Host`, one that posts a form by its `Origin`.

    Args:
        request: What came in.
        allowed_origins: Origins whose pages may call.

    Raises:
        KeysNeeded: The connection came over a network.
        ForeignPage: A web page of another site sent it.
    """
    address = _address((request.scope.get("server") or ("", 0))[0])
    if address is not None and not address.is_loopback:
        raise KeysNeeded()
    names = {urlsplit(origin).hostname for origin in allowed_origins}
    host = _hostname(request.headers.get("host", ""))
    if not (_is_own(host) or host in names or "*" in allowed_origins):
        raise ForeignPage(host=host)
    if request.method not in _READING:
        check_origin(request, allowed_origins)


def check_origin(request: Request, allowed_origins: Sequence[str]) -> None:
    """Accept programs, the pages of this server, and those of `allowed_origins`.

    Raises:
        ForeignPage: A web page of another site sent it.
    """
    origin = request.headers.get("origin")
    if origin is None or request.headers.get("sec-fetch-site") in ("same-origin", "none"):
        return
    # A page of another port of this host is another program's.
    if _place(origin) != _place(f"//{request.headers.get('host', '')}") and not {origin, "*"} & set(allowed_origins):
        raise ForeignPage(host=_place(origin)[0] or origin)


def check_same_site(request: Request, public_url: str | None) -> None:
    """Accept what a browser sends with a cookie, unless a page of another origin asks for a change.

    Browsers name the origin of everything that is not a plain reading; what names none is refused.

    Raises:
        ForeignPage: Another origin's page, or nobody knows whose, sent it.
    """
    if request.method in _READING or request.headers.get("sec-fetch-site") == "same-origin":
        return
    origin = request.headers.get("origin", "")
    own = {_place(f"//{request.headers.get('host', '')}"), *([_place(public_url)] if public_url else [])}
    if _place(origin) not in own or "sec-fetch-site" in request.headers:
        raise ForeignPage(host=_place(origin)[0] or "?")


def _is_own(host: str) -> bool:
    """Tell whether no stranger can control where the name leads: an address, or a name without a dot."""
    return _address(host) is not None or "." not in host or host.endswith(".localhost")


@lru_cache(maxsize=256)
def _place(url: str) -> tuple[str | None, int | None]:
    """Return host and port; the usual port of the web counts as none, since `Host` leaves it out."""
    try:
        parts = urlsplit(url)
        return parts.hostname, None if parts.port in (80, 443) else parts.port
    except ValueError:
        return "", None


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return "."


@lru_cache(maxsize=256)
def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
