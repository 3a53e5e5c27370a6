"""Connections to the public internet and nowhere else.

The address is checked when connecting, and the connection goes to the checked address, so that a name which resolves
differently a moment later (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable

import httpcore

from net.failures import AddressBlocked

Resolver = Callable[[str, int], Awaitable[list[str]]]
"""Host name (or literal address) and port to numeric addresses."""
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_DOCUMENTATION = ipaddress.ip_network("3fff::/20")
_PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Tell whether a numeric address lies on the public internet, embedded IPv4 addresses looked through.

    Sources: the IANA special-purpose registries (as `ipaddress` has them), RFC 6052 (NAT64), RFC 3056 (6to4).
    """
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip in _PROTOCOLS)
    if ip.ipv4_mapped is not None:
        return is_public(str(ip.ipv4_mapped))
    if ip in _NAT64:
        return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    if ip.sixtofour is not None and not is_public(str(ip.sixtofour)):
        return False
    return ip in _GLOBAL_UNICAST and ip.is_global and ip not in _DOCUMENTATION and ip.scope_id is None


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of `host`, in the order of the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in found))


class PublicConnections(httpcore.AsyncNetworkBackend):
    """Resolves, checks and connects in one step; TLS and the Host header keep the name of the URL."""

    def __init__(self, resolver: Resolver, allowed: frozenset[tuple[str, int]]) -> None:
        self._resolver = resolver
        self._allowed = allowed
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first checked address that answers.

        Raises:
            AddressBlocked: One of the addresses is not public.
        """
        last: Exception = httpcore.ConnectError("no address")
        for address in await self._addresses(host, port):
            try:
                return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                last = exc
        raise last

    async def _addresses(self, host: str, port: int) -> list[str]:
        bare = host.strip("[]").rstrip(".")
        try:
            addresses = await self._resolver(bare, port)
        except (OSError, UnicodeError) as exc:
            raise httpcore.ConnectError(str(exc)) from exc
        if (bare.lower(), port) not in self._allowed and not all(is_public(address) for address in addresses):
            raise AddressBlocked(url=host)
        return addresses
