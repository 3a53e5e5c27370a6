"""Messages from clients, rebuilt from what a client may say and nothing else."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AnyMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
    convert_to_messages,
    message_chunk_to_message,
)

from domain.errors import Unfit
from domain.surrogates import cleaned

_KINDS = (HumanMessage, AIMessage, SystemMessage, ToolMessage)
MOST_MESSAGES = 2000
"""Most messages of one call: the whole of a conversation that its client keeps."""


def client_messages(messages: Sequence[Any]) -> list[AnyMessage]:
    """Return the messages with fresh ids, without anything that only the server may write.

    The user's content keeps its blocks; the others' becomes text. Tool calls are kept where all their results follow,
    and results where such a call precedes: a model endpoint refuses either alone.

    Raises:
        Unfit: A message is of no known form or kind, or nothing is left.
    """
    if len(messages) > MOST_MESSAGES:
        raise Unfit(f"there may be at most {MOST_MESSAGES:,} messages", f"messages 最多 {MOST_MESSAGES:,} 条")
    try:
        parsed = [message_chunk_to_message(message) for message in convert_to_messages(list(map(_plain, messages)))]
        for message in parsed:
            if type(message) not in _KINDS:
                kind = message.type
                raise Unfit(f"messages: none may be of the type {kind!r}", f"messages 中不能有类型为 {kind!r} 的消息")
        made = _rebuilt(parsed)
    except RecursionError as exc:
        raise Unfit("messages are nested too deeply", "messages 嵌套过深") from exc
    except Unfit:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, NotImplementedError) as exc:
        reason = (str(exc).splitlines() or ["not valid"])[0]
        raise Unfit(f"messages: {cleaned(reason)[:200]}", "messages 中有一条不是消息") from exc
    if not made:
        raise Unfit("messages hold nothing that can be answered", "messages 中没有可以回答的内容")
    return made


def _plain(message: Any) -> Any:
    """The message as clients should write it: pieces of a stream count as whole, and ids, which may be numbers, go."""
    if not isinstance(message, Mapping):
        return message
    plain = {name: value for name, value in message.items() if name != "id"}
    if str(kind := plain.get("type")).endswith("MessageChunk"):
        plain["type"] = {"AI": "ai", "Human": "human", "System": "system", "Tool": "tool"}.get(str(kind)[:-12], kind)
    return plain


def _rebuilt(messages: Sequence[BaseMessage]) -> list[AnyMessage]:
    made: list[AnyMessage] = []
    for place, message in enumerate(messages):
        if isinstance(message, HumanMessage):
            made.append(HumanMessage(cleaned(message.content), id=uuid.uuid4().hex))
        elif isinstance(message, SystemMessage):
            made.append(SystemMessage(_text(message), id=uuid.uuid4().hex))
        elif isinstance(message, AIMessage):
            made += _answer(message, messages[place + 1 :])
    return made


def _answer(message: AIMessage, following: Sequence[BaseMessage]) -> list[AnyMessage]:
    """An answer with its tool calls and their results; without calls, where a result is missing."""
    results: dict[str, str] = {}
    for other in following:
        if not isinstance(other, ToolMessage):
            break
        results.setdefault(other.tool_call_id, _text(other))
    calls = message.tool_calls if all(call["id"] in results for call in message.tool_calls) else []
    text = _text(message)
    if not text and not calls:
        return []
    kept = [ToolCall(name=cleaned(call["name"]), args=cleaned(call["args"]), id=cleaned(call["id"])) for call in calls]
    # Some models want to see again what they thought before they called a tool.
    thought = {name: cleaned(value) for name, value in message.additional_kwargs.items()
               if calls and name == "reasoning_content" and isinstance(value, str)}  # fmt: skip
    return [
        AIMessage(text, tool_calls=kept, additional_kwargs=thought, id=uuid.uuid4().hex),
        *(
            ToolMessage(results[str(call["id"])], tool_call_id=cleaned(str(call["id"])), id=uuid.uuid4().hex)
            for call in calls
        ),
    ]


def _text(message: BaseMessage) -> str:
    return cleaned(str(message.text))
