"""Under which key DATA_DIR is, and `llmchat rekey`, which changes that.

A file says which key it is, by a name that tells nothing of the key. A change of keys is noted there before it begins
and goes on where it was cut off; the server starts only when none is under way. Everything is rewritten, but the tables
of documents, which are made anew from what is kept.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import os
import shutil
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Final

from domain.errors import DiskFull, MemoryUnavailable
from domain.sealing import FileSealer, Keyring, WrongKey
from domain.words import Language, Words
from settings import Settings
from stores.disk import is_disk_full
from stores.redis.resealing import reseal_memory
from stores.sql.database import database_url
from stores.sql.encrypted import driver, is_readable, rewrite
from workers.memory_file import readable

STATE_FILE: Final = "encryption.json"
HELD: Final = ("catalog.sqlite3", "attachments", "redis/appendonlydir", "privacy.key")
"""What tells that a folder was in use."""
LOCKS: Final = ("chroma.lock", "redis/owner.lock")
BLOCK_BYTES: Final = 1024 * 1024
BAD_START: Final = 2
NEEDS_KEY = Words(
    "DATA_DIR is encrypted. Set ENCRYPTION_KEY to its key.", "DATA_DIR 已加密。请将 ENCRYPTION_KEY 设为对应的密钥。"
)
OTHER_KEY = Words(
    "DATA_DIR is encrypted with another key. Set ENCRYPTION_KEY to that one, or to a new one and that one with a comma "
    "between, and run `llmchat rekey`.",
    "DATA_DIR 是用另一把密钥加密的。请将 ENCRYPTION_KEY 设为那把密钥；若要更换，请设为“新密钥,旧密钥”，"
    "然后运行 `llmchat rekey`。",
)
REKEY_FIRST = Words(
    "DATA_DIR is not encrypted with the first key of ENCRYPTION_KEY yet. Run `llmchat rekey`, or put the key "
    "that it is encrypted with first.",
    "DATA_DIR 尚未用 ENCRYPTION_KEY 的第一把密钥加密。请运行 `llmchat rekey`，或把当前使用的密钥放在最前。",
)
CUT_SHORT = Words(
    "A change of the key of DATA_DIR was cut short. Set ENCRYPTION_KEY to both keys and run `llmchat rekey` again.",
    "DATA_DIR 的密钥更换中途中断。请将 ENCRYPTION_KEY 设为新旧两把密钥，再次运行 `llmchat rekey`。",
)
PURPOSE = Words(
    "Encrypt DATA_DIR with the first key of ENCRYPTION_KEY, or go over to it from the keys behind it. Stop the server "
    "first.",
    "用 ENCRYPTION_KEY 的第一把密钥加密 DATA_DIR；若已用后面的密钥加密，则改用第一把。请先停止服务。",
)
OFF = Words("decrypt everything instead", "改为全部解密")
NO_KEY = Words(
    "ENCRYPTION_KEY is empty. Set it to a random text: openssl rand -hex 32.",
    "未设置 ENCRYPTION_KEY。请将其设为随机文本：openssl rand -hex 32。",
)
RUNNING = Words("A server uses DATA_DIR. Stop it first.", "有服务正在使用 DATA_DIR，请先停止。")
NO_ROOM = Words(
    "The disk is full: the largest file is written a second time before the old one goes. Free some room and run it "
    "again.",
    "磁盘已满：改写时需要为最大的文件留出一份空间。请腾出空间后再次运行。",
)
WITHOUT_MEMORY = Words(
    "Without its folder DATA_DIR/redis the change goes on; questions that wait for an answer go with it, and what is "
    "known of calls that must not be made twice.",
    "删除 DATA_DIR/redis 目录后可以继续，但等待回答的问题以及“不得重复执行的调用”记录会随之丢失。",
)
DONE = Words(
    "{files} files and {databases} database are under the new key. What the old key is needed for is gone: it may be "
    "removed from ENCRYPTION_KEY.",
    "{files} 个文件和 {databases} 个数据库已改用新密钥。旧密钥不再需要，可从 ENCRYPTION_KEY 中移除。",
)
DECRYPTED = Words(
    "{files} files and {databases} database are not encrypted any more. Unset ENCRYPTION_KEY.",
    "{files} 个文件和 {databases} 个数据库已解密。请取消 ENCRYPTION_KEY 设置。",
)


def fault(settings: Settings) -> Words | None:
    """Return why the server must not start with these keys; None where they fit.

    A new folder is given to the first key of ENCRYPTION_KEY.
    """
    keyring, state = settings.keyring, _state(settings.data_dir)
    if state is None:
        if not keyring:
            return None
        if any((settings.data_dir / name).exists() for name in HELD):
            return REKEY_FIRST
        _note(settings.data_dir, key=keyring.newest)
        return None
    if "next" in state:
        return CUT_SHORT
    if state["key"] == keyring.newest:
        return None
    if not keyring:
        return NEEDS_KEY
    return REKEY_FIRST if state["key"] in keyring.ids else OTHER_KEY


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Rewrite everything under the first key; return 0, 1 when it did not come to its end, 2 when it did not begin."""
    language = settings.language
    parser = argparse.ArgumentParser(prog="llmchat rekey", description=PURPOSE.text(language))
    parser.add_argument("--off", action="store_true", help=OFF.text(language))
    off = parser.parse_args(arguments).off
    if not settings.keyring:
        return _refuse(NO_KEY.text(language), BAD_START)
    target = Keyring() if off else settings.keyring
    state = _state(settings.data_dir) or {"key": ""}
    if any(key and key not in settings.keyring.ids for key in (state["key"], state.get("next", ""))):
        return _refuse(OTHER_KEY.text(language), BAD_START)
    try:
        with _alone(settings.data_dir):
            files, databases = _rewrite(settings, target, state["key"])
    except BlockingIOError:
        return _refuse(RUNNING.text(language), BAD_START)
    except (WrongKey, MemoryUnavailable, OSError, driver(b"").OperationalError) as exc:
        return _refuse(_cause(exc, language), 1)
    sys.stdout.write((DECRYPTED if off else DONE).text(language).format(files=files, databases=databases) + "\n")
    return 0


def _cause(failure: Exception, language: Language) -> str:
    """Return why a change was cut short; what is no failure of its own is raised again."""
    if isinstance(failure, WrongKey):
        return OTHER_KEY.text(language)
    if isinstance(failure, DiskFull) or is_disk_full(failure):
        return NO_ROOM.text(language)
    if isinstance(failure, MemoryUnavailable):
        said = failure.body(language)
        return " ".join((said["message"], said["remedy"], WITHOUT_MEMORY.text(language)))
    if isinstance(failure, OSError):
        raise failure
    return RUNNING.text(language)


def _rewrite(settings: Settings, target: Keyring, before: str) -> tuple[int, int]:
    """Rewrite what is not under the target's key; return how many files and databases that were."""
    folder, keyring = settings.data_dir, settings.keyring
    if before != target.newest:
        _note(folder, key=before, next=target.newest)
        shutil.rmtree(folder / "tables", ignore_errors=True)
        _rewrite_memory(settings, target)
    files = sum(_reseal(path, folder / "attachments" / "incoming", keyring, target) for path in _uploads(folder))
    for cut_short in folder.glob(".privacy.key.*"):
        cut_short.unlink()
    secret = folder / "privacy.key"
    if secret.is_file():
        value = target.seal(keyring.unseal(secret.read_bytes()))
        scratch = folder / f".privacy.key.{uuid.uuid4().hex}"
        scratch.touch(mode=0o600)
        scratch.write_bytes(value)
        scratch.replace(secret)
    databases = _rewrite_database(settings, target)
    if target:
        _note(folder, key=target.newest)
    else:
        (folder / STATE_FILE).unlink(missing_ok=True)
    return files, databases


def _rewrite_memory(settings: Settings, target: Keyring) -> None:
    memory = settings.data_dir / "redis" / "appendonlydir"
    if settings.redis_url or settings.redis_host:
        shutil.rmtree(memory, ignore_errors=True)  # left from before; what is in use is elsewhere, and not encrypted
    elif memory.is_dir() and not asyncio.run(reseal_memory(settings, target)):
        raise BlockingIOError


def _uploads(folder: Path) -> Iterator[Path]:
    for path in sorted((folder / "attachments").glob("*/*")):
        if path.parent.name == "incoming":
            path.unlink()
        else:
            yield path


def _reseal(path: Path, scratch_folder: Path, keyring: Keyring, target: Keyring) -> bool:
    """Put a copy under the target's key in the place of a file, unless it is; return whether that was needed."""
    if target.is_current(path):
        return False
    scratch_folder.mkdir(parents=True, exist_ok=True)
    scratch = scratch_folder / uuid.uuid4().hex
    with readable(keyring.file(path)) as clear, clear.open("rb") as source, scratch.open("wb") as copy:
        if target:
            sealer = FileSealer(copy, *target.new_file())
            while block := source.read(BLOCK_BYTES):
                sealer.write(block)
            sealer.close()
        else:
            shutil.copyfileobj(source, copy, BLOCK_BYTES)
        copy.flush()
        os.fsync(copy.fileno())  # the only copy from here on, whatever happens to the machine
    scratch.replace(path)
    return True


def _rewrite_database(settings: Settings, target: Keyring) -> int:
    url = database_url(settings)
    file = Path(url.database or "")
    if not url.drivername.startswith("sqlite") or not file.is_file():
        return 0
    new = target.of_database[0] if target else None
    if is_readable(file, new):
        return 0
    for old in (*settings.keyring.of_database, None):
        if is_readable(file, old):
            rewrite(file, old, new, file.with_name(f"{file.name}.rekey"))
            return 1
    raise WrongKey(file.name)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep servers from the folder, and raise BlockingIOError where one uses it."""
    with ExitStack() as stack:
        for name in LOCKS:
            path = folder / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock: IO[bytes] = stack.enter_context(path.open("ab"))
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def _state(folder: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads((folder / STATE_FILE).read_text())
    except FileNotFoundError:
        return None
    return found


def _note(folder: Path, **state: str) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = folder / f".{STATE_FILE}.{uuid.uuid4().hex}"
    scratch.write_text(json.dumps(state))
    scratch.replace(folder / STATE_FILE)


def _refuse(why: str, code: int) -> int:
    sys.stderr.write(why + "\n")
    return code
