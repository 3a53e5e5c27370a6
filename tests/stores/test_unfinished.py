"""What is kept of a long run, and who may go on with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from pydantic import SecretStr
from redis.asyncio import Redis
from typing_extensions import TypedDict

from domain.errors import RunLost
from domain.owner import Owner
from domain.runs import Event
from settings import Settings
from stores.redis.checkpoints import open_checkpointer
from stores.redis.events import RunEvents
from stores.redis.staged_memory import ROOT, Put, RowKey, Write
from stores.redis.unfinished import INDEX, MOST_TAKEOVERS, UNSEEN, Steps, UnfinishedRuns, steps_key
from tests.stores.test_checkpoints import thread
from turn.durability import Durability

ANN = Owner("ann", "s")
ROW = RowKey("agent:1", "c2", "t", 0)
NOTE = {"messages": [HumanMessage("My secret question", id="m")], "user_id": "ann"}
BEGUN = Steps(note=NOTE, stand={"progress": "Once upon"}, documents={}, rows={})


class Work(TypedDict):
    done: Annotated[list[str], lambda left, right: left + right]


@pytest.fixture
def unfinished(redis: Redis, settings: Settings) -> UnfinishedRuns:
    return UnfinishedRuns(redis, settings)


@pytest.fixture
async def begun(redis: Redis, settings: Settings) -> RunEvents:
    """A run `r` of two events, whose process is silent."""
    events = RunEvents(redis, settings)
    await events.create("r", ANN, "en")
    await events.append("r", [Event(1, "run", {"state": "running"}), Event(2, "token", {"text": "Once"})], part=0)
    await events.aclose()
    return events


async def test_steps_replace_each_other_and_go_with_the_run(
    unfinished: UnfinishedRuns, begun: RunEvents, redis: Redis
) -> None:
    await unfinished.note("r", 0, BEGUN)
    await unfinished.checkpoint("r", 0, ROOT, b'{"a": 1}', {"spent": 2})
    await unfinished.checkpoint("r", 0, "agent:1", b'{"b": 1}', {"spent": 3})
    await unfinished.writes("r", 0, {ROW: b"{}", RowKey(ROOT, "c1", "t", -3): b"{}"}, {"spent": 4})
    steps = await unfinished.steps("r")
    assert steps.note["messages"] == NOTE["messages"] and steps.stand == {"spent": 4}
    assert steps.documents == {ROOT: b'{"a": 1}', "agent:1": b'{"b": 1}'} and len(steps.rows) == 2
    await unfinished.checkpoint("r", 0, "agent:1", b'{"b": 2}', {})
    steps = await unfinished.steps("r")
    assert list(steps.rows) == [RowKey(ROOT, "c1", "t", -3)], "those of the agent are over"
    await unfinished.checkpoint("r", 0, ROOT, b'{"a": 2}', {})
    steps = await unfinished.steps("r")
    assert (steps.documents, steps.rows) == ({ROOT: b'{"a": 2}'}, {})
    assert await unfinished.kept(["r", "other"]) == {"r"} and 0 < await redis.ttl(steps_key("r")) < 86_400
    await unfinished.close("r", 0)
    assert not await unfinished.listed()
    for late in (unfinished.checkpoint("r", 0, ROOT, b"{}", {}), unfinished.steps("r")):
        with pytest.raises(RunLost):
            await late


async def test_one_process_takes_a_run_and_the_one_before_it_writes_nothing_any_more(
    unfinished: UnfinishedRuns, begun: RunEvents, redis: Redis, settings: Settings
) -> None:
    assert await unfinished.claim("r", 0) is None, "nothing is kept of it"
    await unfinished.note("r", 0, BEGUN)
    assert await unfinished.claim("r", 60) is None, "its process lives"
    others = [UnfinishedRuns(redis, settings) for _ in range(5)]
    taken = await asyncio.gather(*(other.claim("r", -1 if place == 0 else 30) for place, other in enumerate(others)))
    assert sorted(taken, key=str) == [2 + UNSEEN, None, None, None, None]
    for late in (unfinished.checkpoint("r", 0, ROOT, b"{}", {}), unfinished.writes("r", 0, {ROW: b"{}"}, {})):
        with pytest.raises(RunLost):
            await late
    assert not await begun.append("r", [Event(3, "token", {"text": "late"})], part=0)
    assert await begun.append("r", [Event(3 + UNSEEN, "run", {"state": "queued"})], part=2 + UNSEEN)
    await unfinished.checkpoint("r", 2 + UNSEEN, ROOT, b"{}", {})
    await unfinished.close("r", 0)
    assert await unfinished.kept(["r"]), "it is not over"
    assert not await unfinished.release("r", 0) and await unfinished.release("r", 2 + UNSEEN)
    assert await unfinished.claim("r", 60) == 3 + 2 * UNSEEN, "it was handed over"


async def test_a_run_that_ends_each_process_is_given_up_and_lost(
    unfinished: UnfinishedRuns, begun: RunEvents, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stores.redis.events.LOST_AFTER", -1.0)
    await unfinished.note("r", 0, BEGUN)
    for times in range(1, MOST_TAKEOVERS + 1):
        record = await begun.get("r")
        assert record is not None and record["state"] in ("queued", "running"), "it is not lost"
        assert await unfinished.claim("r", -1) == 2 + times * UNSEEN, "each has numbers of its own"
    assert await unfinished.claim("r", -1) is None and not await redis.exists(steps_key("r"), INDEX)
    record = await begun.get("r")
    assert record is not None and record["state"] == "error" and record["result"]["error"]["code"] == "run_lost"
    await unfinished.note("r", 0, BEGUN)
    assert await unfinished.claim("r", -1) is None and not await unfinished.listed(), "what is over is tidied away"


async def test_what_is_kept_is_encrypted_where_memory_is(redis: Redis, settings: Settings, begun: RunEvents) -> None:
    key = (SecretStr("a key of more than thirty-two characters"),)
    sealed = settings.model_copy(update={"encryption_key": key, "redis_url": None, "redis_host": None})
    unfinished = UnfinishedRuns(redis, sealed)
    await unfinished.note("r", 0, BEGUN)
    held: Any = await redis.hgetall(steps_key("r"))
    assert b"secret" not in b"".join(held.values()) and b"Once" not in b"".join(held.values())
    steps = await unfinished.steps("r")
    assert steps.note["messages"] == NOTE["messages"]


class Kept:
    """Notes what a saver keeps of a turn."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {}
        self.rows: dict[RowKey, bytes] = {}
        self.count = 0

    async def checkpoint(self, ns: str, put: Put) -> None:
        self.count += 1
        document = put.document
        self.documents = {ns: document} if ns == ROOT else {**self.documents, ns: document}
        self.rows = {} if ns == ROOT else self.rows

    async def writes(self, write: Write) -> None:
        self.rows |= write.rows


def working(saver: Any, durability: Durability, part: Callable[[Any], Awaitable[Any]]) -> Any:
    """Return a graph that begins plainly, does two parts side by side, and ends."""

    async def begin(state: Work) -> Any:
        return {"done": ["begin"]}

    async def choose(state: Work) -> Any:
        durability.keep()
        return {"done": ["choose"]}

    async def end(state: Work) -> Any:
        return {"done": ["end"]}

    graph: Any = StateGraph(Work)
    for node in (begin, choose, end):
        graph.add_node(node)
    graph.add_node("part", part)
    graph.add_edge(START, "begin")
    graph.add_edge("begin", "choose")
    graph.add_conditional_edges("choose", lambda _: [Send("part", "one"), Send("part", "two")], ["part"])
    graph.add_edge("part", "end")
    graph.add_edge("end", END)
    return graph.compile(checkpointer=saver)


async def test_a_run_is_saved_from_the_step_on_that_asks_for_it(redis: Redis, settings: Settings) -> None:
    saver, kept, ran = await open_checkpointer(redis, settings), Kept(), list[str]()
    killed = True

    async def part(name: str) -> Any:
        ran.append(name)
        if name == "two" and killed:
            await asyncio.sleep(60)
        return {"done": [name]}

    with saver.stage("t", []) as memory:
        durability = Durability(lambda: setattr(memory, "steps", kept))
        graph = working(saver, durability, part)
        turn = asyncio.create_task(graph.ainvoke({"done": []}, thread("t"), durability=durability))
        async with asyncio.timeout(20):
            while not kept.rows:
                await asyncio.sleep(0.01)
        turn.cancel()
        await asyncio.wait({turn})
    assert kept.count == 1, "the steps before it cost nothing"
    assert not [key async for key in redis.scan_iter("checkpoint*")], "nothing is in the thread's memory"
    killed = False
    with saver.stage("t", []) as memory:
        saver.take_up("t", memory, kept.documents, kept.rows)
        again = Durability(lambda: setattr(memory, "steps", kept))
        again.keep()
        done = await graph.ainvoke(None, thread("t"), durability=again)
    assert sorted(done["done"]) == ["begin", "choose", "end", "one", "two"]
    assert sorted(ran) == ["one", "two", "two"], "what was finished is not run again"
