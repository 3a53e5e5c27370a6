from __future__ import annotations

import pytest
from redis.asyncio import Redis

from domain.errors import UnknownSession
from domain.owner import Owner
from settings import Settings
from stores.redis.transcripts import Entry, Transcripts, title_of

ANN = Owner("ann", "s1")


@pytest.fixture
def transcripts(redis: Redis, settings: Settings) -> Transcripts:
    return Transcripts(redis, settings)


def user(text: str) -> Entry:
    return {"role": "user", "text": text, "run_id": "r"}


def answer(text: str) -> Entry:
    return {"role": "assistant", "text": text, "citations": [{"name": "a.pdf", "page": 2}], "seconds": 1.5}


async def test_turns_are_appended_and_paged_both_ways(transcripts: Transcripts) -> None:
    for number in range(10):
        assert await transcripts.append_turn(ANN, user(f"q{number}"), answer(f"a{number}")) == 2 * number + 2
    page = await transcripts.get(ANN, 2, 3)
    assert [e["text"] for e in page["entries"]] == ["q1", "a1", "q2"]
    assert (page["offset"], page["total"]) == (2, 20)
    assert page["entries"][1] == answer("a1")
    newest = await transcripts.get(ANN, 0, 3, newest=True)
    assert ([e["text"] for e in newest["entries"]], newest["offset"]) == (["a8", "q9", "a9"], 17)
    older = await transcripts.get(ANN, 18, 5, newest=True)
    assert ([e["text"] for e in older["entries"]], older["offset"]) == (["q0", "a0"], 0)
    assert (await transcripts.get(ANN, 100, 5))["entries"] == []
    assert (await transcripts.get(ANN, 0, 0))["entries"] == []


async def test_a_turn_is_one_command_and_every_key_expires(transcripts: Transcripts, redis: Redis) -> None:
    await transcripts.append_turn(ANN, user("q"), answer("a"))
    await redis.config_resetstat()
    await transcripts.append_turn(ANN, user("q"), answer("a"))
    assert (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"] == 1
    keys = [key async for key in redis.scan_iter()]
    assert len(keys) == 3
    assert all([3590 <= await redis.ttl(key) <= 3600 for key in keys])


async def test_sessions_of_a_user_by_last_activity(transcripts: Transcripts) -> None:
    for name in ("s1", "s2", "s3"):
        await transcripts.append_turn(Owner("ann", name), user(f"Title of {name}"), answer("a"))
    await transcripts.append_turn(Owner("bob", "s1"), user("Bob's"))
    await transcripts.append_turn(ANN, user("later"), answer("b"))
    sessions, total = await transcripts.list_threads("ann")
    assert [s["thread_id"] for s in sessions] == ["s1", "s3", "s2"]
    assert total == 3
    assert (sessions[0]["title"], sessions[0]["entries"]) == ("Title of s1", 4)
    assert sessions[0]["last_activity"] >= sessions[0]["created"]
    page, total = await transcripts.list_threads("ann", 1, 1)
    assert ([s["thread_id"] for s in page], total) == (["s3"], 3)
    found, total = await transcripts.list_threads("ann", query="OF S2")
    assert ([s["thread_id"] for s in found], total) == (["s2"], 1)
    assert await transcripts.list_threads("carol") == ([], 0)


async def test_expired_sessions_drop_out_of_the_list(transcripts: Transcripts, redis: Redis) -> None:
    await transcripts.append_turn(Owner("ann", "old"), user("old"))
    await transcripts.append_turn(ANN, user("new"))
    await redis.delete(f"session:{Owner('ann', 'old').memory_key}")
    sessions, total = await transcripts.list_threads("ann")
    assert ([s["thread_id"] for s in sessions], total) == (["s1"], 1)


async def test_users_do_not_see_each_other(transcripts: Transcripts) -> None:
    await transcripts.append_turn(ANN, user("secret"))
    other = Owner("bob", "s1")
    with pytest.raises(UnknownSession):
        await transcripts.get(other)
    with pytest.raises(UnknownSession):
        await transcripts.rename(other, "x")
    assert await transcripts.delete(other) == 0
    assert (await transcripts.get(ANN))["total"] == 1


async def test_rename_truncate_export_import_delete(transcripts: Transcripts, redis: Redis) -> None:
    await transcripts.append_turn(ANN, user("q0"), answer("a0"), user("q1"), answer("a1"))
    await transcripts.rename(ANN, "  A   name\nof mine ")
    assert await transcripts.truncate(ANN, 2) == 2
    assert await transcripts.truncate(ANN, 9) == 0
    whole = await transcripts.export(ANN)
    assert whole["thread"]["title"] == "A name of mine"
    assert [e["text"] for e in whole["entries"]] == ["q0", "a0"]
    branch = Owner("ann", "branch")
    assert await transcripts.import_(branch, [*whole["entries"], *map(user, map(str, range(1200)))], "Branch") == 1202
    assert (await transcripts.get(branch, 1201))["entries"][0]["text"] == "1199"
    assert (await transcripts.get(branch))["thread"]["title"] == "Branch"
    assert await transcripts.truncate(branch, 0) == 1202
    assert (await transcripts.get(branch))["total"] == 0
    assert await transcripts.delete(ANN) == 2
    assert await transcripts.delete(branch) == 0
    assert await redis.dbsize() == 0


@pytest.mark.parametrize(
    ("entry", "title"),
    [
        (user("  First line\nsecond"), "First line"),
        (user("词" * 70), "词" * 59 + "…"),
        ({"role": "user", "text": " ", "attachments": [{"name": "a.pdf"}, {"name": "b.png"}]}, "a.pdf, b.png"),
        ({"role": "user"}, ""),
    ],
)
def test_title(entry: Entry, title: str) -> None:
    assert title_of(entry) == title


async def test_odd_text_is_kept(transcripts: Transcripts) -> None:
    text = 'nul \x00, emoji 🎉, quote ", lone \ud800'
    await transcripts.append_turn(ANN, user(text))
    assert (await transcripts.get(ANN))["entries"][0]["text"] == text.replace("\ud800", "?")
