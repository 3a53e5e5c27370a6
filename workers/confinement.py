"""What the kernel takes from a child for good: files, processes, sockets and capabilities that its job does not need.

A hostile file that takes a reader over is left with that file, Python's own files and the channel to the server.
Landlock (https://docs.kernel.org/userspace-api/landlock.html, Linux 5.13) limits paths; a seccomp filter
(https://docs.kernel.org/userspace-api/seccomp_filter.html) refuses system calls. Both are called by number: what PyPI
has for them are single pre-releases, or needs a library of the system.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import platform
import resource
import struct
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

_PR_SET_DUMPABLE, _PR_GET_SECCOMP, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 4, 21, 22, 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_READ_FILE, _READ_DIR, _EXECUTE, _DEVICE_IOCTL = 1 << 2, 1 << 3, 1 << 0, 1 << 15
_RIGHTS = (0, 13, 14, 15, 15, 16)
"""Number of rights over files by version of Landlock; later versions have as many."""
_SYSTEM = (
    "/usr", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/etc/mime.types",
    "/etc/os-release", "/etc/nsswitch.conf", "/etc/ssl/openssl.cnf", "/dev/null", "/dev/zero",
    "/dev/urandom", "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices", "/sys/bus",
    "/sys/class", "/sys/fs/cgroup",
)  # fmt: skip
_SOURCE = Path(__file__).resolve().parent.parent


@functools.cache
def system_paths() -> tuple[str, ...]:
    """Return what every child may read: the system's libraries, Python, its packages and ours; no settings, no data."""
    packages = [entry for entry in _SOURCE.iterdir() if entry.suffix == ".py" or (entry / "__init__.py").is_file()]
    return (*_SYSTEM, sys.prefix, sys.base_prefix, sys.exec_prefix, *map(str, packages))


def missing() -> list[str]:
    """Return what this kernel, or the container around it, cannot do: some of `Landlock`, `seccomp`."""
    return [name for name, there in (("Landlock", _landlock()), ("seccomp", _seccomp())) if not there]


def hide_memory() -> None:
    """Keep other processes of this user from reading memory and environment of this one."""
    if sys.platform == "linux":
        _libc().prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def confine(readable: Iterable[Path], writable: Iterable[Path], *, threads: bool) -> None:
    """Confine this process for good. Where the kernel lacks a part (see `missing`), the others stand alone.

    Args:
        readable: Files and folders that it may read, beside `system_paths`.
        writable: Folders that it may change.
        threads: Whether it may start threads where there is no seccomp, which alone tells them from processes.

    Raises:
        OSError: The kernel has a part but refuses to apply it.
    """
    if sys.platform != "linux":
        return
    libc = _libc()
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    if version := _landlock():
        _limit_paths(libc, version, [*system_paths(), *map(str, readable)], list(map(str, writable)))
    _drop_capabilities(libc)
    hide_memory()
    if _seccomp():
        _limit_calls(libc)
    elif not threads:
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def _landlock() -> int:
    """Return the version of Landlock, 0 where there is none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_libc().syscall(_CREATE_RULESET, None, 0, 1)))


def _seccomp() -> bool:
    if sys.platform != "linux" or platform.machine() not in _MACHINES:
        return False
    return int(_libc().prctl(_PR_GET_SECCOMP, 0, 0, 0, 0)) >= 0


def _limit_paths(libc: ctypes.CDLL, version: int, readable: Sequence[str], writable: Sequence[str]) -> None:
    everything = (1 << _RIGHTS[min(version, len(_RIGHTS) - 1)]) - 1
    network = 0b11 if version >= 4 else 0  # neither bind nor connect
    scopes = 0b11 if version >= 6 else 0  # neither abstract sockets nor signals of others
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = _check(libc.syscall(_CREATE_RULESET, struct.pack("QQQ", everything, network, scopes), size, 0))
    reading = _READ_FILE | _READ_DIR
    for path, rights in (
        *((path, reading) for path in readable),
        *((path, everything & ~(_EXECUTE | _DEVICE_IOCTL)) for path in writable),
    ):
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        if not os.path.isdir(path):
            rights &= _READ_FILE | 1 << 1 | 1 << 14  # of a file: read, write, truncate
        _check(libc.syscall(_ADD_RULE, ruleset, 1, struct.pack("=Qi", rights & everything, fd), 0))
        os.close(fd)
    _check(libc.syscall(_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    _check(libc.capset(struct.pack("Ii", 0x20080522, 0), bytes(24)))


# System calls by machine: (architecture in audit.h, numbers). Refused: sockets but the ones that are open, programs,
# processes, groups and namespaces, looking into other processes, and what reaches around this filter (io_uring, bpf).
_MACHINES: dict[str, tuple[int, dict[str, int]]] = {
    "x86_64": (0xC000003E, {
        "socket": 41, "connect": 42, "accept": 43, "bind": 49, "listen": 50, "socketpair": 53, "accept4": 288,
        "clone": 56, "fork": 57, "vfork": 58, "execve": 59, "execveat": 322, "kill": 62, "tkill": 200, "tgkill": 234,
        "ptrace": 101, "setpgid": 109, "setsid": 112, "personality": 135, "pivot_root": 155, "chroot": 161,
        "mount": 165, "umount2": 166, "add_key": 248, "request_key": 249, "keyctl": 250, "unshare": 272,
        "perf_event_open": 298, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "bpf": 321,
        "userfaultfd": 323,
    }),
    "aarch64": (0xC00000B7, {
        "socket": 198, "socketpair": 199, "bind": 200, "listen": 201, "accept": 202, "connect": 203, "accept4": 242,
        "clone": 220, "execve": 221, "execveat": 281, "kill": 129, "tkill": 130, "tgkill": 131, "ptrace": 117,
        "setpgid": 154, "setsid": 157, "personality": 92, "pivot_root": 41, "chroot": 51, "mount": 40, "umount2": 39,
        "add_key": 217, "request_key": 218, "keyctl": 219, "unshare": 97, "perf_event_open": 241, "setns": 268,
        "process_vm_readv": 270, "process_vm_writev": 271, "bpf": 280, "userfaultfd": 282,
    }),
}  # fmt: skip
_EVERYWHERE = {"pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
               "pidfd_open": 434, "pidfd_getfd": 438, "process_madvise": 440}  # fmt: skip
_CLONE3 = 435
_CLONE_THREAD = 0x10000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000


def _limit_calls(libc: ctypes.CDLL) -> None:
    architecture, numbers = _MACHINES[platform.machine()]
    calls = numbers | _EVERYWHERE
    refuse = _ERRNO | errno.EPERM
    program = [
        (_LOAD, 0, 0, 4), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0), (_AT_LEAST, 0, 1, 0x40000000), (_RETURN, 0, 0, refuse),  # x32
        (_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),  # libc then uses clone, whose flags are seen
    ]  # fmt: skip
    for name in ("kill", "tgkill"):  # of itself alone: abort() is a kill
        number = calls.pop(name)
        program += [
            (_EQUAL, 0, 4, number), (_LOAD, 0, 0, 16), (_EQUAL, 0, 1, os.getpid()), (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, refuse),
        ]  # fmt: skip
    program += [
        (_EQUAL, 0, 4, calls.pop("clone")), (_LOAD, 0, 0, 16), (_ANY_BIT, 0, 1, _CLONE_THREAD), (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, refuse),
    ]  # fmt: skip
    for number in calls.values():
        program += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, refuse)]
    program.append((_RETURN, 0, 0, _ALLOW))
    code = b"".join(struct.pack("HBBI", *line) for line in program)
    buffer = ctypes.create_string_buffer(code)
    packed = struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer))
    _check(libc.prctl(_PR_SET_SECCOMP, 2, packed, 0, 0))
