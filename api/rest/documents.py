"""Documents: uploaded, listed, read page by page, searched, renamed, deleted."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as PathParameter
from typing_extensions import TypedDict

from api.backend import BackendDep, UserDep
from api.edge.failures import asked_language
from api.edge.forms import read_upload
from api.edge.responses import file_response, json_response
from api.rest.openapi import BINARY
from api.rest.receipts import receipt
from api.runs.deletion import delete_document as delete_everywhere
from api.runs.uploads import start_reading, store_uploads
from api.schemas import ERRORS, MOST_ITEMS, DocumentChange, Receipt, SearchBody, SessionId
from domain.errors import BadInput, DiskFull
from domain.language import language_of
from domain.owner import Owner
from domain.types import Attachment
from domain.words import Words
from stores.library.search import Hit

MOST_PAGES = 100
"""Most pages of one answer."""
SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf",
                   "audio/mpeg", "audio/wav", "audio/ogg", "audio/mp4", "audio/webm"})  # fmt: skip

router = APIRouter(prefix="/api/v1/documents", tags=["documents"])

_UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "session_id": {"type": "string"},
                        "scope": {"type": "string", "enum": ["session", "library"]},
                        "temporary": {"type": "boolean"},
                        "password": {"type": "string"},
                    },
                }
            }
        },
    }
}
SessionQuery = Annotated[SessionId | None, Query(description="Session; without one the user's lasting library.")]


PageNumber = Annotated[int, PathParameter(ge=1, le=MOST_ITEMS)]
KEPT = {"Cache-Control": "private, max-age=3600"}


class Boxes(TypedDict):
    """Left, top, right and bottom of each box, as shares of the page's width and height (0 to 1)."""

    boxes: list[tuple[float, float, float, float]]


class Hits(TypedDict):
    """Passages that were found, best first."""

    hits: list[Hit]


@router.post("", status_code=201, response_model=list[Attachment], responses=ERRORS, openapi_extra=_UPLOAD)
async def upload_documents(request: Request, backend: BackendDep, user: UserDep) -> Response:
    """Store files and read them in the background; ask for each that is not `ready` by its id to see how far it is.

    Files belong to a session, or with `scope=library` to the user for good. With `temporary` nothing is kept of the
    session.
    """
    upload = await read_upload(request)
    if not upload.files:
        raise BadInput(reason=Words("there is no file", "没有文件"))
    scope = upload.fields.get("scope")
    if upload.session_id is None and scope != "library":
        raise BadInput(reason=Words("give session_id or scope=library", "请提供 session_id 或 scope=library"))
    owner = Owner(user, None if scope == "library" else upload.session_id)
    if owner.thread_id is not None and upload.fields.get("temporary") == "true":
        await backend.services.conversations.begin_temporary(owner)
    names = " ".join(PurePath(file.filename or "").stem for file in upload.files)
    language = asked_language(request, default=language_of(names))
    refs, refused = await store_uploads(upload.files, owner, backend.services, language)
    if not refs and isinstance(refused[0].error, DiskFull):
        raise refused[0].error
    if refs and owner.thread_id is not None:
        await backend.services.conversations.begin(owner, ", ".join(ref["name"] for ref in refs))
    password = upload.fields.get("password")
    kept = await start_reading(backend.services, refs, owner, language=language, password=password)
    return json_response([*kept, *(item.attachment for item in refused)], 201)


@router.get("", response_model=list[Attachment], responses=ERRORS)
async def list_documents(backend: BackendDep, user: UserDep, session_id: SessionQuery = None) -> Response:
    """List the documents of a session and of the user's library."""
    return json_response(await backend.services.documents.list(Owner(user, session_id)))


@router.post("/search", response_model=Hits, responses=ERRORS)
async def search_documents(body: SearchBody, backend: BackendDep, user: UserDep) -> Response:
    """Find passages by meaning and by words."""
    owner = Owner(user, body.session_id)
    hits = await backend.services.documents.search(
        body.query, owner, top_k=body.top_k, mode=body.mode, document_ids=body.document_ids
    )
    return json_response({"hits": hits})


@router.get("/{document_id}", response_model=Attachment, responses=ERRORS)
async def get_document(document_id: str, backend: BackendDep, user: UserDep) -> Response:
    """Return a document with its progress; of a picture also its text and description."""
    return json_response(await backend.services.documents.get(document_id, Owner(user)))


@router.patch("/{document_id}", response_model=Attachment, responses=ERRORS)
async def rename_document(document_id: str, body: DocumentChange, backend: BackendDep, user: UserDep) -> Response:
    """Call a document otherwise; answers that were given keep the name that it had."""
    owner = Owner(user)
    await backend.services.documents.get(document_id, owner)
    await backend.services.attachments.rename(document_id, body.name, owner)
    return json_response(await backend.services.documents.get(document_id, owner))


@router.get("/{document_id}/pages", responses=ERRORS)
async def get_pages(
    document_id: str,
    backend: BackendDep,
    user: UserDep,
    first: Annotated[int, Query(alias="from", ge=1, le=MOST_ITEMS)] = 1,
    last: Annotated[int | None, Query(alias="to", ge=1, le=MOST_ITEMS)] = None,
) -> Response:
    """Return the pages that have been read, as Markdown: `next` is the page to go on `from`, null at the end."""
    documents, owner = backend.services.documents, Owner(user)
    document = await documents.get(document_id, owner)
    last = min(last or first + MOST_PAGES - 1, first + MOST_PAGES - 1)
    pages = await documents.pages(document_id, owner, first, last)
    total, reached = document.get("pages_total") or 0, pages[-1]["number"] if pages else first - 1
    more = reached < total and bool(pages or document["status"] in ("queued", "reading"))
    return json_response({"pages": pages, "total": total, "next": reached + 1 if more else None})


@router.get(
    "/{document_id}/pages/{number}/picture",
    response_class=Response,
    responses={**ERRORS, 200: {"description": "The page", "content": {"image/webp": {"schema": BINARY}}}},
)
async def get_page_picture(document_id: str, number: PageNumber, backend: BackendDep, user: UserDep) -> Response:
    """Return a page of a PDF as a picture, at most 1600 pixels long."""
    picture = await backend.services.page_views.picture(document_id, number, Owner(user))
    return Response(picture, headers=KEPT | {"X-Content-Type-Options": "nosniff"}, media_type="image/webp")


@router.get(
    "/{document_id}/thumbnail",
    response_class=Response,
    responses={**ERRORS, 200: {"description": "The picture", "content": {"image/webp": {"schema": BINARY}}}},
)
async def get_thumbnail(document_id: str, backend: BackendDep, user: UserDep) -> Response:
    """Return a picture or the first page of a PDF, at most 320 pixels long."""
    picture = await backend.services.page_views.thumbnail(document_id, Owner(user))
    return Response(picture, headers=KEPT | {"X-Content-Type-Options": "nosniff"}, media_type="image/webp")


@router.get("/{document_id}/pages/{number}/boxes", response_model=Boxes, responses=ERRORS)
async def find_on_page(
    document_id: str,
    number: PageNumber,
    backend: BackendDep,
    user: UserDep,
    text: Annotated[str, Query(min_length=1, max_length=4000, description="Words that stand on the page.")],
    start: Annotated[int, Query(ge=0, le=MOST_ITEMS, description="Their offset in the text of the page.")] = 0,
) -> Response:
    """Return where quoted words stand on a page of a PDF: a box for each of their lines; none when not found."""
    boxes = await backend.services.page_views.boxes(document_id, number, Owner(user), text, start)
    response = json_response({"boxes": boxes})
    response.headers.update(KEPT)
    return response


@router.get(
    "/{document_id}/content",
    response_class=Response,
    responses={**ERRORS, 200: {"description": "The file", "content": {"*/*": {"schema": BINARY}}}},
)
async def get_content(document_id: str, backend: BackendDep, user: UserDep) -> Response:
    """Return the file itself. Only pictures, audio and PDF are shown in place; everything else is a download."""
    attachments = backend.services.attachments
    ref = await attachments.get(document_id, Owner(user))
    place = "inline" if ref["media_type"] in SHOWN else "attachment"
    headers = {
        "Content-Disposition": f"{place}; filename*=UTF-8''{quote(ref['name'])}",
        "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=3600",
    }
    media_type = ref["media_type"] if place == "inline" else "application/octet-stream"
    return await file_response(await attachments.stored(ref), headers=headers, media_type=media_type)


@router.delete("/{document_id}", response_model=Receipt, responses=ERRORS)
async def delete_document(document_id: str, backend: BackendDep, user: UserDep) -> Response:
    """Delete a document with its pages, passages and vectors, and with the answers that rest on it."""
    counts = await delete_everywhere(backend, Owner(user), document_id)
    return json_response(receipt(counts, document_id=document_id))
