"""Starts, finds, stops and follows runs: those of this process directly, those of others by their records."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from api.runs.callbacks import call_back
from api.runs.clearing import Counts, clear_thread
from api.runs.log import RunLog, with_gaps
from api.runs.machine import RunMachine
from api.runs.pause import ALL, Pause, answers_in, checked_answers, continued
from api.runs.roles import with_role
from api.runs.run import Run, stored_status
from api.runs.temporary import without_traces
from api.runs.watch import Watch
from domain.approvals import ApprovalAnswer, one_word_answer
from domain.errors import AppError, NotWaiting, QuestionExpired, RunLost, UnknownAgent, UnknownRun
from domain.owner import Owner
from domain.runs import FINAL_STATES, CutState, Event
from stores.redis.turns import CUTS
from turn.intake import check_lengths

if TYPE_CHECKING:
    from api.runs.request import TurnRequest
    from graph.builder import Graph
    from stores.redis.checkpoints import ThreadSaver
    from stores.redis.events import RunEvents, RunRecord
    from stores.redis.turns import ThreadTurns
    from stores.redis.unfinished import UnfinishedRuns
    from turn.context import Services

RETRY_SECONDS = 0.2
STEP_SECONDS = 4.0
"""How long the server waits at its end for the step of a long turn, which is done again elsewhere otherwise."""
STOP_SECONDS = 10.0
"""Longest time the server waits at its end for turns to be cut short properly."""


class TurnRunner:
    """Runs turns, one at a time per thread, each as a task independent of the connection that asked for it.

    Args:
        graph: The graph with memory.
        stateless: The graph without, for turns that stand alone.
        services: What the nodes work with.
        turns: One turn at a time per thread, over all processes.
        events: Where other processes read the events of a run.
        unfinished: Where the steps of long runs are kept.
    """

    def __init__(
        self, *, graph: Graph, stateless: Graph, services: Services, turns: ThreadTurns, events: RunEvents,
        unfinished: UnfinishedRuns,
    ) -> None:  # fmt: skip
        self.graph = graph
        self._machine = RunMachine(graph, stateless, services, turns, unfinished, self._end_waiting)
        self._saver = cast("ThreadSaver", graph.checkpointer)
        self._services = services
        self._turns = turns
        self._events = events
        self._runs: dict[str, Run] = {}
        self._unfinished = unfinished
        self.watch = Watch(unfinished, events, self._runs.__contains__, self._launch)
        """What goes on with long runs of other processes."""
        self._closing: set[asyncio.Task[None]] = set()

    async def start(self, request: TurnRequest, *, run_id: str | None = None) -> Run:
        """Start a turn; a client's `run_id` that is already in use is replaced.

        Raises:
            TooMuchText: A message or the system prompt is too long.
            UnknownPersona: There is no persona of the name that is asked for.
            UnknownAgent: There is no specialist of the name that is asked for.
        """
        said = (str(message.text) for message in request.messages)
        check_lengths((request.options.system_prompt, *said), self._services.settings)
        if request.options.temporary:
            request = without_traces(request)
        request = await with_role(request, self._services, request.options.persona)
        names = self._services.agents.names
        if request.options.agent is not None and request.options.agent not in names:
            raise UnknownAgent(name=request.options.agent, names=", ".join(names))
        if run_id is None or run_id in self._runs:
            run_id = uuid.uuid4().hex
        log = RunLog(run_id, self._events, request.owner, request.language, published=request.published)
        return self._launch(Run(run_id, request, log))

    def _launch(self, run: Run) -> Run:
        self._runs[run.id] = run
        run.task = asyncio.create_task(self._live(run), name=f"run-{run.id}")
        return run

    async def status(self, run_id: str, user_id: str) -> dict[str, Any]:
        """Return state and result of a run, whichever process it is on.

        Raises:
            UnknownRun: There is none of this user.
            MemoryUnavailable: Redis failed.
        """
        run = self._find(run_id, user_id)
        if run is None:
            return stored_status(await self._record(run_id, user_id))
        status = run.status()
        if status["state"] == "waiting":
            await run.log.settle()  # its reader may answer at once, on any process
        return status

    async def question(self, run_id: str, owner: Owner) -> list[dict[str, Any]]:
        """Return what was asked with a run of a temporary thread, as a transcript has it; of any other nothing.

        Raises:
            MemoryUnavailable: Redis failed.
        """
        record = await self._events.get(run_id)
        mine = record is not None and (record["user_id"], record["thread_id"]) == (owner.user_id, owner.thread_id)
        return record.get("question", []) if record is not None and mine else []

    async def stop(self, run_id: str, user_id: str) -> dict[str, Any]:
        """Stop a run, whichever process it is on, and return how it stands.

        Raises:
            UnknownRun: There is none of this user.
            MemoryUnavailable: Redis failed.
        """
        run = self._find(run_id, user_id)
        if run is None:
            record = await self._record(run_id, user_id)
            if record["state"] == "waiting":
                return await self._withdraw(Owner(user_id, record["thread_id"]), run_id)
            if record["state"] not in FINAL_STATES:
                await self._turns.request_stop(run_id)
            return stored_status(record)
        run.stop()
        if run.task is not None:
            await asyncio.wait({run.task}, timeout=STOP_SECONDS)
        await run.log.settle()
        return await self.status(run_id, user_id)

    async def begin(self, request: TurnRequest) -> Run:
        """Start a turn; a message of one word that answers what its thread waits for goes on with that run instead.

        Raises:
            AppError: As `start` and `answer`.
        """
        answer = one_word_answer(str(request.messages[-1].text)) if request.remembered and request.messages else None
        pause = await self.waiting(request.owner) if answer is not None else None
        if answer is None or pause is None:
            return await self.start(request)
        return await self.answer(pause["run_id"], request.owner.user_id, {ALL: answer})

    async def answer(self, run_id: str, user_id: str, answers: Mapping[str, ApprovalAnswer]) -> Run:
        """Go on with a run that waits, on this process; questions that are not answered go on waiting.

        Raises:
            UnknownRun: There is none of this user.
            UnknownQuestion: It does not wait for the answer to such a question.
            NotWaiting: It does not wait: it was answered already, or never asked.
            QuestionExpired: What it waited for has expired with the thread.
            BadInput: Arguments that were changed do not fit the tool.
            MemoryUnavailable: Redis failed.
        """
        record = await self._record(run_id, user_id)
        owner = Owner(user_id, record["thread_id"])
        pause = await self.waiting(owner)
        if pause is None or pause["run_id"] != run_id:
            ended_by = record.get("result", {}).get("error", {}).get("code")
            raise QuestionExpired if ended_by == QuestionExpired.code else NotWaiting
        return await self._go_on(owner, pause, checked_answers(answers, pause["questions"], self._services.tools))

    async def resume(self, request: TurnRequest) -> Run:
        """Go on with the run that waits in the thread of `request`, which holds the answers, and serve that call.

        Raises:
            NotWaiting: The thread waits for nothing.
            BadInput: It waits for several answers and got one, or something that is no answer.
            UnknownQuestion: It does not wait for the answer to such a question.
            MemoryUnavailable: Redis failed.
        """
        pause = await self.waiting(request.owner)
        if pause is None:
            raise NotWaiting
        given = answers_in(request.resume, pause["questions"])
        answers = checked_answers(given, pause["questions"], self._services.tools)
        return await self._go_on(request.owner, pause, answers, like=request)

    async def waiting(self, owner: Owner) -> Pause | None:
        """Return what a thread waits for.

        Raises:
            MemoryUnavailable: Redis failed.
        """
        return cast("Pause | None", await self._saver.aget_note(owner.memory_key))

    async def _go_on(
        self,
        owner: Owner,
        pause: Pause,
        answers: Mapping[str, ApprovalAnswer],
        *,
        like: TurnRequest | None = None,
        withdrawn: CutState | None = None,
    ) -> Run:
        """Take a run that waits for this process, and let it go on, or end as `withdrawn` says."""
        run_id = pause["run_id"]
        before = await self._events.go_on(run_id)
        if before is None:
            raise NotWaiting
        request = replace(continued(pause, owner, answers, like=like), withdrawn=withdrawn)
        log = RunLog(run_id, self._events, owner, request.language, before=before)
        log.append("answered", {"answers": {name: answer.decision for name, answer in answers.items()}})
        return self._launch(Run(run_id, request, log))

    async def _end_waiting(self, pause: Pause, request: TurnRequest) -> None:
        """Bring the run that a thread waits with to its end, for the turn of `request`: as it says, or refused."""
        cut: CutState | None = "interrupted" if request.replaces is not None else CUTS.get(request.on_busy)
        refusals = {question["id"]: ApprovalAnswer(decision="refuse") for question in pause["questions"]}
        try:
            run = await self._go_on(request.owner, pause, {} if cut else refusals, withdrawn=cut)
        except NotWaiting:  # somebody answers it at this moment: that run has the thread next
            await asyncio.sleep(RETRY_SECONDS)
            return
        await run.over()

    async def events(self, run_id: str, user_id: str, after: int) -> AsyncIterator[list[Event]]:
        """Return the events of a run behind number `after`, whichever process it is on.

        Raises:
            UnknownRun: There is none of this user.
            MemoryUnavailable: Redis failed.
        """
        run = self._find(run_id, user_id)
        if run is not None and run.state != "waiting" and after >= run.log.before:
            return run.log.read(after)
        await self._record(run_id, user_id)
        return with_gaps(self._events.read(run_id, after), after, lambda: self.status(run_id, user_id))

    def running(self, user_id: str) -> list[tuple[str, str]]:
        """Return the threads of a user that turns of this process are about, with their runs."""
        mine = [run for run in self._runs.values() if run.request.owner.user_id == user_id and run.request.remembered]
        return [(run.request.thread_id, run.id) for run in mine]

    async def unfinished(self, run_ids: Sequence[str]) -> set[str]:
        """Return those of the runs that go on, though their process may be gone.

        Raises:
            MemoryUnavailable: Redis failed.
        """
        return await self._unfinished.kept(run_ids)

    async def _withdraw(self, owner: Owner, run_id: str) -> dict[str, Any]:
        """Stop a run that waits; return how it stands."""
        pause = await self.waiting(owner)
        if pause is not None and pause["run_id"] == run_id:
            run = await self._go_on(owner, pause, {}, withdrawn="stopped")
            await run.over()
            await run.log.settle()
        return stored_status(await self._record(run_id, owner.user_id))

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

    async def aclose(self) -> None:
        """Hand long turns over to the next process; cut the others short, keeping what they have said."""
        self.watch.end()
        tasks = {run.task for run in self._runs.values() if run.task is not None}
        if kept := [run for run in self._runs.values() if run.is_kept]:
            for run in kept:
                run.hand_over()
            await asyncio.wait({run.task for run in kept if run.task is not None}, timeout=STEP_SECONDS)
        for run in list(self._runs.values()):
            run.stop(RunLost() if run in kept else "stopped")
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_SECONDS)
        if self._closing:
            await asyncio.wait(self._closing, timeout=STOP_SECONDS)
        await self._turns.aclose()
        await self._events.aclose()

    def _find(self, run_id: str, user_id: str) -> Run | None:
        """Return the run if it is one of this process and user."""
        run = self._runs.get(run_id)
        return run if run is not None and run.request.owner.user_id == user_id else None

    async def _record(self, run_id: str, user_id: str) -> RunRecord:
        record = await self._events.get(run_id)
        if record is None or record["user_id"] != user_id:
            raise UnknownRun(id=run_id)
        if record["state"] == "waiting" and await self.waiting(Owner(user_id, record["thread_id"])) is None:
            expired = {"error": QuestionExpired().body(record["language"])}
            await self._events.append(run_id, [Event(record["last"] + 1, "error", expired)], "error")
            return await self._record(run_id, user_id)
        return record

    async def _live(self, run: Run) -> None:
        await self._machine.live(run)
        request = run.request
        if run.left:
            await self._leave(run)
            return
        known = run.log.published
        if not known and request.remembered and request.callback_url is None:
            self._runs.pop(run.id, None)
            return
        closing = asyncio.create_task(self._close(run))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def _leave(self, run: Run) -> None:
        """Let another process go on with a run at once."""
        self._runs.pop(run.id, None)
        self._events.leave(run.id)
        with suppress(AppError):  # it is taken when it was silent for long enough
            await self._unfinished.release(run.id, run.log.before)

    async def _close(self, run: Run) -> None:
        """Copy the last events, call back, and drop the files of a turn without a thread: no client waits for these."""
        await run.log.settle()
        if run.is_kept:
            await self._unfinished.close(run.id, run.log.before)
        if self._runs.get(run.id) is run:
            self._runs.pop(run.id)
        request = run.request
        if request.callback_url is not None:
            await call_back(self._services, request.callback_url, run)
        if not request.remembered and run.answer and run.answer["attachments"]:
            await self._services.documents.delete_owner(request.owner)
