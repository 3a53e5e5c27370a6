"""A server that gets the callbacks of background runs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.standins.listening import Listening


@dataclass(frozen=True)
class Callback:
    """One request as it arrived."""

    headers: dict[str, str]
    body: bytes


class CallbackReceiver(Listening):
    """Records every POST to `url`; answers with the statuses of `answers`, then with 204."""

    def __init__(self) -> None:
        super().__init__(Starlette(routes=[Route("/hook", self._take, methods=["POST"])]))
        self.callbacks: list[Callback] = []
        self.answers: list[int] = []

    @property
    def url(self) -> str:
        """Where callbacks go."""
        return f"http://{self.address}/hook"

    async def received(self, count: int, timeout: float = 5) -> list[Callback]:
        """Wait for `count` callbacks.

        Raises:
            TimeoutError: Fewer came.
        """
        async with asyncio.timeout(timeout):
            while len(self.callbacks) < count:
                await asyncio.sleep(0.01)
        return self.callbacks

    async def _take(self, request: Request) -> Response:
        self.callbacks.append(Callback(dict(request.headers), await request.body()))
        return Response(status_code=self.answers.pop(0) if self.answers else 204)
