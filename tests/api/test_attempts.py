"""Attempts from end to end: who probes is told of and stopped on every server, everybody else goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.edge import attempts as edge
from api.edge.keys import user_of_key
from api.runs import callbacks
from api.runs.callbacks import signature
from settings import Settings
from tests.live_server import LiveServer
from tests.standins.callback_receiver import CallbackReceiver
from tests.standins.openai_server import Answer, OpenAIServer, ToolCall

ADMIN, EVE, BOB = ({"authorization": f"Bearer {name}-key"} for name in ("admin", "eve", "bob"))
LIST = "/api/v1/admin/attempts"


@pytest.fixture(scope="module")
def guarded(
    _model_server: OpenAIServer, _receiver: CallbackReceiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[LiveServer, LiveServer]]:
    folder: Path = tmp_path_factory.mktemp("attempts")
    settings = Settings(
        data_dir=folder, llm_base_url=_model_server.base_url, llm_api_key="key", llm_model="stand-in",
        llm_max_retries=0, ocr_engine="off", tts_engine="off", web_search="off", memory_extraction="rules",
        api_keys="admin-key,eve-key,bob-key", attempts="stop", attempts_webhook=_receiver.url,
        callback_secret="callback-secret", fetch_allow_hosts=_receiver.address,
        permissions=[{"tool": "calculate", "decision": "deny"}], _env_file=None,
    )  # fmt: skip
    with LiveServer(settings) as one, LiveServer(settings) as two:
        yield one, two


@pytest.fixture(autouse=True)
def _no_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "DELAY", 0.0)
    monkeypatch.setattr(callbacks, "PAUSES", (0.05, 0.05))


async def _until(ask: Callable[[], Any]) -> Any:
    async with asyncio.timeout(10):
        while not (found := await ask()):
            await asyncio.sleep(0.02)
    return found


async def test_who_probes_is_told_of_stopped_everywhere_and_let_go_on_by_an_administrator(
    guarded: tuple[LiveServer, LiveServer], model: OpenAIServer, _receiver: CallbackReceiver
) -> None:
    _receiver.callbacks.clear()
    async with (
        httpx.AsyncClient(base_url=guarded[0].url, timeout=30) as one,
        httpx.AsyncClient(base_url=guarded[1].url, timeout=30) as two,
    ):
        files = [("file", (f"{number}.txt", f"Bob's words {number}".encode())) for number in range(12)]
        his = (await one.post("/api/v1/documents", data={"session_id": "b"}, files=files, headers=BOB)).json()
        assert len(his) == 12

        async def stopped() -> httpx.Response | None:
            refused = await two.get("/api/v1/sessions", headers=EVE)
            return refused if refused.status_code == 429 else None

        for document in his:
            asked = await one.get(f"/api/v1/documents/{document['id']}", headers=EVE)
            assert asked.status_code in (404, 429)
        refused = await _until(stopped)
        assert refused.json()["error"]["code"] == "held_back" and 0 < int(refused.headers["retry-after"]) <= 901
        assert (await one.post("/v1/chat/completions", json={}, headers=EVE)).status_code == 429
        assert (await one.get("/api/v1/sessions", headers=BOB)).status_code == 200
        assert (await one.get(LIST, headers=BOB)).json()["error"]["code"] == "admin_needed"
        [row] = (await two.get(LIST, headers=ADMIN)).json()
        assert (row["kind"], row["id"], row["level"]) == ("user", user_of_key("eve-key"), "stop")
        assert set(row["counts"]) == {"foreign_id"} and row["until"]
        told = await _receiver.received(2)
        assert {json.loads(callback.body)["level"] for callback in told} == {"slow", "stop"}
        for callback in told:
            stamp = callback.headers["x-timestamp"]
            assert callback.headers["x-signature"] == signature("callback-secret", stamp, callback.body)
            assert json.loads(callback.body)["user"] == row["id"] and b"Bob" not in callback.body
        metrics = (await one.get("/metrics", headers=ADMIN)).text
        assert 'llmchat_attempt_events_total{level="stop"}' in metrics
        assert (await one.delete(f"{LIST}/user/{row['id']}", headers=ADMIN)).status_code == 204
        assert (await one.delete(f"{LIST}/user/{row['id']}", headers=ADMIN)).status_code == 404

        async def free() -> bool:
            return (await two.get("/api/v1/sessions", headers=EVE)).status_code == 200

        await _until(free)


async def test_guessing_keys_stops_the_address_and_a_turn_notes_what_the_rules_deny(
    guarded: tuple[LiveServer, LiveServer], model: OpenAIServer
) -> None:
    async with httpx.AsyncClient(base_url=guarded[0].url, timeout=30) as one:
        model.script([Answer(tool_calls=[ToolCall("calculate", {"expression": "6*7"})]), Answer("It is not allowed.")])
        answer = await one.post("/api/v1/chat", json={"message": "What is 6*7?"}, headers=EVE)
        assert [tool["code"] for tool in answer.json()["tools"]] == ["not_permitted"]

        async def noted() -> list[dict[str, int]]:
            return [row["counts"] for row in (await one.get(LIST, headers=ADMIN)).json()]

        assert await _until(noted) == [{"refused_call": 1}]

        async def guessed() -> bool:
            wrong = await one.get("/api/v1/tools", headers={"x-api-key": "guess"})
            return bool(wrong.json()["error"]["code"] == "held_back")

        await _until(guessed)
        assert (await one.get("/api/v1/tools", headers=BOB)).status_code == 429, "a right guess is not told either"
        assert (await one.get("/api/v1/health")).status_code == 200
        assert (await one.get("/api/v1/tools", headers=ADMIN)).status_code == 200, "who can lift it is not locked out"
        held = [row for row in (await one.get(LIST, headers=ADMIN)).json() if row["kind"] == "address"]
        assert (await one.delete(f"{LIST}/address/{held[0]['id']}", headers=ADMIN)).status_code == 204
        assert (await one.get("/api/v1/tools", headers=BOB)).status_code == 200
