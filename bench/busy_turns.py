"""How long turns and requests of others take while large files are read, indexed, summarised, embedded or recognised.

    python -m bench.busy_turns [--load pdf csv text pictures] [--file FILE] [--seconds 10] [--rounds 3]

One server, with a stand-in chat model that answers at once, so that what is measured is the server. Text turns,
questions on a short document and plain GETs alternate, one after the other, before the upload and while it is worked
on; then it is deleted. Rounds of this even out what else the machine does.
Bars: 1.5 for the 95th percentile of text turns, 1 s for every single request.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import numpy as np

from bench.ingest import make_pdf
from bench.server_process import ServerProcess
from tests.drawn_pictures import drawn, encoded
from tests.standins.openai_server import OpenAIServer

BAR = 1.5
LONGEST_MS = 1000
PAUSE = 0.05
CSV_BYTES, TEXT_BYTES, PICTURES = 5_000_000, 3_000_000, 24
Times = dict[str, list[float]]
Upload = tuple[str, bytes]


def text_turn(client: httpx.Client, number: int) -> None:
    """Say something; a thread gets ten turns."""
    body = {"message": "Tell me something nice about the sea.", "session_id": f"text-{number // 10}"}
    client.post("/api/v1/chat", json=body).raise_for_status()


def document_turn(client: httpx.Client, number: int) -> None:
    """Ask about the short document in the user's library."""
    body = {"message": f"Which berth does entry 1-{number % 6} name?", "session_id": f"document-{number // 10}"}
    client.post("/api/v1/chat", json=body).raise_for_status()


def get(client: httpx.Client, number: int) -> None:
    """Ask for the list of documents."""
    client.get("/api/v1/documents").raise_for_status()


REQUESTS: dict[str, Callable[[httpx.Client, int], None]] = {"text": text_turn, "document": document_turn, "get": get}


def series(client: httpx.Client, seconds: float, going_on: Callable[[], bool] = lambda: True) -> Times:
    """Return milliseconds of alternating requests for so long, or as long as `going_on`."""
    times: Times = {name: [] for name in REQUESTS}
    began, number = time.monotonic(), int(time.monotonic() * 1000)
    while time.monotonic() - began < seconds and going_on():
        for name, request in REQUESTS.items():
            started = time.perf_counter()
            request(client, number)
            times[name].append((time.perf_counter() - started) * 1000)
            time.sleep(PAUSE)
        number += 1
    return times


def upload(client: httpx.Client, name: str, data: bytes, **fields: str) -> str:
    """Have a document read; return its id."""
    response = client.post("/api/v1/documents", files={"file": (name, data)}, data=fields).raise_for_status()
    return str(response.json()[0]["id"])


def state(client: httpx.Client, document_id: str) -> tuple[str, float]:
    """Return status, and the share of passages that have vectors."""
    shown = client.get(f"/api/v1/documents/{document_id}").raise_for_status().json()
    return shown["status"], shown.get("indexed", 0.0)


def measure(client: httpx.Client, files: list[Upload], seconds: float, rounds: int) -> dict[str, Times]:
    """Return the series by phase, all rounds together."""
    short = upload(client, "short.pdf", make_pdf(3, 7), scope="library")
    while state(client, short) != ("ready", 1.0):
        time.sleep(0.2)
    series(client, 3)
    phases: dict[str, Times] = {}
    for _ in range(rounds):
        add(phases, "usual", series(client, seconds))
        ids = [upload(client, name, data, session_id="another") for name, data in files]
        add(phases, "while read", series(client, 600, partial(is_read, client, ids)))
        add(phases, "while indexed", series(client, 3 * seconds, partial(is_embedded, client, ids[-1])))
        for one in ids:
            client.delete(f"/api/v1/documents/{one}").raise_for_status()
        time.sleep(1)
    return phases


def add(phases: dict[str, Times], phase: str, times: Times) -> None:
    """Put the times of one round to those of the rounds before."""
    for kind, values in times.items():
        phases.setdefault(phase, {}).setdefault(kind, []).extend(values)


def is_read(client: httpx.Client, documents: list[str]) -> bool:
    """Tell whether one of the documents is being read."""
    return any(state(client, one)[0] in ("queued", "reading") for one in documents)


def is_embedded(client: httpx.Client, document: str) -> bool:
    """Tell whether vectors of the document are missing."""
    return state(client, document)[1] < 1


def report(load: str, phases: dict[str, Times]) -> bool:
    """Print median, 95th percentile and longest of each phase with their ratios; return whether the bars are met."""
    met = True
    for kind in REQUESTS:
        usual = np.percentile(phases["usual"][kind], [50, 95])
        for phase, times in phases.items():
            values = times[kind] or [np.nan]
            p50, p95 = np.percentile(values, [50, 95])
            print(f"{load:8} {kind:8} {phase:13} n {len(times[kind]):3}  p50 {p50:5.0f} ms ({p50 / usual[0]:.2f})"
                  f"  p95 {p95:5.0f} ms ({p95 / usual[1]:.2f})  longest {max(values):5.0f} ms")  # fmt: skip
            if phase != "usual" and times[kind]:
                met &= max(values) <= LONGEST_MS and (kind != "text" or p95 <= BAR * usual[1])
    print(f"{load}: bars (p95 of text turns {BAR}, longest {LONGEST_MS} ms) {'met' if met else 'missed'}", flush=True)
    return met


def make_csv(size: int) -> bytes:
    """Return a CSV of about `size` bytes, with words in most cells."""
    chance = random.Random(3)
    words = [f"{a}{b}" for a in ("har", "pil", "buo", "dock", "mast", "ton") for b in ("bour", "ot", "ing", "age")]
    lines = ["number,ship,berth,remark,dues"]
    while size > 0:
        remark = " ".join(chance.choices(words, k=8))
        line = f"{len(lines)},{chance.choice(words)} {chance.randint(1, 9999)},{chance.randint(1, 99)},{remark},12.5"
        lines.append(line)
        size -= len(line) + 1
    return "\n".join(lines).encode()


def make_text(size: int) -> bytes:
    """Return plain text of about `size` bytes in both languages."""
    chance = random.Random(4)
    zh = "港口记录每一艘进港的船只，引航员在外浮标处登船，费用按吨位计算。"
    parts = []
    while size > 0:
        parts.append(f"Ship {chance.randint(1, 99999)} paid its dues before noon and left at the tide.\n{zh}\n\n")
        size -= len(parts[-1].encode())
    return "".join(parts).encode()


def make_pictures(count: int) -> Iterator[Upload]:
    """Yield pictures with different lines of text."""
    for number in range(count):
        places = [(40, 40 + 60 * line, f"Entry {number}-{line} names berth {number * line + 7}") for line in range(12)]
        yield f"picture-{number}.png", encoded(drawn(*places, size=(1200, 800)))


LOADS: dict[str, Callable[[], list[Upload]]] = {
    "pdf": lambda: [("long.pdf", make_pdf(400, 8))],
    "csv": lambda: [("long.csv", make_csv(CSV_BYTES))],
    "text": lambda: [("long.txt", make_text(TEXT_BYTES))],
    "pictures": lambda: list(make_pictures(PICTURES)),
}


def main() -> None:
    """Print the comparison of each load; exit 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--load", nargs="+", choices=LOADS, default=["pdf"])
    parser.add_argument("--file", type=Path, help="a file to read instead of the loads")
    parser.add_argument("--seconds", type=float, default=10, help="length of a series")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    loads = {name: LOADS[name] for name in options.load}
    if options.file:
        loads = {options.file.name: lambda: [(options.file.name, options.file.read_bytes())]}
    met = True
    for name, make in loads.items():
        with OpenAIServer() as model, tempfile.TemporaryDirectory() as folder:
            model.respond = lambda request: "It is wide and calm today."
            values = {"LLM_BASE_URL": model.base_url, "LLM_API_KEY": "none", "LLM_MODEL": "stand-in"}
            values |= {"OCR_ENGINE": "auto"} if name == "pictures" else {}
            with (
                ServerProcess(Path(folder), values) as server,
                httpx.Client(base_url=server.url, timeout=120) as client,
            ):
                met &= report(name, measure(client, make(), options.seconds, options.rounds))
    if not met:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
