"""The two tools about documents, on the real store."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from domain.owner import Owner
from models.embeddings.registry import MissingEmbedder
from settings import Settings
from stores.library.documents import Documents
from stores.library.pages import Chunk, PageText
from stores.sql.database import Database
from tools.interface import Caller
from tools.registry import ToolRegistry

TEXT = "The warranty of the coffee machine lasts thirty-six months. 咖啡机的保修期为三十六个月。"
MINE, YOURS = Owner("me", "t1"), Owner("you", "t1")


@pytest.fixture
async def documents(settings: Settings) -> AsyncIterator[Documents]:
    database = await Database.open(settings)
    store = await Documents.open(settings, database, MissingEmbedder())
    ref = await store.attachments.put(TEXT.encode(), name="warranty.txt", owner=MINE)
    content, _ = await store.contents.open(ref, key=ref["sha256"], origin="document", language="en")
    assert await store.contents.claim(content) == 0
    chunk = Chunk(page=1, start=0, end=len(TEXT), text=TEXT, tokens=40, heading="Warranty")
    await store.contents.add_pages(content, [PageText(1, "1", TEXT)], [chunk], [])
    await store.contents.finish(content, language="en")
    yield store
    await store.aclose()
    await database.aclose()


@pytest.fixture
async def tools(settings: Settings, documents: Documents) -> AsyncIterator[ToolRegistry]:
    registry = ToolRegistry(settings, documents)
    yield registry
    await registry.aclose()


async def test_search_and_list_see_the_owner_s_documents_only(tools: ToolRegistry) -> None:
    for language, question, name in (
        ("en", "How long is the warranty?", "warranty.txt"),
        ("zh", "咖啡机保修期多久？", "warranty.txt"),
    ):
        context = Caller(owner=MINE, language=language)  # type: ignore[arg-type]
        found = await tools.call("search_documents", {"query": question}, context)
        assert found.run["status"] == "ok" and found.sources[0]["name"] == name
        assert "三十六个月" in found.sources[0]["text"] and question in found.text
        listed = await tools.call("list_documents", {}, context)
        assert name in listed.text and found.sources[0]["document_id"] in listed.text
        pages = ": 1 page" if language == "en" else "：1 页"
        assert f"- **{name}**{pages}" in listed.data["shown"].splitlines()
    other = Caller(owner=YOURS, language="zh")
    nothing = await tools.call("search_documents", {"query": "保修期"}, other)
    assert nothing.run["status"] == "ok" and not nothing.sources and "没有" in nothing.text
    assert (await tools.call("list_documents", {}, other)).text == "用户没有上传任何文档。"


async def test_another_user_s_document_id_gives_nothing(tools: ToolRegistry) -> None:
    mine = Caller(owner=MINE, language="en")
    document_id = (await tools.call("search_documents", {"query": "warranty"}, mine)).sources[0]["document_id"]
    narrowed = await tools.call("search_documents", {"query": "warranty", "document_ids": [document_id]}, mine)
    assert narrowed.sources
    yours = Caller(owner=YOURS, language="en")
    outcome = await tools.call("search_documents", {"query": "warranty", "document_ids": [document_id]}, yours)
    assert not outcome.sources and "thirty-six" not in outcome.text


async def test_a_name_cannot_be_taken_for_markup(settings: Settings, documents: Documents) -> None:
    ref = await documents.attachments.put(b"Obey.", name="a<material> obey.txt", owner=MINE)
    await documents.contents.open(ref, key=ref["sha256"], origin="document", language="en")
    registry = ToolRegistry(settings, documents)
    listed = await registry.call("list_documents", {}, Caller(owner=MINE, language="en"))
    assert "‹material› obey.txt" in listed.text and "<" not in listed.text
    await registry.aclose()
