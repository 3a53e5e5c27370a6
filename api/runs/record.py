"""Turns in transcripts: how one is written down, and how a thread's memory is rebuilt from them."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolCall

from domain.errors import AppError, BadInput
from domain.times import iso_time
from domain.types import Attachment
from turn.content import split_content

if TYPE_CHECKING:
    from api.runs.run import Run
    from stores.redis.exchange import ScriptCall
    from stores.redis.transcripts import Entry, Transcripts

logger = logging.getLogger(__name__)

OPENING_SECONDS = 0.02
"""Delay of writing the question, so that the model is asked first."""
MEMORY_ENTRIES = 60
MEMORY_CHARS = 60_000
"""Most of a transcript that a rebuilt memory takes; more would be summarised away at once."""


class TurnRecord:
    """The transcript of one turn: the question is written while the model works, the answer at the end.

    Args:
        run: The turn.
        transcripts: Where it is written.
    """

    def __init__(self, run: Run, transcripts: Transcripts) -> None:
        self._run, self._transcripts = run, transcripts
        self._question = user_entries(run)
        self._opening: asyncio.Task[int] | None = None
        self._written = False

    async def __aenter__(self) -> TurnRecord:
        if self._run.request.published:
            self._opening = asyncio.create_task(self._open())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._opening is not None:
            self._opening.cancel()

    async def _open(self) -> int:
        """Write the question; return how many entries the transcript has then."""
        await asyncio.sleep(OPENING_SECONDS)
        self._written = True
        try:
            return await self._transcripts.append_turn(self._run.request.owner, *self._question)
        except AppError as exc:
            logger.warning("question not written down yet", extra={"code": exc.code})
            self._written = False
            return 0

    async def closing(self) -> list[ScriptCall]:
        """Return the calls that write the rest of a settled turn; one that is rolled back is removed.

        Raises:
            MemoryUnavailable: Redis failed.
        """
        owner = self._run.request.owner
        if self._opening is not None and not self._written:
            self._opening.cancel()
        count = await self._opening if self._opening is not None and self._written else 0
        if self._run.state != "rolled_back":
            question = [] if self._written else self._question
            return [self._transcripts.appending(owner, *question, answer_entry(self._run))]
        if self._written:
            await self._transcripts.truncate(owner, count - len(self._question))
        return []


def user_entries(run: Run) -> list[Entry]:
    """Return what the user said, to be written when the turn starts."""
    return [_user_entry(message, run) for message in run.request.messages if isinstance(message, HumanMessage)]


def _user_entry(message: HumanMessage, run: Run) -> Entry:
    try:
        text, parts = split_content(message.content)
    except BadInput:
        text, parts = str(message.text), []
    entry: Entry = {"role": "user", "text": text, "run_id": run.id, "created": iso_time(run.created)}
    files: list[dict[str, Any]] = [
        {"id": part.attachment_id, "name": part.name} if part.attachment_id else {"name": part.name} for part in parts
    ]
    if files or run.request.attachments:
        entry["attachments"] = [*files, *({"name": item["name"]} for item in run.request.attachments)]
    return entry


def answer_entry(run: Run) -> Entry:
    """Return the outcome of a turn, whatever it was."""
    answer = run.answer
    assert answer is not None
    entry: Entry = {
        "role": "assistant", "text": answer["answer"], "run_id": run.id, "state": run.state,
        "created": iso_time(run.ended), "seconds": round(run.ended - run.created, 3),
        "usage": {**answer["usage"]},
    }  # fmt: skip
    lists: dict[str, Sequence[Any]] = {
        "attachments": [_brief(item) for item in answer["attachments"]],
        "citations": answer["citations"],
        "tools": answer["tools"],
        "warnings": answer["warnings"],
    }
    entry.update({name: list(items) for name, items in lists.items() if items})  # type: ignore[typeddict-item]
    if (calls := own_calls(run)) is not None:
        entry["calls"] = calls
    if run.progress.output.get("reasoning"):
        entry["reasoning"] = str(run.progress.output["reasoning"])  # type: ignore[typeddict-item]
    if run.error is not None:
        entry["warnings"] = [*entry.get("warnings", []), run.error.body(run.request.language)["message"]]
    return entry


def own_calls(run: Run) -> list[ToolCall] | None:
    """Return the calls of the caller's own tools that the turn ended with; None without any."""
    messages = run.progress.output.get("messages", [])
    last = messages[-1] if messages else None
    return last.tool_calls if isinstance(last, AIMessage) and last.tool_calls else None


def _brief(attachment: Attachment) -> dict[str, Any]:
    """An attachment without its recognised lines, which stay with the document."""
    return {key: value for key, value in attachment.items() if key != "ocr"}


def index_of(entries: Sequence[Entry], run_id: str) -> int | None:
    """Return the index of the first entry of a run."""
    return next((index for index, entry in enumerate(entries) if entry.get("run_id") == run_id), None)


def remembered_messages(entries: Sequence[Entry]) -> list[AnyMessage]:
    """Return the end of a transcript as the messages a model would remember."""
    messages: list[AnyMessage] = []
    for user, answer in _pairs(entries[-MEMORY_ENTRIES:]):
        if user is not None:
            messages.append(HumanMessage(user.get("text", "") or "...", id=f"user-{uuid.uuid4().hex}"))
        calls = answer.get("calls", [])
        messages.append(AIMessage(answer.get("text", ""), tool_calls=calls, id=f"ai-{uuid.uuid4().hex}"))
    while sum(len(str(message.text)) for message in messages) > MEMORY_CHARS and len(messages) > 2:
        del messages[:2]
    return messages


def _pairs(entries: Sequence[Entry]) -> list[tuple[Entry | None, Entry]]:
    """The turns that have an answer, each with its question; one that took results of the caller's tools has none."""
    pairs: list[tuple[Entry | None, Entry]] = []
    for entry, following in zip(entries, entries[1:], strict=False):
        if following.get("role") == "assistant" and (following.get("text") or following.get("calls")):
            pairs.append((entry if entry.get("role") == "user" else None, following))
    return pairs
