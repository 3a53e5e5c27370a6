"""Python frameworks that speak to OpenAI, pointed at this server as they are: each asks, streams, calls and parses."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
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


def need(name: str) -> Any:
    """Return a package, or skip where it is not installed: these are large, and no part of the product."""
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    return importlib.import_module(name)


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
@pytest.mark.parametrize("mode", ["TOOLS", "TOOLS_STRICT", "JSON", "JSON_SCHEMA"])
def test_instructor(url: str, mode: str) -> None:
    instructor, openai = need("instructor"), need("openai")
    client = instructor.from_openai(openai.OpenAI(base_url=url, api_key="x"), mode=instructor.Mode[mode])
    messages = [{"role": "user", "content": "Mei is 7."}]
    made = client.chat.completions.create(model="agent", response_model=Person, messages=messages, max_retries=1)
    assert (made.name, made.age) == ("Mei", 7)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["OpenAIChatModel", "OpenAIResponsesModel"])
def test_pydantic_ai(url: str, kind: str) -> None:
    ai = need("pydantic_ai")
    models, providers = need("pydantic_ai.models.openai"), need("pydantic_ai.providers.openai")
    model = getattr(models, kind)("agent", provider=providers.OpenAIProvider(base_url=url, api_key="x"))
    assert ai.Agent(model).run_sync("Hi").output == "You said: Hi"
    for form in (ai.NativeOutput(Person), ai.ToolOutput(Person)):
        assert ai.Agent(model, output_type=form).run_sync("Who?").output == Person(name="Mei", age=7)
    agent = ai.Agent(model, tools=[ai.Tool(lambda city: f"Sunny in {city}.", name="weather", description="Weather")])
    assert agent.run_sync("Weather?").output == "You said: Weather?"


@pytest.mark.slow
def test_litellm(url: str) -> None:
    litellm = need("litellm")
    given: Any = {"model": "openai/agent", "api_base": url, "api_key": "x"}
    messages = [{"role": "user", "content": "Hi"}]
    assert litellm.completion(messages=messages, **given).choices[0].message.content == "You said: Hi"
    chunks = litellm.completion(messages=messages, stream=True, **given)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "You said: Hi"
    made = litellm.completion(messages=messages, response_format=Person, **given).choices[0].message.content
    assert json.loads(made) == PERSON
    assert litellm.responses(input="Hi", **given).output[-1].content[0].text == "You said: Hi"
    made = litellm.embedding(model="openai/default", input=["x"], api_base=url, api_key="x")
    assert len(made.data[0]["embedding"]) == 384
