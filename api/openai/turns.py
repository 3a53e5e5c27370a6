"""Turns that OpenAI's clients ask for: what they start with, when they have begun, and what came of them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage

from api.openai.schemas import SESSION, FunctionTool, ResponseFormat
from api.runs.run import Run
from api.schemas import Answer
from domain.errors import BadInput
from domain.owner import Owner, check_thread_id
from domain.words import Words
from models.chat.interface import Chat
from turn.model_options import ModelOptions

BEGIN_SECONDS = 10.0
"""Longest wait for the first word before a stream begins: what fails until then is an HTTP error, no broken stream."""
_BEGUN = frozenset({"token", "reasoning", "call", "done", "waiting", "error"})


def owner_of_call(user: str, thread: str | None) -> Owner:
    """Return whose turn it is; without a thread it stands alone.

    Raises:
        BadInput: That is no name for a thread.
    """
    if thread:
        check_thread_id(thread, SESSION)
    return Owner(user, thread or f"once-{uuid.uuid4().hex}")


def json_form(chat: Chat, response_format: ResponseFormat) -> dict[str, Any] | None:
    """Return the JSON that an answer has to be, as `chat` is asked for it; None for text.

    Raises:
        BadInput: The extractive model is asked, which can only quote.
    """
    if response_format.type == "text":
        return None
    if chat.kind == "extractive":
        reason = f"response_format {response_format.type} needs a language model; {chat.name} quotes documents"
        raise BadInput(reason=Words(reason, f"{chat.name} 只能引用文档，不支持 response_format {response_format.type}"))
    form = response_format.model_dump(by_alias=True, exclude_unset=True)
    if response_format.type == "json_object" and chat.kind == "gguf":
        return {"type": "json_schema", "json_schema": {"name": "object", "schema": {"type": "object"}}}
    return form


def model_options(tools: Sequence[FunctionTool], *, parallel: bool | None, **options: Any) -> ModelOptions:
    """Return what the caller asks of the chat model; what is said of tools counts where there are any."""
    given = [tool.model_dump(exclude_none=True) for tool in tools]
    if given and parallel is not None:
        options["sampling"] = {**options["sampling"], "parallel_tool_calls": parallel}
    if not given:
        options["tool_choice"] = None
    return ModelOptions(tools=given, **options)


async def begun(run: Run) -> None:
    """Wait for the first word of a run.

    Raises:
        AppError: It failed before.
    """
    try:
        async with asyncio.timeout(BEGIN_SECONDS):
            async for batch in run.log.read():
                if any(event.name in _BEGUN for event in batch):
                    break
    except TimeoutError:
        return
    if run.error is not None:
        await run.result()


def said_last(run: Run) -> AIMessage | None:
    """Return the last message of the model, with its calls of the caller's tools; none of a run that waits."""
    if run.state == "waiting":
        return None
    messages = run.progress.output.get("messages", [])
    return messages[-1] if messages and isinstance(messages[-1], AIMessage) else None


def extras(answer: Answer) -> dict[str, Any]:
    """Return what an answer holds beyond OpenAI's fields."""
    return {key: answer[key] for key in ("session_id", "citations", "attachments", "memories", "tools", "warnings")}
