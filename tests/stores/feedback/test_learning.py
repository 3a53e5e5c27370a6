"""Votes that change something: on a real library and real conversations, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from redis.asyncio import Redis

from domain.errors import Unavailable, UnknownChange
from domain.owner import Owner
from domain.words import Words
from stores.conversations.conversations import Conversations
from stores.conversations.entries import Wish
from stores.feedback.changes import ALL, Changes
from stores.feedback.learning import Learner
from stores.feedback.trial import Replayed, StoredTurn
from stores.feedback.votes import Reason, Votes
from stores.library.search import Search
from stores.redis.old_transcripts import OldTranscripts
from tests.library import Library, library

__all__ = ["library"]
QUESTION = "wolf lamp"
MEANT = "wolf wolf wolf"
LURE = "The wolf carried a lamp " + " ".join(f"noise{n}" for n in range(30))


@dataclass
class Room:
    library: Library
    conversations: Conversations
    votes: Votes
    changes: Changes
    learner: Learner

    async def turns(
        self, user: str, count: int, vote: Any, *reasons: Reason, consent: bool = True, **answer: Any
    ) -> None:
        """Some turns of a user, each voted on."""
        owner = Owner(user, "t")
        for _ in range(count):
            entries: Any = [{"role": "user", "text": QUESTION}, {"role": "assistant", "text": "a", **answer}]
            place = await self.conversations.append(owner, await self.conversations.spot(owner, Wish()), entries)
            await self.votes.put(owner, str(place.parent), vote, reasons=reasons, consent=consent)

    async def learned(self, user: str) -> list[tuple[str, str, str]]:
        return [(one.slot, one.value, one.state) for one in await self.learner.learn(user)]


@pytest.fixture
def room(library: Library, redis: Redis) -> Room:
    changes = Changes(library.database)
    conversations = Conversations(library.database, OldTranscripts(redis))
    learner = Learner(library.database, changes, library.documents)
    return Room(library, conversations, Votes(library.database), changes, learner)


@pytest.mark.parametrize(("changed", "state"), [(1, "rejected"), (2, "rejected"), (3, "applied")])
async def test_what_votes_favour_has_to_show_in_most_answers_that_are_made_again(
    room: Room, changed: int, state: str
) -> None:
    asked: list[tuple[int, str, str]] = []

    async def replay(turns: Sequence[StoredTurn], slot: str, value: str) -> Replayed:
        assert all(turn.gives("too_long") for turn in turns)
        asked.append((len(turns), slot, value))
        return Replayed(4, changed)

    await room.turns("ann", 6, "down", "too_long")
    assert await room.learner.learn("ann", replay) == [] and not asked, "too few votes: nothing is answered again"
    await room.turns("ann", 24, "down", "too_long")
    (tried,) = await room.learner.learn("ann", replay)
    assert (tried.state, tried.figures["answered"], tried.figures["changed"]) == (state, 4, changed)
    assert len(asked) == 1 and asked[0][1:] == ("length", "shorter")
    assert bool(await room.changes.in_force("ann")) is (state == "applied")
    assert await room.learner.learn("ann", replay) == [] and len(asked) == 1


async def test_nothing_is_kept_of_a_trial_whose_votes_are_deleted_meanwhile(room: Room) -> None:
    async def replay(turns: Sequence[StoredTurn], slot: str, value: str) -> Replayed:
        await room.votes.forget("ann")
        await room.changes.forget("ann")
        return Replayed(4, 4)

    await room.turns("ann", 30, "down", "too_long")
    assert await room.learner.learn("ann", replay) == []
    assert await room.changes.of("ann") == [] and await room.changes.in_force("ann") == {}


async def test_a_habit_proves_itself_is_in_force_and_is_taken_back(room: Room) -> None:
    await room.turns("ann", 40, "down", "too_long", consent=False)
    assert await room.learned("ann") == [] and await room.changes.in_force("ann") == {}, "nobody agreed to it"
    await room.turns("ann", 24, "down", "too_long")
    before = json.dumps(await room.changes.in_force("ann"))
    assert await room.learned("ann") == [("length", "shorter", "applied")]
    assert await room.changes.in_force("ann") == {"length": "shorter"}
    assert await room.changes.in_force("bob") == {}
    assert await room.learned("ann") == [], "votes from before a change say nothing of it"
    await room.turns("ann", 24, "down", "too_short")
    assert await room.learned("ann") == [("length", "usual", "applied")]
    usual, shorter = await room.changes.of("ann")
    assert shorter.figures["losses"] == 0 and shorter.figures["wins"] >= 6
    with pytest.raises(UnknownChange):
        await room.changes.roll_back("bob", shorter.id)
    assert (await room.changes.roll_back("ann", usual.id)).state == "rolled_back"
    assert await room.changes.in_force("ann") == {"length": "shorter"}
    assert (await room.changes.roll_back("ann", shorter.id)).state == "rolled_back"
    assert json.dumps(await room.changes.in_force("ann")) == before
    await room.turns("ann", 24, "down", "too_long")
    assert await room.learned("ann") == [], "what was taken back is not proposed again"
    exported = {name: value async for name, value in room.changes.export("ann")}
    assert [one["value"] for one in exported["feedback_changes.json"]] == ["usual", "shorter"]
    assert await room.changes.forget("ann") == {"feedback_changes": 2}


async def test_what_does_not_prove_itself_is_kept_with_its_figures_and_not_tried_at_once_again(room: Room) -> None:
    await room.turns("ann", 20, "down", "too_long")
    await room.turns("ann", 12, "up", text="a" * 9)
    assert await room.learned("ann") == [("length", "shorter", "rejected")]
    (kept,) = await room.changes.of("ann")
    assert kept.figures["bound"] < kept.figures["needed"] and kept.figures["turns"] == 32
    with pytest.raises(UnknownChange):
        await room.changes.roll_back("ann", kept.id)
    await room.turns("ann", 6, "down", "too_long")
    assert await room.learned("ann") == []
    await room.turns("ann", 40, "down", "too_long")
    assert await room.learned("ann") == [("length", "shorter", "applied")]


async def test_a_change_for_all_counts_users_and_gives_way_to_their_own(room: Room) -> None:
    await room.turns("loud", 60, "up")
    for number in range(30):
        await room.turns(f"u{number}", 1, "down", "ask_back")
    assert await room.learned(ALL) == [("ask_back", "first", "applied")]
    assert await room.changes.in_force("anyone") == {"ask_back": "first"}
    await room.turns("ann", 1, "up")
    await room.changes.add("ann", "ask_back", "usual", "applied", {})
    assert await room.changes.in_force("ann") == {"ask_back": "usual"}
    (mine, for_all) = await room.changes.of("ann", with_all=True)
    assert (mine.user_id, for_all.user_id) == ("ann", ALL)
    await room.changes.roll_back(ALL, for_all.id)
    assert await room.changes.in_force("anyone") == {}


async def test_a_retrieval_weight_is_replayed_on_the_users_own_documents(
    room: Room,
) -> None:
    mine = Owner("ann", None)
    search = Search(
        room.library.database, room.library.documents.vectors, room.library.embedder, None, room.changes.lean
    )

    async def found() -> list[str]:
        return [hit["document_id"] for hit in await search.hits(QUESTION, mine, None, top_k=8, mode="hybrid")]

    meant = await room.library.add(MEANT, mine, name="meant.txt")
    lure = await room.library.add(LURE, mine, name="lure.txt")
    rest = ["wolf lupus", "lamp and chair here now", "lamp on a table there", *(f"nothing{n} of any" for n in range(6))]
    for text in rest:
        await room.library.add(text, mine, name=f"{text}.txt")
    even, less = await room.library.documents.placings(QUESTION, mine, [1.0, 0.7], 8)
    assert even[0] == (lure["id"], 1) and less[0] == (meant["id"], 1)
    assert await found() == [one for one, _ in even]
    await room.turns("ann", 8, "up", citations=[{"document_id": meant["id"], "page": 1}])
    await room.turns("ann", 16, "down", "wrong", citations=[{"document_id": lure["id"], "page": 1}])
    slot, value, state = (await room.learned("ann"))[0]
    assert (slot, value, state) == ("retrieval", "0.7", "applied"), "the smallest step that proves itself"
    assert await room.changes.lean("ann") == float(value) and await room.changes.lean("bob") == 1.0
    assert await found() == [one for one, _ in less]
    assert (await search.sources(QUESTION, mine, None, token_budget=500))[0]["document_id"] == meant["id"]
    await room.changes.roll_back("ann", (await room.changes.of("ann"))[0].id)
    assert await found() == [one for one, _ in even]


async def test_nothing_is_in_force_where_learning_is_off_or_the_database_is_away(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await room.turns("ann", 1, "up")
    await room.changes.add("ann", "retrieval", "2.0", "applied", {})
    assert await Changes(room.library.database, learning=False).lean("ann") == 1.0
    assert await room.changes.lean("ann") == 2.0

    async def away(_: Any) -> Any:
        raise Unavailable(reason=Words("away", "离线"))

    monkeypatch.setattr(room.library.database, "read", away)
    assert await Changes(room.library.database).lean("ann") == 1.0
