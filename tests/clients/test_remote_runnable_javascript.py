"""`RemoteRunnable` of `@langchain/core` for JavaScript, unchanged."""

from __future__ import annotations

import base64

from tests.clients.conftest import Call
from tests.standins.openai_server import Answer, Failure, OpenAIServer

SCRIPT = "remote_runnable.mjs"
LEASE = "The notice period is nine weeks."


def test_a_result_as_the_client_revives_it(javascript: Call, model: OpenAIServer) -> None:
    assert javascript(SCRIPT, "messages", message="Hi", thread="js-0") == {
        "kind": "ChatPromptValue",
        "said": "You said: Hi",
    }


def test_the_thread_is_remembered(javascript: Call, model: OpenAIServer) -> None:
    first = javascript(SCRIPT, "invoke", message="My name is 梅", thread="js-1")
    assert first["text"] == first["answer"] == "You said: My name is 梅" and first["usage"]["model"] == "stand-in"
    second = javascript(SCRIPT, "invoke", message="Who am I?", thread="js-1")
    assert len(second["messages"]) == 1 and "My name is 梅" in model.chats[-1].text


def test_a_file_is_cited(javascript: Call, model: OpenAIServer) -> None:
    model.script([Answer('Nine weeks [1 "nine weeks"].')])
    file = base64.b64encode(LEASE.encode()).decode()
    made = javascript(SCRIPT, "file", message="How long is the notice period?", file=file, thread="js-2")
    assert made["answer"] == "Nine weeks [1]." and made["attachments"][0]["status"] == "ready"
    assert (made["citations"][0]["name"], made["citations"][0]["quote"]) == ("lease.txt", "nine weeks")


def test_a_batch_keeps_its_order(javascript: Call, model: OpenAIServer) -> None:
    made = javascript(SCRIPT, "batch", messages=["one", "二"], threads=["js-3", "js-4"])
    assert made == ["You said: one", "You said: 二"]


def test_a_stream_of_steps(javascript: Call, model: OpenAIServer) -> None:
    seen = javascript(SCRIPT, "stream", message="Hi", thread="js-5")
    names = [name for name, _ in seen]
    assert names[0] == "detect_modality" and names[-1] == "generate_answer"
    assert dict(seen)["generate_answer"]["answer"] == "You said: Hi"


def test_tokens(javascript: Call, model: OpenAIServer) -> None:
    model.script(["One two three four five."])
    pieces = javascript(SCRIPT, "tokens", message="Count", thread="js-6")
    assert "".join(pieces) == "One two three four five." and len([piece for piece in pieces if piece]) > 1


def test_events(javascript: Call, model: OpenAIServer) -> None:
    model.script(["One two three four five."])
    pieces = javascript(SCRIPT, "events", message="Count", thread="js-7")
    assert "".join(pieces) == "One two three four five." and len(pieces) > 1


def test_errors_keep_status_and_reason(javascript: Call, model: OpenAIServer) -> None:
    said = javascript(SCRIPT, "failure", input={"messages": []}, thread="js-8")
    assert said.startswith("422 Error: ") and "bad_input" in said
    model.script([Failure(500)])
    said = javascript(
        SCRIPT, "failure", input={"messages": [{"type": "human", "content": "Hi", "additional_kwargs": {}}]},
        thread="js-9",
    )  # fmt: skip
    assert said.startswith("503 Error: ") and "model_unavailable" in said
