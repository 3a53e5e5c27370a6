from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.types import Overwrite

from domain.errors import BadInput, TooManyFiles
from domain.words import Words
from net.failures import AddressBlocked
from nodes.detect_modality import detect_modality
from tests.nodes.conftest import Parts, a_state
from tools.registry import Note
from turn.state import TurnState

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64


def block(data: bytes, **more: str) -> dict[str, str]:
    return {"type": "file", "base64": base64.b64encode(data).decode(), "mime_type": "application/pdf", **more}


async def test_files_leave_the_message_and_the_state(parts: Parts) -> None:
    message = HumanMessage([{"type": "text", "text": "这张图里有什么？"}, block(PNG, filename="图.pdf")], id="m1")
    update = await detect_modality(a_state(messages=[message]), parts.runtime())
    (moved,) = update["messages"]
    assert (moved.id, moved.content, update["language"]) == ("m1", "这张图里有什么？", "zh")
    (ref,) = update["pending"]
    assert (ref["kind"], ref["media_type"], ref["name"]) == ("image", "image/png", "图.pdf")
    assert base64.b64encode(PNG).decode() not in str(update)


async def test_the_books_of_the_last_turn_are_closed(parts: Parts) -> None:
    state = a_state(messages=[HumanMessage("hi")], tool_rounds=3, answer="old", warnings=["old"], sources=[{}])
    update = await detect_modality(state, parts.runtime())
    assert (update["tool_rounds"], update["answer"], update["warnings"], update["sources"]) == (0, "", [], [])


async def test_every_key_of_a_turn_starts_empty(parts: Parts) -> None:
    update = await detect_modality(a_state(messages=[HumanMessage("hi")]), parts.runtime())
    assert set(update) == set(TurnState.__annotations__) | {"messages"}
    assert update["usage"] == {"input_tokens": 0, "output_tokens": 0, "model": ""}
    assert update["attachments"] == Overwrite([])  # type: ignore[comparison-overlap]


async def test_history_of_a_stateless_client_is_moved_too(parts: Parts) -> None:
    first = HumanMessage([{"type": "text", "text": "see"}, block(PNG, filename="a.png")], id="1")
    messages = [first, AIMessage("yes", id="2"), HumanMessage("and now?", id="3")]
    update = await detect_modality(a_state(messages=messages), parts.runtime())
    assert [m.id for m in update["messages"]] == ["1", "3"]
    assert [ref["name"] for ref in update["pending"]] == ["a.png"] and update["question"]["text"] == "and now?"
    assert update["question"]["follows"] == "see"


async def test_a_file_that_cannot_be_had_becomes_a_note(parts: Parts) -> None:
    async def fetch(url: str, **_: object) -> object:
        raise AddressBlocked(url=url)

    parts.http = SimpleNamespace(fetch=fetch)
    content: list[str | dict[Any, Any]] = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "http://10.0.0.1/x.png"}},
        {"type": "file", "file_id": "gone"},
    ]
    update = await detect_modality(a_state(messages=[HumanMessage(content)]), parts.runtime())
    failed = update["attachments"].value  # type: ignore[attr-defined]
    assert [item["status"] for item in failed] == ["failed", "failed"]
    assert [item["error"]["code"] for item in failed] == ["blocked_address", "unknown_attachment"]
    assert len(parts.sent("attachment")) == 2


async def test_what_was_handled_before_the_turn_belongs_to_it(parts: Parts) -> None:
    ref = {
        "id": "d1",
        "name": "lease.pdf",
        "kind": "document",
        "media_type": "application/pdf",
        "size": 9,
        "sha256": "x",
    }
    refused = {**ref, "id": "", "name": "empty.txt", "status": "failed", "error": {"code": "file_empty"}}
    parts.context["handled"] = ({**ref, "status": "ready", "pages_total": 2}, refused)
    update = await detect_modality(a_state(messages=[HumanMessage("", id="m1")]), parts.runtime())
    (moved,) = update["messages"]
    assert moved.content
    assert update["pending"] == []
    assert update["attachments"] == Overwrite([*parts.context["handled"]])  # type: ignore[comparison-overlap]


async def test_a_recording_alone_is_the_message(parts: Parts) -> None:
    async def transcribe(audio: bytes, **_: object) -> tuple[str, str]:
        return "what time is it", "en"

    parts.listener = SimpleNamespace(transcribe=transcribe)
    wav = b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 40
    message = HumanMessage(
        [{"type": "input_audio", "input_audio": {"data": base64.b64encode(wav).decode(), "format": "wav"}}]
    )
    update = await detect_modality(a_state(messages=[message]), parts.runtime())
    assert (update["question"]["text"], update["pending"]) == ("what time is it", [])


async def test_a_long_paste_becomes_a_document(parts: Parts) -> None:
    text = "请看下面的内容。" + "这是一段很长的文字，" * 900
    update = await detect_modality(a_state(messages=[HumanMessage(text)]), parts.runtime())
    (ref,) = update["pending"]
    assert parts.attachments.files[ref["id"]][1].decode() == text
    assert len(str(update["messages"][0].content)) < 2200 and ref["name"] in update["question"]["text"]


async def test_files_without_words_get_a_question(parts: Parts) -> None:
    update = await detect_modality(a_state(messages=[HumanMessage([block(PNG)])]), parts.runtime())
    assert update["question"]["text"] == "What is in the files I sent?"


@pytest.mark.parametrize("messages", [[], [AIMessage("hi")], [HumanMessage("  ")]])
async def test_nothing_to_answer_is_bad_input(parts: Parts, messages: list[HumanMessage]) -> None:
    with pytest.raises(BadInput):
        await detect_modality(a_state(messages=messages), parts.runtime())


async def test_too_many_files_are_refused(parts: Parts) -> None:
    many = HumanMessage([block(PNG)] * (parts.settings.max_files + 1))
    with pytest.raises(TooManyFiles):
        await detect_modality(a_state(messages=[many]), parts.runtime())


async def test_tools_that_are_not_there_are_told(parts: Parts) -> None:
    parts.context["tools"] = ("calculate", "nonesuch")
    update = await detect_modality(a_state(messages=[HumanMessage("算一下")]), parts.runtime())
    assert update["warnings"] == ["没有名为 nonesuch 的工具。"]
    assert [item["code"] for item in parts.sent("warning")] == ["unknown_tools"]


async def test_a_source_that_is_down_is_told_once_in_a_conversation(parts: Parts) -> None:
    down = Words("github is not available: it does not answer.", "github 不可用：没有响应。")
    parts.notes = [Note(frozenset({"github__search"}), down)]
    first = await detect_modality(a_state(messages=[HumanMessage("算一下")]), parts.runtime())
    assert first["missing_tools"] == first["warnings"] == [down.zh]
    assert [item["code"] for item in parts.sent("warning")] == ["missing_tools"]
    state = a_state(messages=[HumanMessage("再算一下")], missing_tools=first["missing_tools"])
    again = await detect_modality(state, parts.runtime())
    assert again["missing_tools"] == [down.zh] and again["warnings"] == []
    parts.context["tools"] = ("calculate",)
    assert (await detect_modality(state, parts.runtime()))["missing_tools"] == []
