from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.errors import BadInput, UnknownMessage, UnknownSession
from domain.owner import Owner
from stores.conversations.conversations import Conversations
from stores.conversations.entries import Part, Wish
from stores.feedback.votes import REASONS, Votes
from stores.sql.database import Database

ANN, BOB = Owner("ann", "s1"), Owner("bob", "s1")


async def said(conversations: Conversations, owner: Owner, turns: int = 1) -> list[str]:
    """A conversation of some turns; the ids of its messages."""
    for number in range(turns):
        entries: Any = [{"role": "user", "text": f"q{number}"}, {"role": "assistant", "text": f"a{number}"}]
        await conversations.append(owner, await conversations.spot(owner, Wish()), entries)
    return [entry["message_id"] for entry in (await conversations.page(owner, Part()))["entries"]]


async def files(votes: Votes, user_id: str) -> dict[str, Any]:
    exported: AsyncIterator[tuple[str, Any]] = votes.export(user_id)
    return {name: value async for name, value in exported}


async def test_a_user_has_one_vote_on_an_answer_and_changes_it(
    database: Database, conversations: Conversations
) -> None:
    votes = Votes(database)
    question, answer, _, second = await said(conversations, ANN, 2)
    first = await votes.put(ANN, answer, "down", reasons=["wrong", "too_long", "wrong"], comment=" long \0")
    assert (first["reasons"], first["comment"], first["consent"]) == (["too_long", "wrong"], "long \ufffd"[:6], False)
    changed = await votes.put(ANN, answer, "up", consent=True)
    assert changed == {**changed, "vote": "up", "reasons": [], "comment": "", "created": first["created"]}
    await votes.put(ANN, second, "down", reasons=["tone"])
    assert await votes.of("ann", [answer, question]) == {answer: changed}
    listed, total = await votes.page("ann", 0, 1)
    assert ([vote["message_id"] for vote in listed], total) == ([second], 2)
    await votes.take_back(ANN, second)
    await votes.take_back(ANN, second)
    assert (await votes.page("ann", 0, 9))[1] == 1


async def test_nobody_votes_on_what_is_not_theirs_or_no_answer(
    database: Database, conversations: Conversations
) -> None:
    votes = Votes(database)
    question, answer = await said(conversations, ANN)
    with pytest.raises(UnknownSession):
        await votes.put(BOB, answer, "up")
    await said(conversations, BOB)
    for owner, message in ((BOB, answer), (ANN, "0"), (ANN, "x"), (ANN, "9" * 19)):
        with pytest.raises(UnknownMessage):
            await votes.put(owner, message, "up")
        with pytest.raises(UnknownMessage):
            await votes.take_back(owner, message)
    with pytest.raises(BadInput):
        await votes.put(ANN, question, "up")
    assert await votes.of("bob", [answer]) == {}


async def test_votes_are_counted_exported_and_go_with_conversation_and_user(
    database: Database, conversations: Conversations
) -> None:
    votes = Votes(database)
    for owner in (ANN, BOB, Owner("ann", "s2")):
        answer = (await said(conversations, owner))[-1]
        await votes.put(owner, answer, "down", reasons=["tone", "wrong"], comment="坏" if owner == BOB else "")
    await votes.put(BOB, (await said(conversations, BOB))[-1], "up", consent=True)
    counts = await votes.totals()
    assert counts["reasons"] == {**dict.fromkeys(REASONS, 0), "tone": 3, "wrong": 3}
    assert {**counts, "reasons": 0} == {"up": 1, "down": 3, "users": 2, "comments": 1, "consents": 1, "reasons": 0}
    assert [vote["comment"] for vote in (await files(votes, "bob"))["feedback.json"]] == ["坏", ""]
    assert await votes.clear(ANN) == 1 and await votes.clear(ANN) == 0
    assert await votes.forget("ann") == {"feedback": 1} and await files(votes, "ann") == {}
    assert (await votes.totals())["users"] == 1
