"""The stand-in itself, called by the official client: what passes here is the protocol."""

from __future__ import annotations

import httpx
import openai
import pytest

from tests.standins.openai_server import Answer, Failure, OpenAIServer, Recorded, ToolCall


def client(server: OpenAIServer, key: str = "k") -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=server.base_url, api_key=key, max_retries=0)


async def ask(server: OpenAIServer, text: str = "hi", model: str = "m") -> str | None:
    message = {"role": "user", "content": text}
    answer = await client(server).chat.completions.create(model=model, messages=[message])  # type: ignore[list-item]
    return answer.choices[0].message.content


async def test_plain_answers(openai_server: OpenAIServer) -> None:
    openai_server.script([Answer("Hello", tool_calls=[ToolCall("f", {"x": 1})], reasoning="hm")])
    answer = await client(openai_server).chat.completions.create(
        model="m", messages=[{"role": "user", "content": "hi"}]
    )
    message = answer.choices[0].message
    assert (message.content, message.model_extra) == ("Hello", {"reasoning_content": "hm"})
    assert message.tool_calls is not None and message.tool_calls[0].function.arguments == '{"x": 1}'  # type: ignore[union-attr]
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.usage is not None and answer.usage.total_tokens > 0


async def test_default_echo_and_responder(openai_server: OpenAIServer) -> None:
    assert await ask(openai_server, "你好") == "You said: 你好"

    def respond(request: Recorded) -> str:
        return f"{request.model}: {request.user_text[::-1]}"

    openai_server.respond = respond
    assert await ask(openai_server, "abc") == "m: cba"


async def test_scripts_are_strict() -> None:
    with OpenAIServer() as server:
        server.script(["first", lambda request: request.user_text.upper()])
        assert [await ask(server), await ask(server, "second")] == ["first", "SECOND"]
        server.assert_done()
        with pytest.raises(openai.APIStatusError, match="not in the script"):
            await ask(server)
        with pytest.raises(AssertionError, match="1 unexpected"):
            server.assert_done()
        server.reset()
        server.script(["never asked for"])
        with pytest.raises(AssertionError, match="1 scripted steps were not used"):
            server.assert_done()


async def test_scripts_of_one_model(openai_server: OpenAIServer) -> None:
    openai_server.script(["for a"], model="a")
    assert await ask(openai_server, "hi", model="b") == "You said: hi"
    assert await ask(openai_server, "hi", model="a") == "for a"


async def test_keys_and_models() -> None:
    with OpenAIServer(api_key="right", models=["a", "b"]) as server:
        with pytest.raises(openai.AuthenticationError):
            await client(server, "wrong").embeddings.create(model="a", input="x")
        with pytest.raises(openai.NotFoundError):
            await client(server, "right").embeddings.create(model="c", input="x")
        assert [model.id async for model in client(server).models.list()] == ["a", "b"]


async def test_embeddings(openai_server: OpenAIServer) -> None:
    made = await client(openai_server).embeddings.create(model="e", input=["red apple", "apple red", "蓝天"])
    rows = [row.embedding for row in made.data]
    assert rows[0] == rows[1] != rows[2]
    plain = await client(openai_server).embeddings.create(model="e", input=["red apple"], encoding_format="float")
    assert plain.data[0].embedding == rows[0]


async def test_dashscope_refuses_eleven() -> None:
    with OpenAIServer(dashscope=True) as server:
        with pytest.raises(openai.BadRequestError, match="batch size is invalid"):
            await client(server).embeddings.create(model="e", input=["x"] * 11)


async def test_retry_after_is_sent(openai_server: OpenAIServer) -> None:
    openai_server.script([Failure(429, code="rate_limit", retry_after=1.5)])
    async with httpx.AsyncClient() as http:
        answer = await http.post(f"{openai_server.base_url}/chat/completions", json={"model": "m", "messages": []})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1.5")
    assert answer.json()["error"]["code"] == "rate_limit"
