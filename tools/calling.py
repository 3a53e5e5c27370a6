"""Calls a LangChain tool: arguments checked, within its time, tried again where the other side was away."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Mapping
from typing import Any

import httpx
from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, ToolException
from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel, ValidationError

from domain.errors import AppError
from domain.words import Language
from stores.memories.store import UserStore
from tools import texts
from tools.interface import Found, ToolContext, ToolSpec

logger = logging.getLogger(__name__)

TRIES = 2
RETRY_SECONDS = 0.3


class BadArguments(Exception):
    """Arguments that do not fit the schema of their tool; the text says what does not."""


class Failed(Exception):
    """A failed call.

    Attributes:
        code: Stable.
        broken: The tool or its server is to blame, and not what it was asked.
        open_end: What the call was to change may have been changed.
    """

    def __init__(self, code: str, message: str, *, broken: bool, open_end: bool = False) -> None:
        """Keep all; `message` is for the model."""
        super().__init__(message)
        self.code, self.broken, self.open_end = code, broken, open_end


def checked(spec: ToolSpec, arguments: Mapping[str, object]) -> tuple[dict[str, Any], str]:
    """Return the arguments as the tool takes them, and a key that is equal for equal calls.

    Nulls are dropped: models send them for arguments that they leave out.

    Raises:
        BadArguments: They do not fit the tool's schema.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    schema = spec.tool.tool_call_schema
    if isinstance(schema, dict) or not issubclass(schema, BaseModel):
        if problems := spec.argument_check.problems(given):
            raise BadArguments("; ".join(problems))
        return given, json.dumps(given, sort_keys=True, default=repr)
    try:
        valid = schema.model_validate(given)
    except ValidationError as exc:
        raise BadArguments(_problems(exc)) from exc
    return valid.model_dump(exclude_unset=True), valid.model_dump_json()


async def called(spec: ToolSpec, given: dict[str, Any], context: ToolContext, seconds: float) -> Found:
    """Run the tool within `seconds`, retries included; only what may be repeated is tried again.

    Raises:
        Failed: It failed, or took too long.
    """
    language = context.language
    try:
        async with asyncio.timeout(seconds):
            return await _tried(spec, given, context)
    except (AppError, ToolException) as exc:
        transient = isinstance(exc, AppError) and exc.transient
        code = getattr(exc, "code", "tool_failed")
        raise Failed(code, told(exc, language), broken=transient, open_end=transient and _was_sent(exc)) from exc
    except TimeoutError as exc:
        text = texts.TIMED_OUT.text(language).format(name=spec.name, seconds=seconds)
        raise Failed("timeout", text, broken=True, open_end=True) from exc
    except Exception as exc:
        logger.exception("tool %s failed", spec.name)
        text = texts.CRASHED.text(language).format(name=spec.name)
        raise Failed("tool_failed", text, broken=True, open_end=_was_sent(exc)) from exc


async def _tried(spec: ToolSpec, given: dict[str, Any], context: ToolContext) -> Found:
    for attempt in range(TRIES):
        try:
            return await _invoke(spec.tool, given, context)
        except (AppError, OSError) as exc:
            transient = exc.transient if isinstance(exc, AppError) else not isinstance(exc, TimeoutError)
            if spec.has_effect or not transient or attempt == TRIES - 1:
                raise
        await asyncio.sleep(RETRY_SECONDS * random.uniform(1, 2))
    raise AssertionError


async def _invoke(tool: BaseTool, given: dict[str, Any], context: ToolContext) -> Found:
    runtime: ToolRuntime[ToolContext, Any] = ToolRuntime(
        state={}, context=context, config={}, stream_writer=lambda _: None, tool_call_id=context.call_id or "call",
        store=UserStore(context.memories, context.owner.user_id, context.memory_scope) if context.memories else None,
    )  # fmt: skip
    fields = getattr(tool.get_input_schema(), "model_fields", {})
    injected = {name: runtime for name, field in fields.items() if _is_runtime(field.annotation)}
    message = await tool.ainvoke(
        {"type": "tool_call", "name": tool.name, "id": runtime.tool_call_id, "args": {**given, **injected}}
    )
    if not isinstance(message, ToolMessage):
        return Found(str(message))
    if message.status == "error":
        raise ToolException(message.text)
    return message.artifact if isinstance(message.artifact, Found) else Found(str(message.text))


def _was_sent(error: BaseException | None) -> bool:
    """Tell whether anything reached the other side: nothing does where no connection was made."""
    while error is not None:
        if isinstance(error, ConnectionRefusedError | httpx.ConnectError | httpx.ConnectTimeout):
            return False
        error = error.__cause__
    return True


def _is_runtime(annotation: Any) -> bool:
    return annotation is ToolRuntime or getattr(annotation, "__origin__", None) is ToolRuntime


def told(error: AppError | ToolException, language: Language) -> str:
    """Return what the model is told of an error."""
    if isinstance(error, AppError):
        body = error.body(language)
        return (" " if language == "en" else "").join(filter(None, (body["message"], body["remedy"])))
    return str(error)


def _problems(error: ValidationError) -> str:
    rows = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(str(part) for part in row['loc']) or '-'}: {row['msg']}" for row in rows[:5])
