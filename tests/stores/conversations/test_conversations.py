from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from domain.errors import RunLost, UnknownMessage, UnknownRun, UnknownSession
from domain.owner import Owner
from stores.conversations.conversations import Conversations
from stores.conversations.entries import ROOT, Entry, Listing, Message, Page, Part, Spot, Wish, title_of
from stores.redis.old_transcripts import OldTranscripts
from stores.redis.serde import dumps
from stores.sql.database import Database

ANN = Owner("ann", "s1")
END = Wish()


def user(text: str, run_id: str = "r") -> Entry:
    return {"role": "user", "text": text, "run_id": run_id}


def answer(text: str, run_id: str = "r") -> Entry:
    return {"role": "assistant", "text": text, "run_id": run_id, "citations": [{"name": "a.pdf", "page": 2}]}


async def say(kept: Conversations, owner: Owner, *runs: str, wish: Wish = END) -> Spot:
    """One turn for each run: its question is `q` and the run, its answer `a` and the run."""
    for run in runs:
        place = await kept.spot(owner, wish)
        entries = [answer(f"a{run}", run)] if place.again else [user(f"q{run}", run), answer(f"a{run}", run)]
        place = await kept.append(owner, place, entries)
    return place


def texts(page: Page) -> list[str]:
    return [entry["text"] for entry in page["entries"]]


async def test_messages_are_kept_and_paged_both_ways(conversations: Conversations) -> None:
    await say(conversations, ANN, *map(str, range(10)))
    page = await conversations.page(ANN, Part(2, 3))
    assert (texts(page), page["offset"], page["total"]) == (["q1", "a1", "q2"], 2, 20)
    assert page["entries"][1].items() >= answer("a1", "1").items()
    newest = await conversations.page(ANN, Part(0, 3, newest=True))
    assert (texts(newest), newest["offset"]) == (["a8", "q9", "a9"], 17)
    older = await conversations.page(ANN, Part(18, 5, newest=True))
    assert (texts(older), older["offset"]) == (["q0", "a0"], 0)
    assert (await conversations.page(ANN, Part(100, 5)))["entries"] == []


async def test_versions_stand_beside_each_other_and_keep_what_came_after_them(conversations: Conversations) -> None:
    await say(conversations, ANN, "1", "2", "3")
    await say(conversations, ANN, "2b", wish=Wish(replaces="2"))
    page = await conversations.page(ANN, Part())
    assert texts(page) == ["q1", "a1", "q2b", "a2b"]
    first, second = page["entries"][2]["versions"]
    assert (page["entries"][2]["message_id"], page["entries"][0]["versions"]) == (second, ["1"])
    assert texts(await conversations.page(ANN, Part(through=first))) == ["q1", "a1", "q2", "a2", "q3", "a3"]
    assert (await conversations.change(ANN, shown=first))["entries"] == 6
    await say(conversations, ANN, "2c", wish=Wish(replaces="2", again=True))
    page = await conversations.page(ANN, Part())
    assert texts(page) == ["q1", "a1", "q2", "a2c"] and len(page["entries"][3]["versions"]) == 2
    await say(conversations, ANN, "0", wish=Wish(parent=ROOT))
    page = await conversations.page(ANN, Part())
    assert texts(page) == ["q0", "a0"] and len(page["entries"][0]["versions"]) == 2
    whole = await conversations.whole(ANN)
    assert (len(whole["entries"]), whole["current"]) == (11, page["entries"][1]["message_id"])


async def test_turns_of_a_while_are_indexed_together(
    conversations: Conversations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stores.conversations.conversations.INDEX_SECONDS", 0.1)
    indexed: list[str | None] = []
    index = conversations.index

    async def counted(user_id: str, thread_id: str | None = None) -> None:
        indexed.append(thread_id)
        await index(user_id, thread_id)

    monkeypatch.setattr(conversations, "index", counted)
    for runs in (("1", "2"), ("3",)):
        await say(conversations, ANN, *runs)
        await asyncio.gather(*(conversations.index_soon(ANN) for _ in runs))
    assert indexed == ["s1", "s1"]


async def test_what_is_not_there_is_said(conversations: Conversations) -> None:
    for wish in (Wish(parent="1"), Wish(replaces="r")):
        with pytest.raises(UnknownSession):
            await conversations.spot(ANN, wish)
    await say(conversations, ANN, "1")
    other = await say(conversations, Owner("bob", "s1"), "1")
    for message_id in (str(other.parent), "9" * 30, "x"):
        with pytest.raises(UnknownMessage):
            await conversations.spot(ANN, Wish(parent=message_id))
    with pytest.raises(UnknownRun):
        await conversations.spot(ANN, Wish(replaces="2"))
    assert (await conversations.spot(ANN, Wish(replaces="2", gone=True))).stands("1")


async def test_a_lost_question_is_answered_where_it_stands(conversations: Conversations) -> None:
    await say(conversations, ANN, "1")
    place = await conversations.spot(ANN, Wish())
    await conversations.append(ANN, place, [user("lost", "2")], running="2")
    page = await conversations.page(ANN, Part())
    assert (page["unanswered"], page["running"]) == ([page["entries"][2]["message_id"]], "2")
    await say(conversations, ANN, "3", wish=Wish(replaces="2", again=True))
    page = await conversations.page(ANN, Part())
    assert (texts(page), page["unanswered"]) == (["q1", "a1", "lost", "a3"], [])
    assert (await conversations.question(ANN, run_id="3"))["text"] == "lost"


async def test_a_run_that_lost_its_thread_writes_nothing(conversations: Conversations) -> None:
    place = await conversations.append(ANN, await conversations.spot(ANN, Wish()), [user("q", "1")], running="1")
    await conversations.append(ANN, await conversations.spot(ANN, Wish()), [user("q", "2")], running="2")
    with pytest.raises(RunLost):
        await conversations.append(ANN, place, [answer("late", "1")])
    assert texts(await conversations.page(ANN, Part())) == ["q", "q"]
    opened = await conversations.append(ANN, await conversations.spot(ANN, Wish()), [user("q", "3")], running="3")
    await conversations.withdraw(opened, "3")
    assert texts(await conversations.page(ANN, Part())) == ["q", "q"]


async def test_a_run_that_another_process_goes_on_with_knows_whether_its_answer_is_written(
    conversations: Conversations,
) -> None:
    asked = await conversations.append(ANN, await conversations.spot(ANN, END), [user("q1", "1")], running="1")
    assert await conversations.answer_of(asked, "1") is None
    await conversations.append(ANN, asked, [answer("a1", "1")])
    written = await conversations.answer_of(asked, "1")
    assert written is not None and (written["text"], written["run_id"]) == ("a1", "1")
    left = await conversations.append(ANN, await conversations.spot(ANN, END), [user("q2", "2")], running="2")
    await say(conversations, ANN, "3")
    with pytest.raises(RunLost):
        await conversations.answer_of(left, "2")


async def test_memory_is_the_path_from_the_window_on_and_the_summary_before_it(conversations: Conversations) -> None:
    await say(conversations, ANN, "1", "2")
    place = await conversations.spot(ANN, Wish())
    kept = {"summary": {"text": "They said 1.", "turns": 2}, "notes": "a file"}
    await conversations.append(ANN, place, [user("q3", "3"), answer("a3", "3")], kept=kept)  # type: ignore[arg-type]
    await say(conversations, ANN, "4")
    known = await conversations.recollect(await conversations.spot(ANN, Wish()))
    assert [entry["text"] for entry in known.entries] == ["q2", "a2", "q3", "a3", "q4", "a4"]
    assert (known.summary, known.entries[3]["notes"]) == ("They said 1.", "a file")
    before = await conversations.recollect(await conversations.spot(ANN, Wish(replaces="2")))
    assert ([entry["text"] for entry in before.entries], before.summary) == (["q1", "a1"], "")


async def test_conversations_of_a_user_page_by_cursor(conversations: Conversations) -> None:
    for name in ("s1", "s2", "s3", "s4"):
        await say(conversations, Owner("ann", name), name)
    await say(conversations, Owner("bob", "s1"), "b")
    await say(conversations, ANN, "later")
    await conversations.change(Owner("ann", "s2"), pinned=True, title=" My \n title ")
    await conversations.change(Owner("ann", "s3"), archived=True)
    page, total, cursor = await conversations.find("ann", Listing(archived=False, limit=2))
    assert ([item["thread_id"] for item in page], total) == (["s2", "s1"], 3)
    assert (page[0]["title"], page[0]["pinned"], page[1]["entries"]) == ("My title", True, 4)
    page, total, cursor = await conversations.find("ann", Listing(archived=False, cursor=cursor))
    assert ([item["thread_id"] for item in page], total, cursor) == (["s4"], 3, "")
    assert [item["thread_id"] for item in (await conversations.find("ann", Listing(archived=True)))[0]] == ["s3"]
    assert await conversations.find("carol", Listing()) == ([], 0, "")


async def test_search_looks_inside_messages_and_file_names(conversations: Conversations) -> None:
    lease: Entry = {**user("Is there a notice period?"), "attachments": [{"name": "lease.pdf"}]}
    for name, entries in (("en", [lease, answer("Nine weeks.")]), ("zh", [user("合同"), answer("通知期限为 12 周。")])):
        owner = Owner("ann", name)
        await conversations.append(owner, await conversations.spot(owner, Wish()), entries)
        await conversations.append(Owner("bob", name), Spot(), entries)
    await conversations.change(Owner("ann", "en"), title="Ein Titel")
    for queries, found in (
        (("notice", "NOTICES period", "peri", "lease.pd", "Ein Titel"), ["en"]),
        (("通知期限", "限", "合同", "１２"), ["zh"]),
        (("notice cat", "通期", "、", "is there a 合同"), []),
    ):
        for query in queries:
            hits, total, _ = await conversations.find("ann", Listing(query))
            assert ([item["thread_id"] for item in hits], total) == (found, len(found)), query


async def test_a_hit_names_the_message_and_shows_the_words(conversations: Conversations) -> None:
    await say(conversations, ANN, "1")
    long = "x " * 100 + "a needle in the hay " + "y " * 100
    place = await conversations.append(ANN, await conversations.spot(ANN, Wish()), [user("q"), answer(long)])
    [hit], _, _ = await conversations.find("ann", Listing("needle"))
    assert hit["message_id"] == str(place.parent)
    assert "a needle in the hay" in hit["excerpt"] and len(hit["excerpt"]) < 130
    await conversations.delete(ANN)
    assert await conversations.find("ann", Listing("needle")) == ([], 0, "")


@pytest.mark.parametrize(
    ("query", "number", "excerpt"),
    [
        ("message 7.", 7, "message 7. It"),
        ("留言7", 7, "留言7。"),
        ("messages 11", 11, "message 11."),
        ("17 it is", 17, "It is"),
    ],
)
async def test_a_hit_is_the_message_that_holds_most_of_the_words(
    conversations: Conversations, query: str, number: int, excerpt: str
) -> None:
    said = [user(f"message {n}. It is 留言{n}。 Essay.") for n in range(30)]
    place = await conversations.append(ANN, await conversations.spot(ANN, Wish()), said)
    [hit], _, _ = await conversations.find("ann", Listing(query))
    assert int(hit["message_id"]) == place.parent - 29 + number
    assert excerpt in hit["excerpt"]


async def test_a_copy_has_every_version_and_a_title_of_its_own(conversations: Conversations) -> None:
    await say(conversations, ANN, "1", "2")
    await say(conversations, ANN, "2b", wish=Wish(replaces="2"))
    whole = await conversations.whole(ANN)
    title = await conversations.free_title("ann", whole["thread"]["title"])
    copy = Owner("ann", "copy")
    assert (title, await conversations.add(copy, whole["entries"], title, whole["current"])) == ("q1 (2)", 4)
    assert await conversations.free_title("ann", title) == "q1 (3)"
    made = await conversations.page(copy, Part())
    assert texts(made) == ["q1", "a1", "q2b", "a2b"] and len(made["entries"][2]["versions"]) == 2
    chain: list[Message] = [{"role": "user", "text": "x"}, {"role": "assistant", "text": "y"}]
    assert await conversations.add(Owner("ann", "old"), chain, "") == 2


async def test_transcripts_of_an_older_version_are_taken_over_once(
    database: Database, conversations: Conversations, redis: Redis
) -> None:
    keys = f"session:{ANN.memory_key}"
    await redis.hset(keys, mapping={"session_id": "s1", "title": "Old", "created": 1, "last_activity": 2})
    await redis.rpush(f"{keys}:entries", dumps(user("q0")), dumps(answer("a0")))
    index = "sessions:49915e0d7d4b402e3017d010bc1c0e83"
    await redis.zadd(index, {ANN.memory_key: 2})
    page = await conversations.page(ANN, Part())
    assert (texts(page), page["thread"]["title"]) == (["q0", "a0"], "Old")
    assert await redis.dbsize() == 0
    await say(conversations, ANN, "1")
    again = Conversations(database, OldTranscripts(redis))
    assert (await again.page(ANN, Part()))["total"] == 4


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


async def test_odd_text_is_kept(conversations: Conversations) -> None:
    text = 'nul \x00, emoji 🎉, quote ", lone \ud800'
    await conversations.append(ANN, Spot(), [user(text)])
    assert texts(await conversations.page(ANN, Part())) == [text.replace("\ud800", "?")]
    assert (await conversations.find("ann", Listing("emoji")))[1] == 1
