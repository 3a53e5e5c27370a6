from __future__ import annotations

import asyncio
import sys
from operator import add
from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, Checkpoint, CheckpointTuple
from langgraph.checkpoint.redis.aio import AsyncRedisSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, Durability, Interrupt, Overwrite, Send, interrupt
from redis.asyncio import Redis
from redisvl.query.filter import FilterExpression
from typing_extensions import TypedDict

from settings import Settings
from stores.redis.checkpoints import HistorySaver, ThreadSaver, open_checkpointer
from stores.redis.serde import SafeSerde


class Chat(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    seen: Annotated[list[str], add]
    extra: Any


async def reply(state: Chat) -> Chat:
    return {"messages": [AIMessage("answer")], "seen": ["x"]}


def chat_graph(saver: BaseCheckpointSaver[Any], *nodes: Any) -> Any:
    graph = StateGraph(Chat)
    last = START
    for index, node in enumerate(nodes or (reply,)):
        graph.add_node(f"n{index}", node)
        graph.add_edge(last, f"n{index}")
        last = f"n{index}"
    graph.add_edge(last, END)
    return graph.compile(checkpointer=saver)


def thread(name: str) -> RunnableConfig:
    return {"configurable": {"thread_id": name}}


async def kept(saver: ThreadSaver) -> CheckpointTuple:
    """Return the newest checkpoint of the thread "t"."""
    found = await saver.aget_tuple(thread("t"))
    assert found
    return found


def ask(text: str) -> dict[str, Any]:
    return {"messages": [HumanMessage(text)]}


@pytest.fixture
async def saver(redis: Redis, settings: Settings) -> ThreadSaver:
    return await open_checkpointer(redis, settings)


@pytest.mark.parametrize("durability", ["exit", "async", "sync"])
async def test_turns_are_remembered_in_two_keys_with_a_ttl(saver: ThreadSaver, redis: Redis, durability: Any) -> None:
    graph = chat_graph(saver, reply, reply)
    for turn in range(4):
        result = await graph.ainvoke(ask(f"q{turn}"), thread("t"), durability=durability)
    assert [m.content for m in result["messages"]] == [w for i in range(4) for w in (f"q{i}", "answer", "answer")]
    keys = [key async for key in redis.scan_iter()]
    assert len(keys) == 2
    assert all([3590 <= await redis.ttl(key) <= 3600 for key in keys])


async def test_reading_refreshes_the_ttl(saver: ThreadSaver, redis: Redis) -> None:
    graph = chat_graph(saver)
    await graph.ainvoke(ask("q"), thread("t"), durability="exit")
    keys = [key async for key in redis.scan_iter()]
    for key in keys:
        await redis.expire(key, 5)
    await graph.aget_state(thread("t"))
    assert all([await redis.ttl(key) > 3590 for key in keys])


async def test_a_turn_needs_two_commands(saver: ThreadSaver, redis: Redis) -> None:
    graph = chat_graph(saver, reply, reply, reply)
    await graph.ainvoke(ask("q"), thread("t"), durability="exit")
    await redis.config_resetstat()
    await graph.ainvoke(ask("q"), thread("t"), durability="exit")
    calls = {name: row["calls"] for name, row in (await redis.info("commandstats")).items()}
    assert calls["cmdstat_evalsha"] == 2
    assert calls["cmdstat_json.set"] == calls["cmdstat_json.get"] == 1


@pytest.mark.parametrize("durability", ["exit", "async"])
async def test_interrupt_and_resume(saver: ThreadSaver, redis: Redis, durability: Any) -> None:
    async def confirm(state: Chat) -> Chat:
        return {"messages": [AIMessage(f"got {interrupt({'ask': 'sure?'})}")]}

    graph = chat_graph(saver, reply, confirm)
    asked = await graph.ainvoke(ask("q"), thread("t"), durability=durability)
    assert asked["__interrupt__"][0].value == {"ask": "sure?"}
    state = await graph.aget_state(thread("t"))
    assert state.next == ("n1",)
    assert isinstance(state.tasks[0].interrupts[0], Interrupt)
    done = await graph.ainvoke(Command(resume="yes"), thread("t"), durability=durability)
    assert done["messages"][-1].content == "got yes"
    assert len([key async for key in redis.scan_iter()]) == 2


@pytest.mark.parametrize("durability", ["exit", "async"])
async def test_a_failed_turn_goes_on_where_it_stopped(saver: ThreadSaver, durability: Any) -> None:
    broken = [True]
    calls = []

    async def counted(state: Chat) -> Chat:
        calls.append(1)
        return {"seen": ["first"]}

    async def failing(state: Chat) -> Chat:
        if broken:
            raise RuntimeError("secret path")
        return {"messages": [AIMessage("after all")]}

    graph = chat_graph(saver, counted, failing)
    with pytest.raises(RuntimeError):
        await graph.ainvoke(ask("q"), thread("t"), durability=durability)
    assert (await graph.aget_state(thread("t"))).next == ("n1",)
    broken.clear()
    result = await graph.ainvoke(None, thread("t"), durability=durability)
    assert result["messages"][-1].content == "after all"
    assert result["seen"] == ["first"]
    assert len(calls) == 1


async def test_sends_and_parallel_tasks(saver: ThreadSaver, redis: Redis) -> None:
    async def work(state: Any) -> Chat:
        return {"seen": [state["name"]]}

    graph = StateGraph(Chat)
    graph.add_node("work", work)
    graph.add_conditional_edges(START, lambda s: [Send("work", {"name": n}) for n in ("a", "b", "c")], ["work"])
    graph.add_edge("work", END)
    compiled: Any = graph.compile(checkpointer=saver)
    modes: tuple[Durability, ...] = ("exit", "async")
    for durability in modes:
        result = await compiled.ainvoke(ask("q"), thread(durability), durability=durability)
        assert sorted(result["seen"]) == ["a", "b", "c"]
    assert len([key async for key in redis.scan_iter()]) == 4


async def test_history_state_update_copy_and_delete(saver: ThreadSaver, redis: Redis) -> None:
    graph = chat_graph(saver)
    for name in ("a", "a:b", "*", "ü {1} x-y@z"):
        await graph.ainvoke(ask(name), thread(name), durability="exit")
    history = [s async for s in graph.aget_state_history(thread("a"))]
    assert [len(s.values["messages"]) for s in history] == [2]
    await graph.aupdate_state(thread("a"), {"messages": [HumanMessage("more")]})
    assert len((await graph.aget_state(thread("a"))).values["messages"]) == 3
    await saver.acopy_thread("a", "copy")
    assert len((await graph.aget_state(thread("copy"))).values["messages"]) == 3
    every = {item.config["configurable"]["thread_id"] async for item in saver.alist(None)}
    assert every == {"a", "a:b", "*", "ü {1} x-y@z", "copy"}
    for gone in ("a", "*", "copy", "ü {1} x-y@z"):
        await saver.adelete_thread(gone)
        assert (await graph.aget_state(thread(gone))).values == {}
    assert len((await graph.aget_state(thread("a:b"))).values["messages"]) == 2
    await saver.adelete_thread("a:b")
    assert await redis.dbsize() == 0


async def test_list_honours_filter_before_and_limit(saver: ThreadSaver) -> None:
    graph = chat_graph(saver)
    await graph.ainvoke(ask("q"), thread("t"), durability="exit")
    newest = (await kept(saver)).config
    place: RunnableConfig = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    assert len([x async for x in saver.alist(place, filter={"source": "loop"})]) == 1
    assert [x async for x in saver.alist(place, filter={"source": "input"})] == []
    assert [x async for x in saver.alist(place, before=newest)] == []
    assert [x async for x in saver.alist(place, limit=0)] == []


async def test_a_late_write_of_a_replaced_checkpoint_is_dropped(saver: ThreadSaver, redis: Redis) -> None:
    graph = chat_graph(saver)
    await graph.ainvoke(ask("q"), thread("t"), durability="sync")
    parent = (await kept(saver)).parent_config
    assert parent
    await saver.aput_writes(parent, [("seen", ["late"])], "task")
    assert await redis.dbsize() == 2
    assert (await kept(saver)).pending_writes == []


async def test_writes_may_come_before_their_checkpoint(saver: ThreadSaver) -> None:
    graph = chat_graph(saver)
    await graph.ainvoke(ask("q"), thread("t"), durability="exit")
    old = await kept(saver)
    new: Checkpoint = {**old.checkpoint, "id": "1f" + old.checkpoint["id"][2:][::-1]}
    place: RunnableConfig = {"configurable": {"thread_id": "t", "checkpoint_ns": "", "checkpoint_id": new["id"]}}
    await saver.aput_writes(place, [("seen", ["early"]), ("extra", None)], "task")
    await saver.aput(old.config, new, old.metadata, {})
    found = await kept(saver)
    assert found.pending_writes == [("task", "seen", ["early"]), ("task", "extra", None)]
    assert [x.pending_writes async for x in saver.alist(thread("t"))] == [found.pending_writes]


async def test_the_packaged_saver_reads_what_is_written_and_the_other_way_round(
    saver: ThreadSaver, redis: Redis
) -> None:
    await chat_graph(saver).ainvoke(ask("q"), thread("t"), durability="exit")
    packaged = AsyncRedisSaver(redis_client=redis)
    await packaged.asetup()
    result = await chat_graph(packaged).ainvoke(ask("again"), thread("t"), durability="exit")
    assert [m.content for m in result["messages"]] == ["q", "answer", "again", "answer"]
    result = await chat_graph(saver).ainvoke(ask("third"), thread("t"), durability="exit")
    assert [type(m).__name__ for m in result["messages"]] == ["HumanMessage", "AIMessage"] * 3


EVIL = {"type": "constructor", "lc": 2, "id": ["antigravity", "Thing"], "kwargs": {"a": 1}}


@pytest.mark.parametrize(
    "block",
    [
        EVIL,
        {**EVIL, "lc": 1},
        {
            "type": "constructor",
            "lc": 1,
            "id": ["langchain", "schema", "messages", "HumanMessage"],
            "kwargs": {"content": "x"},
        },
        {"type": "constructor", "lc": 2, "id": ["subprocess", "Popen"], "args": [["true"]]},
        {"type": "text", "text": "x", "deep": [{"more": EVIL}]},
        {"__send__": True, "node": "n0", "arg": {}},
        {"__interrupt__": True, "value": 1, "id": "x"},
        {"__bytes__": "aGk="},
        {"__plain__": {"lc": 1}},
        {"__delta_snapshot__": True, "value": [1]},
    ],
)
async def test_data_that_looks_like_an_object_stays_data(saver: ThreadSaver, block: dict[str, Any]) -> None:
    graph = chat_graph(saver)
    sys.modules.pop("antigravity", None)
    message = HumanMessage([{"type": "text", "text": "hello"}, block])
    call = AIMessage("", tool_calls=[{"name": "f", "args": {"a": block}, "id": "1"}])
    await graph.ainvoke({"messages": [message, call], "extra": {"arguments": [block]}}, thread("t"), durability="exit")
    values = (await graph.aget_state(thread("t"))).values
    assert values["messages"][0].content == message.content
    assert values["messages"][1].tool_calls[0]["args"] == {"a": block}
    assert values["extra"] == {"arguments": [block]}
    place = (await kept(saver)).config
    await saver.aput_writes(place, [("extra", [block])], "task")
    assert (await kept(saver)).pending_writes == [("task", "extra", [block])]
    assert "antigravity" not in sys.modules


def test_values_survive_the_serde() -> None:
    serde = SafeSerde()
    tool = ToolMessage("r", tool_call_id="1", status="error", artifact={"a": [1]})
    answer = AIMessage("", id="i", usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3})
    values: list[object] = [
        None,
        b"x",
        "é𠮷",
        1.5,
        True,
        [1, [2]],
        {"a": {"b": None}},
        {"s": {1, 2}},
        {"raw": b"\x00"},
        tool,
        answer,
    ]
    values += [Overwrite([1]), [HumanMessage("中文", name="n", additional_kwargs={"k": 1})]]
    for value in values:
        assert serde.loads_typed(serde.dumps_typed(value)) == value
    assert serde.loads_typed(serde.dumps_typed({"t": "\ud800", "n": 2**70, "x": (1,)})) == {
        "t": "?",
        "n": str(2**70),
        "x": [1],
    }
    assert serde.loads_typed(serde.dumps_typed(ValueError("x"))) == "ValueError('x')"
    with pytest.raises(TypeError):
        serde.dumps_typed({"o": object()})


async def test_redis_that_came_back_empty_works_again(saver: ThreadSaver, redis: Redis) -> None:
    graph = chat_graph(saver)
    await graph.ainvoke(ask("q"), thread("t"), durability="exit")
    await redis.flushall()
    await redis.script_flush()
    await graph.ainvoke(ask("q"), thread("t"), durability="exit")
    assert [x async for x in saver.alist(thread("none"))] == []
    await saver.adelete_thread("t")
    assert await redis.dbsize() == 0


async def test_runs_are_taken_back_from_a_history(redis: Redis, settings: Settings) -> None:
    saver = await open_checkpointer(redis, settings.model_copy(update={"checkpoint_history": True}))
    graph = chat_graph(saver)

    async def run(name: str) -> None:
        config: RunnableConfig = {"configurable": {"thread_id": "t", "run_id": name}}
        await graph.ainvoke(ask(name), config, durability="sync")

    async def asked() -> list[str]:
        values = (await graph.aget_state(thread("t"))).values
        return [m.text for m in values.get("messages", ()) if isinstance(m, HumanMessage)]

    for name in "abc":
        await run(name)
    await saver.adelete_for_runs(["b"])
    assert await asked() == ["a", "b", "c"], "a later run stays the newest, with all that it started from"
    await asyncio.gather(saver.adelete_for_runs(["c"]), saver.adelete_for_runs(["c"]))
    assert await asked() == ["a"]
    await run("d")
    assert await asked() == ["a", "d"]
    await saver.adelete_for_runs(["a", "d"])
    assert await asked() == []


async def test_taking_back_never_points_to_a_checkpoint_that_went_meanwhile(
    redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    saver = await open_checkpointer(redis, settings.model_copy(update={"checkpoint_history": True}))
    graph = chat_graph(saver)

    async def run(name: str) -> None:
        config: RunnableConfig = {"configurable": {"thread_id": "t", "run_id": name}}
        await graph.ainvoke(ask(name), config, durability="sync")

    for name in ("first", "second"):
        await run(name)
    assert isinstance(saver, HistorySaver)
    found = saver._places

    async def found_while_others_work(expression: FilterExpression) -> set[tuple[str, str, str]]:
        if "run_id" in str(expression):
            return await found(expression)
        await run("third")
        places = await found(expression)
        monkeypatch.undo()
        await saver.adelete_for_runs(["second", "third"])
        return places

    monkeypatch.setattr(saver, "_places", found_while_others_work)
    await saver.adelete_for_runs(["second", "third"])
    values = (await graph.aget_state(thread("t"))).values
    assert [m.content for m in values["messages"]] == ["first", "answer"]
