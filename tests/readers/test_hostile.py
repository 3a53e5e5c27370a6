"""Files made to harm: each ends in a clear error within its limit, and the server stays as it was."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable
from pathlib import Path

import pymupdf
import pytest
from PIL import Image

from domain.errors import AppError, FileCorrupt, FileEmpty, FileTooLarge, ReadingTimedOut
from readers.formats import MODULES
from readers.interface import Page
from readers.reader import Readers
from tests.readers import samples
from tests.readers.conftest import Read, reader_settings
from tests.workers.test_sandbox import resident
from workers.sandbox import Sandbox

MB = 1_000_000


def whole(pages: list[Page]) -> str:
    return "\n\n".join(page.markdown for page in pages)


def unpacked(megabytes: int) -> bytes:
    return samples.docx_with(b"<w:p/>" * (megabytes * MB // 6))


@pytest.mark.parametrize(
    "make",
    [
        lambda: unpacked(260),
        lambda: unpacked(80),
        lambda: samples.docx_with("<x/>", **{f"word/m{n}.xml": "" for n in range(10_001)}),
    ],
    ids=["size", "ratio", "members"],
)
async def test_zip_bombs_are_refused_by_their_directory(read: Read, make: Callable[[], bytes], tmp_path: Path) -> None:
    path = tmp_path / "bomb.docx"
    path.write_bytes(make())
    with pytest.raises(FileTooLarge):
        await read(path)


async def test_a_directory_that_lies_about_sizes(read: Read) -> None:
    data = bytearray(samples.open_text())
    at = data.rindex(b"content.xml") - 46
    size = int.from_bytes(data[at + 24 : at + 28], "little")
    data[at + 24 : at + 28] = (size // 3).to_bytes(4, "little")
    with pytest.raises(FileCorrupt):
        await read(bytes(data), "a.odt")


@pytest.mark.parametrize("reference", ["XFD20000", "XFD1048576", "C5000"])
async def test_a_far_cell_is_read(read: Read, reference: str) -> None:
    _, pages, _ = await read(samples.far_cell(reference), "a.xlsx")
    assert "2" in pages[0].markdown


async def test_entities_are_not_expanded(read: Read) -> None:
    with pytest.raises((FileCorrupt, FileEmpty, FileTooLarge)):
        await read(samples.billion_laughs_docx(), "a.docx")


async def test_external_entities_and_files_are_not_read(read: Read, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("top secret words")
    sources = [
        (samples.external_entity_docx(str(secret)), "a.docx"),
        (f'<!DOCTYPE html [<!ENTITY x SYSTEM "file://{secret}">]><html><body>see &x;'.encode(), "a.html"),
        (
            samples.packed(
                {
                    "mimetype": "application/vnd.oasis.opendocument.text",
                    "content.xml": f'<!DOCTYPE d [<!ENTITY x SYSTEM "file://{secret}">]><office:document-content '
                    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
                    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:text>'
                    "<text:p>shown &x; text</text:p></office:text></office:body></office:document-content>",
                }
            ),
            "a.odt",
        ),
    ]
    for data, name in sources:
        try:
            _, pages, _ = await read(data, name)
        except AppError as error:
            assert error.code in {"file_corrupt", "file_empty"}
        else:
            assert "top secret" not in whole(pages)


async def test_pictures_that_a_document_links_are_not_fetched(read: Read) -> None:
    asked = 0

    def note(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x.png"
    rich = "http://schemas.openxmlformats.org"
    body = (
        f'<w:document {samples.WORD_SPACE} xmlns:r="{rich}/officeDocument/2006/relationships" '
        f'xmlns:wp="{rich}/drawingml/2006/wordprocessingDrawing" xmlns:a="{rich}/drawingml/2006/main" '
        f'xmlns:pic="{rich}/drawingml/2006/picture"><w:body><w:p><w:r><w:t>some text</w:t></w:r>'
        "<w:r><w:drawing><wp:inline>"
        '<a:graphic><a:graphicData><pic:pic><pic:blipFill><a:blip r:link="r9"/></pic:blipFill></pic:pic>'
        "</a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p></w:body></w:document>"
    )
    links = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r9" '
        f'Type="{rich}/officeDocument/2006/relationships/image" Target="{url}" TargetMode="External"/></Relationships>'
    )
    async with server:
        _, pages, _ = await read(samples.docx_with(body, **{"word/_rels/document.xml.rels": links}), "a.docx")
        page = f'<html><body><p>{samples.LOREM * 4}</p><img src="{url}"><iframe src="{url}"></iframe></body></html>'
        await read(page.encode(), "a.html")
        await asyncio.sleep(0.1)
    assert "some text" in pages[0].markdown
    assert asked == 0


async def test_deep_nesting(read: Read) -> None:
    deep = b"<div>" * 2000 + b"<p>the bottom of it</p>" + b"</div>" * 2000
    try:
        _, pages, _ = await read(b"<html><body><p>the top</p>" + deep + b"</body></html>", "a.html")
    except AppError as error:
        assert error.code in {"file_corrupt", "file_empty"}
    else:
        assert "the top" in whole(pages)
    with pytest.raises((FileCorrupt, FileTooLarge)):
        await read(samples.nested_tables_docx(2000), "a.docx")


@pytest.mark.parametrize("sheet", ["a", "@a", "/*", "@a{"])
async def test_a_style_sheet_or_comment_made_to_be_slow_costs_no_page(read: Read, sheet: str) -> None:
    """Half a megabyte of either took minutes, which the limit of reading cut off."""
    style = f"<style>.gone{{display:none}} {sheet * (480_000 // len(sheet))}</style>"
    page = f"<html><head>{style}<!-- {'a' * 480_000} --></head>"
    page += "<body><p>the words of it</p><p class=gone>an order in it</p></body></html>"
    _, pages, _ = await read(page.encode(), "a.html")
    assert "the words of it" in whole(pages) and "an order" not in whole(pages)


async def test_html_over_its_limit_is_refused_at_once(read: Read) -> None:
    with pytest.raises(FileTooLarge):
        await read(b"<html><body>" + b"<p>words</p>" * 500_000, "a.html")


async def test_many_parts_of_a_mail(read: Read) -> None:
    head = b"From: a@b\nSubject: many\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n"
    with pytest.raises(FileTooLarge):
        await read(head + b"--x\nContent-Type: text/plain\n\nhello\n" * 1500 + b"--x--\n", "a.eml")
    files = b'--x\nContent-Disposition: attachment; filename="a.txt"\n\nhello\n' * 30
    outline, _, embedded = await read(head + files + b"--x--\n", "a.eml")
    assert len(embedded) == 20
    assert outline.warnings == ("files_skipped:10",)


async def test_a_picture_bomb_in_a_pdf_is_not_decoded(read: Read) -> None:
    def draw(document: pymupdf.Document) -> None:
        document.new_page().insert_text((60, 60), "first page has words enough")
        small = io.BytesIO()
        Image.new("L", (9000, 9000), 255).save(small, "PNG")
        document.new_page().insert_image((0, 0, 595, 842), stream=small.getvalue())

    _, pages, _ = await read(samples.pdf(draw), "a.pdf")
    assert pages[1].image is None
    assert pages[1].warnings == ("page_image_too_large",)


async def test_a_form_bomb_is_killed_in_time_and_nobody_waits_for_it(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pdf"
    path.write_bytes(samples.form_bomb_pdf())
    (tmp_path / "good.txt").write_text("a small note")
    before = resident()
    slowest = 0.0

    async def watch() -> None:
        nonlocal slowest
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.01)
            slowest = max(slowest, time.perf_counter() - began)

    async with Sandbox(reader_settings(reader_seconds=2), MODULES) as own:
        readers = Readers(reader_settings(), own)

        async def read(name: str, media_type: str) -> list[object]:
            return [item async for item in readers.read(tmp_path / name, name=name, media_type=media_type)]

        await readers.detect(path, "warm-up")
        watcher = asyncio.create_task(watch())
        began = time.perf_counter()
        bomb = asyncio.create_task(read("bomb.pdf", "application/pdf"))
        assert len(await read("good.txt", "text/plain")) == 2
        assert not bomb.done()
        with pytest.raises(ReadingTimedOut):
            await bomb
        assert time.perf_counter() - began < 30
        watcher.cancel()
    assert slowest < 1.5, "the two seconds of the bomb were spent on the event loop"
    assert resident() - before < 30_000


async def test_a_page_may_not_compute_for_long(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "bomb.pdf"
    path.write_bytes(samples.form_bomb_pdf())
    with pytest.raises(ReadingTimedOut):
        await read(path, reader_page_seconds=0.5)


@pytest.mark.slow
async def test_a_thousand_pages_leave_the_parent_flat(read: Read, sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    path.write_bytes(samples.text_pdf(*[f"Page {number}. " + samples.LOREM * 20 for number in range(1000)]))
    readers = Readers(reader_settings(), sandbox)
    before = resident()
    count = 0
    async for _ in readers.read(Path(path), name="a.pdf", media_type="application/pdf"):
        count += 1
    assert count == 1001
    assert resident() - before < 30_000


@pytest.mark.slow
@pytest.mark.parametrize("flat", [b"<p>word</p>", b"<table><tr><td>x</td></tr></table>", b"<a><b><i>"])
async def test_the_largest_html_allowed_ends_within_the_limit(read: Read, flat: bytes) -> None:
    data = b"<html><body>" + flat * (5 * 1024 * 1024 // len(flat) - 10)
    began = time.perf_counter()
    try:
        await read(data, "a.html")
    except AppError as error:
        assert error.code in {"file_corrupt", "file_empty", "file_too_large", "reading_timed_out"}
    assert time.perf_counter() - began < 130


@pytest.mark.slow
async def test_the_largest_text_allowed(read: Read) -> None:
    with pytest.raises(FileTooLarge):
        await read(b"x" * (20 * 1024 * 1024), "a.txt")
    _, pages, _ = await read(b"x" * 9_000_000, "a.txt")
    assert sum(len(page.markdown) for page in pages) == 9_000_000


@pytest.mark.parametrize("page", [b"<div>" * 20_000 + b"deep", b"<table>" * 3000 + b"<tr><td>words</td></tr>"])
async def test_a_page_nested_too_deeply_is_not_called_empty(read: Read, page: bytes) -> None:
    with pytest.raises(FileTooLarge, match="nested too deeply"):
        await read(page, "deep.html")
