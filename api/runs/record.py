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
from stores.conversations.entries import Kept
from turn.content import split_content

if TYPE_CHECKING:
    from api.runs.run import Run
    from stores.conversations.conversations import Conversations
    from stores.conversations.entries import Entry, Message, Spot

logger = logging.getLogger(__name__)

OPENING_SECONDS = 0.02
"""Delay of writing the question, so that the model is asked first."""
MEMORY_CHARS = 60_000
"""Most of a transcript that a rebuilt memory takes; more would be summarised away at once."""


class TurnRecord:
    """The transcript of one turn: the question is written while the model works, the answer at the end.

    Of a temporary thread nothing is written but that it is in use; its question stays with the run.

    Args:
        run: The turn.
        conversations: Where it is written.
        place: Where it began.

    Attributes:
        place: Where the answer is written, once the question is there.
    """

    def __init__(self, run: Run, conversations: Conversations, place: Spot) -> None:
        self._run, self._conversations = run, conversations
        self._asked = _asked_before(run, place)
        self.place = self._asked or place
        self._question = [] if place.again or place.temporary else user_entries(run)
        self._persona = run.request.options.persona
        self._opening: asyncio.Task[Spot | None] | None = None
        self._begun = False

    async def __aenter__(self) -> TurnRecord:
        if self._run.request.published and self._asked is None:
            self._opening = asyncio.create_task(self._open(OPENING_SECONDS))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._opening is not None:
            self._opening.cancel()

    async def opened(self) -> Spot | None:
        """Write the question, if it is not written; return the place behind it, or None where it cannot be written."""
        if self._asked is not None:
            return self._asked
        if self._opening is None:
            self._opening = asyncio.create_task(self._open(0))
        return await asyncio.shield(self._opening)

    async def _open(self, delay: float) -> Spot | None:
        await asyncio.sleep(delay)
        self._begun = True
        try:
            owner = self._run.request.owner
            if self.place.temporary:
                await self._run.log.keep_question(user_entries(self._run))
            return await self._conversations.append(
                owner, self.place, self._question, running=self._run.id, persona=self._persona
            )
        except AppError as exc:
            logger.warning("question not written down yet", extra={"code": exc.code})
            return None

    async def close(self) -> None:
        """Write the rest of a settled turn; one that is rolled back is taken back.

        A turn that waits for a person has its question alone: the answer is written when there is one.

        Raises:
            Unavailable: The database failed.
        """
        run = self._run
        if self._opening is not None and not self._begun:
            self._opening.cancel()
        asked = await self._opening if self._opening is not None and self._begun else self._asked
        if run.state == "rolled_back":
            if asked is not None:
                await self._conversations.withdraw(asked, run.id)
            return
        owner = run.request.owner
        if run.state == "waiting":
            self.place = asked or await self._conversations.append(
                owner, self.place, self._question, running=run.id, persona=self._persona
            )
            return
        persona = self._persona if asked is None else None  # chosen with the question
        if self.place.temporary:
            await self._conversations.append(owner, asked or self.place, [], persona=persona)
            return
        rest = [*([] if asked is not None else self._question), answer_entry(run)]
        written = await self._conversations.append(owner, asked or self.place, rest, kept=_kept(run), persona=persona)
        assert run.answer is not None
        run.answer["message_id"] = str(written.parent)


def _asked_before(run: Run, place: Spot) -> Spot | None:
    """The place behind the question where that is written already: the run waited, or had another process."""
    request = run.request
    if request.takeover is not None:
        return request.takeover.asked
    return place if request.pause is not None else None


def _kept(run: Run) -> Kept:
    """What the model's memory has of the turn beyond what was said."""
    output, kept = run.progress.output, Kept()
    asked = [message for message in output.get("messages", []) if isinstance(message, HumanMessage)]
    text = output.get("summary", "")
    if text and text != run.progress.summary_before:
        kept["summary"] = {"text": text, "turns": len(asked)}
    if asked and (notes := asked[-1].additional_kwargs.get("notes")):
        kept["notes"] = notes
    return kept


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
        "memories": answer["memories"],
        "tools": answer["tools"],
        "agents": answer["agents"],
        "artifacts": answer["artifacts"],
        "warnings": answer["warnings"],
        "steps": run.progress.steps,
        "nodes": run.progress.nodes,
    }
    entry.update({name: list(items) for name, items in lists.items() if items})  # type: ignore[typeddict-item]
    if (calls := own_calls(run)) is not None:
        entry["calls"] = calls
    if reasoning := run.progress.reasoning or run.progress.output.get("reasoning"):
        entry["reasoning"] = str(reasoning)
        entry["reasoning_seconds"] = round(run.progress.reasoning_seconds, 1)
    if run.error is not None:
        entry["error"] = {**run.error.body(run.request.language)}
    return entry


def own_calls(run: Run) -> list[ToolCall] | None:
    """Return the calls of the caller's own tools that the turn ended with; None without any."""
    messages = run.progress.output.get("messages", [])
    last = messages[-1] if messages else None
    return last.tool_calls if isinstance(last, AIMessage) and last.tool_calls else None


def _brief(attachment: Attachment) -> dict[str, Any]:
    """An attachment without its recognised lines, which stay with the document."""
    return {key: value for key, value in attachment.items() if key != "ocr"}


def remembered_messages(entries: Sequence[Message]) -> list[AnyMessage]:
    """Return the end of a transcript as the messages a model would remember."""
    messages: list[AnyMessage] = []
    for user, answer in _pairs(entries):
        if user is not None:
            notes = {"notes": answer["notes"]} if "notes" in answer else {}
            text = user.get("text", "") or "..."
            messages.append(HumanMessage(text, id=f"user-{uuid.uuid4().hex}", additional_kwargs=notes))
        calls = answer.get("calls", [])
        messages.append(AIMessage(answer.get("text", ""), tool_calls=calls, id=f"ai-{uuid.uuid4().hex}"))
    while sum(len(str(message.text)) for message in messages) > MEMORY_CHARS and len(messages) > 2:
        del messages[:2]
    return messages


def _pairs(entries: Sequence[Message]) -> list[tuple[Message | None, Message]]:
    """The turns that have an answer, each with its question; one that took results of the caller's tools has none."""
    pairs: list[tuple[Message | None, Message]] = []
    for entry, following in zip(entries, entries[1:], strict=False):
        if following.get("role") == "assistant" and (following.get("text") or following.get("calls")):
            pairs.append((entry if entry.get("role") == "user" else None, following))
    return pairs
