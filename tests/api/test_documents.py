from __future__ import annotations

import asyncio
import io
from typing import Any

import httpx
import pymupdf
import pytest
from PIL import Image

from api.runs import uploads
from tests.drawn_pictures import drawn as drawn_picture
from tests.drawn_pictures import encoded
from tests.standins.openai_server import OpenAIServer

TEXT = "The notice period is six weeks to the end of the quarter.\n\nRent is due on the third of each month."


async def upload(client: httpx.AsyncClient, session: str | None, *names: str, **form: str) -> list[dict[str, Any]]:
    data = {**form, **({"session_id": session} if session else {})}
    files = [("file", (name, TEXT.encode())) for name in names]
    response = await client.post("/api/v1/documents", data=data, files=files)
    assert response.status_code == 201, response.text
    created: list[dict[str, Any]] = response.json()
    return created


async def ready(client: httpx.AsyncClient, document_id: str) -> dict[str, Any]:
    for _ in range(200):
        document: dict[str, Any] = (await client.get(f"/api/v1/documents/{document_id}")).json()
        if document["status"] in ("ready", "failed"):
            return document
        await asyncio.sleep(0.02)
    raise AssertionError(document)


async def test_upload_read_list_search_delete(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    [queued] = await upload(client, "docs", "lease.txt")
    assert (queued["status"], queued["kind"], queued["name"]) == ("ready", "document", "lease.txt")
    assert (queued["pages_total"], queued["pages_done"]) == (1, 1)
    listed = (await client.get("/api/v1/documents", params={"session_id": "docs"})).json()
    assert [item["id"] for item in listed] == [queued["id"]]
    pages = (await client.get(f"/api/v1/documents/{queued['id']}/pages", params={"from": 1, "to": 1})).json()["pages"]
    assert pages[0]["number"] == 1 and "six weeks" in pages[0]["markdown"] and pages[0]["ocr"] is False
    query = {"query": "notice period", "session_id": "docs", "mode": "keyword", "top_k": 1}
    [hit] = (await client.post("/api/v1/documents/search", json=query)).json()["hits"]
    assert hit["document_id"] == queued["id"] and pages[0]["markdown"][hit["start"] : hit["end"]] == hit["text"]
    content = await client.get(f"/api/v1/documents/{queued['id']}/content")
    assert content.text == TEXT and content.headers["content-disposition"].startswith("attachment")
    receipt = (await client.delete(f"/api/v1/documents/{queued['id']}")).json()
    assert receipt["stores"]["documents"] == {"before": 1, "after": 0} and receipt["document_id"] == queued["id"]
    assert (await client.get(f"/api/v1/documents/{queued['id']}")).status_code == 404


async def test_what_takes_longer_is_listed_at_once_and_read_behind(
    client: httpx.AsyncClient, model: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOMENT", 0.0)
    [kept] = await upload(client, "later", "lease.txt")
    listed = (await client.get("/api/v1/documents", params={"session_id": "later"})).json()
    assert [item["id"] for item in listed] == [kept["id"]]
    assert (await ready(client, kept["id"]))["status"] == "ready"


async def test_the_library_is_seen_from_every_session(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    [kept] = await upload(client, None, "handbook.txt", scope="library")
    await ready(client, kept["id"])
    for session in ("any", "other"):
        listed = (await client.get("/api/v1/documents", params={"session_id": session})).json()
        assert kept["id"] in [item["id"] for item in listed]
    await client.delete(f"/api/v1/documents/{kept['id']}")


async def test_an_uploaded_file_can_be_attached_by_id(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    [kept] = await upload(client, "attach", "lease.txt")
    await ready(client, kept["id"])
    body = {"message": "What is the notice period?", "session_id": "attach", "attachment_ids": [kept["id"]]}
    answer = (await client.post("/api/v1/chat", json=body)).json()
    assert [(item["name"], item["status"]) for item in answer["attachments"]] == [("lease.txt", "ready")]
    assert "six weeks" in model.chats[-1].text


async def test_an_unknown_attachment_is_a_note(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    answer = (await client.post("/api/v1/chat", json={"message": "Read it.", "attachment_ids": ["nothing"]})).json()
    assert answer["attachments"][0]["error"]["code"] == "unknown_attachment"


async def test_bad_uploads(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    none = await client.post("/api/v1/documents", data={"session_id": "x"}, files={"other": ("", b"")})
    nowhere = await client.post("/api/v1/documents", files={"file": ("a.txt", b"x")})
    no_form = await client.post("/api/v1/documents", json={"file": "a.txt"})
    assert [response.status_code for response in (none, nowhere, no_form)] == [422] * 3
    big = await client.post("/api/v1/documents", data={"session_id": "x"}, files={"file": ("big.txt", b"x" * 300_000)})
    assert big.json()[0]["error"]["code"] == "file_too_large"


async def test_pages_are_paged(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    text = "\f".join(f"Sheet {number} of the file" for number in range(1, 122))
    data, files = {"session_id": "paged"}, {"file": ("sheets.txt", text.encode())}
    [queued] = (await client.post("/api/v1/documents", data=data, files=files)).json()
    await ready(client, queued["id"])
    path, numbers, start = f"/api/v1/documents/{queued['id']}/pages", list[int](), 1
    while start:
        answer = (await client.get(path, params={"from": start})).json()
        numbers += [page["number"] for page in answer["pages"]]
        assert answer["total"] == 121
        start = answer["next"]
    assert numbers == list(range(1, 122))
    assert (await client.get(path, params={"from": 3, "to": 4})).json()["next"] == 5
    assert (await client.get(path, params={"from": 500})).json() == {"pages": [], "total": 121, "next": None}


async def test_a_page_is_shown_as_a_picture_with_its_quotes(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    with pymupdf.open() as pdf:
        pdf.new_page(width=300, height=300).insert_text((30, 60), "The notice period is six weeks.")
        sent = await client.post(
            "/api/v1/documents", data={"session_id": "view"}, files={"file": ("a.pdf", pdf.tobytes())}
        )
    path = f"/api/v1/documents/{(await ready(client, sent.json()[0]['id']))['id']}/pages"
    drawn = [await client.get(f"{path}/1/picture") for _ in range(2)]
    assert drawn[0].headers["content-type"] == "image/webp" and drawn[0].content == drawn[1].content
    found = (await client.get(f"{path}/1/boxes", params={"text": "period is six"})).json()["boxes"]
    assert len(found) == 1 and 0.1 < found[0][0] < 0.6 and 0.15 < found[0][1] < found[0][3] < 0.25
    assert (await client.get(f"{path}/1/boxes", params={"text": "not there"})).json() == {"boxes": []}
    for missing, status in ((f"{path}/2/picture", 422), ("/api/v1/documents/none/pages/1/picture", 404)):
        assert (await client.get(missing)).status_code == status
    small = await client.get(f"{path.removesuffix('/pages')}/thumbnail")
    assert small.headers["content-type"] == "image/webp" and len(small.content) < len(drawn[0].content)
    png = encoded(drawn_picture((5, 5, "x"), size=(900, 300)))
    sent = await client.post("/api/v1/documents", data={"session_id": "view"}, files={"file": ("a.png", png)})
    thumbnail = await client.get(f"/api/v1/documents/{sent.json()[0]['id']}/thumbnail")
    with Image.open(io.BytesIO(thumbnail.content)) as picture:
        assert picture.size == (320, 107)
    [text] = await upload(client, "view", "lease.txt")
    refused = await client.get(f"/api/v1/documents/{text['id']}/pages/1/picture")
    assert refused.status_code == 422 and "no picture" in refused.json()["error"]["message"]


async def test_a_document_is_renamed(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    [kept] = await upload(client, None, "scan0042.txt", scope="library")
    path = f"/api/v1/documents/{kept['id']}"
    renamed = await client.patch(path, json={"name": " 2025/租约\u202e.txt "})
    assert (renamed.status_code, renamed.json()["name"], renamed.json()["status"]) == (200, "租约.txt", "ready")
    query = {"query": "notice period", "mode": "keyword"}
    [hit, *_] = (await client.post("/api/v1/documents/search", json=query)).json()["hits"]
    assert hit["name"] == "租约.txt"
    content = await client.get(f"{path}/content")
    assert "%E7%A7%9F%E7%BA%A6.txt" in content.headers["content-disposition"]
    assert (await client.patch(path, json={"name": "  "})).status_code == 422
    assert (await client.patch("/api/v1/documents/nothing", json={"name": "x"})).status_code == 404
    await client.delete(path)


async def test_unknown_documents(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    for path in ("nothing", "nothing/pages"):
        response = await client.get(f"/api/v1/documents/{path}")
        assert (response.status_code, response.json()["error"]["code"]) == (404, "unknown_document")
    content = await client.get("/api/v1/documents/nothing/content")
    assert (content.status_code, content.json()["error"]["code"]) == (404, "unknown_attachment")
