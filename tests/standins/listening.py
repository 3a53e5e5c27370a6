"""Serves an ASGI app on a free loopback port, in a thread, for as long as a `with` block lasts."""

from __future__ import annotations

import socket
import threading
import time
from types import TracebackType
from typing import Any, Self

import uvicorn


class Listening:
    """Base of a stand-in: give it an app, enter it, and `address` is `127.0.0.1:<port>`."""

    def __init__(self, app: Any, port: int = 0) -> None:
        self.address = ""
        self._app, self._port = app, port

    def __enter__(self) -> Self:
        listener = socket.create_server(("127.0.0.1", self._port))
        self.address = f"127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(self._app, log_level="critical", lifespan="off", access_log=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started and time.monotonic() < deadline:
            time.sleep(0.005)
        assert self._server.started, "the stand-in did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(10)
