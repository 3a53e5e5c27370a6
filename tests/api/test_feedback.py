"""Votes on answers, through a server that asks for keys."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from settings import Settings
from tests.api.test_people import ROOT, SECOND, call
from tests.live_server import LiveServer
from tests.standins.openai_server import OpenAIServer

ROLES = ("user", "assistant")


@pytest.fixture(scope="module")
def keyed(_model_server: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder: Path = tmp_path_factory.mktemp("feedback") / "data"
    settings = Settings(
        data_dir=folder, llm_base_url=_model_server.base_url, llm_model="stand-in", llm_max_retries=0,
        ocr_engine="off", tts_engine="off", web_search="off", api_keys=(ROOT, SECOND), _env_file=None,
    )  # fmt: skip
    with LiveServer(settings) as live:
        yield live


def answered(live: LiveServer, key: str, session: str, message: str = "Hello") -> str:
    """Ask something; the id of the answer."""
    asked = call(live, key, "POST", "chat", json={"message": message, "session_id": session})
    assert asked.status_code == 200, asked.text
    return str(asked.json()["message_id"])


def vote(live: LiveServer, key: str, session: str, message: str, **body: Any) -> Any:
    return call(live, key, "POST", "feedback", json={"session_id": session, "message_id": message, **body})


def test_a_vote_stays_with_its_answer_until_it_is_taken_back(keyed: LiveServer, model: OpenAIServer) -> None:
    answer = answered(keyed, SECOND, "v")
    given = vote(keyed, SECOND, "v", answer, vote="down", reasons=["too_long"], comment="太长 walrus", consent=True)
    assert given.status_code == 200, given.text
    kept = given.json()["feedback"]
    assert (kept["vote"], kept["reasons"], kept["comment"], kept["consent"]) == (
        "down",
        ["too_long"],
        "太长 walrus",
        True,
    )
    question, shown = call(keyed, SECOND, "GET", "sessions/v").json()["messages"]
    assert shown["feedback"] == kept and "feedback" not in question
    assert call(keyed, SECOND, "GET", "feedback").json() == {"feedback": [kept], "total": 1, "offset": 0}
    archive = zipfile.ZipFile(io.BytesIO(call(keyed, SECOND, "GET", "user/export").content))
    assert json.loads(archive.read("feedback.json")) == [kept]
    for key, session, message, status in (
        (ROOT, "v", answer, 404), (SECOND, "other", answer, 404), (SECOND, "v", question["message_id"], 422),
        (SECOND, "v", "x", 404),
    ):  # fmt: skip
        assert vote(keyed, key, session, message, vote="up").status_code == status
    for body in ({}, {"vote": "meh"}, {"vote": "up", "reasons": ["x"]}, {"vote": "up", "comment": "x" * 2001}):
        assert vote(keyed, SECOND, "v", answer, **body).status_code == 422, body
    counted = call(keyed, ROOT, "GET", "admin/feedback")
    assert counted.json()["reasons"]["too_long"] == 1 and "walrus" not in counted.text
    assert call(keyed, SECOND, "GET", "admin/feedback").status_code == 403
    assert vote(keyed, SECOND, "v", answer, vote=None).json() == {"feedback": None}
    assert call(keyed, SECOND, "GET", "sessions/v").json()["messages"][1]["feedback"] is None
    vote(keyed, SECOND, "v", answer, vote="up")
    gone = call(keyed, SECOND, "DELETE", "sessions/v").json()
    assert gone["stores"]["feedback"] == {"before": 1, "after": 0}
    assert call(keyed, SECOND, "GET", "feedback").json()["total"] == 0


def prompted(live: LiveServer, model: OpenAIServer, session: str, key: str = SECOND) -> str:
    answered(live, key, session, "Explain tides")
    prompts = [str(chat.messages[0]["content"]) for chat in model.chats]
    return next(one for one in reversed(prompts) if one.startswith("You are a helpful assistant"))


def tried_for_length(live: LiveServer, key: str) -> Any:
    """What first comes of 30 votes on answers that are too long."""
    said = [{"role": role, "text": "My number is 13812345678. " + "tides " * 30} for _ in range(30) for role in ROLES]
    session = call(live, key, "POST", "sessions/import", json={"title": "t", "messages": said}).json()["session_id"]
    answers = call(live, key, "GET", f"sessions/{session}").json()["messages"][1::2]
    for _ in range(20):  # a vote that comes while others are looked at waits for the next one
        for entry in answers:
            vote(live, key, session, entry["message_id"], vote="down", reasons=["too_long"], consent=True)
        if changes := call(live, key, "GET", "feedback/changes").json()["changes"]:
            break
    return changes[-1]


def test_a_habit_that_changes_no_answer_is_not_applied_whatever_the_votes_say(
    keyed: LiveServer, model: OpenAIServer
) -> None:
    before = prompted(keyed, model, "n1", ROOT)
    asked = len(model.chats)
    model.respond = lambda _: "Tides rise and fall."
    change = tried_for_length(keyed, ROOT)
    assert (change["state"], change["figures"]["answered"], change["figures"]["changed"]) == ("rejected", 4, 0)
    again = [one for one in model.chats[asked:] if "Answer the user's question" in one.messages[0]["content"]]
    assert not any("13812345678" in json.dumps(one.body) for one in again)
    assert sum("shorter answers than usual" in one.messages[0]["content"] for one in again[:8]) == 4
    assert prompted(keyed, model, "n2", ROOT) == before
    call(keyed, ROOT, "DELETE", "user")


def test_votes_change_the_prompt_once_they_have_proved_it_and_a_rollback_restores_it(
    keyed: LiveServer, model: OpenAIServer
) -> None:
    before = prompted(keyed, model, "p1")
    model.respond = lambda asked: "Tides." if "shorter" in asked.messages[0]["content"] else "Tides rise and fall."
    change = tried_for_length(keyed, SECOND)
    assert (change["figures"]["answered"], change["figures"]["changed"]) == (4, 4)
    assert (change["slot"], change["value"], change["state"], change["scope"]) == (
        "length",
        "shorter",
        "applied",
        "own",
    )
    assert change["what"] == "Shorter answers" and change["figures"]["bound"] >= change["figures"]["needed"]
    assert f"{change['figures']['wins']} spoke for it" in change["why"]
    assert "Of 4 questions that were answered again, it changed 4" in change["why"]
    assert "shorter answers than usual" in prompted(keyed, model, "p2")
    archive = zipfile.ZipFile(io.BytesIO(call(keyed, SECOND, "GET", "user/export").content))
    assert json.loads(archive.read("feedback_changes.json"))[0]["value"] == "shorter"
    path = f"feedback/changes/{change['id']}/rollback"
    refused = call(keyed, ROOT, "POST", path)
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "unknown_change")
    assert call(keyed, SECOND, "POST", path).json()["state"] == "rolled_back"
    assert prompted(keyed, model, "p3") == before
    assert call(keyed, ROOT, "POST", f"admin/{path}").status_code == 404, "it was not for all"
    assert call(keyed, ROOT, "POST", "admin/feedback/changes").json() == {"learning": True, "changes": []}
    assert call(keyed, ROOT, "GET", "admin/feedback/changes").json()["changes"] == [], "one user is too few"
    for method, path in (("GET", "admin/feedback/changes"), ("POST", "admin/feedback/changes")):
        assert call(keyed, SECOND, method, path).status_code == 403
    removed = call(keyed, SECOND, "DELETE", "user").json()["stores"]
    assert (removed["feedback_changes"]["before"], removed["feedback"]["before"]) == (1, 30)
