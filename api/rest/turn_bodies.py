"""From a request body, JSON or multipart, to a turn: files go to the attachment store, references go on."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import Request
from langchain_core.messages import HumanMessage
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from api.backend import Backend
from api.edge.failures import asked_language, validation_reason
from api.edge.forms import read_form
from api.edge.json_shape import off_loop
from api.runs.request import TurnRequest
from api.runs.uploads import read_protected, store_uploads
from api.schemas import ChatBody
from domain.errors import BadInput, TooManyFiles
from domain.language import language_of
from domain.owner import Owner
from domain.surrogates import cleaned
from domain.types import AttachmentRef
from domain.words import Language, Words
from settings import Settings
from stores.conversations.entries import ROOT
from turn.intake import check_lengths

_LISTS = [name for name, part in ChatBody.model_json_schema()["properties"].items() if '"array"' in json.dumps(part)]


@dataclass(frozen=True, slots=True)
class TurnBody:
    """A parsed request for a turn."""

    fields: ChatBody
    language: Language
    """What the client reads, where the message tells no language."""
    files: Sequence[UploadFile] = ()
    password: str | None = None


async def read_turn_body(request: Request) -> TurnBody:
    """Parse a JSON or multipart body.

    Raises:
        BadInput: It is neither, or a field is missing, unknown or of the wrong kind.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        return await _read_form(request)
    try:
        value = await off_loop(_loaded, await request.body())
    except (ValueError, RecursionError) as exc:
        raise BadInput(
            reason=Words("the body is neither valid JSON nor a form", "请求体既不是有效的 JSON，也不是表单")
        ) from exc
    return TurnBody(_checked(request, value), asked_language(request))


async def _read_form(request: Request) -> TurnBody:
    fields, files = await read_form(request, _LISTS)
    password = fields.pop("password", None)
    for name in ("image", "file"):
        if fields.pop(name, None):
            raise BadInput(
                reason=Words(
                    f"{name} is text, not a file: send it with a file name", f"{name} 是文本而不是文件：请附上文件名"
                )
            )
    return TurnBody(_checked(request, fields), asked_language(request), files, password)


def _loaded(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except ValueError:  # not JSON, or what only the other one takes: halves of characters, NaN, UTF-16
        return cleaned(json.loads(body))


def _checked(request: Request, value: object) -> ChatBody:
    if isinstance(value, dict) and isinstance(value.get("message"), str) and value["message"].strip():
        chosen = value.get("language")
        request.state.language = (
            chosen if chosen in ("en", "zh") else language_of(value["message"], asked_language(request))
        )
    try:
        return ChatBody.model_validate(value)
    except ValidationError as exc:
        raise BadInput(reason=validation_reason(exc.errors(include_url=False))) from exc


async def turn_request(body: TurnBody, backend: Backend, user_id: str) -> TurnRequest:
    """Store the files of a body and return the turn that it asks for.

    Raises:
        BadInput: There is neither text nor a file, or a callback is asked for where none can be signed.
        SessionIsKept: Its files are to be temporary, and their session is kept.
        TooMuchText: The message is too long.
        TooManyFiles: Uploads and references together are too many.
        UnknownMessage: The message that it names is not in the session.
        UnknownRun: The run to be replaced is not in the session.
    """
    fields = body.fields if body.files else await with_question(body.fields, backend, user_id)
    _check(fields, len(body.files), backend.settings)
    owner = Owner(user_id, fields.session_id or uuid.uuid4().hex)
    options = fields.options
    language = language_of(fields.message, body.language) if options.language == "auto" else options.language
    if body.files and options.temporary:
        await backend.services.conversations.begin_temporary(owner)
    refs, refused = await store_uploads(body.files, owner, backend.services, language)
    if refused and not refs and not fields.message.strip() and not fields.attachment_ids:
        raise refused[0].error
    handled = [item.attachment for item in refused]
    if body.password and refs:
        handled += [await read_protected(backend.services, ref, owner, language, body.password) for ref in refs]
        refs = []
    return TurnRequest(
        owner=owner,
        messages=[HumanMessage(content=_content(fields, refs), id=f"user-{uuid.uuid4().hex}")],
        options=options,
        reads=body.language,
        on_busy=fields.on_busy,
        lasting=fields.on_disconnect == "continue",
        callback_url=fields.callback_url,
        parent=fields.parent_message_id,
        replaces=fields.replaces,
        again=not body.fields.message.strip() and not body.fields.attachment_ids and not body.files,
        attachments=handled,
    )


def _check(fields: ChatBody, files: int, settings: Settings) -> None:
    count = files + len(fields.attachment_ids)
    if not fields.message.strip() and not count:
        raise BadInput(reason=Words("message is empty", "message 为空"))
    check_lengths([fields.message], settings)
    if count > settings.max_files:
        raise TooManyFiles(limit=settings.max_files)
    if fields.callback_url and settings.callback_secret is None:
        raise BadInput(
            reason=Words("callbacks need CALLBACK_SECRET on the server", "服务器未设置 CALLBACK_SECRET，无法回调")
        )
    for name in ("replaces", "parent_message_id"):
        if getattr(fields, name) and fields.session_id is None:
            raise BadInput(reason=Words(f"{name} needs a session_id", f"{name} 需要 session_id"))
    if fields.replaces and fields.parent_message_id:
        raise BadInput(
            reason=Words("give replaces or parent_message_id, not both", "replaces 与 parent_message_id 只能提供一个")
        )


async def with_question(fields: ChatBody, backend: Backend, user_id: str) -> ChatBody:
    """Return the body; one without a message gets the question that it asks another answer to.

    Raises:
        UnknownMessage: The session has no such message.
        UnknownRun: The session has no such run.
        UnknownSession: There is no such session.
    """
    named = fields.replaces or (fields.parent_message_id if fields.parent_message_id != ROOT else None)
    if not named or fields.message.strip() or fields.attachment_ids or fields.session_id is None:
        return fields
    entry = await backend.services.conversations.question(
        Owner(user_id, fields.session_id), run_id=fields.replaces, message_id=fields.parent_message_id
    )
    ids = [str(item["id"]) for item in entry.get("attachments", []) if item.get("id")]
    place = {} if fields.replaces else {"parent_message_id": entry["message_id"]}
    return fields.model_copy(update={"message": entry.get("text", ""), "attachment_ids": ids, **place})


def _content(fields: ChatBody, refs: Sequence[AttachmentRef]) -> str | list[str | dict[str, Any]]:
    """Return message content: the text, then references."""
    if not refs and not fields.attachment_ids:
        return fields.message
    blocks: list[str | dict[str, Any]] = [{"type": "text", "text": fields.message}]
    blocks += [{"type": "attachment", "id": ref["id"], "name": ref["name"]} for ref in refs]
    blocks += [{"type": "attachment", "id": attachment_id} for attachment_id in fields.attachment_ids]
    return blocks
