"""Cuts pages into the passages that are matched: by heading first, then by sentence, never over the token limit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from langchain_text_splitters import RecursiveCharacterTextSplitter

from domain.text import SPACE, between_words
from domain.tokens import count_tokens
from readers.texts import COMMENT
from stores.library.pages import Chunk

SEPARATORS = ["\n\n", "\n", "。", "！", "？", "；", ". ", "! ", "? ", "; ", "，", ", "]
"""Chinese and English sentence ends. With the separator kept at the end, 91 % of Chinese chunks end at a sentence; with
LangChain's defaults 59 %."""
PRE_CUT = 50_000
"""Characters: longer stretches are cut before splitting, which is more than linear on one unbroken line."""
HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
FENCE = re.compile(r"^(?:```|~~~).*?(?:^(?:```|~~~)[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
HEADING_CHARS = 80
COMMENTED = re.compile(rf"({COMMENT.en}|{COMMENT.zh})(?: \([^()\n]*\))?: ")
"""How a paragraph begins that is a comment."""


class Chunker:
    """Cuts the pages of one document, in order; a section that goes on over a page keeps its heading."""

    def __init__(self, limit: int, count: Callable[[str], int] = count_tokens) -> None:
        """Cut into chunks of at most `limit` tokens by `count`."""
        self._limit = limit
        self._count = count
        self._path: list[tuple[int, str]] = []
        self._splitter = RecursiveCharacterTextSplitter(
            separators=[*map(re.escape, SEPARATORS), SPACE], is_separator_regex=True, keep_separator="end",
            strip_whitespace=False, chunk_size=limit, chunk_overlap=0,
            length_function=count,
        )  # fmt: skip

    def page(self, number: int, text: str) -> list[Chunk]:
        """Return the chunks of page `number`: together all of `text` but white space at their edges."""
        chunks = []
        for start, end, heading in self._sections(text):
            for piece_start, piece_end, tokens in self._pieces(text, start, end):
                piece, above = text[piece_start:piece_end], _within(heading, text, piece_start)
                chunks.append(Chunk(number, piece_start, piece_end, piece, tokens, above))
        return chunks

    def _sections(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield (start, end, heading path) of the stretches between headings; a heading alone goes with the next."""
        fenced = [match.span() for match in FENCE.finditer(text)]
        start = 0
        for match in HEADING.finditer(text):
            if any(a <= match.start() < b for a, b in fenced):
                continue
            if HEADING.sub("", text[start : match.start()]).strip():
                yield start, match.start(), self._heading()
                start = match.start()
            level = len(match[1])
            self._path = [item for item in self._path if item[0] < level] + [(level, match[2][:HEADING_CHARS])]
        yield start, len(text), self._heading()

    def _heading(self) -> str:
        return " › ".join(title for _, title in self._path)

    def _pieces(self, text: str, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield (start, end, tokens) of pieces without white space at their edges, none over the limit."""
        at = start
        while at < end:
            cut = between_words(text, at + PRE_CUT) if at + PRE_CUT < end else end
            for piece in self._splitter.split_text(text[at:cut]):
                yield from self._fitting(text, at, at + len(piece))
                at += len(piece)

    def _fitting(self, text: str, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield a piece, halved while it is over the limit because nothing parts it."""
        start, end = _strip(text, start, end)
        if start == end:
            return
        tokens = self._count(text[start:end])
        if tokens <= self._limit or end - start == 1:
            yield start, end, tokens
            return
        middle = max(between_words(text, (start + end) // 2), start + 1)
        yield from self._fitting(text, start, middle)
        yield from self._fitting(text, middle, end)


def _within(heading: str, text: str, start: int) -> str:
    """Return the heading of a piece; one that begins inside a comment says that it is of one."""
    comment = COMMENTED.match(text, text.rfind("\n\n", 0, start) + 2 if "\n\n" in text[:start] else 0, start)
    return " › ".join(filter(None, (heading, comment[1]))) if comment else heading


def _strip(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
