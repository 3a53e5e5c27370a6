"""From attachment to document: reading, sharing, failing, progress, resuming, pictures, files inside files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Select, select

from domain.errors import FileCorrupt, FileEncrypted, UnknownDocument
from domain.owner import Owner
from domain.types import Attachment
from ingestion import recognition
from models.embeddings.interface import Vectors
from privacy.outbound import wanted_privacy
from readers.figures import MARK
from readers.interface import Embedded, Outline, Page
from settings import Settings
from stores.people.profiles import Profile, Profiles
from stores.sql.tables import contents, metadata
from tests.library import ANN, ANN_LATER, BOB, BagEmbedder, Library, Step, open_library

PNG = b"\x89PNG\r\n\x1a\n"
OUTLINE = Outline("text/plain", "page", 3)


async def test_document_is_read_chunked_and_indexed(library: Library) -> None:
    seen: list[Attachment] = []
    document = await library.add("第一页讲苹果。\f第二页讲香蕉。", on_progress=seen.append)
    assert (document["status"], document["pages_done"], document["pages_total"]) == ("ready", 2, 2)
    assert document["language"] == "zh"
    assert document["indexed"] == 1.0
    assert "summary" not in document
    assert seen[-1]["status"] == "ready"
    [hit] = await library.documents.search("香蕉", ANN, top_k=1)
    assert (hit["page"], hit["text"], hit["document_id"]) == (2, "第二页讲香蕉。", document["id"])
    assert [page["markdown"] for page in await library.documents.pages(document["id"], ANN, 2, 2)] == ["第二页讲香蕉。"]


async def test_same_content_is_read_and_embedded_once_and_seen_by_its_owners_only(library: Library) -> None:
    first = await library.add("The moon is made of rock.", ANN)
    calls = library.embedder.calls
    second = await library.add("The moon is made of rock.", BOB, name="b.txt")
    assert library.reader.reads == ["a.txt"]
    assert library.embedder.calls == calls
    assert second["name"] == "b.txt"
    for owner, own in ((ANN, first), (BOB, second)):
        assert [hit["document_id"] for hit in await library.documents.search("moon", owner)] == [own["id"]]
    with pytest.raises(UnknownDocument):
        await library.documents.get(first["id"], BOB)
    await library.documents.delete(first["id"], ANN)
    assert not await library.documents.search("moon", ANN)
    assert len(await library.documents.search("moon", BOB, mode="dense")) == 1


async def test_same_content_at_the_same_time_is_read_once(library: Library) -> None:
    read = await asyncio.gather(*(library.add("Twelve at once.", owner) for owner in (ANN, ANN_LATER, BOB) * 4))
    assert {document["status"] for document in read} == {"ready"}
    assert len(library.reader.reads) == 1


async def test_what_is_ready_is_found_while_the_rest_is_read(library: Library) -> None:
    gate = asyncio.Event()
    library.reader.scripts["a.txt"] = [OUTLINE, Page(1, "", "Early apples."), gate, Page(2, "", "Late pears.")]
    ref = await library.documents.attachments.put(b"x", name="a.txt", owner=ANN)
    reading = asyncio.create_task(library.ingestion.read_document(ref, ANN, language="en"))
    await asyncio.sleep(0.2)
    assert (await library.documents.get(ref["id"], ANN))["status"] == "reading"
    gate.set()
    assert (await reading)["pages_done"] == 2
    assert len(await library.documents.search("pears", ANN)) >= 1


async def test_keyword_finds_before_vectors_are_there(library: Library) -> None:
    library.embedder.gate.clear()
    document = await library.add("Quiet owls hunt at night.", wait="text")
    assert document["status"] == "ready"
    assert document["indexed"] == 0
    assert len(await library.documents.search("owl", ANN)) == 1
    waiting = asyncio.create_task(library.ingestion.next_vectors(60))
    await library.ingestion.next_vectors(0.05)
    assert not waiting.done()
    library.embedder.gate.set()
    await asyncio.wait_for(waiting, 20)
    assert (await library.documents.get(document["id"], ANN))["indexed"] == 1.0


async def test_cancelled_caller_does_not_stop_the_reading(library: Library) -> None:
    gate = asyncio.Event()
    library.reader.scripts["a.txt"] = [OUTLINE, gate, Page(1, "", "Still read.")]
    ref = await library.documents.attachments.put(b"x", name="a.txt", owner=ANN)
    reading = asyncio.create_task(library.ingestion.read_document(ref, ANN, language="en"))
    await asyncio.sleep(0.1)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    gate.set()
    assert (await library.ingestion.read_document(ref, ANN, language="en"))["status"] == "ready"
    assert len(library.reader.reads) == 1


@pytest.mark.parametrize(("language", "word"), [("en", "damaged"), ("zh", "损坏")])
async def test_file_that_cannot_be_read_says_why_in_the_owners_language(
    library: Library, language: str, word: str
) -> None:
    library.reader.scripts["a.txt"] = [FileCorrupt(name="a.txt")]
    document = await library.add("x", language=language)
    assert document["status"] == "failed"
    assert document["error"]["code"] == "file_corrupt"
    assert word in document["error"]["message"]


async def test_failed_content_is_read_again_when_sent_again(library: Library) -> None:
    library.reader.scripts["a.txt"] = [FileCorrupt(name="a.txt")]
    await library.add("The second try.")
    library.reader.scripts.clear()
    assert (await library.add("The second try."))["status"] == "ready"


async def test_password_opens_for_its_owner_only(library: Library) -> None:
    library.reader.scripts["a.txt"] = [FileEncrypted(name="a.txt")]
    ref = await library.documents.attachments.put(b"locked words", name="a.txt", owner=ANN)
    assert (await library.ingestion.read_document(ref, ANN, language="en"))["error"]["code"] == "password_required"
    library.reader.scripts.clear()
    assert (await library.ingestion.read_document(ref, ANN, language="en", password="s"))["status"] == "ready"
    library.reader.scripts["a.txt"] = [FileEncrypted(name="a.txt")]
    assert (await library.ingestion.read_document(ref, ANN, language="en"))["status"] == "ready", (
        "asked for the password again"
    )
    assert (await library.add("locked words", BOB))["status"] == "failed"
    assert len(await library.documents.search("locked", ANN)) == 1


async def test_reading_that_stops_in_the_middle_keeps_what_was_read_and_says_so(library: Library) -> None:
    library.reader.scripts["a.txt"] = [OUTLINE, Page(1, "", "Kept page."), FileCorrupt(name="a.txt")]
    document = await library.add("x")
    assert document["status"] == "ready"
    assert [gap["page"] for gap in document["coverage"]["failed"]] == [2, 3]
    assert any("2-3" in warning for warning in document["warnings"])
    assert len(await library.documents.search("kept", ANN)) == 1


async def test_pages_without_text_go_through_ocr_with_their_confidence(library: Library) -> None:
    library.reader.scripts["a.txt"] = [
        OUTLINE,
        Page(1, "", "", "扫描的文字".encode()),
        Page(2, "", "typed"),
        Page(3, "", ""),
    ]
    document = await library.add("x")
    first, second, third = await library.documents.pages(document["id"], ANN)
    assert (first["markdown"], first["ocr"], first["confidence"]) == ("扫描的文字", True, 0.9)
    assert first["lines"][0]["text"] == "扫描的文字"
    assert (second["ocr"], third["markdown"]) == (False, "")
    assert document["coverage"] == {"read": 2, "skipped": [{"page": 3, "reason": "no text on it"}], "failed": []}
    assert "warnings" not in document


async def test_page_that_ocr_cannot_read_is_a_warning(library: Library) -> None:
    library.ocr.down = True
    library.reader.scripts["a.txt"] = [OUTLINE, Page(1, "", "", b"scan"), Page(2, "", "typed")]
    document = await library.add("x", language="zh")
    assert document["status"] == "ready"
    assert document["coverage"]["failed"] == [{"page": 1, "reason": "此处无法进行文字识别"}]
    assert "第 1 页" in document["warnings"][0]


async def test_damaged_characters_are_counted_once(library: Library) -> None:
    said = "3 characters of this file are damaged and cannot be read."
    library.reader.scripts["a.txt"] = [OUTLINE, Page(1, "", "a\ufffdb"), Page(2, "", "\ufffd\ufffd"), Page(3, "", "c")]
    assert (await library.add("x"))["warnings"] == [said]
    outline = Outline("text/plain", "section", 1, warnings=("characters_lost:3",))
    library.reader.scripts["b.txt"] = [outline, Page(1, "", "a\ufffd\ufffd\ufffdb")]
    assert (await library.add("y", name="b.txt"))["warnings"] == [said]


async def test_a_busy_engine_is_waited_for_and_part_of_a_picture_is_said(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recognition, "_PAUSE", 0.01)
    library.ocr.busy, library.ocr.partial = 3, True
    library.reader.scripts["a.txt"] = [OUTLINE, Page(1, "", "", b"scan"), Page(2, "", "typed"), Page(3, "", "more")]
    document = await library.add("x")
    assert "coverage" not in document
    assert document["warnings"] == ["Of a long picture only the first part was recognised in the time allowed."]


async def test_pictures_on_a_page_are_read_where_they_stand(library: Library) -> None:
    text = f"Before.\n\n{MARK}\n\nAfter.\n\n{MARK}"
    library.reader.scripts["a.txt"] = [
        Outline("text/plain", "section", 2),
        Page(1, "One", text, figures=(b"on the stamp: OTTER", b"a seal"), warnings=("pictures_not_read:2",)),
        Page(2, "Two", "A page without pictures, with words."),
    ]
    document = await library.add("x")
    one, two = await library.documents.pages(document["id"], ANN)
    assert one["markdown"] == "Before.\n\non the stamp: OTTER\n\nAfter.\n\na seal"
    assert (one["ocr"], one["confidence"], len(one["lines"])) == (True, 0.9, 2) and not two["ocr"]
    assert document["warnings"] == ["2 pictures inside this file were not read."]
    assert (await library.documents.search("otter stamp", ANN, top_k=1))[0]["page"] == 1
    library.ocr.down = True
    library.reader.scripts["b.txt"] = [Outline("text/plain", "section", 1), Page(1, "一", text, figures=(b"1", b"2"))]
    document = await library.add("y", name="b.txt", language="zh")
    assert document["warnings"] == ["此文件内有 2 张图片未识别文字。"]
    assert (await library.documents.pages(document["id"], ANN))[0]["markdown"] == "Before.\n\nAfter."


async def test_long_document_gets_a_summary_once(library: Library) -> None:
    text = "\f".join(f"Page {number} tells a long story about ships. " * 20 for number in range(12))
    assert (await library.add(text))["summary"].startswith("Page 0 tells")
    calls = len(library.summarizer.calls)
    assert (await library.add(text, BOB))["summary"]
    assert len(library.summarizer.calls) == calls


async def test_file_inside_a_file_is_a_document_of_its_own_for_every_owner(library: Library) -> None:
    mail: list[Step] = [
        Outline("message/rfc822", "page", 1),
        Page(1, "", "See the file."),
        Embedded("a/list.txt", b"Buy walnuts."),
    ]
    library.reader.scripts["mail.eml"] = mail
    await library.add("mail bytes", ANN, name="mail.eml")
    await library.add("mail bytes", BOB, name="post.eml")
    assert [item["name"] for item in await library.documents.list(ANN)] == ["mail.eml", "mail.eml › list.txt"]
    assert [item["name"] for item in await library.documents.list(BOB)] == ["post.eml", "post.eml › list.txt"]
    assert library.reader.reads == ["mail.eml", "mail.eml › list.txt"]
    parent = (await library.documents.list(ANN))[0]
    await library.documents.delete(parent["id"], ANN)
    assert not await library.documents.list(ANN)
    assert len(await library.documents.search("walnuts", BOB, mode="keyword")) == 1


async def test_picture_is_a_document_of_one_page(library: Library) -> None:
    ref = await library.documents.attachments.put(PNG + "出口在左边".encode(), name="sign.png", owner=ANN)
    assert ref["kind"] == "image"
    picture = await library.ingestion.read_picture(ref, ANN, language="zh", question="?")
    assert picture["status"] == "ready"
    assert picture["ocr"] is not None
    assert picture["ocr"]["text"] == "出口在左边"
    stored = await library.documents.get(ref["id"], ANN)
    assert stored["ocr"] == picture["ocr"]
    [source] = await library.documents.sources("出口在哪里", ANN, token_budget=500)
    assert (source["origin"], source["document_id"]) == ("image", ref["id"])


async def test_broken_picture_fails_with_its_reason(library: Library) -> None:
    library.pictures.error = FileCorrupt(name="x.png")
    ref = await library.documents.attachments.put(PNG + b"broken", name="x.png", owner=ANN)
    picture = await library.ingestion.read_picture(ref, ANN, language="en", question="")
    assert (picture["status"], picture["error"]["code"]) == ("failed", "file_corrupt")


async def held(library: Library) -> str:
    """Everything that the database holds, as text."""
    return await library.database.read(
        lambda db: " ".join(str(db.execute(table.select()).all()) for table in metadata.sorted_tables)
    )


async def test_what_a_question_brought_up_stays_with_whoever_asked_it(library: Library) -> None:
    library.pictures.describes = True
    put, read = library.documents.attachments.put, library.ingestion.read_picture
    hers = await put(PNG + b"EXIT", name="borealis-takeover.png", owner=ANN)
    seen = await read(hers, ANN, language="en", question="The takeover of Borealis?")
    assert seen["description"] == {"text": "To 'The takeover of Borealis?': a sign.", "model": "scripted"}
    assert seen["warnings"] == ["borealis-takeover.png is blurred."]
    assert "takeover" in (await library.documents.pages(hers["id"], ANN))[0]["markdown"]
    his = await put(PNG + b"EXIT", name="chart.png", owner=BOB)
    for question in ("", "What is it?"):
        shown = await read(his, BOB, language="en", question=question)
        stored = await library.documents.get(his["id"], BOB)
        told = str([shown, stored, await library.documents.pages(his["id"], BOB), await library.documents.list(BOB)])
        assert "chart.png is blurred." in told
        assert "orealis" not in told and "takeover" not in told
        assert stored["description"] == {"text": "To '': a sign.", "model": "scripted"}
    assert not await library.documents.search("takeover Borealis", BOB, mode="keyword")
    assert len(await library.documents.search("takeover Borealis", ANN, mode="keyword")) == 1
    await library.documents.delete(hers["id"], ANN)
    left = await held(library)
    assert "chart.png" in left
    assert "takeover" not in left and "orealis" not in left


async def test_a_file_name_in_an_error_is_the_owners_own(library: Library) -> None:
    library.reader.scripts = {name: [FileEncrypted(name=name)] for name in ("merger.pdf", "scan.pdf")}
    hers = await library.add("locked", ANN, name="merger.pdf")
    his = await library.add("locked", BOB, name="scan.pdf")
    assert "merger.pdf" in hers["error"]["message"] and "scan.pdf" in his["error"]["message"]
    again = await library.documents.get(hers["id"], ANN)
    assert "merger.pdf" in again["error"]["message"] and "scan.pdf" not in str(again)
    (listed,) = await library.documents.list(BOB)
    assert "scan.pdf" in listed["error"]["message"] and "merger.pdf" not in str(listed)


async def test_the_same_bytes_under_the_name_of_another_type_are_another_content(library: Library) -> None:
    await library.add("a,b\n1,2\n", ANN, name="table.txt")
    await library.add("a,b\n1,2\n", BOB, name="table.csv")
    assert library.reader.reads == ["table.txt", "table.csv"]


async def test_document_deleted_while_it_is_read_leaves_nothing(library: Library) -> None:
    gate = asyncio.Event()
    library.reader.scripts["a.txt"] = [OUTLINE, gate, Page(1, "", "Too late.")]
    ref = await library.documents.attachments.put(b"x", name="a.txt", owner=ANN)
    reading = asyncio.create_task(library.ingestion.read_document(ref, ANN, language="en"))
    await asyncio.sleep(0.1)
    await library.documents.delete(ref["id"], ANN)
    gate.set()
    with pytest.raises(UnknownDocument):
        await reading
    assert not await library.documents.search("late", ANN)


async def test_unfinished_work_is_resumed_after_a_restart(settings: Settings) -> None:
    embedder = BagEmbedder()
    embedder.gate.clear()
    async with open_library(settings, embedder) as library:
        stuck = asyncio.Event()
        pages: list[Step] = [Page(1, "", "# Part\n\nFirst half of whales."), stuck, Page(2, "", "never")]
        library.reader.scripts["half.txt"] = [OUTLINE, *pages]
        half = await library.documents.attachments.put(
            b"# Part\n\nFirst half of whales.\fSecond half of dolphins.", name="half.txt", owner=ANN
        )
        task = asyncio.create_task(library.ingestion.read_document(half, ANN, language="en"))
        await library.add("Vectors wait for whales.", wait="text", name="waiting.txt")
        await asyncio.sleep(0.1)
    await asyncio.gather(task, return_exceptions=True)
    async with open_library(settings) as library:
        for _ in range(100):
            documents = await library.documents.list(ANN)
            if all(item["status"] == "ready" and item.get("indexed") == 1.0 for item in documents):
                break
            await asyncio.sleep(0.05)
        assert [item["name"] for item in documents] == ["half.txt", "waiting.txt"]
        assert {item["name"] for item in await library.documents.search("whales", ANN, mode="dense")} >= {"half.txt"}
        [hit] = await library.documents.search("dolphins", ANN, mode="keyword")
        assert hit["heading"] == "Part"
        assert [page["number"] for page in await library.documents.pages(half["id"], ANN)] == [1, 2]


class WatchedEmbedder(BagEmbedder):
    """Notes of each text what was asked for personal data when it was embedded."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[str, str] = {}

    async def passages(self, texts: Sequence[str]) -> Vectors:
        vectors = await super().passages(texts)
        self.asked.update(dict.fromkeys(texts, wanted_privacy.get()))
        return vectors


async def test_each_content_is_embedded_as_privately_as_its_owner_asks_also_after_a_restart(settings: Settings) -> None:
    embedder = WatchedEmbedder()
    async with open_library(settings, embedder) as library:
        await Profiles(library.database).put(BOB.user_id, Profile(pii="block"))
        embedder.gate.clear()
        await library.add("Ann counts geese.", wait="text")
        await library.add("Bob counts owls.", BOB, wait="text")
        embedder.gate.set()
        await library.add("Bob counts bats.", BOB, name="b.txt")
        wanted = {"Ann counts geese.": "off", "Bob counts owls.": "block", "Bob counts bats.": "block"}
        assert embedder.asked == wanted
        embedder.gate.clear()
        await library.add("Ann waits.", wait="text")
        await library.add("Bob waits.", BOB, wait="text")
    embedder.gate.set()
    async with open_library(settings, embedder):
        await until(lambda: {"Ann waits.", "Bob waits."} <= embedder.asked.keys())
    assert (embedder.asked["Ann waits."], embedder.asked["Bob waits."]) == ("off", "block")


async def test_what_a_request_asks_for_its_file_holds_for_the_work_that_is_resumed_and_no_longer(
    settings: Settings,
) -> None:
    embedder = WatchedEmbedder()
    async with open_library(settings, embedder) as library:
        embedder.gate.clear()
        await library.add("Anybody's pages.", BOB, wait="text")
        library.reader.scripts["half.txt"] = [OUTLINE, Page(1, "", "First."), asyncio.Event()]
        wanted_privacy.set("mask")
        await library.add("Ann's pages.", wait="text")
        await library.add("Anybody's pages.", wait="text", name="again.txt")
        reading = asyncio.create_task(library.add("First.\fThe rest.", name="half.txt", wait="text"))
        await asyncio.sleep(0.3)
        wanted_privacy.set("off")
    await asyncio.gather(reading, return_exceptions=True)
    embedder.gate.set()
    async with open_library(settings, embedder) as library:
        await until(lambda: any("The rest." in text for text in embedder.asked) and len(embedder.asked) > 2)
        assert {"Anybody's pages.", "Ann's pages."} < embedder.asked.keys() and set(embedder.asked.values()) == {"mask"}
        left = select(contents.c.id).where((contents.c.status != "ready") | (contents.c.embedded < contents.c.chunks))
        await emptied(library, left)
    async with open_library(settings, embedder) as library:
        await emptied(library, select(contents.c.id).where(contents.c.pii != "off"))


async def emptied(library: Library, query: Select[Any]) -> None:
    for _ in range(400):
        if not await library.database.read(lambda db: list(db.scalars(query))):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"it stays so: {query}")


async def until(there: Callable[[], bool]) -> None:
    for _ in range(400):
        if there():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it does not come")


async def test_another_embedding_model_embeds_anew(settings: Settings) -> None:
    async with open_library(settings) as library:
        await library.add("Old vectors of geese.")
    async with open_library(settings, BagEmbedder("other")) as library:
        for _ in range(100):
            if (await library.documents.list(ANN))[0].get("indexed") == 1.0 and library.embedder.calls:
                break
            await asyncio.sleep(0.05)
        assert library.embedder.calls == 1
        assert len(await library.documents.search("geese", ANN, mode="dense")) == 1


async def test_library_is_seen_from_every_thread_and_threads_are_apart(library: Library) -> None:
    await library.add("Lasting handbook of bees.", Owner("ann"), name="handbook.txt")
    await library.add("Passing note of bees.", ANN, name="note.txt")
    assert [item["name"] for item in await library.documents.list(ANN)] == ["handbook.txt", "note.txt"]
    assert [item["name"] for item in await library.documents.list(ANN, library=False)] == ["note.txt"]
    assert [hit["name"] for hit in await library.documents.search("bees", ANN_LATER)] == ["handbook.txt"]
    assert not await library.documents.search("bees", BOB)
