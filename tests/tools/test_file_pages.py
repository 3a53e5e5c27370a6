"""Files on the web are read as uploaded ones are: by content, in children, page by page, within a prompt's room."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from domain.tokens import count_tokens
from ingestion.pictures import Pictures
from models.ocr.pool import OcrPool
from net.client import GuardedHttp
from settings import Settings
from tests.drawn_pictures import drawn, encoded
from tests.ocr_fixture import ocr_pool, zygote  # noqa: F401  # fixtures
from tests.readers.samples import pdf, picture, text_pdf, word, workbook
from tests.tools.conftest import Web, resolve_test_names
from tools.file_pages import FileReader
from tools.interface import Caller, ToolOutcome
from tools.registry import ToolRegistry
from workers.sandbox import Sandbox

Fetch = Callable[..., Awaitable[ToolOutcome]]


class NoCache:
    """Nothing that comes from the web is kept."""

    async def get(self, key: str) -> bytes | None:
        return None

    async def put(self, key: str, value: bytes) -> None:
        return None


@pytest.fixture
async def fetch(
    web_settings: Settings,
    sandbox: Sandbox,
    ocr_pool: OcrPool,  # noqa: F811
    context: Caller,
) -> AsyncIterator[Fetch]:
    settings = web_settings.model_copy(update={"fetch_max_bytes": 2_000_000, "tool_timeout": 60})
    http = GuardedHttp(settings, resolver=resolve_test_names)
    registry = ToolRegistry(settings, None, http, sandbox=sandbox)  # type: ignore[arg-type]
    pictures = Pictures(settings, sandbox, ocr_pool, None, NoCache())
    registry.read_files_with(FileReader(settings, sandbox, ocr_pool, pictures))

    async def call(**arguments: Any) -> ToolOutcome:
        return await registry.call("fetch_url", arguments, context)

    yield call
    await registry.aclose()
    await http.aclose()


async def test_pages_of_a_pdf_are_cited_by_number_and_read_on(fetch: Fetch, web: Web) -> None:
    pages = [f"Page {number} tells of harbour number {number}." for number in range(1, 5)]
    url = web.redirect("/go", web.add("/papers/harbours.pdf", text_pdf(*pages), "application/octet-stream"))
    outcome = await fetch(url=url)
    assert outcome.run["status"] == "ok" and "harbours.pdf, pages 1 to 4 of 4" in outcome.text, outcome.text
    third = outcome.sources[2]
    assert (third["page"], third["origin"], third["name"]) == (3, "web", "harbours.pdf")
    assert third["url"].endswith("/papers/harbours.pdf") and "harbour number 3" in third["text"]
    assert [source["page"] for source in (await fetch(url=url, page=4)).sources] == [4]
    assert "has no page 9; it has 4" in (await fetch(url=url, page=9)).text


async def test_office_files_are_read(fetch: Fetch, web: Web) -> None:
    for name, data, kind in [("a.docx", word(), "application/msword"), ("b.xlsx", workbook(), "application/zip")]:
        outcome = await fetch(url=web.add(f"/{name}", data, kind))
        assert outcome.run["status"] == "ok" and outcome.sources[0]["text"].strip(), outcome.text


async def test_long_files_are_read_in_parts(
    web_settings: Settings, sandbox: Sandbox, web: Web, context: Caller
) -> None:

    settings = web_settings.model_copy(update={"context_tokens_for_sources": 300, "tool_timeout": 60})
    registry = ToolRegistry(settings, None, GuardedHttp(settings, resolver=resolve_test_names), sandbox=sandbox)  # type: ignore[arg-type]
    lines = "\n".join(f"Line {number} of this page stands by itself." for number in range(40))
    url = web.add("/long.pdf", text_pdf("A short page.", lines), "application/pdf")
    first = await registry.call("fetch_url", {"url": url}, context)
    assert [source["page"] for source in first.sources] == [1] and "page=2 for more" in first.text
    second = await registry.call("fetch_url", {"url": url, "page": 2}, context)
    end = second.sources[0]["end"]
    assert f"page=2 and start={end}" in second.text and count_tokens(second.sources[0]["text"]) <= 300
    third = await registry.call("fetch_url", {"url": url, "page": 2, "start": end}, context)
    assert third.sources[0]["start"] == end and third.sources[0]["text"].strip()
    await registry.aclose()


async def test_pictures_and_scans_are_recognised(fetch: Fetch, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.file_pages.MOST_RECOGNISED", 1)
    sign = await fetch(url=web.add("/sign.png", encoded(drawn((20, 20, "Platform 9"))), "image/png"))
    assert "Platform 9" in sign.sources[0]["text"] and sign.sources[0]["page"] == 1

    def scans(document: Any) -> None:
        for _ in range(2):
            page = document.new_page(width=300, height=400)
            page.insert_image(page.rect, stream=picture("HARBOUR", (600, 800)))

    outcome = await fetch(url=web.add("/scan.pdf", pdf(scans), "application/pdf"))
    assert [source["page"] for source in outcome.sources] == [1]
    assert "HARBOUR" in outcome.sources[0]["text"] and "page=2 for more" in outcome.text


async def test_what_is_no_document_or_damaged_is_said(fetch: Fetch, web: Web) -> None:
    for name, data, said in [
        ("x.bin", bytes(range(256)) * 8, "not a text page"),
        ("broken.pdf", b"%PDF-1.7 nothing", "damaged"),
        ("broken.png", b"\x89PNG\r\n\x1a\nnothing", "damaged"),
    ]:
        outcome = await fetch(url=web.add(f"/{name}", data, "application/octet-stream"))
        assert outcome.run["status"] == "error" and said in outcome.text and not outcome.sources, outcome.text
