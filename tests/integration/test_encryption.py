"""With ENCRYPTION_KEY a copy of DATA_DIR shows no text: planted words are looked for in every file, byte by byte."""

from __future__ import annotations

import io
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest
from redis import Redis

from api.startup import StartFault, check_start
from settings import Settings
from stores import encryption
from stores.redis.process import socket_path
from tests.api.test_approvals import SENT, SPEC
from tests.integration.conftest import ROOT, make_pdf
from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, OpenAIServer, ToolCall

OLD, NEW = secrets.token_hex(32), secrets.token_hex(32)
KINDS = ("message", "answer", "memory", "profile", "persona", "comment", "filename", "note", "sheet", "pdf", "thread")
EARLY = {name: f"Zyx{name.capitalize()}qua" for name in KINDS} | {"chinese": "翡翠鸳鸯"}
"""What is said before there is a key."""
LATE = {name: f"Wvu{name.capitalize()}lod" for name in KINDS} | {"chinese": "琥珀蜉蝣"}
Words = dict[str, str]
REKEY = [sys.executable, "-m", "server", "rekey", "--off"]


@pytest.fixture(scope="module")
def embeddings() -> Iterator[str]:
    """Where embeddings come from: loading the bundled model for each server would take seconds."""
    with OpenAIServer() as server:
        yield server.base_url


def settings_for(folder: Path, *keys: str, embeddings: str | None = None, **more: Any) -> Settings:
    """A server with the bundled chat model, of this folder and these keys."""
    return Settings(
        **more,
        data_dir=folder, encryption_key=",".join(keys), web_search="off", sharing="on", ocr_engine="off",
        tts_engine="off", memory_extraction="rules", embedding_base_url=embeddings, embedding_api_key="key",
        embedding_model="stand-in", _env_file=None,
    )  # fmt: skip


def client_of(live: LiveServer) -> httpx.Client:
    """A client; Redis writes its file uncompressed, so that what is in it can be seen."""
    with Redis(unix_socket_path=str(socket_path(live.settings.data_dir.resolve() / "redis"))) as redis:
        redis.config_set("rdbcompression", "no")
    return httpx.Client(base_url=live.url, timeout=120, trust_env=False, verify=False)


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


def shown(folder: Path) -> set[str]:
    """Return the planted words that a file below `folder` holds in any way that text is written."""
    forms = {
        word: {word.encode(), word.lower().encode(), word.encode("utf-16-le"), word.encode("utf-16-be"),
               json.dumps(word)[1:-1].encode()}
        for words in (EARLY, LATE) for word in words.values()
    }  # fmt: skip
    copy = folder.with_name(f"copy-{secrets.token_hex(4)}")
    # Reading the files of a server in this process would free their locks.
    subprocess.run(["cp", "-r", folder, copy], check=True)
    files = [path for path in copy.rglob("*") if path.is_file() and path.name != "reserve"]
    parts = [data for path in files for data in insides(path.read_bytes())]
    shutil.rmtree(copy)
    return {word for word, written in forms.items() if any(form in data for form in written for data in parts)}


def workbook(word: str) -> bytes:
    book = openpyxl.Workbook()
    for row in (["Article", "Units"], [word, 30], ["Hinge", 12]):
        book.worksheets[0].append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def ok(response: httpx.Response) -> Any:
    assert response.status_code < 300, response.text
    return response.json()


def plant(api: httpx.Client, words: Words) -> None:
    """Put a word into everything that keeps what people say."""
    thread = words["thread"]
    ok(api.post("/api/v1/memories", json={"text": f"My boat is called {words['memory']}"}))
    ok(api.put("/api/v1/profile", json={"name": words["profile"]}))
    ok(api.post("/api/v1/personas", json={"name": f"Coach {thread}", "prompt": f"You are {words['persona']}."}))
    lease = f"The rent is 1,240 pounds. The access code is {words['answer']}. The landlord is {words['pdf']}."
    files = [
        ("file", (f"{words['filename']}.txt", f"The password is {words['note']}. {words['chinese']}".encode())),
        ("file", ("stock.xlsx", workbook(words["sheet"]))),
        ("file", ("lease.pdf", make_pdf([lease]))),
    ]
    asked = {"message": "What is the access code?", "session_id": thread}
    said = ok(api.post("/api/v1/chat_with_file", data=asked, files=files))
    assert words["answer"] in said["answer"] and said["citations"], said
    ok(api.post("/api/v1/chat", json={"message": f"Hello, {words['message']} here!", "session_id": thread}))
    vote = {
        "session_id": thread,
        "message_id": said["message_id"],
        "vote": "down",
        "comment": words["comment"],
    }
    ok(api.post("/api/v1/feedback", json=vote))
    ok(api.post(f"/api/v1/sessions/{words['thread']}/share", json={}))


def check_all(api: httpx.Client, words: Words) -> None:
    """Everything is there, and works."""
    thread = words["thread"]
    memories = ok(api.get("/api/v1/memories", params={"query": "boat"}))["memories"]
    assert any(item["text"].endswith(words["memory"]) for item in memories)
    assert ok(api.get("/api/v1/profile"))["name"] == words["profile"]
    found = ok(api.get("/api/v1/sessions", params={"query": words["message"][:7]}))
    assert [one["session_id"] for one in found["sessions"]] == [thread], "the beginning of a word finds it"
    documents = {item["name"]: item for item in ok(api.get("/api/v1/documents", params={"session_id": thread}))}
    page = documents["lease.pdf"]
    assert f"{words['filename']}.txt" in documents
    raw = api.get(f"/api/v1/documents/{page['id']}/content", headers={"range": "bytes=0-4"})
    assert (raw.status_code, raw.content) == (206, b"%PDF-")
    assert api.get(f"/api/v1/documents/{page['id']}/thumbnail").headers["content-type"] == "image/webp"
    said = ok(api.post("/api/v1/chat", json={"message": "Who is the landlord?", "session_id": thread}))
    assert words["pdf"] in said["answer"] and said["citations"], said
    arguments = {"sql": f"SELECT Units FROM t1 WHERE Article = '{words['sheet']}'", "session_id": thread}
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
    assert any(words["note"].encode() in data for name, data in held.items() if name.startswith("files/"))


def test_a_copy_without_the_key_shows_no_text_and_with_it_everything_works(
    tmp_path: Path, embeddings: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with LiveServer(settings_for(tmp_path, embeddings=embeddings)) as live, client_of(live) as api:
        plant(api, EARLY)
    assert shown(tmp_path) == set(EARLY.values()), "the search finds what is there"

    first = settings_for(tmp_path, OLD, embeddings=embeddings)
    assert encryption.fault(first) == encryption.REKEY_FIRST
    assert encryption.main([], first) == 0 and "3 files and 1 database" in capsys.readouterr().out
    assert not shown(tmp_path)
    for keys, why in (((), encryption.NEEDS_KEY), ((NEW,), encryption.OTHER_KEY), ((NEW, OLD), encryption.REKEY_FIRST)):
        with pytest.raises(StartFault) as fault:
            check_start(settings_for(tmp_path, *keys))
        assert fault.value.words == why

    with LiveServer(first) as live, client_of(live) as api:
        check_all(api, EARLY)
        plant(api, LATE)
        assert not shown(tmp_path), "while it runs"
        check_all(api, LATE)
    assert not shown(tmp_path)

    both = settings_for(tmp_path, NEW, OLD)
    assert encryption.main([], both) == 0 and "6 files and 1 database" in capsys.readouterr().out
    with LiveServer(settings_for(tmp_path, NEW, embeddings=embeddings)) as live, client_of(live) as api:
        check_all(api, LATE)
        env = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "ENCRYPTION_KEY": NEW}
        refused = subprocess.run(REKEY, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)
        assert (refused.returncode, refused.stderr) == (2, "A server uses DATA_DIR. Stop it first.\n")
    assert not shown(tmp_path)
    assert encryption.main(["--off"], settings_for(tmp_path, NEW)) == 0
    assert {EARLY["message"], LATE["note"]} <= shown(tmp_path) and encryption.fault(settings_for(tmp_path)) is None


def offer_note(live: LiveServer) -> None:
    """Offer a tool that writes; the sources of tools, which are read behind the start, take it away once."""
    for _ in range(20):
        live.app.state.backend.services.tools.set_foreign([SPEC], {})
        time.sleep(0.05)


def test_a_run_that_waits_for_a_person_outlives_a_change_of_keys(tmp_path: Path) -> None:
    SENT.clear()
    with OpenAIServer() as model:
        hosted = {"llm_base_url": model.base_url, "llm_api_key": "key", "llm_model": "stand-in"}
        model.script([Answer(tool_calls=[ToolCall("send_note", {"to": "bob", "text": "I am late"})]), Answer("Done.")])
        with LiveServer(settings_for(tmp_path, embeddings=model.base_url, **hosted)) as live, client_of(live) as api:
            offer_note(live)
            asked = {"message": "Tell Bob that I am late", "session_id": "s"}
            waiting = ok(api.post("/api/v1/chat", json=asked))
            assert waiting["state"] == "waiting" and not SENT
        settings = settings_for(tmp_path, OLD, embeddings=model.base_url, **hosted)
        assert encryption.main([], settings) == 0
        with LiveServer(settings) as live, client_of(live) as api:
            offer_note(live)
            path = f"/api/v1/runs/{waiting['run_id']}"
            ok(api.post(f"{path}/answers", json={"answers": {"*": {"decision": "approve"}}}))
            for _ in range(200):
                if (run := ok(api.get(path)))["state"] == "done":
                    break
                time.sleep(0.05)
            assert run["result"]["answer"] == "Done." and SENT == [("bob", "I am late")]


def test_a_change_of_keys_that_was_cut_short_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        path = tmp_path / "attachments" / "ab" / f"ab{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(EARLY["note"].encode())
    settings = settings_for(tmp_path, OLD)
    resealed = encryption._reseal

    def killed_at_the_third(path: Path, *rest: Any) -> bool:
        if path.name == "ab2":
            raise KeyboardInterrupt
        return resealed(path, *rest)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(encryption, "_reseal", killed_at_the_third)
        encryption.main([], settings)
    assert shown(tmp_path) == {EARLY["note"]}
    half_written = tmp_path / f".privacy.key.{secrets.token_hex(16)}"
    half_written.write_text(EARLY["note"])
    for keys in ((), (OLD,), (NEW,)):
        assert encryption.fault(settings_for(tmp_path, *keys)) == encryption.CUT_SHORT
    assert encryption.main([], settings_for(tmp_path, NEW)) == encryption.BAD_START, "two files are under the other key"
    assert encryption.main([], settings) == 0
    assert not shown(tmp_path) and encryption.fault(settings) is None
