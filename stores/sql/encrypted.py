"""SQLite with SQLCipher: every page of the file and of its log encrypted, everything else as in SQLite."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import ModuleType
from typing import Any, Final, cast

PLAIN_HEAD: Final = b"SQLite format 3\x00"


def driver(key: bytes | None) -> ModuleType:
    """Return the DB-API module for a file under `key`, or for a plain one."""
    if key is None:
        return sqlite3
    from sqlcipher3 import dbapi2

    return cast(ModuleType, dbapi2)


def driver_errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """Return what the modules raise where SQLAlchemy does not wrap it, and `others`."""
    return (sqlite3.Error, driver(b"").Error, *others)


def unlock(db: Any, key: bytes) -> None:
    """Give a connection its key: the first thing that is done with it."""
    db.execute("PRAGMA cipher_log_level = NONE")
    db.execute(f"PRAGMA key = {_quoted(key)}")


def is_readable(file: Path, key: bytes | None) -> bool:
    """Tell whether a database is under this key, or a plain one; an empty file is under every key."""
    with file.open("rb") as opened:
        head = opened.read(len(PLAIN_HEAD))
    if not head or key is None or head == PLAIN_HEAD:
        return not head or (key is None) == (head == PLAIN_HEAD)
    db = driver(key).connect(file, timeout=1)
    try:
        unlock(db, key)
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except driver(key).OperationalError:
        return True  # busy, or the disk is full
    except driver(key).DatabaseError:
        return False
    finally:
        db.close()
    return True


def rewrite(file: Path, old: bytes | None, new: bytes | None, scratch: Path) -> None:
    """Put a copy of a database under another key in its place, by way of the file `scratch`.

    Raises:
        sqlcipher3.dbapi2.OperationalError: Somebody uses it, or the disk is full.
    """
    from sqlcipher3 import dbapi2

    scratch.unlink(missing_ok=True)
    db = dbapi2.connect(str(file), isolation_level=None)
    try:
        if old is not None:
            unlock(db, old)
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute(
            "PRAGMA journal_mode = DELETE"
        )  # takes the lock, and leaves no log behind that belongs to the old file
        db.execute(f"ATTACH DATABASE ? AS target KEY {_quoted(new) if new is not None else repr('')}", (str(scratch),))
        db.execute("SELECT sqlcipher_export('target')")
        db.execute("DETACH DATABASE target")
    finally:
        db.close()
    scratch.replace(file)


def _quoted(key: bytes) -> str:
    return f"\"x'{key.hex()}'\""
