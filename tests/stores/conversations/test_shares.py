from __future__ import annotations

import time

import pytest
from sqlalchemy import select, update

from domain.errors import BadInput, UnknownSession, UnknownShare
from domain.owner import Owner
from stores.conversations.conversations import Conversations
from stores.conversations.entries import Entry, Wish
from stores.conversations.shares import Shares
from stores.sql.database import Database
from stores.sql.tables import shares as table

ANN, BOB = Owner("ann", "s1"), Owner("bob", "s1")
SHOWN = [
    {"role": "system", "text": "Be secret.", "run_id": "r"},
    {"role": "user", "text": "How long?", "run_id": "r", "attachments": [{"id": "file-1"}]},
    {
        "role": "assistant", "text": "Six weeks [1].", "run_id": "r", "reasoning": "hidden",
        "attachments": [{"id": "file-1", "name": "lease.pdf"}],
        "citations": [{"number": 1, "name": "lease.pdf", "page": 2, "quote": "six weeks", "document_id": "file-1"}],
    },
]  # fmt: skip


@pytest.fixture
def links(database: Database) -> Shares:
    return Shares(database)


async def say(kept: Conversations, owner: Owner, entries: list[Entry]) -> None:
    await kept.append(owner, await kept.spot(owner, Wish()), entries)


async def test_a_link_shows_what_was_shown_and_no_more(
    conversations: Conversations, links: Shares, database: Database
) -> None:
    await say(conversations, ANN, [Entry(**entry) for entry in SHOWN])  # type: ignore[typeddict-item]
    token, made = await links.add(ANN, seconds=60, files=False, quotes=True)
    bare, _ = await links.add(ANN, seconds=60, files=True, quotes=False)
    await say(conversations, ANN, [{"role": "user", "text": "said later", "run_id": "r2"}])
    opened = await links.open(token, count=True)
    question, answer = opened.shown["messages"]
    assert (question["text"], question["files"], answer["text"]) == (
        "How long?", [{"name": "lease.pdf"}], "Six weeks [1]."
    )  # fmt: skip
    assert answer["quotes"] == [{"number": 1, "name": "lease.pdf", "quote": "six weeks", "page": 2}]
    assert opened.files == [] and made["opened"] == 0
    for hidden in ("ann", "file-1", "hidden", "secret", "said later"):
        assert hidden not in str(opened.shown)
    other = await links.open(bare)
    assert other.files == ["file-1"] and other.shown["messages"][0]["files"] == [{"name": "lease.pdf", "number": 0}]
    assert "six weeks" not in str(other.shown)
    assert sorted(link["opened"] for link in await links.of(ANN)) == [0, 1]
    stored = await database.read(lambda db: db.execute(select(table)).all())
    assert len(token) >= 32 and token not in str(stored) and bare not in str(stored)


async def test_links_end(conversations: Conversations, links: Shares, database: Database) -> None:
    for owner in (ANN, BOB):
        await say(conversations, owner, [{"role": "user", "text": "q", "run_id": "r"}])
    tokens = [(await links.add(owner, seconds=60, files=False, quotes=True))[0] for owner in (ANN, ANN, ANN, BOB)]
    revoked, late = [link["id"] for link in await links.of(ANN)][2::-2]
    assert not await links.remove(BOB, revoked) and await links.remove(ANN, revoked)
    assert not await links.remove(ANN, revoked)
    past = update(table).where(table.c.id == late).values(expires=time.time() - 1)
    await database.write(lambda db: db.execute(past))
    for token in (tokens[0], tokens[2], "", "no such"):
        with pytest.raises(UnknownShare):
            await links.open(token)
    assert await links.open(tokens[1]) and len(await links.of(ANN)) == 1
    assert await links.expire() == 1
    assert [(name, len(value)) async for name, value in links.export("bob")] == [("shared links.json", 1)]
    assert await links.clear(ANN) == 1 and await links.forget("bob") == {"shares": 1}
    assert not await database.read(lambda db: db.execute(select(table)).all())


async def test_what_is_no_conversation_is_not_shared_and_links_are_limited(
    conversations: Conversations, links: Shares, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stores.conversations.shares.MOST_SHARES", 1)
    await say(conversations, ANN, [{"role": "user", "text": "q", "run_id": "r"}])
    with pytest.raises(UnknownSession):
        await links.add(BOB, seconds=60, files=False, quotes=True)
    await links.add(ANN, seconds=60, files=False, quotes=True)
    with pytest.raises(BadInput):
        await links.add(ANN, seconds=60, files=False, quotes=True)
