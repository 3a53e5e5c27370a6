"""What would stop a start, found out before anything is opened, and said in one sentence with its remedy."""

from __future__ import annotations

import errno
import fcntl
import logging
import re
import socket
import sqlite3
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NoReturn
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr, ValidationError
from pydantic_settings import SettingsError
from sqlalchemy.exc import DatabaseError

from api.edge.local_callers import is_loopback
from domain.errors import AppError
from domain.sealing import Keyring
from domain.words import Language, Words
from settings import MiB, Settings
from stores import encryption
from stores.disk import is_disk_full
from stores.sql.encrypted import driver, unlock
from tools.sources.config import BadSource, read_tools_file

logger = logging.getLogger(__name__)

LANGUAGES: tuple[Language, Language] = ("en", "zh")
BAD_START = 2
"""Exit code of a server that could not start."""
CHROMA_SECONDS = 5.0
CHECKED_BYTES = 32 * MiB
"""A database up to this size is read through; of a larger one only the head is looked at."""
_WEB = ("http", "https")
_SCHEMES: Mapping[str, tuple[str, ...]] = {
    "redis_url": ("redis", "rediss", "unix"),
    "database_url": ("postgresql", "postgres", "postgresql+psycopg", "sqlite"),
    "dashscope_websocket_url": ("ws", "wss"),
}
NEEDS_KEYS = Words(
    "The server would listen on {host}, where others can reach it, but API_KEYS is empty. Set API_KEYS, or "
    "HOST=127.0.0.1.",
    "服务将监听 {host}，其他机器可以访问，但未设置 API_KEYS。请设置 API_KEYS，或使用 HOST=127.0.0.1。",
)
NO_PORT = Words(
    "Port {port} on {host} cannot be used ({why}). Set PORT to a free one, or end the program that has it.",
    "无法使用 {host} 的端口 {port}（{why}）。请把 PORT 设为空闲端口，或结束占用它的程序。",
)
NO_FOLDER = Words(
    "DATA_DIR ({folder}) cannot be written to ({why}). Choose a folder that the service may write to.",
    "无法写入 DATA_DIR（{folder}）：{why}。请选择服务有写入权限的目录。",
)
DAMAGED = Words(
    "{file} is damaged. Restore it from a backup, or move it away to begin without what it held.",
    "{file} 已损坏。请从备份恢复，或将其移走后重新开始（其中的内容将丢失）。",
)
TWO_SERVERS = Words(
    "Another server keeps its vectors in {folder}. Give this one a DATA_DIR of its own, or both one Chroma server "
    "(CHROMA_URL).",
    "另一个服务正在使用 {folder} 中的向量库。请为本服务另设 DATA_DIR，或让两者共用一个 Chroma 服务器（CHROMA_URL）。",
)
NO_CHROMA = Words(
    "The Chroma server at CHROMA_URL does not answer. Start it, or unset CHROMA_URL to use the embedded one.",
    "CHROMA_URL 指定的 Chroma 服务器没有响应。请启动它，或取消该设置以使用内置向量库。",
)
BAD_URL = Words(
    "{name} is not a URL that starts with {schemes}. Correct it, or unset it.",
    "{name} 不是以 {schemes} 开头的网址。请改正或取消该设置。",
)
BAD_HOSTS = Words(
    "FETCH_ALLOW_HOSTS is not a list of host:port pairs with commas between. Correct it, or unset it.",
    "FETCH_ALLOW_HOSTS 不是以逗号分隔的 host:port 列表。请改正或取消该设置。",
)
NO_CLIENT = Words(
    "OIDC_ISSUER is set, but OIDC_CLIENT_ID is empty or OIDC_SCOPES has no openid. Set them, or unset OIDC_ISSUER.",
    "已设置 OIDC_ISSUER，但 OIDC_CLIENT_ID 为空，或 OIDC_SCOPES 中没有 openid。请补全，或取消 OIDC_ISSUER。",
)
BAD_TOOLS = Words(
    "{file}, which names sources of tools, has a fault ({reason}). Correct it, or set TOOLS_FILE to another.",
    "{file}（工具来源的配置文件）有误：{reason}。请改正，或将 TOOLS_FILE 设为其他文件。",
)
NO_FILE = Words(
    "{name} names {path}, which is not there. Correct it, or unset it.",
    "{name} 指定的 {path} 不存在。请改正或取消该设置。",
)
BAD_JSON = Words("{name} is not valid JSON. Correct it, or unset it.", "{name} 不是有效的 JSON。请改正或取消该设置。")
BAD_VALUE = Words("{name} is not valid: {why}. Correct it, or unset it.", "{name} 的值无效。请改正或取消该设置。")
FAILED = Words(
    "The server cannot start: {why}. See the lines above, and the settings in .env.example.",
    "服务无法启动：{why}。请查看上面的日志，以及 .env.example 中的设置。",
)

_WHY = {
    errno.EADDRINUSE: Words("it is in use", "已被占用"),
    errno.EADDRNOTAVAIL: Words("this machine has no such address", "本机没有该地址"),
    errno.EACCES: Words("not allowed", "没有权限"),
    errno.EPERM: Words("not allowed", "没有权限"),
    errno.EROFS: Words("it is read-only", "只读"),
    errno.ENOTDIR: Words("a part of it is a file", "路径中有文件而非目录"),
    errno.EEXIST: Words("it is a file", "是文件而非目录"),
    errno.EISDIR: Words("a folder stands where a file should", "应为文件之处是目录"),
    errno.ENAMETOOLONG: Words("its name is too long", "名称过长"),
}
_locks: list[IO[bytes]] = []
"""Held for as long as the process lives."""


class StartFault(Exception):
    """Why the server cannot start, and what to do about it."""

    def __init__(self, text: Words, **details: object) -> None:
        self.words = Words(*(text.text(language).format(**_in(language, details)) for language in LANGUAGES))
        super().__init__(self.words.en)


def _in(language: Language, details: Mapping[str, object]) -> dict[str, object]:
    return {name: it.text(language) if isinstance(it, Words) else it for name, it in details.items()}


def give_up(fault: Exception, language: Language) -> NoReturn:
    """Say why the server cannot start, and end the process."""
    sys.stderr.write(fault_words(fault).text(language) + "\n")
    sys.exit(BAD_START)


def fault_words(fault: Exception) -> Words:
    """Return the sentence for whatever stopped a start."""
    if isinstance(fault, StartFault):
        return fault.words
    if isinstance(fault, AppError):
        return Words(*(f"{body['message']} {body['remedy']}" for body in (fault.body("en"), fault.body("zh"))))
    if isinstance(fault, SettingsError):
        name = re.search(r'field "(\w+)"', str(fault))
        return StartFault(BAD_JSON, name=name[1].upper() if name else "A setting").words
    if isinstance(fault, ValidationError):
        first = fault.errors(include_url=False, include_input=False)[0]
        return StartFault(BAD_VALUE, name=str(first["loc"][0]).upper(), why=first["msg"]).words
    if isinstance(fault, sqlite3.DatabaseError | DatabaseError) and not is_disk_full(fault):
        return StartFault(DAMAGED, file="DATA_DIR/catalog.sqlite3").words
    logger.error("the server cannot start", exc_info=fault)
    return StartFault(FAILED, why=type(fault).__name__).words


def check_start(settings: Settings) -> list[socket.socket]:
    """Return the sockets to serve on, bound; nothing listens yet.

    Raises:
        StartFault: The server cannot start with these settings, or not now.
    """
    if not is_loopback(settings.host) and not settings.has_users:
        raise StartFault(NEEDS_KEYS, host=settings.host)
    _check_values(settings)
    try:
        read_tools_file(settings.tools_file)
    except BadSource as exc:
        raise StartFault(BAD_TOOLS, file=settings.tools_file, reason=exc.details["reason"]) from exc
    _check_folder(settings.data_dir)
    check_keys(settings)
    if settings.database_url is None:
        _check_database(settings.data_dir / "catalog.sqlite3", settings.keyring)
    if settings.chroma_url:
        _check_chroma(settings.chroma_url)
    else:
        _check_database(settings.data_dir / "chroma" / "chroma.sqlite3", Keyring())
        _lock(settings.data_dir / "chroma.lock")
    return _bind(settings.host, settings.port)


def check_keys(settings: Settings) -> None:
    """Make sure that DATA_DIR is under the key of ENCRYPTION_KEY.

    Raises:
        StartFault: It is not.
    """
    if (words := encryption.fault(settings)) is not None:
        raise StartFault(words)


def _why(error: OSError) -> Words:
    return _WHY.get(error.errno or 0, Words(f"error {error.errno}", f"错误 {error.errno}"))


def _check_values(settings: Settings) -> None:
    for name in Settings.model_fields:
        value = getattr(settings, name)
        value = value.get_secret_value() if isinstance(value, SecretStr) else value
        if isinstance(value, str) and name.endswith(("_url", "_endpoint", "_issuer")):
            schemes = _SCHEMES.get(name, _WEB)
            if not _is_url(value, schemes):
                raise StartFault(BAD_URL, name=name.upper(), schemes=", ".join(f"{one}://" for one in schemes))
    if not all(
        re.fullmatch(r"[^:\s/]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5}", host) for host in settings.fetch_allow_hosts
    ):
        raise StartFault(BAD_HOSTS)
    if settings.oidc_issuer and not (settings.oidc_client_id and "openid" in settings.oidc_scopes.split()):
        raise StartFault(NO_CLIENT)
    for name in ("embedded_gguf", "ocr_models"):
        if (path := getattr(settings, name)) is not None and not path.exists():
            raise StartFault(NO_FILE, name=name.upper(), path=path)


def _is_url(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.hostname or (parts.scheme in ("unix", "sqlite") and parts.path))


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        for name in ("redis/owner.lock", "redis/redis.sock"):
            if (folder / name).is_dir():
                raise IsADirectoryError(errno.EISDIR, name)
    except OSError as exc:
        if not is_disk_full(exc):  # that is told of by health, and lets things be deleted
            raise StartFault(NO_FOLDER, folder=folder, why=_why(exc)) from exc


def _check_database(file: Path, keyring: Keyring) -> None:
    if not file.is_file() or not file.stat().st_size:
        return
    key = keyring.of_database[0] if keyring else None
    module = driver(key)
    try:
        with module.connect(file, timeout=1) as db:
            if key is not None:
                unlock(db, key)
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if file.stat().st_size < CHECKED_BYTES and db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise module.DatabaseError("malformed")
        db.close()
    except module.OperationalError:
        return  # another process writes to it, or the disk is full: opening it will tell
    except module.DatabaseError as exc:
        raise StartFault(DAMAGED, file=file) from exc


def _check_chroma(url: str) -> None:
    try:
        httpx.get(f"{url.rstrip('/')}/api/v2/heartbeat", timeout=CHROMA_SECONDS, trust_env=False)
    except httpx.HTTPError as exc:
        raise StartFault(NO_CHROMA) from exc


def _lock(file: Path) -> None:
    """Hold the embedded vector store for this process alone: a second one's writes would be lost in silence."""
    try:
        lock = file.open("ab")
    except OSError:  # a full disk
        return
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        lock.close()
        raise StartFault(TWO_SERVERS, folder=file.parent) from exc
    _locks.append(lock)


def _bind(host: str, port: int) -> list[socket.socket]:
    bound: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            one = socket.socket(family, kind, protocol)
            bound.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind(address)
    except OSError as exc:
        for one in bound:
            one.close()
        raise StartFault(NO_PORT, host=host, port=port, why=_why(exc)) from exc
    return bound
