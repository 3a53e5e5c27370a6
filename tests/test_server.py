from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
QUIET = {"OCR_ENGINE": "off", "TTS_ENGINE": "off", "WEB_SEARCH": "off"}


@contextmanager
def started(folder: Path, **values: str) -> Iterator[subprocess.Popen[str]]:
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "OMP_NUM_THREADS")}
    process = subprocess.Popen(
        [sys.executable, "-m", "server"],
        cwd=ROOT, env={**clean, **QUIET, "DATA_DIR": str(folder), **values},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_ready(url: str, process: subprocess.Popen[str]) -> float:
    began = time.monotonic()
    while time.monotonic() - began < 30 and process.poll() is None:
        try:
            httpx.get(f"{url}/api/v1/health", timeout=2)
            return time.monotonic() - began
        except httpx.HTTPError:
            time.sleep(0.05)
    raise AssertionError(process.communicate(timeout=5)[0])


def children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def test_it_starts_announces_remembers_and_leaves_nothing_behind(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with started(tmp_path, PORT=str(port)) as process:
        wait_ready(url, process)
        body = {"message": "Hello", "session_id": "kept"}
        assert httpx.post(f"{url}/api/v1/chat", json=body, timeout=60).status_code == 200
        family = children(process.pid)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
    assert process.returncode in (0, -signal.SIGINT), output
    for part in ("memory", "chat", "vectors", "embeddings", f"http://127.0.0.1:{port}/"):
        assert part in output
    assert "Traceback" not in output
    assert not [pid for pid in family if Path(f"/proc/{pid}").exists()], "children outlive the server"

    with started(tmp_path, PORT=str(port)) as process:
        wait_ready(url, process)
        transcript = httpx.get(f"{url}/api/v1/sessions/kept").json()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert [entry["role"] for entry in transcript["messages"]] == ["user", "assistant"]


def test_another_bind_than_loopback_needs_keys(tmp_path: Path) -> None:
    with started(tmp_path, HOST="0.0.0.0", PORT=str(free_port())) as process:
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "API_KEYS" in output and "请设置" in output and "Traceback" not in output
