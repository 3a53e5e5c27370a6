"""Gives the model the surroundings of what was matched: the section around each chunk, within a token budget."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from stores.library.ranking import Key

PASSAGE_TOKENS = 480
"""Most tokens of one passage; a quarter of the budget if that is less."""


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


def passages(db: sqlite3.Connection, ranked: Sequence[tuple[Key, float]], budget: int) -> list[Passage]:
    """Return passages around the ranked chunks, best first, together at most `budget` tokens.

    A passage grows from its chunk over the chunks of the same heading and page, the following one first. Chunks that
    are inside an earlier passage add nothing.
    """
    most = max(1, min(PASSAGE_TOKENS, budget // 4))
    taken: list[Passage] = []
    left = budget
    for (content_id, ordinal), score in ranked:
        near = _section(db, content_id, ordinal)
        spot = next((n for n, row in enumerate(near) if row["ordinal"] == ordinal), None)
        if spot is None or any(_inside(near[spot], content_id, passage) for passage in taken):
            continue
        free = [n for n, row in enumerate(near) if not any(_inside(row, content_id, p) for p in taken)]
        first, last, tokens = _grow(near, spot, set(free), min(most, left))
        if tokens > left:
            break
        left -= tokens
        row = near[spot]
        taken.append(
            Passage(content_id, row["page"], near[first]["start"], near[last]["end"], row["heading"], tokens, score)
        )
    for passage in taken:
        _fill(db, passage)
    return taken


def _section(db: sqlite3.Connection, content_id: int, ordinal: int) -> list[sqlite3.Row]:
    """Return the neighbouring chunks on the page of a chunk that have its heading."""
    return db.execute(
        "SELECT n.* FROM chunks c JOIN chunks n ON n.content_id = c.content_id AND n.page = c.page"
        " AND n.heading = c.heading WHERE c.content_id = ? AND c.ordinal = ?"
        " AND n.ordinal BETWEEN c.ordinal - 8 AND c.ordinal + 8 ORDER BY n.ordinal",
        (content_id, ordinal),
    ).fetchall()


def _grow(near: list[sqlite3.Row], spot: int, free: set[int], most: int) -> tuple[int, int, int]:
    """Return (first, last, tokens) of the run around `spot` with at most `most` tokens, or `spot` alone with more."""
    first = last = spot
    tokens = int(near[spot]["tokens"])
    growing = True
    while growing:
        growing = False
        for following in (last + 1, first - 1):
            if following in free and tokens + near[following]["tokens"] <= most:
                tokens += near[following]["tokens"]
                first, last, growing = min(first, following), max(last, following), True
    return first, last, tokens


def _inside(row: sqlite3.Row, content_id: int, passage: Passage) -> bool:
    return (
        passage.content_id == content_id
        and passage.page == row["page"]
        and passage.start <= row["start"]
        and row["end"] <= passage.end
    )


def _fill(db: sqlite3.Connection, passage: Passage) -> None:
    row = db.execute(
        "SELECT label, substr(text, ?, ?) AS text FROM pages WHERE content_id = ? AND number = ?",
        (passage.start + 1, passage.end - passage.start, passage.content_id, passage.page),
    ).fetchone()
    passage.text, passage.label = row["text"], row["label"]
