"""CPU of a text turn through LangServe with memory, against the same graph from a bare route without a checkpointer.

    python -m bench.overhead [--turns 10] [--rounds 100] [--against CHECKOUT]

All servers run on an instant model. Short series alternate, so that whatever else the machine does strikes all alike.
Printed: CPU milliseconds a turn of each server process and the median of the ratios (bar: 1.6); with another checkout,
which has its own `.venv`, also the ratios of this one's turns to its.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

import httpx

from bench.server_process import ServerProcess

BAR = 1.6
KINDS = ("served", "bare")


def turn(client: httpx.Client, thread: str) -> None:
    """Take one turn."""
    body = {
        "input": {"messages": [{"type": "human", "content": "Hello, how are you today?"}]},
        "config": {"configurable": {"thread_id": thread}},
    }
    client.post("/agent/invoke", json=body).raise_for_status()


def series(server: ServerProcess, turns: int, name: str) -> float:
    """Return CPU milliseconds a turn; a thread gets ten turns."""
    with httpx.Client(base_url=server.url, timeout=30) as client:
        before = server.cpu_seconds()
        for number in range(turns):
            turn(client, f"{name}-{number // 10}")
        return (server.cpu_seconds() - before) / turns * 1000


def main() -> None:
    """Print the comparison; exit 1 when the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--against", type=Path, help="root of another checkout, with its own .venv")
    options = parser.parse_args()
    checkouts = [None, *([options.against] if options.against else [])]
    with ExitStack() as stack:
        servers = []
        for checkout in checkouts:
            for kind in KINDS:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                server = ServerProcess(folder, {}, ("-m", "bench.instant_app", kind), checkout)
                servers.append(stack.enter_context(server))
                series(server, 60, "warm")
        rounds = [[series(server, options.turns, f"r{n}") for server in servers] for n in range(options.rounds)]
    figures = [statistics.median(column) for column in zip(*rounds, strict=True)]
    ratio = statistics.median(row[0] / row[1] for row in rounds)
    print(f"CPU a turn, median of {options.rounds} x {options.turns} turns")
    print(f"LangServe with memory {figures[0]:.2f} ms, bare route {figures[1]:.2f} ms")
    print(f"ratio {ratio:.2f} (bar {BAR})")
    if options.against:
        print(f"{options.against}: LangServe with memory {figures[2]:.2f} ms, bare route {figures[3]:.2f} ms")
        served, bare = (statistics.median(row[n] / row[n + 2] for row in rounds) for n in range(2))
        print(f"this checkout to that one: LangServe with memory {served:.2f}, bare route {bare:.2f}")
    if ratio > BAR:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
