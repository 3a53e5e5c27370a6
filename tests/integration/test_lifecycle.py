"""Starting, stopping, starting again: what `make serve` and Ctrl-C do."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, cast

import httpx
import psutil
import pytest
from redis.asyncio import Redis

from api.runs.takeover import LONG_SECONDS
from services import Opening
from settings import Settings
from stores.redis.server import open_redis
from tests.integration.conftest import LEASE, Server, make_pdf
from tests.integration.open_and_close import is_closed
from tests.standins.openai_server import Answer, OpenAIServer, ToolCall

ROOT = Path(__file__).resolve().parents[2]
QUIET = {"MODEL_TITLES": "no", "WEB_SEARCH": "off", "OCR_ENGINE": "off"}


def runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def gone(pids: list[int], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(map(runs, pids)):
            return True
        time.sleep(0.05)
    return False


def test_a_restart_remembers_conversations_and_documents(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", QUIET).start()
    with server.client() as api:
        api.post("/api/v1/chat", json={"message": "My name is Tamsin.", "session_id": "kept"})
        file = {"file": ("lease.pdf", make_pdf(LEASE), "application/pdf")}
        api.post("/api/v1/chat_with_file", data={"message": "Hello", "session_id": "kept"}, files=file)
    children = server.children()
    assert children
    assert server.stop(signal.SIGINT) in (0, -signal.SIGINT)
    assert gone(children, 5), "Ctrl-C ends every child"
    assert "Traceback" not in server.log.read_text("utf-8")

    server.start()
    with server.client() as api:
        answer = api.post("/api/v1/chat", json={"message": "What is my name?", "session_id": "kept"}).json()
        assert "Tamsin" in answer["answer"]
        answer = api.post("/api/v1/chat", json={"message": "How much is the deposit?", "session_id": "kept"}).json()
        assert "2,480" in answer["answer"] and answer["citations"][0]["page"] == 2
        sessions = api.get("/api/v1/sessions").json()["sessions"]
        assert [session["session_id"] for session in sessions] == ["kept"]
    children = server.children()
    server.stop(signal.SIGKILL)
    assert gone(children, 10), "even a killed server leaves nothing running"


def test_a_killed_turn_goes_on_after_the_restart_and_one_that_had_just_begun_is_marked(tmp_path: Path) -> None:
    with OpenAIServer() as model:
        model.respond = lambda _: Answer("word " * 800, pace=0.1)
        values = {**QUIET, "LLM_BASE_URL": model.base_url, "LLM_API_KEY": "key", "LLM_MODEL": "stand-in"}
        server = Server(tmp_path / "data", values).start()

        def shown(session: str) -> list[dict[str, Any]]:
            with server.client() as api:
                return cast("list[dict[str, Any]]", api.get(f"/api/v1/sessions/{session}").json()["messages"])

        with server.client() as api:
            body = {"message": "Count.", "session_id": "long"}
            run = api.post("/api/v1/runs", json=body).raise_for_status().json()["run_id"]
            began = time.monotonic()
            with api.stream("GET", f"/api/v1/runs/{run}/stream") as stream:
                next(
                    line
                    for line in stream.iter_lines()
                    if "word" in line and time.monotonic() - began > LONG_SECONDS + 2
                )
            api.post("/api/v1/runs", json={"message": "Hm.", "session_id": "cut"}).raise_for_status()
            until(lambda: len(model.chats) == 2)
        assert "state" not in shown("cut")[0]
        server.stop(signal.SIGKILL)
        model.respond = lambda _: Answer("One, two.")
        server.start()
        until(lambda: shown("cut")[0].get("state") == "interrupted")
        assert "state" not in shown("long")[0]
        with server.client() as api:
            assert "One, two." in api.get(f"/api/v1/runs/{run}/stream").text
            ends = [(entry["text"], entry.get("state"), entry["run_id"]) for entry in shown("long")]
            assert ends == [("Count.", None, run), ("One, two.", "done", run)]
            retried = api.post("/api/v1/sessions/cut/regenerate", json={"run_id": shown("cut")[0]["run_id"]}).json()
            assert retried["answer"] == "One, two."
            assert [(entry["text"], entry.get("state")) for entry in shown("cut")] == [
                ("Hm.", None),
                ("One, two.", "done"),
            ]
            for session, question in (("long", "Count."), ("cut", "Hm.")):
                api.post("/api/v1/chat", json={"message": "Go on.", "session_id": session})
                said = [message["content"] for message in model.chats[-1].body["messages"]][1:]
                assert said == [question, "One, two.", "Go on."]
        server.stop()


def test_a_question_outlives_a_kill_and_is_answered_once(tmp_path: Path) -> None:
    with OpenAIServer() as model:
        url = f"{model.base_url}/models"
        calls = [ToolCall("calculate", {"expression": "6*7"}), ToolCall("fetch_url", {"url": url})]
        model.script([Answer(tool_calls=calls), Answer("Both are done.")])
        values = {**QUIET, "LLM_BASE_URL": model.base_url, "LLM_API_KEY": "key", "LLM_MODEL": "stand-in",
                  "FETCH_ALLOW_HOSTS": url.split("/")[2]}  # fmt: skip
        server = Server(tmp_path / "data", values).start()
        with server.client() as api:
            waiting = api.post("/api/v1/chat", json={"message": "Look it up.", "session_id": "asks"}).json()
            assert waiting["state"] == "waiting" and waiting["questions"][0]["arguments"] == {"url": url}
        server.stop(signal.SIGKILL)
        server.start()
        with server.client() as api:
            shown = api.get("/api/v1/sessions/asks").json()
            assert shown["waiting"] == {"run_id": waiting["run_id"], "questions": waiting["questions"]}
            assert [entry.get("state") for entry in shown["messages"]] == [None]
            path = f"/api/v1/runs/{waiting['run_id']}"
            answers = {"answers": {waiting["questions"][0]["id"]: {"decision": "approve"}}}
            assert api.post(f"{path}/answers", json=answers).status_code == 202
            until(lambda: api.get(path).json()["state"] == "done")
            assert api.post(f"{path}/answers", json=answers).status_code == 409
            done = api.get(path).json()["result"]
        assert done["answer"] == "Both are done."
        assert [(run["name"], run["status"]) for run in done["tools"]] == [("calculate", "ok"), ("fetch_url", "ok")]
        model.assert_done()
        server.stop()


def until(happened: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_two_instances_run_side_by_side(tmp_path: Path, server: Server) -> None:
    other = Server(tmp_path / "other", QUIET).start()
    try:
        with server.client() as first, other.client() as second:
            first.post("/api/v1/chat", json={"message": "My name is Ansel.", "session_id": "same"})
            answer = second.post("/api/v1/chat", json={"message": "What is my name?", "session_id": "same"}).json()
            assert "Ansel" not in answer["answer"]
    finally:
        other.stop()


def test_it_says_what_every_part_is(server: Server) -> None:
    text = server.log.read_text("utf-8")
    for word in (
        "memory",
        "vectors",
        "chat",
        "vision",
        "embeddings",
        "OCR",
        "search",
        "speech",
        "LLM_API_KEY",
        server.url,
    ):
        assert word in text, word


@pytest.mark.parametrize(
    ("lang", "said"), [("C.UTF-8", "API_KEYS is empty.*Set API_KEYS"), ("zh_CN.UTF-8", "API_KEYS.*请设置")]
)
def test_a_public_bind_without_keys_is_refused(tmp_path: Path, lang: str, said: str) -> None:
    server = Server(tmp_path / "data", {**QUIET, "HOST": "0.0.0.0", "LANG": lang})
    with pytest.raises(AssertionError, match=f"(?s){said}"):
        server.start()
    assert "Traceback" not in server.log.read_text("utf-8")


def test_a_redis_that_dies_is_started_again_and_nothing_is_lost(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", QUIET).start()
    try:
        with server.client() as api:
            api.post("/api/v1/chat", json={"message": "My name is Brigid.", "session_id": "x"})
            next(p for p in map(psutil.Process, server.children()) if "redis-server" in p.name()).kill()
            response = api.post("/api/v1/chat", json={"message": "hello", "session_id": "y"})
            assert response.status_code in (200, 503)
            if response.status_code == 503:
                assert response.json()["error"]["code"] == "memory_unavailable"
            deadline = time.monotonic() + 10
            while api.get("/api/v1/health").status_code != 200:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            answer = api.post("/api/v1/chat", json={"message": "What is my name?", "session_id": "x"}).json()
            assert "Brigid" in answer["answer"]
    finally:
        server.stop()


async def test_without_redis_it_starts_says_so_and_goes_on_when_redis_comes(tmp_path: Path) -> None:
    socket = tmp_path / "r.sock"
    server = Server(tmp_path / "data", {**QUIET, "REDIS_URL": f"unix://{socket}"})
    try:
        await asyncio.to_thread(server.start, 503)
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as api:
            part = (await api.get("/api/v1/health")).json()["parts"]["redis"]
            assert part["state"] == "failed" and "REDIS_URL" in part["detail"]
            response = await api.post("/api/v1/chat", json={"message": "hello", "session_id": "x"})
            assert response.status_code == 503 and response.json()["error"]["code"] == "memory_unavailable"
            async with await open_redis(Settings(data_dir=tmp_path / "redis", _env_file=None)) as redis:
                socket.symlink_to(redis.client.connection_pool.connection_kwargs["path"])
                response = await api.post("/api/v1/chat", json={"message": "hello", "session_id": "x"})
                assert response.status_code == 200, response.text
                assert (await api.get("/api/v1/health")).status_code == 200
            assert (await api.get("/api/v1/health")).status_code == 503
    finally:
        server.stop()


def test_what_was_opened_is_closed(tmp_path: Path) -> None:
    with OpenAIServer() as model:
        model.respond = lambda request: "Five years."
        done = subprocess.run(
            [sys.executable, "-m", "tests.integration.open_and_close", str(tmp_path / "data"), model.base_url],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=110,
            check=True,
        )  # fmt: skip
    seen = json.loads(done.stdout.splitlines()[-1])
    assert {"speech_0", "listener_0", "embed-passage_0", "vectors_0"} <= set(seen["during"]["threads"])
    assert len(seen["during"]["children"]) >= 3 and seen["during"]["sockets"]
    assert seen["during"]["frozen"] > 100_000 and not seen["after"]["frozen"]
    assert is_closed(seen["after"]), seen["after"]
    assert all("AF_UNIX" in socket for socket in seen["after"]["sockets"])
    assert "closing" not in done.stderr


async def test_a_part_that_does_not_close_keeps_no_other_open(settings: Settings) -> None:
    closed: list[str] = []

    class Part:
        def __init__(self, name: str) -> None:
            self.name = name

        async def aclose(self) -> None:
            closed.append(self.name)
            if self.name == "broken":
                raise OSError("no")

    async with AsyncExitStack() as stack:
        opening = Opening(settings, Redis(), stack)
        for part in (Part("first"), Part("broken"), None, Part("last")):
            assert opening.hold(part) is part
    assert closed == ["last", "broken", "first"]
