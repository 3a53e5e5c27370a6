"""LangGraph Studio: `langgraph dev` with the project's langgraph.json, through langgraph-sdk."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from tests.integration.conftest import ROOT, free_port, make_picture

pytest.importorskip("langgraph_api", reason="the studio extra is not installed")
from langgraph_sdk import get_client


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("studio"), free_port()
    env = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "VIRTUAL_ENV")}
    env |= {
        "DATA_DIR": str(folder / "data"),
        "LANGGRAPH_CLI_NO_ANALYTICS": "1",
        "WEB_SEARCH": "off",
        "EMBEDDED_THREADS": "1",
    }
    command = [
        str(Path(sys.executable).parent / "langgraph"),
        "dev",
        "--no-browser",
        "--no-reload",
        "--port",
        str(port),
    ]
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=out, start_new_session=True)
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/ok", timeout=2).status_code == 200:
                break
        except httpx.TransportError:
            time.sleep(0.1)
    else:
        process.kill()
        raise AssertionError(log.read_text("utf-8")[-4000:])
    yield url
    process.terminate()
    process.wait(30)


async def test_threads_state_history_and_streams(studio: str) -> None:
    client = get_client(url=studio)
    thread = await client.threads.create()
    said: dict[str, Any] = {"messages": [{"role": "user", "content": "My name is Odile."}]}
    await client.runs.wait(thread["thread_id"], "agent", input=said)
    asked: dict[str, Any] = {"messages": [{"role": "user", "content": "What is my name?"}]}
    modes: list[Any] = ["values", "updates", "messages-tuple", "custom", "events", "debug"]
    seen: set[str] = set()
    async for part in client.runs.stream(thread["thread_id"], "agent", input=asked, stream_mode=modes):
        seen.add(part.event.split("|")[0])
    assert {"values", "updates", "messages", "custom", "events", "debug"} <= seen
    state = await client.threads.get_state(thread["thread_id"])
    values = cast("dict[str, Any]", state["values"])
    assert "Odile" in values["answer"] and len(values["messages"]) == 4
    assert await client.threads.get_history(thread["thread_id"])


PICTURE = base64.b64encode(make_picture("Dock 12 HERON")).decode()


def about_a_picture(text: str) -> dict[str, Any]:
    """A turn that takes its time: the picture is read first."""
    image = {"type": "image", "base64": PICTURE, "mime_type": "image/png"}
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": text}, image]}]}


async def test_pictures_and_system_prompt(studio: str) -> None:
    client = get_client(url=studio)
    thread = await client.threads.create()
    result = await client.runs.wait(
        thread["thread_id"],
        "agent",
        input=about_a_picture("What does it say?"),
        context={"system_prompt": "Be brief.", "tools": []},
    )
    assert isinstance(result, dict) and "HERON" in result["answer"] and PICTURE[:100] not in str(result)


@pytest.mark.parametrize(("said", "told"), [("Tell me of walruses. " * 9, "budget"), ("介绍一下海象。" * 9, "预算")])
async def test_a_failure_is_told_in_words(studio: str, said: str, told: str) -> None:
    client = get_client(url=studio)
    thread = await client.threads.create()
    given: Any = {"input": {"messages": [{"role": "user", "content": said}]}, "context": {"budget": {"tokens": 20}}}
    events = [part async for part in client.runs.stream(thread["thread_id"], "agent", **given)]
    assert events[-1].event == "error", events
    assert told in events[-1].data["message"] and "internal" not in events[-1].data["message"]


async def test_graph_and_context_form(studio: str) -> None:
    client = get_client(url=studio)
    (assistant,) = await client.assistants.search()
    graph = await client.assistants.get_graph(assistant["assistant_id"], xray=True)
    assert {"detect_modality", "generate_answer", "remember"} <= {node["id"] for node in graph["nodes"]}
    inside = {"researcher:read_document", "researcher:tabulate", "analyst:draw", "writer:write_section", "coder:think"}
    assert inside <= {node["id"] for node in graph["nodes"]}, "specialists are drawn with their insides"
    schemas = await client.assistants.get_schemas(assistant["assistant_id"])
    assert schemas["context_schema"]
    fields = schemas["context_schema"]["properties"]
    assert {"system_prompt", "language", "tools"} <= set(fields) and "services" not in fields


def question(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


async def texts(client: Any, thread_id: str) -> list[str]:
    values = (await client.threads.get_state(thread_id))["values"]
    return [message["content"] for message in values["messages"] if message["type"] == "human"]


async def test_history_and_a_fork(studio: str) -> None:
    client = get_client(url=studio)
    thread_id = (await client.threads.create())["thread_id"]
    for said in ("My name is Odile.", "My name is Ida."):
        await client.runs.wait(thread_id, "agent", input=question(said))
    history = await client.threads.get_history(thread_id, limit=50)
    assert len(history) > 6
    after_first = next(
        state
        for state in history
        if not state["next"] and len(cast("dict[str, Any]", state["values"])["messages"]) == 2
    )
    place = cast("dict[str, Any]", after_first["checkpoint"])
    await client.runs.wait(thread_id, "agent", input=question("What is my name?"), checkpoint_id=place["checkpoint_id"])
    assert await texts(client, thread_id) == ["My name is Odile.", "What is my name?"]
    values = cast("dict[str, Any]", (await client.threads.get_state(thread_id))["values"])
    assert "Odile" in values["answer"]


async def test_a_run_is_rolled_back(studio: str) -> None:
    client = get_client(url=studio)
    thread_id = (await client.threads.create())["thread_id"]
    await client.runs.wait(thread_id, "agent", input=question("My name is Odile."))
    first = await client.runs.create(thread_id, "agent", input=about_a_picture("Tell me about this."))
    while (await client.runs.get(thread_id, first["run_id"]))["status"] == "pending":
        await asyncio.sleep(0.05)
    await client.runs.wait(thread_id, "agent", input=question("What is my name?"), multitask_strategy="rollback")
    assert await texts(client, thread_id) == ["My name is Odile.", "What is my name?"]
    other = (await client.threads.create())["thread_id"]
    await asyncio.wait_for(client.runs.wait(other, "agent", input=question("Hello!")), 30)


async def test_a_question_is_answered(studio: str) -> None:
    client = get_client(url=studio)
    thread_id = (await client.threads.create())["thread_id"]
    context: Any = {"permissions": {"calculate": "ask"}}
    asked: Any = await client.runs.wait(thread_id, "agent", input=question("What is 12.5% of 80?"), context=context)
    (waiting,) = asked["__interrupt__"]
    assert waiting["value"]["tool"] == "calculate" and waiting["value"]["arguments"]
    done: Any = await client.runs.wait(thread_id, "agent", command={"resume": "approve"}, context=context)
    assert "10" in done["answer"] and [run["status"] for run in done["tool_runs"]] == ["ok"]
