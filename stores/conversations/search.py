"""Lists of conversations, and search inside their messages, file names and titles.

Every word of a query has to be in the conversation, as the beginning of a word at least; of Chinese and Japanese text
every two characters that stand together count as a word.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any, cast

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    tuple_,
    update,
)

from domain.errors import BadInput
from domain.text import CJK, stem
from domain.times import iso_time
from domain.words import Words
from stores.conversations.entries import Conversation, Entry, Found, Listing
from stores.sql.database import among, rows
from stores.sql.tables import attachments, conversations, messages, words

BATCH = 200
"""Messages that are indexed in one transaction."""
WORD_CHARS = 40
"""Characters of a word that are looked at."""
EXCERPT = (40, 120)
"""Characters of an excerpt before the word that was found, and in all."""
_CHAR = rf"[^\W_{CJK}]"
_TOKEN = re.compile(rf"[{CJK}]+|{_CHAR}+")
_LAST = b"\xff"
ORDER = (conversations.c.pinned, conversations.c.active, conversations.c.id)
HAS_FILES = exists().where(
    attachments.c.user_id == conversations.c.user_id, attachments.c.thread_id == conversations.c.thread_id
)
_UNINDEXED = (
    select(messages.c.id, messages.c.conversation_id, messages.c.entry)
    .join(conversations, conversations.c.id == messages.c.conversation_id)
    .where(conversations.c.newest > conversations.c.indexed, messages.c.id > conversations.c.indexed)
    .where(conversations.c.user_id == bindparam("user_id"))
    .order_by(messages.c.id)
    .limit(BATCH)
)
_UNINDEXED_OF_THREAD = _UNINDEXED.where(conversations.c.thread_id == bindparam("thread_id"))
_OWNED = (
    select(conversations.c.id).where(among(conversations.c.id, "ids")).order_by(conversations.c.id).with_for_update()
)
_INDEXED = (
    update(conversations)
    .where(conversations.c.id == bindparam("conversation"))
    .values(indexed=bindparam("last"))
    .returning(conversations.c.id)
)


def words_of(text: str) -> set[str]:
    """Return what a text is found by.

    >>> sorted(words_of("The Café, 北京市 2026"))
    ['2026', 'cafe', 'the', '京市', '北京', '市']
    """
    return {word for token in _tokens(text) for word in _pairs(token)}


def prefixes_of(query: str) -> list[str]:
    """Return what words of a text have to begin with to fit a query, longest first.

    >>> prefixes_of("contracts 北京市")
    ['contract', '北京', '京市']
    """
    found: dict[str, None] = {}
    for token in _tokens(query):
        if re.match(f"[{CJK}]", token):
            found.update(dict.fromkeys(_pairs(token)[:-1] or [token]))
        else:
            short = stem(token)
            found[short if token.startswith(short) else token] = None
    return sorted(found, key=len, reverse=True)


def _tokens(text: str) -> list[str]:
    return [token[:WORD_CHARS] if token.isascii() else token for token in _TOKEN.findall(_plain(text))]


class _Bare(dict[int, int | None]):
    """A table for `str.translate` that drops accents; it grows by the characters that were seen."""

    def __missing__(self, code: int) -> int | None:
        self[code] = None if unicodedata.combining(chr(code)) else code
        return self[code]


_BARE = _Bare()


def _plain(text: str) -> str:
    """Return a text in lower case without accents."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKD", text).casefold().translate(_BARE))


def _pairs(token: str) -> list[str]:
    return [token[at : at + 2] for at in range(len(token))] if re.match(f"[{CJK}]", token) else [token]


def user_key(user_id: str) -> int:
    """Return the number under which a user's words are."""
    return int.from_bytes(blake2b(user_id.encode("utf-8", "replace"), digest_size=8).digest(), "big", signed=True)


def conversation(row: Any) -> Conversation:
    """Return the conversation in a row."""
    return Conversation(
        thread_id=row.thread_id, title=row.title, created=iso_time(row.created), last_activity=iso_time(row.active),
        entries=row.length, pinned=bool(row.pinned), archived=bool(row.archived), persona=row.persona,
        memory=bool(row.memory),
    )  # fmt: skip


def page(db: Connection, user_id: str, wanted: Listing) -> tuple[list[Found], int, str]:
    """Return conversations, pinned ones first and then the last active, how many there are, and the next cursor.

    Raises:
        BadInput: The cursor is none of ours.
    """
    prefixes = prefixes_of(wanted.query)
    if wanted.query.strip() and not prefixes:
        return [], 0, ""
    which: list[ColumnElement[bool]] = [conversations.c.user_id == user_id]
    which += [conversations.c.id.in_(select(words.c.conversation_id).where(_fits(user_id, word))) for word in prefixes]
    if not prefixes:  # a temporary one has no words
        which += [~conversations.c.temporary, or_(conversations.c.newest > 0, HAS_FILES)]
    if wanted.archived is not None:
        which.append(conversations.c.archived == wanted.archived)
    total = db.scalar(select(func.count()).select_from(conversations).where(*which))
    if wanted.cursor:
        which.append(tuple_(*ORDER) < tuple_(*_place(wanted.cursor)))
    ids = select(conversations.c.id).where(*which).order_by(*(column.desc() for column in ORDER))
    numbers = list(db.scalars(ids.offset(wanted.offset).limit(wanted.limit + 1)))
    by_id = {row.id: row for row in db.execute(_rows(user_id, prefixes).where(among(conversations.c.id, numbers)))}
    listed = [by_id[number] for number in numbers[: wanted.limit] if number in by_id]
    more = _cursor(listed[-1]) if listed and len(numbers) > wanted.limit else ""
    shown = [cast(Found, conversation(row)) for row in listed]
    if prefixes:
        _add_excerpts(db, shown, [set(row[-len(prefixes) :]) for row in listed], prefixes)
    return shown, total or 0, more


def _fits(user_id: str, prefix: str) -> ColumnElement[bool]:
    first = prefix.encode()
    fits = words.c.word == first if _is_whole(prefix) else words.c.word.between(first, first + _LAST)
    return and_(words.c.owner == user_key(user_id), fits)


def _rows(user_id: str, prefixes: Sequence[str]) -> Select[Any]:
    """Select conversations, and for each prefix the newest message with such a word."""
    newest = select(func.max(words.c.message_id)).where(words.c.conversation_id == conversations.c.id)
    held = [newest.where(_fits(user_id, prefix)).scalar_subquery() for prefix in prefixes]
    return select(conversations, *(column.label(f"held_{n}") for n, column in enumerate(held)))


def _is_whole(prefix: str) -> bool:
    """Tell whether it has to be a word of its own: a letter begins too many."""
    return len(prefix) == 1 and prefix.isascii()


def _cursor(row: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([bool(row.pinned), row.active, row.id])).decode()


def _place(cursor: str) -> tuple[bool, float, int]:
    try:
        pinned, active, number = orjson.loads(base64.urlsafe_b64decode(cursor))
        return bool(pinned), float(active), int(number)
    except (ValueError, TypeError) as exc:
        raise BadInput(reason=Words("cursor is not one of a list before", "cursor 不是先前列表返回的游标")) from exc


def _add_excerpts(db: Connection, shown: Sequence[Found], ids: Sequence[set[int]], prefixes: Sequence[str]) -> None:
    """Name the message that holds most of the words, the newest of several."""
    found = db.execute(select(messages.c.id, messages.c.entry).where(among(messages.c.id, list(set().union(*ids)))))
    entries: dict[int, Entry] = {row.id: orjson.loads(row.entry) for row in found}
    patterns = [_pattern(prefix) for prefix in prefixes]
    for item, candidates in zip(shown, ids, strict=True):
        held = [number for number in candidates if number in entries]
        if held:
            number = max(held, key=lambda one: (_held(entries[one], patterns), one)) if len(held) > 1 else held[0]
            item["message_id"] = str(number)
            item["excerpt"] = _excerpt(entries[number], patterns)


def _pattern(prefix: str) -> re.Pattern[str]:
    """Return what finds the words in a text that begin with `prefix`."""
    if re.match(f"[{CJK}]", prefix):
        return re.compile(prefix)
    return re.compile(f"(?<!{_CHAR}){prefix}" + (f"(?!{_CHAR})" if _is_whole(prefix) else ""))


def _held(entry: Entry, patterns: Sequence[re.Pattern[str]]) -> int:
    """Return how many of the words a message holds."""
    plain = _plain("\n".join((entry.get("text", ""), *_names(entry))))
    return sum(pattern.search(plain) is not None for pattern in patterns)


def _excerpt(entry: Entry, patterns: Sequence[re.Pattern[str]]) -> str:
    """The text around the first word that was found; the names of the files where it stands in one of them."""
    for text in (" ".join(entry.get("text", "").split()), ", ".join(_names(entry))):
        folded = text.casefold()
        at = next((match.start() for pattern in patterns if (match := pattern.search(folded))), -1)
        if at >= 0:
            first = max(0, at - EXCERPT[0])
            end = first + EXCERPT[1]
            return f"{'…' if first else ''}{text[first:end]}{'…' if end < len(text) else ''}"
    return " ".join(entry.get("text", "").split())[: EXCERPT[1]]


def _names(entry: Entry) -> Iterator[str]:
    return (str(item.get("name", "")) for item in entry.get("attachments", []))


def index(db: Connection, user_id: str, thread_id: str | None = None) -> int:
    """Index some messages of a user, or of one thread, that are not yet; return how many there were."""
    query = _UNINDEXED if thread_id is None else _UNINDEXED_OF_THREAD
    found = rows(db, query, {"user_id": user_id, "thread_id": thread_id})
    ids = {row.id for row in rows(db, _OWNED, {"ids": sorted({row.conversation_id for row in found})})}
    last: dict[int, int] = {}
    held: dict[tuple[int, bytes, int], int] = {}
    for row in found:
        if row.conversation_id in ids:
            entry: Entry = orjson.loads(row.entry)
            last[row.conversation_id] = row.id
            for word in words_of("\n".join((entry.get("text", ""), *_names(entry)))):
                held[user_key(user_id), word.encode(), row.conversation_id] = row.id
    _put(db, held)
    for conversation_id, message_id in last.items():
        rows(db, _INDEXED, {"conversation": conversation_id, "last": message_id})
    return len(found)


def index_title(db: Connection, conversation_id: int, user_id: str, title: str) -> None:
    """Let a conversation be found by its title, and no longer by the one before."""
    db.execute(delete(words).where(words.c.conversation_id == conversation_id, words.c.message_id == 0))
    _put(db, {(user_key(user_id), word.encode(), conversation_id): 0 for word in words_of(title)})


def _put(db: Connection, held: dict[tuple[int, bytes, int], int]) -> None:
    mark = "?" if db.dialect.name == "sqlite" else "%s"
    sql = (
        f"INSERT INTO words (owner, word, conversation_id, message_id) VALUES ({mark}, {mark}, {mark}, {mark}) "
        "ON CONFLICT (owner, word, conversation_id) DO UPDATE SET message_id = excluded.message_id "
        "WHERE excluded.message_id > words.message_id"
    )
    if held:
        cast(Any, db.connection.cursor()).executemany(sql, [(*key, held[key]) for key in sorted(held)])


def forget(db: Connection, row: Any) -> None:
    """Drop the words of the conversation in `row` but those of its title; its messages are indexed anew."""
    db.execute(delete(words).where(words.c.conversation_id == row.id))
    db.execute(update(conversations).where(conversations.c.id == row.id).values(indexed=0))
    index_title(db, row.id, row.user_id, row.title)
