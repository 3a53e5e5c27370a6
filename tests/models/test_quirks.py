"""Everything that servers are known to send instead of the protocol is understood as it is meant."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.tools import tool

from domain.errors import ModelBusy, ModelKeyRefused, ModelRefused, ModelUnavailable
from models.chat.hosted import hosted_chat
from tests.models.conftest import Configure
from tests.standins.openai_server import Failure, Garbled, OpenAIServer
from tests.standins.openai_wire import Recorded, Step
from tests.standins.quirks import QUIRKS
from turn.answer import finished_message


@tool
def calculate(expression: str) -> str:
    """Compute."""
    return expression


@tool
def current_time() -> str:
    """Tell the time."""
    return ""


def model_of(configure: Configure, **given: Any) -> Any:
    chat = hosted_chat(configure(**given))
    assert chat is not None
    return chat.model


async def asked(model: Any, prompt: Any = "hi") -> tuple[AIMessage, list[AIMessageChunk]]:
    chunks = [chunk async for chunk in model.astream(prompt)]
    return finished_message(add_ai_message_chunks(chunks[0], *chunks[1:])), chunks


@pytest.mark.parametrize("name", QUIRKS)
async def test_what_is_meant(openai_server: OpenAIServer, configure: Configure, name: str) -> None:
    quirk = QUIRKS[name]
    openai_server.script([Garbled(quirk.body, quirk.media_type)])
    message, chunks = await asked(model_of(configure).bind_tools([calculate, current_time]))
    assert message.content == quirk.text
    assert message.additional_kwargs.get("reasoning_content", "").strip() == quirk.reasoning.strip()
    assert message.response_metadata["finish_reason"] == quirk.finish
    assert message.response_metadata["model_name"] in ("m", "m-1")
    found = [(call["name"], None if "_malformed" in call["args"] else call["args"]) for call in message.tool_calls]
    assert found == list(quirk.calls)
    ids = [call["id"] for call in message.tool_calls]
    assert all(ids) and len({*ids}) == len(ids)
    assert "".join(str(chunk.content) for chunk in chunks).isprintable() or "\n" in quirk.text or "\t" in quirk.text


async def test_characters_come_whole_however_the_bytes_are_cut(
    openai_server: OpenAIServer, configure: Configure
) -> None:
    body = 'data: {"choices":[{"delta":{"content":"答案是利马四十二😀。"},"finish_reason":"stop"}]}\n\n'
    openai_server.script([Garbled(body, piece=1)])
    assert (await asked(model_of(configure)))[0].content == "答案是利马四十二😀。"


async def test_a_server_that_only_ends_its_thinking_is_recognised(
    openai_server: OpenAIServer, configure: Configure
) -> None:
    thinking = 'data: {"choices":[{"delta":{"content":"They ask for the capital.\\n</think>\\n\\n"}}]}\n\n'
    answer = 'data: {"choices":[{"delta":{"content":"Lima."},"finish_reason":"stop"}]}\n\n'
    openai_server.script([Garbled(thinking + answer), Garbled(thinking + answer)])
    model = model_of(configure)
    first, _ = await asked(model)
    second, chunks = await asked(model)
    assert (first.content, second.content) == ("Lima.", "Lima.")
    assert "".join(str(chunk.content) for chunk in chunks) == "Lima."


@pytest.mark.parametrize(
    "body",
    [
        '{"error": {"message": "quota", "code": "insufficient_quota"}}',
        '{"object": "error", "message": "no such model", "code": 404}',
        '{"detail": "Not authenticated"}',
        'data: {"error": {"message": "upstream overloaded", "code": 502}}\n\n',
        'data: {"choices": [{"delta": {}, "finish_reason": "error", "error": {"message": "gone", "code": 502}}]}\n\n',
    ],
)
async def test_an_error_with_status_200_is_one(openai_server: OpenAIServer, configure: Configure, body: str) -> None:
    openai_server.script([Garbled(body, "application/json")])
    with pytest.raises(ModelUnavailable):
        await asked(model_of(configure))


def refusing(refused: Any, words: str, status: int = 400) -> Any:
    """A server that refuses bodies for which `refused` is true."""

    def respond(request: Recorded) -> Step | str:
        return Failure(status, message=words) if refused(request.body) else "Lima 42."

    return respond


REFUSALS = {
    "stream_options": (lambda body: "stream_options" in body, "stream_options: Extra inputs are not permitted", 422),
    "max_tokens": (lambda body: "max_tokens" in body, "Unsupported parameter: 'max_tokens' is not supported with this"
                   " model. Use 'max_completion_tokens' instead.", 400),
    "both lengths": (lambda body: {*body} & {"max_tokens", "max_completion_tokens"},
                     "Unrecognized request argument: max_tokens or max_completion_tokens", 400),
    "tools": (lambda body: "tools" in body,
              '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set', 400),
    "tool use": (lambda body: "tools" in body, "No endpoints found that support tool use.", 404),
    "Ollama's tools": (lambda body: "tools" in body, "registry.ollama.ai/library/gemma3 does not support tools", 400),
    "a system message": (lambda body: body["messages"][0]["role"] == "system", "System role not supported", 500),
    "neighbours": (lambda body: [m["role"] for m in body["messages"]].count("user") > 1,
                   "Conversation roles must alternate user/assistant/user/assistant/...", 400),
    "streams": (lambda body: body["stream"], "Streaming is not supported by this deployment", 400),
    "everything": (lambda body: {*body} & {"tools", "stream_options", "max_tokens"},
                   "unexpected fields: tools, stream_options, max_tokens", 400),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
async def test_what_is_refused_is_done_without_once_and_for_all(
    openai_server: OpenAIServer, configure: Configure, name: str
) -> None:
    refused, words, status = REFUSALS[name]
    openai_server.respond = refusing(refused, words, status)
    model = model_of(configure, llm_max_retries=0).bind_tools([calculate])
    prompt = [("system", "Be brief."), ("human", "one"), ("human", "two")]
    assert (await asked(model, prompt))[0].content == "Lima 42."
    learning = len(openai_server.chats)
    assert 2 <= learning <= 5
    assert (await asked(model, prompt))[0].content == "Lima 42."
    assert len(openai_server.chats) == learning + 1
    said = str(openai_server.chats[-1].messages)
    assert "one" in said and "two" in said and "Be brief." in said


async def test_what_a_caller_brought_teaches_nothing(openai_server: OpenAIServer, configure: Configure) -> None:
    openai_server.respond = refusing(lambda body: "odd" in str(body.get("tools")), "tools.0.odd is not permitted")
    model = model_of(configure)
    odd = {"type": "function", "function": {"name": "odd", "parameters": {"type": "object", "properties": {}}}}
    assert (await asked(model.bind_tools([odd]).bind(callers_own=True)))[0].content == "Lima 42."
    await asked(model.bind_tools([calculate]))
    assert openai_server.chats[-1].tools == ["calculate"] and "callers_own" not in openai_server.chats[0].body


async def test_calls_of_before_are_told_in_words_where_tools_are_refused(
    openai_server: OpenAIServer, configure: Configure
) -> None:
    openai_server.respond = refusing(
        lambda body: "tools" in body or "tool" in str(body["messages"][1:]), "no support for tools"
    )
    call = {"name": "calculate", "args": {"expression": "2+3"}, "id": "a"}
    prompt: list[Any] = [
        HumanMessage("sum?"), AIMessage("", tool_calls=[call]), ("tool", "5", "a"), HumanMessage("and now?")
    ]  # fmt: skip
    prompt[2] = {"role": "tool", "content": "5", "tool_call_id": "a"}
    assert (await asked(model_of(configure).bind_tools([calculate]), prompt))[0].content == "Lima 42."
    assert [m["content"] for m in openai_server.chats[-1].messages] == [
        "sum?", 'calculate({"expression": "2+3"})', "5", "and now?"
    ]  # fmt: skip


async def test_a_json_schema_is_put_in_words_where_only_json_is_known(
    openai_server: OpenAIServer, configure: Configure
) -> None:
    refused = refusing(
        lambda body: body["response_format"]["type"] == "json_schema", "This response_format type is unavailable now"
    )
    openai_server.respond = refused
    schema = {"name": "r", "schema": {"type": "object", "properties": {"age": {"type": "integer"}}}}
    form = {"type": "json_schema", "json_schema": schema}
    await asked(model_of(configure).bind(response_format=form))
    body = openai_server.chats[-1].body
    assert body["response_format"] == {"type": "json_object"} and '"age"' in body["messages"][0]["content"]


@pytest.mark.parametrize(
    "words",
    [
        "Invalid schema for function 'calculate': schema must be of type object; tools not supported so",
        "This model's maximum context length is 100 tokens, max_tokens included",
    ],
)
async def test_a_wrong_request_is_not_asked_again(
    openai_server: OpenAIServer, configure: Configure, words: str
) -> None:
    openai_server.script([Failure(400, message=words)])
    with pytest.raises(ModelRefused):
        await asked(model_of(configure).bind_tools([calculate]))


async def test_the_providers_reason_is_logged_and_told(
    openai_server: OpenAIServer, configure: Configure, caplog: pytest.LogCaptureFixture
) -> None:
    model = model_of(configure, llm_max_retries=0)
    openai_server.script([Failure(400, message="logit_bias of sk-test is not a map, see https://x.example/y")])
    with pytest.raises(ModelRefused, match="logit_bias of"):
        await asked(model)
    assert "logit_bias" in caplog.text and "sk-test" not in caplog.text and "x.example" not in caplog.text
    openai_server.script([Failure(401, message="Incorrect API key sk-test")])
    with pytest.raises(ModelKeyRefused) as refused:
        await asked(model)
    assert (refused.value.status, "Incorrect" in str(refused.value)) == (401, False)
    assert "Incorrect API key ***" in caplog.text
    openai_server.script([Failure(429, message="slow down", retry_after=7)])
    with pytest.raises(ModelBusy) as busy:
        await asked(model)
    assert (busy.value.status, busy.value.details["retry_after"]) == (429, 7)
