"""A real server as a user starts it, and documents made here."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pymupdf
import pytest

from tests.preloaded import Process, start_server

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """One server process on a port and folder of its own; `command` starts it as users do, not from loaded imports."""

    data_dir: Path
    env: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    command: bool = False
    process: subprocess.Popen[bytes] | Process | None = None
    ready_seconds: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.data_dir.parent / f"server-{self.port}.log"

    def start(self, health: int = 200) -> Server:
        """Start, and wait until `/api/v1/health` answers with the status `health`."""
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        inherited = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")}
        env = {**inherited, "PORT": str(self.port), "DATA_DIR": str(self.data_dir), "EMBEDDED_THREADS": "1", **self.env}
        began = time.monotonic()
        with self.log.open("ab") as log:
            self.process = self._run(env, log.fileno())
        with self.client() as api:
            while time.monotonic() - began < START_SECONDS:
                assert self.process.poll() is None, self.log.read_text("utf-8")[-4000:]
                try:
                    if api.get("/api/v1/health", timeout=5).status_code == health:
                        self.ready_seconds = time.monotonic() - began
                        return self
                except httpx.TransportError:
                    time.sleep(0.05)
        raise AssertionError(f"not ready after {START_SECONDS} s: {self.log.read_text('utf-8')[-4000:]}")

    def _run(self, env: dict[str, str], log: int) -> subprocess.Popen[bytes] | Process:
        if not self.command:
            return start_server(env, log)
        command = [sys.executable, "-m", "server"]
        return subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """End the server as Ctrl-C does; return its exit code."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(30)

    def client(self, **options: object) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=120, trust_env=False, verify=False, **options)  # type: ignore[arg-type]

    def children(self) -> list[int]:
        """Every process that descends from the server."""
        import psutil

        assert self.process is not None
        return [child.pid for child in psutil.Process(self.process.pid).children(recursive=True)]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The product as `make serve` starts it: bundled models, embedded Redis, no key, no web search."""
    running = Server(tmp_path_factory.mktemp("server") / "data", {"WEB_SEARCH": "off"}, command=True).start()
    yield running
    running.stop()


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


LEASE = [
    "Lease agreement between Harbor Mill Ltd and Ines Okafor. The flat lies at 14 Quarry Lane, Whitby.",
    "The monthly rent is 1,240 pounds, due on the third day of each month. The deposit is 2,480 pounds.",
    "Either party may end the lease with nine weeks of written notice. The tenant may keep one small dog.",
]


def make_pdf(pages: list[str]) -> bytes:
    with pymupdf.open() as document:
        for text in pages:
            page = document.new_page()
            page.insert_textbox(pymupdf.Rect(60, 60, 535, 780), text, fontsize=12, fontname="china-s")
        return bytes(document.tobytes())


def make_picture(text: str, *, size: int = 28) -> bytes:
    """A PNG of black words on white, in the fonts that PyMuPDF carries."""
    lines = text.split("\n")
    with pymupdf.open() as document:
        page = document.new_page(width=80 + size * max(map(len, lines)), height=60 + 2 * size * len(lines))
        html = "".join(f'<p style="font-size:{size}px;margin:8px">{line}</p>' for line in lines)
        page.insert_htmlbox(page.rect + (20, 20, -20, -20), html)
        return bytes(page.get_pixmap(dpi=110).tobytes("png"))


def make_docx(paragraphs: list[str], heading: str) -> bytes:
    from docx import Document

    document = Document()
    document.add_heading(heading, 1)
    for text in paragraphs:
        document.add_paragraph(text)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()
