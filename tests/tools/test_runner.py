"""What happens around every call, on a real Redis and a real database: cache, ledger, breaker, long results, log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from langchain_core.tools import BaseTool, ToolException, tool
from langgraph.prebuilt import ToolRuntime
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy import select

from domain.errors import Unavailable
from domain.labels import OF_DOCUMENT, OF_WEB
from domain.owner import Owner
from domain.words import Language, Words
from settings import Settings
from stores.redis.effects import EffectLedger
from stores.redis.server import RedisHandle
from stores.redis.tool_cache import ToolCache
from stores.redis.tool_results import ToolResults
from stores.sql.actions import ActionLog
from stores.sql.database import Database
from stores.sql.tables import actions
from tests.redis_fixture import redis, redis_server
from tools import breaker
from tools.interface import Caller, Found, ToolContext, ToolOutcome, ToolSpec
from tools.outcomes import not_done
from tools.registry import ToolRegistry, built_in
from tools.runner import CallStores

__all__ = ["redis", "redis_server"]
ANN, BOB = Owner("ann", "t1"), Owner("bob", "t1")
AWAY = Unavailable(reason=Words("it is away", "它不在"))


class Killed(BaseException):
    """Ends a call as a kill does: nothing is written down after it."""


class Documents:
    """As much of the documents as a version is made of."""

    def __init__(self) -> None:
        self.listed: list[dict[str, Any]] = []

    async def version(self, owner: Owner) -> str:
        return repr(self.listed)


class Probe:
    """A tool that counts what reaches it and does what a test says."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.keys: list[str] = []
        self.does: Callable[[str], Any] = lambda text: f"did {text}"

    def spec(self, name: str = "probe", **options: Any) -> ToolSpec:
        @tool(name, response_format="content_and_artifact")
        async def probe(text: str, runtime: ToolRuntime[ToolContext]) -> tuple[str, Found]:
            """Do something."""
            self.calls.append(text)
            self.keys.append(runtime.context.idempotency_key)
            made = self.does(text)
            made = await made if asyncio.iscoroutine(made) else made
            return (made if isinstance(made, Found) else Found(made)).answer()

        given: BaseTool = probe
        return ToolSpec(**{"tool": given, "title": Words("Probe", "探针"), "permission": "read", **options})


@pytest.fixture
def probe() -> Probe:
    return Probe()


@pytest_asyncio.fixture
async def stores(redis: Redis, settings: Settings) -> AsyncIterator[CallStores]:
    database = await Database.open(settings)
    log = await ActionLog.open(settings, database)
    yield CallStores(
        cache=ToolCache(redis), results=ToolResults(redis, settings), effects=EffectLedger(redis), actions=log
    )
    await log.aclose()
    await database.aclose()


class Process:
    """A registry as one process has it."""

    def __init__(self, settings: Settings, stores: CallStores, *specs: ToolSpec) -> None:
        self.documents = Documents()
        self.registry = ToolRegistry(settings, self.documents, specs=[*specs, *built_in()[-1:]])  # type: ignore[arg-type]
        self.registry.keep_in(stores)

    async def call(
        self, text: str = "a", owner: Owner = ANN, *, run: str = "r1", call: str = "c1", language: Language = "en",
        name: str = "probe",
    ) -> ToolOutcome:  # fmt: skip
        caller = Caller(owner=owner, language=language, run_id=run, call_id=call)
        return await self.registry.call(name, {"text": text}, caller)


def elsewhere(stores: CallStores, redis: Redis, settings: Settings) -> CallStores:
    """The stores of another process on the same Redis and database."""
    return CallStores(
        cache=ToolCache(redis), results=ToolResults(redis, settings), effects=EffectLedger(redis),
        actions=stores.actions,
    )  # fmt: skip


async def test_a_result_serves_equal_calls_of_its_user_in_every_process(
    settings: Settings, stores: CallStores, redis: Redis, probe: Probe
) -> None:
    spec = probe.spec(cache_seconds=60)
    first = Process(settings, stores, spec)
    other = Process(settings, elsewhere(stores, redis, settings), spec)
    fresh = await first.call()
    again = await other.call(call="c2")
    assert (fresh.run["cached"], again.run["cached"], probe.calls) == (False, True, ["a"])
    assert again.text == "(Fetched 0 s ago.)\ndid a" and again.run["age"] < 5 and again.run["call_id"] == "c2"
    assert (await other.call(language="zh")).run["cached"] is False  # results are written in a language
    assert (await other.call(language="zh")).text == "（0 秒前获取）\ndid a"
    assert not (await other.call(owner=BOB)).run["cached"] and not (await other.call("b")).run["cached"]
    changed = Process(settings, stores, probe.spec(cache_seconds=60, definition={"name": "probe", "v": 2}))
    assert not (await changed.call()).run["cached"]
    hidden = Owner("ann", "gone", temporary=True)
    assert (
        not (await first.call(owner=hidden)).run["cached"] and not (await first.call("x", owner=hidden)).run["cached"]
    )
    assert await stores.cache.forget("ann") == 4 and not (await first.call()).run["cached"]
    counters = other.registry.counters()["probe"]
    assert (counters.calls, counters.cached, sum(counters.durations)) == (5, 2, 3)


async def test_an_earlier_result_keeps_the_label_that_its_tool_had(
    settings: Settings, stores: CallStores, probe: Probe
) -> None:
    fetching = Process(settings, stores, probe.spec(cache_seconds=60, permission="egress", repeatable=True))
    assert (await fetching.call()).label == OF_WEB
    reading = Process(settings, stores, probe.spec(cache_seconds=60))  # the operator has said otherwise since
    again = await reading.call(call="c2")
    assert again.run["cached"] and again.label == OF_WEB
    assert (await reading.call("b")).label == OF_DOCUMENT


async def test_the_age_is_told_in_words(
    settings: Settings, stores: CallStores, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Process(settings, stores, probe.spec(cache_seconds=90_000))
    now = stores_time()
    for language in ("en", "zh"):
        await process.call(language=language)
    for later, english, chinese in ((250, "4 min", "4 分钟"), (7300, "2 h", "2 小时"), (88_000, "1 d", "1 天")):
        monkeypatch.setattr("stores.redis.tool_cache.time.time", lambda later=later: now + later)
        assert (await process.call()).text == f"(Fetched {english} ago.)\ndid a"
        assert (await process.call(language="zh")).text == f"（{chinese}前获取）\ndid a"


def stores_time() -> float:
    import time

    return time.time()


async def test_a_shared_result_serves_everybody_and_a_changed_document_ends_it(
    settings: Settings, stores: CallStores, probe: Probe
) -> None:
    process = Process(settings, stores, probe.spec(cache_seconds=60, cache_scope="shared", reads_documents=True))
    document = {"id": "d1", "status": "reading", "pages_done": 1}
    process.documents.listed = [document]
    await process.call()
    assert (await process.call(owner=BOB)).run["cached"]
    for change in ({"pages_done": 2}, {"status": "ready"}, {"id": "d2"}):
        document |= change
        assert not (await process.call()).run["cached"] and (await process.call()).run["cached"]
    process.documents.listed = []
    assert not (await process.call()).run["cached"]


async def test_equal_calls_in_flight_run_once_over_processes(
    settings: Settings, stores: CallStores, redis: Redis, probe: Probe
) -> None:
    probe.does = lambda text: slowly(text, 0.15)
    spec = probe.spec(cache_seconds=60)
    processes = [Process(settings, elsewhere(stores, redis, settings), spec) for _ in range(2)]
    found = await asyncio.gather(*(process.call() for process in processes for _ in range(4)))
    assert probe.calls == ["a"] and {outcome.text.rpartition("\n")[2] for outcome in found} == {"slow a"}


async def test_who_gives_up_does_not_end_the_call_of_the_others(
    settings: Settings, stores: CallStores, probe: Probe
) -> None:
    probe.does = lambda text: slowly(text, 0.2)
    process = Process(settings, stores, probe.spec(cache_seconds=60))
    first, second = (asyncio.create_task(process.call()) for _ in range(2))
    await asyncio.sleep(0.1)
    first.cancel()
    assert (await second).text == "slow a" and probe.calls == ["a"]
    alone = asyncio.create_task(process.call("b"))
    await asyncio.sleep(0.05)
    alone.cancel()
    await asyncio.gather(alone, return_exceptions=True)
    probe.does = lambda text: f"did {text}"
    assert (await process.call("b")).text == "did b"


async def slowly(text: str, seconds: float) -> str:
    await asyncio.sleep(seconds)
    return f"slow {text}"


async def test_failures_are_not_cached_and_without_redis_calls_run(
    settings: Settings, stores: CallStores, redis: Redis, redis_server: RedisHandle, probe: Probe
) -> None:
    process = Process(settings, stores, probe.spec(cache_seconds=60))

    def fails(_: str) -> str:
        raise ToolException("no such thing")

    probe.does = fails
    assert [(await process.call()).text for _ in range(2)] == ["no such thing"] * 2 and len(probe.calls) == 2
    probe.does = lambda text: f"did {text}"
    nowhere = Redis(unix_socket_path="/nowhere", retry=Retry(NoBackoff(), 0))
    lonely = Process(settings, elsewhere(stores, nowhere, settings), probe.spec(cache_seconds=60))
    assert [(await lonely.call()).text for _ in range(2)] == ["did a"] * 2
    writing = Process(settings, elsewhere(stores, nowhere, settings), probe.spec(permission="write"))
    before = len(probe.calls)
    refused = await writing.call()  # nobody could say afterwards whether it happened
    assert refused.code == "memory_unavailable" and len(probe.calls) == before


async def test_only_what_may_be_repeated_is_tried_again(settings: Settings, stores: CallStores, probe: Probe) -> None:
    def away_once(text: str) -> str:
        if len(probe.calls) % 2:
            raise AWAY
        return f"did {text}"

    probe.does = away_once
    reading = Process(settings, stores, probe.spec(), probe.spec("search", permission="egress", repeatable=True))
    assert (await reading.call()).text == "did a" and (await reading.call(name="search")).text == "did a"
    assert len(probe.calls) == 4
    writing = Process(settings, stores, probe.spec(permission="write"))
    outcome = await writing.call()
    assert outcome.run["status"] == "unknown" and len(probe.calls) == 5
    assert "it is away" in outcome.text and "ask the user to check" in outcome.text


async def test_what_fails_again_and_again_is_left_alone_and_tried_later(
    settings: Settings, stores: CallStores, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crashes(_: str) -> str:
        raise AWAY

    monkeypatch.setattr("tools.calling.TRIES", 1)
    monkeypatch.setattr(breaker, "REST_SECONDS", 0.2)
    probe.does = crashes
    target: dict[str, Any] = {"target": lambda given: given["text"], "source": "mcp:shop"}
    process = Process(settings, stores, probe.spec(**target), probe.spec("sibling", source="mcp:shop"))
    for _ in range(breaker.THRESHOLD):
        await process.call("down.example")
    probe.does = lambda text: f"did {text}"
    for name, text in (("probe", "down.example"), ("probe", "up.example"), ("sibling", "x")):
        outcome = await process.call(text, name=name)  # the server is left alone, with all its tools
        assert outcome.code == "tool_resting" and "5 times in a row" in outcome.text
    assert "连续失败 5 次" in (await process.call("up.example", language="zh")).text
    row = next(row for row in process.registry.describe() if row["name"] == "sibling")
    assert row["breaker"]["state"] == "open" and 0 < row["breaker"]["retry_after"] <= 0.2
    await asyncio.sleep(0.25)
    row = next(row for row in process.registry.describe() if row["name"] == "sibling")
    assert row["breaker"]["state"] == "half_open"
    probe.does = lambda text: slowly(text, 0.1)
    tried, refused = await asyncio.gather(process.call("x", name="sibling"), process.call("y", name="sibling"))
    assert tried.text == "slow x" and refused.code == "tool_resting"  # one trial at a time
    assert (await process.call("down.example")).code == ""
    assert next(iter(process.registry.describe()))["breaker"]["state"] == "closed"


async def test_a_refusal_by_the_tool_breaks_nothing_and_one_target_not_the_others(
    settings: Settings, stores: CallStores, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answers(text: str) -> str:
        if text == "down":
            raise AWAY
        raise ToolException("no such page")

    monkeypatch.setattr("tools.calling.TRIES", 1)
    probe.does = answers
    process = Process(settings, stores, probe.spec(target=lambda given: given["text"]))
    for text in ("down", "odd") * (breaker.THRESHOLD + 1):
        await process.call(text)
    assert (await process.call("down")).code == "tool_resting"
    assert (await process.call("odd")).text == "no such page"


async def test_an_effect_happens_once_over_repetitions_and_processes(
    settings: Settings, stores: CallStores, redis: Redis, probe: Probe
) -> None:
    probe.does = lambda text: slowly(text, 0.1)
    spec = probe.spec(permission="write")
    processes = [Process(settings, elsewhere(stores, redis, settings), spec) for _ in range(2)]
    found = await asyncio.gather(*(process.call() for process in processes for _ in range(8)))
    assert probe.calls == ["a"] and {outcome.text for outcome in found} == {"slow a"}
    assert (await processes[1].call()).text == "slow a" and probe.calls == ["a"]  # as when a paused run goes on
    await processes[0].call(call="c2")
    assert probe.calls == ["a", "a"], "another call of the model is another effect"
    for _ in range(2):
        await processes[0].call("b", call="", run="")
    assert len(probe.calls) == 4, "a call without an id is never the same as another"


async def test_a_later_run_is_told_what_a_cut_off_run_has_done(
    settings: Settings, stores: CallStores, redis: Redis, probe: Probe
) -> None:
    process = Process(settings, stores, probe.spec(permission="write"))
    await process.call(run="killed")
    retried = await process.call(run="retry", call="c9")
    assert probe.calls == ["a"] and retried.run["status"] == "ok" and retried.run["cached"]
    assert "by a turn that was cut off" in retried.text and retried.text.endswith("did a")
    assert "中断的对话完成" in (await process.call(run="retry", call="c9", language="zh")).text
    assert (await process.call(run="retry", owner=BOB)).run["cached"] is False
    await finish(redis, stores, "retry")
    await process.call(run="next", call="c1")  # the user knows by now, and asks again
    assert len(probe.calls) == 3
    await finish(redis, stores, "next")
    assert not await redis.exists(f"effects:{ANN.memory_key}")


async def finish(redis: Redis, stores: CallStores, run_id: str) -> None:
    """End a run as the last exchange of a turn does."""
    call = stores.effects.closing(ANN.memory_key, run_id)
    await redis.eval(call.script, len(call.keys), *call.keys, *call.args)


@pytest.mark.parametrize("takes_key", [False, True])
async def test_an_open_end_is_told_and_repeated_only_with_a_key(
    settings: Settings, stores: CallStores, probe: Probe, monkeypatch: pytest.MonkeyPatch, takes_key: bool
) -> None:
    """The first process is gone in the middle of the call; its lease passes; another takes the run up."""
    monkeypatch.setattr("stores.redis.effects.LEASE_MARGIN", 0.0)
    spec = probe.spec(permission="write", timeout=0.3, takes_idempotency_key=takes_key)
    process = Process(settings, stores, spec)

    def dies(_: str) -> str:
        raise Killed

    probe.does = dies
    with pytest.raises(Killed):
        await process.call()
    probe.does = lambda text: f"did {text}"
    again = await process.call()
    if takes_key:
        assert again.text == "did a" and probe.keys[0] == probe.keys[1] != ""
        return
    assert again.run["status"] == "unknown" and again.code == "unknown_effect" and probe.calls == ["a"]
    assert "whether it took effect is unknown" in again.text
    assert "是否已生效无法确定" in (await process.call(run="retry", call="c7", language="zh")).text
    assert process.registry.counters()["probe"].unknown == 2 and probe.calls == ["a"]


async def test_a_call_that_began_is_never_told_as_refused(
    settings: Settings, stores: CallStores, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that goes on does not have the tool, or may not call it: whether it took effect is not known."""
    monkeypatch.setattr("stores.redis.effects.LEASE_MARGIN", 0.0)

    def dies(_: str) -> str:
        raise Killed

    probe.does = dies
    spec = probe.spec(permission="write", timeout=0.3)
    first, other = Process(settings, stores, spec), Process(settings, stores)
    with pytest.raises(Killed):
        await first.call()
    told = await other.call()
    assert (told.run["status"], told.code) == ("unknown", "unknown_effect") and "was cut off" in told.text
    forbidden = not_done("no", "probe", {"text": "a"}, "refused", "not_permitted")
    caller = Caller(owner=ANN, language="en", run_id="r1", call_id="c1")
    assert (await first.registry.not_permitted(forbidden, caller)).run["status"] == "unknown"
    for call, run in (("c2", "r1"), ("c1", "r2"), ("", "r1")):
        assert (await other.call(call=call, run=run)).code == "unknown_tool"
    assert (await other.call(name="made_up")).code == "unknown_tool", "another tool with the id of a call before"
    probe.does = lambda text: f"did {text}"
    await first.call(call="c3")
    assert (await other.call(call="c3")).code == "unknown_tool", "its end is known"


async def test_a_failure_is_kept_for_its_own_call_and_stands_in_no_other_ones_way(
    settings: Settings, stores: CallStores, probe: Probe
) -> None:
    def refuses(_: str) -> str:
        raise ToolException("no such address")

    probe.does = refuses
    process = Process(settings, stores, probe.spec(permission="write"))
    assert (await process.call()).run["status"] == "error"
    probe.does = lambda text: f"did {text}"
    assert (await process.call()).text == "no such address" and len(probe.calls) == 1
    assert (await process.call(run="r2")).text == "did a"


async def test_a_call_that_is_stopped_in_the_middle_has_an_open_end(
    settings: Settings, stores: CallStores, probe: Probe
) -> None:
    probe.does = lambda text: slowly(text, 5)
    process = Process(settings, stores, probe.spec(permission="write"))
    task = asyncio.create_task(process.call())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await process.call(run="r2")).run["status"] == "unknown" and probe.calls == ["a"]


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_long_result_is_kept_whole_and_read_by_pages(
    settings: Settings, stores: CallStores, probe: Probe, language: Language
) -> None:
    whole = json.dumps([{"name": f"n{number}", "city": "厦门"} for number in range(1500)], ensure_ascii=False)
    probe.does = lambda _: whole
    process = Process(settings, stores, probe.spec())
    outcome = await process.call(language=language)
    result_id = outcome.run["result_id"]
    assert len(outcome.text) < len(whole) / 4 and f"{len(whole)} " in outcome.text and repr(result_id) in outcome.text
    shape = (
        "a JSON list of 1500 objects with name, city"
        if language == "en"
        else "含 1500 个对象的 JSON 列表，字段有 name, city"
    )
    assert shape in outcome.text and outcome.text.endswith(whole[-400:]) and whole[:2000] in outcome.text

    async def read(owner: Owner, **given: object) -> ToolOutcome:
        return await process.registry.call("read_result", given, Caller(owner=owner, language=language))

    pages = [await read(ANN, id=result_id, page=page) for page in range(1, 13)]
    told = [page for page in pages if page.run["status"] == "ok"]
    assert "".join(page.text.partition("\n")[2] for page in told) == whole and len(told) == told[0].data["pages"]
    assert all("result_id" not in page.run for page in told)
    beyond = pages[len(told)].text
    assert ("pages" if language == "en" else "页") in beyond
    stranger = await read(BOB, id=result_id)
    assert stranger.run["status"] == "error" and "厦门" not in stranger.text
    assert await stores.results.clear(ANN.memory_key) == 1
    assert (await read(ANN, id=result_id)).run["status"] == "error"


async def test_every_call_is_in_the_action_log_without_its_words(
    settings: Settings, stores: CallStores, probe: Probe
) -> None:
    process = Process(settings, stores, probe.spec(), probe.spec("mail", permission="write"))
    await process.call("to my lawyer")
    await process.call("to my lawyer", name="mail", call="c2")
    await process.call("to my lawyer", name="made_up")
    await stores.actions.record("policy", ANN)
    database = stores.actions._database
    rows = await database.read(lambda db: db.execute(select(actions).order_by(actions.c.id)).all())
    told = [(row.facts.get("tool"), row.facts.get("status"), row.facts.get("call")) for row in rows[:-1]]
    assert told == [
        ("builtin:probe", "ok", "c1"),
        ("builtin:mail", "begun", "c2"),
        ("builtin:mail", "ok", "c2"),
        (None, "refused", "c1"),
    ]
    assert {row.user_id for row in rows} == {"ann"} and {row.facts["run"] for row in rows[:-1]} == {"r1"}
    assert "lawyer" not in repr(rows) and "made_up" not in repr(rows)
