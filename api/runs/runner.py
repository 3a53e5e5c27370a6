"""Turns as runs: each lives apart from the connection that asked for it, and ends exactly once."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, cast

from api.edge.failures import as_app_error, error_body
from api.edge.instruments import TOKENS, TOOL_CALLS, TURN_SECONDS, TURNS, TURNS_RUNNING, labelled
from api.edge.logs import request_id_var, run_id_var, thread_id_var
from api.runs.answers import build_answer
from api.runs.callbacks import call_back
from api.runs.clearing import Counts, clear_thread
from api.runs.client_messages import check_lengths
from api.runs.graph_stream import stream_graph
from api.runs.log import Event, RunLog, stored_batches
from api.runs.record import answer_entry, user_entries
from api.runs.run import Run, TurnRequest, public_record
from api.runs.thread_memory import STOPPED, forget_turn, keep_partial, rewind
from api.schemas import RunState
from domain.errors import AppError, ModelTimedOut, RunLost, UnknownRun
from stores.redis.turns import TurnStopped

if TYPE_CHECKING:
    from domain.owner import Owner
    from graph.builder import Graph
    from stores.redis.checkpoints import ThreadSaver
    from stores.redis.event_reader import RunRecord
    from stores.redis.events import RunEvents
    from stores.redis.staged_memory import StagedMemory
    from stores.redis.turns import StopMode, ThreadTurns, Turn
    from turn.context import Services

logger = logging.getLogger(__name__)

OPENING_SECONDS = 0.02
"""What the user said is written down this much later, while the model thinks: nothing shall delay that it is asked."""
STOP_SECONDS = 10.0
"""Longest time the server waits at its end for turns to be cut short properly."""
ENDINGS: dict[str, RunState] = {"stop": "stopped", "interrupt": "interrupted", "rollback": "rolled_back"}
NOTES: dict[RunState, tuple[str, str]] = {
    "stopped": ("The answer was stopped before its end.", "回答在结束前被停止。"),
    "interrupted": ("The answer was interrupted by the next message.", "回答被下一条消息打断。"),
    "rolled_back": ("This turn was withdrawn by the next message.", "本轮已被下一条消息撤回。"),
}


class TurnRunner:
    """Runs turns, one at a time per thread, each as a task of its own.

    Args:
        graph: The graph with memory.
        stateless: The graph without, for turns that stand alone.
        services: What the nodes work with.
        turns: One turn at a time per thread, over all processes.
        events: Where other processes read the events of a run.
    """

    def __init__(
        self, *, graph: Graph, stateless: Graph, services: Services, turns: ThreadTurns, events: RunEvents
    ) -> None:
        self.graph = graph
        self._saver = cast("ThreadSaver", graph.checkpointer)
        self._stateless = stateless
        self._services = services
        self._turns = turns
        self._events = events
        self._runs: dict[str, Run] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def start(self, request: TurnRequest, *, run_id: str | None = None) -> Run:
        """Start a turn and return at once; a `run_id` that is in use already is not taken from a client.

        Raises:
            TooMuchText: A message or the system prompt is too long.
        """
        said = (str(message.text) for message in request.messages)
        check_lengths((request.system_prompt, *said), self._services.settings.max_message_chars)
        if run_id is None or run_id in self._runs:
            run_id = uuid.uuid4().hex
        store = self._events if request.published else None
        run = Run(run_id, request, RunLog(run_id, store, request.owner, request.spoken_language))
        self._runs[run_id] = run
        run.task = asyncio.create_task(self._live(run), name=f"run-{run_id}")
        return run

    def find(self, run_id: str, user_id: str) -> Run | None:
        """Return the run if it is one of this process and user."""
        run = self._runs.get(run_id)
        return run if run is not None and run.request.owner.user_id == user_id else None

    async def status(self, run_id: str, user_id: str) -> dict[str, Any]:
        """Return state and result of a run, whichever process it is on.

        Raises:
            UnknownRun: There is none of this user.
            MemoryUnavailable: Redis failed.
        """
        run = self.find(run_id, user_id)
        if run is not None:
            return run.public()
        return public_record(await self._record(run_id, user_id))

    async def stop(self, run_id: str, user_id: str) -> dict[str, Any]:
        """Stop a run, whichever process it is on, and return how it stands.

        Raises:
            UnknownRun: There is none of this user.
            MemoryUnavailable: Redis failed.
        """
        run = self.find(run_id, user_id)
        if run is None:
            record = await self._record(run_id, user_id)
            if record["state"] in ("queued", "running"):
                await self._turns.request_stop(run_id)
            return public_record(record)
        run.stop()
        if run.task is not None:
            await asyncio.wait({run.task}, timeout=STOP_SECONDS)
        await run.log.settle()
        return await self.status(run_id, user_id)

    async def batches(self, run_id: str, user_id: str, after: int) -> AsyncIterator[list[Event]]:
        """Return the events of a run behind number `after`, whichever process it is on.

        Raises:
            UnknownRun: There is none of this user.
            MemoryUnavailable: Redis failed.
        """
        run = self.find(run_id, user_id)
        if run is not None:
            return run.log.batches(after)
        return stored_batches(self._events, run_id, public_record(await self._record(run_id, user_id)), after)

    async def clear(self, owner: Owner) -> Counts:
        """Forget a thread; return the items before and after, by store.

        Raises:
            MemoryUnavailable: Redis failed.
        """
        for run in list(self._runs.values()):
            if run.request.owner == owner:
                run.stop("interrupted")
                await run.over()
                await run.log.settle()
        return await clear_thread(
            owner, graph=self.graph, services=self._services, turns=self._turns, events=self._events
        )

    async def _record(self, run_id: str, user_id: str) -> RunRecord:
        record = await self._events.get(run_id)
        if record is None or record.get("user_id") != user_id:
            raise UnknownRun(id=run_id)
        return record

    async def aclose(self) -> None:
        """Cut all turns short, keeping what they have said, and wait for them."""
        runs = list(self._runs.values())
        for run in runs:
            run.stop()
        tasks = [run.task for run in runs if run.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_SECONDS)
        if self._closing:
            await asyncio.wait(self._closing, timeout=STOP_SECONDS)
        await self._turns.aclose()
        await self._events.aclose()

    async def _live(self, run: Run) -> None:
        """From the first event to the last."""
        request = run.request
        run_id_var.set(run.id)
        thread_id_var.set(request.thread_id)
        run.log.append("run", _introduction(run))
        for attachment in request.attachments:
            run.log.append("attachment", attachment)
        TURNS_RUNNING.inc()
        try:
            await self._hold(run)
        except TurnStopped as exc:
            self._end(run, exc.mode)
        except asyncio.CancelledError:
            run.ending = run.ending or "stopped"
        except Exception as exc:  # noqa: BLE001  # a run must end in an event, whatever happened
            run.error, run.answer = as_app_error(exc), None
        finally:
            TURNS_RUNNING.dec()
        self._finish(run)

    async def _hold(self, run: Run) -> None:
        request = run.request
        if not request.remembered:
            await self._work(run, self._stateless, None)
            return
        key = request.owner.memory_key
        summaries = self._services.summaries
        along = [self._saver.reading(key), summaries.reading(key)] if request.replaces is None else []
        async with self._turns.hold(key, run.id, policy=request.on_busy, along=along) as turn:
            if request.replaces is not None:
                await rewind(self.graph, self._services, request.owner, request.replaces)
            checkpoint, summary = turn.found or (None, None)
            with self._saver.stage(key, checkpoint) as memory, summaries.stage(key, summary):
                opening = asyncio.create_task(self._open_record(run)) if request.published else None
                try:
                    await self._work(run, self.graph, turn)
                finally:
                    await self._close(run, turn, memory, opening)

    async def _open_record(self, run: Run) -> int:
        """Write down what the user said; return how many entries the transcript has then."""
        await asyncio.sleep(OPENING_SECONDS)
        run.recorded = True
        try:
            return await self._services.transcripts.append_turn(run.request.owner, *user_entries(run))
        except AppError as exc:
            logger.warning("question not written down yet", extra={"code": exc.code})
            run.recorded = False
            return 0

    async def _close(self, run: Run, turn: Turn, memory: StagedMemory, opening: asyncio.Task[int] | None) -> None:
        """Settle the outcome, write it down and give the turn back.

        Raises:
            MemoryUnavailable: Redis failed.
        """
        self._settle(run)
        owner, transcripts = run.request.owner, self._services.transcripts
        said = user_entries(run)
        last = [] if isinstance(run.error, RunLost) else memory.calls()
        if opening and not run.recorded:
            opening.cancel()
        count = await opening if opening and run.recorded else 0
        if run.state != "rolled_back":
            last.append(transcripts.appending(owner, *([] if run.recorded else said), answer_entry(run)))
        elif run.recorded:
            await transcripts.truncate(owner, count - len(said))
        await self._turns.finish(turn, last)

    async def _work(self, run: Run, graph: Graph, turn: Turn | None) -> None:
        run.state = "running"
        run.log.append("run", _introduction(run))
        work = run.work = asyncio.create_task(stream_graph(run, graph, self._services))
        if turn:
            turn.when_stopped(work.cancel)
        await asyncio.wait({work}, timeout=self._services.settings.turn_timeout)
        if not work.done():
            run.error = ModelTimedOut()
            work.cancel()
            await asyncio.wait({work})
        if turn and turn.mode and work.cancelled() and not run.error:
            self._end(run, turn.mode)
        self._judge(run, work)
        if turn and (run.error or run.ending) and not isinstance(run.error, RunLost):
            await self._repair(run, graph)

    @staticmethod
    def _end(run: Run, mode: StopMode) -> None:
        if mode == "lost":
            run.error = RunLost()
        run.ending = ENDINGS.get(mode)

    @staticmethod
    def _judge(run: Run, work: asyncio.Task[None]) -> None:
        """Find out how the work ended."""
        if work.cancelled():
            if run.error is None:
                run.ending = run.ending or "stopped"
        elif (failure := work.exception()) is not None:
            run.error = run.error or as_app_error(failure)
        else:
            run.ending = None

    async def _repair(self, run: Run, graph: Graph) -> None:
        """Leave in memory what a turn that did not end by itself is worth."""
        key, sent = run.request.owner.memory_key, run.request.messages
        text = run.progress.partial
        if not text and run.ending in ("stopped", "interrupted"):
            text = STOPPED[run.request.spoken_language]
        try:
            if text and run.ending != "rolled_back":
                await keep_partial(graph, key, sent, text, run.id)
            else:
                await forget_turn(graph, key, sent)
        except AppError as exc:
            run.error = run.error or exc

    def _settle(self, run: Run) -> None:
        """Decide the outcome, once."""
        if run.answer is not None:
            return
        request, progress = run.request, run.progress
        run.ended = time.time()
        run.state = "error" if run.error is not None else run.ending or "done"
        text = None if run.state == "done" else "" if run.state == "rolled_back" else progress.partial
        answer = build_answer(request.thread_id, run.id, run.state, progress.output, text)
        answer["attachments"] = [*request.attachments, *answer["attachments"]]
        if run.state in NOTES:
            answer["warnings"] = [*answer["warnings"], NOTES[run.state][request.spoken_language == "zh"]]
        run.answer = answer

    def _finish(self, run: Run) -> None:
        """Tell everyone how the run ended, exactly once."""
        request = run.request
        self._settle(run)
        if run.error is not None:
            body = error_body(run.error, request.spoken_language, request_id_var.get())
            run.log.append("error", {**body, **(run.answer or {})})
        else:
            run.log.append("done", run.answer)
        _count(run)
        if not request.published and request.remembered and request.callback_url is None:
            self._runs.pop(run.id, None)
            return
        after = asyncio.create_task(self._after(run))
        self._closing.add(after)
        after.add_done_callback(self._closing.discard)

    async def _after(self, run: Run) -> None:
        """What nobody waits for: the last copy of the events, the callback, the traces of a turn that stood alone."""
        await run.log.settle()
        self._runs.pop(run.id, None)
        request = run.request
        if request.callback_url is not None:
            await call_back(self._services, request.callback_url, run)
        if not request.remembered and run.answer and run.answer["attachments"]:
            await self._services.documents.delete_owner(request.owner)


def _introduction(run: Run) -> dict[str, str]:
    return {"run_id": run.id, "session_id": run.request.thread_id, "state": run.state}


def _count(run: Run) -> None:
    """Add a finished run to the numbers, and one line to the log."""
    seconds = run.ended - run.created
    labelled(TURNS, run.state).inc()
    TURN_SECONDS.observe(seconds)
    if run.answer is not None:
        usage = run.answer["usage"]
        labelled(TOKENS, "input", usage["model"]).inc(usage["input_tokens"])
        labelled(TOKENS, "output", usage["model"]).inc(usage["output_tokens"])
        for tool in run.answer["tools"]:
            labelled(TOOL_CALLS, tool["name"], tool["status"]).inc()
    code = run.error.code if run.error else ""
    logger.info("turn", extra={"state": run.state, "seconds": round(seconds, 3), "code": code})
