"""Eight people beside a client that sends what costs most: they wait at most twice as long as alone."""

from __future__ import annotations

import socket
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from tests.integration.conftest import Server

USERS, TURNS, ROUNDS = 8, 5, 3
LISTS = "[" + "[]," * 49_000 + "[]]"
MORE = "[" + "[]," * 2_000_000 + "[]]"
FILE = "QUJD" * 5_000_000 + "!"
BODIES = [
    ("/api/v1/chat", f'{{"message":"a","tools":{LISTS}}}'),
    ("/api/v1/chat", f'{{"message":"a","tools":{MORE}}}'),
    ("/api/v1/chat", '{"message":"' + '\\"' * 2_000_000 + '"}'),
    ("/v1/chat/completions", f'{{"messages":{LISTS}}}'),
    ("/v1/embeddings", f'{{"input":{LISTS}}}'),
    ("/agent/invoke", f'{{"input":{{"messages":{LISTS}}}}}'),
    ("/agent/invoke", f'{{"input":{{"message":"a","file":"{FILE}"}}}}'),
    ("/api/v1/sessions/import", f'{{"messages":{LISTS}}}'),
]


def attack(url: str) -> None:
    """Send one costly request after the other, and headers without end, until this process is killed."""
    address = urlsplit(url)
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        while True:
            for path, body in BODIES:
                answer = client.post(path, content=body, headers={"content-type": "application/json"})
                assert 400 <= answer.status_code < 500, (path, answer.status_code)
            with suppress(OSError), socket.create_connection((address.hostname, address.port)) as raw:
                raw.sendall(b"GET / HTTP/1.1\r\nX-A: ")
                for _ in range(20):
                    raw.sendall(b"a" * 1_000_000)


def waits(server: Server, name: str) -> list[float]:
    """Return how long each turn of eight users took, who all talk at once."""

    def talk(user: int) -> list[float]:
        seconds = []
        with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
            for turn in range(TURNS):
                began = time.monotonic()
                body = {"message": f"What is {turn + 2} * 12?", "session_id": f"{name}-{user}"}
                client.post("/api/v1/chat", json=body).raise_for_status()
                seconds.append(time.monotonic() - began)
        return seconds

    with ThreadPoolExecutor(USERS) as pool:
        return [wait for user in pool.map(talk, range(USERS)) for wait in user]


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


@pytest.mark.slow
def test_a_hostile_client_keeps_nobody_waiting(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", {"WEB_SEARCH": "off", "OCR_ENGINE": "off", "LOG_LEVEL": "warning"}).start()
    try:
        assert server.process is not None
        waits(server, "warm")
        alone: list[float] = []
        beside: list[float] = []
        for number in range(ROUNDS):
            alone += waits(server, f"alone-{number}")
            attacker = get_context("spawn").Process(target=attack, args=(server.url,), daemon=True)
            attacker.start()
            time.sleep(2)
            beside += waits(server, f"beside-{number}")
            assert attacker.is_alive(), "it got something else than a refusal"
            attacker.kill()
            attacker.join()
        memory = psutil.Process(server.process.pid).memory_info().rss / 2**20
        print(f"p95 alone {p95(alone):.3f} s, beside {p95(beside):.3f} s, {memory:.0f} MiB")  # noqa: T201
        assert p95(beside) < 2 * p95(alone)
        assert memory < 1024
    finally:
        server.stop()
