"""How long turns of others take while a 400-page PDF is read and embedded, against their usual time.

    python -m bench.busy_turns [--file PDF] [--seconds 10] [--rounds 3]

One server, with a stand-in chat model that answers at once, so that what is measured is the server. Text turns and
questions on a short document alternate, one after the other, before the upload and while it is worked on; then it is
deleted. Rounds of this even out what else the machine does. Bar: 1.5 for text turns.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import numpy as np

from bench.ingest import make_pdf
from bench.server_process import ServerProcess
from tests.standins.openai_server import OpenAIServer

BAR = 1.5
PAUSE = 0.05
Times = dict[str, list[float]]


def text_turn(client: httpx.Client, number: int) -> None:
    """Say something; a thread gets ten turns."""
    body = {"message": "Tell me something nice about the sea.", "session_id": f"text-{number // 10}"}
    client.post("/api/v1/chat", json=body).raise_for_status()


def document_turn(client: httpx.Client, number: int) -> None:
    """Ask about the short document in the user's library."""
    body = {"message": f"Which berth does entry 1-{number % 6} name?", "session_id": f"document-{number // 10}"}
    client.post("/api/v1/chat", json=body).raise_for_status()


def series(client: httpx.Client, seconds: float, going_on: Callable[[], bool] = lambda: True) -> Times:
    """Return milliseconds of alternating turns for so long, or as long as `going_on`."""
    times: Times = {"text": [], "document": []}
    began, number = time.monotonic(), int(time.monotonic() * 1000)
    while time.monotonic() - began < seconds and going_on():
        for name, turn in (("text", text_turn), ("document", document_turn)):
            started = time.perf_counter()
            turn(client, number)
            times[name].append((time.perf_counter() - started) * 1000)
            time.sleep(PAUSE)
        number += 1
    return times


def upload(client: httpx.Client, name: str, pdf: bytes, **fields: str) -> str:
    """Have a document read; return its id."""
    response = client.post("/api/v1/documents", files={"file": (name, pdf)}, data=fields).raise_for_status()
    return str(response.json()[0]["id"])


def state(client: httpx.Client, document_id: str) -> tuple[str, float]:
    """Return status, and the share of passages that have vectors."""
    shown = client.get(f"/api/v1/documents/{document_id}").raise_for_status().json()
    return shown["status"], shown.get("indexed", 0.0)


def measure(client: httpx.Client, pdf: bytes, seconds: float, rounds: int) -> dict[str, Times]:
    """Return the series by phase, all rounds together."""
    short = upload(client, "short.pdf", make_pdf(3, 7), scope="library")
    while state(client, short) != ("ready", 1.0):
        time.sleep(0.2)
    series(client, 3)
    phases: dict[str, Times] = {}
    for _ in range(rounds):
        add(phases, "usual", series(client, seconds))
        long = upload(client, "long.pdf", pdf, session_id="another")
        add(phases, "while read", series(client, 600, partial(is_read, client, long)))
        add(phases, "while embedded", series(client, seconds, partial(is_embedded, client, long)))
        client.delete(f"/api/v1/documents/{long}").raise_for_status()
        time.sleep(1)
    return phases


def add(phases: dict[str, Times], phase: str, times: Times) -> None:
    """Put the times of one round to those of the rounds before."""
    for kind, values in times.items():
        phases.setdefault(phase, {}).setdefault(kind, []).extend(values)


def main() -> None:
    """Print the comparison; exit 1 when the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, help="the long PDF; without it one of 400 pages is made")
    parser.add_argument("--seconds", type=float, default=10, help="length of a series")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    pdf = options.file.read_bytes() if options.file else make_pdf(400, 8)
    with OpenAIServer() as model, tempfile.TemporaryDirectory() as folder:
        model.respond = lambda request: "It is wide and calm today."
        values = {"LLM_BASE_URL": model.base_url, "LLM_API_KEY": "none", "LLM_MODEL": "stand-in"}
        with ServerProcess(Path(folder), values) as server, httpx.Client(base_url=server.url, timeout=60) as client:
            phases = measure(client, pdf, options.seconds, options.rounds)
    worst = report(phases)
    if worst > BAR:
        raise SystemExit(1)


def is_read(client: httpx.Client, document: str) -> bool:
    """Tell whether the document is being read."""
    return state(client, document)[0] in ("queued", "reading")


def is_embedded(client: httpx.Client, document: str) -> bool:
    """Tell whether vectors of the document are missing."""
    return state(client, document)[1] < 1


def report(phases: dict[str, Times]) -> float:
    """Print medians and 95th percentiles of each phase; return the worst ratio of medians of text turns."""
    worst = 0.0
    for kind in ("text", "document"):
        usual = phases["usual"][kind]
        for phase, times in phases.items():
            p50, p95 = np.percentile(times[kind] or [np.nan], [50, 95])
            ratios = (p50 / np.percentile(usual, 50), p95 / np.percentile(usual, 95))
            print(f"{kind:8} {phase:14} n {len(times[kind]):3}  p50 {p50:5.0f} ms ({ratios[0]:.2f})"
                  f"  p95 {p95:5.0f} ms ({ratios[1]:.2f})")  # fmt: skip
            if kind == "text" and phase.startswith("while"):
                worst = max(worst, ratios[0])
    print(f"text turns take {worst:.2f} times their usual time (bar {BAR})")
    return worst


if __name__ == "__main__":
    main()
