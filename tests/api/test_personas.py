"""Personas through a server that asks for keys: written, shared, taken along, and what they bring into a turn."""

from __future__ import annotations

import io
import json
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from settings import Settings
from tests.api.test_people import ROOT, SECOND, call, made
from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, OpenAIServer, ToolCall


@pytest.fixture(scope="module")
def keyed(_model_server: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder: Path = tmp_path_factory.mktemp("personas") / "data"
    settings = Settings(
        data_dir=folder, llm_base_url=_model_server.base_url, llm_model="stand-in", llm_max_retries=0,
        llm_models=("other-model",), ocr_engine="off", tts_engine="off", web_search="off", memory_extraction="rules",
        personas={"house": "You are the voice of the house."}, api_keys=(ROOT, SECOND), _env_file=None,
    )  # fmt: skip
    with LiveServer(settings) as live:
        yield live


def write(live: LiveServer, key: str, name: str, **more: Any) -> dict[str, Any]:
    answer = call(live, key, "POST", "personas", json={"name": name, "prompt": f"You are {name}.", **more})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def ask(live: LiveServer, key: str, message: str, session: str, **more: Any) -> dict[str, Any]:
    answer = call(live, key, "POST", "chat", json={"message": message, "session_id": session, **more})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def system(model: OpenAIServer) -> str:
    return str(model.chats[-1].messages[0]["content"])


def test_own_ones_are_private_and_shared_ones_cannot_be_changed_by_others(keyed: LiveServer) -> None:
    ann, bob = made(keyed, "Ann")["key"], made(keyed, "Bob")["key"]
    poet = write(keyed, ann, "Poet", tone="dreamy", opening="Hello {{user_name}}.")
    assert (poet["mine"], poet["shared"], poet["greeting"], poet["memory"]) == (True, False, "Hello Ann.", "shared")
    for method in ("GET", "PATCH", "DELETE"):
        body = {"json": {"tone": "x"}} if method == "PATCH" else {}
        assert code(call(keyed, bob, method, f"personas/{poet['id']}", **body)) == (404, "no_such_persona")
    assert code(call(keyed, bob, "GET", f"personas/{poet['id']}/export"))[0] == 404
    listed = call(keyed, bob, "GET", "personas").json()
    assert (listed["own"], listed["may_share"]) == ([], False)
    assert (
        listed["personas"]["teacher"]["zh"] and listed["personas"]["house"]["en"] == "You are the voice of the house."
    )
    for refused in (
        call(keyed, ann, "PATCH", f"personas/{poet['id']}", json={"shared": True}),
        call(keyed, ann, "POST", "personas", json={"name": "All", "prompt": "x", "shared": True}),
    ):
        assert code(refused) == (403, "admin_needed")
    coach = write(keyed, ROOT, "Coach", shared=True)
    (seen,) = call(keyed, bob, "GET", "personas").json()["shared"]
    assert (seen["id"], seen["mine"], seen["prompt"]) == (coach["id"], False, "You are Coach.")
    assert code(call(keyed, bob, "PATCH", f"personas/{coach['id']}", json={"tone": "x"})) == (403, "persona_of_others")
    assert code(call(keyed, bob, "DELETE", f"personas/{coach['id']}")) == (403, "persona_of_others")
    assert call(keyed, ROOT, "PATCH", f"personas/{coach['id']}", json={"shared": False}).json()["shared"] is False
    assert call(keyed, bob, "GET", "personas").json()["shared"] == []


def test_what_cannot_be_kept_is_refused_with_its_reason(keyed: LiveServer) -> None:
    ann = made(keyed, "Ann")["key"]
    poet, _ = write(keyed, ann, "Poet"), write(keyed, ann, "Other")
    for fields, wanted in (
        ({"prompt": "Dear {{user_nam}}"}, (422, "unknown_variable")),
        ({"prompt": "{{ ''.__class__ }}"}, (422, "unknown_variable")),
        ({"opening": "{{7*7}}"}, (422, "unknown_variable")),
        ({"name": "Poet"}, (409, "persona_exists")),
        ({"name": "teacher"}, (409, "persona_exists")),
        ({"name": "a\nb"}, (422, "bad_input")),
        ({"name": " "}, (422, "bad_input")),
        ({"prompt": "x" * 20_001}, (422, "bad_input")),
        ({"model": "nobodys"}, (404, "unknown_model")),
        ({"memory": "none"}, (422, "bad_input")),
        ({"colour": "red"}, (422, "bad_input")),
    ):
        body = {"name": "New", "prompt": "You are new.", **fields}
        assert code(call(keyed, ann, "POST", "personas", json=body)) == wanted, fields
    refused = call(keyed, ann, "PATCH", f"personas/{poet['id']}", json={"prompt": "{{who}}"})
    assert "'who'" in refused.json()["error"]["message"] and "user_name" in refused.json()["error"]["remedy"]
    assert code(call(keyed, ann, "PATCH", f"personas/{poet['id']}", json={"name": "Other"})) == (409, "persona_exists")
    changed = call(keyed, ann, "PATCH", f"personas/{poet['id']}", json={"tools": ["calc*"], "model": "other-model"})
    assert (changed.json()["tools"], changed.json()["prompt"]) == (["calc*"], "You are Poet.")


def test_what_one_server_exports_another_imports(keyed: LiveServer) -> None:
    ann, bob = made(keyed, "Ann")["key"], made(keyed, "Bob")["key"]
    fields = {"tone": "warm", "tools": [], "model": "other-model", "memory": "own", "opening": "你好，{{user_name}}"}
    poet = write(keyed, ann, "诗人", **fields)
    file = call(keyed, ann, "GET", f"personas/{poet['id']}/export")
    assert "attachment" in file.headers["content-disposition"]
    assert file.json() == {
        "format": "llmchat-persona", "version": 1,
        "persona": {"name": "诗人", "prompt": "You are 诗人.", **fields},
    }  # fmt: skip
    first, second = (call(keyed, bob, "POST", "personas/import", json=file.json()) for _ in range(2))
    assert (first.status_code, first.json()["name"], second.json()["name"]) == (201, "诗人", "诗人 (2)")
    assert {name: first.json()[name] for name in fields} == fields and first.json()["warnings"] == []
    elsewhere = file.json()
    elsewhere["persona"] |= {"name": "teacher", "model": "a-model-of-that-server"}
    imported = call(keyed, bob, "POST", "personas/import", json=elsewhere).json()
    assert (imported["name"], imported["model"]) == ("teacher (2)", "")
    assert "a-model-of-that-server" in imported["warnings"][0]
    for bad in ({"version": 2}, {"format": "x"}, {"persona": {"name": "x"}}, {"more": 1}):
        assert call(keyed, bob, "POST", "personas/import", json={**file.json(), **bad}).status_code == 422, bad


def test_variables_tools_model_and_the_requests_own_prompt(keyed: LiveServer, model: OpenAIServer) -> None:
    ann = made(keyed, "Ann Lee")["key"]
    call(keyed, ann, "PUT", "profile", json={"name": "{{date}}  Ann", "time_zone": "Pacific/Kiritimati"})
    prompt = "Serve {{user_name}} on {{ date }} ({{weekday}}, {{time_zone}}) in {{language}}. Literally: { {x} }"
    poet = write(keyed, ann, "Poet", prompt=prompt, tone="dreamy", model="other-model", tools=["calc*", "current_time"])
    before = datetime.now(ZoneInfo("Pacific/Kiritimati")).date()
    ask(keyed, ann, "What is 17 * 23, calculated exactly?", "v", persona="Poet", system_prompt="Rhyme never.")
    said, after = system(model), datetime.now(ZoneInfo("Pacific/Kiritimati")).date()
    assert any(f"Serve {{{{date}}}} Ann on {day} (" in said for day in (before, after))
    assert "Pacific/Kiritimati) in English. Literally: { {x} }" in said
    assert said.index("Serve ") < said.index("dreamy") < said.index("it holds:\nRhyme never.")
    assert model.chats[-1].body["model"] == "other-model"
    offered = {tool["function"]["name"] for tool in model.chats[-1].body["tools"]}
    assert offered <= {"calculate", "current_time"} and "calculate" in offered
    ask(keyed, ann, "用中文写一句话", "v2", persona=poet["id"], model="stand-in", profile=False, tools=["recall"])
    assert "in 中文" in system(model) and "Serve Ann" not in system(model) and "Serve 用户" in system(model)
    assert model.chats[-1].body["model"] == "stand-in" and not model.chats[-1].body.get("tools")


def test_the_choice_stays_with_the_conversation_until_it_is_taken_back(keyed: LiveServer, model: OpenAIServer) -> None:
    ann, bob = made(keyed, "Ann")["key"], made(keyed, "Bob")["key"]
    poet = write(keyed, ann, "Poet")
    ask(keyed, ann, "Hello", "s", persona="Poet")
    assert call(keyed, ann, "GET", "sessions/s").json()["persona"] == poet["id"]
    call(keyed, ann, "PATCH", f"personas/{poet['id']}", json={"name": "Bard", "prompt": "You are a bard."})
    run = ask(keyed, ann, "And now?", "s")["run_id"]
    assert "You are a bard." in system(model)
    assert call(keyed, ann, "POST", "sessions/s/regenerate", json={"run_id": run}).status_code == 200
    assert "You are a bard." in system(model)
    branch = call(keyed, ann, "POST", "sessions/s/branch", json={}).json()["session_id"]
    assert call(keyed, ann, "GET", f"sessions/{branch}").json()["persona"] == poet["id"]
    ask(keyed, ann, "Plain again", "s", persona="")
    ask(keyed, ann, "Still plain", "s")
    assert "bard" not in system(model) and call(keyed, ann, "GET", "sessions/s").json()["persona"] == ""
    assert call(keyed, ann, "PATCH", "sessions/s", json={"persona": "Bard"}).json()["persona"] == poet["id"]
    assert code(call(keyed, ann, "PATCH", "sessions/s", json={"persona": "x"})) == (422, "unknown_persona")
    assert code(call(keyed, bob, "POST", "chat", json={"message": "Hi", "persona": poet["id"]})) == (
        422,
        "unknown_persona",
    )
    assert call(keyed, ann, "DELETE", f"personas/{poet['id']}").json()["removed"] == 1
    for body in ({"message": "Hi", "session_id": "s"}, {"message": "Hi", "persona": "Bard"}):
        assert code(call(keyed, ann, "POST", "chat", json=body)) == (422, "unknown_persona")
    assert len(call(keyed, ann, "GET", "sessions/s").json()["messages"]) == 8
    ask(keyed, ann, "Without it", "s", persona="")


def test_a_turn_is_in_the_role_that_the_turn_before_it_chose(keyed: LiveServer, model: OpenAIServer) -> None:
    ann = made(keyed, "Ann")["key"]
    write(keyed, ann, "Poet", prompt="You are a poet.")
    begun, go_on = threading.Event(), threading.Event()

    def respond(request: Any) -> Answer:
        begun.set()
        assert go_on.wait(20)
        return Answer("ok")

    model.respond = respond
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, keyed, ann, "First", "q")
        assert begun.wait(20)
        for more in ({"message": "Second", "persona": "Poet"}, {"message": "Third"}):
            waiting = call(keyed, ann, "POST", "runs", json={"session_id": "q", **more})
        go_on.set()
        first.result(20)
    run = waiting.json()["run_id"]
    while call(keyed, ann, "GET", f"runs/{run}").json()["state"] in ("queued", "running"):
        time.sleep(0.05)
    assert model.chats[-1].text.endswith("Third") and "You are a poet." in system(model)


def test_langserve_and_openais_clients_take_personas(keyed: LiveServer, model: OpenAIServer) -> None:
    ann = made(keyed, "Ann")["key"]
    write(keyed, ann, "Poet", prompt="You are {{user_name}}'s poet.")
    messages = [{"role": "system", "content": "Be terse."}, {"role": "user", "content": "Hi"}]
    for path, body in (
        ("../../agent/invoke", {"input": {"messages": messages}, "config": {"configurable": {"persona": "Poet"}}}),
        ("../../v1/chat/completions", {"messages": messages, "metadata": {"persona": "Poet"}}),
        ("../../v1/responses", {"input": "Hi", "instructions": "Be terse.", "metadata": {"persona": "Poet"}}),
    ):
        answer = call(keyed, ann, "POST", path, json=body)
        assert answer.status_code == 200, answer.text
        assert "You are Ann's poet." in system(model) and "it holds:\nBe terse." in system(model), path
    unknown = call(
        keyed, ann, "POST", "../../agent/invoke",
        json={"input": {"message": "Hi"}, "config": {"configurable": {"persona": "Nobody"}}},
    )  # fmt: skip
    assert code(unknown) == (422, "unknown_persona") and "Poet" in unknown.json()["error"]["remedy"]


def memories(live: LiveServer, key: str, count: int, **query: Any) -> list[str]:
    """The texts of the list, as soon as it has `count` items: keeping is done after the answer."""
    deadline = time.monotonic() + 10
    while True:
        found = [one["text"] for one in call(live, key, "GET", "memories", params=query).json()["memories"]]
        if len(found) == count or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def test_memories_of_a_persona_never_leak_into_another(keyed: LiveServer, model: OpenAIServer) -> None:
    ann = made(keyed, "Ann")["key"]
    doctor, friend = write(keyed, ann, "Doctor", memory="own"), write(keyed, ann, "Friend", memory="own")
    shared = write(keyed, ann, "Clerk")
    ask(keyed, ann, "I am allergic to peanuts.", "a", persona="Doctor")
    assert memories(keyed, ann, 1, scope="Doctor") == ["I am allergic to peanuts."]
    ask(keyed, ann, "I am allergic to walnuts.", "g", persona="Clerk")
    assert memories(keyed, ann, 1, scope="") == ["I am allergic to walnuts."]
    assert memories(keyed, ann, 0, scope=friend["id"]) == [] and len(memories(keyed, ann, 2)) == 2
    assert memories(keyed, ann, 1, scope="Doctor", query="allergic walnuts") == ["I am allergic to peanuts."]
    for number, (persona, wanted) in enumerate(
        (("Doctor", ["peanuts"]), ("Friend", []), ("", ["walnuts"]), ("Clerk", ["walnuts"]), ("teacher", ["walnuts"]))
    ):
        answer = ask(keyed, ann, "What am I allergic to?", f"q{number}", persona=persona)
        assert [one["text"] for one in answer["memories"]] == [f"I am allergic to {nut}." for nut in wanted], persona
        for nut in {"peanuts", "walnuts"} - set(wanted):
            assert nut not in model.chats[-1].text, persona
    receipt = call(keyed, ann, "DELETE", f"personas/{doctor['id']}").json()
    assert receipt["stores"] == {"personas": {"before": 1, "after": 0}, "memories": {"before": 1, "after": 0}}
    assert memories(keyed, ann, 1) == ["I am allergic to walnuts."] and shared["memory"] == "shared"


def test_tools_of_a_persona_reach_its_own_memories_alone(keyed: LiveServer, model: OpenAIServer) -> None:
    ann = made(keyed, "Ann")["key"]
    write(keyed, ann, "Doctor", memory="own")
    call(keyed, ann, "POST", "memories", json={"text": "My salary is secret"})
    general = call(keyed, ann, "GET", "memories").json()["memories"][0]["id"]
    model.script(
        [
            Answer(tool_calls=[ToolCall("remember", {"text": "My knee hurts"})]), "Noted.",
            Answer(tool_calls=[ToolCall("recall", {})]), "Your knee.",
            Answer(tool_calls=[ToolCall("forget", {"ids": [general]})]), "Nothing.",
        ]
    )  # fmt: skip
    ask(keyed, ann, "Remember that my knee hurts", "t1", persona="Doctor")
    assert memories(keyed, ann, 1, scope="Doctor") == ["My knee hurts"]
    answer = ask(keyed, ann, "What do you know about me?", "t2", persona="Doctor")
    assert "My knee hurts" in model.chats[-1].text and "salary" not in model.chats[-1].text and answer["tools"]
    assert ask(keyed, ann, "Forget my salary", "t3", persona="Doctor")["state"] == "waiting"
    (refused,) = ask(keyed, ann, "approve", "t3")["tools"]
    assert refused["status"] == "error", "after the pause as well, it sees its own alone"
    assert "My salary is secret" in memories(keyed, ann, 2)


def test_export_and_deletion_cover_personas(keyed: LiveServer) -> None:
    ann, admin = made(keyed, "Ann"), made(keyed, "Boss", role="admin")
    write(keyed, ann["key"], "Poet")
    write(keyed, admin["key"], "Everybody's", shared=True)
    archive = zipfile.ZipFile(io.BytesIO(call(keyed, ann["key"], "GET", "user/export").content))
    assert [one["name"] for one in json.loads(archive.read("personas.json"))] == ["Poet"]
    assert call(keyed, ann["key"], "DELETE", "user").json()["stores"]["personas"] == {"before": 1, "after": 0}
    assert call(keyed, ann["key"], "GET", "personas").json()["own"] == []
    assert call(keyed, ROOT, "DELETE", f"admin/users/{admin['id']}").json()["stores"]["personas"]["before"] == 1
    assert call(keyed, ann["key"], "GET", "personas").json()["shared"] == []
