"""The input of a response as LangChain messages."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolCall, ToolMessage

from api.openai.history import text_of
from domain.call_arguments import call_arguments
from domain.errors import BadInput
from domain.surrogates import cleaned
from domain.words import Words

_IGNORED = frozenset({"reasoning", "web_search_call", "file_search_call"})
"""Items of earlier responses that say nothing to the model."""


def input_messages(
    given: str | Sequence[Mapping[str, Any]], earlier: Mapping[str, Mapping[str, Any]]
) -> list[AnyMessage]:
    """Return the messages that the input holds, calls of one answer in one message.

    Args:
        given: Text, or items.
        earlier: Items of earlier responses by their id, which the input may refer to.

    Raises:
        BadInput: An item is of no known form.
    """
    if isinstance(given, str):
        return [HumanMessage(cleaned(given), id=uuid.uuid4().hex)]
    made: list[AnyMessage] = []
    try:
        for place, item in enumerate(given):
            if item.get("type") == "item_reference":
                item = earlier.get(str(item.get("id")), {"type": "reasoning"})
            message = _message(item, place)
            last = made[-1] if made else None
            if isinstance(message, AIMessage) and message.tool_calls and isinstance(last, AIMessage):
                made[-1] = last.model_copy(update={"tool_calls": [*last.tool_calls, *message.tool_calls]})
            elif message is not None:
                made.append(message)
    except ValueError as exc:
        raise BadInput(reason=Words(f"input: {exc}", f"input 无效：{exc}")) from exc
    return made


def _message(item: Mapping[str, Any], place: int) -> AnyMessage | None:
    kind, number = item.get("type", "message"), uuid.uuid4().hex
    if kind in _IGNORED:
        return None
    if kind == "function_call":
        arguments = str(item.get("arguments") or "")
        found = call_arguments(arguments)
        args = {"arguments": arguments} if found is None else found
        call = ToolCall(name=str(item.get("name")), args=cleaned(args), id=str(item.get("call_id")))
        return AIMessage("", tool_calls=[call], id=number)
    if kind == "function_call_output":
        output = item.get("output")
        text = text_of(output, place) if isinstance(output, str | list) else json.dumps(output, ensure_ascii=False)
        return ToolMessage(cleaned(text), tool_call_id=str(item.get("call_id") or ""), id=number)
    role, content = item.get("role"), item.get("content")
    if kind != "message" or role not in ("user", "assistant", "system", "developer"):
        raise ValueError(f"item {place} of the type {kind!r} and role {role!r} is not known")
    if role == "user":
        return HumanMessage([_part(part, place) for part in content] if isinstance(content, list) else
                            cleaned(text_of(content, place)), id=number)  # fmt: skip
    text = cleaned(text_of(content, place))
    return AIMessage(text, id=number) if role == "assistant" else SystemMessage(text, id=number)


def _part(part: object, place: int) -> dict[str, Any]:
    """A part of a message as chat completions write it."""
    if not isinstance(part, Mapping):
        raise ValueError(f"item {place} holds a part that is no object")
    kind = part.get("type")
    if kind in ("input_text", "output_text", "text"):
        return {"type": "text", "text": cleaned(str(part.get("text") or ""))}
    if part.get("file_id"):
        return {"type": "attachment", "id": str(part["file_id"])}
    if kind == "input_file":
        if part.get("file_url"):
            return {"type": "file", "url": part["file_url"], "filename": part.get("filename")}
        return {"type": "file", "file": {"filename": part.get("filename"), "file_data": part.get("file_data")}}
    return dict(part)
