"""What was deleted is nowhere: planted words are looked for in every file below DATA_DIR, running and stopped."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis

from stores.redis.process import socket_path
from tests.integration.conftest import Server, make_pdf, make_picture

CLEAN_SECONDS = 20
"""Time that the last traces have to leave the disk; on a quiet machine it takes two."""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of two users on a folder of its own, which tests stop, kill and search."""
    values = {"WEB_SEARCH": "off", "API_KEYS": "ann,bob"}
    running = Server(tmp_path_factory.mktemp("deletion") / "data", values).start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()


@pytest.fixture
def ann(own: Server) -> Iterator[httpx.Client]:
    show_everything(own)
    with own.client(headers={"authorization": "Bearer ann"}) as client:
        yield client


def show_everything(server: Server) -> None:
    """Have Redis write its file uncompressed, so that what is in it can be seen."""
    with Redis(unix_socket_path=str(socket_path(server.data_dir.resolve() / "redis"))) as redis:
        redis.config_set("rdbcompression", "no")


def marks() -> tuple[str, str]:
    """Two words that are nowhere else, one in each script."""
    number = uuid.uuid4().int
    return f"QUAGGA-{number % 10**9}", "翡翠" + "".join("甲乙丙丁戊己庚辛壬癸"[int(digit)] for digit in str(number)[:9])


def traces(folder: Path, words: tuple[str, ...]) -> dict[str, list[str]]:
    """Return the files below `folder` that hold one of `words`, in UTF-8 or in escaped JSON."""
    forms = {word: (word.encode(), json.dumps(word)[1:-1].encode()) for word in words}
    found: dict[str, list[str]] = {}
    for path in folder.rglob("*"):
        try:
            data = path.read_bytes() if path.is_file() else b""
        except OSError:  # it went while we looked
            continue
        held = [word for word, written in forms.items() if any(form in data for form in written)]
        if held:
            found[str(path.relative_to(folder))] = held
    return found


def assert_clean(server: Server, words: tuple[str, ...]) -> None:
    deadline = time.monotonic() + CLEAN_SECONDS
    while left := traces(server.data_dir, words):
        assert time.monotonic() < deadline, left
        time.sleep(0.2)
    log = server.log.read_text("utf-8")
    assert not [word for word in words if word in log]


def send(
    api: httpx.Client, message: str, session_id: str, fields: dict[str, str] | None = None, **files: bytes
) -> dict[str, Any]:
    form = {"message": message, "session_id": session_id, **(fields or {})}
    parts = [("file", (name.replace("_", "."), data)) for name, data in files.items()]
    path = "chat_with_file" if files else "chat"
    response = api.post(f"/api/v1/{path}", **({"data": form, "files": parts} if files else {"json": form}))
    assert response.status_code == 200, response.text
    return dict(response.json())


def plant(api: httpx.Client, session_id: str, words: tuple[str, str]) -> list[str]:
    """Put words into a document, a picture, answers and memory; return the documents' ids."""
    english, chinese = words
    book = make_pdf([f"The access code is {english}.", f"内部代号是{chinese}。"])
    answer = send(api, "What is the access code?", session_id, codes_pdf=book, sign_png=make_picture(english))
    assert english in answer["answer"]
    assert chinese in send(api, "内部代号是什么？", session_id)["answer"]
    return [item["id"] for item in answer["attachments"]]


def emptied(receipt: dict[str, Any], *names: str) -> bool:
    stores = receipt["stores"]
    return all(stores[name]["before"] > 0 for name in names) and not any(count["after"] for count in stores.values())


def test_a_document_leaves_no_trace_and_the_conversation_goes_on(own: Server, ann: httpx.Client) -> None:
    thread, words = uuid.uuid4().hex, marks()
    send(ann, "Hello! My name is Ottilie.", thread)
    documents = plant(ann, thread, words)
    assert traces(own.data_dir, words)
    for document in documents:
        receipt = ann.delete(f"/api/v1/documents/{document}").json()
        assert emptied(receipt, "documents", "attachments", "pages", "chunks", "keywords", "files"), receipt
    assert_clean(own, words)
    said = ann.get(f"/api/v1/sessions/{thread}").json()["messages"]
    assert [entry["text"] for entry in said if entry["role"] == "user"][1:] == [
        "What is the access code?",
        "内部代号是什么？",
    ]
    assert "deleted" in said[3]["text"] and "已被删除" in said[5]["text"]
    assert "Ottilie" in send(ann, "What is my name?", thread)["answer"], "the rest is remembered"
    assert not any(word in send(ann, "What is the access code?", thread)["answer"] for word in words)


def test_a_session_leaves_no_trace(own: Server, ann: httpx.Client) -> None:
    thread, words = uuid.uuid4().hex, marks()
    plant(ann, thread, words)
    send(ann, f"Is {words[0]} 就是 {words[1]}?", thread)
    receipt = ann.delete(f"/api/v1/sessions/{thread}").json()
    assert emptied(receipt, "checkpoints", "transcript", "events", "documents", "pages", "files"), receipt
    assert_clean(own, words)
    assert ann.get(f"/api/v1/sessions/{thread}").status_code == 404
    with sqlite3.connect(own.data_dir / "catalog.sqlite3") as db:
        logged = [json.loads(facts) for (facts,) in db.execute("SELECT facts FROM actions WHERE kind = 'deletion'")]
    assert logged[-1]["what"] == "session" and logged[-1]["removed"]["pages"] and thread not in repr(logged)


def test_a_temporary_conversation_is_in_memory_and_its_files_alone_and_leaves_no_trace(
    own: Server, ann: httpx.Client
) -> None:
    thread, words = uuid.uuid4().hex, marks()
    send(ann, f"Remember that my code is {words[0]}, 也就是 {words[1]}.", thread, {"temporary": "true"})
    time.sleep(1.2)  # Redis writes its file once a second
    assert {Path(name).parts[0] for name in traces(own.data_dir, words)} <= {"redis"}
    files = marks()
    note = f"The access code is {files[0]}. 内部代号是{files[1]}。".encode()
    assert files[0] in send(ann, "What is the access code?", thread, {"temporary": "true"}, codes_txt=note)["answer"]
    assert traces(own.data_dir, files)
    receipt = ann.delete(f"/api/v1/sessions/{thread}").json()
    assert emptied(receipt, "checkpoints", "events", "documents", "pages", "files"), receipt
    assert receipt["stores"]["transcript"]["before"] == 0
    assert_clean(own, words + files)


def test_a_user_leaves_no_trace_and_others_stay(own: Server, ann: httpx.Client) -> None:
    words, others = marks(), marks()
    plant(ann, uuid.uuid4().hex, words)
    note = f"{words[0]} opens the door.".encode()
    ann.post("/api/v1/documents", files={"file": ("note.txt", note)}, data={"scope": "library"}).raise_for_status()
    with own.client(headers={"authorization": "Bearer bob"}) as bob:
        thread = uuid.uuid4().hex
        plant(bob, thread, others)
        receipt = ann.delete("/api/v1/user").json()
        assert emptied(receipt, "checkpoints", "transcript", "events", "documents", "attachments"), receipt
        assert_clean(own, words)
        assert ann.get("/api/v1/sessions").json()["total"] == 0 and ann.get("/api/v1/documents").json() == []
        assert others[0] in send(bob, "What is the access code?", thread)["answer"]
        bob.delete("/api/v1/user").raise_for_status()


def test_killed_deletions_are_finished_on_the_next_start(own: Server, ann: httpx.Client) -> None:
    """As a kill right after the intent was noted leaves them; what is killed later has less left to do."""
    kept, cleared, words, others = uuid.uuid4().hex, uuid.uuid4().hex, marks(), marks()
    documents, more = plant(ann, kept, words), plant(ann, cleared, others)
    with own.client(headers={"authorization": "Bearer bob"}) as bob:
        bob.post("/api/v1/memories", json={"text": f"My boat is called {others[0]}"}).raise_for_status()
        bobs = bob.get("/api/v1/me").json()["user_id"]
    time.sleep(1.2)  # Redis writes its file once a second
    own.stop(signal.SIGKILL)
    with sqlite3.connect(own.data_dir / "catalog.sqlite3") as catalog:
        (user,) = catalog.execute("SELECT user_id FROM attachments WHERE id = ?", (documents[0],)).fetchone()
        intents = [*((user, "document", document) for document in documents), (user, "session", cleared),
                   (bobs, "user", bobs)]  # fmt: skip
        insert = "INSERT INTO deletions (kind, user_id, target) VALUES (?, ?, ?)"
        catalog.executemany(insert, [(kind, whose, target) for whose, kind, target in intents])
    catalog.close()
    assert traces(own.data_dir, words) and traces(own.data_dir, others)
    own.start()
    show_everything(own)
    assert_clean(own, words + others)
    assert {ann.get(f"/api/v1/documents/{document}").status_code for document in documents + more} == {404}
    assert [ann.get(f"/api/v1/sessions/{thread}").status_code for thread in (kept, cleared)] == [200, 404]
    with own.client(headers={"authorization": "Bearer bob"}) as bob:
        assert bob.get("/api/v1/memories").json()["memories"] == []
    own.stop()
    assert not traces(own.data_dir, words + others)
