"""How checkpoints become JSON and back: a closed set of types, and data that looks like a type stays data.

`JsonPlusRedisSerializer` of langgraph-checkpoint-redis 0.5.2 imports whatever module an `{"lc": 2, "type":
"constructor"}` dictionary names, also one that a client hid in a message. Here nothing is imported by name: what is not
in the tables below is a plain dictionary, dictionaries that look like one of our marks are stored under `PLAIN`, and
what is inside a message is never looked at. What this writes, the packaged saver can read.
"""

from __future__ import annotations

import base64
from collections import deque
from typing import Any

import orjson
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    ChatMessageChunk,
    FunctionMessage,
    FunctionMessageChunk,
    HumanMessage,
    HumanMessageChunk,
    RemoveMessage,
    SystemMessage,
    SystemMessageChunk,
    ToolMessage,
    ToolMessageChunk,
)
from langgraph.checkpoint.redis.jsonplus_redis import JsonPlusRedisSerializer
from langgraph.types import Interrupt, Overwrite, Send

from domain.sealing import Keyring

MESSAGES: dict[str, type[BaseMessage]] = {
    kind.__name__: kind
    for kind in (
        AIMessage,
        AIMessageChunk,
        ChatMessage,
        ChatMessageChunk,
        FunctionMessage,
        FunctionMessageChunk,
        HumanMessage,
        HumanMessageChunk,
        RemoveMessage,
        SystemMessage,
        SystemMessageChunk,
        ToolMessage,
        ToolMessageChunk,
    )
}
PLAIN = "__plain__"
MARKS = frozenset({"lc", PLAIN, "__bytes__", "__interrupt__", "__send__", "__delta_snapshot__"})
ATOMS = frozenset({str, int, float, bool, type(None)})
INT64 = 2**63
OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS


class SafeSerde(JsonPlusRedisSerializer):
    """JSON for state made of strings, numbers, lists, dictionaries with text keys, and LangChain messages."""

    def __init__(self, keyring: Keyring | None = None) -> None:
        """Encrypt what is written one by one where the keyring has a key; `dumps` does not."""
        super().__init__(allowed_msgpack_modules=None)
        self._keyring = keyring or Keyring()

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Encode `obj`; lone surrogates become `?`, integers beyond 64 bits text, tuples and deques lists.

        Raises:
            TypeError: `obj` holds something that is not JSON-native and not in the tables.
        """
        if obj is None:
            return "null", b""
        if isinstance(obj, bytes):
            return "bytes", self._keyring.seal(obj)
        return "json", self._keyring.seal(dumps(encode(obj)))

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Decode what `dumps_typed` or the packaged serializer wrote."""
        value = self._keyring.unseal(data[1])
        if data[0] == "json":
            return decode(orjson.loads(value))
        return super().loads_typed((data[0], value))

    def _revive_if_needed(self, obj: Any) -> Any:
        return decode(obj)

    def _reviver(self, value: dict[str, Any]) -> Any:
        return decode(value)

    def _constructor_class(self, obj: dict[str, Any]) -> type[Any]:
        raise ValueError("constructors are not looked up by name")


def dumps(encoded: Any) -> bytes:
    """Write JSON; what JSON cannot hold is made harmless in a second, slower try."""
    try:
        return orjson.dumps(encoded, option=OPTIONS)
    except TypeError:
        return orjson.dumps(_mended(encoded), option=OPTIONS)


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_mended(str(key)): _mended(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mended(item) for item in value]
    if isinstance(value, int) and not -INT64 <= value < INT64:
        return str(value)
    return value


def encode(obj: Any) -> Any:
    """Return `obj` as JSON values."""
    if type(obj) in ATOMS or isinstance(obj, (str, int, float)):
        return obj
    if isinstance(obj, dict):
        inner = {key: encode(value) for key, value in obj.items()}
        return inner if MARKS.isdisjoint(obj) else {PLAIN: inner}
    if isinstance(obj, (list, tuple, deque)):
        return [encode(item) for item in obj]
    return _encode_object(obj)


def _encode_object(obj: Any) -> Any:
    if isinstance(obj, BaseMessage):
        return _encode_message(obj)
    if isinstance(obj, Send):
        return {"__send__": True, "node": obj.node, "arg": encode(obj.arg)}
    if isinstance(obj, Interrupt):
        return {"__interrupt__": True, "value": encode(obj.value), "id": obj.id}
    if isinstance(obj, Overwrite):
        return {"lc": 2, "type": "constructor", "id": OVERWRITE, "kwargs": {"value": encode(obj.value)}}
    if isinstance(obj, (set, frozenset)):
        return {"lc": 2, "type": "constructor", "id": SET, "args": [[encode(item) for item in obj]]}
    if isinstance(obj, (bytes, bytearray)):
        return {"__bytes__": base64.b64encode(obj).decode()}
    if isinstance(obj, BaseException):
        return repr(obj)
    return obj


OVERWRITE = ["langgraph", "types", "Overwrite"]
SET = ["builtins", "set"]


def _encode_message(message: BaseMessage) -> dict[str, Any]:
    if type(message).__name__ not in MESSAGES:
        raise TypeError(f"messages of type {type(message).__name__} are not kept")
    fields = {**message.__dict__, **(message.__pydantic_extra__ or {})}
    kwargs = {name: value for name, value in fields.items() if value or name == "content"}
    return {
        "lc": 1,
        "type": "constructor",
        "id": ["langchain", "schema", "messages", type(message).__name__],
        "kwargs": kwargs,
    }


def decode(value: Any) -> Any:
    """Return what `encode` was given."""
    if type(value) in ATOMS:
        return value
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if MARKS.isdisjoint(value):
        return {key: decode(item) for key, item in value.items()}
    if len(value) == 1 and isinstance(inner := value.get(PLAIN), dict):
        return {key: decode(item) for key, item in inner.items()}
    return _decode_mark(value)


def _decode_mark(value: dict[str, Any]) -> Any:
    try:
        if value.get("type") == "constructor" and value.get("lc") in (1, 2):
            return _decode_constructor(value)
        if value.get("__send__") is True:
            return Send(value["node"], decode(value["arg"]))
        if value.get("__interrupt__") is True:
            return Interrupt(value=decode(value["value"]), id=value["id"])
        if "__bytes__" in value:
            return base64.b64decode(value["__bytes__"])
    except (KeyError, IndexError, TypeError, ValueError):
        pass
    return {key: decode(item) for key, item in value.items()}


def _decode_constructor(value: dict[str, Any]) -> Any:
    kind = MESSAGES.get(value["id"][-1])
    if kind is not None:
        return kind(**value["kwargs"])
    if value["id"] == OVERWRITE:
        return Overwrite(decode(value["kwargs"]["value"]))
    if value["id"] == SET:
        return set(decode(value["args"][0]))
    return {key: decode(item) for key, item in value.items()}
