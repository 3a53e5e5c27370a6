"""Python frameworks that speak to OpenAI, pointed at this server as they are: each asks, streams, calls and parses."""

from __future__ import annotations

import json
import os
import subprocess
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel, SecretStr

from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, OpenAIServer, Recorded, ToolCall
from tests.standins.openai_wire import Step

PERSON = {"name": "Mei", "age": 7}


class Person(BaseModel):
    name: str
    age: int


@tool
def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"Sunny in {city}."


def respond(request: Recorded) -> Step | str:
    """A model that calls the first of the client's tools, and answers in JSON where that is wanted."""
    if request.body.get("response_format"):
        return json.dumps(PERSON)
    if request.tools and "calculate" not in request.tools and request.messages[-1]["role"] != "tool":
        name = request.tools[0]
        return Answer(tool_calls=[ToolCall(name, {"city": "Oslo"} if name == "weather" else PERSON)])
    return f"You said: {request.user_text}"


@pytest.fixture
def url(server: LiveServer, model: OpenAIServer) -> Iterator[str]:
    model.respond = respond
    yield f"{server.url}/v1"


@pytest.fixture
def apart(request: pytest.FixtureRequest) -> Callable[..., str]:
    """Run a program of a package in an environment of its own, as these ask for other versions than ours."""

    def run(package: str, program: str, *given: str, **variables: str) -> str:
        folder = request.config.cache.mkdir(f"client-{package.partition('[')[0]}")
        programs = folder / "bin"
        if not (folder / "installed").exists():
            venv.create(folder, with_pip=True, clear=True)
            install = [str(programs / "python"), "-m", "pip", "install", "--quiet", package]
            done = subprocess.run(install, capture_output=True, text=True, timeout=500, check=False)
            if done.returncode:
                pytest.skip(f"{package} could not be installed: {done.stderr.strip().splitlines()[-1:]}")
            (folder / "installed").touch()
        env = {"PATH": os.environ["PATH"], "HOME": str(folder), **variables}
        done = subprocess.run(
            [str(programs / program), *given], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=100, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize("responses", [False, True])
def test_langchain(url: str, responses: bool) -> None:
    model = ChatOpenAI(model="agent", base_url=url, api_key=SecretStr("x"), use_responses_api=responses, max_retries=0)
    assert str(model.invoke("Hi").text) == "You said: Hi"
    assert "".join(str(chunk.text) for chunk in model.stream("Hi")) == "You said: Hi"
    [call] = model.bind_tools([weather]).invoke("Weather?").tool_calls
    assert (call["name"], call["args"]) == ("weather", {"city": "Oslo"})
    for method in ("json_schema", "json_mode", "function_calling"):
        made = model.with_structured_output(Person, method=method).invoke("Who? JSON.")
        assert made == Person(name="Mei", age=7), method


def test_langchain_goes_on_from_a_response(url: str, model: OpenAIServer) -> None:
    chat = ChatOpenAI(model="agent", base_url=url, api_key=SecretStr("x"), use_responses_api=True, max_retries=0)
    first = chat.invoke("My name is Mei.")
    chat.invoke("And now?", previous_response_id=first.response_metadata["id"])
    assert [message["role"] for message in model.chats[-1].messages] == ["system", "user", "assistant", "user"]


def test_langchain_embeds(url: str) -> None:
    given: Any = {"base_url": url, "api_key": SecretStr("x"), "check_embedding_ctx_length": False}
    embeddings = OpenAIEmbeddings(**given)
    assert len(embeddings.embed_query("a cat")) == 384


@pytest.mark.slow
@pytest.mark.parametrize("name", ["instructor", "pydantic-ai-slim[openai]", "litellm"])
def test_frameworks_with_packages_of_their_own(url: str, apart: Callable[..., str], name: str) -> None:
    case = name.partition("-slim")[0].replace("-", "_")
    assert apart(name, "python", str(Path(__file__).with_name("frameworks.py")), case, url) == "as expected\n"


@pytest.mark.slow
def test_llm(url: str, apart: Callable[..., str], tmp_path: Path, model: OpenAIServer) -> None:
    described = [{"model_id": "agent", "model_name": "agent", "api_base": url, "supports_schema": True, "vision": True}]
    (tmp_path / "extra-openai-models.yaml").write_text(json.dumps(described))

    def llm(*given: str) -> str:
        return apart("llm", "llm", *given, LLM_USER_PATH=str(tmp_path), OPENAI_API_KEY="x").strip()

    assert llm("-m", "agent", "Hi") == llm("-m", "agent", "--no-stream", "Hi") == "You said: Hi"
    assert llm("-c", "你好") == "You said: 你好"
    assert [message["content"] for message in model.chats[-1].messages if message["role"] == "user"] == ["Hi", "你好"]
    assert json.loads(llm("-m", "agent", "--schema", "name, age int", "Who?")) == PERSON
    (tmp_path / "note.txt").write_text("The walrus sleeps at noon.")
    assert llm("-m", "agent", "-f", str(tmp_path / "note.txt"), "When does it sleep?").startswith("You said: ")
    assert "The walrus sleeps at noon." in str(model.chats[-1].messages)
