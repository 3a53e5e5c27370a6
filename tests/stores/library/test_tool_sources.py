from __future__ import annotations

import asyncio

from stores.sql.database import Database
from stores.tool_sources import Approval, ToolSourceStore


async def test_sources_and_approvals_are_kept_until_the_source_is_removed(database: Database) -> None:
    store = ToolSourceStore(database)
    assert await store.put("shop", {"url": "https://a.example/mcp"}, "mei") is True
    assert await store.put("shop", {"url": "https://b.example/mcp"}, "bo") is False
    loaded = await store.load()
    assert loaded.configs == {"shop": {"url": "https://b.example/mcp"}} and not loaded.approved and not loaded.pins

    firsts = [Approval(str(number), {"description": f"茶 {number}"}) for number in range(4)]
    await asyncio.gather(*(store.adopt("shop", {"price": first}, "admin") for first in firsts))
    [pin] = (await store.load()).pins["shop"].values()
    assert pin.definition == {"description": f"茶 {pin.version}"}, "one first listing is approved, and no other"
    await store.adopt("file", {"a": firsts[0], "b": firsts[1]}, "file")
    await store.approve("shop", {"price": Approval("9", {}), "stock": firsts[0]}, "bo")
    loaded = await store.load()
    assert {name: pin.version for name, pin in loaded.pins["shop"].items()} == {"price": "9", "stock": "0"}
    assert loaded.pins["shop"]["price"].approved_by == "bo" and loaded.approved == {"shop", "file"}
    assert await store.remove("shop") is True and await store.remove("shop") is False
    loaded = await store.load()
    assert not loaded.configs and list(loaded.pins) == ["file"] and loaded.approved == {"file"}
