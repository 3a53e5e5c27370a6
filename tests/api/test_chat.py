from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from tests.api.conftest import events_of
from tests.standins.openai_server import Answer, Failure, Hang, OpenAIServer, ToolCall

TEXT = b"The notice period is six weeks to the end of the quarter. Rent is due on the third of each month."


async def test_an_answer_has_all_fields(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    model.script(["Hello there."])
    response = await client.post("/api/v1/chat", json={"message": "Hi", "session_id": "fields"})
    assert response.status_code == 200
    body = response.json()
    assert body["answer"] == "Hello there."
    assert (body["session_id"], body["state"], body["citations"], body["attachments"]) == ("fields", "done", [], [])
    assert set(body["usage"]) == {"input_tokens", "output_tokens", "model"}
    assert {"run_id", "tools", "warnings"} <= body.keys()
    assert len(model.chats) == 1, "a plain text turn makes one model call"


async def test_a_session_is_made_and_remembered(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    model.script(["Noted.", "Your name is Ada."])
    first = (await client.post("/api/v1/chat", json={"message": "My name is Ada."})).json()
    await client.post("/api/v1/chat", json={"message": "What is my name?", "session_id": first["session_id"]})
    said = [message["content"] for message in model.chats[-1].body["messages"] if message["role"] != "system"]
    assert said == ["My name is Ada.", "Noted.", "What is my name?"]


async def test_the_system_prompt_reaches_the_model(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    await client.post("/api/v1/chat", json={"message": "Hi", "system_prompt": "You are a pirate."})
    assert "You are a pirate." in str(model.chats[-1].body["messages"][0])


@pytest.mark.parametrize("field", ["file", "image", "whatever"])
async def test_files_come_in_any_field_and_are_known_by_content(
    client: httpx.AsyncClient, model: OpenAIServer, field: str
) -> None:
    response = await client.post(
        "/api/v1/chat_with_file",
        data={"message": "What is the notice period?", "session_id": f"field-{field}"},
        files=[(field, ("lease.txt", TEXT)), (field, ("second.txt", b"Another text altogether."))],
    )
    body = response.json()
    assert response.status_code == 200, body
    assert [(item["name"], item["kind"], item["status"]) for item in body["attachments"]] == [
        ("lease.txt", "document", "ready"),
        ("second.txt", "document", "ready"),
    ]
    assert "six weeks" in str(model.chats[-1].body["messages"])


async def test_what_the_model_is_sent_depends_on_what_is_asked(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    files = {"file": ("lease.txt", TEXT)}
    (sent,) = (await client.post("/api/v1/documents", files=files, data={"session_id": "sent"})).json()
    while (await client.get(f"/api/v1/documents/{sent['id']}")).json()["status"] != "ready":
        await asyncio.sleep(0.05)
    for question in (
        "Hello!",
        "非常感谢！",
        "What is the notice period?",
        "And when is the rent due?",
        "What is on page 1?",
    ):
        await client.post("/api/v1/chat", json={"message": question, "session_id": "sent"})
    bodies = [chat.body["messages"] for chat in model.chats[-5:]]
    assert {key for messages in bodies for message in messages for key in message} == {"role", "content"}
    hello, thanks, *asked = [messages[-1]["content"] for messages in bodies]
    assert (hello, thanks) == ("Hello!", "非常感谢！")
    assert all("six weeks" in text and "[1] lease.txt" in text for text in asked)


async def test_a_bad_file_is_a_note_and_the_turn_goes_on(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    response = await client.post(
        "/api/v1/chat_with_file",
        data={"message": "Read these."},
        files=[("file", ("empty.txt", b"")), ("file", ("lease.txt", TEXT)), ("file", ("broken.pdf", b"%PDF-1.7 no"))],
    )
    by_name = {item["name"]: item for item in response.json()["attachments"]}
    assert by_name["lease.txt"]["status"] == "ready"
    assert by_name["empty.txt"]["error"]["code"] == "file_empty"
    assert by_name["broken.pdf"]["status"] == "failed"


async def test_a_refused_file_is_told_of_whatever_the_model_says(
    client: httpx.AsyncClient, model: OpenAIServer
) -> None:
    files = [("file", ("empty.txt", b"")), ("file", ("lease.txt", TEXT))]
    model.script(["Six weeks, I think."])
    data = {"message": "How long is the notice period?", "session_id": "refused"}
    body = (await client.post("/api/v1/chat_with_file", data=data, files=files)).json()
    told = "empty.txt could not be used: empty.txt is empty. Send a file that has content."
    assert body["answer"] == f"Six weeks, I think.\n\n{told}"
    assert body["warnings"] == [told]
    assert [(item["name"], item["status"]) for item in body["attachments"]] == [
        ("empty.txt", "failed"), ("lease.txt", "ready"),
    ]  # fmt: skip
    sent = str(model.chats[-1].body["messages"])
    assert "File empty.txt could not be used (file_empty)" in sent
    model.script(["empty.txt 里没有内容。"])
    response = await client.post("/api/v1/chat/stream", data={"message": "这份文件讲什么？"}, files=files[:1])
    [done] = [data async for _, name, data in events_of(response) if name == "done"]
    assert (done["answer"], done["warnings"]) == ("empty.txt 里没有内容。", [])
    assert done["attachments"][0]["error"]["code"] == "file_empty"
    [entry, *_] = (await client.get("/api/v1/sessions/refused")).json()["messages"]
    assert entry["text"] == "How long is the notice period?"


async def test_a_lone_unusable_file_is_an_error(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    response = await client.post("/api/v1/chat_with_file", files={"file": ("empty.txt", b"")})
    assert (response.status_code, response.json()["error"]["code"]) == (422, "file_empty")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "bad_input"),
        ({"message": "  "}, 422, "bad_input"),
        ({"message": 7}, 422, "bad_input"),
        ({"message": "x", "mesage": "y"}, 422, "bad_input"),
        ({"message": "x", "session_id": ""}, 422, "bad_input"),
        ({"message": "x" * 200_001}, 413, "message_too_long"),
        ({"message": "x", "attachment_ids": ["1", "2", "3", "4"]}, 413, "too_many_files"),
        ({"message": "x", "replaces": "nothing", "session_id": "s"}, 404, "unknown_session"),
        ([], 422, "bad_input"),
    ],
)
async def test_bad_bodies(client: httpx.AsyncClient, model: OpenAIServer, body: object, status: int, code: str) -> None:
    response = await client.post("/api/v1/chat", json=body)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (status, code), error
    assert error["request_id"] == response.headers["x-request-id"]
    assert error["message"] and error["remedy"]


async def test_bodies_that_are_not_json(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    for content, kind in ((b"{", "application/json"), (b"\xff\xfe", "application/json"), (b"x", "multipart/form-data")):
        response = await client.post("/api/v1/chat", content=content, headers={"content-type": kind})
        assert (response.status_code, response.json()["error"]["code"]) == (422, "bad_input")


async def test_too_many_files(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    files = [("file", (f"{n}.txt", TEXT)) for n in range(6)]
    response = await client.post("/api/v1/chat_with_file", data={"message": "x"}, files=files)
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_many_files")


async def test_errors_speak_the_language_of_the_client(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    chinese = {"accept-language": "zh-CN,en;q=0.5"}
    cases: tuple[tuple[dict[str, str], dict[str, str], bool], ...] = (
        ({"message": "12"}, chinese, True),
        ({"message": "你好，请问你是谁？"}, {}, True),
        ({"message": "Hi"}, chinese, False),
    )
    model.script([Failure(401)] * 9)
    for body, headers, is_chinese in cases:
        answer = await client.post("/api/v1/chat", json=body, headers=headers)
        agent = await client.post("/agent/invoke", json={"input": body}, headers=headers)
        async with client.stream("POST", "/api/v1/chat/stream", json=body, headers=headers) as response:
            *_, (_, name, data) = [event async for event in events_of(response)]
        assert (answer.status_code, agent.status_code, name) == (401, 401, "error")
        for error in (answer.json()["error"], agent.json()["error"], data["error"]):
            assert error["code"] == "model_key_refused"
            assert ("语言模型" in error["message"]) is is_chinese


async def test_a_stream_tells_nodes_tokens_and_one_end(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    model.script([Answer(tool_calls=[ToolCall("calculate", {"expression": "6*7"})]), "It is 42 indeed."])
    async with client.stream("POST", "/api/v1/chat/stream", json={"message": "How much is 6*7?"}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        events = [event async for event in events_of(response)]
    names = [name for _, name, _ in events]
    assert [number for number, _, _ in events] == list(range(1, len(events) + 1))
    assert names[0] == "run" and names[-1] == "done" and names.count("done") + names.count("error") == 1
    assert {"node", "tool", "token", "usage"} <= set(names)
    assert "".join(data["text"] for _, name, data in events if name == "token") == "It is 42 indeed."
    started = [data["name"] for _, name, data in events if name == "node" and data["state"] == "start"]
    assert started[0] == "detect_modality" and started[-1] == "remember" and started.count("generate_answer") == 2
    assert events[-1][2]["answer"] == "It is 42 indeed."
    assert events[-1][2]["tools"][0]["name"] == "calculate"


async def test_a_failing_model_ends_the_stream_in_one_error(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    model.script([Failure(500)])
    async with client.stream("POST", "/api/v1/chat/stream", json={"message": "Hi", "session_id": "f"}) as response:
        events = [event async for event in events_of(response)]
    assert [name for _, name, _ in events if name in ("done", "error")] == ["error"]
    assert events[-1][2]["error"]["code"] == "model_unavailable"
    model.script(["Fine again."])
    await client.post("/api/v1/chat", json={"message": "Still there?", "session_id": "f"})
    said = [message["content"] for message in model.chats[-1].body["messages"] if message["role"] != "system"]
    assert said == ["Still there?"], "a turn that failed without a word is not in memory"


async def test_a_client_that_leaves_does_not_end_the_turn(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    model.script([Answer("one two three four five", pace=0.1)])
    async with client.stream(
        "POST", "/api/v1/chat/stream", json={"message": "Count", "session_id": "leave"}
    ) as response:
        run_id = response.headers["x-run-id"]
    for _ in range(100):
        run = (await client.get(f"/api/v1/runs/{run_id}")).json()
        if run["state"] not in ("queued", "running"):
            break
        await asyncio.sleep(0.05)
    assert (run["state"], run["result"]["answer"]) == ("done", "one two three four five")


async def test_a_client_that_wants_it_cancels_by_leaving(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    model.script([Hang()])
    body = {"message": "Count", "session_id": "cancel", "on_disconnect": "cancel"}
    with pytest.raises(httpx.ReadTimeout):
        await client.post("/api/v1/chat", json=body, timeout=0.5)
    await model.disconnected(1, timeout=3)


async def test_a_persona_is_a_role_by_name(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    known = (await client.get("/api/v1/personas")).json()["personas"]
    body = {"message": "你好，请介绍一下自己", "persona": "teacher", "system_prompt": "每句不超过十个字。"}
    assert (await client.post("/api/v1/chat", json=body)).status_code == 200
    system = model.chats[-1].body["messages"][0]["content"]
    assert known["teacher"]["zh"] in system and "每句不超过十个字。" in system
    unknown = await client.post("/api/v1/chat", json={"message": "Hi", "persona": "pirate"})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (422, "unknown_persona")
    assert all(name in unknown.json()["error"]["remedy"] for name in known)


async def test_a_budget_bounds_the_turn(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    await client.post("/api/v1/chat", json={"message": "Hi", "budget": 3000})
    assert 32 <= model.chats[-1].body["max_tokens"] < 3000
    calls = len(model.chats)
    refused = await client.post("/api/v1/chat", json={"message": "Hi", "budget": 10})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "budget_exceeded")
    assert len(model.chats) == calls, "nothing was spent"


INVENTED = 'Ten weeks [7]. Six weeks [1 "six weeks"]. Ten [1 "exactly ten weeks"]. Take arr[7] and [0, 1].'
BORNE_OUT = "Ten weeks *(unsupported)*. Six weeks [1]. Ten *(unsupported)*. Take arr[7] and [0, 1]."


@pytest.mark.parametrize("surface", ["chat", "stream", "v1", "v1 stream", "langserve"])
async def test_an_invented_citation_is_removed_before_it_counts_as_one(
    client: httpx.AsyncClient, model: OpenAIServer, surface: str
) -> None:
    session = f"invented-{surface.replace(' ', '-')}"
    sent = await client.post("/api/v1/documents", data={"session_id": session}, files={"file": ("lease.txt", TEXT)})
    assert sent.status_code == 201
    model.script([INVENTED])
    question = "How long is the notice period?"
    asked = {"message": question, "session_id": session}
    memory = {"X-Session-Id": session}
    messages = {"model": "m", "messages": [{"role": "user", "content": question}], "stream": surface == "v1 stream"}
    if surface == "chat":
        said = (await client.post("/api/v1/chat", json=asked)).json()["answer"]
    elif surface == "v1":
        answer = (await client.post("/v1/chat/completions", json=messages, headers=memory)).json()
        said = answer["choices"][0]["message"]["content"]
    elif surface == "langserve":
        body = {"input": {"messages": messages["messages"]}, "config": {"configurable": {"thread_id": session}}}
        said = (await client.post("/agent/invoke", json=body)).json()["output"]["answer"]
    elif surface == "stream":
        async with client.stream("POST", "/api/v1/chat/stream", json=asked) as response:
            said = "".join([data["text"] async for _, name, data in events_of(response) if name == "token"])
    else:
        async with client.stream("POST", "/v1/chat/completions", json=messages, headers=memory) as response:
            lines = [line[6:] async for line in response.aiter_lines() if line.startswith("data: {")]
        deltas = [choice["delta"].get("content") for line in lines for choice in json.loads(line)["choices"]]
        said = "".join(filter(None, deltas))
    assert said == BORNE_OUT
