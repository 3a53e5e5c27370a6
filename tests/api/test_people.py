"""Users, keys, quotas, usage and profiles, through a server that asks for keys."""

from __future__ import annotations

import io
import json
import socket
import time
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from api.edge.keys import user_of_key
from domain.tokens import count_tokens
from settings import Settings
from tests.api.test_approvals import SPEC as NOTE
from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, OpenAIServer, ToolCall
from tools.permissions import RULES


@pytest.fixture(scope="module")
def keyed(_model_server: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder: Path = tmp_path_factory.mktemp("people") / "data"
    settings = Settings(
        data_dir=folder, llm_base_url=_model_server.base_url, llm_model="stand-in", llm_max_retries=0,
        ocr_engine="off", tts_engine="off", web_search="off", memory_extraction="rules",
        api_keys=("root-key-of-the-operator", "second-key-of-a-user"), _env_file=None,
    )  # fmt: skip
    with LiveServer(settings) as live:
        yield live


def call(live: LiveServer, key: str, method: str, path: str, **more: Any) -> httpx.Response:
    with httpx.Client(
        base_url=live.url, timeout=30, trust_env=False, verify=False, headers={"Authorization": f"Bearer {key}"}
    ) as http:
        return http.request(method, f"/api/v1/{path}", **more)


ROOT, SECOND = "root-key-of-the-operator", "second-key-of-a-user"


def made(live: LiveServer, name: str, **more: Any) -> dict[str, Any]:
    answer = call(live, ROOT, "POST", "admin/users", json={"name": name, **more})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_user_keeps_their_data_when_a_key_is_replaced(keyed: LiveServer, model: OpenAIServer) -> None:
    ann = made(keyed, "Ann")
    old = ann["key"]
    assert old.startswith("lcb_") and ann["keys"][0]["prefix"] == old[:10]
    asked = call(keyed, old, "POST", "chat", json={"message": "Hello!", "session_id": "s"})
    assert asked.status_code == 200, asked.text
    new = call(keyed, old, "POST", "keys", json={"name": "laptop", "days": 30}).json()
    first = next(key for key in call(keyed, new["key"], "GET", "keys").json() if key["name"] == "first")
    assert call(keyed, new["key"], "DELETE", f"keys/{first['id']}").status_code == 204
    assert call(keyed, old, "GET", "me").status_code == 401
    assert call(keyed, new["key"], "GET", "sessions/s").status_code == 200
    assert call(keyed, SECOND, "GET", "sessions/s").status_code == 404
    me = call(keyed, new["key"], "GET", "me").json()
    assert (me["user_id"], me["name"], me["role"]) == (ann["id"], "Ann", "user")


def test_no_key_is_kept_and_a_wrong_one_does_not_work(keyed: LiveServer) -> None:
    key = made(keyed, "Eve")["key"]
    raw = b"".join(path.read_bytes() for path in keyed.settings.data_dir.glob("catalog.sqlite3*"))
    assert key.encode() not in raw and key[:10].encode() in raw
    for wrong in (key[:-1], key + "x", "lcb_", "lcb_" + "a" * 43):
        assert call(keyed, wrong, "GET", "me").status_code == 401


def test_administrators_alone_see_users_and_never_what_they_wrote(keyed: LiveServer, model: OpenAIServer) -> None:
    bob = made(keyed, "Bob")
    secret = "the walrus sleeps at noon"
    assert call(keyed, bob["key"], "POST", "chat", json={"message": secret, "session_id": "b"}).status_code == 200
    for path in ("admin/users", "admin/usage"):
        assert call(keyed, bob["key"], "GET", path).status_code == call(keyed, SECOND, "GET", path).status_code == 403
        seen = call(keyed, ROOT, "GET", path)
        assert seen.status_code == 200 and bob["id"] in seen.text and "walrus" not in seen.text
    disabled = call(keyed, ROOT, "PATCH", f"admin/users/{bob['id']}", json={"disabled": True})
    assert disabled.json()["disabled"] is True
    time.sleep(1.1)
    assert call(keyed, bob["key"], "GET", "me").status_code == 401
    assert call(keyed, ROOT, "PATCH", "admin/users/nobody", json={"name": "x"}).status_code == 404
    assert call(keyed, ROOT, "PATCH", f"admin/users/{bob['id']}", json={"role": None}).status_code == 422
    assert call(keyed, ROOT, "POST", "admin/users", json={"name": "x", "quota": {"seconds": 3}}).status_code == 422


def test_a_day_that_is_used_up_ends_with_a_clear_refusal(keyed: LiveServer, model: OpenAIServer) -> None:
    cy = made(keyed, "Cy", quota={"calls": 1})
    question = {"message": "Hello there, tell me about walruses", "session_id": "c"}
    assert call(keyed, cy["key"], "POST", "chat", json=question).status_code == 200
    refused = call(keyed, cy["key"], "POST", "chat", json=question)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "daily_quota_spent")
    assert 0 < int(refused.headers["retry-after"]) <= 86_401
    (day,) = call(keyed, cy["key"], "GET", "usage").json()
    assert day["turns"] == 1 and day["calls"] >= 1 and day["tokens"] > 0
    raised = call(keyed, ROOT, "PATCH", f"admin/users/{cy['id']}", json={"quota": None})
    assert raised.json()["quota"] is None
    assert call(keyed, cy["key"], "POST", "chat", json=question).status_code == 200


def test_calls_outside_of_turns_count_and_end_with_the_day(keyed: LiveServer) -> None:
    kim = made(keyed, "Kim", quota={"calls": 2})
    vectors = {"model": "m", "input": ["Hello there"]}
    tool = {"name": "list_documents", "arguments": {}}
    listed = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": tool}
    accepts = {"accept": "application/json, text/event-stream"}
    calls: dict[str, dict[str, Any]] = {
        "../../v1/embeddings": {"json": vectors},
        "../../mcp": {"json": listed, "headers": accepts},
    }
    for path, given in calls.items():
        assert call(keyed, kim["key"], "POST", path, **given).status_code == 200, path
    (day,) = call(keyed, kim["key"], "GET", "usage").json()
    assert (day["turns"], day["calls"]) == (0, 2)
    for path, given in calls.items():
        assert "daily_quota_spent" in call(keyed, kim["key"], "POST", path, **given).text, path


def test_a_key_has_a_quota_of_its_own_and_opens_no_way_around_it(keyed: LiveServer, model: OpenAIServer) -> None:
    lea = made(keyed, "Lea", role="admin")
    body = {"name": "script", "quota": {"calls": 1}}
    script = call(keyed, lea["key"], "POST", "keys", json=body).json()
    assert script["quota"] == {"calls": 1} and script["today"]["turns"] == 0
    question = {"message": "Hello there, tell me about walruses", "session_id": "l"}
    assert call(keyed, script["key"], "POST", "chat", json=question).status_code == 200
    refused = call(keyed, script["key"], "POST", "chat", json=question)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "daily_quota_spent")
    assert "of this key" in refused.text
    refused = call(
        keyed,
        script["key"],
        "POST",
        "../../v1/chat/completions",
        json={"model": "m", "messages": [{"role": "user", "content": "你好，介绍一下海象"}]},
    )
    assert refused.status_code == 429 and "此密钥的今日配额已用完" in refused.json()["error"]["message"]
    assert call(keyed, lea["key"], "POST", "chat", json=question).status_code == 200, "the user's other keys go on"
    listed = {one["name"]: one for one in call(keyed, lea["key"], "GET", "keys").json()}
    assert [listed[name]["today"]["turns"] for name in ("first", "script")] == [1, 1]
    assert call(keyed, lea["key"], "GET", f"usage?key={script['id']}").json()[0]["turns"] == 1
    assert call(keyed, lea["key"], "GET", "usage").json()[0]["turns"] == 2
    assert call(keyed, script["key"], "GET", "me").json()["role"] == "user", "it administers nothing"
    for method, path in (("POST", "keys"), ("DELETE", f"keys/{script['id']}")):
        given = {"json": {"name": "another"}} if method == "POST" else {}
        refused = call(keyed, script["key"], method, path, **given)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "key_is_limited")
    assert call(keyed, lea["key"], "POST", "keys", json={"name": "x", "quota": {"agents": 1}}).status_code == 422


def test_a_request_takes_nothing_over_from_the_one_before_it_on_its_connection(
    keyed: LiveServer, model: OpenAIServer
) -> None:
    ida = made(keyed, "Ida")
    call(keyed, ida["key"], "PUT", "profile", json={"pii": "block"})
    script = call(keyed, ida["key"], "POST", "keys", json={"name": "script", "quota": {"calls": 1}}).json()
    body = json.dumps({"message": "Write to jo@corp.example", "session_id": "one"})
    with socket.create_connection(("127.0.0.1", httpx.URL(keyed.url).port or 0), timeout=30) as connection:
        for key, more in ((script["key"], ""), (SECOND, ""), (SECOND, "Connection: close\r\n")):
            head = f"POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n{more}"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(f"{head}{body}".encode())
        answered = b"".join(iter(lambda: connection.recv(65_536), b"")).split(b"HTTP/1.1 ")[1:]
    assert b"personal_data" in answered[0] and [answer[:3] for answer in answered[1:]] == [b"200", b"200"], answered
    listed = {one["name"]: one for one in call(keyed, ida["key"], "GET", "keys").json()}
    assert listed["script"]["today"]["turns"] == 0


def test_a_turn_that_waits_counts_at_once_and_a_key_with_a_quota_has_no_rights_of_administrators(
    keyed: LiveServer, model: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = keyed.app.state.backend.services
    monkeypatch.setattr(services.tools, "_foreign", {})
    services.tools.set_foreign([NOTE], {})
    allowed = RULES.validate_python([{"tool": "send_*", "decision": "allow", "roles": ["admin"]}])
    monkeypatch.setattr(services.permissions, "_rules", allowed)
    kay = made(keyed, "Kay", role="admin")
    script = call(keyed, kay["key"], "POST", "keys", json={"name": "script", "quota": {"calls": 3}}).json()
    wanted = Answer(tool_calls=[ToolCall("send_note", {"to": "jo", "text": "late"})])
    model.respond = lambda request: "Done." if request.messages[-1]["role"] == "tool" else wanted

    def ask(key: str, session: str) -> dict[str, Any]:
        sent = {"message": "Please do it", "session_id": session}
        body: dict[str, Any] = call(keyed, key, "POST", "chat", json=sent).json()
        return body

    def used() -> tuple[int, int]:
        (today,) = call(keyed, kay["key"], "GET", f"usage?key={script['id']}").json()
        return today["turns"], today["calls"]

    assert ask(kay["key"], "own")["state"] == "done"
    waiting = ask(script["key"], "first")
    assert waiting["state"] == "waiting" and used() == (1, 1)
    answers = {"answers": {"*": {"decision": "refuse"}}}
    assert call(keyed, script["key"], "POST", f"runs/{waiting['run_id']}/answers", json=answers).status_code == 202
    for _ in range(200):
        if used() != (1, 1):
            break
        time.sleep(0.02)
    assert used() == (1, 2), "what was counted is not counted again"
    assert ask(script["key"], "second")["state"] == "waiting"
    assert ask(script["key"], "third")["error"]["code"] == "daily_quota_spent"


def test_a_profile_shapes_the_prompt_within_its_tokens(keyed: LiveServer, model: OpenAIServer) -> None:
    dee = made(keyed, "Dee")["key"]
    profile = {"name": "Dee", "length": "short", "time_zone": "Asia/Shanghai", "interests": "x " * 39}
    assert call(keyed, dee, "PUT", "profile", json=profile).json()["name"] == "Dee"
    call(keyed, dee, "POST", "chat", json={"message": "Explain tides", "session_id": "d"})
    system = str(model.chats[-1].messages[0]["content"])
    line = next(line for line in system.splitlines() if "how they want to be answered" in line)
    assert (
        "(Asia/Shanghai) where they are" in line
        and "call them Dee" in line
        and "length: short" in line
        and count_tokens(line) <= 120
    )
    call(keyed, dee, "POST", "chat", json={"message": "解释潮汐", "session_id": "d2"})
    assert "称呼其为Dee" in str(model.chats[-1].messages[0]["content"])
    call(keyed, dee, "POST", "chat", json={"message": "Explain tides", "session_id": "d3", "profile": False})
    assert "call them Dee" not in str(model.chats[-1].messages[0]["content"])
    for bad in ({"time_zone": "Mars/Base"}, {"length": "epic"}, {"shoe": "43"}, {"name": "x" * 61}):
        assert call(keyed, dee, "PUT", "profile", json=bad).status_code == 422, bad


def learned(live: LiveServer, key: str, count: int) -> list[dict[str, Any]]:
    """What was learned, as soon as it is so many items: it is done after the answer."""
    for _ in range(200):
        found: list[dict[str, Any]] = call(live, key, "GET", "profile/learned").json()["learned"]
        if len(found) == count:
            return found
        time.sleep(0.02)
    raise AssertionError(found)


def learned_alone(live: LiveServer, key: str, value: str) -> dict[str, Any]:
    """The only thing that was learned, as soon as it has this value: a newer one takes the place of the one before."""
    for _ in range(200):
        (found,) = learned(live, key, 1)
        if found["value"] == value:
            return found
        time.sleep(0.02)
    raise AssertionError(found)


def test_a_profile_is_learned_used_overruled_and_forgotten_for_good(keyed: LiveServer, model: OpenAIServer) -> None:
    gus = made(keyed, "Gus")["key"]

    def ask(message: str, session: str, **more: Any) -> str:
        body = {"message": message, "session_id": session, **more}
        assert call(keyed, gus, "POST", "chat", json=body).status_code == 200
        return str(model.chats[-1].messages[0]["content"])

    ask("Call me Gus. From now on keep your answers short. Always use bullet points.", "p1")
    found = {one["field"]: one for one in learned(keyed, gus, 3)}
    assert {name: one["value"] for name, one in found.items()} == {
        "name": "Gus", "length": "short", "format": "bullet points",
    }  # fmt: skip
    name = found["name"]
    assert (name["said"], name["session_id"], name["used"]) == ("Call me Gus.", "p1", True) and name["run_id"]
    line = next(line for line in ask("Explain tides", "p2").splitlines() if "how they want to be answered" in line)
    assert "call them Gus; length: short; form: bullet points" in line and count_tokens(line) <= 120
    assert "Gus" not in ask("Explain tides", "p3", profile=False)
    assert call(keyed, gus, "PUT", "profile", json={"length": "long"}).json() == {"length": "long"}
    assert "length: long" in ask("Explain tides", "p4")
    assert {one["field"]: one["used"] for one in learned(keyed, gus, 3)}["length"] is False
    assert call(keyed, SECOND, "DELETE", f"profile/learned/{name['id']}").status_code == 404
    assert call(keyed, gus, "DELETE", f"profile/learned/{name['id']}").status_code == 204
    assert call(keyed, gus, "DELETE", f"profile/learned/{name['id']}").status_code == 404
    assert "Gus" not in ask("Explain tides", "p5")
    ask("Call me Gus. I'm an expert in sailing.", "p6")
    assert {one["field"] for one in learned(keyed, gus, 3)} == {"length", "format", "expertise"}
    for left_out in ({"profile": False}, {"memory": False}, {"persona": "teacher"}):
        ask("I am interested in astronomy.", "p7", **left_out)
    ask('Translate this: "Call me Ishmael."', "p8")
    ask("Should I always use tables in my answers?", "p8")
    ask("I'm interested in geology.", "p9")
    assert {one["value"] for one in learned(keyed, gus, 4)} >= {"geology", "sailing"}
    with zipfile.ZipFile(io.BytesIO(call(keyed, gus, "GET", "user/export").content)) as archive:
        assert "geology" in archive.read("profile_learned.json").decode()
    assert call(keyed, gus, "DELETE", "user").status_code == 200
    assert call(keyed, gus, "GET", "profile/learned").json() == {"learned": []}


def test_today_is_the_users_day(keyed: LiveServer, model: OpenAIServer) -> None:
    zoe = made(keyed, "Zoe")["key"]
    zones = ("Pacific/Kiritimati", "Pacific/Pago_Pago")  # never the same day

    def day(zone: str) -> str:
        return f"{datetime.now(ZoneInfo(zone)):%Y-%m-%d}"

    def ask(message: str, **more: Any) -> str:
        model.script([Answer(tool_calls=[ToolCall("current_time", {})]), "It is."])
        body = {"message": message, "session_id": "z", **more}
        assert call(keyed, zoe, "POST", "chat", json=body).status_code == 200
        told = next(one["content"] for one in reversed(model.chats[-1].messages) if one["role"] == "tool")
        return f"{model.chats[-1].messages[0]['content']} {told}"

    for zone in zones:
        prompt = ask("What time is it now?", time_zone=zone)
        assert prompt.count(day(zone)) == 2 and zone in prompt, prompt
    item = learned_alone(keyed, zoe, zones[1])
    assert (item["field"], item["said"]) == ("time_zone", "")
    assert zones[1] in ask("What time is it now?")
    assert zones[1] in ask("What time is it now?", time_zone="Mars/Base")
    ask("My time zone is Asia/Tokyo. What time is it now?")
    learned_alone(keyed, zoe, "Asia/Tokyo")
    assert "Asia/Tokyo" in ask("What time is it now?", time_zone=zones[0])
    call(keyed, zoe, "PUT", "profile", json={"time_zone": "Europe/Paris"})
    assert "Europe/Paris" in ask("What time is it now?", time_zone=zones[0])


async def test_without_keys_the_one_local_user_administers_and_no_keys_are_made(client: httpx.AsyncClient) -> None:
    me = (await client.get("/api/v1/me")).json()
    assert (me["user_id"], me["role"]) == ("local", "admin")
    refused = await client.post("/api/v1/keys", json={"name": "x"})
    assert refused.status_code == 422 and "API_KEYS" in refused.json()["error"]["message"]


def test_users_of_the_settings_are_listed_and_can_have_a_quota_and_others_can_be_deleted(
    keyed: LiveServer, model: OpenAIServer
) -> None:
    second = user_of_key(SECOND)
    listed = {one["id"]: one for one in call(keyed, ROOT, "GET", "admin/users").json()}
    assert listed[user_of_key(ROOT)]["role"] == "admin" and listed[second]["role"] == "user"
    changed = call(keyed, ROOT, "PATCH", f"admin/users/{second}", json={"name": "Second", "quota": {"calls": 3}})
    assert (changed.json()["name"], changed.json()["quota"]) == ("Second", {"calls": 3})
    assert call(keyed, ROOT, "PATCH", f"admin/users/{second}", json={"disabled": True}).status_code == 422
    fay = made(keyed, "Fay")
    assert call(keyed, fay["key"], "POST", "chat", json={"message": "Hello", "session_id": "f"}).status_code == 200
    receipt = call(keyed, ROOT, "DELETE", f"admin/users/{fay['id']}").json()
    assert receipt["removed"] > 0
    assert call(keyed, fay["key"], "GET", "me").status_code == 401
    assert call(keyed, ROOT, "DELETE", f"admin/users/{fay['id']}").status_code == 404
