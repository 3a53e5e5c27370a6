"""A server that is killed (-9) in the middle of long turns: another one goes on with each."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from redis.asyncio import Redis

from api.runs.takeover import LONG_SECONDS
from bench.effects import PLUGIN
from domain.runs import Event, is_takeover
from settings import Settings
from stores.redis.server import open_redis
from stores.redis.unfinished import INDEX
from tests.api.conftest import in_order
from tests.integration.conftest import ROOT, Server
from tests.standins.openai_server import Answer, Hang, OpenAIServer, Recorded, Step, ToolCall

ROUNDS = "Do the three things"
AGENTS = "Ask both specialists"
PLAIN = "Tell me a long story"
STOPPED = "Never come to an end"
KINDS = (ROUNDS, AGENTS, PLAIN)


@dataclass
class World:
    """The model and the other side of the tools; what hangs does so until the first server is killed.

    Attributes:
        killed: Set from then on.
        notices: What arrived of the tool that writes, by text.
        pages: How often the page was asked for; the first one hangs.
        asked: How often the model was, by task.
        told: What it was asked in the turn of several rounds.
        url: Where the other side is.
    """

    killed: threading.Event = field(default_factory=threading.Event)
    notices: Counter[str] = field(default_factory=Counter)
    pages: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    told: list[Recorded] = field(default_factory=list)
    url: str = ""

    def respond(self, request: Recorded) -> Step | str:
        results = [message for message in request.messages if message["role"] == "tool"]
        if "Do the sum" in request.user_text or "Do the search" in request.user_text:
            return self._specialist(request.user_text)
        if ROUNDS in request.user_text:
            self.told.append(request)
            return self._round(len(results))
        if AGENTS in request.user_text and not results and "delegate" in request.tools:
            calls = [ToolCall("delegate", {"agent": agent, "task": f"Do the {task}"}, id=f"call_{agent}")
                     for agent, task in (("analyst", "sum"), ("researcher", "search"))]  # fmt: skip
            return Answer(tool_calls=calls)
        if AGENTS in request.user_text:
            return "Both have reported." if len(results) == 2 else "Fine."
        if PLAIN in request.user_text:
            self.asked["plain"] += 1
            return "Once upon a time, to the end." if self.killed.is_set() else Answer("Once upon " * 300, pace=0.1)
        if STOPPED in request.user_text:
            self.asked["stopped"] += 1
            return Answer("On and on. " * 3000, pace=0.1)
        return "Fine."

    def _round(self, results: int) -> Step | str:
        if results < 2:
            return Answer(f"Thing {results + 1}.", tool_calls=[notice(("one", "two")[results], results)])
        if results == 2:
            calls = [notice("three", 2), ToolCall("fetch_url", {"url": f"{self.url}/page"}, id="call_page")]
            return Answer("The last two.", tool_calls=calls)
        return "All is done."

    def _specialist(self, task: str) -> Step | str:
        self.asked[task] += 1
        if "search" in task and not self.killed.is_set():
            return Hang()
        return "The sum is 42." if "sum" in task else "Nothing was found."


def notice(text: str, number: int) -> ToolCall:
    return ToolCall("bench__send_notice", {"text": text}, id=f"call_{number}")


@contextmanager
def other_side(world: World) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            world.notices[json.loads(self.rfile.read(int(self.headers["content-length"])))["text"]] += 1
            self._say(b"sent")

        def do_GET(self) -> None:
            world.pages += 1
            if world.pages == 1:
                world.killed.wait(60)
            self._say(b"The page is here.")

        def _say(self, body: bytes) -> None:
            try:
                self.send_response(200)
                self.send_header("content-type", "text/plain")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                pass

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    world.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def events(api: httpx.Client, run_id: str, after: int = 0) -> Iterator[Event]:
    number, name = 0, ""
    with api.stream("GET", f"/api/v1/runs/{run_id}/stream", headers={"Last-Event-ID": str(after)}) as response:
        for line in response.iter_lines():
            key, _, value = line.partition(": ")
            if key == "id":
                number = int(value)
            elif key == "event":
                name = value
            elif key == "data":
                yield Event(number, name, json.loads(value))


def until(happened: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)


async def test_another_process_goes_on_with_long_turns_of_a_killed_one(tmp_path: Path) -> None:
    world = World()
    package = tmp_path / "packages" / "bench_effects-1.dist-info"
    package.mkdir(parents=True)
    for name, text in PLUGIN.items():
        (package / name).write_text(text)
    async with await open_redis(Settings(data_dir=tmp_path / "redis", _env_file=None)) as redis:
        with other_side(world), OpenAIServer() as model:
            model.respond = world.respond
            values = {
                "LLM_BASE_URL": model.base_url, "LLM_API_KEY": "k", "LLM_MODEL": "m", "EFFECTS_URL": world.url,
                "REDIS_URL": f"unix://{redis.client.connection_pool.connection_kwargs['path']}",
                "PYTHONPATH": os.pathsep.join([str(package.parent), str(ROOT)]), "WEB_SEARCH": "off",
                "PERMISSIONS": json.dumps([{"tool": "*", "decision": "allow"}]), "OCR_ENGINE": "off",
                "FETCH_ALLOW_HOSTS": world.url.removeprefix("http://"), "MODEL_TITLES": "no",
                "MEMORY_EXTRACTION": "rules",
                "DATABASE_URL": f"sqlite:///{tmp_path / 'shared.sqlite3'}",
            }  # fmt: skip
            first = Server(tmp_path / "data", values, command=True)
            second = Server(tmp_path / "other", values)
            try:
                await asyncio.gather(*(asyncio.to_thread(server.start) for server in (first, second)))
                await play(first, second, world, redis.client)
            finally:
                for server in (first, second):
                    if server.process is not None and server.process.poll() is None:
                        server.stop()


async def play(first: Server, second: Server, world: World, redis: Redis) -> None:
    runs: dict[str, str] = {}
    seen: list[Event] = []
    with first.client() as api:
        for text in (ROUNDS, AGENTS, PLAIN, STOPPED):
            body = {"message": text, "session_id": text.split()[0], "temporary": text == STOPPED}
            runs[text] = api.post("/api/v1/runs", json=body).raise_for_status().json()["run_id"]
        until(lambda: world.pages == 1 and world.notices["three"] == 1 and world.asked["Do the search"] == 1)
        began = time.monotonic()
        for event in events(api, runs[PLAIN]):
            seen.append(event)
            if event[1] == "token" and time.monotonic() - began > LONG_SECONDS + 1:
                break
        assert first.process is not None
        first.process.kill()
        first.process.wait(10)
    world.killed.set()
    with second.client() as api:
        assert api.get(f"/api/v1/runs/{runs[ROUNDS]}").json()["state"] == "running", "it is not lost"
        assert "state" not in api.get("/api/v1/sessions/Do").json()["messages"][-1]
        done = {text: list(events(api, runs[text], seen[-1].number if text == PLAIN else 0)) for text in KINDS}
        check_rounds(done[ROUNDS], runs[ROUNDS], api, world)
        check_agents(done[AGENTS], api, world)
        check_plain(seen, done[PLAIN])
        until(lambda: world.asked["stopped"] == 2)
        assert api.post(f"/api/v1/runs/{runs[STOPPED]}/stop").json()["state"] == "stopped"
        assert api.delete("/api/v1/sessions/Never").status_code == 200
        until(lambda: not api.get(f"/api/v1/runs/{runs[AGENTS]}").is_error)
    assert not await redis.keys("run:*:steps") and not await redis.smembers(INDEX), "nothing of it stays"


def check_rounds(found: list[Event], run_id: str, api: httpx.Client, world: World) -> None:
    end = found[-1].data
    assert in_order(found), "one stream, without holes"
    assert [event.data["begins_again"] for event in found if is_takeover(event)] == ["step"]
    assert (end["run_id"], end["state"], end["answer"]) == (run_id, "done", "All is done.")
    assert world.notices == Counter(one=1, two=1, three=1), "what was finished is not done again"
    assert world.pages == 2, "what was not is"
    assert [(tool["call_id"], tool["status"]) for tool in end["tools"]] == [
        ("call_0", "ok"), ("call_1", "ok"), ("call_2", "ok"), ("call_page", "ok")
    ]  # fmt: skip
    assert end["spent"]["calls"] == 9, "four answers of the model, four calls, and the one that was cut short"
    last = world.told[-1].messages
    assert [message["role"] for message in last if message["role"] == "tool"] == ["tool"] * 4
    assert "sent" in last[3]["content"] and "The page is here." in last[-1]["content"]
    question, answer = api.get("/api/v1/sessions/Do").json()["messages"]
    assert question["text"] == ROUNDS and (answer["text"], answer["run_id"]) == ("All is done.", run_id)
    assert [step["text"] for step in answer["steps"]] == ["Thing 1.", "Thing 2.", "The last two."]
    assert [step["tools"] for step in answer["steps"]] == [1, 2, 4]


def check_agents(found: list[Event], api: httpx.Client, world: World) -> None:
    end = found[-1].data
    assert end["answer"] == "Both have reported." and {run["status"] for run in end["agents"]} == {"ok"}
    assert world.asked["Do the sum"] == 1 and world.asked["Do the search"] == 2
    assert "The sum is 42." in api.get("/api/v1/sessions/Ask/export").text or end["agents"]


def check_plain(seen: list[Event], found: list[Event]) -> None:
    assert in_order([*seen, *found]), "nothing of the other process is missed, whatever was seen of the first"
    at = next(place for place, event in enumerate(found) if is_takeover(event))
    assert found[at].data["begins_again"] == "turn"
    text = "".join(event.data["text"] for event in found[at:] if event.name == "token")
    assert text == found[-1].data["answer"] == "Once upon a time, to the end."
