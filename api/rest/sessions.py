"""Sessions: listed, read, renamed, exported, imported, edited, branched, cleared."""

from __future__ import annotations

import asyncio
import uuid
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response

from api.backend import Backend, BackendDep, UserDep
from api.edge.failures import asked_language
from api.edge.responses import json_response
from api.rest.chat import answer_body
from api.rest.openapi import answers
from api.rest.receipts import receipt
from api.rest.session_export import as_markdown
from api.rest.turn_bodies import TurnBody
from api.runs.branching import branch, fill
from api.runs.deletion import delete_session as delete_everywhere
from api.runs.deletion import delete_user
from api.schemas import (
    ERRORS,
    MOST_ITEMS,
    Answer,
    BranchBody,
    ChatBody,
    EditBody,
    ImportBody,
    NewSession,
    Receipt,
    RegenerateBody,
    RenameBody,
    Session,
    SessionBody,
    SessionId,
    SessionList,
    SessionTitle,
    Transcript,
)
from domain.errors import SessionExists, UnknownRun, UnknownSession
from domain.owner import Owner
from stores.redis.transcripts import Entry, Page, Thread

router = APIRouter(prefix="/api/v1", tags=["sessions"])
SessionPath = Annotated[SessionId, Path()]


@router.post("/clear_current_chat_history", response_model=Receipt, responses=ERRORS)
async def clear_current_chat_history(body: SessionBody, backend: BackendDep, user: UserDep) -> Response:
    """Forget a session: conversation, documents, attachments, caches. The receipt counts what went, store by store."""
    return await _clear(body.session_id, backend, user)


@router.get("/sessions", response_model=SessionList, responses=ERRORS)
async def list_sessions(
    backend: BackendDep,
    user: UserDep,
    offset: Annotated[int, Query(ge=0, le=MOST_ITEMS)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    query: Annotated[str | None, Query(max_length=200, description="Looked for in the titles.")] = None,
) -> Response:
    """List the user's sessions, last active first."""
    threads, total = await backend.services.transcripts.list_threads(user, offset, limit, query)
    return json_response({"sessions": [_session(item) for item in threads], "total": total, "offset": offset})


@router.get("/sessions/{session_id}", response_model=Transcript, responses=ERRORS)
async def get_session(
    session_id: SessionPath,
    backend: BackendDep,
    user: UserDep,
    offset: Annotated[int, Query(ge=0, le=MOST_ITEMS)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    newest: Annotated[bool, Query(description="Count from the newest message.")] = False,
) -> Response:
    """Return the transcript of a session, page by page.

    A message without an answer is being answered, or has the state `interrupted`: its server was killed.
    """
    owner = Owner(user, session_id)
    page = await backend.services.transcripts.get(owner, offset, limit, newest=newest)
    if unanswered := _unanswered(page):
        queued = await backend.turns.queued(owner.memory_key)
        page = await backend.services.transcripts.get(owner, offset, limit, newest=newest)
        lost = unanswered & _unanswered(page) - queued
        page["entries"] = [
            {**entry, "state": "interrupted"} if entry["role"] == "user" and entry.get("run_id") in lost else entry
            for entry in page["entries"]
        ]
    return json_response(
        {**_session(page["thread"]), "messages": page["entries"], "offset": page["offset"], "total": page["total"]}
    )


@router.patch("/sessions/{session_id}", response_model=SessionTitle, responses=ERRORS)
async def rename_session(session_id: SessionPath, body: RenameBody, backend: BackendDep, user: UserDep) -> Response:
    """Give a session another title."""
    await backend.services.transcripts.rename(Owner(user, session_id), body.title)
    return json_response({"session_id": session_id, "title": body.title})


@router.delete("/sessions/{session_id}", response_model=Receipt, responses=ERRORS)
async def delete_session(session_id: SessionPath, backend: BackendDep, user: UserDep) -> Response:
    """Forget a session, like `clear_current_chat_history`."""
    return await _clear(session_id, backend, user)


@router.delete("/user", response_model=Receipt, responses=ERRORS)
async def forget_user(backend: BackendDep, user: UserDep) -> Response:
    """Forget the caller: every session, every document, the lasting library. The receipt counts what went."""
    return json_response(receipt(await delete_user(backend, user)))


@router.get(
    "/sessions/{session_id}/export",
    response_class=Response,
    responses={**ERRORS, 200: answers("text/markdown", "application/json")},
)
async def export_session(
    request: Request,
    session_id: SessionPath,
    backend: BackendDep,
    user: UserDep,
    format: Literal["markdown", "json"] = "markdown",
) -> Response:
    """Return the whole transcript as a file; the JSON form can be imported again."""
    page = await backend.services.transcripts.export(Owner(user, session_id))
    suffix = "md" if format == "markdown" else "json"
    name = quote(f"{page['thread']['title'] or session_id}.{suffix}", safe="")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    if format == "markdown":
        text = await asyncio.to_thread(as_markdown, page, asked_language(request))
        return Response(text, media_type="text/markdown; charset=utf-8", headers=headers)
    response = json_response({**_session(page["thread"]), "messages": page["entries"]})
    response.headers.update(headers)
    return response


@router.post("/sessions/import", status_code=201, response_model=NewSession, responses=ERRORS)
async def import_session(body: ImportBody, backend: BackendDep, user: UserDep) -> Response:
    """Make a session of an exported transcript; the model remembers the end of it."""
    owner = Owner(user, uuid.uuid4().hex)
    entries: list[Entry] = [entry.model_dump(exclude_none=True) for entry in body.messages]  # type: ignore[misc]
    await fill(backend.services, backend.runner.graph, owner, entries, body.title)
    return json_response({"session_id": owner.thread_id, "title": body.title, "messages": len(entries)}, 201)


@router.post("/sessions/{session_id}/edit", response_model=Answer, responses=ERRORS)
async def edit_message(
    session_id: SessionPath, body: EditBody, request: Request, backend: BackendDep, user: UserDep
) -> Response:
    """Change a past message and answer it; what came after it is dropped. With `stream` as events."""
    fields = ChatBody(message=body.message, session_id=session_id, replaces=body.run_id, stream=body.stream)
    return await answer_body(request, TurnBody(fields, asked_language(request)), backend, user)


@router.post("/sessions/{session_id}/regenerate", response_model=Answer, responses=ERRORS)
async def regenerate_answer(
    session_id: SessionPath, body: RegenerateBody, request: Request, backend: BackendDep, user: UserDep
) -> Response:
    """Answer a past message again; what came after it is dropped. With `stream` as events."""
    run_id = body.run_id or await _last_run(backend, Owner(user, session_id))
    fields = ChatBody(session_id=session_id, replaces=run_id, stream=body.stream)
    return await answer_body(request, TurnBody(fields, asked_language(request)), backend, user)


@router.post("/sessions/{session_id}/branch", status_code=201, response_model=NewSession, responses=ERRORS)
async def branch_session(session_id: SessionPath, body: BranchBody, backend: BackendDep, user: UserDep) -> Response:
    """Continue from a past point in a new session, with the documents of the session."""
    source, target = Owner(user, session_id), Owner(user, body.session_id or uuid.uuid4().hex)
    if body.session_id is not None and await _exists(backend, target):
        raise SessionExists(id=body.session_id)
    thread, count = await branch(backend.services, backend.runner.graph, source, target, run_id=body.run_id)
    return json_response({"session_id": target.thread_id, "title": thread["title"], "messages": count}, 201)


def _unanswered(page: Page) -> set[str]:
    """Return the runs of questions that no answer of the page belongs to; that of the last may be on the next page."""
    entries = page["entries"]
    if page["offset"] + len(entries) < page["total"]:
        entries = entries[:-1]
    runs: dict[str, set[str]] = {"user": set(), "assistant": set()}
    for entry in page["entries"]:
        if entry.get("run_id") and entry["role"] in runs and (entry["role"] == "assistant" or entry in entries):
            runs[entry["role"]].add(entry["run_id"])
    return runs["user"] - runs["assistant"]


async def _last_run(backend: Backend, owner: Owner) -> str:
    page = await backend.services.transcripts.get(owner, 0, 1, newest=True)
    run_id = page["entries"][-1].get("run_id") if page["entries"] else None
    if run_id is None:
        raise UnknownRun(id="")
    return run_id


async def _exists(backend: Backend, owner: Owner) -> bool:
    try:
        await backend.services.transcripts.get(owner, 0, 1)
    except UnknownSession:
        return False
    return True


async def _clear(session_id: str, backend: Backend, user: str) -> Response:
    counts = await delete_everywhere(backend, Owner(user, session_id))
    return json_response(receipt(counts, session_id=session_id))


def _session(thread: Thread) -> Session:
    return Session(
        session_id=thread["thread_id"], title=thread["title"], created_at=thread["created"],
        last_activity=thread["last_activity"], message_count=thread["entries"],
    )  # fmt: skip
