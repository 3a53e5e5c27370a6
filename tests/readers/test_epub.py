"""E-books as they are found: other namespaces, names in another case, fragments, encodings, chapters that are gone."""

from __future__ import annotations

import pytest

from tests.readers.conftest import Read
from tests.readers.samples import packed

CHAPTER = '<?xml version="1.0" encoding="{0}"?><html><head><title/></head><body><h1>{1}</h1><p>{2}</p></body></html>'


def book(
    chapters: dict[str, str | bytes], namespace: str = "", kind: str = "text/html", opf: str = "OEBPS/c.opf"
) -> bytes:
    """A book; chapters by the name that its package gives them, with that of the file behind a bar where it differs."""
    hrefs = [name.partition("|")[0] for name in chapters]
    items = "".join(f'<item id="i{n}" href="{href}" media-type="{kind}"/>' for n, href in enumerate(hrefs))
    spine = "".join(f'<itemref idref="i{n}"/>' for n in range(len(hrefs)))
    space = f' xmlns="{namespace}"' if namespace else ""
    package = (
        f'<package{space}><metadata><dc:Title xmlns:dc="http://purl.org/dc/elements/1.0/">Lamps</dc:Title></metadata>'
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    members: dict[str, str | bytes] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": f'<container><rootfiles><rootfile full-path="{opf}"/></rootfiles></container>',
        "OEBPS/c.opf": package,
    }
    members |= {f"OEBPS/{name.partition('|')[2] or name}": text for name, text in chapters.items() if text}
    return packed(members)


OLD = "http://openebook.org/namespaces/oeb-package/1.0/"
ONE = CHAPTER.format("utf-8", "One", "The lamp burns for 14 hours.")
TWO = CHAPTER.format("utf-8", "Two", "The wick costs 3 crowns.")
ZH = CHAPTER.format("gb2312", "第二章", "灯芯的价格是三枚银币，店主姓孙。").encode("gb18030")


@pytest.mark.parametrize(
    ("data", "labels", "text"),
    [
        (book({"a.html": ONE, "b.html": TWO}, OLD), ["One", "Two"], "3 crowns"),
        (book({"a.html": ONE, "b.html": TWO}, kind="text/x-oeb1-document"), ["One", "Two"], "14 hours"),
        (book({"a.htm": ONE}, kind="text/plain"), ["One"], "14 hours"),
        (book({"One.xhtml|one.XHTML": ONE, "b.xhtml": TWO}), ["One", "Two"], "14 hours"),
        (book({"b.xhtml#s2|b.xhtml": TWO, "b.xhtml#s3|b.xhtml": TWO, "a.xhtml": ONE}), ["Two", "One"], "3 crowns"),
        (book({"a.xhtml": ONE, "z.xhtml": ZH}), ["One", "第二章"], "灯芯的价格是三枚银币"),
        (book({"a.xhtml": ONE}, opf="oebps/C.OPF"), ["One"], "14 hours"),
    ],
)
async def test_books(read: Read, data: bytes, labels: list[str], text: str) -> None:
    outline, pages, _ = await read(data, "a.epub")
    assert outline.title == "Lamps"
    assert [page.label for page in pages] == labels
    assert text in "".join(page.markdown for page in pages)
    assert outline.warnings == ()


async def test_chapters_that_are_gone_are_counted(read: Read) -> None:
    outline, pages, _ = await read(book({"a.xhtml": ONE, "b.xhtml": ""}), "a.epub")
    assert [page.label for page in pages] == ["One"]
    assert outline.warnings == ("chapters_missing:1",)
