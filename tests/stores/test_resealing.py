"""The embedded Redis goes over to another key with everything in it: here each store is read after the change."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import orjson
import pytest
from langchain_core.messages import AIMessage
from langgraph.types import Command, interrupt
from redis.asyncio import Redis

from domain.owner import Owner
from domain.runs import Event
from settings import Settings
from stores.redis import resealing
from stores.redis.checkpoint_documents import document_of
from stores.redis.checkpoints import open_checkpointer
from stores.redis.effects import Call, EffectLedger
from stores.redis.events import RunEvents
from stores.redis.exchange import call_together
from stores.redis.resealing import reseal_memory
from stores.redis.server import open_redis
from stores.redis.staged_memory import RowKey
from stores.redis.summaries import Summaries
from stores.redis.tool_cache import Slot, ToolCache
from stores.redis.tool_results import ToolResults
from stores.redis.unfinished import Steps, UnfinishedRuns
from tests.stores.test_checkpoints import Chat, ask, chat_graph, kept, thread

OLD, NEW = secrets.token_hex(32), secrets.token_hex(32)
WORD = "Zyxwordqua"
ANN = Owner("ann", "s")
SENT = Call("t", "r", "c1", "send", '{"to": "bob"}', "send")
BEGUN = Call("t", "r", "c2", "send", '{"to": "eve"}', "send")
SLOT = Slot("ann", ("look", "up"), 3600, 60)
ROW = RowKey("", "c", "t", 0)


def settings_for(folder: Path, *keys: str) -> Settings:
    return Settings(data_dir=folder, encryption_key=",".join(keys), _env_file=None)


async def confirm(state: Chat) -> Chat:
    return {"messages": [AIMessage(f"got {interrupt(WORD)}")]}


async def fail() -> bytes:
    raise AssertionError("it is kept")


async def fill(redis: Redis, settings: Settings) -> None:
    """Keep a word in everything that Redis keeps, of a run that waits for a person."""
    keyring = settings.memory_keyring
    saver = await open_checkpointer(redis, settings)
    await chat_graph(saver, confirm).ainvoke(ask(WORD), thread("t"), durability="exit")
    newest = await kept(saver)
    note = saver.noting("t", newest.config["configurable"]["checkpoint_id"], {"asked": WORD})
    await call_together(redis, [note])
    events = RunEvents(redis, settings)
    await events.create("r", ANN, "en")
    await events.append("r", [Event(1, "run", {}), Event(2, "waiting", {"question": WORD})], "waiting")
    await events.attach("r", "question", [{"text": WORD}])
    await events.aclose()
    document = document_of(newest.config, newest.checkpoint, newest.metadata, "", keyring)
    row = orjson.dumps(saver._write_row(newest.config, ("messages", WORD), 0))
    steps = Steps(note={"said": WORD}, stand={"told": WORD}, documents={"": document}, rows={ROW: row})
    await UnfinishedRuns(redis, settings).note("r", 0, steps)
    await Summaries(redis, settings).put("t", WORD, ["m"])
    await ToolResults(redis, settings).keep("t", WORD)
    await ToolCache(redis, keyring).once(SLOT, lambda: _made(WORD.encode()))
    ledger = EffectLedger(redis, keyring)
    await ledger.end(SENT, await ledger.begin(SENT, 60, repeatable=False), "done", WORD)
    await ledger.begin(BEGUN, -60, repeatable=False)


async def _made(value: bytes) -> bytes:
    return value


async def check(redis: Redis, settings: Settings) -> None:
    """Everything is there, lasts as long as before, and the run goes on."""
    keyring = settings.memory_keyring
    assert all([0 < await redis.pttl(key) for key in await _lasting(redis)])
    ledger = EffectLedger(redis, keyring)
    sent, begun = [await ledger.begin(call, 60, repeatable=False) for call in (SENT, BEGUN)]
    assert (sent.state, sent.result, begun.state) == ("done", WORD, "unknown"), "neither is made a second time"
    events = RunEvents(redis, settings)
    record = await events.get("r")
    assert record and (record["state"], record["thread_id"], record["question"]) == ("waiting", "s", [{"text": WORD}])
    assert record["result"] == {"question": WORD}
    assert [[one.number for one in batch] async for batch in events.read("r", 0)] == [[1, 2]]
    assert await events.go_on("r") == 2
    assert await events.append("r", [Event(3, "token", {})])
    await events.aclose()
    steps = await UnfinishedRuns(redis, settings).steps("r")
    assert (steps.note, steps.stand) == ({"said": WORD}, {"told": WORD})
    assert await Summaries(redis, settings).get("t") == (WORD, ["m"])
    results = ToolResults(redis, settings)
    page = await results.page("t", await results.keep("t", WORD), 1, 100)
    assert page and page.text == WORD
    assert (await ToolCache(redis, keyring).once(SLOT, fail)).value == WORD.encode()
    saver = await open_checkpointer(redis, settings)
    assert await saver.aget_note("t") == {"asked": WORD}
    document, row = orjson.loads(steps.documents[""]), orjson.loads(steps.rows[ROW])
    of_run = saver._tuple("t", "", document, [{**row, "task_id": "t"}])
    assert of_run.checkpoint["channel_values"]["messages"][0].content == WORD
    assert (of_run.pending_writes or [])[0][2] == WORD
    done = await chat_graph(saver, confirm).ainvoke(Command(resume="yes"), thread("t"), durability="exit")
    assert [message.content for message in done["messages"]] == [WORD, "got yes"]


async def _lasting(redis: Redis) -> list[bytes]:
    return [key async for key in redis.scan_iter() if key not in (b"runs:unfinished", b"health")]


def raw(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in (folder / "redis" / "appendonlydir").iterdir())


@pytest.mark.parametrize(("before", "after"), [((), (NEW,)), ((OLD,), (NEW, OLD)), ((OLD,), ())])
async def test_what_only_redis_knows_outlives_a_change_of_keys_that_was_cut_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    settings = settings_for(tmp_path, *before)
    async with await open_redis(settings) as redis:
        await redis.client.config_set("rdbcompression", "no")
        await fill(redis.client, settings)
    assert (WORD.encode() in raw(tmp_path)) == (not before)
    changing = settings_for(tmp_path, *(after or before))
    target = settings_for(tmp_path, *after).keyring
    write, kept_so_far = resealing._Resealing._hash, 0

    async def killed_at_the_third(self: Any, key: str) -> None:
        nonlocal kept_so_far
        kept_so_far += 1
        if kept_so_far == 3:
            raise KeyError("killed")
        await write(self, key)

    with monkeypatch.context() as patch:
        patch.setattr(resealing._Resealing, "_hash", killed_at_the_third)
        with pytest.raises(KeyError):
            await reseal_memory(changing, target)
    assert await reseal_memory(changing, target)
    assert (WORD.encode() in raw(tmp_path)) == (not after)
    now = settings_for(tmp_path, *after[:1])
    async with await open_redis(now) as redis:
        await check(redis.client, now)
