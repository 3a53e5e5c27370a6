"""The official `openai` package for JavaScript, unchanged."""

from __future__ import annotations

import base64
import json

from tests.clients.conftest import Call
from tests.drawn_pictures import drawn, encoded
from tests.standins.openai_server import Answer, Failure, OpenAIServer, ToolCall

SCRIPT = "openai.mjs"
LEASE = "The notice period is nine weeks."


def test_models(javascript: Call, model: OpenAIServer) -> None:
    assert {"agent", "stand-in"} <= set(javascript(SCRIPT, "models"))


def test_stateless_and_remembered_completions(javascript: Call, model: OpenAIServer) -> None:
    history = [
        {"role": "system", "content": "Be brief"},
        {"role": "user", "content": "I am Mei"},
        {"role": "assistant", "content": "Hello Mei"},
        {"role": "user", "content": "我是谁？"},
    ]
    made = javascript(SCRIPT, "completion", messages=history)
    assert made["choices"][0]["message"]["content"] == "You said: 我是谁？"
    assert made["usage"]["total_tokens"] > 0 and "Hello Mei" in model.chats[-1].text
    for said in ("My name is Mei", "Who am I?"):
        javascript(SCRIPT, "completion", messages=[{"role": "user", "content": said}], session="js-mei")
    assert "My name is Mei" in model.chats[-1].text


def test_streams_with_usage_and_stop_words(javascript: Call, model: OpenAIServer) -> None:
    model.script(["One, two, three, END four.", Answer("一二三四五六七八九十" * 4, pace=0.01)])
    cut = javascript(SCRIPT, "stream", message="Count", stop=["END"])
    assert "".join(cut["pieces"]) == "One, two, three, " and cut["finish"] == "stop"
    full = javascript(SCRIPT, "stream", message="数到十")
    assert "".join(full["pieces"]) == "一二三四五六七八九十" * 4 and len(full["pieces"]) > 1
    assert full["usage"]["completion_tokens"] > 0


def test_responses(javascript: Call, model: OpenAIServer) -> None:
    model.script([Answer(tool_calls=[ToolCall("weather", {"city": "Ulm"})]), "It is sunny."])
    made = javascript(SCRIPT, "responses", message="Weather in Ulm?")
    assert (made["text"], made["kept"], made["gone"]) == ("It is sunny.", "It is sunny.", 404)
    assert json.loads(made["arguments"]) == {"city": "Ulm"}
    assert {"response.created", "response.function_call_arguments.done", "response.completed"} <= {*made["kinds"]}


def test_the_stream_helper(javascript: Call, model: OpenAIServer) -> None:
    model.script(["Hello."])
    made = javascript(SCRIPT, "helper", message="Hi")
    assert made["text"] == "Hello." and made["id"].startswith("chatcmpl-")


def test_pictures_and_files_as_parts(javascript: Call, model: OpenAIServer) -> None:
    picture = base64.b64encode(encoded(drawn((20, 20, "Platform 9")))).decode()
    file = base64.b64encode(LEASE.encode()).decode()
    model.script([Answer('Nine weeks [1 "nine weeks"].')])
    made = javascript(
        SCRIPT, "parts", message="How long is the notice period?", image=f"data:image/png;base64,{picture}",
        file=f"data:text/plain;base64,{file}",
    )  # fmt: skip
    assert made["choices"][0]["message"]["content"] == "Nine weeks [1]."
    assert made["citations"][0]["quote"] == "nine weeks" and made["citations"][0]["name"] == "lease.txt"
    assert {item["kind"] for item in made["attachments"]} == {"document", "image"}


def test_the_callers_own_tools(javascript: Call, model: OpenAIServer) -> None:
    model.script([Answer(tool_calls=[ToolCall("weather", {"place": "厦门"})]), Answer("It rains.")])
    made = javascript(SCRIPT, "tools", message="How is the weather?")
    assert made["first"]["finish_reason"] == "tool_calls"
    assert made["first"]["message"]["tool_calls"][0]["function"]["arguments"] == '{"place": "厦门"}'
    assert made["second"]["message"]["content"] == "It rains."


def test_embeddings(javascript: Call, model: OpenAIServer) -> None:
    one, two, three = javascript(SCRIPT, "embeddings", texts=["a cat sleeps", "一只猫在睡觉", "the tax office"])
    assert len(one) == len(two) == 384
    near, far = (sum(a * b for a, b in zip(one, other, strict=True)) for other in (two, three))
    assert near > far and abs(sum(a * a for a in one) - 1) < 1e-3


def test_errors_have_their_classes(javascript: Call, model: OpenAIServer) -> None:
    bad = javascript(SCRIPT, "failure", messages=[{"role": "user"}])
    assert (bad["kind"], bad["status"], bad["code"]) == ("BadRequestError", 400, "bad_input")
    assert bad["type"] == "invalid_request_error" and bad["request"]
    model.script([Failure(500)])
    down = javascript(SCRIPT, "failure", messages=[{"role": "user", "content": "Hi"}])
    assert (down["kind"], down["code"]) == ("InternalServerError", "model_unavailable")


def test_a_stream_that_fails_says_so(javascript: Call, model: OpenAIServer) -> None:
    model.script([Answer("Half an answer here", error_after=3)])
    assert javascript(SCRIPT, "broken_stream", message="Hi")["kind"] == "APIError"
