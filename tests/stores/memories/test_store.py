from __future__ import annotations

import pytest

from stores.memories.items import MemoryScope
from stores.memories.memories import Memories
from stores.memories.store import UserStore


async def test_a_tool_reaches_the_memories_of_its_user_and_no_others(memories: Memories) -> None:
    store, other = UserStore(memories, "u_bo"), UserStore(memories, "u_bob")
    await store.aput(("fact",), "k1", {"text": "I have a cat.", "slot": ""})
    await store.aput(("preference",), "k2", {"text": "I like blue, my colour.", "slot": ""})
    await memories.settle()
    item = await store.aget(("fact",), "k1")
    assert item is not None and (item.namespace, item.value["text"]) == (("fact",), "I have a cat.")
    assert await other.aget(("fact",), "k1") is None
    assert [one.key for one in await store.asearch((), query="Which pet?", limit=1)] == ["k1"]
    assert [one.key for one in await store.asearch(("preference",))] == ["k2"]
    assert [one.key for one in await store.asearch((), filter={"text": "I have a cat."})] == ["k1"]
    assert await other.asearch(()) == [] and await store.alist_namespaces() == [("fact",), ("preference",)]
    await store.adelete(("fact",), "k1")
    assert await store.aget(("fact",), "k1") is None


async def test_a_tool_of_a_persona_reaches_what_that_persona_keeps(memories: Memories) -> None:
    general = UserStore(memories, "u_bo")
    own = UserStore(memories, "u_bo", MemoryScope("persona-1", ("persona-1",)))
    for store, text in ((general, "I have a cat."), (own, "I have a snake.")):
        await store.aput(("fact",), "pet", {"text": text})
    for store, text in ((general, "I have a cat."), (own, "I have a snake.")):
        item = await store.aget(("fact",), "pet")
        assert item is not None and item.value["text"] == text
        assert [(one.key, one.value["text"]) for one in await store.asearch(())] == [("pet", text)]
    await own.aput(("fact",), "pet", {"text": "I have a newt."})
    await own.adelete(("fact",), "pet")
    assert await own.asearch(()) == [] and await own.alist_namespaces() == []
    assert await own.aget(("fact",), "pet") is None and await general.aget(("fact",), "pet") is not None


async def test_a_namespace_is_a_kind_and_a_value_has_a_text(memories: Memories) -> None:
    store = UserStore(memories, "u_bo")
    for namespace, value in ((("fact", "x"), {"text": "a"}), (("u_bob",), {"text": "a"}), (("fact",), {"note": "a"})):
        with pytest.raises(ValueError):
            await store.aput(namespace, "k", value)
    with pytest.raises(NotImplementedError):
        store.batch([])
