"""LangGraph's store interface over the memories of one user, for tools that take `runtime.store`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, get_args

from langgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
)

from domain.errors import UnknownMemory
from stores.memories.items import GENERAL, Memory, MemoryKind, MemoryScope
from stores.memories.memories import Memories

KINDS: tuple[MemoryKind, ...] = get_args(MemoryKind)


class UserStore(BaseStore):
    """The memories of one user that a scope sees: no namespace leads to others.

    A namespace is empty or one kind (`fact`, `preference`, `episode`); a value is `{"text": ...}` with what else
    `Memory` has. Only the asynchronous methods work.

    Raises:
        ValueError: For any other namespace, and for a value without text.
    """

    supports_ttl = False

    def __init__(self, memories: Memories, user_id: str, scope: MemoryScope = GENERAL) -> None:
        """Bind the memories to a user and a scope."""
        self._memories, self._user_id, self._scope = memories, user_id, scope

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Refuse: the store is asynchronous."""
        raise NotImplementedError("use the asynchronous methods")

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out operations, one after the other."""
        return [await self._one(op) for op in ops]

    async def _one(self, op: Op) -> Result:
        if isinstance(op, PutOp):
            await self._put(op)
            return None
        if isinstance(op, GetOp):
            kind, found = _kind(op.namespace), await self._get(op.key)
            return _item(found, kind) if found is not None else None
        if isinstance(op, SearchOp):
            return await self._search(op)
        assert isinstance(op, ListNamespacesOp)
        kinds: set[str] = {item.kind for item in await self._memories.items(self._user_id, scope=self._scope)}
        namespaces: list[tuple[str, ...]] = [(kind,) for kind in sorted(kinds)]
        return namespaces[op.offset :][: op.limit]

    def _id(self, key: str) -> str:
        """Return the id under which a key is written: keys of one scope are not those of another."""
        return f"{self._scope.keeps}:{key}" if self._scope.keeps else key

    async def _get(self, key: str) -> Memory | None:
        for identity in dict.fromkeys((self._id(key), key)):
            try:
                found = await self._memories.get(self._user_id, identity)
            except UnknownMemory:
                continue
            if found.persona in self._scope.sees:
                return found
        return None

    async def _put(self, op: PutOp) -> None:
        kind = _kind(op.namespace)
        before = await self._get(op.key)
        if op.value is None:
            await self._remove(before)
            return
        text = str(op.value.get("text") or "").strip()
        if not text or not kind:
            raise ValueError("a memory has a kind as its namespace and a text")
        slot = str(op.value.get("slot") or "")
        await self._remove(before)
        await self._memories.write(
            Memory(
                id=self._id(op.key), user_id=self._user_id, persona=self._scope.keeps, kind=kind, slot=slot, text=text,
                origin="asked",
            )
        )  # fmt: skip

    async def _remove(self, memory: Memory | None) -> None:
        if memory is not None:
            await self._memories.remove(self._user_id, [memory.id])

    async def _search(self, op: SearchOp) -> list[SearchItem]:
        kind = _kind(op.namespace_prefix)
        most = op.offset + op.limit
        if op.query:
            found = await self._memories.search(self._user_id, op.query, most=max(most, 100), scope=self._scope)
        else:
            found = await self._memories.items(self._user_id, scope=self._scope)
        fitting = [
            item
            for item in found
            if kind in (None, item.kind)
            and all(getattr(item, name, None) == wanted for name, wanted in (op.filter or {}).items())
        ]
        return [
            SearchItem(**_fields(item), score=1 / (place + 1)) for place, item in enumerate(fitting[op.offset : most])
        ]


def _kind(namespace: tuple[str, ...]) -> MemoryKind | None:
    if not namespace:
        return None
    if len(namespace) > 1 or namespace[0] not in KINDS:
        raise ValueError(f"a namespace is one of {', '.join(KINDS)}")
    return namespace[0]


def _item(memory: Memory, kind: MemoryKind | None) -> Item | None:
    return Item(**_fields(memory)) if kind in (None, memory.kind) else None


def _fields(memory: Memory) -> dict[str, Any]:
    said = datetime.fromtimestamp(memory.created, UTC)
    value = {
        "text": memory.text, "slot": memory.slot, "origin": memory.origin, "session_id": memory.session_id,
        "sensitive": memory.sensitive, "confidence": memory.confidence,
    }  # fmt: skip
    key = memory.id.removeprefix(f"{memory.persona}:")
    return {"namespace": (memory.kind,), "key": key, "value": value, "created_at": said, "updated_at": said}
