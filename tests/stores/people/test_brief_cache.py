"""A brief cache reads once for all who ask meanwhile, in their order, and forgets what was changed meanwhile."""

from __future__ import annotations

import asyncio
import time

import pytest

from stores.people.brief_cache import BriefCache


class Source:
    """Gives the number of times that it was read, each when it is let go."""

    def __init__(self) -> None:
        self.reads = 0
        self.go = asyncio.Event()

    async def read(self) -> int:
        self.reads += 1
        value = self.reads
        await self.go.wait()
        return value


async def test_who_asks_while_a_value_is_read_gets_it_in_the_order_of_asking() -> None:
    cache, source, order = BriefCache[int](60, 10), Source(), list[int]()

    async def ask(number: int) -> int:
        value = await cache.get("a", source.read)
        order.append(number)
        return value

    asked = [asyncio.create_task(ask(number)) for number in range(5)]
    await asyncio.sleep(0)
    asked[0].cancel()
    source.go.set()
    assert await asyncio.gather(*asked[1:]) == [1, 1, 1, 1], "who leaves takes nothing from the others"
    assert order == [1, 2, 3, 4] and source.reads == 1
    assert await ask(5) == 1


async def test_a_value_is_read_again_when_its_time_is_over_it_was_dropped_or_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache, source = BriefCache[int](60, 2), Source()
    source.go.set()
    now = time.time()
    assert [await cache.get(key, source.read) for key in ("a", "b", "a", "c", "b", "a")] == [1, 2, 1, 3, 2, 4]
    cache.drop("a")
    assert await cache.get("a", source.read) == 5
    cache.clear()
    assert await cache.get("a", source.read) == 6
    monkeypatch.setattr(time, "time", lambda: now + 62)
    assert await cache.get("a", source.read) == 7


async def test_what_was_being_read_when_it_was_changed_is_not_kept() -> None:
    cache, source = BriefCache[int](60, 10), Source()
    before = asyncio.create_task(cache.get("a", source.read))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    cache.drop("a")
    after = asyncio.create_task(cache.get("a", source.read))
    await asyncio.sleep(0)
    source.go.set()
    assert (await before, await after) == (1, 2)
    assert await cache.get("a", source.read) == 2


async def test_a_read_that_fails_fails_for_all_who_waited_and_is_tried_again() -> None:
    cache = BriefCache[int](60, 10)

    async def fail() -> int:
        raise OSError("disk")

    found = await asyncio.gather(*(cache.get("a", fail) for _ in range(2)), return_exceptions=True)
    assert [type(error) for error in found] == [OSError, OSError]

    async def read() -> int:
        return 3

    assert await cache.get("a", read) == 3
