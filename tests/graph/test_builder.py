"""The compiled graph on stand-ins: what the wiring alone promises."""

from __future__ import annotations

import asyncio
import base64
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from domain.errors import AppError, FileCorrupt
from domain.types import Attachment, AttachmentRef
from graph.builder import build_graph, diagram
from tests.nodes.conftest import Parts

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 64).decode()
TEXT = base64.b64encode(b"Some words of a document.").decode()


def message(*contents: str) -> HumanMessage:
    blocks = [{"type": "file", "base64": data, "filename": f"{n}.bin"} for n, data in enumerate(contents)]
    return HumanMessage([{"type": "text", "text": "what is this?"}, *blocks])


def ingestion(parts: Parts, result: AppError | Exception | None, reported: list[str]) -> Any:
    async def read(ref: AttachmentRef, owner: object, **options: Any) -> Attachment:
        reported.append(ref["name"])
        if report := options.get("on_progress"):
            await asyncio.create_task(_report_from_elsewhere(report, ref))
        if result is not None:
            raise result
        return Attachment(**ref, status="ready", pages_total=1, pages_done=1)  # type: ignore[typeddict-item]

    return SimpleNamespace(read_document=read, read_picture=read)


async def _report_from_elsewhere(report: Any, ref: AttachmentRef) -> None:
    report({**ref, "status": "reading", "pages_done": 0, "pages_total": 1})


async def run(parts: Parts, *messages: HumanMessage, steps: list[list[str]] | None = None) -> dict[str, Any]:
    """Take a turn; `steps` gets the nodes of each superstep."""
    runtime = parts.runtime()
    chunks = build_graph().astream(
        {"messages": list(messages)}, context=runtime.context, stream_mode=["custom", "values", "debug"]
    )
    output: dict[str, Any] = {}
    taken: dict[int, list[str]] = {}
    async for mode, chunk in chunks:
        assert isinstance(chunk, dict)
        if mode == "custom":
            parts.events.append(chunk)
        elif mode == "values":
            output = chunk
        elif chunk["type"] == "task":
            taken.setdefault(chunk["step"], []).append(chunk["payload"]["name"])
    if steps is not None:
        steps.extend(sorted(names) for names in taken.values())
    return output


@pytest.mark.parametrize("contents", [(TEXT,), (PNG,), (TEXT, PNG, TEXT)])
@pytest.mark.parametrize("error", [FileCorrupt(name="x"), RuntimeError("boom")])
async def test_a_reader_that_raises_never_ends_the_turn(
    parts: Parts, contents: tuple[str, ...], error: Exception
) -> None:
    parts.model.steps = [AIMessage("I could not read that.")]
    parts.ingestion = ingestion(parts, error, [])
    output = await run(parts, message(*contents))
    said, *told = output["answer"].split("\n\n")
    assert said == "I could not read that."
    names = [name.partition(" ")[0] for name in told]
    assert sorted(names) == sorted(a["name"] for a in output["attachments"])
    assert [a["status"] for a in output["attachments"]] == ["failed"] * len(contents)


async def test_files_fan_out_and_come_together_once(parts: Parts) -> None:
    parts.model.steps = [AIMessage("Three files.")]
    names: list[str] = []
    parts.ingestion = ingestion(parts, None, names)
    output = await run(parts, message(TEXT, PNG, TEXT))
    assert sorted(names) == ["0.bin", "1.bin", "2.bin"] and len(parts.model.prompts) == 1
    assert [a["status"] for a in output["attachments"]] == ["ready"] * 3


LOOKING = ["recall", "select_tools"]


async def test_a_plain_turn_takes_three_supersteps(parts: Parts) -> None:
    parts.model.steps = [AIMessage("Hello!")]
    steps: list[list[str]] = []
    await run(parts, HumanMessage("hi"), steps=steps)
    assert steps == [["detect_modality"], ["select_tools"], ["generate_answer"]]


@pytest.mark.parametrize("error", [None, FileCorrupt(name="x")])
async def test_a_turn_with_files_and_a_tool_goes_everywhere(parts: Parts, error: AppError | None) -> None:
    call = {"name": "calculate", "args": {"expression": "6*7"}, "id": "1", "type": "tool_call"}
    parts.model.steps = [AIMessage("", tool_calls=[call]), AIMessage("42")]
    parts.ingestion = ingestion(parts, error, [])
    steps: list[list[str]] = []
    await run(parts, message(TEXT, PNG), steps=steps)
    read = [name for name in steps[1] if not name.startswith("__error_handler__")]
    assert read == ["ingest_document", "read_image"]
    asked = ["generate_answer"]
    assert steps[2:] == [LOOKING, asked, ["run_tool"], ["gather_results"], asked, ["verify_citations"], ["remember"]]
    assert len(parts.model.prompts) == 2


async def test_an_invented_quote_is_removed_also_where_there_is_nothing_to_cite(parts: Parts) -> None:
    parts.model.steps = [AIMessage('The sea is blue [1 "as blue as can be"].')]
    output = await run(parts, HumanMessage("hi"))
    assert output["answer"] == "The sea is blue *(unsupported)*."


async def test_progress_is_reported_from_other_tasks(parts: Parts) -> None:
    parts.model.steps = [AIMessage("ok")]
    parts.ingestion = ingestion(parts, None, [])
    await run(parts, message(TEXT))
    assert [item["status"] for item in parts.sent("attachment")] == ["reading", "ready"]


async def test_a_plain_turn_makes_one_model_call(parts: Parts) -> None:
    parts.model.steps = [AIMessage("Hello!")]
    output = await run(parts, HumanMessage("hi"))
    assert output["answer"] == "Hello!" and len(parts.model.prompts) == 1


def test_the_diagram_names_no_error_handler() -> None:
    assert "__error_handler__" not in diagram(build_graph())
