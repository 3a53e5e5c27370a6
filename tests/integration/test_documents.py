"""Documents through the running product: every format, scans, progress, hostile files, limits, scopes, citations."""

from __future__ import annotations

import io
import json
import time
import uuid
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import docx
import httpx
import pymupdf
import pytest
from PIL import Image

from tests.drawn_pictures import drawn, encoded
from tests.integration.conftest import LEASE, Server, make_docx, make_pdf, make_picture
from tests.readers import samples
from tests.standins.openai_server import OpenAIServer

ZH = "固始站是宁西铁路上的一座车站，位于河南省固始县，建于二〇〇四年，隶属武汉铁路局管辖。"


@pytest.fixture(scope="module")
def vision() -> Iterator[OpenAIServer]:
    with OpenAIServer() as model:
        model.respond = lambda request: 'A road sign that reads "Exit 99 to Bremen".'
        yield model


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory, vision: OpenAIServer) -> Iterator[Server]:
    """A server of two users, with narrow limits, little patience, and a vision model."""
    values = {
        "WEB_SEARCH": "off", "API_KEYS": "ann,bob", "READ_WAIT": "0.5", "READER_PAGE_SECONDS": "1",
        "MAX_FILE_BYTES": "3000000", "MAX_TURN_BYTES": "8000000", "MAX_FILES": "16",
        "VISION_BASE_URL": vision.base_url, "VISION_API_KEY": "none", "VISION_MODEL": "eye",
    }  # fmt: skip
    running = Server(tmp_path_factory.mktemp("tight") / "data", values).start()
    yield running
    running.stop()


@pytest.fixture
def ann(tight: Server) -> Iterator[httpx.Client]:
    with tight.client(headers={"authorization": "Bearer ann"}) as client:
        yield client


@pytest.fixture
def bob(tight: Server) -> Iterator[httpx.Client]:
    with tight.client(headers={"authorization": "Bearer bob"}) as client:
        yield client


def session() -> str:
    return uuid.uuid4().hex


def upload(api: httpx.Client, files: dict[str, bytes], **fields: str) -> dict[str, dict[str, Any]]:
    form = [("file", (name, data, "")) for name, data in files.items()]
    response = api.post("/api/v1/documents", files=form, data=fields)
    assert response.status_code == 201, response.text
    return {item["name"]: item for item in response.json()}


def settled(api: httpx.Client, document_id: str, *, indexed: bool = False, seconds: float = 90) -> dict[str, Any]:
    """Wait until a document is ready or failed and, with `indexed`, has its vectors."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        shown = dict(api.get(f"/api/v1/documents/{document_id}").json())
        if shown["status"] in ("ready", "failed") and not (indexed and shown.get("indexed", 1) < 1):
            return shown
        time.sleep(0.1)
    raise AssertionError(f"not read in {seconds} s: {shown}")


def pages(api: httpx.Client, document_id: str) -> list[dict[str, Any]]:
    return list(api.get(f"/api/v1/documents/{document_id}/pages").json()["pages"])


def search(api: httpx.Client, query: str, **fields: Any) -> list[dict[str, Any]]:
    response = api.post("/api/v1/documents/search", json={"query": query, **fields})
    assert response.status_code == 200, response.text
    return list(response.json()["hits"])


def chat(api: httpx.Client, message: str, session_id: str) -> dict[str, Any]:
    return dict(api.post("/api/v1/chat", json={"message": message, "session_id": session_id}).json())


def events(stream: httpx.Response) -> list[tuple[str, Any]]:
    """The named events of a stream with their data."""
    found, name = [], ""
    for line in stream.iter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            found.append((name, json.loads(value)))
    return found


def scan(*pictures: Image.Image) -> bytes:
    """A PDF of nothing but pictures."""
    with pymupdf.open() as document:
        for picture in pictures:
            page = document.new_page(width=picture.width / 2, height=picture.height / 2)
            page.insert_image(page.rect, stream=encoded(picture))
        return bytes(document.tobytes(deflate=True))


def paper(*lines: str) -> Image.Image:
    return drawn(*((60, 60 + 90 * n, line) for n, line in enumerate(lines)), size=(900, 700))


FORMATS: dict[str, tuple[bytes, str]] = {
    "a.docx": (samples.word(), "1,234"), "a.pptx": (samples.slides(), "inside a group"),
    "a.xlsx": (samples.workbook(), "张三"), "a.epub": (samples.book(), "第1回"),
    "a.odt": (samples.open_text(), "第一章"),
    "a.rtf": (samples.RTF, "你好"), "a.html": (samples.HTML.encode(), "Mallard"), "a.py": (b"walrus = 7\n", "walrus"),
    "a.json": ('{"名称": "海燕"}'.encode(), "海燕"), "a.tsv": ("名\t数\n甲\t12\n".encode("utf-16"), "甲"),
    "gb.txt": (ZH.encode("gb18030"), "武汉铁路局"), "be.txt": (ZH[:20].encode("utf-16-be"), "固始站"),
    "ru.txt": ("Все люди рождаются свободными и равными в правах.".encode("cp866"), "свободными"),
}  # fmt: skip
PICTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "p.gif": ("GIF", {}), "p.bmp": ("BMP", {}), "p.webp": ("WEBP", {}), "p.heic": ("HEIF", {}),
}  # fmt: skip


def test_every_format_becomes_pages(api: httpx.Client) -> None:
    found = upload(api, {name: data for name, (data, _) in FORMATS.items()}, session_id=session())
    for name, (_, text) in FORMATS.items():
        shown = settled(api, found[name]["id"])
        assert shown["status"] == "ready", shown
        assert text in "\n".join(page["markdown"] for page in pages(api, shown["id"])), name


def test_every_kind_of_picture_is_read(api: httpx.Client) -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    files = {}
    for number, (name, (kind, options)) in enumerate(PICTURES.items()):
        files[name] = encoded(drawn((20, 20, f"Locker {number}19 LYNX")), kind, **options)
    turned = Image.Exif()
    turned[0x0112] = 6
    files["cmyk.jpg"] = encoded(drawn((20, 20, "Locker 719 LYNX")).convert("CMYK"), "JPEG")
    sideways = drawn((20, 20, "Locker 819 LYNX")).rotate(90, expand=True)
    files["exif.jpg"] = encoded(sideways, "JPEG", exif=turned)
    found = upload(api, files, session_id=session())
    for name in files:
        shown = settled(api, found[name]["id"])
        (page,) = pages(api, shown["id"])
        assert "19 LYNX" in page["markdown"] and page["ocr"] and page["confidence"] > 0.8, (name, page)


def test_pages_of_a_tiff_are_pages(api: httpx.Client) -> None:
    buffer = io.BytesIO()
    others = [drawn((20, 20, "Second page TAPIR")), drawn((20, 20, "第三页 海獭"))]
    drawn((20, 20, "First page LYNX")).save(buffer, "TIFF", save_all=True, append_images=others)
    thread = session()
    (item,) = upload(api, {"fax.tif": buffer.getvalue()}, session_id=thread).values()
    assert settled(api, item["id"])["pages_total"] == 3
    assert [page["number"] for page in pages(api, item["id"])] == [1, 2, 3]
    assert search(api, "海獭", session_id=thread)[0]["page"] == 3


def test_password(api: httpx.Client) -> None:
    with pymupdf.open() as document:
        document.new_page().insert_text((72, 72), "The vault is behind the painting.")
        locked = document.tobytes(encryption=samples.AES_256, user_pw="sesame", owner_pw="other")
    for password, code in (("", "password_required"), ("wrong", "password_required"), ("sesame", None)):
        fields = {"password": password} if password else {}
        thread = session()
        (item,) = upload(api, {"locked.pdf": locked}, session_id=thread, **fields).values()
        shown = settled(api, item["id"])
        assert shown.get("error", {}).get("code") == code and (code is None or "password" in shown["error"]["remedy"])
    body = {"message": "Where is the vault?", "session_id": thread, "attachment_ids": [item["id"]]}
    answer = api.post("/api/v1/chat", json=body).json()
    assert "behind the painting" in answer["answer"] and answer["attachments"][0]["status"] == "ready"


def test_what_cannot_be_read_says_what_helps(api: httpx.Client) -> None:
    files = {"old.ppt": samples.ole({"PowerPoint Document": b"x" * 5000}), "tool.exe": b"\x7fELF" + bytes(3000)}
    for item in upload(api, files, session_id=session()).values():
        error = settled(api, item["id"])["error"]
        assert error["code"] == "unsupported_type" and "PDF" in error["remedy"]


def test_attachments_of_a_mail_are_documents(api: httpx.Client) -> None:
    message = EmailMessage()
    message["From"], message["Subject"], message["Date"] = "a@b.c", "Offer", "Mon, 02 Nov 2026 10:00:00 +0800"
    message.set_content("see the files")
    contract = samples.text_pdf("The Quokka contract costs 77,310 euros.")
    message.add_attachment(contract, maintype="application", subtype="pdf", filename="contract.pdf")
    thread = session()
    (item,) = upload(api, {"offer.eml": message.as_bytes()}, session_id=thread).values()
    settled(api, item["id"])
    deadline = time.monotonic() + 30
    found: list[str] = []
    while "offer.eml › contract.pdf" not in found[:1]:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
        hits = search(api, "What does the Quokka contract cost?", session_id=thread, mode="keyword")
        found = [hit["name"] for hit in hits]
    assert api.delete(f"/api/v1/documents/{item['id']}").json()["stores"]["documents"] == {"before": 2, "after": 0}


def test_scans_are_recognised_whichever_way_they_lie(api: httpx.Client) -> None:
    sheets = [
        paper("Delivery of 612 crates", "to the northern depot"),
        paper("Payment is due in April", "after thirty days").rotate(180),
        paper("付款期限为三十天", "逾期加收利息").rotate(90, expand=True),
    ]
    with pymupdf.open(stream=scan(*sheets)) as document:
        document.new_page().insert_text((72, 72), "This page has a text layer of its own, with words enough.")
        mixed = document.tobytes()
    (item,) = upload(api, {"mixed.pdf": mixed}, session_id=session()).values()
    assert settled(api, item["id"])["status"] == "ready"
    read = pages(api, item["id"])
    assert [page["ocr"] for page in read] == [True, True, True, False]
    assert all(page["confidence"] > 0.8 and page["lines"] for page in read[:3])
    for page, words in zip(read, ["612 crates", "due in April", "付款期限为三十天", "text layer"], strict=True):
        assert words in page["markdown"], page


def test_pictures_inside_documents_are_read_and_cited(api: httpx.Client) -> None:
    document = docx.Document()
    for title, line in (
        ("Invoices", "The total of invoice 8812 is 4417 crowns"),
        ("附件", "违约金为合同总价的百分之七"),
    ):
        document.add_heading(title, 1)
        document.add_picture(io.BytesIO(encoded(drawn((60, 60, line), size=(900, 200)))))
    thread = session()
    (item,) = upload(api, {"annex.docx": samples.saved(document)}, session_id=thread).values()
    assert settled(api, item["id"])["status"] == "ready"
    for number, question, fact in (
        (1, "What is the total of invoice 8812?", "4417"),
        (2, "违约金是多少？", "百分之七"),
    ):
        answer = chat(api, question, thread)
        assert fact in answer["answer"]
        assert answer["citations"][0]["page"] == number and fact in answer["citations"][0]["quote"]
    assert all(page["ocr"] and page["confidence"] > 0.8 for page in pages(api, item["id"]))


def test_progress_and_an_answer_from_what_is_ready(ann: httpx.Client) -> None:
    sheets = [paper(f"Invoice {n}-KX", f"Total: {n * 17} crowns") for n in range(1, 8)]
    thread = session()
    form = {"message": "What is the total of invoice 6-KX?", "session_id": thread}
    files = {"file": ("scan.pdf", scan(*sheets), "application/pdf")}
    with ann.stream("POST", "/api/v1/chat/stream", data=form, files=files) as stream:
        told = events(stream)
    shown = [data for name, data in told if name == "attachment"][-1]
    assert shown["status"] == "reading" and shown["pages_done"] < shown["pages_total"] == 7
    warning = next(data["message"] for name, data in told if name == "warning")
    assert "scan.pdf" in warning and "of 7 pages" in warning
    assert warning in told[-1][1]["warnings"]
    seen = set()
    while (now := ann.get(f"/api/v1/documents/{shown['id']}").json())["status"] == "reading":
        seen.add(now["pages_done"])
        time.sleep(0.1)
    assert now["status"] == "ready" and len(seen) > 1, "progress is seen on the way"
    assert "102" in chat(ann, "What is the total of invoice 6-KX?", thread)["answer"]


def seconds_of_a_turn(api: httpx.Client) -> float:
    began = time.monotonic()
    assert "144" in chat(api, "What is 12 times 12?", session())["answer"]
    return time.monotonic() - began


def test_hostile_files_end_in_errors_and_hold_up_nobody(ann: httpx.Client) -> None:
    hostile = {
        "form.pdf": (samples.form_bomb_pdf(), "reading_timed_out"),
        "form2.pdf": (samples.form_bomb_pdf(27), "reading_timed_out"),
        "lie.pdf": (samples.lying_pdf(10**9), "file_corrupt"), "png.png": (samples.png_bomb(), "file_too_large"),
        "laugh.docx": (samples.billion_laughs_docx(), "file_corrupt"),
        "half.xlsx": (samples.workbook()[:900], "file_corrupt"),
        "nothing.txt": (b"", "file_empty"),
        "fake.pdf": (b"%PDF-1.7\n" + b"\0rubbish" * 50, "file_corrupt"),
    }  # fmt: skip
    usual = max(seconds_of_a_turn(ann) for _ in range(4))
    found = upload(ann, {name: data for name, (data, _) in hostile.items()}, session_id=session())
    fair = {"good.pdf": make_pdf(LEASE), "far.xlsx": samples.far_cell("XFD1048576")}
    good = upload(ann, fair, session_id=session())
    assert min(seconds_of_a_turn(ann) for _ in range(4)) < 2 * usual, "text turns go on as ever"
    assert [settled(ann, shown["id"])["status"] for shown in good.values()] == ["ready", "ready"]
    for name, (_, code) in hostile.items():
        shown = settled(ann, found[name]["id"]) if found[name]["id"] else found[name]
        assert shown.get("error", {}).get("code") == code and shown["error"]["remedy"], (name, shown["status"])


def test_limits_are_announced_and_kept_while_the_body_streams_in(ann: httpx.Client) -> None:
    limits = ann.get("/api/v1/health").json()["limits"]
    assert (limits["max_file_bytes"], limits["max_turn_bytes"], limits["max_files"]) == (3_000_000, 8_000_000, 16)
    assert limits["max_pages"] and limits["max_pixels"]
    found = upload(ann, {"big.bin": bytes(7_000_000), "small.txt": b"the small one"}, session_id=session())
    assert found["big.bin"]["error"]["code"] == "file_too_large" and found["big.bin"]["size"] == 7_000_000
    assert settled(ann, found["small.txt"]["id"])["status"] == "ready"
    whole = ann.post("/api/v1/documents", files={"file": bytes(20_000_000)}, data={"session_id": "x"})
    assert (whole.status_code, whole.json()["error"]["code"]) == (413, "body_too_large")
    many = ann.post("/api/v1/documents", files=[("file", ("a.txt", b"a"))] * 17, data={"session_id": "x"})
    assert (many.status_code, many.json()["error"]["code"]) == (413, "too_many_files")


CHAPTERS = {
    "en": ("Summarise the document.", "The lighthouse of chapter {n} stands on rock {n}. Its keeper counts ships. "),
    "zh": ("总结这份文档", "第{n}章讲述灯塔的历史，守塔人每天夜里清点船只，并把数字记在第{n}本册子里。"),
}  # fmt: skip


def test_what_is_said_of_a_file_is_in_the_language_of_its_owner(api: httpx.Client) -> None:
    for name, header, words in (
        ("书.txt", {}, "空文件"), ("a.txt", {}, "empty"), ("a.txt", {"accept-language": "zh-CN,en;q=0.5"}, "空文件"),
    ):  # fmt: skip
        response = api.post("/api/v1/documents", files={"file": (name, b"")}, data={"session_id": "x"}, headers=header)
        assert words in response.json()[0]["error"]["message"], (name, header)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_summary_covers_all_pages_and_its_ledger_says_which(api: httpx.Client, language: str) -> None:
    question, sentence = CHAPTERS[language]
    book = make_pdf([sentence.format(n=n) * 12 for n in range(1, 9)] + [""])
    thread = session()
    (item,) = upload(api, {"book.pdf": book}, session_id=thread).values()
    shown = settled(api, item["id"])
    assert shown["coverage"]["read"] == 8 and [gap["page"] for gap in shown["coverage"]["skipped"]] == [9]
    deadline = time.monotonic() + 30
    while "summary" not in (shown := api.get(f"/api/v1/documents/{item['id']}").json()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    answer = chat(api, question, thread)["answer"]
    first = shown["summary"].splitlines()[0].strip("- *")
    assert first[:20] in answer, (answer, shown["summary"])
    ledger = {"en": ["8 of 9 pages were read", "page(s) 9"], "zh": ["共 9 页，已读取 8 页", "第 9 页"]}[language]
    assert all(words in answer for words in ledger), answer
    (again,) = upload(api, {"again.pdf": book}, session_id=session()).values()
    assert settled(api, again["id"])["summary"] == shown["summary"], "made once per content"


def test_two_witnesses_of_a_picture_each_asked_for_one_user_alone(
    ann: httpx.Client, bob: httpx.Client, vision: OpenAIServer
) -> None:
    picture = make_picture("Exit 41 to Hamburg")
    asked = len(vision.chats)
    for client in (ann, ann, bob):
        form = {"message": "What does the sign say?", "session_id": session()}
        answer = client.post("/api/v1/chat_with_image", data=form, files={"image": ("p.png", picture)}).json()
        (seen,) = answer["attachments"]
        assert "Exit 41" in seen["ocr"]["text"] and "Exit 99" in seen["description"]["text"]
        assert seen["agreement"] == 0 and "disagree" in seen["warnings"][0]
        told = [warning for warning in answer["warnings"] if "still being read" not in warning]
        assert "disagree" in answer["answer"] and told == seen["warnings"]
        (cited,) = answer["citations"]
        (page,) = pages(client, cited["document_id"])
        assert cited["document_id"] == seen["id"] and cited["verified"] and cited["page"] == 1
        assert page["markdown"][cited["start"] : cited["end"]] == cited["quote"] == "Exit 41 to Hamburg"
        later = chat(client, "Which exit is on the road sign?", form["session_id"])
        assert later["citations"] and "disagree" in later["warnings"][0], "said again when it is asked about again"
    assert len(vision.chats) == asked + 3


def test_an_answer_about_a_picture_reaches_no_other_user_and_goes_with_its_document(
    ann: httpx.Client, bob: httpx.Client, vision: OpenAIServer
) -> None:
    picture, told = make_picture("Quarter three: 4,711"), vision.respond
    vision.respond = lambda request: f"You asked: {request.user_text}"
    try:
        form = {"message": "SAY: Invoice 88 was approved by Borealis.", "session_id": session()}
        answer = ann.post("/api/v1/chat_with_image", data=form, files={"image": ("borealis.png", picture)}).json()
        (hers,) = answer["attachments"]
        assert "Invoice 88" in hers["description"]["text"]
        (his,) = upload(bob, {"chart.png": picture}, session_id="bobs").values()
        settled(bob, his["id"], indexed=True)
        for deleted in (False, True):
            if deleted:
                ann.delete(f"/api/v1/documents/{hers['id']}").raise_for_status()
            seen = [bob.get(f"/api/v1/documents/{his['id']}{path}").text for path in ("", "/pages")]
            found = search(bob, "Was invoice 88 approved by Borealis?", session_id="bobs")
            asked = chat(bob, "Was invoice 88 approved?", "bobs")
            said = str([*seen, found, asked["answer"], asked["citations"], asked["attachments"]])
            assert "4,711" in said
            assert "Invoice 88 was approved" not in said and "orealis" not in said, said
    finally:
        vision.respond = told


def test_same_content_is_read_once_and_belongs_to_each(ann: httpx.Client, bob: httpx.Client) -> None:
    pdf, thread = (
        make_pdf([f"The {word} locker has the code 5581-KORAT." for word in ("red", "blue", "green")]),
        session(),
    )
    (hers,) = upload(ann, {"hers.pdf": pdf}, session_id=thread).values()
    settled(ann, hers["id"], indexed=True)
    (his,) = upload(bob, {"his.pdf": pdf}, session_id=thread).values()
    assert settled(bob, his["id"], seconds=2)["indexed"] == 1, "neither parsed nor embedded again"
    for path in ("", "/pages", "/content"):
        assert bob.get(f"/api/v1/documents/{hers['id']}{path}").status_code == 404
    assert bob.delete(f"/api/v1/documents/{hers['id']}").status_code == 404
    assert {item["name"] for item in bob.get("/api/v1/documents", params={"session_id": thread}).json()} == {"his.pdf"}
    assert {hit["name"] for hit in search(bob, "code of the locker", session_id=thread)} == {"his.pdf"}
    cited = chat(bob, "What is the code of the blue locker?", thread)["citations"]
    assert {citation["document_id"] for citation in cited} == {his["id"]}
    ann.delete(f"/api/v1/documents/{hers['id']}").raise_for_status()
    assert search(bob, "code of the locker", session_id=thread) and len(pages(bob, his["id"])) == 3
    assert bob.get(f"/api/v1/documents/{his['id']}/content").content == pdf


def test_threads_the_library_and_single_documents(ann: httpx.Client) -> None:
    one, two = session(), session()
    (library,) = upload(
        ann, {"house.txt": b"The reading room of the harbour office opens at 07:45."}, scope="library"
    ).values()
    (first,) = upload(
        ann, {"one.txt": b"The cellar key of the harbour office hangs at hook 31."}, session_id=one
    ).values()
    (other,) = upload(
        ann, {"two.txt": b"The attic key of the harbour office hangs at hook 99."}, session_id=two
    ).values()
    for item in (library, first, other):
        settled(ann, item["id"], indexed=True)
    query = "key of the harbour office"
    for mode in ("hybrid", "dense", "keyword"):
        assert {hit["name"] for hit in search(ann, query, session_id=one, mode=mode)} == {"house.txt", "one.txt"}
        assert {hit["name"] for hit in search(ann, query, mode=mode)} == {"house.txt"}
    only = search(ann, query, session_id=one, document_ids=[library["id"], other["id"]])
    assert {hit["name"] for hit in only} == {"house.txt"}, "a filter never widens what is seen"
    assert "07:45" in chat(ann, "When does the reading room open?", one)["answer"]
    assert "99" not in chat(ann, "Where does the attic key hang?", one)["answer"]
    ann.delete(f"/api/v1/documents/{library['id']}")


CITED = [
    ("report.docx", samples.word(), "How much did revenue grow?", 1, "twelve percent"),
    ("deck.pptx", samples.slides(), "How many ducks are there?", 2, "17"),
    ("orders.xlsx", samples.workbook(), "张三的金额是多少？", 1, "1250"),
    ("lease.pdf", make_pdf(LEASE), "How large is the deposit?", 2, "2,480"),
    ("合同.docx", make_docx(["稿酬标准为每千字二百六十元。"], "合同"), "稿酬标准是多少？", 1, "二百六十元"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "question", "page", "fact"), CITED, ids=[row[0] for row in CITED])
def test_citations_are_exact(api: httpx.Client, name: str, data: bytes, question: str, page: int, fact: str) -> None:
    thread = session()
    form = {"message": question, "session_id": thread}
    rest = api.post("/api/v1/chat_with_file", data=form, files={"file": (name, data)}).json()["citations"]
    message = {"messages": [{"type": "human", "content": question}]}
    body = {"input": message, "config": {"configurable": {"thread_id": thread}}}
    served = api.post("/agent/invoke", json=body).json()["output"]["citations"]
    with api.stream("POST", "/api/v1/chat/stream", json=form) as stream:
        streamed = [data for event, data in events(stream) if event == "citation"]
    for citations in (rest, served, streamed):
        assert citations
        for citation in citations:
            assert (citation["name"], citation["page"], citation["verified"]) == (name, page, True)
            (stored,) = [item for item in pages(api, citation["document_id"]) if item["number"] == page]
            assert stored["markdown"][citation["start"] : citation["end"]] == citation["quote"]
        assert any(fact in citation["quote"] for citation in citations)
