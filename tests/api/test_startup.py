"""What stops a start is said in one sentence of the operator's language, before anything is opened; exit code 2."""

from __future__ import annotations

import os
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsError

from api.startup import StartFault, check_start, fault_words
from domain.errors import DiskFull, Unavailable
from domain.words import Words
from settings import Settings

ROOT = Path(__file__).resolve().parents[2]
HAN = re.compile(r"[\u3000-\u9fff]")


def given(folder: Path, **values: Any) -> Settings:
    return Settings(**{"data_dir": folder, "port": 0, "_env_file": None, **values})


def damaged(folder: Path) -> None:
    with sqlite3.connect(folder / "catalog.sqlite3") as db:
        db.execute("CREATE TABLE t (x)")
        db.executemany("INSERT INTO t VALUES (?)", [("x" * 500,)] * 500)
    db.close()
    data = bytearray((folder / "catalog.sqlite3").read_bytes())
    data[8192:20_000] = b"\xff" * (20_000 - 8192)
    (folder / "catalog.sqlite3").write_bytes(data)


def no_database(folder: Path) -> None:
    (folder / "chroma").mkdir()
    (folder / "chroma" / "chroma.sqlite3").write_bytes(b"this is no database at all" * 100)


def lock_is_a_folder(folder: Path) -> None:
    (folder / "redis" / "owner.lock").mkdir(parents=True)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"redis_url": "htp:/x"}, "REDIS_URL is not a URL that starts with redis://, rediss://, unix://"),
        ({"llm_base_url": "localhost:8000"}, "LLM_BASE_URL is not a URL"),
        ({"chroma_url": "http://chroma:port"}, "CHROMA_URL is not a URL"),
        ({"database_url": "mysql://x/y"}, "DATABASE_URL is not a URL that starts with postgresql://"),
        ({"fetch_allow_hosts": "a"}, "FETCH_ALLOW_HOSTS is not a list of host:port"),
        ({"embedded_gguf": "/nope.gguf"}, "EMBEDDED_GGUF names /nope.gguf"),
        ({"chroma_url": "http://127.0.0.1:9"}, "Chroma server at CHROMA_URL does not answer"),
        ({"host": "0.0.0.0"}, "API_KEYS is empty"),
        ({"host": "192.0.2.1", "api_keys": "k"}, "this machine has no such address"),
    ],
)
def test_settings_that_cannot_work_are_named(tmp_path: Path, values: dict[str, Any], said: str) -> None:
    with pytest.raises(StartFault) as fault:
        check_start(given(tmp_path, **values))
    assert said in fault.value.words.en and "\n" not in fault.value.words.en
    assert HAN.search(fault.value.words.zh) and not HAN.search(fault.value.words.en)
    assert os.listdir(tmp_path) in ([], ["chroma.lock"]), "nothing was opened"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (damaged, "catalog.sqlite3 is damaged"),
        (no_database, "chroma.sqlite3 is damaged"),
        (lock_is_a_folder, "a folder stands where a file should"),
    ],
)
def test_damaged_data_is_named(tmp_path: Path, make: Callable[[Path], None], said: str) -> None:
    make(tmp_path)
    with pytest.raises(StartFault, match=said):
        check_start(given(tmp_path))


def test_folders_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / ("x" * 300), Path("/proc/llmchat")):
        with pytest.raises(StartFault, match="DATA_DIR .* cannot be written to"):
            check_start(given(folder))


def test_a_port_that_is_taken_is_named_and_one_that_is_free_is_bound(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(StartFault, match=r"Port \d+ on 127.0.0.1 cannot be used \(it is in use\)"):
            check_start(given(tmp_path, port=taken.getsockname()[1]))
    for one in check_start(given(tmp_path, port=0, host="localhost")):
        assert one.getsockname()[1]
        one.close()


def test_what_fails_later_is_a_sentence_too() -> None:
    assert (
        "does not answer" in fault_words(Unavailable(reason=Words("the database does not answer", "数据库没有响应"))).en
    )
    assert "disk" in fault_words(DiskFull()).en
    assert "catalog.sqlite3 is damaged" in fault_words(sqlite3.DatabaseError("file is not a database")).en
    assert "KeyError" in fault_words(KeyError("x")).en
    with pytest.raises(ValidationError) as wrong:
        Settings(port=70_000, _env_file=None)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SettingsError) as no_json:
        patch.setenv("PERSONAS", "{bad")
        Settings(_env_file=None)
    assert fault_words(no_json.value).zh == "PERSONAS 不是有效的 JSON。请改正或取消该设置。"
    assert fault_words(wrong.value).en.startswith("PORT is not valid: Input should be less than or equal to 65535")


def run(folder: Path, **env: str) -> tuple[int, str]:
    """Start the server as a user does; return exit code and what it printed."""
    kept: Mapping[str, str] = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "server"], cwd=ROOT, env={**kept, "DATA_DIR": str(folder), **env},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr + done.stdout


def test_the_process_ends_with_one_sentence_in_the_operators_language(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, printed = run(tmp_path, PORT=str(taken.getsockname()[1]), LANG="zh_CN.UTF-8")
    assert code == 2 and printed.count("\n") == 1 and "请把 PORT 设为空闲端口" in printed


def test_two_servers_do_not_share_embedded_vectors(tmp_path: Path) -> None:
    holder = (
        "import sys; from pathlib import Path; from settings import Settings; from api.startup import check_start\n"
        "check_start(Settings(data_dir=Path(sys.argv[1]), port=0, _env_file=None)); print('up', flush=True); input()"
    )
    command = [sys.executable, "-c", holder, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None and first.stdout.readline() == "up\n"
        with pytest.raises(StartFault, match="Another server keeps its vectors"):
            check_start(given(tmp_path))
        first.kill()
    for one in check_start(given(tmp_path)):
        one.close()


def test_a_tools_file_with_a_fault_is_named(tmp_path: Path) -> None:
    file = tmp_path / "tools.yaml"
    for text, said in (("sources: [", "line 1 is not valid YAML"), ("sorces: {}", "sorces: "),
                       ("sources: {a: {url: x, args: [y]}}", "sources.a: cannot have args beside url")):  # fmt: skip
        file.write_text(text)
        with pytest.raises(StartFault) as fault:
            check_start(given(tmp_path / "data", tools_file=file))
        assert said in fault.value.words.en and HAN.search(fault.value.words.zh), fault.value.words
