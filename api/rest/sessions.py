"""Sessions: listed, read, renamed, exported, imported, edited, branched, cleared."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Literal, cast
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response

from api.backend import Backend, BackendDep, UserDep
from api.edge.failures import asked_language
from api.edge.responses import json_response
from api.rest.chat import answer_body
from api.rest.openapi import answers
from api.rest.receipts import receipt
from api.rest.turn_bodies import TurnBody
from api.runs.branching import branch, with_own_runs
from api.runs.deletion import delete_session as delete_everywhere
from api.runs.session_markdown import as_markdown
from api.runs.temporary import said_in
from api.schemas import (
    ERRORS,
    MOST_ITEMS,
    Answer,
    BranchBody,
    ChatBody,
    EditBody,
    ImportBody,
    MessagePlace,
    NewSession,
    Receipt,
    RegenerateBody,
    Session,
    SessionBody,
    SessionChange,
    SessionId,
    SessionList,
    SessionQuery,
    Transcript,
    TranscriptQuery,
    Waiting,
)
from domain.errors import SessionExists, TemporarySession, UnknownSession
from domain.owner import Owner
from stores.conversations.entries import Conversation, Listing, Message, Page, Part
from turn.personas import role_named

router = APIRouter(prefix="/api/v1", tags=["sessions"])
SessionPath = Annotated[SessionId, Path()]


@router.post("/clear_current_chat_history", response_model=Receipt, responses=ERRORS)
async def clear_current_chat_history(body: SessionBody, backend: BackendDep, user: UserDep) -> Response:
    """Forget a session: conversation, documents, attachments, caches. The receipt counts what went, store by store."""
    return await _clear(body.session_id, backend, user)


@router.get("/sessions", response_model=SessionList, responses=ERRORS)
async def list_sessions(backend: BackendDep, user: UserDep, asked: Annotated[SessionQuery, Query()]) -> Response:
    """List the user's sessions, or those that hold all words of a query: pinned ones first, then the last active."""
    archived = asked.archived if asked.query.strip() else bool(asked.archived)
    wanted = Listing(asked.query, archived, asked.cursor, asked.offset, asked.limit)
    found, total, following = await backend.services.conversations.find(user, wanted)
    sessions = [
        {**_session(item), **{name: item[name] for name in ("message_id", "excerpt") if name in item}} for item in found
    ]
    return json_response({"sessions": sessions, "total": total, "offset": asked.offset, "next": following or None})


@router.get("/sessions/{session_id}", response_model=Transcript, responses=ERRORS)
async def get_session(
    session_id: SessionPath, backend: BackendDep, user: UserDep, asked: Annotated[TranscriptQuery, Query()]
) -> Response:
    """Return the messages of a session that are shown, page by page, each with its `versions`.

    An answer comes with `feedback`, and with what the turn left in the memory of the user: `remembered`. A message
    without an answer is being answered by the run that it names, waits with it for an approval (`waiting`), or has the
    state `interrupted`: its server was killed. `regenerate` answers it. Of a `temporary` session the answer is what it
    remembers.
    """
    waiting: Waiting | None = None
    owner, conversations = Owner(user, session_id), backend.services.conversations
    wanted = Part(asked.offset, asked.limit, asked.newest, asked.through)
    try:
        page = await conversations.page(owner, wanted)
    except TemporarySession:
        return await _temporary(owner, backend)
    if page["unanswered"]:
        queued = await backend.turns.queued(owner.memory_key)
        page = await conversations.page(owner, wanted)
        named = {entry.get("run_id", "") for entry in page["entries"] if entry["message_id"] in page["unanswered"]}
        queued |= await backend.runner.unfinished([*{*named, page["running"]} - queued])
        if (pause := await backend.runner.waiting(owner)) is not None:
            waiting = Waiting(run_id=pause["run_id"], questions=pause["questions"])
            queued.add(pause["run_id"])
        _mark_lost(page, queued)
    messages = await _with_afterthoughts(page["entries"], user, backend)
    body = {**_session(page["thread"]), "messages": messages, "offset": page["offset"], "total": page["total"],
            "waiting": waiting}  # fmt: skip
    if page["found"] is not None:
        body["found"] = page["found"]
    if asked.tree:
        places = (await conversations.whole(owner))["entries"]
        body["tree"] = [{name: entry.get(name) for name in MessagePlace.__annotations__} for entry in places]
    return json_response(body)


@router.patch("/sessions/{session_id}", response_model=Session, responses=ERRORS)
async def change_session(session_id: SessionPath, body: SessionChange, backend: BackendDep, user: UserDep) -> Response:
    """Rename, pin or archive a session, choose its persona, or which version of a message is shown.

    With `memory` false its turns neither use nor fill long-term memory, whatever they ask for.
    """
    owner, conversations = Owner(user, session_id), backend.services.conversations
    if body.persona is not None or body.memory is not None:
        role = await role_named(backend.services, user, body.persona) if body.persona else None
        await conversations.hold_with(owner, persona=role.key if role else body.persona, memory=body.memory)
    changed = await conversations.change(
        owner, title=body.title, pinned=body.pinned, archived=body.archived,
        shown=body.current_message_id,
    )  # fmt: skip
    return json_response(_session(changed))


@router.delete("/sessions/{session_id}", response_model=Receipt, responses=ERRORS)
async def delete_session(session_id: SessionPath, backend: BackendDep, user: UserDep) -> Response:
    """Forget a session, like `clear_current_chat_history`."""
    return await _clear(session_id, backend, user)


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
    """Return the transcript as a file; the JSON form has all versions and can be imported again."""
    owner, conversations = Owner(user, session_id), backend.services.conversations
    if format == "markdown":
        page = await conversations.page(owner, Part(limit=MOST_ITEMS))
        thread = page["thread"]
        text = await asyncio.to_thread(as_markdown, page, asked_language(request))
        response = Response(text, media_type="text/markdown; charset=utf-8")
    else:
        whole = await conversations.whole(owner)
        thread = whole["thread"]
        response = json_response(
            {**_session(thread), "messages": whole["entries"], "current_message_id": whole["current"]}
        )
    name = quote(f"{thread['title'] or session_id}.{'md' if format == 'markdown' else 'json'}", safe="")
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    return response


@router.post("/sessions/import", status_code=201, response_model=NewSession, responses=ERRORS)
async def import_session(body: ImportBody, backend: BackendDep, user: UserDep) -> Response:
    """Make a session of an exported transcript; the model remembers the end of what is shown."""
    owner = Owner(user, uuid.uuid4().hex)
    entries = [
        {
            name: value
            for name, value in entry.model_dump(exclude_unset=True).items()
            if value is not None or name == "parent_message_id"
        }
        for entry in body.messages
    ]
    count = await backend.services.conversations.add(
        owner, with_own_runs(cast("list[Message]", entries)), body.title, body.current_message_id
    )
    return json_response({"session_id": owner.thread_id, "title": body.title, "messages": count}, 201)


@router.post("/sessions/{session_id}/edit", response_model=Answer, responses=ERRORS)
async def edit_message(
    session_id: SessionPath, body: EditBody, request: Request, backend: BackendDep, user: UserDep
) -> Response:
    """Answer a past message said otherwise: another version of it, beside the first. With `stream` as events."""
    fields = ChatBody(message=body.message, session_id=session_id, replaces=body.run_id, stream=body.stream)
    return await answer_body(request, TurnBody(fields, asked_language(request)), backend, user)


@router.post("/sessions/{session_id}/regenerate", response_model=Answer, responses=ERRORS)
async def regenerate_answer(
    session_id: SessionPath, body: RegenerateBody, request: Request, backend: BackendDep, user: UserDep
) -> Response:
    """Answer a past message again: another version of the answer, or the first where its server was killed.

    With `stream` as events.
    """
    question = await backend.services.conversations.question(
        Owner(user, session_id), run_id=body.run_id, message_id=body.message_id
    )
    fields = ChatBody(session_id=session_id, parent_message_id=question["message_id"], stream=body.stream)
    return await answer_body(request, TurnBody(fields, asked_language(request)), backend, user)


@router.post("/sessions/{session_id}/branch", status_code=201, response_model=NewSession, responses=ERRORS)
async def branch_session(session_id: SessionPath, body: BranchBody, backend: BackendDep, user: UserDep) -> Response:
    """Continue from a past point in a new session, with the documents of the session."""
    source, target = Owner(user, session_id), Owner(user, body.session_id or uuid.uuid4().hex)
    if body.session_id is not None and await _exists(backend, target):
        raise SessionExists(id=body.session_id)
    title, count = await branch(backend.services, source, target, run_id=body.run_id, message_id=body.message_id)
    return json_response({"session_id": target.thread_id, "title": title, "messages": count}, 201)


async def _with_afterthoughts(entries: Sequence[Message], user: str, backend: Backend) -> list[dict[str, Any]]:
    """Return messages, their answers with what came of them later: a vote, memories."""
    answers = {entry["message_id"]: entry.get("run_id", "") for entry in entries if entry.get("role") == "assistant"}
    if not answers:
        return [{**entry} for entry in entries]
    votes = await backend.services.votes.of(user, [*answers])
    left = await backend.services.memories.left_by(user, set(answers.values()))
    later = {name: {"feedback": votes.get(name), "remembered": left.get(run, [])} for name, run in answers.items()}
    return [{**entry, **later.get(entry["message_id"], {})} for entry in entries]


async def _temporary(owner: Owner, backend: Backend) -> Response:
    thread = (await backend.services.conversations.temporary(owner.user_id)).get(owner.thread_id or "")
    if thread is None:  # it ended meanwhile
        raise UnknownSession(id=owner.thread_id)
    said, pause = await said_in(backend.runner.graph, owner), await backend.runner.waiting(owner)
    running = await backend.turns.queued(owner.memory_key)
    if pause is not None:  # its memory has the half of that turn already
        running.add(pause["run_id"])
        del said[max((at for at, entry in enumerate(said) if entry["role"] == "user"), default=0) :]
    for run_id in running:
        said += await backend.runner.question(run_id, owner)
    waiting = Waiting(run_id=pause["run_id"], questions=pause["questions"]) if pause is not None else None
    return json_response(
        {**_session(thread), "messages": said, "offset": 0, "total": len(said), "waiting": waiting, "temporary": True}
    )


def _mark_lost(page: Page, queued: set[str]) -> None:
    """Mark the questions of a page whose run is on no process any more; the last one names the run that answers it."""
    for entry in page["entries"]:
        if entry["message_id"] in page["unanswered"]:
            if entry is page["entries"][-1] and page["running"]:
                entry["run_id"] = page["running"]
            if entry.get("run_id") not in queued:
                entry["state"] = "interrupted"


async def _exists(backend: Backend, owner: Owner) -> bool:
    try:
        await backend.services.conversations.page(owner, Part(limit=1))
    except UnknownSession:
        return False
    return True


async def _clear(session_id: str, backend: Backend, user: str) -> Response:
    counts = await delete_everywhere(backend, Owner(user, session_id))
    return json_response(receipt(counts, session_id=session_id))


def _session(thread: Conversation) -> Session:
    return Session(
        session_id=thread["thread_id"], title=thread["title"], created_at=thread["created"],
        last_activity=thread["last_activity"], message_count=thread["entries"],
        pinned=thread["pinned"], archived=thread["archived"], persona=thread["persona"],
        memory=thread["memory"],
    )  # fmt: skip
