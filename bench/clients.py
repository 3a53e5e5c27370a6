"""Many clients on one server process: text turns a second, and how long each takes.

    python -m bench.clients [--clients 64] [--seconds 6] [--rounds 5] [--wait 0.2] [--against CHECKOUT]

Each client keeps one session and sends its next message when the last answer is whole. The model is the OpenAI
stand-in in a process of its own, which waits before its first delta. Printed: turns a second and p50 and p95 of a turn;
with another checkout, which has its own `.venv`, the two take turns and the medians of the ratios are printed as well.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import httpx

from bench.model_process import model_process
from bench.server_process import ServerProcess


class Load(NamedTuple):
    """One round: turns a second, and p50 and p95 of a turn in milliseconds."""

    rate: float
    p50: float
    p95: float


async def client(http: httpx.AsyncClient, session: str, end: float, taken: list[float]) -> None:
    """Take turn after turn until `end`, and note the milliseconds of each."""
    while (began := time.perf_counter()) < end:
        response = await http.post("/api/v1/chat", json={"message": "Hello there", "session_id": session})
        response.raise_for_status()
        taken.append((time.perf_counter() - began) * 1000)


async def load(url: str, clients: int, seconds: float, name: str) -> Load:
    """Return what `clients` at once get in `seconds`."""
    taken: list[float] = []
    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as http:
        began = time.perf_counter()
        await asyncio.gather(*(client(http, f"{name}-{n}", began + seconds, taken) for n in range(clients)))
        spent = time.perf_counter() - began
    return Load(len(taken) / spent, statistics.median(taken), statistics.quantiles(taken, n=20)[-1])


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--wait", type=float, default=0.2, help="seconds before the model's first delta")
    parser.add_argument("--against", type=Path, help="root of another checkout, with its own .venv")
    options = parser.parse_args()
    checkouts = [None, *([options.against] if options.against else [])]
    rounds: list[list[Load]] = []
    with ExitStack() as stack:
        base_url = stack.enter_context(model_process(options.wait, "Hello to you too."))
        values = {"LLM_BASE_URL": base_url, "LLM_API_KEY": "key", "LLM_MODEL": "stand-in"}
        servers = [
            stack.enter_context(
                ServerProcess(
                    Path(stack.enter_context(tempfile.TemporaryDirectory())), values, ("-m", "server"), checkout
                )
            )
            for checkout in checkouts
        ]
        for n in range(options.rounds + 1):
            taken = [asyncio.run(load(s.url, options.clients, options.seconds, f"r{n}")) for s in servers]
            if n:  # the first round warms up
                rounds.append(taken)
    for place, checkout in enumerate(checkouts):
        rate, p50, p95 = (statistics.median(row[place][figure] for row in rounds) for figure in range(3))
        name = checkout or "this checkout"
        print(f"{name}: {rate:.1f} turns a second of {options.clients} clients, p50 {p50:.0f} ms, p95 {p95:.0f} ms")
    if options.against:
        rate, p95 = (statistics.median(row[0][figure] / row[1][figure] for row in rounds) for figure in (0, 2))
        print(f"this checkout to that one: turns a second {rate:.2f}, p95 {p95:.2f}")


if __name__ == "__main__":
    main()
