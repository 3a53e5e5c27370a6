"""Time to the first token through the server, against the model endpoint asked directly; both in one run, in turns.

    python -m bench.first_token [--turns 60] [--wait 0.05]

The endpoint is the OpenAI stand-in, which waits a fixed time before its first delta. Printed: p50 of both, the
difference in milliseconds (bar: 15) and the ratio.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

import httpx

from bench.model_process import model_process
from bench.server_process import ServerProcess

BAR_MS = 15.0
MODEL_BODY = {"model": "stand-in", "messages": [{"role": "user", "content": "Hello"}], "stream": True}


async def first_delta(http: httpx.AsyncClient, base_url: str) -> float:
    """Return seconds until the endpoint's own first content delta."""
    began = time.perf_counter()
    async with http.stream("POST", f"{base_url}/chat/completions", json=MODEL_BODY) as response:
        async for line in response.aiter_lines():
            if line.startswith("data: {") and json.loads(line[6:])["choices"][0]["delta"].get("content"):
                return time.perf_counter() - began
    raise RuntimeError("the endpoint sent no content")


async def first_token(http: httpx.AsyncClient, url: str, session: str) -> float:
    """Return seconds until the server's first `token` event."""
    began, found = time.perf_counter(), 0.0
    body = {"message": "Hello", "session_id": session}
    async with http.stream("POST", f"{url}/api/v1/chat/stream", json=body) as response:
        async for line in response.aiter_lines():
            if line == "event: token" and not found:
                found = time.perf_counter() - began
    return found


async def measure(url: str, base_url: str, turns: int) -> tuple[list[float], list[float]]:
    """Return both series in milliseconds, taken in alternation after a warm-up."""
    direct: list[float] = []
    served: list[float] = []
    async with httpx.AsyncClient(timeout=30) as http:
        for turn in range(turns + 5):
            a, b = await first_delta(http, base_url), await first_token(http, url, f"s{turn % 3}")
            if turn >= 5:
                direct.append(a * 1000)
                served.append(b * 1000)
    return direct, served


def main() -> None:
    """Print the comparison; exit 1 when the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=60)
    parser.add_argument("--wait", type=float, default=0.05, help="seconds before the model's first delta")
    options = parser.parse_args()
    with model_process(options.wait, "Hello to you too.") as base_url, tempfile.TemporaryDirectory() as folder:
        values = {"LLM_BASE_URL": base_url, "LLM_API_KEY": "key", "LLM_MODEL": "stand-in"}
        with ServerProcess(Path(folder), values) as server:
            direct, served = asyncio.run(measure(server.url, base_url, options.turns))
    a, b = statistics.median(direct), statistics.median(served)
    print(f"first token, p50 of {len(direct)}: model {a:.1f} ms, through the server {b:.1f} ms")
    print(f"difference {b - a:.1f} ms (bar {BAR_MS:.0f}), ratio {b / a:.2f}")
    if b - a > BAR_MS:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
