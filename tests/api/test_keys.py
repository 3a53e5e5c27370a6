from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio

from api.edge.keys import user_of_key
from api.edge.sessions import OPEN_PATHS
from settings import Settings
from tests.live_server import LiveServer
from tests.standins.openai_server import OpenAIServer

ADA, BOB = {"authorization": "Bearer ada-key"}, {"x-api-key": "bob-key"}


@pytest.fixture(scope="module")
def locked(_model_server: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder: Path = tmp_path_factory.mktemp("locked")
    settings = Settings(
        data_dir=folder, llm_base_url=_model_server.base_url, llm_api_key="key", llm_model="stand-in",
        llm_max_retries=0, ocr_engine="off", tts_engine="off", web_search="off", api_keys="ada-key, bob-key,limited",
        _env_file=None,
    )  # fmt: skip
    with LiveServer(settings) as live:
        yield live


@pytest_asyncio.fixture(loop_scope="session")
async def web(locked: LiveServer, model: OpenAIServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=locked.url, timeout=30) as http:
        yield http


async def test_every_route_needs_a_key_but_the_page_and_health(web: httpx.AsyncClient, locked: LiveServer) -> None:
    paths = (await web.get("/openapi.json", headers=ADA)).json()["paths"]
    assert len(paths) > 30
    checked = 0
    for path, methods in paths.items():
        for method in methods:
            response = await web.request(method.upper(), path)
            if path == "/api/v1/health":
                assert response.status_code == 200
                continue
            if path in OPEN_PATHS:
                assert response.status_code == (200 if path == "/api/v1/auth" else 404)
                continue
            if path.startswith("/shared/"):  # the token is the key, and this is none
                assert response.status_code in (404, 422), path
                continue
            assert (response.status_code, response.json()["error"]["code"]) == (401, "unauthorized"), (method, path)
            checked += 1
    assert checked > 40
    for path in ("/openapi.json", "/agent/playground/", "/agent/c/x/invoke", "/nothing"):
        assert (await web.get(path)).status_code == 401, path
    assert (await web.get("/")).status_code == 200
    assert (await web.get("/openapi.json", headers={"authorization": "Bearer wrong"})).status_code == 401


async def test_users_do_not_see_each_other(web: httpx.AsyncClient, model: OpenAIServer) -> None:
    form = {"message": "My secret is 1234.", "session_id": "same"}
    files = {"file": ("secret.txt", b"The secret of Ada is 1234.")}
    hers = (await web.post("/api/v1/chat_with_file", data=form, files=files, headers=ADA)).json()
    document = hers["attachments"][0]["id"]
    reads: list[tuple[str, str, Any]] = [
        ("GET", f"/api/v1/documents/{document}", None),
        ("GET", f"/api/v1/documents/{document}/pages", None),
        ("GET", f"/api/v1/documents/{document}/content", None),
        ("DELETE", f"/api/v1/documents/{document}", None),
        ("GET", "/api/v1/sessions/same", None),
        ("GET", "/api/v1/sessions/same/export", None),
        ("PATCH", "/api/v1/sessions/same", {"title": "mine"}),
        ("POST", "/api/v1/sessions/same/branch", {}),
        ("POST", "/api/v1/sessions/same/regenerate", {}),
        ("GET", f"/api/v1/runs/{hers['run_id']}", None),
        ("GET", f"/api/v1/runs/{hers['run_id']}/stream", None),
        ("POST", f"/api/v1/runs/{hers['run_id']}/stop", None),
    ]
    for method, path, body in reads:
        response = await web.request(method, path, json=body, headers=BOB)
        assert response.status_code == 404, (method, path, response.text)
    assert (await web.get("/api/v1/sessions", headers=BOB)).json()["total"] == 0
    assert (await web.get("/api/v1/documents", params={"session_id": "same"}, headers=BOB)).json() == []
    query = {"query": "secret", "session_id": "same", "mode": "keyword"}
    assert (await web.post("/api/v1/documents/search", json=query, headers=BOB)).json()["hits"] == []
    assert (await web.delete("/api/v1/sessions/same", headers=BOB)).json()["removed"] == 0
    assert (await web.get("/api/v1/sessions/same", headers=ADA)).json()["total"] == 2


async def test_the_same_thread_name_is_not_the_same_thread(web: httpx.AsyncClient, model: OpenAIServer) -> None:
    turn = {"messages": [{"role": "user", "content": "hers"}]}
    config = {"configurable": {"thread_id": "shared", "user_id": user_of_key("ada-key")}}
    await web.post("/agent/invoke", json={"input": turn, "config": config}, headers=ADA)
    await web.post("/agent/invoke", json={"input": turn, "config": config}, headers=BOB)
    assert [message["role"] for message in model.chats[-1].messages].count("user") == 1
    body = {"model": "m", "messages": turn["messages"], "user": user_of_key("ada-key")}
    await web.post("/v1/chat/completions", json=body, headers={**BOB, "X-Session-Id": "shared"})
    assert [message["role"] for message in model.chats[-1].messages].count("user") == 2
    assert "hers" not in str(model.chats[-1].messages[0])


async def test_an_attachment_of_another_user_cannot_be_attached(web: httpx.AsyncClient, model: OpenAIServer) -> None:
    data = {"session_id": "a"}
    [hers] = (await web.post("/api/v1/documents", data=data, files={"file": ("a.txt", b"abc")}, headers=ADA)).json()
    body = {"message": "Read.", "attachment_ids": [hers["id"]]}
    answer = (await web.post("/api/v1/chat", json=body, headers=BOB)).json()
    assert answer["attachments"][0]["error"]["code"] == "unknown_attachment"


async def test_keys_of_any_letters_match_wrong_ones_are_counted_and_health_names_no_host(
    _model_server: OpenAIServer, tmp_path: Path
) -> None:
    settings = Settings(
        data_dir=tmp_path, llm_base_url=_model_server.base_url, llm_api_key="k", llm_model="m", ocr_engine="off",
        tts_engine="off", api_keys="schlüssel-à,密钥", rate_limit_per_minute=5, _env_file=None,
    )  # fmt: skip
    host = urlsplit(_model_server.base_url).netloc
    with LiveServer(settings) as live:
        async with httpx.AsyncClient(base_url=live.url) as http:
            for key in ("schlüssel-à", "密钥"):
                for headers in ({b"x-api-key": key.encode()}, {b"authorization": b"Bearer " + key.encode()}):
                    assert (await http.get("/api/v1/tools", headers=headers)).status_code == 200, key
            wrong = [(await http.get("/api/v1/tools", headers={"x-api-key": "no"})).status_code for _ in range(14)]
            assert wrong[0] == 401 and 429 in wrong
            shown = {"x-api-key": "schlüssel-à".encode()}
            assert host not in (await http.get("/api/v1/health")).text
            assert host in (await http.get("/api/v1/health", headers=shown)).text  # type: ignore[arg-type]


async def test_the_rate_limit_counts_per_key(_model_server: OpenAIServer, tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path, ocr_engine="off", tts_engine="off", api_keys="ada-key,bob-key", rate_limit_per_minute=3,
        _env_file=None,
    )  # fmt: skip
    with LiveServer(settings) as live:
        async with httpx.AsyncClient(base_url=live.url) as http:
            seen = [(await http.get("/api/v1/tools", headers=ADA)).status_code for _ in range(8)]
            refused = await http.get("/api/v1/tools", headers=ADA)
            assert 429 in seen and seen[0] == 200
            assert (await http.get("/api/v1/health")).status_code == 200
            assert (await http.get("/api/v1/tools", headers=BOB)).status_code == 200
    if refused.status_code == 429:
        assert refused.json()["error"]["code"] == "rate_limited" and int(refused.headers["retry-after"]) <= 60
