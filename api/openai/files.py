"""Files as OpenAI's clients ask for them: documents of the user's lasting library."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from api.backend import BackendDep, UserDep
from api.edge.failures import asked_language
from api.edge.forms import read_upload
from api.edge.responses import file_response, json_response
from api.runs.deletion import delete_document
from api.runs.uploads import start_reading, store_uploads
from domain.errors import BadInput
from domain.language import language_of
from domain.owner import Owner
from domain.types import Attachment
from domain.words import Words

router = APIRouter(prefix="/v1", tags=["openai"])

PURPOSES = ("user_data", "assistants", "vision")
"""What files are for here: to be read and searched. All of them are the same to this server."""
_STATUS = {"ready": "processed", "failed": "error"}


@router.post("/files")
async def upload_file(request: Request, backend: BackendDep, user: UserDep) -> Response:
    """Store a file in the user's library and read it in the background. Multipart: `file`, `purpose`.

    Every turn of the user can search it; a message may also name its id.
    """
    upload = await read_upload(request)
    purpose = upload.fields.get("purpose", PURPOSES[0])
    if len(upload.files) != 1 or purpose not in PURPOSES:
        names = ", ".join(PURPOSES)
        reason = Words(f"send one `file` with a purpose of {names}", f"请发送一个 `file`，purpose 可为 {names}")
        raise BadInput(reason=reason)
    owner = Owner(user)
    language = asked_language(request, default=language_of(PurePath(upload.files[0].filename or "").stem))
    refs, refused = await store_uploads(upload.files, owner, backend.services, language)
    if refused:
        raise refused[0].error
    [kept] = await start_reading(backend.services, refs, owner, language=language)
    return json_response({**_file(kept), "purpose": purpose})


@router.get("/files")
async def list_files(
    backend: BackendDep,
    user: UserDep,
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
    order: Literal["asc", "desc"] = "desc",
) -> Response:
    """List the files of the user's library, the newest first."""
    documents = await backend.services.documents.list(Owner(user))
    files = [_file(document) for document in (documents if order == "asc" else documents[::-1])]
    place = next((place for place, file in enumerate(files, 1) if file["id"] == after), 0)
    page = files[place : place + limit]
    ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {"first_id": None, "last_id": None}
    return json_response({"object": "list", "data": page, "has_more": place + limit < len(files), **ends})


@router.get("/files/{file_id}")
async def get_file(file_id: str, backend: BackendDep, user: UserDep) -> Response:
    """Describe a file: `processed` when it was read, `error` with the reason when it cannot be."""
    return json_response(_file(await backend.services.documents.get(file_id, Owner(user))))


@router.get("/files/{file_id}/content")
async def get_content(file_id: str, backend: BackendDep, user: UserDep) -> Response:
    """Return the file itself, as a download."""
    ref = await backend.services.attachments.get(file_id, Owner(user))
    stored = await backend.services.attachments.stored(ref)
    headers = {"X-Content-Type-Options": "nosniff"}
    return await file_response(stored, filename=ref["name"], media_type="application/octet-stream", headers=headers)


@router.delete("/files/{file_id}")
async def delete_file(file_id: str, backend: BackendDep, user: UserDep) -> Response:
    """Delete a file with its pages, passages and vectors, and with the answers that rest on it."""
    await delete_document(backend, Owner(user), file_id)
    return json_response({"id": file_id, "object": "file", "deleted": True})


def _file(document: Attachment) -> dict[str, Any]:
    error = document.get("error")
    return {
        "id": document["id"], "object": "file", "bytes": document["size"], "filename": document["name"],
        "created_at": int(document.get("created", 0)), "purpose": PURPOSES[0],
        "status": _STATUS.get(document["status"], "uploaded"), "status_details": error and error["message"],
    }  # fmt: skip
