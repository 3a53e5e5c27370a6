"""Every table of the SQL database, defined once. A change here needs a revision in `stores/sql/migrations/`.

Text is stored once per content; who owns it is a relation (attachments -> documents -> contents).
"""

from __future__ import annotations

import json
import re
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    false,
    text,
    true,
)

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Characters(TypeDecorator[str]):
    """Text of any length. What PostgreSQL cannot store becomes U+FFFD, one for one, so that offsets stay right."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return what is stored."""
        return UNSTORABLE.sub("\ufffd", value) if value else value


class Json(TypeDecorator[Any]):
    """A value stored as JSON text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return what is stored; `None` is NULL."""
        return None if value is None else json.dumps(value, ensure_ascii=True)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Return the value."""
        return None if value is None else json.loads(value)


metadata = MetaData()
_Id = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only for a column of the type INTEGER."""

catalog = Table("catalog", metadata, Column("uid", Text, nullable=False))
"""One row: the id that the database was born with. Vectors of this installation are kept under it."""

attachments = Table(
    "attachments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Characters, nullable=False),
    Column("thread_id", Characters),
    Column("name", Characters, nullable=False),
    Column("kind", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("created", Double, nullable=False),
    Index("attachments_owner", "user_id", "thread_id", "created"),
    Index("attachments_sha256", "sha256"),
)
"""A file of one owner; without `thread_id` it is in the user's lasting library. `created` is Unix time."""

contents = Table(
    "contents",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("origin", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("unit", Text, nullable=False, server_default="page"),
    Column("title", Characters, nullable=False, server_default=""),
    Column("language", Text, nullable=False, server_default=""),
    Column("pages_total", Integer, nullable=False, server_default="0"),
    Column("pages_done", Integer, nullable=False, server_default="0"),
    Column("tokens", Integer, nullable=False, server_default="0"),
    Column("chunks", Integer, nullable=False, server_default="0"),
    Column("embedded", Integer, nullable=False, server_default="0"),
    Column("embedder", Text, nullable=False, server_default=""),
    Column("summary", Characters),
    Column("picture", Json),
    Column("notes", Json, nullable=False, server_default="[]"),
    Column("gaps", Json, nullable=False, server_default="[]"),
    Column("error", Json),
    Column("lease", Double, nullable=False, server_default="0"),
    Column("pii", Text, nullable=False, server_default="off"),
    Index(
        "contents_unfinished",
        "status",
        sqlite_where=text("status != 'failed'"),
        postgresql_where=text("status != 'failed'"),
    ),
    sqlite_autoincrement=True,
)
"""What was read out of a file; free to read once `lease` (Unix time) is past. `embedded` of `chunks` have vectors.

`pii` is the strictest that requests for it have asked, until no work is left on it."""

documents = Table(
    "documents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("content_id", BigInteger, nullable=False),
    Column("parent_id", Text),
    Column("language", Text, nullable=False),
    Index("documents_content", "content_id"),
    Index("documents_parent", "parent_id"),
    sqlite_with_rowid=False,
)
"""An attachment (same `id`) that is read; `language` is its owner's, `parent_id` the file that it came out of."""

pages = Table(
    "pages",
    metadata,
    Column("content_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("label", Characters, nullable=False),
    Column("text", Characters, nullable=False),
    Column("ocr", Boolean, nullable=False),
    Column("confidence", Double),
    Column("lines", Json),
    Column("hidden", Characters, nullable=False, server_default=""),
)
"""`text` is what a reader of the document sees, `hidden` what nobody sees: no search, quote or summary looks there."""

chunks = Table(
    "chunks",
    metadata,
    Column("content_id", BigInteger, primary_key=True, autoincrement=False),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("page", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("heading", Characters, nullable=False),
    Index("chunks_page", "content_id", "page", "start"),
    sqlite_with_rowid=False,
)
"""Passages that are matched: characters `start` to `end` of their page."""

segments = Table(
    "segments",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("content_id", BigInteger, nullable=False),
    Column("first", Integer, nullable=False),
    Column("lengths", LargeBinary, nullable=False),
    Index("segments_content", "content_id"),
    sqlite_autoincrement=True,
)
"""Runs of chunks from ordinal `first` on, with the number of terms of each as uint16."""

postings = Table(
    "postings",
    metadata,
    Column("segment_id", BigInteger, primary_key=True, autoincrement=False),
    Column("term", BigInteger, primary_key=True, autoincrement=False),
    Column("hits", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""By hash of a term: uint32 of (position in the segment << 8 | count, at most 255)."""

embedded_files = Table(
    "embedded_files",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("content_id", BigInteger, nullable=False),
    Column("name", Characters, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Index("embedded_files_content", "content_id"),
)
"""Files that a content carries, as an e-mail does, in their order."""

cache = Table(
    "cache",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""Results by key; a key starts with the SHA-256 of its file."""

text_vectors = Table(
    "text_vectors",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("used", Double, nullable=False),
    sqlite_with_rowid=False,
)
"""Float32 vectors by hash of model, role and text; `used` (Unix time) is when a process last loaded it."""

actions = Table(
    "actions",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("kind", Text, nullable=False),
    Column("user_id", Characters, nullable=False),
    Column("facts", Json, nullable=False),
    Column("hash", Text, nullable=False),
    Index("actions_user", "user_id", "id"),
    sqlite_with_rowid=False,
)
"""The action log, numbered from 1 without gaps; `hash` covers the row and the hash before it. `at` is Unix time."""

memories = Table(
    "memories",
    metadata,
    Column("user_id", Characters, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("persona", Characters, nullable=False, server_default=""),
    Column("kind", Text, nullable=False),
    Column("slot", Characters, nullable=False, server_default=""),
    Column("text", Characters, nullable=False),
    Column("origin", Text, nullable=False),
    Column("session_id", Characters, nullable=False, server_default=""),
    Column("turn_id", Characters, nullable=False, server_default=""),
    Column("created", Double, nullable=False),
    Column("valid_to", Double, nullable=False, server_default="0"),
    Column("superseded_by", Text, nullable=False, server_default=""),
    Column("sensitive", Boolean, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("mark", Text, nullable=False),
    Column("vector", LargeBinary),
    Column("model", Text, nullable=False, server_default=""),
    Index("memories_mark", "user_id", "mark"),
    sqlite_with_rowid=False,
)
"""What is remembered of a user (`stores.memories.items.Memory`); `mark` is a hash of its words, `vector` is float16."""

memory_users = Table(
    "memory_users",
    metadata,
    Column("user_id", Characters, primary_key=True),
    Column("enabled", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Whether a user lets things be remembered, and the number of changes of their items."""

forgotten_memories = Table(
    "forgotten_memories",
    metadata,
    Column("user_id", Characters, primary_key=True),
    Column("turn_id", Characters, primary_key=True),
    Column("mark", Text, primary_key=True),
    sqlite_with_rowid=False,
)
"""Hashes of what a user had forgotten, and the turn in which it was said: that turn does not bring it back."""

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Characters, nullable=False),
    Column("role", Text, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("created", Double, nullable=False),
    Column("quota", Json),
    sqlite_with_rowid=False,
)
"""Users that administrators made; `quota` is what a day may use. Those of API_KEYS are not in it."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Characters, nullable=False),
    Column("name", Characters, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("expires", Double, nullable=False),
    Column("quota", Json),
    Column("hash", Text, nullable=False, unique=True),
    Index("api_keys_user", "user_id", "created"),
    sqlite_with_rowid=False,
)
"""Keys by SHA-256; `expires` is Unix time, 0 for never."""

usage = Table(
    "usage",
    metadata,
    Column("user_id", Characters, primary_key=True),
    Column("key_id", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    Column("turns", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("money", Double, nullable=False),
    Index("usage_day", "day"),
    sqlite_with_rowid=False,
)
"""What each user used with each key on each day (UTC, YYYY-MM-DD); `key_id` is empty without one of `api_keys`."""

profiles = Table(
    "profiles",
    metadata,
    Column("user_id", Characters, primary_key=True),
    Column("profile", Json, nullable=False),
    Column("learned", Json),
    Column("forgotten", Json),
    sqlite_with_rowid=False,
)
"""How users want to be answered: as they set it, what was learned, and marks of what is not to be learned again."""

personas = Table(
    "personas",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Characters, nullable=False),
    Column("name", Characters, nullable=False),
    Column("prompt", Characters, nullable=False),
    Column("tone", Characters, nullable=False),
    Column("tools", Json),
    Column("model", Characters, nullable=False),
    Column("memory", Text, nullable=False),
    Column("opening", Characters, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("created", Double, nullable=False),
    Column("changed", Double, nullable=False),
    Index("personas_owner", "user_id", "name", unique=True),
    sqlite_with_rowid=False,
)
"""Roles that users wrote (`stores.people.personas.Persona`); `shared` ones are for everybody."""

feedback = Table(
    "feedback",
    metadata,
    Column("user_id", Characters, primary_key=True),
    Column("message_id", BigInteger, primary_key=True, autoincrement=False),
    Column("thread_id", Characters, nullable=False),
    Column("vote", Text, nullable=False),
    Column("reasons", Json, nullable=False),
    Column("comment", Characters, nullable=False),
    Column("consent", Boolean, nullable=False),
    Column("created", Double, nullable=False),
    Column("changed", Double, nullable=False),
    Index("feedback_thread", "user_id", "thread_id"),
    sqlite_with_rowid=False,
)
"""Votes of users on answers (`stores.feedback.votes.Vote`)."""

feedback_changes = Table(
    "feedback_changes",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("user_id", Characters, nullable=False),
    Column("slot", Characters, nullable=False),
    Column("value", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("figures", Json, nullable=False),
    Column("created", Double, nullable=False),
    Column("changed", Double, nullable=False),
    Index("feedback_changes_user", "user_id", "slot", "id"),
    sqlite_autoincrement=True,
)
"""Changes that votes proposed and how they did (`stores.feedback.changes.Change`); without a user: for all."""

deletions = Table(
    "deletions",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("user_id", Characters, nullable=False),
    Column("target", Characters, nullable=False),
)
"""Pending deletions over several stores."""

tombstones = Table(
    "tombstones",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("contents", Json, nullable=False),
    Column("files", Json, nullable=False),
)
"""Vectors (number by content id) and files (SHA-256) that a deletion has still to remove."""

conversations = Table(
    "conversations",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("user_id", Characters, nullable=False),
    Column("thread_id", Characters, nullable=False),
    Column("title", Characters, nullable=False, server_default=""),
    Column("titled", Text, nullable=False, server_default=""),
    Column("created", Double, nullable=False),
    Column("active", Double, nullable=False),
    Column("pinned", Boolean, nullable=False),
    Column("archived", Boolean, nullable=False),
    Column("leaf", BigInteger, nullable=False, server_default="0"),
    Column("length", Integer, nullable=False, server_default="0"),
    Column("running", Text, nullable=False, server_default=""),
    Column("newest", BigInteger, nullable=False, server_default="0"),
    Column("indexed", BigInteger, nullable=False, server_default="0"),
    Column("persona", Characters, nullable=False, server_default=""),
    Column("temporary", Boolean, nullable=False, server_default=false()),
    Column("memory", Boolean, nullable=False, server_default=true()),
    Index("conversations_owner", "user_id", "thread_id", unique=True),
    Index(
        "conversations_unindexed",
        "user_id",
        sqlite_where=text("newest > indexed"),
        postgresql_where=text("newest > indexed"),
    ),
    Index("conversations_order", "user_id", "pinned", "active", "id", "archived"),
    sqlite_autoincrement=True,
)
"""A thread of a user. `leaf` is the last message of the path that is shown, `length` the number of messages on it.

`titled` says who gave the title (empty: made of the first question; `model`, `user`), `running` is the run that answers
the leaf, `newest` the last message that was written, `indexed` the last whose words are in `words`. `persona` is
the role that was chosen, by id or name. A `temporary` one has no title and no messages: its row tells that nothing is
kept of it, and when it was last used. `memory` says whether it uses and fills long-term memory. Times are Unix times.
"""

messages = Table(
    "messages",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("conversation_id", BigInteger, nullable=False),
    Column("parent_id", BigInteger, nullable=False),
    Column("depth", Integer, nullable=False),
    Column("role", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("entry", Text, nullable=False),
    Column("summary", Json),
    Column("notes", Characters),
    Index("messages_parent", "conversation_id", "parent_id"),
    sqlite_autoincrement=True,
)
"""A message of the tree of its conversation; `parent_id` is 0 at the root, `depth` the number of messages before it.

`entry` is JSON. Of an answer, `summary` is what had left the model's window by then (its `text`, and how many `turns`
were still in the window), and `notes` what later turns are told of the files of this one.
"""

words = Table(
    "words",
    metadata,
    Column("owner", BigInteger, primary_key=True, autoincrement=False),
    Column("word", LargeBinary, primary_key=True),
    Column("conversation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", BigInteger, nullable=False),
    Index("words_conversation", "conversation_id"),
    sqlite_with_rowid=False,
)
"""The words of conversations in UTF-8, by hash of the user, with the newest message that holds each; 0 for a title."""


tool_sources = Table(
    "tool_sources",
    metadata,
    Column("name", Characters, primary_key=True),
    Column("config", Json),
    Column("changed_by", Characters, nullable=False, server_default=""),
    Column("changed", Double, nullable=False, server_default="0"),
    Column("approved", Double),
)
"""A source of foreign tools; without `config` it is named elsewhere. Times are Unix times: `approved`, when what it
listed first was taken as approved."""

tool_pins = Table(
    "tool_pins",
    metadata,
    Column("source", Characters, primary_key=True),
    Column("tool", Characters, primary_key=True),
    Column("version", Text, nullable=False),
    Column("definition", Json, nullable=False),
    Column("approved_by", Characters, nullable=False),
    Column("approved", Double, nullable=False),
)
"""The approved definition of each tool of a source; `version` is its hash."""

grants = Table(
    "grants",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("user_id", Characters, nullable=False),
    Column("thread_id", Characters, nullable=False),
    Column("rule", Json, nullable=False),
    Column("created", Double, nullable=False),
    Index("grants_user", "user_id", "thread_id"),
    sqlite_autoincrement=True,
)
"""Rules of users about tools; one with an empty thread holds in all of the user's threads."""

shares = Table(
    "shares",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("user_id", Characters, nullable=False),
    Column("thread_id", Characters, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
    Column("created", Double, nullable=False),
    Column("expires", Double, nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("with_files", Boolean, nullable=False),
    Column("with_quotes", Boolean, nullable=False),
    Column("shown", Json, nullable=False),
    Column("files", Json, nullable=False),
    Index("shares_thread", "user_id", "thread_id"),
    sqlite_autoincrement=True,
)
"""Links by SHA-256 of their token: what each shows, and the ids of the files that it gives out. Times are Unix times,
`opened` is how often it was."""
