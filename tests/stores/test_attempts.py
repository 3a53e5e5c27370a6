"""Attempts are counted for all processes; who passes a limit is told of once, and held back by setting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from domain.attempts import KINDS, AttemptKind
from settings import Settings
from stores.redis.attempts import AttemptEvent, Attempts, Subject

ANN, BOB = Subject("user", "ann"), Subject("user", "bob")


class Heard:
    """Two processes that share a Redis, and the events of both."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self.here, self.there = Attempts(redis, settings), Attempts(redis, settings)
        self.events: list[AttemptEvent] = []
        self.here.on_event = self.there.on_event = self._hear

    async def _hear(self, event: AttemptEvent) -> None:
        self.events.append(event)

    async def probe(self, count: int, subject: Subject = ANN, kind: AttemptKind = "unknown_id", first: int = 0) -> None:
        """Count different attempts in both processes by turns."""
        for number in range(first, first + count):
            (self.here, self.there)[number % 2].note(kind, subject, f"id-{number}")
        await self.here.settle()
        await self.there.settle()


Open = Callable[[str], Heard]


@pytest_asyncio.fixture(loop_scope="session")
async def heard(redis: Redis, settings: Settings) -> AsyncIterator[Open]:
    opened: list[Heard] = []

    def open_with(setting: str) -> Heard:
        opened.append(Heard(redis, settings.model_copy(update={"attempts": setting})))
        return opened[-1]

    yield open_with
    for one in opened:
        await one.here.aclose()
        await one.there.aclose()


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


@pytest.mark.asyncio(loop_scope="session")
async def test_probing_is_slowed_then_stopped_in_every_process_and_lifted(heard: Open) -> None:
    both = heard("stop")
    await both.here.start()
    await both.there.start()
    free, points = KINDS["unknown_id"]
    await both.probe(free + 24)
    assert not both.events
    await both.probe(free + 24)  # the same ids again are no further attempts
    assert not both.events and both.here.held(ANN) is None
    await both.probe(5, first=free + 24)
    assert [(event.level, event.points) for event in both.events] == [("slow", 25 * points)]
    await _until(lambda: all((hold := one.held(ANN)) and hold.level == "slow" for one in (both.here, both.there)))
    await both.probe(30, first=free + 29)
    assert [event.level for event in both.events] == ["slow", "stop"]
    await _until(lambda: all((hold := one.held(ANN)) and hold.level == "stop" for one in (both.here, both.there)))
    assert both.there.held(BOB) is None
    [(subject, total, counts, hold)] = await both.there.counted()
    assert (subject, counts) == (ANN, {"unknown_id": free + 59}) and total == 59 * points and hold is not None
    assert await both.here.lift(ANN) and not await both.here.lift(ANN)
    await _until(lambda: both.there.held(ANN) is None)
    assert await both.there.counted() == []


@pytest.mark.asyncio(loop_scope="session")
async def test_watching_tells_and_holds_nobody_back_and_off_counts_nothing(heard: Open) -> None:
    watching = heard("watch")
    await watching.probe(12, kind="foreign_id")
    assert {event.level for event in watching.events} == {"slow", "stop"} and watching.here.held(ANN) is None
    off = heard("off")
    await off.probe(30, BOB, "foreign_id")
    assert not off.events and [subject for subject, *_ in await off.here.counted()] == [ANN]
    slow = heard("slow")
    await slow.probe(12, BOB, "foreign_id")
    [hold] = [hold for subject, *_, hold in await slow.here.counted() if subject == BOB]
    assert hold is not None and hold.level == "slow", "stopping is not what the setting says"


@pytest.mark.asyncio(loop_scope="session")
async def test_twelve_hours_of_heavy_use_raises_nothing(heard: Open, redis: Redis) -> None:
    both = heard("stop")
    usual: dict[AttemptKind, int] = {
        "unknown_id": 40,
        "refused_call": 12,
        "steered_call": 6,
        "burst": 2,
        "foreign_id": 1,
    }
    for window in range(72):
        for kind, count in usual.items():
            await both.probe(count, kind=kind, first=1000 * window)
        await redis.delete("attempts:of:user:ann", "attempts:seen:user:ann")  # as their time does after ten minutes
    assert not both.events and both.here.held(ANN) is None


@pytest.mark.asyncio(loop_scope="session")
async def test_counts_expire_with_their_window(heard: Open, redis: Redis) -> None:
    await heard("watch").probe(3)
    for key in ("attempts:of:user:ann", "attempts:seen:user:ann", "attempts:subjects"):
        assert 0 < await redis.ttl(key) <= 1500
