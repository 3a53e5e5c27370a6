"""How often an effect happens when the server is killed (-9) at each step of its turn.

    python -m bench.effects [--turns 300] [--at-once 50]

Two real servers of one installation (one Redis, one database) take turns: all turns of a batch are held on the one,
each at a step of its own, then it is killed. The other one goes on with them; what it does not go on with is asked for
again there, while the first one starts again for the next batch. The tools write to an endpoint here, which counts what
arrives. Steps:

* asked: the model was asked, no tool was called
* sent: the call has arrived at the other side, which acts on it later, or never
* done: the other side has acted and not answered
* told: the result is on its way to the model
* answering: the answer has begun
* any: at no step in particular, or the machine was too slow to hold it

Printed by step: turns; those that went on by themselves; effects that happened 0, 1, 2 or more times; turns told as
unknown; turns that say `ok` without an effect. Bars: no effect twice, none reported that did not happen, and each that
is 0 told as unknown. `pay_bill` hands on an idempotency key, so it is never unknown: the other side drops what it has
seen, and that counts as once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from api.runs.takeover import LONG_SECONDS
from bench.server_process import ServerProcess
from settings import Settings
from stores.redis.server import open_redis
from tests.standins.openai_server import Answer, Hang, OpenAIServer, Recorded, Step, ToolCall

TURNS, AT_ONCE = 300, 50
STEPS = ("asked", "sent and acted on later", "sent and lost", "done", "told", "answering", "any")
TOOLS = ("send_notice", "pay_bill")
TOKEN = re.compile(r"(?:send_notice|pay_bill)-\d+")
HELD_SECONDS = 60.0
END_SECONDS = 120.0
PLUGIN = {
    "METADATA": "Metadata-Version: 2.1\nName: bench-effects\nVersion: 1\n",
    "entry_points.txt": "[llm_chat_backend.tools]\nbench = bench.effect_tools:SPECS\n",
}


@dataclass
class World:
    """The other side of the tools, and what is to happen to each turn until its batch is released."""

    steps: dict[str, str] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)
    released: threading.Event = field(default_factory=threading.Event)
    acted: Counter[str] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def holds(self, token: str, *steps: str) -> bool:
        """Tell whether a turn is to be held here; it is noted that it has come so far."""
        if self.released.is_set() or self.steps.get(token) not in steps:
            return False
        self.reached.add(token)
        return True

    def act(self, token: str, key: str) -> None:
        """Do what was asked, unless the key says that it was done."""
        with self.lock:
            if not key or key not in self.keys:
                self.acted[token] += 1
            self.keys.add(key)

    def receive(self, token: str, key: str) -> None:
        """Take one request of a tool."""
        if self.holds(token, "sent and lost"):
            self.released.wait(HELD_SECONDS)
        elif self.holds(token, "sent and acted on later"):
            self.released.wait(HELD_SECONDS)
            self.act(token, key)
        else:
            self.act(token, key)
            if self.holds(token, "done"):
                self.released.wait(HELD_SECONDS)

    def respond(self, request: Recorded) -> Step | str:
        """Answer as the model: call the tool, then say that it is done."""
        found = TOKEN.search(request.user_text)
        if found is None:
            return "Fine."
        token, tool = found[0], f"bench__{found[0].partition('-')[0]}"
        if request.messages[-1]["role"] == "tool":
            if self.holds(token, "told"):
                return Hang()
            return Hang(headers=True) if self.holds(token, "answering") else "Done."
        if tool not in request.tools:
            return "Fine."
        return Hang() if self.holds(token, "asked") else Answer(tool_calls=[ToolCall(tool, {"text": token})])


@contextmanager
def endpoint(world: World) -> Iterator[str]:
    """Serve the other side on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            world.receive(body["text"], body["key"])
            try:
                self.send_response(200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"ok")
            except OSError:
                pass

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@dataclass(frozen=True)
class Ended:
    """How a turn ended: its step, the status of its call, how often the effect happened, if it went on by itself."""

    step: str
    tool: str
    status: str
    effects: int
    went_on: bool


def batch(world: World, first: ServerProcess, second: ServerProcess, tokens: Sequence[str]) -> list[Ended]:
    """Start a turn a token on `first`, kill it when all are held, and see how each ends on `second`."""
    world.released.clear()
    world.reached.clear()
    with ThreadPoolExecutor(len(tokens) + 1) as pool:
        asked = [pool.submit(_ask, first.url, token) for token in tokens]
        held = {token for token in tokens if world.steps[token] != "any"}
        until = time.monotonic() + HELD_SECONDS
        while not held <= world.reached and time.monotonic() < until:
            time.sleep(0.01)
        for token in held - world.reached:  # a slow machine: it is killed wherever it is
            world.steps[token] = "any"
        time.sleep(random.uniform(0, 2 * LONG_SECONDS))
        first.kill()
        for future in asked:
            future.result()
        world.released.set()
        restarted = pool.submit(first.__enter__)
        ends = list(pool.map(lambda token: _end(second.url, token), tokens))
        restarted.result()
    return [
        Ended(world.steps[token], token.partition("-")[0], status, world.acted[token], went_on)
        for token, (status, went_on) in zip(tokens, ends, strict=True)
    ]


def _ask(url: str, token: str) -> bool:
    """Take the turn; tell whether it came to an answer before the server went away."""
    try:
        body = {"message": f"Please do this: {token}", "session_id": f"s-{token}"}
        return httpx.post(f"{url}/api/v1/chat", json=body, timeout=END_SECONDS).status_code == 200
    except httpx.HTTPError:
        return False


def _end(url: str, token: str) -> tuple[str, bool]:
    """Wait for the answer in the session, and ask again where none will come: its status, and whether it came."""
    session, went_on, until = f"{url}/api/v1/sessions/s-{token}", True, time.monotonic() + END_SECONDS
    while time.monotonic() < until:
        found = httpx.get(session, timeout=30)
        messages = found.json().get("messages", [])
        if messages and messages[-1]["role"] == "assistant":
            statuses = [run["status"] for run in messages[-1].get("tools", [])]
            return statuses[-1] if statuses else "none", went_on
        if found.status_code == 404 or (messages and messages[-1].get("state") == "interrupted"):
            went_on = False
            if messages:
                body = {"message_id": messages[-1]["message_id"]}
                httpx.post(f"{session}/regenerate", json=body, timeout=END_SECONDS)
            else:
                _ask(url, token)
        time.sleep(0.5)
    return "none", went_on


def run(turns: int, at_once: int, folder: Path) -> list[Ended]:
    """Take `turns` turns, `at_once` at a time, and return how they ended."""
    return asyncio.run(_run(turns, at_once, folder))


async def _run(turns: int, at_once: int, folder: Path) -> list[Ended]:
    async with await open_redis(Settings(data_dir=folder / "redis", _env_file=None)) as redis:
        path = redis.client.connection_pool.connection_kwargs["path"]
        return await asyncio.to_thread(_batches, turns, at_once, folder, f"unix://{path}")


def _batches(turns: int, at_once: int, folder: Path, redis_url: str) -> list[Ended]:
    world, ended = World(), []
    package = folder / "packages" / "bench_effects-1.dist-info"
    package.mkdir(parents=True)
    for name, text in PLUGIN.items():
        (package / name).write_text(text)
    with endpoint(world) as url, OpenAIServer() as model:
        model.respond = world.respond
        values = {
            "LLM_BASE_URL": model.base_url, "LLM_API_KEY": "k", "LLM_MODEL": "m", "EFFECTS_URL": url,
            "PYTHONPATH": os.pathsep.join([str(package.parent), str(Path(__file__).resolve().parents[1])]),
            "PERMISSIONS": json.dumps([{"tool": "*", "decision": "allow"}]), "LLM_TIMEOUT": "120",
            "REDIS_URL": redis_url, "DATABASE_URL": f"sqlite:///{folder / 'catalog.sqlite3'}", "MODEL_TITLES": "no",
        }  # fmt: skip
        with ServerProcess(folder / "one", values) as one, ServerProcess(folder / "other", values) as other:
            pair = [one, other]
            for first in range(0, turns, at_once):
                numbers = range(first, min(turns, first + at_once))
                tokens = [f"{TOOLS[number // len(STEPS) % len(TOOLS)]}-{number}" for number in numbers]
                world.steps = {token: STEPS[number % len(STEPS)] for token, number in zip(tokens, numbers, strict=True)}
                ended += batch(world, pair[0], pair[1], tokens)
                pair.reverse()
                print(f"{len(ended)} of {turns} turns, {len(faults(ended))} break a bar", file=sys.stderr, flush=True)
    return ended


def faults(ended: Sequence[Ended]) -> list[Ended]:
    """Return the turns that break a bar."""
    return [
        one for one in ended
        if one.effects > 1 or one.status not in ("ok", "unknown") or (one.status == "ok" and one.effects != 1)
        or (one.status == "unknown" and one.tool == "pay_bill")
    ]  # fmt: skip


def main() -> None:
    """Run and print a line a step and tool."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--at-once", type=int, default=AT_ONCE)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="effects-") as folder:
        ended = run(given.turns, given.at_once, Path(folder))
    print(f"{'tool':12} {'killed when':26} turns went on  0x  1x 2x+  ok unknown")
    for tool in TOOLS:
        for step in STEPS:
            rows = [one for one in ended if (one.tool, one.step) == (tool, step)]
            counts = Counter(min(one.effects, 2) for one in rows)
            told = Counter(one.status for one in rows)
            times = " ".join(f"{counts[number]:3}" for number in range(3))
            went_on = sum(one.went_on for one in rows)
            print(f"{tool:12} {step:26} {len(rows):5} {went_on:7} {times} {told['ok']:3} {told['unknown']:7}")
    broken = faults(ended)
    print(f"{len(ended)} turns, {len(broken)} break a bar{': ' if broken else ''}{broken or ''}")
    raise SystemExit(bool(broken))


if __name__ == "__main__":
    main()
