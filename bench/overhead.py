"""CPU of a text turn through LangServe with memory, against the same graph from a bare route without a checkpointer.

    python -m bench.overhead [--turns 10] [--rounds 100]

Both servers run on an instant model. Short series alternate, so that whatever else the machine does strikes both alike.
Printed: CPU milliseconds a turn of each server process and the median of the ratios (bar: 1.6).
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

import httpx

from bench.server_process import ServerProcess

BAR = 1.6


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
    options = parser.parse_args()
    command = ("-m", "bench.instant_app")
    with (
        tempfile.TemporaryDirectory() as a,
        tempfile.TemporaryDirectory() as b,
        ServerProcess(Path(a), {}, (*command, "served")) as served,
        ServerProcess(Path(b), {}, (*command, "bare")) as bare,
    ):
        for server in (served, bare):
            series(server, 60, "warm")
        pairs = [
            (series(served, options.turns, f"r{n}"), series(bare, options.turns, f"r{n}"))
            for n in range(options.rounds)
        ]
    ours, peer = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"CPU a turn, median of {options.rounds} x {options.turns} turns")
    print(f"LangServe with memory {ours:.2f} ms, bare route {peer:.2f} ms")
    print(f"ratio {ratio:.2f} (bar {BAR})")
    if ratio > BAR:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
