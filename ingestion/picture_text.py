"""The text of a picture: of all its pages in one, and page by page for the index."""

from __future__ import annotations

from collections.abc import Sequence

from domain.types import Attachment, OcrLine, OcrText
from domain.words import Language
from ingestion.reading import mean_confidence
from ingestion.texts import PAGE_LABEL
from stores.library.pages import PageText


def joined_text(pages: Sequence[OcrText], language: Language, *, several: bool) -> OcrText | None:
    """Return one text of the pages that were read, labelled where the picture has several; None when none was.

    The lines of all pages follow each other, each with its page; boxes and rotation count within their own page.
    """
    if not pages or not several:
        return pages[0] if pages else None
    labelled = [f"{PAGE_LABEL.text(language).format(number=n)}\n{page['text']}" for n, page in enumerate(pages, 1)]
    return OcrText(
        text="\n\n".join(labelled),
        lines=[OcrLine(**{**line, "page": n}) for n, page in enumerate(pages, 1) for line in page["lines"]],
        rotation=pages[0]["rotation"],
        engine=pages[0]["engine"],
    )


def picture_pages(seen: Attachment) -> list[PageText]:
    """Return what is indexed of a picture: its recognised text, page by page; description and facts with the first."""
    ocr, description = seen.get("ocr"), seen.get("description")
    lines: dict[int, list[OcrLine]] = {}
    for line in ocr["lines"] if ocr else ():
        lines.setdefault(line.get("page", 1), []).append(line)
    several = seen.get("pages_total", 1) > 1
    pages = []
    for number in range(1, max(lines, default=1) + 1):
        found = lines.get(number, [])
        text = "\n".join(line["text"] for line in found) if several or not ocr else ocr["text"]
        if number == 1:
            others = (description["text"] if description else "", seen.get("facts", ""))
            text = "\n\n".join(part for part in (text, *others) if part)
        label = str(number) if several else ""
        pages.append(PageText(number, label, text, bool(found), mean_confidence(found), found))
    return pages
