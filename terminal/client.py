"""The calls of the server that a chat needs, and what they fail with."""

from __future__ import annotations

import json
import ssl
from typing import Any

import httpx

from terminal.texts import language, say

SILENCE = httpx.Timeout(60, connect=10)
"""The server sends a heartbeat every 10 s; a minute without one is a dead connection."""


class Failed(Exception):
    """A failure shown to the user: message and remedy, and the error as the server sent it."""

    def __init__(self, message: str, remedy: str = "", body: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message, self.remedy = message, remedy
        self.body = body or {"error": {"code": "client_error", "message": message, "remedy": remedy}}


class Unreachable(Failed):
    """No answer came; a later attempt may get one."""


class Client:
    """A connection pool to one server.

    Raises:
        Failed: The address or the key cannot be one.
    """

    def __init__(self, url: str, key: str = "") -> None:
        self.url = url if "://" in url else f"http://{url}"
        if not (key.isascii() and key.isprintable()):
            raise Failed(say("bad_key"), say("give_key"))
        headers = {"Accept-Language": "zh-CN" if language() == "zh" else "en"}
        headers |= {"Authorization": f"Bearer {key}"} if key else {}
        try:
            self._http = httpx.Client(base_url=self.url.rstrip("/"), headers=headers, timeout=SILENCE)
        except httpx.InvalidURL as exc:
            raise Failed(say("bad_url", url=self.url), say("check_url")) from exc

    def open(self, method: str, path: str, **given: Any) -> httpx.Response:
        """Send a request and return the response, its body unread.

        Raises:
            Unreachable: Nothing answers.
            Failed: The server refuses, or it is not one of ours.
        """
        try:
            request = self._http.build_request(method, f"/api/v1{path}", **given)
            response = self._http.send(request, stream=True)
            if not response.is_success:
                response.read()
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as exc:
            raise Failed(say("bad_url", url=self.url), say("check_url")) from exc
        except httpx.TransportError as exc:
            if isinstance(exc.__context__ and exc.__context__.__context__, ssl.SSLCertVerificationError):
                raise Failed(say("untrusted", url=self.url), say("trust_it")) from exc
            raise Unreachable(say("unreachable", url=self.url), say("start_it")) from exc
        if response.is_success:
            return response
        try:
            body = response.json()
            error = body["error"]
            message, remedy = str(error["message"]), str(error.get("remedy", ""))
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise self.not_ours() from exc
        raise Failed(message, say("give_key") if error.get("code") == "unauthorized" else remedy, body)

    def call(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        """Make a call and return its JSON.

        Raises:
            Failed: As `open`.
        """
        try:
            body: dict[str, Any] = json.loads(self.open(method, path, **given).read())
        except httpx.TransportError as exc:
            raise Unreachable(say("unreachable", url=self.url), say("start_it")) from exc
        except ValueError as exc:
            raise self.not_ours() from exc
        return body

    def not_ours(self) -> Failed:
        """Return the error of an address where another service answers."""
        return Failed(say("not_ours", url=self.url), say("check_url"))
