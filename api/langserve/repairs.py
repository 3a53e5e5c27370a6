"""What LangServe 0.3.3 does wrong or slowly inside its own functions, put right in place, once a process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from fastapi import Response
from langgraph.types import Send
from pydantic import BaseModel, field_validator


class BatchBody(BaseModel):
    """Body of a batch, as far as LangServe looks at it before its items: it fails inside on one that is no list."""

    inputs: list[Any]
    config: dict[str, Any] | list[dict[str, Any]] = {}

    @field_validator("config", mode="before")
    @classmethod
    def _given(cls, value: object) -> object:
        return {} if value is None else value


@cache
def repair_langserve() -> None:
    """Replace three functions of `langserve.api_handler`, and the one that its JSON falls back on."""
    from langserve import api_handler, serialization  # imported late: a second of import time that only a server needs

    inside: Any = api_handler
    written: Any = serialization
    inside._json_encode_response = _encode_once
    inside._unpack_request_config = _without_none(inside._unpack_request_config)
    inside.BatchRequestShallowValidator = BatchBody
    written.default = _as_json


def _as_json(value: object) -> Any:
    """Return what JSON takes for `value`; LangServe's own function fails on all but models."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, Send):
        return {"node": value.node, "arg": value.arg}
    raise TypeError(type(value).__name__)


def _encode_once(answer: BaseModel) -> Response:
    """Encode an answer once; LangServe's own function does it three times, two of them in Python."""
    return Response(answer.model_dump_json(), media_type="application/json")


def _without_none(unpack: Callable[..., Awaitable[dict[str, Any]]]) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Drop configs of null, on which LangServe's own function fails."""

    async def unpack_given(*configs: Any, **options: Any) -> dict[str, Any]:
        return await unpack(*(config for config in configs if config is not None), **options)

    return unpack_given
