"""What happens around every call of a tool: checked, cached, made at most once, left alone when it fails, cut, logged.

It never raises: a failure becomes a message for the model.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from domain.errors import AppError
from domain.types import ToolRun
from domain.words import Language
from stores.redis.effects import LEASE_MARGIN
from stores.redis.effects import Call as Effect
from stores.redis.tool_cache import Slot
from tools import texts
from tools.breaker import Breaker, Breakers
from tools.calling import BadArguments, Failed, called, checked, told
from tools.counters import Counters
from tools.interface import Caller, Found, ToolContext, ToolOutcome, ToolSpec
from tools.long_results import is_long, synopsis, whole_text
from tools.outcomes import done, done_before, fitting, not_done, open_end

if TYPE_CHECKING:
    from settings import Settings
    from stores.redis.effects import EffectLedger, Entry
    from stores.redis.tool_cache import ToolCache
    from stores.redis.tool_results import ToolResults
    from stores.sql.actions import ActionLog

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
"""Between looks at a call that another process makes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallStores:
    """What calls leave behind.

    Attributes:
        cache: Results that serve equal calls.
        results: Results that are too long for a prompt.
        effects: Calls that may happen only once.
        actions: The log of all calls.
    """

    cache: ToolCache
    results: ToolResults
    effects: EffectLedger
    actions: ActionLog


@dataclass(frozen=True, kw_only=True, slots=True)
class _Call:
    """A call whose arguments fit: `key` is equal for equal arguments, `seconds` the longest it may take."""

    spec: ToolSpec
    given: dict[str, Any]
    key: str
    context: ToolContext
    seconds: float

    @property
    def language(self) -> Language:
        return self.context.language


class ToolRunner:
    """Runs calls and counts them; `stores` is where they leave something behind."""

    def __init__(self, settings: Settings) -> None:
        """Take the longest time of any call and the longest result."""
        self.counters: defaultdict[str, Counters] = defaultdict(Counters)
        self.stores: CallStores | None = None
        self._longest, self._budget = settings.tool_timeout, settings.tool_result_tokens
        self._breakers = Breakers()

    async def run(self, spec: ToolSpec, arguments: Mapping[str, object], context: ToolContext) -> ToolOutcome:
        """Run a tool with what the model wrote; a failure becomes a message for the model."""
        started = time.perf_counter()
        self.counters[spec.name].calls += 1
        try:
            given, key = checked(spec, arguments)
        except BadArguments as exc:
            text = texts.BAD_ARGUMENTS.text(context.language).format(name=spec.name, problems=exc)
            return not_done(text, spec.name, arguments, "error", "bad_arguments")
        seconds = max(0.0, min(self.timeout(spec), context.seconds))
        call = _Call(spec=spec, given=given, key=key, context=context, seconds=seconds)
        try:
            outcome = await (self._effect(call) if spec.has_effect else self._reading(call))
        except Failed as exc:
            outcome = not_done(str(exc), spec.name, given, "error", exc.code)
        except AppError as exc:
            outcome = not_done(told(exc, context.language), spec.name, given, "error", exc.code)
        taken = 0.0 if outcome.run["cached"] else time.perf_counter() - started
        return replace(outcome, run={**outcome.run, "seconds": round(taken, 3)})

    def noted(self, spec: ToolSpec | None, outcome: ToolOutcome, caller: Caller) -> ToolOutcome:
        """Count a call that ended, and log it; `spec` is None when the model made the tool up."""
        run: ToolRun = {**outcome.run, "call_id": caller.call_id} if caller.call_id else outcome.run
        if spec is not None:
            self.counters[spec.name].count(run)
        if self.stores is not None:
            self.stores.actions.append(
                "call", caller.owner, run=caller.run_id, call=caller.call_id, tool=spec.address if spec else None,
                status=run["status"], code=outcome.code, seconds=run["seconds"], cached=run["cached"],
                content={"arguments": run["arguments"], "result": outcome.text, "name": "" if spec else run["name"]},
            )  # fmt: skip
        return replace(outcome, run=run)

    async def unless_begun(self, refused: ToolOutcome, caller: Caller) -> ToolOutcome:
        """Return what is said of a refused call: one that a process began before it was gone has an open end."""
        if self.stores is None or not caller.call_id:
            return refused
        name, arguments = refused.run["name"], refused.run["arguments"]
        try:
            began = await self.stores.effects.began(caller.owner.memory_key, caller.run_id, caller.call_id, name)
        except AppError as exc:
            return not_done(told(exc, caller.language), name, arguments, "error", exc.code)
        return refused if began is None else open_end(name, arguments, caller.language, began)

    def timeout(self, spec: ToolSpec) -> float:
        """Return the longest time of a call, in seconds."""
        return min(spec.timeout, self._longest)

    def breaker(self, spec: ToolSpec) -> Breaker:
        """Return what says whether calls are made: of the tool, or of the server that it comes from."""
        return max(self._breakers_of(spec, {}), key=lambda breaker: (breaker.rest(), breaker.failures))

    async def _reading(self, call: _Call) -> ToolOutcome:
        """Answer a call that may be repeated: from the cache, from an equal one that runs, or by running it.

        Raises:
            Failed: It failed.
        """
        spec = call.spec
        if not spec.cache_seconds or self.stores is None or call.context.owner.temporary:
            return await self._shortened(call, await self._called(call))
        parts = [spec.name, spec.version, call.key, call.language]
        if spec.reads_documents:
            parts.append(await call.context.resources.documents.version(call.context.owner))
        slot = Slot(
            scope="" if spec.cache_scope == "shared" else call.context.owner.user_id,
            parts=tuple(parts), seconds=spec.cache_seconds, patience=self.timeout(spec),
        )  # fmt: skip

        async def make() -> bytes:
            return json.dumps(asdict(await self._called(call)), default=str).encode()

        try:
            async with asyncio.timeout(call.seconds):
                kept = await self.stores.cache.once(slot, make)
        except TimeoutError as exc:
            text = texts.TIMED_OUT.text(call.language).format(name=spec.name, seconds=call.seconds)
            raise Failed("timeout", text, broken=False) from exc
        return await self._shortened(call, Found(**json.loads(kept.value)), kept.age)

    async def _effect(self, call: _Call) -> ToolOutcome:
        """Make a call that changes something, unless it was made.

        Raises:
            MemoryUnavailable: The ledger cannot be asked; nothing was done.
        """
        if self.stores is None:
            return await self._shortened(call, await self._called(call))
        owner, actions = call.context.owner, self.stores.actions
        effect = Effect(
            owner.memory_key, call.context.run_id, call.context.call_id or secrets.token_hex(8), call.spec.address,
            call.key, call.spec.name,
        )  # fmt: skip
        entry = await self._admitted(effect, call)
        if entry.state == "done":
            return done_before(json.loads(entry.result), call.language, entry.at, earlier=entry.earlier)
        if entry.state != "run":
            return open_end(call.spec.name, call.given, call.language, entry.at)
        facts: dict[str, Any] = {"run": call.context.run_id, "call": call.context.call_id, "tool": call.spec.address}
        try:
            await actions.record("call", owner, **facts, status="begun", content={"arguments": call.given})
            call = replace(call, context=replace(call.context, idempotency_key=entry.key))
            outcome = await self._shortened(call, await self._called(call))
        except asyncio.CancelledError:
            actions.append("call", owner, **facts, status="unknown", code="stopped")
            await asyncio.shield(self._ended(effect, entry, None))
            raise
        except (Failed, AppError) as exc:
            outcome = _not_made(exc, call)
        await self._ended(effect, entry, outcome)
        return outcome

    async def _admitted(self, effect: Effect, call: _Call) -> Entry:
        """Ask the ledger; where another process makes the call, wait for what comes of it."""
        ledger: EffectLedger = self.stores.effects  # type: ignore[union-attr]
        deadline = time.monotonic() + call.seconds + LEASE_MARGIN
        while True:
            entry = await ledger.begin(effect, call.seconds, repeatable=call.spec.takes_idempotency_key)
            if entry.state != "busy" or time.monotonic() > deadline:
                return entry
            await asyncio.sleep(LOOK_SECONDS)

    async def _ended(self, effect: Effect, entry: Entry, outcome: ToolOutcome | None) -> None:
        """Write down what came of a call; None: it was given up. Where that fails it counts as unknown later."""
        status = "unknown" if outcome is None else outcome.run["status"]
        state: Literal["done", "failed", "unknown"] = {"ok": "done", "error": "failed"}.get(status, "unknown")  # type: ignore[assignment]
        kept = json.dumps(asdict(outcome), default=str) if outcome is not None else ""
        try:
            await self.stores.effects.end(effect, entry, state, kept)  # type: ignore[union-attr]
        except AppError as exc:
            logger.warning("the end of a call was not written down", extra={"error": exc.code})

    async def _called(self, call: _Call) -> Found:
        """Call the tool, unless it or its server is left alone.

        Raises:
            Failed: It is, or it failed.
        """
        breakers = self._breakers_of(call.spec, call.given)
        resting = next((breaker for breaker in breakers if not breaker.admits()), None)
        if resting is not None:
            for breaker in breakers[: breakers.index(resting)]:
                breaker.note(failed=None)
            text = texts.RESTING.text(call.language)
            text = text.format(name=call.spec.name, failures=resting.failures, seconds=resting.rest())
            raise Failed("tool_resting", text, broken=False)
        failed: bool | None = None
        try:
            found = await called(call.spec, call.given, call.context, call.seconds)
            failed = False
            return replace(found, label=call.spec.label)
        except Failed as exc:
            failed = exc.broken
            raise
        finally:
            for breaker in breakers:
                breaker.note(failed=failed)

    def _breakers_of(self, spec: ToolSpec, given: Mapping[str, Any]) -> list[Breaker]:
        of_tool = self._breakers.of(spec.address, spec.target(given) if given else "")
        return [of_tool] if spec.source == "builtin" else [self._breakers.of(spec.source), of_tool]

    async def _shortened(self, call: _Call, found: Found, age: float | None = None) -> ToolOutcome:
        """Return the outcome; of a result too long for a prompt its beginning, while the whole is kept elsewhere."""
        outcome = done(found, call.spec.name, call.given, call.language, age)
        long = len(outcome.text) + sum(len(source["text"]) for source in outcome.sources) > self._budget
        if not long or not await asyncio.to_thread(is_long, outcome.text, outcome.sources, self._budget):
            return outcome
        whole = whole_text(outcome.text, outcome.sources)
        result_id = ""
        if self.stores is not None:
            with suppress(AppError):
                result_id = await self.stores.results.keep(call.context.owner.memory_key, whole)
        text = await asyncio.to_thread(synopsis, whole, result_id, self._budget, call.language)
        sources = fitting(outcome.sources, self._budget // 2)
        if not result_id:
            return replace(outcome, text=text, sources=sources)
        return replace(
            outcome, text=text, sources=sources, run={**outcome.run, "result_id": result_id},
            data={**outcome.data, "result_id": result_id},
        )  # fmt: skip


def _not_made(exc: Failed | AppError, call: _Call) -> ToolOutcome:
    """Return what is said of a call with an effect that failed: an open end is told as one."""
    name, language = call.spec.name, call.language
    if isinstance(exc, AppError):
        return not_done(told(exc, language), name, call.given, "error", exc.code)
    if not exc.open_end:
        return not_done(str(exc), name, call.given, "error", exc.code)
    text = (" " if language == "en" else "").join((str(exc), texts.MAY_HAVE.text(language)))
    return not_done(text, name, call.given, "unknown", exc.code)
