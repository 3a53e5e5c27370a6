"""The real server on a real port, in a thread of its own."""

from __future__ import annotations

import socket
import threading
import time
from types import TracebackType
from typing import Self
from unittest.mock import patch

import httpx
import uvicorn
from fastapi import FastAPI

from api.edge.connections import limited_http
from server import create_app
from settings import Settings
from tests.preloaded import Process, start_zygote
from workers.process import Zygote


class LiveServer:
    """Runs `create_app(settings)` on a free loopback port for as long as a `with` block lasts."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.app: FastAPI = create_app(settings)
        self.http = limited_http(settings)
        self.url = ""

    def __enter__(self) -> Self:
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            self.app, http=self.http, ws="none", log_config=None, access_log=False, timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        deadline = time.monotonic() + 60
        with patch.object(Zygote, "_spawn", _preloaded):
            self._thread.start()
            while not self._server.started and self._thread.is_alive() and time.monotonic() < deadline:
                time.sleep(0.01)
        assert self._server.started, "the server did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive(), "the server did not stop"


def _preloaded(zygote: Zygote) -> tuple[Process, socket.socket]:
    ours, theirs = socket.socketpair()
    with theirs:
        return start_zygote(zygote._modules, theirs.fileno()), ours


def remember(live: LiveServer, enabled: bool) -> None:
    """Switch long-term memory of the local user on or off: what one test says is nothing to the others."""
    with httpx.Client(base_url=live.url, timeout=30, trust_env=False, verify=False) as http:
        http.put("/api/v1/memories/enabled", json={"enabled": enabled}).raise_for_status()
