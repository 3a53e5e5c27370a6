"""Search, passages, pages and lists, as their users see them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import event

from domain.errors import Unavailable, UnknownDocument
from domain.tokens import count_tokens
from domain.words import Words
from models.embeddings.interface import Vectors
from settings import Settings
from stores.library.documents import Documents
from tests.library import ANN, BOB, Library, open_library
from tests.postgresql import PostgresServer

SHIP = "# 船舶手册\n\n" + "船长负责航行安全。" * 30 + "\n\n## 救生艇\n\n救生艇可以坐四十人。" + "每月检查一次。" * 40
RULES = "# Rules\n\nThe gate opens at nine. " + "Visitors sign the book at the desk. " * 60


async def test_hits_carry_exact_spans_page_and_heading(library: Library) -> None:
    document = await library.add(f"{RULES}\f{SHIP}")
    for query, page, heading in (("救生艇坐多少人", 2, "船舶手册 › 救生艇"), ("when does the gate open", 1, "Rules")):
        for mode in ("hybrid", "keyword", "dense"):
            hits = await library.documents.search(query, ANN, top_k=5, mode=mode)
            assert 0 < len(hits) <= 5
            for hit in hits:
                text = await library.documents.page_text(document["id"], hit["page"], ANN)
                assert text[hit["start"] : hit["end"]] == hit["text"]
                assert 0 <= hit["score"] <= 1
        best = (await library.documents.search(query, ANN, top_k=1))[0]
        assert (best["page"], best["heading"]) == (page, heading)


async def test_filter_by_document(library: Library) -> None:
    first = await library.add("Wolves in the north.", name="n.txt")
    second = await library.add("Wolves in the south.", name="s.txt")
    other = await library.add("Wolves of another user.", BOB)
    ids = [second["id"], other["id"]]
    assert [h["document_id"] for h in await library.documents.search("wolves", ANN, document_ids=ids)] == [second["id"]]
    assert await library.documents.search("wolves", ANN, document_ids=[]) == []
    assert len(await library.documents.search("wolves", ANN, document_ids=[first["id"], second["id"]])) == 2


async def test_same_content_twice_is_found_once(library: Library) -> None:
    await library.add("Only one answer.", name="a.txt")
    newest = await library.add("Only one answer.", name="b.txt")
    assert [hit["document_id"] for hit in await library.documents.search("answer", ANN)] == [newest["id"]]
    assert len(await library.documents.list(ANN)) == 2


@pytest.mark.parametrize("budget", [150, 600, 3000])
async def test_sources_are_numbered_exact_without_overlap_and_within_the_budget(library: Library, budget: int) -> None:
    document = await library.add(f"{RULES}\f{SHIP}\f{RULES}")
    sources = await library.documents.sources("救生艇 检查 visitors desk", ANN, token_budget=budget)
    assert [source["number"] for source in sources] == list(range(1, len(sources) + 1))
    assert sum(count_tokens(source["text"]) for source in sources) <= budget * 1.02
    spans: dict[int, list[tuple[int, int]]] = {}
    for source in sources:
        text = await library.documents.page_text(document["id"], source["page"], ANN)
        assert text[source["start"] : source["end"]] == source["text"]
        spans.setdefault(source["page"], []).append((source["start"], source["end"]))
    for page in spans.values():
        page.sort()
        assert all(end <= start for (_, end), (start, _) in zip(page, page[1:], strict=False))


async def test_source_gives_the_section_around_the_match(library: Library) -> None:
    await library.add(SHIP)
    [hit] = await library.documents.search("救生艇可以坐几人", ANN, top_k=1)
    source = (await library.documents.sources("救生艇可以坐几人", ANN, token_budget=3000))[0]
    assert source["heading"] == hit["heading"] == "船舶手册 › 救生艇"
    assert len(source["text"]) > len(hit["text"])
    assert "船长" not in source["text"]


async def test_pages_texts_and_strangers(library: Library) -> None:
    document = await library.add("One.\fTwo.\fThree.")
    assert [page["markdown"] for page in await library.documents.pages(document["id"], ANN, 2)] == ["Two.", "Three."]
    assert await library.documents.page_text(document["id"], 3, ANN) == "Three."
    with pytest.raises(UnknownDocument):
        await library.documents.page_text(document["id"], 9, ANN)
    with pytest.raises(UnknownDocument):
        await library.documents.pages(document["id"], BOB)
    with pytest.raises(UnknownDocument):
        await library.documents.get("nothing", ANN)


async def test_file_that_nobody_reads_yet_is_queued(library: Library) -> None:
    ref = await library.documents.attachments.put(b"x", name="x.txt", owner=ANN)
    assert (await library.documents.get(ref["id"], ANN))["status"] == "queued"
    assert await library.documents.list(ANN) == []


@pytest.mark.parametrize("query", ["", "   ", "？！", "the of", "'; DROP TABLE pages; --", "\x00", "𠀀" * 300])
async def test_odd_queries_are_answered(library: Library, query: str) -> None:
    await library.add("Plain words about trees.")
    assert isinstance(await library.documents.search(query, ANN), list)
    assert isinstance(await library.documents.sources(query, ANN, token_budget=300), list)


async def test_hybrid_goes_on_by_keyword_when_vectors_fail(library: Library) -> None:
    class Down:
        name, dimensions, detail = library.embedder.name, library.embedder.dimensions, library.embedder.detail

        async def passages(self, texts: object) -> Vectors:
            raise Unavailable(reason=Words("down", "离线"))

        async def query(self, text: str) -> Vectors:
            raise Unavailable(reason=Words("down", "离线"))

    await library.add("Lanterns glow.")
    documents = await Documents.open(library.settings, library.database, Down())
    assert len(await documents.search("lantern", ANN)) == 1
    with pytest.raises(Unavailable):
        await documents.search("lantern", ANN, mode="dense")
    await documents.aclose()


async def test_statements_of_a_list_and_a_search_do_not_grow_with_the_store(library: Library) -> None:
    asked: list[str] = []
    if library.settings.database_url is None:
        event.listen(library.database._engine, "connect", lambda db, _: db.set_trace_callback(asked.append))
        for connection in library.database._connections:
            driver: Any = connection.connection.dbapi_connection
            driver.set_trace_callback(asked.append)
    else:
        event.listen(library.database._engine, "before_cursor_execute", lambda *call: asked.append(call[2]))

    async def cost() -> tuple[int, int, int]:
        counts = []
        for question in (
            library.documents.list(ANN),
            library.documents.search("document", ANN),
            library.documents.sources("document", ANN, token_budget=400),
        ):
            asked.clear()
            await question
            counts.append(len([statement for statement in asked if statement.startswith("SELECT")]))
        return counts[0], counts[1], counts[2]

    await library.add("Document 0.", name="0.txt")
    few = await cost()
    for number in range(1, 9):
        await library.add(f"Document {number}.", name=f"{number}.txt")
    assert len(await library.documents.list(ANN)) == 9
    many = await cost()
    assert few[:2] == (1, 4)
    assert many[0] == 1
    assert many[1] <= 3 + 8  # one for each document that a hit is in
    assert many[2] <= 3 + 2 * 9


async def test_both_databases_give_the_same_hits_in_the_same_order(tmp_path: Path, postgresql: PostgresServer) -> None:
    texts = [f"Gate {n % 7} opens at {n % 5}. 大门 {n % 3} 点开放。\fThe gate is old. {RULES}" for n in range(24)]
    found: list[list[tuple[object, ...]]] = []
    with postgresql.database() as url:
        for name, database_url in (("sqlite", None), ("postgresql", SecretStr(url))):
            settings = Settings(_env_file=None, data_dir=tmp_path / name, database_url=database_url)
            async with open_library(settings) as library:
                for number, text in enumerate(texts):
                    await library.add(text, name=f"{number}.txt")
                hits = [
                    hit
                    for query in ("gate opens 3", "old gate", "大门几点开放", "visitors")
                    for hit in await library.documents.search(query, ANN, top_k=50, mode="keyword")
                ]
                found.append([(hit["name"], hit["page"], hit["start"], hit["end"], hit["score"]) for hit in hits])
    assert len(found[0]) > 90 and found[0] == found[1]


async def test_a_version_changes_with_whatever_can_be_found(library: Library) -> None:
    seen = [await library.documents.version(ANN)]
    first = await library.add("Wolves in the north.", ANN, name="wolves.txt")
    seen.append(await library.documents.version(ANN))
    second = await library.add("Bears in the south.", ANN, name="bears.txt")
    seen.append(await library.documents.version(ANN))
    await library.add("Not for Ann.", BOB, name="bob.txt")
    assert await library.documents.version(ANN) == seen[-1]
    await library.documents.delete(second["id"], ANN)
    seen.append(await library.documents.version(ANN))
    await library.documents.delete(first["id"], ANN)
    await library.add("Wolves in the north!", ANN, name="wolves.txt")
    seen.append(await library.documents.version(ANN))
    assert len({*seen}) == 4 and seen[1] == seen[3]
