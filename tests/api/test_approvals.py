"""Tools that a person has to approve: over every way to talk to the server, on two of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import httpx
import pytest
import pytest_asyncio
from langchain_core.tools import tool
from langserve import RemoteRunnable
from openai import AsyncOpenAI
from sqlalchemy import select

from domain.owner import Owner
from domain.runs import Event
from domain.words import Words
from stores.redis.events import RunEvents
from stores.redis.server import open_redis
from stores.sql.tables import actions
from tests.api.conftest import events_of
from tests.api.test_mcp import connected
from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, OpenAIServer, Recorded, ToolCall
from tools.interface import ToolSpec
from tools.permissions import RULES

SENT: list[tuple[str, str]] = []


@tool(parse_docstring=True)
async def send_note(to: str, text: str) -> str:
    """Send a note to a person.

    Args:
        to: Who gets it.
        text: What it says.
    """
    SENT.append((to, text))
    return f"sent to {to}"


SPEC = ToolSpec(tool=send_note, title=Words("Send a note", "发送便条"), permission="write")


@pytest.fixture(scope="module", autouse=True)
def _warm(server: LiveServer, second_server: LiveServer) -> None:
    """The first turn of a server takes the longest; on a busy machine longer than these servers allow."""
    for live in (server, second_server):
        httpx.post(f"{live.url}/api/v1/chat", json={"message": "What is 6*7?"}, timeout=60)


@pytest.fixture(autouse=True)
def _note_tool(server: LiveServer, second_server: LiveServer) -> Iterator[None]:
    SENT.clear()
    for live in (server, second_server):
        live.app.state.backend.services.tools.set_foreign([SPEC], {})
    yield
    for live in (server, second_server):
        live.app.state.backend.services.tools.set_foreign([], {})


def note(to: str = "bob", text: str = "I am late") -> ToolCall:
    return ToolCall("send_note", {"to": to, "text": text})


def asks(model: OpenAIServer, *calls: ToolCall, then: str = "Done.") -> None:
    """Script a turn that makes these calls and then says something."""
    model.script([Answer(tool_calls=list(calls)), Answer(then)])


async def ask(client: httpx.AsyncClient, session: str, message: str = "Tell Bob that I am late") -> dict[str, Any]:
    response = await client.post("/api/v1/chat", json={"message": message, "session_id": session})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def reply(client: httpx.AsyncClient, run_id: str, answers: dict[str, Any]) -> dict[str, Any]:
    """Answer, and follow the run to its end or its next question."""
    response = await client.post(f"/api/v1/runs/{run_id}/answers", json={"answers": answers, "stream": True})
    assert response.status_code == 202 or response.status_code == 200, response.text
    events = [event async for event in events_of(response)]
    last: dict[str, Any] = events[-1][2]
    return last


APPROVE = {"*": {"decision": "approve"}}


async def test_a_write_waits_and_is_done_once_on_another_server(
    client: httpx.AsyncClient, second: httpx.AsyncClient, model: OpenAIServer
) -> None:
    asks(model, ToolCall("calculate", {"expression": "6*7"}), note())
    waiting = await ask(client, "wait-1")
    assert waiting["state"] == "waiting" and not SENT
    (question,) = waiting["questions"]
    assert (question["tool"], question["permission"]) == ("send_note", "write")
    assert question["arguments"] == {"to": "bob", "text": "I am late"}
    assert {origin["argument"]: origin["kind"] for origin in question["origins"]} == {"to": "user", "text": "user"}
    assert "I am late" in waiting["answer"] and "approve" in waiting["answer"]
    status = (await second.get(f"/api/v1/runs/{waiting['run_id']}")).json()
    assert status["state"] == "waiting" and status["result"]["questions"] == [question]
    shown = (await second.get("/api/v1/sessions/wait-1")).json()
    assert shown["waiting"] == {"run_id": waiting["run_id"], "questions": [question]}
    assert [entry.get("state") for entry in shown["messages"]] == [None]
    done = await reply(second, waiting["run_id"], {question["id"]: {"decision": "approve"}})
    assert (done["state"], done["answer"], done["run_id"]) == ("done", "Done.", waiting["run_id"])
    assert SENT == [("bob", "I am late")]
    assert [(run["name"], run["status"]) for run in done["tools"]] == [("calculate", "ok"), ("send_note", "ok")]
    shown = (await client.get("/api/v1/sessions/wait-1")).json()
    assert shown["waiting"] is None
    assert [(entry["role"], entry["text"]) for entry in shown["messages"]] == [
        ("user", "Tell Bob that I am late"), ("assistant", "Done."),
    ]  # fmt: skip
    again = await client.post(f"/api/v1/runs/{waiting['run_id']}/answers", json={"answers": APPROVE})
    assert again.status_code == 409 and again.json()["error"]["code"] == "not_waiting"


async def test_each_question_is_answered_by_itself_and_nothing_runs_twice(
    client: httpx.AsyncClient, second: httpx.AsyncClient, model: OpenAIServer
) -> None:
    asks(model, note("bob"), ToolCall("calculate", {"expression": "6*7"}), note("ann"), note("eve"))
    waiting = await ask(client, "parts-1")
    ids = {question["arguments"]["to"]: question["id"] for question in waiting["questions"]}
    assert set(ids) == {"bob", "ann", "eve"}
    edited = {"decision": "approve", "arguments": {"to": "ann", "text": "Ten minutes late"}}
    left = await reply(second, waiting["run_id"], {ids["ann"]: edited})
    assert left["state"] == "waiting" and {question["id"] for question in left["questions"]} == {ids["bob"], ids["eve"]}
    assert SENT == [("ann", "Ten minutes late")]
    answers = {ids["bob"]: {"decision": "refuse", "reason": "I told him"}, ids["eve"]: {"decision": "approve"}}
    done = await reply(client, waiting["run_id"], answers)
    assert done["state"] == "done" and SENT == [("ann", "Ten minutes late"), ("eve", "I am late")]
    assert [(run["name"], run["status"]) for run in done["tools"]] == [
        ("send_note", "refused"), ("calculate", "ok"), ("send_note", "ok"), ("send_note", "ok"),
    ]  # fmt: skip
    told = [message["content"] for message in model.chats[-1].body["messages"] if message["role"] == "tool"]
    assert "I told him" in told[0] and "42" in told[1] and len(told) == 4


async def test_a_run_that_is_shown_as_waiting_can_be_answered_at_once(
    client: httpx.AsyncClient, server: LiveServer, model: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = RunEvents.append

    async def late(self: RunEvents, run_id: str, events: Sequence[Event], *rest: Any) -> bool:
        if events[-1].name == "waiting":
            await asyncio.sleep(0.3)
        return await append(self, run_id, events, *rest)

    monkeypatch.setattr(RunEvents, "append", late)
    asks(model, note())
    path = f"/api/v1/runs/{(await client.post('/api/v1/runs', json={'message': 'Tell Bob'})).json()['run_id']}"
    while (run := (await client.get(path)).json())["state"] != "waiting":
        assert run["state"] in ("queued", "running"), run
        await asyncio.sleep(0)
    assert [question["tool"] for question in run["result"]["questions"]] == ["send_note"]
    answered = await client.post(f"{path}/answers", json={"answers": APPROVE})
    assert answered.status_code == 202, answered.text
    while (await client.get(path)).json()["state"] != "done":
        await asyncio.sleep(0.02)
    assert SENT == [("bob", "I am late")]


async def test_what_is_no_answer_is_refused_and_the_question_stays(
    client: httpx.AsyncClient, model: OpenAIServer
) -> None:
    asks(model, note())
    waiting = await ask(client, "bad-1")
    path = f"/api/v1/runs/{waiting['run_id']}/answers"
    for answers, status, code in (
        ({"nonsense": {"decision": "approve"}}, 404, "unknown_question"),
        ({"*": {"decision": "perhaps"}}, 422, "bad_input"),
        ({"*": {"decision": "approve", "arguments": {"to": 5}}}, 422, "bad_input"),
    ):
        refused = await client.post(path, json={"answers": answers})
        assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
    assert not SENT
    assert (await reply(client, waiting["run_id"], {"*": {"decision": "refuse"}}))["state"] == "done"
    assert not SENT
    other = await client.post("/api/v1/runs/nonsense/answers", json={"answers": APPROVE})
    assert (other.status_code, other.json()["error"]["code"]) == (404, "unknown_run")


@pytest.mark.parametrize("scope", ["session", "pattern"])
async def test_an_approval_that_holds_longer_covers_its_pattern_alone(
    scope: str, client: httpx.AsyncClient, second: httpx.AsyncClient, model: OpenAIServer
) -> None:
    asks(model, note("bob", "I am late"), note("bob", "Start without me"))
    waiting = await ask(client, f"scope-{scope}")
    assert waiting["questions"][0]["pattern"] == {"to": "bob", "text": "*"}
    first = waiting["questions"][0]["id"]
    assert (await reply(client, waiting["run_id"], {first: {"decision": "approve", "scope": scope}}))["state"] == "done"
    assert sorted(text for _, text in SENT) == ["I am late", "Start without me"]
    asks(model, note("bob", "There now"))
    assert (await ask(second, f"scope-{scope}"))["state"] == "done" and len(SENT) == 3
    asks(model, note("eve"))
    other = await ask(second, f"scope-{scope}")
    assert other["state"] == "waiting"
    await reply(second, other["run_id"], {"*": {"decision": "refuse"}})
    asks(model, note("bob"))
    elsewhere = await ask(client, f"elsewhere-{scope}")
    assert elsewhere["state"] == ("done" if scope == "pattern" else "waiting")
    if scope == "session":
        await client.post(f"/api/v1/runs/{elsewhere['run_id']}/stop")
        model.reset()
    (rule,) = (await client.get("/api/v1/permissions", params={"session_id": f"scope-{scope}"})).json()["rules"]
    assert rule["rule"]["arguments"] == {"to": "bob", "text": "*"}
    assert rule["session_id"] == ("" if scope == "pattern" else f"scope-{scope}")
    assert (await client.delete(f"/api/v1/permissions/{rule['id']}")).status_code == 204
    assert (await client.delete(f"/api/v1/permissions/{rule['id']}")).status_code == 404
    asks(model, note("bob"))
    again = await ask(client, f"scope-{scope}")
    assert again["state"] == "waiting"
    await reply(client, again["run_id"], {"*": {"decision": "refuse"}})


async def test_a_new_message_meets_409_and_stopping_frees_the_session(
    client: httpx.AsyncClient, second: httpx.AsyncClient, model: OpenAIServer
) -> None:
    asks(model, note())
    waiting = await ask(client, "busy-1")
    for api in (client, second):
        refused = await api.post("/api/v1/chat", json={"message": "And now?", "session_id": "busy-1"})
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (409, "run_waiting") and "Send a note" in error["message"]
    stopped = (await second.post(f"/api/v1/runs/{waiting['run_id']}/stop")).json()
    assert stopped["state"] == "stopped"
    model.script(["Hello."])
    assert (await ask(client, "busy-1", "Hi"))["answer"] == "Hello."
    roles = [message["role"] for message in model.chats[-1].body["messages"]]
    assert roles == ["system", "user", "assistant", "user"] and not SENT
    shown = (await client.get("/api/v1/sessions/busy-1")).json()["messages"]
    assert [entry.get("state") for entry in shown] == [None, "stopped", None, "done"]


@pytest.mark.parametrize(
    ("more", "left"),
    [
        ({"on_busy": "interrupt"}, [None, "interrupted", None, "done"]),
        ({"on_busy": "rollback"}, [None, "done"]),
        ({"replaces": True}, [None, "done"]),
    ],
)
async def test_a_message_that_goes_first_ends_the_run_that_waits(
    more: dict[str, Any], left: list[str | None], client: httpx.AsyncClient, model: OpenAIServer
) -> None:
    session = f"first-{'-'.join(map(str, more.values()))}"
    asks(model, note())
    waiting = await ask(client, session)
    if "replaces" in more:
        more = {"replaces": waiting["run_id"]}
    model.script(["Hello."])
    done = await client.post("/api/v1/chat", json={"message": "Hi", "session_id": session, **more})
    assert done.json()["answer"] == "Hello." and not SENT
    shown = (await client.get(f"/api/v1/sessions/{session}")).json()
    assert [entry.get("state") for entry in shown["messages"]] == left and shown["waiting"] is None
    late = await client.post(f"/api/v1/runs/{waiting['run_id']}/answers", json={"answers": APPROVE})
    assert late.status_code == 409


async def test_by_setting_a_new_message_refuses_first(
    server: LiveServer, client: httpx.AsyncClient, model: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(server.app.state.backend.services.settings.__dict__, "when_waiting", "refuse")
    model.script([Answer(tool_calls=[note()]), Answer("Not sent."), Answer("Hello.")])
    waiting = await ask(client, "refuses-1")
    assert (await ask(client, "refuses-1", "Hi"))["answer"] == "Hello."
    assert (await client.get(f"/api/v1/runs/{waiting['run_id']}")).json()["result"]["answer"] == "Not sent."
    shown = (await client.get("/api/v1/sessions/refuses-1")).json()["messages"]
    assert [entry["text"] for entry in shown] == ["Tell Bob that I am late", "Not sent.", "Hi", "Hello."] and not SENT


async def test_a_question_expires_with_its_thread(
    server: LiveServer, client: httpx.AsyncClient, model: OpenAIServer
) -> None:
    model.script([Answer(tool_calls=[note()])])
    waiting = await ask(client, "expire-1")
    thread = Owner("local", "expire-1").memory_key
    async with await open_redis(server.settings) as redis:
        keys = [name async for name in redis.client.scan_iter("checkpoint_latest:*") if thread.encode() in name]
        assert await redis.client.delete(*keys) == 1
    late = await client.post(f"/api/v1/runs/{waiting['run_id']}/answers", json={"answers": APPROVE})
    assert (late.status_code, late.json()["error"]["code"]) == (410, "question_expired") and not SENT
    status = (await client.get(f"/api/v1/runs/{waiting['run_id']}")).json()
    assert (status["state"], status["error"]["code"]) == ("error", "question_expired")


async def test_a_stream_rests_at_the_question_and_goes_on_behind_it(
    client: httpx.AsyncClient, second: httpx.AsyncClient, model: OpenAIServer
) -> None:
    asks(model, note())
    body = {"message": "给 Bob 留言说我迟到了", "session_id": "stream-1"}
    async with client.stream("POST", "/api/v1/chat/stream", json=body) as response:
        events = [event async for event in events_of(response)]
    last, name, waiting = events[-1]
    assert name == "waiting" and "需要你批准" in waiting["answer"]
    run_id = waiting["run_id"]
    async with client.stream("GET", f"/api/v1/runs/{run_id}/stream", headers={"Last-Event-ID": str(last)}) as follower:
        answered = await second.post(f"/api/v1/runs/{run_id}/answers", json={"answers": APPROVE})
        assert answered.status_code == 202 and answered.json()["run_id"] == run_id
        followed = [event async for event in events_of(follower)]
    assert [number for number, *_ in followed] == list(range(last + 1, last + 1 + len(followed)))
    assert followed[0][1] == "answered" and followed[-1][1] == "done" and SENT == [("bob", "I am late")]
    async with second.stream("GET", f"/api/v1/runs/{run_id}/stream") as whole:
        assert [event async for event in events_of(whole)][-1] == followed[-1]


@pytest_asyncio.fixture(loop_scope="session")
async def remote(second_server: LiveServer) -> AsyncIterator[RemoteRunnable[Any, Any]]:
    runnable: RemoteRunnable[Any, Any] = RemoteRunnable(f"{second_server.url}/agent")
    yield runnable
    await runnable.async_client.aclose()


async def test_langserve_resumes(
    remote: RemoteRunnable[Any, Any], client: httpx.AsyncClient, model: OpenAIServer
) -> None:
    thread: Any = {"configurable": {"thread_id": "remote-1"}}
    asks(model, note("bob"), note("ann"))
    output = await remote.ainvoke({"messages": [("human", "Tell Bob and Ann that I am late")]}, thread)
    first, other = output["__interrupt__"]
    assert first["value"]["arguments"]["to"] == "bob"
    with pytest.raises(httpx.HTTPStatusError, match="422"):
        await remote.ainvoke({"resume": "approve"}, thread)
    output = await remote.ainvoke({"resume": {first["id"]: {"decision": "approve"}}}, thread)
    assert [waiting["id"] for waiting in output["__interrupt__"]] == [other["id"]]
    updates = [chunk async for chunk in remote.astream({"resume": "refuse"}, thread)]
    assert updates[-1].get("generate_answer") or any("generate_answer" in chunk for chunk in updates)
    assert SENT == [("bob", "I am late")]
    asks(model, note("bob"))
    chunks = [chunk async for chunk in remote.astream({"messages": [("human", "Tell Bob that I am late")]}, thread)]
    assert chunks[-1]["__interrupt__"][0]["value"]["tool"] == "send_note"
    assert (await remote.ainvoke({"resume": {"decision": "approve"}}, thread))["answer"] == "Done."
    with pytest.raises(httpx.HTTPStatusError, match="409"):
        await remote.ainvoke({"resume": {"decision": "approve"}}, thread)


async def test_openai_clients_read_what_waits_and_answer_in_a_word(server: LiveServer, model: OpenAIServer) -> None:
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as openai:
        said = {"model": "agent", "extra_headers": {"X-Session-Id": "openai-1"}}
        asks(model, note(), then="Erledigt.")
        question = [{"role": "user", "content": "Tell Bob that I am late"}]
        first = await openai.chat.completions.create(messages=question, **said)  # type: ignore[call-overload]
        text = first.choices[0].message.content
        assert "Send a note: to = bob; text = I am late" in text and first.choices[0].finish_reason == "stop"
        messages = [*question, {"role": "assistant", "content": text}, {"role": "user", "content": "Approve"}]
        stream = await openai.chat.completions.create(messages=messages, stream=True, **said)  # type: ignore[call-overload]
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]) == "Erledigt."
        assert SENT == [("bob", "I am late")]
        asks(model, note(), then="没有发送。")
        stream = await openai.chat.completions.create(
            messages=[{"role": "user", "content": "给 Bob 留言说我迟到了"}], stream=True, **said
        )  # type: ignore[call-overload]
        shown = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
        assert "发送便条" in shown and "请只回复“同意”或“拒绝”" in shown
        refused = await openai.chat.completions.create(messages=[{"role": "user", "content": "拒绝"}], **said)  # type: ignore[call-overload]
        assert refused.choices[0].message.content == "没有发送。" and len(SENT) == 1


async def test_responses_go_on_with_the_answer(server: LiveServer, model: OpenAIServer) -> None:
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as openai:
        asks(model, note(), then="Sent.")
        first = await openai.responses.create(model="agent", input="Tell Bob that I am late")
        assert "Send a note: to = bob" in first.output_text and not SENT
        stream = await openai.responses.create(
            model="agent", input="approve", previous_response_id=first.id, stream=True
        )
        last: Any = [event async for event in stream][-1]
        assert last.type == "response.completed" and last.response.output_text == "Sent."
        assert SENT == [("bob", "I am late")]


async def test_mcp_clients_are_told_and_answer(server: LiveServer, model: OpenAIServer) -> None:
    async with connected(server.url) as session:
        asks(model, note(), then="Sent.")
        asked = await session.call_tool("ask", {"question": "Tell Bob that I am late", "session_id": "mcp-1"})
        told: Any = asked.structuredContent
        assert told["state"] == "waiting" and told["questions"][0]["tool"] == "send_note" and not SENT
        done = await session.call_tool("ask", {"question": "approve", "session_id": "mcp-1"})
        assert (done.structuredContent or {})["answer"] == "Sent." and SENT == [("bob", "I am late")]


async def test_a_call_without_a_thread_cannot_ask(server: LiveServer, model: OpenAIServer) -> None:
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as openai:
        asks(model, note())
        done: Any = await openai.chat.completions.create(
            model="agent", messages=[{"role": "user", "content": "Tell Bob that I am late"}]
        )
    assert done.choices[0].message.content == "Done." and not SENT
    assert "needs your approval" in done.warnings[0] and done.tools[0]["status"] == "refused"


async def test_a_request_may_only_tighten(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    asks(model, ToolCall("calculate", {"expression": "6*7"}), note())
    body = {"message": "Tell Bob", "session_id": "tight-1", "permissions": {"calc*": "ask", "builtin:send_*": "deny"}}
    waiting = (await client.post("/api/v1/chat", json=body)).json()
    assert [question["tool"] for question in waiting["questions"]] == ["calculate"]
    done = await reply(client, waiting["run_id"], APPROVE)
    assert [run["status"] for run in done["tools"]] == ["ok", "refused"] and not SENT
    loose = await client.post("/api/v1/chat", json={**body, "permissions": {"*": "allow"}})
    assert loose.status_code == 422


async def test_questions_and_refusals_are_counted(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    async def counted() -> tuple[int, int]:
        tools = (await client.get("/api/v1/tools")).json()["tools"]
        row = next(row for row in tools if row["name"] == "send_note")
        return row["asked"], row["refused"]

    asked, refused = await counted()
    asks(model, note(), note("ann"))
    waiting = await ask(client, "count-1")
    await reply(client, waiting["run_id"], {waiting["questions"][0]["id"]: {"decision": "refuse"}})
    await reply(client, waiting["run_id"], {"*": {"decision": "refuse"}})
    assert await counted() == (asked + 2, refused + 2)


async def test_a_specialist_asks_too_and_its_task_is_not_the_users_words(
    client: httpx.AsyncClient, second: httpx.AsyncClient, model: OpenAIServer
) -> None:
    url = "https://elsewhere.example/?q=secret"

    def respond(request: Recorded) -> Answer | str:
        told = str(request.messages[-1]["content"])
        if request.messages[-1]["role"] == "tool":
            return "It was refused." if "sees no need" in told else "Done."
        if url in told:
            return Answer(tool_calls=[ToolCall("fetch_url", {"url": url})])
        return Answer(tool_calls=[ToolCall("delegate", {"agent": "researcher", "task": f"Read {url}"})])

    model.respond = respond
    waiting = await ask(client, "specialist-1", "Look into it")
    (question,) = waiting["questions"]
    assert question["tool"] == "fetch_url" and question["origins"][0]["kind"] == "model"
    answers = {question["id"]: {"decision": "refuse", "reason": "The user sees no need"}}
    done = await reply(second, waiting["run_id"], answers)
    assert (done["state"], done["answer"]) == ("done", "Done.")
    assert [(run["name"], run["status"]) for run in done["tools"]] == [("fetch_url", "refused")]


async def test_questions_answers_and_rules_are_in_the_action_log(
    server: LiveServer, client: httpx.AsyncClient, model: OpenAIServer
) -> None:
    asks(model, note("li"))
    waiting = await ask(client, "logged-1")
    await reply(client, waiting["run_id"], {"*": {"decision": "approve", "scope": "session"}})
    database, wanted = server.app.state.backend.services.database, ["question", "answer", "policy"]
    query = select(actions.c.kind, actions.c.facts).where(actions.c.kind.in_(wanted)).order_by(actions.c.id)
    rows: list[Any] = []
    async with asyncio.timeout(20):
        while [row.kind for row in rows] != wanted:
            await asyncio.sleep(0.1)
            found = await database.read(lambda db: db.execute(query).all())
            rows = [row for row in found if row.facts.get("run_id") == waiting["run_id"]]
    assert rows[1].facts["decision"] == "approve" and rows[1].facts["scope"] == "session"
    assert rows[2].facts["change"] == "allowed" and "I am late" not in str(rows)


@pytest.mark.parametrize(("role", "state"), [("admin", "done"), ("user", "waiting")])
async def test_a_rule_may_be_for_a_role(
    role: str, state: str, server: LiveServer, client: httpx.AsyncClient, model: OpenAIServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    rules = RULES.validate_python([{"tool": "send_*", "decision": "allow", "roles": [role]}])
    monkeypatch.setattr(server.app.state.backend.services.permissions, "_rules", rules)
    asks(model, note())
    answer = await ask(client, f"role-{role}")
    assert answer["state"] == state and len(SENT) == (state == "done")
    if state == "waiting":
        await reply(client, answer["run_id"], {"*": {"decision": "refuse"}})
