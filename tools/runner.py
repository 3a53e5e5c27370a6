"""Runs one call of a tool: checked, within its time, answered from the cache where that is allowed; it never raises."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, ToolException
from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel, ValidationError

from domain.errors import AppError
from domain.types import ToolRun
from domain.words import Language
from tools import texts
from tools.interface import Found, ToolContext, ToolOutcome, ToolSpec

logger = logging.getLogger(__name__)
CACHE_ENTRIES = 256


@dataclass(slots=True)
class Counters:
    """What happened to one tool since the process started; `seconds` is the sum over calls that were not cached."""

    calls: int = 0
    errors: int = 0
    refused: int = 0
    cached: int = 0
    seconds: float = 0.0


class Failed(Exception):
    """A failed call: a stable code, and a message for the model."""

    def __init__(self, code: str, message: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.code = code


class ToolRunner:
    """Runs calls and counts them."""

    def __init__(self, longest: float) -> None:
        """Take the longest time of any call in seconds."""
        self.counters: defaultdict[str, Counters] = defaultdict(Counters)
        self._longest = longest
        self._cache: OrderedDict[tuple[str, ...], tuple[float, Found]] = OrderedDict()

    async def run(self, spec: ToolSpec, arguments: Mapping[str, object], context: ToolContext) -> ToolOutcome:
        """Run a tool with what the model wrote; a failure becomes a message for the model."""
        name, counters = spec.name, self.counters[spec.name]
        counters.calls += 1
        try:
            given, key = checked(spec, arguments)
        except BadArguments as exc:
            counters.errors += 1
            text = texts.BAD_ARGUMENTS.text(context.language).format(name=name, problems=exc)
            return not_done(text, name, arguments, "error", "bad_arguments")
        cache_key = (name, spec.version, key, context.owner.user_id, context.language)
        if (found := self._cached(cache_key)) is not None:
            counters.cached += 1
            return done(found, name, given, cached=True)
        started = time.perf_counter()
        try:
            found = await self._within_time(spec, given, context)
        except Failed as exc:
            counters.errors += 1
            return not_done(str(exc), name, given, "error", exc.code, seconds=time.perf_counter() - started)
        finally:
            counters.seconds += time.perf_counter() - started
        if spec.cache_seconds:
            self._keep(cache_key, found, spec.cache_seconds)
        return done(found, name, given, seconds=time.perf_counter() - started)

    def timeout(self, spec: ToolSpec) -> float:
        """Return the longest time of a call, in seconds."""
        return min(spec.timeout, self._longest)

    async def _within_time(self, spec: ToolSpec, given: dict[str, Any], context: ToolContext) -> Found:
        """Run the tool.

        Raises:
            Failed: It failed, or took too long.
        """
        language, seconds = context.language, min(self.timeout(spec), max(0.0, context.seconds))
        try:
            async with asyncio.timeout(seconds):
                return await _invoke(spec.tool, given, context)
        except (AppError, ToolException) as exc:
            raise Failed(getattr(exc, "code", "tool_failed"), _message(exc, language)) from exc
        except TimeoutError as exc:
            raise Failed("timeout", texts.TIMED_OUT.text(language).format(name=spec.name, seconds=seconds)) from exc
        except Exception as exc:
            logger.exception("tool %s failed", spec.name)
            raise Failed("tool_failed", texts.CRASHED.text(language).format(name=spec.name)) from exc

    def _cached(self, key: tuple[str, ...]) -> Found | None:
        entry = self._cache.get(key)
        if entry is None or entry[0] < time.monotonic():
            self._cache.pop(key, None)
            return None
        self._cache.move_to_end(key)
        return entry[1]

    def _keep(self, key: tuple[str, ...], found: Found, seconds: float) -> None:
        self._cache[key] = (time.monotonic() + seconds, found)
        while len(self._cache) > CACHE_ENTRIES:
            self._cache.popitem(last=False)


def done(
    found: Found, name: str, arguments: Mapping[str, object], *, seconds: float = 0.0, cached: bool = False
) -> ToolOutcome:
    """Return what was found together with the record of the call."""
    run = ToolRun(name=name, arguments=dict(arguments), status="ok", seconds=round(seconds, 3), cached=cached)
    return ToolOutcome(found.text, list(found.sources), run, found.data)


def not_done(
    text: str,
    name: str,
    arguments: Mapping[str, object],
    status: Literal["error", "refused"],
    code: str,
    *,
    seconds: float = 0.0,
) -> ToolOutcome:
    """Return the message about a call that failed or was refused together with its record."""
    run = ToolRun(name=name, arguments=dict(arguments), status=status, seconds=round(seconds, 3), cached=False)
    return ToolOutcome(text, [], run, code=code)


class BadArguments(Exception):
    """Arguments that do not fit the schema of their tool; the text says what does not."""


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


async def _invoke(tool: BaseTool, given: dict[str, Any], context: ToolContext) -> Found:
    runtime: ToolRuntime[ToolContext, Any] = ToolRuntime(
        state={}, context=context, config={}, stream_writer=lambda _: None, tool_call_id="call", store=None
    )
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


def _is_runtime(annotation: Any) -> bool:
    return annotation is ToolRuntime or getattr(annotation, "__origin__", None) is ToolRuntime


def _message(error: AppError | ToolException, language: Language) -> str:
    if isinstance(error, AppError):
        body = error.body(language)
        return (" " if language == "en" else "").join(filter(None, (body["message"], body["remedy"])))
    return str(error)


def _problems(error: ValidationError) -> str:
    rows = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(str(part) for part in row['loc']) or '-'}: {row['msg']}" for row in rows[:5])
