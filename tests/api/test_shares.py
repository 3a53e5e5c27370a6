"""Links to conversations, through two servers of one installation that ask for keys."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from settings import Settings
from tests.live_server import LiveServer
from tests.standins.openai_server import OpenAIServer

ROOT, SECOND = "root-key-of-the-operator", "second-key-of-a-user"
TEXT = b"The notice period is six weeks to the end of the quarter."


@pytest.fixture(scope="module")
def settings(_model_server: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder: Path = tmp_path_factory.mktemp("shares") / "data"
    return Settings(
        data_dir=folder, llm_base_url=_model_server.base_url, llm_model="stand-in", llm_max_retries=0,
        ocr_engine="off", tts_engine="off", web_search="off", memory_extraction="rules", sharing="on",
        sharing_max_seconds=86_400, api_keys=(ROOT, SECOND), _env_file=None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def live(settings: Settings) -> Iterator[LiveServer]:
    with LiveServer(settings) as server:
        yield server


def call(live: LiveServer, key: str, method: str, path: str, **more: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=live.url, timeout=30, trust_env=False, verify=False, headers=headers) as http:
        return http.request(method, path, **more)


def said(live: LiveServer, session: str, **more: Any) -> str:
    asked = call(live, ROOT, "POST", "/api/v1/chat", json={"message": "Hello", "session_id": session, **more})
    assert asked.status_code == 200, asked.text
    return f"/api/v1/sessions/{session}/share"


def shared(live: LiveServer, path: str, **body: Any) -> dict[str, Any]:
    answer = call(live, ROOT, "POST", path, json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def status(live: LiveServer, path: str) -> int:
    return call(live, "", "GET", path).status_code


def test_a_link_opens_without_a_key_until_it_is_revoked(live: LiveServer, model: OpenAIServer) -> None:
    path = said(live, "one")
    link = shared(live, path, expires_in=3600)
    page = call(live, "", "GET", link["path"])
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    assert page.headers["referrer-policy"] == "no-referrer" and "noindex" in page.headers["x-robots-tag"]
    assert page.headers["cache-control"] == "no-store" and "set-cookie" not in page.headers
    assert "default-src 'none'" in page.headers["content-security-policy"]
    shown = call(live, "", "GET", f"{link['path']}/conversation").json()
    assert [message["text"] for message in shown["messages"]] == ["Hello", "You said: Hello"]
    assert [item["opened"] for item in call(live, ROOT, "GET", path).json()["shares"]] == [1]
    assert "path" not in call(live, ROOT, "GET", path).json()["shares"][0]
    for method, at in (("POST", path), ("DELETE", f"{path}/{link['id']}")):
        refused = call(live, SECOND, method, at, **({"json": {}} if method == "POST" else {}))
        assert refused.status_code == 404, "another user's conversation"
    assert call(live, SECOND, "GET", path).json() == {"shares": []}
    assert call(live, "", "POST", path, json={}).status_code == 401
    assert status(live, link["path"]) == 200
    with LiveServer(live.settings) as other:
        assert status(other, link["path"]) == 200
        assert call(live, ROOT, "DELETE", f"{path}/{link['id']}").status_code == 204
        assert status(other, link["path"]) == status(live, link["path"]) == 404
        gone = call(other, "", "GET", link["path"])
        assert "shows nothing" in gone.text and "链接" in gone.text and "noindex" in gone.headers["x-robots-tag"]
        assert status(other, f"{link['path']}/conversation") == 404


def test_files_are_given_out_only_when_they_were_included(live: LiveServer, model: OpenAIServer) -> None:
    form = {"data": {"session_id": "two"}, "files": [("file", ('<script>"x.txt', TEXT))]}
    [sent] = call(live, ROOT, "POST", "/api/v1/documents", **form).json()
    path = said(live, "two", attachment_ids=[sent["id"]])
    link, bare = shared(live, path, files=True), shared(live, path)
    file = call(live, "", "GET", f"{link['path']}/files/0")
    assert file.content == TEXT and file.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in file.headers["content-security-policy"]
    assert status(live, f"{link['path']}/files/1") == status(live, f"{bare['path']}/files/0") == 404
    archive = zipfile.ZipFile(BytesIO(call(live, ROOT, "GET", "/api/v1/user/export").content))
    assert b"Hello" in archive.read("shared links.json")
    assert call(live, ROOT, "DELETE", f"/api/v1/documents/{sent['id']}").status_code == 200
    assert status(live, link["path"]) == 404, "a link outlived the document that it quoted"


def test_links_end_with_the_conversation_and_with_the_user(live: LiveServer, model: OpenAIServer) -> None:
    first, second = said(live, "three"), said(live, "four")
    one, two = shared(live, first), shared(live, second)
    receipt = call(live, ROOT, "DELETE", "/api/v1/sessions/three").json()
    assert receipt["stores"]["shares"]["before"] == 1
    assert (status(live, one["path"]), status(live, two["path"])) == (404, 200)
    assert call(live, ROOT, "DELETE", "/api/v1/user").status_code == 200
    assert status(live, two["path"]) == 404


def test_the_longest_time_and_the_switch(live: LiveServer, model: OpenAIServer) -> None:
    path = said(live, "five")
    assert shared(live, path)["expires_at"] > shared(live, path, expires_in=60)["expires_at"]
    for seconds in (59, 86_401):
        assert call(live, ROOT, "POST", path, json={"expires_in": seconds}).status_code == 422
    assert call(live, "", "GET", "/api/v1/health").json()["limits"]["sharing_seconds"] == 86_400
    link = shared(live, path)
    with LiveServer(live.settings.model_copy(update={"sharing": "off", "rate_limit_per_minute": 3})) as off:
        refused = call(off, ROOT, "POST", path, json={})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "sharing_off")
        seen = [status(off, link["path"]) for _ in range(8)]  # the minute may turn in between
        assert seen[0] == 404 and 429 in seen
        assert call(off, "", "GET", "/api/v1/health").json()["limits"]["sharing_seconds"] == 0
