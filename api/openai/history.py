"""The messages of a chat completion, of any age of the protocol, as LangChain messages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolCall, ToolMessage

from api.runs.client_messages import client_messages
from domain.call_arguments import call_arguments
from domain.errors import BadInput, Unfit


def conversation(messages: Sequence[Mapping[str, Any]]) -> list[AnyMessage]:
    """Return the messages as the graph takes them.

    Raises:
        BadInput: A message is of no known form, or nothing is left.
    """
    made: list[Any] = []
    try:
        for place, message in enumerate(messages):
            made.append(_message(message, made, place))
        return client_messages(made)
    except Unfit as exc:
        raise BadInput(reason=exc.words) from exc


def _message(message: Mapping[str, Any], before: Sequence[Any], place: int) -> Any:
    role, content = message.get("role"), message.get("content")
    if role in ("system", "developer"):
        return SystemMessage(text_of(content, place))
    if role == "user":
        if not isinstance(content, str | list) or not content:
            raise Unfit(f"messages.{place}.content is empty", f"messages.{place}.content 为空")
        return HumanMessage(content)
    if role == "assistant":
        text = text_of(content, place) or str(message.get("refusal") or "")
        return AIMessage(text, tool_calls=_calls(message, place), additional_kwargs=_reasoning(message))
    if role == "tool":
        return ToolMessage(text_of(content, place), tool_call_id=str(message.get("tool_call_id") or ""))
    call = before[-1].tool_calls[:1] if before and isinstance(before[-1], AIMessage) else []
    if role == "function" and call and call[0]["name"] == message.get("name"):
        return ToolMessage(text_of(content, place), tool_call_id=str(call[0]["id"]))
    raise Unfit(
        f"messages: {place}.role {role!r} is not known, or stands in the wrong place",
        f"messages.{place}.role 的值 {role!r} 未知，或位置不对",
    )


def text_of(content: object, place: int) -> str:
    """Return the text of a message that may hold text alone.

    Raises:
        Unfit: It is of no known form.
    """
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise Unfit(
            f"messages.{place}.content must be text or a list of parts", f"messages.{place}.content 必须是文本或列表"
        )
    parts = [part if isinstance(part, Mapping) else {"text": part} for part in content]
    return "\n".join(str(part.get("text") or part.get("refusal") or "") for part in parts).strip("\n")


def _calls(message: Mapping[str, Any], place: int) -> list[ToolCall]:
    given = message.get("tool_calls") or []
    if not given and isinstance(message.get("function_call"), Mapping):
        given = [{"id": f"call_{place}", "function": message["function_call"]}]
    if not isinstance(given, list):
        raise Unfit(f"messages.{place}.tool_calls must be a list", f"messages.{place}.tool_calls 必须是列表")
    return [_call(call, place) for call in given]


def _call(call: object, place: int) -> ToolCall:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(call, Mapping) or not isinstance(function, Mapping) or not function.get("name"):
        raise Unfit(
            f"messages.{place}.tool_calls: a call needs an id and a function with a name",
            f"messages.{place}.tool_calls 中的调用须有编号和带名称的函数",
        )
    given = function.get("arguments")
    text = given if isinstance(given, str) else json.dumps(given or {}, ensure_ascii=False)
    arguments = call_arguments(text)
    # What is no JSON object was written by a model all the same: it is kept for the next one to see.
    kept = {"arguments": text} if arguments is None else arguments
    return ToolCall(name=str(function["name"]), args=kept, id=str(call.get("id") or f"call_{place}"))


def _reasoning(message: Mapping[str, Any]) -> dict[str, str]:
    said = message.get("reasoning_content") or message.get("reasoning")
    return {"reasoning_content": said} if isinstance(said, str) and said else {}
