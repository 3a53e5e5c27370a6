"""Starts, finds, stops and follows runs: those of this process directly, those of others by their records."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from api.runs.callbacks import call_back
from api.runs.clearing import Counts, clear_thread
from api.runs.log import RunLog, with_gaps
from api.runs.machine import RunMachine
from api.runs.run import Run, stored_status
from domain.errors import UnknownAgent, UnknownRun
from domain.runs import FINAL_STATES, Event
from turn.intake import check_lengths

if TYPE_CHECKING:
    from api.runs.request import TurnRequest
    from domain.owner import Owner
    from graph.builder import Graph
    from stores.redis.events import RunEvents, RunRecord
    from stores.redis.turns import ThreadTurns
    from turn.context import Services

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
    """

    def __init__(
        self, *, graph: Graph, stateless: Graph, services: Services, turns: ThreadTurns, events: RunEvents
    ) -> None:
        self.graph = graph
        self._machine = RunMachine(graph, stateless, services, turns)
        self._services = services
        self._turns = turns
        self._events = events
        self._runs: dict[str, Run] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def start(self, request: TurnRequest, *, run_id: str | None = None) -> Run:
        """Start a turn and return at once; a client's `run_id` that is already in use is replaced.

        Raises:
            TooMuchText: A message or the system prompt is too long.
            UnknownPersona: There is no role of the name that is asked for.
            UnknownAgent: There is no specialist of the name that is asked for.
        """
        said = (str(message.text) for message in request.messages)
        check_lengths((request.options.system_prompt, *said), self._services.settings)
        request = request.with_persona(self._services.settings)
        names = self._services.agents.names
        if request.options.agent is not None and request.options.agent not in names:
            raise UnknownAgent(name=request.options.agent, names=", ".join(names))
        if run_id is None or run_id in self._runs:
            run_id = uuid.uuid4().hex
        store = self._events if request.published else None
        run = Run(run_id, request, RunLog(run_id, store, request.owner, request.language))
        self._runs[run_id] = run
        run.task = asyncio.create_task(self._live(run), name=f"run-{run_id}")
        return run

    async def status(self, run_id: str, user_id: str) -> dict[str, Any]:
        """Return state and result of a run, whichever process it is on.

        Raises:
            UnknownRun: There is none of this user.
            MemoryUnavailable: Redis failed.
        """
        run = self._find(run_id, user_id)
        return run.status() if run is not None else stored_status(await self._record(run_id, user_id))

    async def stop(self, run_id: str, user_id: str) -> dict[str, Any]:
        """Stop a run, whichever process it is on, and return how it stands.

        Raises:
            UnknownRun: There is none of this user.
            MemoryUnavailable: Redis failed.
        """
        run = self._find(run_id, user_id)
        if run is None:
            record = await self._record(run_id, user_id)
            if record["state"] not in FINAL_STATES:
                await self._turns.request_stop(run_id)
            return stored_status(record)
        run.stop()
        if run.task is not None:
            await asyncio.wait({run.task}, timeout=STOP_SECONDS)
        await run.log.settle()
        return await self.status(run_id, user_id)

    async def events(self, run_id: str, user_id: str, after: int) -> AsyncIterator[list[Event]]:
        """Return the events of a run behind number `after`, whichever process it is on.

        Raises:
            UnknownRun: There is none of this user.
            MemoryUnavailable: Redis failed.
        """
        run = self._find(run_id, user_id)
        if run is not None:
            return run.log.read(after)
        await self._record(run_id, user_id)
        return with_gaps(self._events.read(run_id, after), after, lambda: self.status(run_id, user_id))

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

    def _find(self, run_id: str, user_id: str) -> Run | None:
        """Return the run if it is one of this process and user."""
        run = self._runs.get(run_id)
        return run if run is not None and run.request.owner.user_id == user_id else None

    async def _record(self, run_id: str, user_id: str) -> RunRecord:
        record = await self._events.get(run_id)
        if record is None or record["user_id"] != user_id:
            raise UnknownRun(id=run_id)
        return record

    async def _live(self, run: Run) -> None:
        await self._machine.live(run)
        request = run.request
        if not request.published and request.remembered and request.callback_url is None:
            self._runs.pop(run.id, None)
            return
        closing = asyncio.create_task(self._close(run))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def _close(self, run: Run) -> None:
        """Copy the last events, call back, and drop the files of a turn without a thread: no client waits for these."""
        await run.log.settle()
        self._runs.pop(run.id, None)
        request = run.request
        if request.callback_url is not None:
            await call_back(self._services, request.callback_url, run)
        if not request.remembered and run.answer and run.answer["attachments"]:
            await self._services.documents.delete_owner(request.owner)
