"""What makes the action log evident when it is changed: a chain of keyed hashes, and what lies outside the database.

Two files in DATA_DIR, readable by the service alone: the secret of the hashes, without which nobody who can write to
the database can forge an entry, and the newest entry that this installation knows of, by which a cut end is seen.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select

from stores.sql.tables import actions

SECRET_FILE = "actions.key"
HEAD_FILE = "actions.head"
SECRET_BYTES = 32
BATCH = 1000


class Head(NamedTuple):
    """An entry of the log by its number, from 1, and its hash."""

    id: int = 0
    hash: str = ""


class Fault(NamedTuple):
    """The first entry that is not as it was written, or the first that is missing."""

    kind: str
    """`altered` or `missing`."""
    id: int


class Verdict(NamedTuple):
    """What a check of the whole log found; times are Unix seconds."""

    entries: int
    first: float
    last: float
    fault: Fault | None
    end_known: bool
    """Whether there is a record of the end outside the database; without one a cut end is not seen."""


class Chain:
    """The secret of an installation, and the record of its newest entry. Blocks: for threads."""

    def __init__(self, folder: Path) -> None:
        """Read the secret in `folder`, or make one; of several processes at once one makes it for all."""
        folder.mkdir(parents=True, exist_ok=True)
        self._head_file = folder / HEAD_FILE
        path = folder / SECRET_FILE
        if not path.exists():
            own = folder / f".{SECRET_FILE}.{secrets.token_hex(8)}"
            with open(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_hex(SECRET_BYTES).encode())
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(own, path)
            except FileExistsError:
                pass
            finally:
                own.unlink()
        self._secret = bytes.fromhex(path.read_text().strip())

    def seal(self, before: str, entry: list[Any]) -> str:
        """Return the hash of an entry: number, time, kind, user, facts; `before` is the hash of the one before it."""
        text = json.dumps([before, *entry], sort_keys=True, separators=(",", ":"))
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()

    def mark(self, value: str) -> str:
        """Return what stands for a text in the log: equal for equal texts, and to nobody else a way to guess it."""
        return hmac.new(self._secret, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]

    def known_head(self) -> Head | None:
        """Return the newest entry on record."""
        try:
            number, sealed = self._head_file.read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        return Head(int(number), sealed)

    def record_head(self, head: Head) -> None:
        """Put an entry on record, unless a later one is."""
        with open(os.open(self._head_file, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            known = file.read().split()
            if not known or int(known[0]) < head.id:
                file.seek(0)
                file.write(f"{head.id} {head.hash}\n")
                file.truncate()

    def verify(self, db: Connection) -> Verdict:
        """Go through the whole log, from its oldest entry to the end on record."""
        known = self.known_head()
        entries, started, ended, last = 0, 0.0, 0.0, 0
        fault: Fault | None = None
        for row, wrong in self._walk(db):
            started = started or row.at
            entries, ended, last, fault = entries + 1, row.at, row.id, fault or wrong
            if known is not None and row.id == known.id and row.hash != known.hash:
                fault = fault or Fault("altered", row.id)
        if known is not None and known.id > last:
            fault = fault or Fault("missing", last + 1)
        return Verdict(entries, started, ended, fault, known is not None or not entries)

    def end_of_old(self, db: Connection, before: float) -> Head:
        """Return the last of the oldest entries that were written before a Unix time; none where one is not whole.

        What is not whole is evidence, and a time that was altered must not let it be removed.
        """
        last = Head()
        with closing(self._walk(db)) as walk:
            for row, wrong in walk:
                if wrong:
                    return Head()
                if row.at >= before:
                    break
                last = Head(row.id, row.hash)
        return last

    def _walk(self, db: Connection) -> Generator[tuple[Row[Any], Fault | None], None, None]:
        """Yield each entry and what is wrong with it."""
        last: Head | None = None
        with db.execute(select(actions).order_by(actions.c.id).execution_options(yield_per=BATCH)) as rows:
            for row in rows:
                yield row, self._fault(row, last or _before(db, row))
                last = Head(row.id, row.hash)

    def _fault(self, row: Row[Any], before: Head) -> Fault | None:
        if row.id != before.id + 1:
            return Fault("missing", before.id + 1)
        entry = [row.id, row.at, row.kind, row.user_id, row.facts]
        return None if hmac.compare_digest(row.hash, self.seal(before.hash, entry)) else Fault("altered", row.id)


def _before(db: Connection, first: Row[Any]) -> Head:
    """Return what stood before the oldest entry: nothing, or what the newest entry about a trimming says."""
    if first.id == 1:
        return Head()
    newest = select(actions.c.facts).where(actions.c.kind == "trim").order_by(actions.c.id.desc()).limit(1)
    facts = db.scalar(newest) or {}
    return Head(int(facts.get("through", 0)), str(facts.get("hash", "")))
