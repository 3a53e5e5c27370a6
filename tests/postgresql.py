"""A PostgreSQL server for the tests: Debian's, on a unix socket in a folder of its own, one a session."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

OPTIONS = "-c listen_addresses='' -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=60"


def programs() -> Path | None:
    """Return the folder of `initdb`, `pg_ctl` and `psql`, of the newest version that is installed."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    on_path = shutil.which("initdb")
    return debian[-1] if debian else Path(on_path).parent if on_path else None


def _account() -> dict[str, Any]:
    """Return whom the server runs as: it refuses to run as root."""
    if os.getuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


class PostgresServer:
    """A running server; `database` makes an empty database and drops it afterwards."""

    def __init__(self, folder: Path, bin: Path, account: dict[str, Any]) -> None:
        self._folder, self._bin, self._account = folder, bin, account

    def run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._bin / program, *arguments], cwd=self._folder, capture_output=True, text=True, check=False,
            **self._account,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        data = str(self._folder / "data")
        # "C" collation sorts by code point, as SQLite does.
        self.run("initdb", "-D", data, "-U", "tester", "-E", "UTF8", "--locale=C", "-A", "trust", "--no-sync")
        options = f"{OPTIONS} -c unix_socket_directories={self._folder}"
        # Its log goes to a file: with a pipe `run` would wait for the server's own end.
        self.run("pg_ctl", "-D", data, "-l", str(self._folder / "log"), "-w", "-o", options, "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop")

    def sql(self, statement: str, database: str = "postgres") -> None:
        self.run("psql", "-qX", "-h", str(self._folder), "-U", "tester", "-d", database, "-c", statement)

    def url(self, name: str) -> str:
        return f"postgresql://tester@/{name}?host={self._folder}"

    @contextmanager
    def database(self, encoding: str = "UTF8") -> Iterator[str]:
        """Make an empty database; give its URL."""
        name = f"t{uuid.uuid4().hex[:12]}"
        self.sql(f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0")
        try:
            yield self.url(name)
        finally:
            self.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    """A server of the session; skips where PostgreSQL is not installed."""
    found = programs()
    if found is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    account = _account()
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if account:
        os.chown(folder, account["user"], account["group"])
    server = PostgresServer(folder, found, account)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
