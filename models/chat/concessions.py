"""What an endpoint refuses of a request, and what it is asked instead: learned once, then remembered for an hour."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import openai

REMEMBERED_SECONDS = 3600.0
"""After so long an endpoint is asked in full again: its operator may have changed it."""
_LASTING = frozenset({401, 402, 403, 408, 409, 413, 429, 502, 503, 504})
"""Statuses that say nothing about the form of the request."""
_TOO_LONG = re.compile(r"context.{0,3}(length|window)|maximum context|too many tokens|prompt is too long", re.I)
_BROKEN_SCHEMA = re.compile(r"invalid schema|schema is (not|in)|invalid.{0,20}(parameters|name)", re.I)

Body = dict[str, Any]


class Concession(NamedTuple):
    """One thing to do without.

    Attributes:
        name: For the log.
        refused: What a refusal of it says.
        changed: Returns the body without it; the same object where there is nothing to change.
    """

    name: str
    refused: re.Pattern[str]
    changed: Callable[[Body], Body]


def _without(*names: str) -> Callable[[Body], Body]:
    def changed(body: Body) -> Body:
        return {key: value for key, value in body.items() if key not in names} if {*names} & {*body} else body

    return changed


def _renamed_length(body: Body) -> Body:
    pair = ("max_tokens", "max_completion_tokens")
    for name, other in (pair, pair[::-1]):
        if name in body:
            return {other if key == name else key: value for key, value in body.items()}
    return body


def _without_tools(body: Body) -> Body:
    """The body without tools: calls and results that are part of the conversation become text."""
    had_tools = any(message.get("tool_calls") or message["role"] == "tool" for message in body["messages"])
    if not had_tools and "tools" not in body:
        return body
    messages = [_told(message) for message in body["messages"]]
    return {**_without("tools", "tool_choice", "parallel_tool_calls")(body), "messages": messages}


def _told(message: Mapping[str, Any]) -> Body:
    if message["role"] == "tool":
        return {"role": "user", "content": message["content"]}
    calls = message.get("tool_calls") or ()
    text = "\n".join(f"{call['function']['name']}({call['function']['arguments']})" for call in calls)
    content = "\n".join(part for part in (message.get("content"), text) if part) if calls else message.get("content")
    return {key: value for key, value in message.items() if key != "tool_calls"} | {"content": content}


def _without_thoughts(body: Body) -> Body:
    messages = [_without("reasoning_content")(message) for message in body["messages"]]
    return {**body, "messages": messages} if messages != body["messages"] else body


def _schema_in_words(body: Body) -> Body:
    form = body.get("response_format") or {}
    if form.get("type") != "json_schema":
        return body
    schema = json.dumps(form.get("json_schema", {}).get("schema", {}), ensure_ascii=False)
    asked = {
        "role": "system",
        "content": f"Answer with one JSON object that fits this JSON schema, and nothing else: {schema}",
    }
    return {**body, "response_format": {"type": "json_object"}, "messages": _one_system([asked, *body["messages"]])}


def _one_system(messages: list[Body]) -> list[Body]:
    said = [str(message["content"]) for message in messages if message["role"] == "system"]
    rest = [message for message in messages if message["role"] != "system"]
    return [{"role": "system", "content": "\n\n".join(said)}, *rest] if said else messages


def _system_first(body: Body) -> Body:
    roles = [message["role"] for message in body["messages"]]
    return {**body, "messages": _one_system(body["messages"])} if "system" in roles[1:] else body


def _system_in_question(body: Body) -> Body:
    head, *rest = _one_system(body["messages"])
    place = next((place for place, message in enumerate(rest) if message["role"] == "user"), None)
    if head["role"] != "system" or place is None:
        return body
    rest[place] = {**rest[place], "content": f"{head['content']}\n\n{rest[place]['content']}"}
    return {**body, "messages": rest}


def _alternating(body: Body) -> Body:
    """Neighbours of one role as one message."""
    merged: list[Body] = []
    for message in body["messages"]:
        last = merged[-1] if merged else {}
        plain = not (message.get("tool_calls") or last.get("tool_calls") or message["role"] == "tool")
        if plain and message["role"] == last.get("role"):
            merged[-1] = {**last, "content": f"{last['content']}\n\n{message['content']}"}
        else:
            merged.append(message)
    return {**body, "messages": merged} if len(merged) < len(body["messages"]) else body


def _unstreamed(body: Body) -> Body:
    return {**_without("stream_options")(body), "stream": False} if body.get("stream") else body


_NO = (
    "(?=.*(support|permit|allow|recogni|unknown|unexpected|extra|enable|implement|available|requires"
    "|不支持|未知|不允许))"
)


def _refused(names: str) -> re.Pattern[str]:
    return re.compile(f"{_NO}.*({names})", re.S | re.I)


_LENGTH = re.compile("max_(completion_)?tokens")
CONCESSIONS = (
    Concession("stream_options", re.compile("stream_options"), _without("stream_options")),
    Concession("the name of the longest length", _LENGTH, _renamed_length),
    Concession("a longest length", _LENGTH, _without("max_tokens", "max_completion_tokens")),
    Concession("reasoning_content", re.compile("reasoning_content"), _without_thoughts),
    Concession("parallel_tool_calls", re.compile("parallel_tool_calls"), _without("parallel_tool_calls")),
    Concession("tool_choice", _refused("tool_choice"), _without("tool_choice")),
    Concession("tools", _refused(r"\btool|function.?call|\bfunctions\b"), _without_tools),
    Concession("a JSON schema", _refused("response_format|json_schema|structured.output|guided"), _schema_in_words),
    Concession("a stream", _refused(r"\bstream(ing)?\b"), _unstreamed),
    Concession("system messages in the middle", re.compile("system", re.I), _system_first),
    Concession("system messages", _refused("system (message|role|prompt)"), _system_in_question),
    Concession("two messages of one role", re.compile("alternat", re.I), _alternating),
)
"""In the order in which they are tried."""


class Concessions:
    """What one endpoint does without."""

    def __init__(self) -> None:
        self._made: dict[str, float] = {}

    def copy(self) -> Concessions:
        """Return what is known so far, for one request that is to teach nothing to others."""
        made = Concessions()
        made._made = dict(self._made)
        return made

    def adapted(self, body: Body) -> Body:
        """Return `body` as this endpoint takes it."""
        now = time.monotonic()
        self._made = {name: made for name, made in self._made.items() if now - made < REMEMBERED_SECONDS}
        for concession in CONCESSIONS:
            if concession.name in self._made:
                body = concession.changed(body)
        return body

    def learn(self, refusal: openai.APIError, body: Body) -> str:
        """Return what this endpoint is asked without from now on, because it refused `body`; empty for nothing."""
        text = f"{refusal.message} {json.dumps(refusal.body, ensure_ascii=False, default=str)}"
        if getattr(refusal, "status_code", 400) in _LASTING or _TOO_LONG.search(text) or _BROKEN_SCHEMA.search(text):
            return ""
        for concession in CONCESSIONS:
            unmade = concession.name not in self._made
            if unmade and concession.refused.search(text) and concession.changed(body) is not body:
                self._made[concession.name] = time.monotonic()
                return concession.name
        return ""
