"""Gives the model the surroundings of what was matched: the section around each chunk, within a token budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, select

from stores.library.ranking import Key, by_content
from stores.sql.database import among
from stores.sql.tables import chunks, pages

PASSAGE_TOKENS = 480
"""Most tokens of one passage; a quarter of the budget if that is less."""
NEIGHBOURS = 8
"""Chunks before and after a match that its passage may grow over."""
BATCH = 16
"""Matches whose surroundings are fetched at a time."""


@dataclass(slots=True)
class Passage:
    """Characters `start` to `end` of a page; `score` of the best chunk in it."""

    content_id: int
    page: int
    start: int
    end: int
    heading: str
    tokens: int
    score: float
    text: str = ""
    label: str = ""


def passages(db: Connection, ranked: Sequence[tuple[Key, float]], budget: int) -> list[Passage]:
    """Return passages around the ranked chunks, best first, together at most `budget` tokens.

    A passage grows from its chunk over the chunks of the same heading and page, the following one first. Chunks that
    are inside an earlier passage add nothing.
    """
    most = max(1, min(PASSAGE_TOKENS, budget // 4))
    taken: list[Passage] = []
    left = budget
    for (content_id, ordinal), score, near in _sections(db, ranked):
        spot = next((n for n, row in enumerate(near) if row.ordinal == ordinal), None)
        if spot is None or any(_inside(near[spot], content_id, passage) for passage in taken):
            continue
        free = [n for n, row in enumerate(near) if not any(_inside(row, content_id, p) for p in taken)]
        first, last, tokens = _grow(near, spot, set(free), min(most, left))
        if tokens > left:
            break
        left -= tokens
        row = near[spot]
        taken.append(Passage(content_id, row.page, near[first].start, near[last].end, row.heading, tokens, score))
    for passage in taken:
        _fill(db, passage)
    return taken


_CHUNKS: Select[Any] = (
    select(chunks.c.ordinal, chunks.c.page, chunks.c.start, chunks.c.end, chunks.c.tokens, chunks.c.heading)
    .where(chunks.c.content_id == bindparam("content_id"), among(chunks.c.ordinal, "ordinals"))
    .order_by(chunks.c.ordinal)
)


def _sections(db: Connection, ranked: Sequence[tuple[Key, float]]) -> Iterator[tuple[Key, float, list[Row[Any]]]]:
    """Give each match with the neighbouring chunks on its page that have its heading, itself among them."""
    for start in range(0, len(ranked), BATCH):
        batch = ranked[start : start + BATCH]
        rows: dict[Key, Row[Any]] = {}
        for content_id, ordinals in by_content(key for key, _ in batch).items():
            near = {n for ordinal in ordinals for n in range(ordinal - NEIGHBOURS, ordinal + NEIGHBOURS + 1)}
            rows.update(
                ((content_id, row.ordinal), row)
                for row in db.execute(_CHUNKS, {"content_id": content_id, "ordinals": sorted(near)})
            )
        for key, score in batch:
            section = [rows.get((key[0], n)) for n in range(key[1] - NEIGHBOURS, key[1] + NEIGHBOURS + 1)]
            spot = rows.get(key)
            yield (
                key,
                score,
                [row for row in section if row and spot and (row.page, row.heading) == (spot.page, spot.heading)],
            )


def _grow(near: list[Row[Any]], spot: int, free: set[int], most: int) -> tuple[int, int, int]:
    """Return (first, last, tokens) of the run around `spot` with at most `most` tokens, or `spot` alone with more."""
    first = last = spot
    tokens = int(near[spot].tokens)
    growing = True
    while growing:
        growing = False
        for following in (last + 1, first - 1):
            if following in free and tokens + near[following].tokens <= most:
                tokens += near[following].tokens
                first, last, growing = min(first, following), max(last, following), True
    return first, last, tokens


def _inside(row: Row[Any], content_id: int, passage: Passage) -> bool:
    return (
        passage.content_id == content_id
        and passage.page == row.page
        and passage.start <= row.start
        and row.end <= passage.end
    )


_SPAN = select(
    pages.c.label, func.substr(pages.c.text, bindparam("start") + 1, bindparam("length")).label("text")
).where(pages.c.content_id == bindparam("content_id"), pages.c.number == bindparam("page"))


def _fill(db: Connection, passage: Passage) -> None:
    span = {"start": passage.start, "length": passage.end - passage.start}
    row = db.execute(_SPAN, {"content_id": passage.content_id, "page": passage.page, **span}).one()
    passage.text, passage.label = row.text, row.label
