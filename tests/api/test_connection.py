"""Choosing among models, and connecting another one."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from domain.errors import ForOneUser, UnknownModel
from models.chat.connection import chosen_chat, write_env
from models.chat.hosted import hosted_chat
from settings import Settings
from tests.standins.openai_server import OpenAIServer


async def test_what_answers_and_what_may_be_named(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    found = (await client.get("/api/v1/connection")).json()
    assert (found["model"], found["models"], found["writable"]) == ("stand-in", ["stand-in"], True)
    refused = await client.post("/api/v1/chat", json={"message": "Hello", "session_id": "m", "model": "other"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "unknown_model")


async def test_an_address_is_tried(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    address = {"base_url": model.base_url, "api_key": "key"}
    assert "models" in (await client.post("/api/v1/connection/test", json=address)).json()
    model.script(["OK."])
    said = await client.post("/api/v1/connection/test", json={**address, "model": "any"})
    assert said.json()["said"] == "OK."
    dead = await client.post("/api/v1/connection/test", json={"base_url": "http://127.0.0.1:9/v1"})
    assert dead.status_code == 503
    odd = await client.post("/api/v1/connection/test", json={"base_url": "file:///etc/passwd"})
    assert odd.status_code == 422


def test_another_model_of_the_endpoint() -> None:
    chat = hosted_chat(Settings(llm_base_url="http://127.0.0.1:9/v1", llm_model="one", _env_file=None))
    assert chat is not None and chosen_chat(chat, ["two"], None) is chat
    assert chosen_chat(chat, ["two"], "two").name == "two"
    with pytest.raises(UnknownModel):
        chosen_chat(chat, ["two"], "three")


def test_the_file_keeps_what_it_held(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# mine\nLLM_MODEL=old\nTHREAD_TTL=60\n")
    write_env(path, {"LLM_MODEL": "it's new", "LLM_API_KEY": "k$1", "LLM_BASE_URL": "http://127.0.0.1:9/v1"})
    read = Settings(_env_file=path)
    assert (read.llm_model, read.thread_ttl, read.llm_base_url) == ("it's new", 60, "http://127.0.0.1:9/v1")
    assert read.llm_api_key == SecretStr("k$1") and "# mine" in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


def test_a_server_with_keys_is_set_up_by_its_operator() -> None:
    from api.rest.connection import _check_local

    with pytest.raises(ForOneUser):
        _check_local(Settings(api_keys=(SecretStr("a"),), _env_file=None))
