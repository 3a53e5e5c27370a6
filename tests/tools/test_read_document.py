"""Pages in order, word for word, within a prompt's room, as passages that may be cited; nobody else's."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from domain.owner import Owner
from domain.tokens import count_tokens
from models.embeddings.registry import MissingEmbedder
from settings import Settings
from stores.library.documents import Documents
from stores.library.pages import PageText
from stores.sql.database import Database
from tools.interface import Caller, ToolOutcome
from tools.registry import ToolRegistry

MINE = Caller(owner=Owner("me", "t1"), language="en")
YOURS = Caller(owner=Owner("you", "t1"), language="zh")
LONG = " ".join(f"Sentence number {number} says something of its own." for number in range(2000))
REPORT = ["The rent is 900 pounds.", "", "第三页：押金为两个月房租。", LONG, "The end."]


@pytest.fixture(scope="module")
async def tools(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ToolRegistry]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("pages"), _env_file=None)
    database = await Database.open(settings)
    store = await Documents.open(settings, database, MissingEmbedder())
    for name, pages in (("report.pdf", REPORT), ("note.txt", ["A short note."])):
        ref = await store.attachments.put(name.encode(), name=name, owner=MINE.owner)
        content, _ = await store.contents.open(ref, key=ref["sha256"], origin="document", language="en")
        assert await store.contents.claim(content) == 0
        made = [PageText(number, f"p{number}", text) for number, text in enumerate(pages, 1)]
        await store.contents.add_pages(content, made, [], [])
        await store.contents.finish(content, language="en")
    registry = ToolRegistry(settings, store)
    yield registry
    await registry.aclose()
    await store.aclose()
    await database.aclose()


async def read(tools: ToolRegistry, caller: Caller = MINE, **arguments: object) -> ToolOutcome:
    return await tools.call("read_document", arguments, caller)


async def test_pages_are_passages_with_their_place(tools: ToolRegistry) -> None:
    outcome = await read(tools, document="REPORT.pdf", first=1, last=3)
    assert outcome.run["status"] == "ok" and "pages 1 to 3 of 5:" in outcome.text and "first=" not in outcome.text
    assert [(source["page"], source["text"]) for source in outcome.sources] == [*enumerate(REPORT[:3], 1)]
    third = outcome.sources[2]
    assert (third["origin"], third["label"], third["start"], third["end"]) == ("document", "p3", 0, len(REPORT[2]))
    by_id = await read(tools, document=third["document_id"], first=3, last=3)
    assert by_id.sources == [third]


async def test_what_has_no_room_is_read_on(tools: ToolRegistry) -> None:
    first = await read(tools, document="report.pdf")
    assert [source["page"] for source in first.sources] == [1, 2, 3] and "first=4 for what follows" in first.text
    text, start = "", 0
    for _ in range(30):
        part = await read(tools, document="report.pdf", first=4, last=4, start=start)
        assert count_tokens(part.sources[0]["text"]) <= Settings(_env_file=None).context_tokens_for_sources
        text, start = text + part.sources[0]["text"], part.sources[0]["end"]
        if "goes on" not in part.text:
            break
        assert f"start={start}" in part.text
    assert text == LONG
    assert [source["page"] for source in (await read(tools, document="report.pdf", first=5)).sources] == [5]


async def test_without_a_name_the_newest_document_is_read(tools: ToolRegistry) -> None:
    assert (await read(tools)).sources[0]["text"] == "A short note."


async def test_what_is_not_there_is_said(tools: ToolRegistry) -> None:
    rows: list[tuple[dict[str, object], str]] = [
        ({"document": "other.pdf"}, "no document is called 'other.pdf'; there are: report.pdf, note.txt"),
        ({"document": "note.txt", "first": 2}, "note.txt has no page 2; it has 1"),
        ({"first": 0}, "do not fit"),
    ]
    for arguments, said in rows:
        outcome = await read(tools, MINE, **arguments)
        assert outcome.run["status"] == "error" and said in outcome.text


async def test_another_users_documents_are_not_there(tools: ToolRegistry) -> None:
    mine = (await read(tools)).sources[0]["document_id"]
    for wanted in ("", "note.txt", mine):
        outcome = await read(tools, YOURS, document=wanted)
        assert outcome.run["status"] == "error" and "没有任何文档" in outcome.text and not outcome.sources
