"""A run: one turn, its state and its result."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, cast

from langgraph.runtime import RunControl

from api.runs.log import RunLog
from api.runs.pause import waiting_text
from api.runs.progress import TurnProgress
from api.runs.request import TurnRequest
from api.schemas import Answer
from domain.approvals import Approval
from domain.errors import AppError, RunLost, UnknownRun
from domain.limits import Spent
from domain.runs import FINAL_STATES, Cut, RunState
from domain.times import iso_time
from domain.types import Usage
from domain.words import Words

if TYPE_CHECKING:
    from api.runs.takeover import StepKeeper
    from stores.conversations.entries import Message
    from stores.redis.events import RunRecord
    from turn.budget import Meter

NOTES: dict[RunState, Words] = {
    "stopped": Words("The answer was stopped before its end.", "回答在结束前被停止。"),
    "interrupted": Words("The answer was interrupted by the next message.", "回答被下一条消息打断。"),
    "rolled_back": Words("This turn was withdrawn by the next message.", "本轮已被下一条消息撤回。"),
}


class Run:
    """One turn; `api.runs.machine` takes it from state to state."""

    def __init__(self, run_id: str, request: TurnRequest, log: RunLog) -> None:
        self.id = run_id
        self.request = request
        self.log = log
        literal = request.model_options.response_format is not None
        self.progress = TurnProgress(log, detailed=request.detailed, literal=literal)
        takeover = request.takeover
        self.created = self.ended = takeover.created if takeover is not None else time.time()
        self.state: RunState = "queued"
        self.answer: Answer | None = None
        self.error: AppError | None = None
        self.cut: Cut | None = None
        """Why the run is to end before its work does, once that is asked."""
        self.meter: Meter | None = None
        """What counts the use of its budget, once the graph runs."""
        self.keeper: StepKeeper | None = None
        """What keeps its steps, once it has its turn on its thread."""
        self.left = False
        """Whether it has no outcome here: another process goes on with it."""
        self.control = RunControl()
        """What lets the graph end behind the step that runs."""
        self.task: asyncio.Task[None] | None = None
        """The whole of the run."""
        self.work: asyncio.Task[None] | None = None
        """The graph's part of it."""

    @property
    def questions(self) -> list[Approval]:
        """What waits for a person, in the order of the calls."""
        return sorted(self.progress.questions.values(), key=lambda question: question["place"])

    @property
    def message_ids(self) -> list[str]:
        """Ids of the user's messages of this turn."""
        pause, takeover = self.request.pause, self.request.takeover
        if takeover is not None:
            return takeover.message_ids
        return pause["messages"] if pause is not None else [str(message.id) for message in self.request.messages]

    def stop(self, reason: Cut = "stopped") -> None:
        """End the run before its work does; the first reason counts. What it has said is kept, unless rolled back."""
        running = self.work if self.work is not None else self.task
        if self.cut is None and running is not None and not running.done() and self.state not in FINAL_STATES:
            self.cut = reason
            running.cancel()

    @property
    def is_kept(self) -> bool:
        """Whether another process can go on with it."""
        return self.keeper.begun if self.keeper is not None else self.request.takeover is not None

    @property
    def is_lost_here(self) -> bool:
        """Whether it has ended here because another process has it, or is to have it."""
        lost = isinstance(self.error if self.keeper is not None else self.cut, RunLost)
        return lost and self.is_kept

    def hand_over(self) -> None:
        """End here, without an outcome, behind the step that runs; `stop(RunLost())` does not wait for that."""
        self.control.request_drain()

    def enter(self, state: RunState, **more: str) -> None:
        """Enter a state that is not final, and report it."""
        self.state = state
        self.log.append("run", {"run_id": self.id, "session_id": self.request.thread_id, "state": state, **more})

    def adopt(self, entry: Message) -> None:
        """Take the outcome that is in the conversation already as that of the run."""
        self.ended, self.state = time.time(), cast("RunState", entry.get("state", "done"))
        nothing = Usage(input_tokens=0, output_tokens=0, model="")
        lists = ("citations", "attachments", "memories", "tools", "agents", "artifacts", "warnings")
        self.answer = cast("Answer", {
            "session_id": self.request.thread_id, "run_id": self.id, "message_id": entry["message_id"],
            "state": self.state, "answer": entry.get("text", ""), "usage": entry.get("usage", nothing),
            "spent": self.spent, **{name: entry.get(name, []) for name in lists},
        })  # fmt: skip

    def settle(self, reason: Cut | None) -> None:
        """Enter the last state: `error` with an error, else the reason itself; without one `waiting` or `done`."""
        request, output = self.request, self.progress.output
        self.ended = time.time()
        self.error = reason if isinstance(reason, AppError) else None
        self.state = "error" if self.error else reason or ("waiting" if self.questions else "done")  # type: ignore[assignment]  # no error is left here
        whole = self.state == "done"
        notes = [NOTES[self.state].text(request.language)] if self.state in NOTES else []
        answer = output.get("answer", "") if whole else "" if self.state == "rolled_back" else self.progress.partial
        if self.state == "waiting":
            answer = waiting_text(self.id, self.questions, request.language)
        self.answer = Answer(
            session_id=request.thread_id,
            run_id=self.id,
            state=self.state,
            answer=answer,
            citations=output.get("citations", []) if whole else [],
            attachments=output.get("attachments") or list(request.attachments),
            memories=output.get("memories", []),
            tools=output.get("tool_runs", []),
            agents=output.get("agent_runs", []),
            artifacts=output.get("artifacts", []),
            usage=output.get("usage") or Usage(input_tokens=0, output_tokens=0, model=""),
            spent=self.spent,
            warnings=[*output.get("warnings", []), *notes],
        )
        if self.state == "waiting":
            self.answer["questions"] = self.questions

    @property
    def spent(self) -> Spent:
        """What it has used of its budget."""
        if self.meter is not None:
            return self.meter.spent()
        before = self.request.takeover
        return before.spent if before is not None else Spent(tokens=0, seconds=0.0, calls=0, money=0.0, agents=0)

    async def over(self) -> None:
        """Wait for the end, whatever it is."""
        if self.task is not None:
            await asyncio.wait({self.task})

    async def result(self) -> Answer:
        """Wait for the end and return the answer.

        Raises:
            AppError: The turn failed; its language is that of the message.
        """
        await self.over()
        if self.error is not None:
            self.error.language = self.request.language
            raise self.error
        if self.answer is None:
            raise UnknownRun(id=self.id)
        return self.answer

    def status(self) -> dict[str, Any]:
        """Return the run as the API shows it; it is over, or waits, when its last event is there."""
        over = self.log.closed
        state = self.state if over or self.state not in {*FINAL_STATES, "waiting"} else "running"
        return _status(self.id, self.request.thread_id, state, iso_time(self.created), self.log.last if over else None)


def stored_status(record: RunRecord) -> dict[str, Any]:
    """Return a run of any process as the API shows it."""
    return _status(record["run_id"], record["thread_id"], record["state"], record["created"], record.get("result"))


def _status(run_id: str, thread_id: str, state: RunState, created: str, last: dict[str, Any] | None) -> dict[str, Any]:
    """Return a run as the API shows it; `last` is the data of its terminal event: answer, and `error` if it failed."""
    answer = {key: value for key, value in (last or {}).items() if key != "error"}
    return {
        "run_id": run_id, "session_id": thread_id, "state": state, "created_at": created,
        "result": answer or None, "error": (last or {}).get("error"),
    }  # fmt: skip
