"""Attempts from end to end: who probes is told of and stopped on every server, everybody else goes on."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.edge import attempts as edge
from api.edge.keys import user_of_key
from api.runs import callbacks
from api.runs.callbacks import signature
from settings import Settings
from stores.people import usage
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


async def test_bursts_and_an_unusual_day_are_told_of_and_logged(
    guarded: tuple[LiveServer, LiveServer],
    model: OpenAIServer,
    _receiver: CallbackReceiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(edge, "BURST", 5)
    monkeypatch.setattr(edge, "BURST_SECONDS", 0.2)
    monkeypatch.setattr(usage, "COST_LEAST", 500)
    _receiver.callbacks.clear()
    model.respond = lambda _: "Read."
    catalog = guarded[0].settings.data_dir / "catalog.sqlite3"
    async with httpx.AsyncClient(base_url=guarded[0].url, timeout=30) as one:

        async def row_of(name: str) -> dict[str, Any] | None:
            rows = (await one.get(LIST, headers=ADMIN)).json()
            return next((row for row in rows if row["id"] == user_of_key(name) and row["until"]), None)

        async def burst() -> dict[str, Any] | None:
            await asyncio.gather(*(one.get("/api/v1/sessions", headers=BOB) for _ in range(8)))
            return await row_of("bob-key")

        row = await _until(burst)
        assert row["level"] == "slow" and set(row["counts"]) == {"burst"}

        days = [(datetime.now(UTC) - timedelta(days=ago)).date().isoformat() for ago in range(1, 5)]
        with closing(sqlite3.connect(catalog)) as db, db:
            db.executemany(
                "INSERT OR REPLACE INTO usage VALUES (?, '', ?, 3, 100, 3, 0)",
                [(user_of_key("eve-key"), day) for day in days],
            )
        said = (await one.post("/api/v1/chat", json={"message": "Read: " + "word " * 1600}, headers=EVE)).json()
        assert said["usage"]["input_tokens"] > 1000, "ten times the mean of the days before"
        row = await _until(lambda: row_of("eve-key"))
        assert row["level"] == "slow" and row["counts"]["cost"] == 1

        def logged() -> dict[str, dict[str, Any]]:
            with closing(sqlite3.connect(catalog)) as db:
                found = db.execute("SELECT user_id, facts FROM actions WHERE kind = 'attempts'").fetchall()
            return {user: json.loads(facts) for user, facts in found}

        names = {user_of_key("bob-key"), user_of_key("eve-key")}

        async def both() -> dict[str, dict[str, Any]]:
            found = await asyncio.to_thread(logged)
            return found if names <= found.keys() and "cost" in str(found[user_of_key("eve-key")]) else {}

        assert "word" not in str(await _until(both))
        for user in names:
            assert (await one.delete(f"{LIST}/user/{user}", headers=ADMIN)).status_code == 204


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_heavy_day_of_ordinary_use_raises_nothing(
    guarded: tuple[LiveServer, LiveServer], model: OpenAIServer, _receiver: CallbackReceiver
) -> None:
    _receiver.callbacks.clear()
    model.respond = lambda _: "So it is."
    async with httpx.AsyncClient(base_url=guarded[0].url, timeout=60, headers=BOB) as http:

        async def work(desk: int) -> None:
            for number in range(60):
                name = f"day-{desk}-{number // 6}"
                body = {"message": f"What stands in note {number}?", "session_id": name}
                assert (await http.post("/api/v1/chat", json=body)).status_code == 200
                for path in ("sessions", f"sessions/{name}", "tools", "documents"):
                    assert (await http.get(f"/api/v1/{path}", params={"session_id": name})).status_code == 200
                if number % 12 == 0:
                    file = {"file": (f"{name}.txt", f"Note {desk} {number}".encode())}
                    sent = (await http.post("/api/v1/documents", data={"session_id": name}, files=file)).json()[0]
                    assert (await http.delete(f"/api/v1/documents/{sent['id']}")).status_code == 200
                    assert (await http.get(f"/api/v1/documents/{sent['id']}")).status_code == 404, "an old link"

        await asyncio.gather(*(work(desk) for desk in range(4)))
        rows = (await http.get(LIST, headers=ADMIN)).json()
        mine = [row for row in rows if row["id"] == user_of_key("bob-key")]
        assert not any(row["until"] for row in mine) and not _receiver.callbacks, rows
