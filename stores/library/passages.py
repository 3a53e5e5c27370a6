"""Gives the model the surroundings of what was matched: the section around each chunk, within a token budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from stores.library.ranking import Key
from stores.sql.database import rows
from stores.sql.tables import chunks, pages

PASSAGE_TOKENS = 480
"""Most tokens of one passage; a quarter of the budget if that is less."""
NEIGHBOURS = 8
"""Chunks before and after a match that its passage may grow over."""


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
    for (content_id, ordinal), score in ranked:
        near = rows(db, _SECTION, {"content_id": content_id, "ordinal": ordinal})
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
        span = {"start": passage.start, "length": passage.end - passage.start}
        ((passage.label, passage.text),) = rows(
            db, _SPAN, {"content_id": passage.content_id, "page": passage.page, **span}
        )
    return taken


_MATCH = chunks.alias("match")
_SECTION = (
    select(chunks.c.ordinal, chunks.c.page, chunks.c.start, chunks.c.end, chunks.c.tokens, chunks.c.heading)
    .join(
        _MATCH,
        (chunks.c.content_id == _MATCH.c.content_id)
        & (chunks.c.page == _MATCH.c.page)
        & (chunks.c.heading == _MATCH.c.heading)
        & chunks.c.ordinal.between(_MATCH.c.ordinal - NEIGHBOURS, _MATCH.c.ordinal + NEIGHBOURS),
    )
    .where(_MATCH.c.content_id == bindparam("content_id"), _MATCH.c.ordinal == bindparam("ordinal"))
    .order_by(chunks.c.ordinal)
)
"""The chunks around a match that are on its page under its heading, itself among them."""


def _grow(near: list[Any], spot: int, free: set[int], most: int) -> tuple[int, int, int]:
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


def _inside(row: Any, content_id: int, passage: Passage) -> bool:
    return (
        passage.content_id == content_id
        and passage.page == row.page
        and passage.start <= row.start
        and row.end <= passage.end
    )


_SPAN = select(
    pages.c.label, func.substr(pages.c.text, bindparam("start") + 1, bindparam("length")).label("text")
).where(pages.c.content_id == bindparam("content_id"), pages.c.number == bindparam("page"))
