"""What is remembered of the caller over all conversations: listed, searched, added, corrected, forgotten."""

from __future__ import annotations

import base64
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from api.backend import Backend, BackendDep, UserDep
from api.edge.responses import json_response
from api.rest.receipts import receipt
from api.schemas import ERRORS, Receipt
from domain.errors import BadInput, UnknownPersona
from domain.owner import Owner
from domain.times import iso_time
from domain.words import Words
from privacy.structured import holds_secret
from stores.memories.items import MOST_CHARS, Memory, MemoryKind, MemoryScope, Origin
from stores.memories.statements import statement_of
from turn.personas import role_named
from turn.remembering import keeping

router = APIRouter(prefix="/api/v1/memories", tags=["memories"])
MOST = 200
LONGEST_WAIT: Final = 20
"""Seconds that a list waits for a turn to be looked through."""


class MemoryItem(TypedDict):
    """One thing that is remembered, and why: where and when it was said."""

    id: str
    text: str
    kind: MemoryKind
    slot: str
    origin: Origin
    persona: str
    session_id: str
    run_id: str
    said_at: str
    holds: bool
    superseded_by: str
    sensitive: bool
    confidence: float


class MemoryList(TypedDict):
    """Memories, and the cursor of the next page, empty on the last."""

    enabled: bool
    total: int
    memories: list[MemoryItem]
    next: str


class MemoryQuery(BaseModel):
    """Which memories are listed."""

    query: str = Field("", max_length=1000, description="Best first for this; else newest first.")
    past: bool = Field(False, description="What holds no more as well.")
    scope: str | None = Field(
        None, max_length=100, description="Only what this persona keeps for itself; empty: only what none does."
    )
    run_id: str = Field("", max_length=100, description="Only what this turn left, once it has been looked through.")
    limit: int = Field(50, ge=1, le=MOST)
    cursor: str = Field("", max_length=40, description="`next` of the page before.")


class NewMemory(BaseModel):
    """Something to be remembered."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=2, max_length=MOST_CHARS, description="In the user's own words.")
    kind: MemoryKind = "fact"
    slot: str = Field("", max_length=60, description="Where only one can hold at a time: `home`; empty: by its words.")
    persona: str = Field("", max_length=100, description="Persona that keeps it for itself; empty: none does.")


class ChangedMemory(BaseModel):
    """A correction."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=2, max_length=MOST_CHARS)


class MemorySwitch(BaseModel):
    """Whether anything is remembered of the caller."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool


@router.get("", response_model=MemoryList, responses=ERRORS)
async def list_memories(backend: BackendDep, user: UserDep, asked: Annotated[MemoryQuery, Query()]) -> Response:
    """List what is remembered of the caller."""
    memories = backend.services.memories
    start = _place(asked.cursor)
    scope = MemoryScope(sees=(await _persona(backend, user, asked.scope),)) if asked.scope is not None else None
    if asked.run_id:
        await backend.services.background.wait([keeping(asked.run_id)], LONGEST_WAIT)
    if asked.query.strip():
        found = await memories.search(user, asked.query, past=asked.past, most=start + MOST, scope=scope)
    else:
        found = await memories.items(user, past=asked.past, scope=scope)
    if asked.run_id:
        found = [item for item in found if item.turn_id == asked.run_id]
    end = start + asked.limit
    listed = MemoryList(
        enabled=await memories.enabled(user),
        total=len(found),
        memories=[_shown(item) for item in found[start:end]],
        next=_cursor(end) if end < len(found) else "",
    )
    return json_response(listed)


@router.post("", status_code=201, response_model=MemoryItem, responses=ERRORS)
async def add_memory(body: NewMemory, backend: BackendDep, user: UserDep) -> Response:
    """Remember something; it takes the place of what had the same slot."""
    _check(body.text)
    stated = statement_of(body.text)
    given = body.model_dump() | {
        "persona": await _persona(backend, user, body.persona), "slot": body.slot or stated.slot,
        "sensitive": stated.sensitive,
    }  # fmt: skip
    written = await backend.services.memories.write(Memory(id="", user_id=user, origin="edited", **given))
    if written.memory is None:
        raise BadInput(reason=Words("memory is switched off", "记忆功能已关闭"))
    _log(backend, user, written.memory, "written")
    return json_response(_shown(written.memory), 201)


@router.put("/enabled", response_model=MemorySwitch, responses=ERRORS)
async def switch_memory(body: MemorySwitch, backend: BackendDep, user: UserDep) -> Response:
    """Switch memory on or off for the caller. What is kept stays, and is not used while it is off."""
    await backend.services.memories.enable(user, body.enabled)
    backend.services.actions.append("policy", Owner(user), change="memory_on" if body.enabled else "memory_off")
    return json_response({"enabled": body.enabled})


@router.get("/{memory_id}", response_model=MemoryItem, responses=ERRORS)
async def get_memory(memory_id: str, backend: BackendDep, user: UserDep) -> Response:
    """Return one thing that is remembered."""
    return json_response(_shown(await backend.services.memories.get(user, memory_id)))


@router.patch("/{memory_id}", response_model=MemoryItem, responses=ERRORS)
async def change_memory(memory_id: str, body: ChangedMemory, backend: BackendDep, user: UserDep) -> Response:
    """Correct what is remembered."""
    _check(body.text)
    changed = await backend.services.memories.edit(user, memory_id, body.text)
    _log(backend, user, changed, "edited")
    return json_response(_shown(changed))


@router.delete("/{memory_id}", response_model=Receipt, responses=ERRORS)
async def forget_memory(memory_id: str, backend: BackendDep, user: UserDep) -> Response:
    """Forget one thing, with what it took the place of."""
    await backend.services.memories.get(user, memory_id)
    return await _forget(backend, user, [memory_id])


@router.delete("", response_model=Receipt, responses=ERRORS)
async def forget_memories(backend: BackendDep, user: UserDep) -> Response:
    """Forget everything that is remembered of the caller."""
    return await _forget(backend, user, None)


async def _forget(backend: Backend, user: str, identities: list[str] | None) -> Response:
    memories = backend.services.memories
    before = len(await memories.items(user, past=True))
    for gone in await memories.remove(user, identities):
        _log(backend, user, gone, "forgotten")
    after = len(await memories.items(user, past=True))
    return json_response(receipt({"memories": {"before": before, "after": after}}))


def _log(backend: Backend, user: str, memory: Memory, change: Literal["written", "edited", "forgotten"]) -> None:
    kind: Literal["memory", "deletion"] = "deletion" if change == "forgotten" else "memory"
    backend.services.actions.append(kind, Owner(user), content={"text": memory.text}, id=memory.id, change=change)


async def _persona(backend: Backend, user: str, name: str) -> str:
    """Return what memories call a persona; one that is gone by the id that they have of it."""
    try:
        return (await role_named(backend.services, user, name)).key if name else ""
    except UnknownPersona:
        return name


def _check(text: str) -> None:
    if holds_secret(text):
        reason = Words("passwords, keys and card numbers are not remembered", "不会记住密码、密钥和银行卡号")
        raise BadInput(reason=reason)


def _shown(item: Memory) -> MemoryItem:
    return MemoryItem(
        id=item.id,
        text=item.text,
        kind=item.kind,
        slot=item.slot,
        origin=item.origin,
        persona=item.persona,
        session_id=item.session_id,
        run_id=item.turn_id,
        said_at=iso_time(item.created),
        holds=not item.valid_to,
        superseded_by=item.superseded_by,
        sensitive=item.sensitive,
        confidence=item.confidence,
    )


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(str(place).encode()).decode()


def _place(cursor: str) -> int:
    """Return where a page begins.

    Raises:
        BadInput: It is no cursor of ours.
    """
    try:
        return int(base64.urlsafe_b64decode(cursor.encode("ascii"))) if cursor else 0
    except ValueError as exc:
        raise BadInput(reason=Words("cursor is none that was given out", "cursor 不是服务器给出的值")) from exc
