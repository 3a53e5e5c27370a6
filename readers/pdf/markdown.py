"""A PDF page's blocks as Markdown: headings by type size or table of contents, paragraphs unwrapped, tables kept."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from readers.pdf.layout import (
    Block,
    Line,
    Row,
    Typography,
    block_lines,
    is_wide,
    reading_order,
    rows_of,
    squeeze,
)  # fmt: skip
from readers.pdf.tables import OpenTable, in_columns, with_ruled_tables
from readers.tables import table

if TYPE_CHECKING:
    import pymupdf

_HEADING_RATIOS = ((1.7, 1), (1.35, 2), (1.12, 3))
_BOLD_LEVEL = 4
_SENTENCE_LEVEL = 3
"""From this level on, what ends like a sentence is no heading."""
_MOST_HEADING_CHARS = 200
_RUNNING_TITLE = 60
"""Most characters of what stands above or below a table that goes on over pages: a running title, a page number."""
_SPACE = re.compile(r"\s+")
_ENDS_SENTENCE = tuple(".,;:，。；：、！？!?")
_NARROW = re.compile(r"[\ufb00-\ufb06\u2f00-\u2fdf\u2e80-\u2eff\uff01-\uff5e\u00a0]")
_KEPT_WIDE = frozenset("，。：；！？（）～")


def page_markdown(
    blocks: list[Block],
    typography: Typography,
    toc: dict[str, int],
    finder: pymupdf.Page | None = None,
    before: OpenTable | None = None,
    unseen: Sequence[Block] = (),
) -> tuple[str, OpenTable | None]:
    """Return the page as Markdown, and the table that may go on on the next page.

    Args:
        blocks: the visible text blocks.
        typography: the document's body type.
        toc: squeezed titles of the table of contents on this page, with their levels.
        finder: the page itself, where time for finding ruled tables is left.
        before: the table at the end of the page before.
        unseen: the text blocks of the page that nobody sees.
    """
    ordered = [lines for block in reading_order(blocks) if (lines := block_lines(block))]
    body = _page_body(ordered, typography.body)
    rows = [rows_of(lines) for lines in ordered]
    if finder is not None and sum(1 for block in rows for row in block if len(row) > 1) >= (1 if before else 3):
        found = with_ruled_tables(finder, blocks, before, unseen)
        if found is not None:
            return _assemble(found[0], body, toc)[0], found[1]
    return _assemble(rows, body, toc, before)


def _assemble(
    blocks: Sequence[list[Row] | str], body: float, toc: dict[str, int], before: OpenTable | None = None
) -> tuple[str, OpenTable | None]:
    parts: list[str] = []
    pending: list[Row] = []
    after: OpenTable | None = None

    def flush() -> None:
        nonlocal after, pending
        if pending:
            above = before if all(len(part) <= _RUNNING_TITLE for part in parts) else None
            text, after = _aligned(pending, above)
            parts.append(text)
            pending = []

    for block in _joined_headings(blocks, body, toc):
        if isinstance(block, list) and all(len(row) > 1 for row in block):
            pending += block
            continue
        flush()
        found = [block] if isinstance(block, str) else list(_block_parts(block, body, toc))
        after = after if all(len(part) <= _RUNNING_TITLE and "\n" not in part for part in found) else None
        parts += found
    flush()
    return "\n\n".join(part for part in parts if part.strip()), after


def _joined_headings(blocks: Sequence[list[Row] | str], body: float, toc: dict[str, int]) -> Iterator[list[Row] | str]:
    """Join a heading with the next block where that goes on with it right below, in the same type."""
    held: list[Row] = []
    for block in blocks:
        if (
            held
            and isinstance(block, list)
            and _continues(held[-1][0], block[0], _level(held[-1], body, toc), body, toc)
        ):
            held = held + block
            continue
        if held:
            yield held
        held = block if isinstance(block, list) else []
        if isinstance(block, str):
            yield block
    if held:
        yield held


def _continues(line: Line, row: Row, level: int, body: float, toc: dict[str, int]) -> bool:
    below = row[0]
    near = -0.5 * line.size < below.box[1] - line.box[3] < 0.6 * line.size
    return 0 < level < _BOLD_LEVEL and near and abs(below.size - line.size) < 0.1 and _level(row, body, toc) == level


def _page_body(blocks: list[list[Line]], body: float) -> float:
    """Return the body size on this page: the document's, unless the page is set in larger type throughout."""
    sizes: Counter[float] = Counter()
    for lines in blocks:
        for line in lines:
            sizes[round(line.size * 2) / 2] += len(line.text)
    if not sizes:
        return body
    size, chars = sizes.most_common(1)[0]
    return size if size > body and chars > 600 else body


def _aligned(rows: list[Row], before: OpenTable | None) -> tuple[str, OpenTable | None]:
    """Return rows of cells as a Markdown table where their columns can be told, else as lines.

    A table that goes on from the page `before` gets its header, unless it begins with one in bold type.
    """
    placed = in_columns([[(cell.box[0], cell.box[2], _text(cell)) for cell in row] for row in rows])
    if placed is None:
        return "\n".join("  ".join(_text(cell) for cell in row) for row in rows), None
    texts, edges = placed
    header, body = texts[0], texts[1:]
    bold = [all(cell.bold for cell in row) for row in rows[:2]]
    if before is not None and before.goes_on_with(edges) and header != before.header and bold != [True, False]:
        header, body = before.header, texts
    return table(header, body), OpenTable(header, edges, ruled=False)


def _block_parts(rows: list[Row], body: float, toc: dict[str, int]) -> Iterator[str]:
    """Yield the headings and paragraphs of one block."""
    paragraph: list[Row] = []
    heading: list[Row] = []
    level = 0
    for row in rows:
        row_level = _level(row, body, toc)
        if row_level != level or (row_level and len(heading) >= 4):
            yield from _flush(paragraph, heading, level)
            paragraph, heading, level = [], [], row_level
        (heading if row_level else paragraph).append(row)
    yield from _flush(paragraph, heading, level)


def _flush(paragraph: list[Row], heading: list[Row], level: int) -> Iterator[str]:
    if heading:
        title = _SPACE.sub(" ", _join([row[0] for row in heading])).strip()
        sentence = level >= _SENTENCE_LEVEL and (title.endswith(_ENDS_SENTENCE) or "。" in title)
        yield title if sentence or len(title) > _MOST_HEADING_CHARS else f"{'#' * level} {title}"
    if paragraph:
        yield _paragraph(paragraph)


def _level(row: Row, body: float, toc: dict[str, int]) -> int:
    """Return the heading level of a line, 0 for none."""
    line = row[0]
    text = line.text.strip()
    if len(row) > 1 or len(text) < 2 or len(text) > _MOST_HEADING_CHARS or not any(char.isalpha() for char in text):
        return 0
    if toc and squeeze(text) in toc:
        return toc[squeeze(text)]
    for ratio, level in _HEADING_RATIOS:
        if line.size >= ratio * body:
            return level
    bold_title = line.bold and not line.mono and line.size >= 0.98 * body and len(text) <= 80
    return _BOLD_LEVEL if bold_title and not text.endswith(_ENDS_SENTENCE) else 0


def _paragraph(rows: list[Row]) -> str:
    if any(len(row) > 1 for row in rows):
        return "\n".join("  ".join(_text(cell) for cell in row) for row in rows)
    return _join([row[0] for row in rows])


def _join(lines: list[Line]) -> str:
    """Unwrap lines: a line break stays where the next word would still have fitted, or the type is monospaced."""
    right = max(line.box[2] for line in lines)
    text = _text(lines[0])
    for before, line in zip(lines, lines[1:], strict=False):
        addition = _text(line)
        if before.mono and line.mono or _fits(before, addition, right):
            text += "\n" + addition
        elif text.endswith("-") and text[-2:-1].isalpha() and addition[:1].islower():
            text = text[:-1] + addition
        elif is_wide(text[-1:]) and is_wide(addition[:1]):
            text += addition
        else:
            text += " " + addition
    return text


def _fits(before: Line, addition: str, right: float) -> bool:
    text = before.text.strip()
    width = (before.box[2] - before.box[0]) / max(len(text), 1)
    first = addition.split(" ", 1)[0]
    needed = 2 if is_wide(first[:1]) else len(first) + 1
    return right - before.box[2] > 1.15 * width * needed


def _text(line: Line) -> str:
    """Return a line's text with ligatures, radicals and full-width letters as the characters people type."""
    text = line.text if line.mono else _SPACE.sub(" ", line.text)
    return _NARROW.sub(_narrow, text).rstrip() if line.mono else _NARROW.sub(_narrow, text).strip()


def _narrow(match: re.Match[str]) -> str:
    char = match[0]
    return char if char in _KEPT_WIDE else unicodedata.normalize("NFKC", char)
