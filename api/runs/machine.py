"""The life of a run as a state machine: enter, work, settle, report.

    queued --(it is the run's turn on its thread)--> running --> done | stopped | interrupted | rolled_back | error

A run that never gets its turn goes from `queued` to its end. Why a run ends is decided by `reason_for` alone.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, cast

from api.edge.failures import as_app_error, error_body
from api.edge.instruments import TOKENS, TOOL_CALLS, TURN_SECONDS, TURNS, TURNS_RUNNING, labelled
from api.edge.logs import request_id_var, run_id_var, thread_id_var
from api.runs.memory import STOPPED, forget_turn, keep_partial, restore
from api.runs.record import TurnRecord
from api.runs.stream import stream_graph
from api.runs.titles import give_title, names_topics
from domain.errors import AppError, ModelTimedOut, RunLost
from domain.runs import Cut
from stores.conversations.entries import Wish
from stores.redis.turns import TurnStopped

if TYPE_CHECKING:
    from api.runs.run import Run
    from graph.builder import Graph
    from stores.redis.checkpoints import ThreadSaver
    from stores.redis.turns import ThreadTurns, Turn
    from turn.context import Services

logger = logging.getLogger(__name__)


class RunMachine:
    """Takes runs from their first state to their last.

    Args:
        graph: The graph with memory.
        stateless: The graph without, for turns that stand alone.
        services: What the nodes work with.
        turns: One turn at a time per thread, over all processes.
    """

    def __init__(self, graph: Graph, stateless: Graph, services: Services, turns: ThreadTurns) -> None:
        self._graph, self._stateless, self._services, self._turns = graph, stateless, services, turns
        self._saver = cast("ThreadSaver", graph.checkpointer)

    async def live(self, run: Run) -> None:
        """Take a run through its states; whatever happens, it ends in a final state and reports that once."""
        run_id_var.set(run.id)
        thread_id_var.set(run.request.thread_id)
        run.enter("queued")
        for attachment in run.request.attachments:
            run.log.append("attachment", attachment)
        with TURNS_RUNNING.track_inprogress():
            try:
                await (self._in_turn(run) if run.request.remembered else self._alone(run))
            except (Exception, asyncio.CancelledError) as exc:  # noqa: BLE001  # a run must end in an event
                run.settle(reason_for(exc, run.cut))
        _report(run)

    async def _alone(self, run: Run) -> None:
        run.settle(await self._work(run, self._stateless))

    async def _in_turn(self, run: Run) -> None:
        """Wait for the thread; its memory is read with the command that gets it and saved with the one that ends it.

        Memory counts only where it was left by the run of the message that the turn follows. Elsewhere (it expired, its
        server was killed, another version is shown) it is made anew from the transcript, which is written first.
        """
        request, key, summaries = run.request, run.request.owner.memory_key, self._services.summaries
        conversations, reads = self._services.conversations, [self._saver.reading(key), summaries.reading(key)]
        async with self._turns.hold(key, run.id, policy=request.on_busy, calls=reads) as turn:
            gone = turn.rolled_back == request.replaces
            place = await conversations.spot(
                request.owner, Wish(request.parent, request.replaces, again=request.again, gone=gone)
            )
            checkpoint, summary = turn.results
            with self._saver.stage(key, checkpoint) as memory:
                stands = place.stands(memory.run_id)
                with summaries.stage(key, summary if stands else b""):
                    if not stands:
                        memory.forget()
                        await restore(self._graph, self._services, key, place, run.id)
                    async with TurnRecord(run, conversations, place) as record:
                        run.settle(await self._repair(run, await self._work(run, self._graph, turn)))
                        await record.close()
                        kept = run.state != "rolled_back" and not isinstance(run.error, RunLost)
                        calls = memory.calls() if kept else []
                        if run.state == "done" and run.answer and run.answer["tools"]:
                            calls = [*calls, self._services.call_stores.effects.closing(key, run.id)]
                        await self._turns.finish(turn, calls)
            self._services.background.spawn(f"index {key}", conversations.index_soon(request.owner))
            if not place.depth and run.state == "done" and names_topics(self._services):
                self._services.background.spawn(f"title {key}", give_title(self._services, run))

    async def _work(self, run: Run, graph: Graph, turn: Turn | None = None) -> Cut | None:
        """Run the graph; return why it was cut short, or nothing."""
        run.enter("running")
        work = run.work = asyncio.create_task(stream_graph(run, graph, self._services))
        if turn is not None:
            turn.when_stopped(run.stop)
        await asyncio.wait({work}, timeout=self._services.settings.turn_timeout)
        if not work.done():
            run.stop(ModelTimedOut())
            work.cancel()
            await asyncio.wait({work})
        return reason_for(asyncio.CancelledError() if work.cancelled() else work.exception(), run.cut)

    async def _repair(self, run: Run, reason: Cut | None) -> Cut | None:
        """Repair memory after a turn that was cut short; return why the run ends."""
        if reason is None or isinstance(reason, RunLost):
            return reason
        key, sent, text = run.request.owner.memory_key, run.request.messages, run.progress.partial
        if not text and not isinstance(reason, AppError):
            text = STOPPED.text(run.request.language)
        try:
            if text and reason != "rolled_back":
                await keep_partial(self._graph, key, sent, text, run.id)
            else:
                await forget_turn(self._graph, key, sent, run.id)
        except AppError as exc:
            return reason if isinstance(reason, AppError) else exc
        return reason


def reason_for(failure: BaseException | None, cut: Cut | None) -> Cut | None:
    """Return why a run ends, or nothing when it is done.

    Args:
        failure: What the work, or the wait for the thread, came to; `None` when it came to its own end.
        cut: Why it was to end before, if that was asked. A request that came too late changes nothing.
    """
    if failure is None:
        return None
    if isinstance(failure, TurnStopped):
        return failure.cut
    if isinstance(failure, asyncio.CancelledError):
        return cut or "stopped"
    return cut if isinstance(cut, AppError) else as_app_error(failure)


def _report(run: Run) -> None:
    """Report how the run ended: the last event, the counters, a line of the log."""
    if run.error is not None:
        body = error_body(run.error, run.request.language, request_id_var.get())
        run.log.append("error", {**body, **(run.answer or {})})
    else:
        run.log.append("done", run.answer)
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
