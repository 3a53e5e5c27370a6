"""With ENCRYPTION_KEY a copy of DATA_DIR shows no text: planted words are looked for in every file, byte by byte."""

from __future__ import annotations

import io
import json
import os
import re
import secrets
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest
from redis import Redis

from settings import Settings
from stores import encryption
from stores.redis.process import socket_path
from tests.integration.conftest import ROOT, make_pdf
from tests.live_server import LiveServer

OLD, NEW = secrets.token_hex(32), secrets.token_hex(32)
THREAD = "kept"
KINDS = ("message", "answer", "memory", "profile", "persona", "comment", "filename", "note", "sheet", "pdf")
WORDS = {name: f"Zyx{name.capitalize()}qua" for name in KINDS} | {"chinese": "翡翠鸳鸯"}


def settings_for(folder: Path, *keys: str, **more: Any) -> Settings:
    """A server with the bundled models, of this folder and these keys."""
    return Settings(
        data_dir=folder, encryption_key=",".join(keys), web_search="off", sharing="on", ocr_engine="off",
        tts_engine="off", memory_extraction="rules", _env_file=None, **more,
    )  # fmt: skip


def client_of(live: LiveServer) -> httpx.Client:
    """A client; Redis writes its file uncompressed, so that what is in it can be seen."""
    with Redis(unix_socket_path=str(socket_path(live.settings.data_dir.resolve() / "redis"))) as redis:
        redis.config_set("rdbcompression", "no")
    return httpx.Client(base_url=live.url, timeout=120, trust_env=False)


def insides(data: bytes) -> Iterator[bytes]:
    """Yield bytes as they are, and unpacked where they are an archive or compressed."""
    yield data
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    for start in (found.start() for found in re.finditer(rb"x[\x01\x5e\x9c\xda]", data)):
        try:
            yield zlib.decompressobj().decompress(data[start : start + 65_536], 1_000_000)
        except zlib.error:
            continue


def shown(folder: Path) -> dict[str, list[str]]:
    """Return the files below `folder` that hold a planted word in any way that text is written."""
    forms = {
        word: {word.encode(), word.lower().encode(), word.encode("utf-16-le"), word.encode("utf-16-be"),
               json.dumps(word)[1:-1].encode()}
        for word in WORDS.values()
    }  # fmt: skip
    found: dict[str, list[str]] = {}
    for path in (path for path in folder.rglob("*") if path.is_file() and path.name != "reserve"):
        for data in insides(path.read_bytes()):
            if held := [word for word, written in forms.items() if any(form in data for form in written)]:
                found.setdefault(str(path.relative_to(folder)), []).extend(held)
    return found


def workbook() -> bytes:
    book = openpyxl.Workbook()
    for row in (["Article", "Units"], [WORDS["sheet"], 30], ["Hinge", 12]):
        book.worksheets[0].append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def ok(response: httpx.Response) -> Any:
    assert response.status_code < 300, response.text
    return response.json()


def plant(api: httpx.Client) -> None:
    """Put a word into everything that keeps what people say."""
    ok(api.post("/api/v1/memories", json={"text": f"My boat is called {WORDS['memory']}"}))
    ok(api.put("/api/v1/profile", json={"name": WORDS["profile"]}))
    ok(api.post("/api/v1/personas", json={"name": "Coach", "prompt": f"You are {WORDS['persona']}."}))
    lease = f"The rent is 1,240 pounds. The access code is {WORDS['answer']}. The landlord is {WORDS['pdf']}."
    files = [
        ("file", (f"{WORDS['filename']}.txt", f"The password is {WORDS['note']}. {WORDS['chinese']}".encode())),
        ("file", ("stock.xlsx", workbook())),
        ("file", ("lease.pdf", make_pdf([lease]))),
    ]
    asked = {"message": "What is the access code?", "session_id": THREAD}
    said = ok(api.post("/api/v1/chat_with_file", data=asked, files=files))
    assert WORDS["answer"] in said["answer"] and said["citations"], said
    ok(api.post("/api/v1/chat", json={"message": f"Hello, {WORDS['message']} here!", "session_id": THREAD}))
    vote = {"session_id": THREAD, "message_id": said["message_id"], "vote": "down", "comment": WORDS["comment"]}
    ok(api.post("/api/v1/feedback", json=vote))
    ok(api.post(f"/api/v1/sessions/{THREAD}/share", json={}))


def check_all(api: httpx.Client) -> None:
    """Everything is there, and works."""
    assert ok(api.get("/api/v1/memories", params={"query": "boat"}))["memories"][0]["text"].endswith(WORDS["memory"])
    assert ok(api.get("/api/v1/profile"))["name"] == WORDS["profile"]
    found = ok(api.get("/api/v1/sessions", params={"query": WORDS["message"][:7]}))
    assert [thread["session_id"] for thread in found["sessions"]] == [THREAD], "the beginning of a word finds it"
    documents = {item["name"]: item for item in ok(api.get("/api/v1/documents", params={"session_id": THREAD}))}
    page = documents["lease.pdf"]
    assert f"{WORDS['filename']}.txt" in documents
    raw = api.get(f"/api/v1/documents/{page['id']}/content", headers={"range": "bytes=0-4"})
    assert (raw.status_code, raw.content) == (206, b"%PDF-")
    assert api.get(f"/api/v1/documents/{page['id']}/thumbnail").headers["content-type"] == "image/webp"
    said = ok(api.post("/api/v1/chat", json={"message": "Who is the landlord?", "session_id": THREAD}))
    assert WORDS["pdf"] in said["answer"] and said["citations"], said
    arguments = {"sql": f"SELECT Units FROM t1 WHERE Article = '{WORDS['sheet']}'", "session_id": THREAD}
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "query_table", "arguments": arguments},
    }
    accept = {"accept": "application/json, text/event-stream"}
    assert "30" in api.post("/mcp", json=call, headers=accept).text
    with zipfile.ZipFile(io.BytesIO(api.get("/api/v1/user/export").content)) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    assert any(WORDS["note"].encode() in data for name, data in held.items() if name.startswith("files/"))


def test_a_copy_without_the_key_shows_no_text_and_with_it_everything_works(tmp_path: Path) -> None:
    with LiveServer(settings_for(tmp_path, OLD)) as live, client_of(live) as api:
        plant(api)
        assert not shown(tmp_path), "while it runs"
        check_all(api)
    assert not shown(tmp_path)
    env = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "ENCRYPTION_KEY": NEW}
    start = [sys.executable, "-m", "server"]
    refused = subprocess.run(start, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 2 and refused.stderr.startswith("DATA_DIR is encrypted with another key."), refused
    assert refused.stderr.count("\n") == 1
    assert encryption.fault(settings_for(tmp_path)) == encryption.NEEDS_KEY
    with LiveServer(settings_for(tmp_path, OLD)) as live, client_of(live) as api:
        check_all(api)


def test_a_folder_is_encrypted_its_key_changed_and_taken_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with LiveServer(settings_for(tmp_path)) as live, client_of(live) as api:
        plant(api)
    assert set(WORDS.values()) == set().union(*shown(tmp_path).values()), "the search finds what is there"
    first = settings_for(tmp_path, OLD)
    assert encryption.fault(first) == encryption.REKEY_FIRST
    assert encryption.main([], first) == 0 and "3 files and 1 database" in capsys.readouterr().out
    assert not shown(tmp_path)
    with LiveServer(first) as live, client_of(live) as api:
        check_all(api)
    both = settings_for(tmp_path, NEW, OLD)
    assert encryption.fault(both) == encryption.REKEY_FIRST
    assert encryption.main([], both) == 0
    with LiveServer(settings_for(tmp_path, NEW)) as live, client_of(live) as api:
        check_all(api)
    assert not shown(tmp_path)
    assert encryption.main(["--off"], settings_for(tmp_path, NEW)) == 0
    assert encryption.fault(settings_for(tmp_path)) is None
    assert set(WORDS.values()) == set().union(*shown(tmp_path).values())
