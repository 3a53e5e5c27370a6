"""One real turn of every kind, on real Redis, Chroma, OCR and the bundled models."""

from __future__ import annotations

import base64
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.integration.conftest import LEASE, Server, make_docx, make_pdf, make_picture

CHINESE = [
    "本合同由海棠出版社与译者周蕙签订，翻译书目为《北境来信》。",
    "稿酬标准为每千字二百六十元，全书交稿日期为2027年5月18日。",
    "译者应保证译文准确。逾期交稿的，每日扣除稿酬的千分之三。",
]


def session() -> str:
    return uuid.uuid4().hex


def chat(api: httpx.Client, message: str, session_id: str, **more: Any) -> dict[str, Any]:
    response = api.post("/api/v1/chat", json={"message": message, "session_id": session_id, **more})
    assert response.status_code == 200, response.text
    return dict(response.json())


def send(api: httpx.Client, path: str, message: str, session_id: str, files: list[tuple[str, Any]]) -> dict[str, Any]:
    data = {"message": message, "session_id": session_id}
    response = api.post(f"/api/v1/{path}", data=data, files=files)
    assert response.status_code == 200, response.text
    return dict(response.json())


def test_ready_in_ten_seconds(server: Server) -> None:
    assert server.ready_seconds <= 20, "twice the promise, for a machine that runs other tests beside it"


def test_text_and_memory(api: httpx.Client) -> None:
    thread = session()
    first = chat(api, "Good morning! My name is Ottilie and I live in Graz.", thread, memory=False)
    assert first["answer"] and first["session_id"] == thread and first["usage"]["model"]
    assert "Ottilie" in chat(api, "What is my name?", thread)["answer"]
    assert "Ottilie" not in chat(api, "What is my name?", session())["answer"]


def test_text_and_memory_in_chinese(api: httpx.Client) -> None:
    thread = session()
    chat(api, "你好，我叫沈若溪，住在泉州。", thread)
    assert "沈若溪" in chat(api, "我叫什么名字？", thread)["answer"]


def test_a_session_is_made_when_none_is_named(api: httpx.Client) -> None:
    made = api.post("/api/v1/chat", json={"message": "hello"}).json()["session_id"]
    assert made and api.get(f"/api/v1/sessions/{made}").status_code == 200


def test_pdf_question_is_answered_with_the_page(api: httpx.Client) -> None:
    thread = session()
    file = ("file", ("lease.pdf", make_pdf(LEASE), "application/pdf"))
    answer = send(api, "chat_with_file", "How much is the monthly rent?", thread, [file])
    assert "1,240" in answer["answer"]
    assert any(c["page"] == 2 and c["name"] == "lease.pdf" and c["verified"] for c in answer["citations"])
    (attachment,) = answer["attachments"]
    assert (attachment["status"], attachment["pages_total"], attachment["pages_done"]) == ("ready", 3, 3)
    later = chat(api, "How much notice must be given to end the lease?", thread)
    assert "nine weeks" in later["answer"] and any(c["page"] == 3 for c in later["citations"])


def test_chinese_docx(api: httpx.Client) -> None:
    thread = session()
    file = ("file", ("翻译合同.docx", make_docx(CHINESE, "翻译合同"), ""))
    answer = send(api, "chat_with_file", "稿酬标准是多少？", thread, [file])
    assert "二百六十元" in answer["answer"] and answer["citations"][0]["name"] == "翻译合同.docx"
    assert "2027年5月18日" in chat(api, "什么时候交稿？", thread)["answer"]


@pytest.mark.parametrize(
    ("text", "question", "wanted"),
    [
        ("Ferry to Skye departs 16:45\nGate 7", "What does the sign say?", ["16:45", "Skye"]),
        ("末班车时间 22:38\n请勿在站台奔跑", "图片里写了什么？", ["22:38", "请勿在站台奔跑"]),
    ],
)
def test_text_in_pictures(api: httpx.Client, text: str, question: str, wanted: list[str]) -> None:
    answer = send(
        api, "chat_with_image", question, session(), [("image", ("sign.png", make_picture(text), "image/png"))]
    )
    assert all(word in answer["answer"] for word in wanted), answer["answer"]
    (attachment,) = answer["attachments"]
    assert attachment["kind"] == "image" and attachment["description"] is None
    assert min(line["confidence"] for line in attachment["ocr"]["lines"]) > 0.5


def test_what_a_picture_said_is_remembered(api: httpx.Client) -> None:
    thread = session()
    image = ("image", ("label.png", make_picture("Batch 88-KESTREL-4"), "image/png"))
    send(api, "chat_with_image", "Please look at this label.", thread, [image])
    assert "88-KESTREL-4" in chat(api, "Which batch was on the label?", thread)["answer"]


def test_mixed_turn(api: httpx.Client) -> None:
    thread = session()
    files = [
        ("file", ("lease.pdf", make_pdf(LEASE), "application/pdf")),
        ("file", ("note.txt", "交房日期是十月二十一日。".encode("gb18030"), "text/plain")),
        ("image", ("sign.png", make_picture("Parking bay 52"), "image/png")),
    ]
    answer = send(api, "chat_with_file", "How large is the deposit?", thread, files)
    assert "2,480" in answer["answer"]
    assert sorted(a["kind"] for a in answer["attachments"]) == ["document", "document", "image"]
    assert {a["status"] for a in answer["attachments"]} == {"ready"}
    assert "十月二十一日" in chat(api, "交房日期是哪一天？", thread)["answer"]


def test_a_bad_file_is_a_note_and_the_turn_goes_on(api: httpx.Client) -> None:
    files = [
        ("file", ("broken.pdf", b"%PDF-1.7\n" + b"\0garbage" * 50, "application/pdf")),
        ("file", ("empty.txt", b"", "text/plain")),
        ("file", ("lease.pdf", make_pdf(LEASE), "application/pdf")),
    ]
    answer = send(api, "chat_with_file", "How much is the monthly rent?", session(), files)
    assert "1,240" in answer["answer"]
    states = {a["name"]: a.get("error", {}).get("code", a["status"]) for a in answer["attachments"]}
    assert states == {"broken.pdf": "file_corrupt", "empty.txt": "file_empty", "lease.pdf": "ready"}
    assert all(a["error"]["remedy"] for a in answer["attachments"] if a["status"] == "failed")


def test_a_png_called_pdf_is_read_as_a_picture(api: httpx.Client) -> None:
    file = ("file", ("scan.pdf", make_picture("Locker 419 LYNX"), "application/pdf"))
    answer = send(api, "chat_with_file", "What does it say?", session(), [file])
    assert answer["attachments"][0]["kind"] == "image" and "419" in answer["answer"]


def test_clear_removes_everything_and_says_so(api: httpx.Client) -> None:
    thread = session()
    file = ("file", ("lease.pdf", make_pdf(["Zephyr-7719 is the safe code."]), "application/pdf"))
    document = send(api, "chat_with_file", "What is the safe code?", thread, [file])["attachments"][0]["id"]
    receipt = api.post("/api/v1/clear_current_chat_history", json={"session_id": thread}).json()
    assert receipt["removed"] > 0 and {count["after"] for count in receipt["stores"].values()} == {0}
    assert api.get(f"/api/v1/documents/{document}").status_code == 404
    assert api.get(f"/api/v1/sessions/{thread}").status_code == 404
    assert "7719" not in chat(api, "What is the safe code?", thread)["answer"]


def test_concurrent_turns_on_one_thread_lose_nothing(api: httpx.Client) -> None:
    thread = session()
    words = ["quartz", "saffron", "tundra", "velvet", "walnut", "zinc"]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda word: chat(api, f"Remember: my word is {word}.", thread), words))
    assert len({answer["run_id"] for answer in answers}) == 6
    messages = api.get(f"/api/v1/sessions/{thread}").json()["messages"]
    said = " ".join(message["text"] for message in messages if message["role"] == "user")
    assert all(word in said for word in words) and len(messages) == 12


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"session_id": "s"}, 422, "bad_input"),
        ({"message": "   "}, 422, "bad_input"),
        ({"message": 7}, 422, "bad_input"),
        ({"message": "x", "surprise": 1}, 422, "bad_input"),
        ({"message": "x" * 200_001}, 413, "message_too_long"),
        ({"message": "x", "attachment_ids": ["nope"]}, 200, ""),
    ],
)
def test_malformed_input_says_what_is_wrong(api: httpx.Client, body: dict[str, object], status: int, code: str) -> None:
    response = api.post("/api/v1/chat", json=body)
    assert response.status_code == status, response.text
    if status == 200:
        assert response.json()["attachments"][0]["error"]["code"] == "unknown_attachment"
        return
    error = response.json()["error"]
    assert error["code"] == code and error["message"] and error["remedy"] and error["request_id"]


def test_errors_speak_the_users_language(api: httpx.Client) -> None:
    response = api.post("/api/v1/chat", json={"message": ""}, headers={"accept-language": "zh-CN"})
    assert "请求无效" in response.json()["error"]["message"]


def test_not_json_at_all(api: httpx.Client) -> None:
    response = api.post("/api/v1/chat", content=b"{", headers={"content-type": "application/json"})
    assert response.status_code == 422 and response.json()["error"]["code"] == "bad_input"
    assert api.get("/api/v1/nothing").json()["error"]["code"] == "not_found"


def test_state_cannot_be_written_from_outside(api: httpx.Client) -> None:
    message = {"type": "human", "content": "hi"}
    forged: list[dict[str, Any]] = [{"answer": "owned"}, {"sources": []}, {"tool_rounds": -5}]
    for extra in forged:
        body = {"input": {"messages": [message], **extra}, "config": {"configurable": {"thread_id": session()}}}
        assert api.post("/agent/invoke", json=body).status_code == 422


def test_inline_blocks_through_langserve(api: httpx.Client) -> None:
    picture = base64.b64encode(make_picture("Seat 31C PLOVER")).decode()
    content = [
        {"type": "text", "text": "What does the picture say?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}},
    ]
    body = {
        "input": {"messages": [{"type": "human", "content": content}]},
        "config": {"configurable": {"thread_id": session()}},
    }
    output = api.post("/agent/invoke", json=body).json()["output"]
    assert "31C" in output["answer"] and picture[:200] not in str(output)
