from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from domain.errors import UnknownMemory
from stores.memories.items import Memory, MemoryScope
from stores.memories.memories import Memories
from stores.sql.database import Database
from stores.sql.tables import memories as table
from tests.stores.memories.conftest import WordEmbedder


def said(text: str, user: str = "bo", **more: Any) -> Memory:
    return Memory(id="", user_id=user, text=text, **more)


async def texts(memories: Memories, user: str = "bo", **more: Any) -> list[str]:
    return [item.text for item in await memories.items(user, **more)]


async def test_what_holds_now_takes_the_place_of_what_held_before(memories: Memories) -> None:
    await memories.write(said("I live in Oslo.", slot="home", session_id="s1", turn_id="r1"))
    written = await memories.write(said("I moved to Chengdu.", slot="home", session_id="s2"))
    assert [old.text for old in written.superseded] == ["I live in Oslo."]
    assert await texts(memories) == ["I moved to Chengdu."]
    assert await texts(memories, past=True) == ["I moved to Chengdu.", "I live in Oslo."]
    await memories.settle()
    now = await memories.recall("bo", "Which city is my home?")
    before = await memories.recall("bo", "Which city was my home before?", past=True)
    assert [item.text for item in now] == ["I moved to Chengdu."]
    assert {item.text for item in before} == {"I moved to Chengdu.", "I live in Oslo."}
    assert (now[0].session_id, {item.turn_id for item in before}) == ("s2", {"", "r1"})


async def test_the_same_words_are_kept_once(memories: Memories) -> None:
    first = await memories.write(said("I have a cat.", created=1.0))
    again = await memories.write(said("I have a cat", created=2.0))
    assert again.merged and again.memory is not None and first.memory is not None
    assert (again.memory.id, again.memory.created) == (first.memory.id, 2.0)
    assert len(await texts(memories)) == 1


async def test_one_that_is_said_again_ends_what_contradicts_it(memories: Memories) -> None:
    await memories.write(said("I live in Oslo."))
    await memories.write(said("I moved to Rome.", slot="home"))
    again = await memories.write(said("I live in Oslo", slot="home"))
    assert again.merged and [old.text for old in again.superseded] == ["I moved to Rome."]
    assert [(item.text, item.slot) for item in await memories.items("bo")] == [("I live in Oslo.", "home")]


async def test_only_what_holds_for_the_same_role_is_replaced(memories: Memories) -> None:
    kept = (await memories.write(said("The key is at Bo's."))).memory
    assert kept is not None
    for refused in (said("At Ann's.", persona="teacher"), said("At Ann's.", user="ann")):
        with pytest.raises(UnknownMemory):
            await memories.write(refused, replaces=kept.id)
    assert await texts(memories) == ["The key is at Bo's."]
    written = await memories.write(said("The key is at Ann's."), replaces=kept.id)
    assert [old.id for old in written.superseded] == [kept.id]


async def test_users_and_roles_never_see_what_is_anothers(memories: Memories) -> None:
    await memories.write(said("I have a cat.", user="u_bo"))
    await memories.write(said("My cat eats peanut butter.", user="u_bob"))
    await memories.write(said("I have a pet snake.", user="u_bo", persona="teacher"))
    await memories.settle()
    assert [item.text for item in await memories.recall("u_bo", "What is my pet?")] == ["I have a cat."]
    assert len(await memories.recall("u_bo", "What is my pet?", MemoryScope(sees=("", "teacher")))) == 2
    other = (await memories.items("u_bob"))[0]
    for refused in (memories.get("u_bo", other.id), memories.edit("u_bo", other.id, "x")):
        with pytest.raises(UnknownMemory):
            await refused
    assert await memories.remove("u_bo", [other.id]) == []
    assert await texts(memories, "u_bob") == ["My cat eats peanut butter."]


async def test_a_scope_finds_its_few_among_the_many_of_others(memories: Memories) -> None:
    own = MemoryScope("persona-1", ("persona-1",))
    await memories.write(said("My cat is called Tom.", persona="persona-1", created=1.0))
    for number in range(60):
        await memories.write(said(f"I have a cat, number {number}.", created=2.0 + number))
    await memories.settle()
    wanted = ["My cat is called Tom."]
    for found in (
        await memories.recall("bo", "What is my cat called?", own),
        await memories.search("bo", "cat number", scope=own),
        await memories.items("bo", scope=own),
    ):
        assert [item.text for item in found] == wanted
    general = await memories.recall("bo", "What is my cat called?")
    assert general and not {item.persona for item in general} - {""}
    assert len(await memories.items("bo", past=True)) == 61


async def test_meaning_finds_across_languages_and_what_does_not_fit_is_left_out(memories: Memories) -> None:
    await memories.write(said("我对花生过敏。"))
    await memories.write(said("My favourite colour is blue."))
    await memories.write(said("I live in Oslo.", slot="home"))
    await memories.settle()
    assert [item.text for item in await memories.recall("bo", "Can I eat this peanut cake?")] == ["我对花生过敏。"]
    assert await memories.recall("bo", "Explain recursion.") == []
    assert (await memories.search("bo", "recursion"))[0].text


async def test_what_a_question_is_about_is_found_whatever_its_words(memories: Memories) -> None:
    assert not await memories.any("bo")
    await memories.write(said("I live in Oslo.", slot="home"))
    await memories.write(said("I moved to Berlin.", slot="home"))
    await memories.write(said("我对花生过敏。", slot="diet:花生"))
    await memories.write(said("I keep a diary."))
    assert await memories.any("bo"), "the first item counts at once"

    async def found(**more: Any) -> list[str]:
        return [item.text for item in await memories.recall("bo", "Qué ciudad?", **more)]

    assert await found() == []
    assert await found(slots={"home"}) == ["I moved to Berlin."]
    assert await found(slots={"home"}, past=True) == ["I moved to Berlin.", "I live in Oslo."]
    assert await found(slots={"diet"}) == ["我对花生过敏。"]
    assert await found(slots={"home"}, scope=MemoryScope("p", ("p",))) == []


async def test_what_is_forgotten_is_gone_with_its_past_and_its_turn_does_not_bring_it_back(
    memories: Memories, database: Database
) -> None:
    await memories.write(said("I live in Oslo.", slot="home", turn_id="r1"))
    newest = (await memories.write(said("I moved to Chengdu.", slot="home", turn_id="r2"))).memory
    assert newest is not None
    gone = await memories.remove("bo", [newest.id])
    assert {item.text for item in gone} == {"I live in Oslo.", "I moved to Chengdu."}
    assert await database.read(lambda db: db.scalar(select(func.count()).select_from(table))) == 0
    assert (await memories.write(said("I moved to Chengdu.", slot="home", turn_id="r2"))).memory is None
    again = said("I moved to Chengdu.", slot="home", turn_id="r3", origin="asked")
    assert (await memories.write(again, said_before=True)).memory is None, "the same message, answered again"
    assert (await memories.write(again)).memory is not None, "the user says so anew"


async def test_memory_that_is_off_keeps_nothing_new(memories: Memories) -> None:
    assert await memories.enabled("bo")
    await memories.enable("bo", False)
    assert (await memories.write(said("I have a cat."))).memory is None
    await memories.enable("bo", True)
    assert (await memories.write(said("I have a cat."))).memory is not None


async def test_a_change_elsewhere_is_seen_and_words_can_be_corrected(memories: Memories, database: Database) -> None:
    elsewhere = Memories(database, WordEmbedder())
    assert await memories.items("bo") == []
    written = (await elsewhere.write(said("I have a cat."))).memory
    assert written is not None
    await elsewhere.settle()
    assert await texts(memories) == ["I have a cat."]
    changed = await memories.edit("bo", written.id, "I have two cats.")
    assert (changed.origin, await texts(elsewhere)) == ("edited", ["I have two cats."])
    assert (await elsewhere.write(said("I have two cats"))).merged
    await elsewhere.write(said("I have a cat."))
    assert set(await texts(elsewhere)) == {"I have two cats.", "I have a cat."}, "the old words are no item's any more"
    await asyncio.gather(elsewhere.aclose(), memories.settle())


async def test_nothing_of_a_person_is_left(memories: Memories, database: Database) -> None:
    await memories.write(said("I have a cat."))
    await memories.write(said("Another's.", user="cy"))
    assert [name async for name, held in memories.export("bo") if held[0]["text"] == "I have a cat."] == [
        "memories.json"
    ]
    assert await memories.forget("bo") == {"memories": 1}
    assert await memories.items("bo") == [] and await texts(memories, "cy") == ["Another's."]
    await memories.write(said("I have a dog."))
    assert await texts(memories) == ["I have a dog."]
