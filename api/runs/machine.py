"""The life of a run as a state machine: enter, work, settle, report.

    queued --(it is the run's turn on its thread)--> running --> done | stopped | interrupted | rolled_back | error
      ^                                                  |
      +----------(a person answers)------------------ waiting

A run that never gets its turn goes from `queued` to its end. Why a run ends is decided by `reason_for` alone. One that
waits has given its thread back: what it needs to go on, on any process, is noted on the thread's checkpoint. A long one
whose process is gone is `queued` again on another one, with what `api.runs.takeover.StepKeeper` has kept of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from langgraph.errors import GraphDrained

from api.edge.failures import as_app_error
from api.edge.instruments import TURNS_RUNNING
from api.edge.logs import run_id_var, thread_id_var
from api.runs.memory import STOPPED, forget_turn, keep_partial, restore, sent_messages, thread_config
from api.runs.pause import Pause, pause_of
from api.runs.progress import OUTPUT_KEYS
from api.runs.record import TurnRecord
from api.runs.report import report
from api.runs.roles import with_role
from api.runs.stream import stream_graph
from api.runs.takeover import LONG_SECONDS, StepKeeper
from api.runs.temporary import without_traces
from api.runs.titles import give_title, names_topics
from domain.errors import AppError, ModelTimedOut, QuestionExpired, RunLost, RunWaiting
from domain.runs import Cut
from privacy.outbound import ask_for_privacy
from stores.conversations.entries import Spot, Wish
from stores.people.users import calling_key, calling_user
from stores.redis.turns import CUTS, TurnStopped
from turn.durability import Durability

if TYPE_CHECKING:
    from api.runs.request import TurnRequest
    from api.runs.run import Run
    from graph.builder import Graph
    from stores.redis.checkpoints import ThreadSaver
    from stores.redis.exchange import ScriptCall
    from stores.redis.staged_memory import StagedMemory
    from stores.redis.turns import ThreadTurns, Turn
    from stores.redis.unfinished import UnfinishedRuns
    from turn.context import Services


class Unanswered(Exception):
    """The thread waits for a person, and this turn goes before the answer."""

    def __init__(self, pause: Pause) -> None:
        self.pause = pause
        super().__init__(pause["run_id"])


class RunMachine:
    """Takes runs from their first state to their last.

    Args:
        graph: The graph with memory.
        stateless: The graph without, for turns that stand alone.
        services: What the nodes work with.
        turns: One turn at a time per thread, over all processes.
        unfinished: Where the steps of long runs are kept.
        close: Brings a run that waits to its end, for the turn of this request.
    """

    def __init__(
        self,
        graph: Graph,
        stateless: Graph,
        services: Services,
        turns: ThreadTurns,
        unfinished: UnfinishedRuns,
        close: Callable[[Pause, TurnRequest], Awaitable[None]],
    ) -> None:
        self._graph, self._stateless, self._services, self._turns = graph, stateless, services, turns
        self._close, self._unfinished = close, unfinished
        self._saver = cast("ThreadSaver", graph.checkpointer)

    async def live(self, run: Run) -> None:
        """Take a run through its states; whatever happens, it ends in a final state and reports that once.

        One that another process goes on with has no end here.
        """
        run_id_var.set(run.id)
        thread_id_var.set(run.request.thread_id)
        ask_for_privacy(run.request.options.pii)
        calling_user.set(run.request.owner.user_id)
        if run.request.takeover is not None:
            calling_key.set(run.request.takeover.key)
            run.enter("queued", begins_again="step" if run.request.takeover.begun else "turn")
        else:
            run.enter("queued")
            for attachment in run.request.attachments:
                run.log.append("attachment", attachment)
        with TURNS_RUNNING.track_inprogress():
            try:
                await (self._in_its_turn(run) if run.request.remembered else self._alone(run))
            except (Exception, asyncio.CancelledError) as exc:  # noqa: BLE001  # a run must end in an event
                run.settle(reason_for(exc, run.cut))
                run.left = run.is_lost_here
        self._services.usage.end(run.id)
        if run.left:
            await run.log.settle()
            run.log.abandon()
            return
        report(run, self._services)
        if run.state == "waiting":
            await run.log.settle()

    async def _alone(self, run: Run) -> None:
        await self._services.usage.begin(run.request.owner.user_id, run.id)
        run.settle(await self._work(run, self._stateless))

    async def _in_its_turn(self, run: Run) -> None:
        """Take the turn; where the thread waits for a person and this one goes first, end that run before."""
        if not run.request.begins:
            await self._services.tools.foreign_listed()
        while True:
            try:
                return await self._in_turn(run)
            except Unanswered as exc:
                await self._close(exc.pause, run.request)

    async def _in_turn(self, run: Run) -> None:
        """Wait for the thread; its memory is read with the command that gets it and saved with the one that ends it.

        Memory counts only where it was left by the run of the message that the turn follows. Elsewhere (it expired, its
        server was killed, another version is shown) it is made anew from the transcript, which is written first.

        Raises:
            Unanswered: The thread waits for a person; that run ends first.
            RunWaiting: It does, and this turn is refused for that.
            UnknownPersona: The persona that the conversation is held with is no more.
            QuestionExpired: The run that goes on with this request does not wait any more.
            SessionIsKept: The conversation is to be temporary, and is kept already.
            TemporarySession: It is temporary, and has no message to go on from or to replace.
            RunLost: Its process was gone, and the conversation went on without it.
        """
        request, key, summaries = run.request, run.request.owner.memory_key, self._services.summaries
        reads = [self._saver.reading(key), summaries.reading(key)]
        async with self._turns.hold(key, run.id, policy=request.on_busy, calls=reads, part=run.log.before) as turn:
            checkpoint, summary = turn.results
            await self._admit(run, cast("Pause | None", self._saver.note_in(checkpoint)))
            if await self._is_answered(run):
                return
            place = await self._place(request, gone=turn.rolled_back == request.replaces)
            run.request = await self._as_held(request, place)
            with self._saver.stage(key, checkpoint) as memory:
                stands = _stands(run.request, place, memory)
                with summaries.stage(key, summary if stands else b""):
                    await self._prepare(run, place, memory, stands=stands)
                    async with TurnRecord(run, self._services.conversations, place) as record:
                        if run.request.lasting:
                            run.keeper = StepKeeper(run, record, place, memory, self._unfinished, stands=stands)
                        await self._settle(run, turn, memory, record)
        self._follow_up(run, place)

    async def _is_answered(self, run: Run) -> bool:
        """Whether the answer is written already: the process that was killed came so far. It is that of the run then.

        Raises:
            RunLost: The process is gone, and the conversation went on without it.
        """
        takeover = run.request.takeover
        if takeover is None or takeover.asked is None:
            return False
        written = await self._services.conversations.answer_of(takeover.asked, run.id)
        if written is not None:
            run.adopt(written)
        return written is not None

    async def _as_held(self, request: TurnRequest, place: Spot) -> TurnRequest:
        """Return the request as its conversation is held; one that has begun stays as it was.

        Raises:
            UnknownPersona: The persona that the conversation is held with is no more.
        """
        if request.options.temporary or place.temporary:
            request = without_traces(request)
        if not request.begins:
            return request
        if request.options.persona is None:
            request = await with_role(request, self._services, place.persona)
        if not place.remembers:
            request = replace(request, options=replace(request.options, memory=False))
        return request

    async def _prepare(self, run: Run, place: Spot, memory: StagedMemory, *, stands: bool) -> None:
        """Bring the memory of the thread to where the turn begins, or goes on."""
        takeover, key = run.request.takeover, run.request.owner.memory_key
        if not stands and not (takeover is not None and takeover.begun):
            memory.forget()
            await restore(self._graph, self._services, key, place, run.id)
        if takeover is not None:
            self._saver.take_up(key, memory, takeover.steps.documents, takeover.steps.rows)

    async def _settle(self, run: Run, turn: Turn, memory: StagedMemory, record: TurnRecord) -> None:
        """Run the graph, and write down what came of it; nothing where another process goes on with the run."""
        reason = await self._outcome(run, turn, memory)
        if isinstance(reason, RunLost) and run.is_kept:
            run.left = True
            turn.abandon()
            run.settle(reason)
            return
        run.settle(await self._repair(run, reason))
        await record.close()
        await self._turns.finish(turn, self._saved(run, memory, record))

    def _follow_up(self, run: Run, place: Spot) -> None:
        """Start what follows a turn that is kept: it is found by its words, and named after its topic."""
        if place.temporary or run.left:
            return
        owner, background = run.request.owner, self._services.background
        background.spawn(f"index {owner.memory_key}", self._services.conversations.index_soon(owner))
        if not place.depth and run.state == "done" and names_topics(self._services):
            background.spawn(f"title {owner.memory_key}", give_title(self._services, run))

    async def _admit(self, run: Run, pause: Pause | None) -> None:
        """Let the turn through where the thread is free for it, and the user's day has room for another one."""
        self._check_pause(run, pause)
        if run.request.begins:  # what has begun goes on, whatever the day has used since
            await self._services.usage.begin(run.request.owner.user_id, run.id)

    def _check_pause(self, run: Run, pause: Pause | None) -> None:
        request = run.request
        if request.pause is not None and (pause is None or pause["run_id"] != run.id):
            raise QuestionExpired
        if request.pause is not None or pause is None:
            return
        refuses = self._services.settings.when_waiting == "refuse"
        if not refuses and request.replaces is None and request.on_busy not in CUTS:
            names = ", ".join(question["titles"][request.language] for question in pause["questions"])
            raise RunWaiting(id=pause["run_id"], tools=names)
        raise Unanswered(pause)

    async def _place(self, request: TurnRequest, *, gone: bool) -> Spot:
        """Where the turn goes on in its conversation."""
        if request.takeover is not None:
            return request.takeover.place
        if request.pause is not None:
            return Spot(**request.pause["place"])
        wish = Wish(request.parent, request.replaces, again=request.again, gone=gone)
        place = await self._services.conversations.spot(request.owner, wish)
        if request.options.temporary and not place.temporary:
            return await self._services.conversations.begin_temporary(request.owner)
        return place

    async def _outcome(self, run: Run, turn: Turn, memory: StagedMemory) -> Cut | None:
        """Run the graph, or only take up what a run that is withdrawn had come to; return why it was cut short."""
        pause, withdrawn, takeover = run.request.pause, run.request.withdrawn, run.request.takeover
        if takeover is not None and (takeover.begun or pause is not None):
            run.progress.go_on(takeover.stand)
        elif pause is not None and (stand := pause.get("stand")) is not None:
            run.progress.go_on(stand)
        if withdrawn is None:
            durability = Durability(lambda: setattr(memory, "steps", run.keeper))
            if pause is not None or (takeover is not None and takeover.begun):
                durability.keep()
            return await self._work(run, self._graph, turn, durability)
        found = await self._graph.aget_state(thread_config(run.request.owner.memory_key))
        run.progress.take("values", {name: found.values[name] for name in OUTPUT_KEYS if name in found.values})
        return withdrawn

    def _saved(self, run: Run, memory: StagedMemory, record: TurnRecord) -> list[ScriptCall]:
        """What is written to Redis of a settled turn: one that is rolled back leaves memory as it was before."""
        if isinstance(run.error, RunLost) or (run.state == "rolled_back" and run.request.pause is None):
            return []
        key, calls = run.request.owner.memory_key, memory.calls()
        if run.state == "waiting":
            calls.append(self._saver.noting(key, memory.newest(), {**pause_of(run, record.place)}))
            calls.append(self._unfinished.closing(run.id, run.log.before))  # who answers may go on at once
        if run.state == "done" and run.answer and run.answer["tools"]:
            calls.append(self._services.call_stores.effects.closing(key, run.id))
        return calls

    async def _work(
        self, run: Run, graph: Graph, turn: Turn | None = None, durability: Durability | None = None
    ) -> Cut | None:
        """Run the graph; return why it was cut short, or nothing."""
        run.enter("running")
        work = run.work = asyncio.create_task(stream_graph(run, graph, self._services, durability))
        if turn is not None:
            turn.when_stopped(run.stop)
        left = self._services.settings.turn_timeout
        if run.keeper is not None and not run.keeper.begun:
            soon = min(LONG_SECONDS, left)
            await asyncio.wait({work}, timeout=soon)
            left -= soon
            if not work.done():
                await run.keeper.begin()
        if not work.done():
            await asyncio.wait({work}, timeout=left)
        if not work.done():
            run.stop(ModelTimedOut())
            work.cancel()
            await asyncio.wait({work})
        return reason_for(asyncio.CancelledError() if work.cancelled() else work.exception(), run.cut)

    async def _repair(self, run: Run, reason: Cut | None) -> Cut | None:
        """Repair memory after a turn that was cut short; return why the run ends."""
        if reason is None or isinstance(reason, RunLost):
            return reason
        key, text = run.request.owner.memory_key, run.progress.partial
        sent = run.request.messages or await sent_messages(self._graph, key, run.message_ids)
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


def _stands(request: TurnRequest, place: Spot, memory: StagedMemory) -> bool:
    """Whether the thread's memory is that of the turn."""
    if request.takeover is not None and request.takeover.begun:
        return request.takeover.stands
    return request.pause is not None or place.stands(memory.run_id)


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
    if isinstance(failure, GraphDrained):
        return cut or RunLost()
    if isinstance(failure, asyncio.CancelledError):
        return cut or "stopped"
    return cut if isinstance(cut, AppError) else as_app_error(failure)
