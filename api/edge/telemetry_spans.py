"""From the callbacks of one turn to its spans."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from opentelemetry import context as ambient
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context

from domain.errors import AppError

CONTENT_CHARS = 20_000
"""Most characters of one recorded text."""
_PARAMETERS = {
    "temperature": "temperature", "top_p": "top_p", "max_tokens": "max_tokens", "max_completion_tokens": "max_tokens",
    "seed": "seed", "stream": "stream",
}  # fmt: skip


def fail(span: Span, error: BaseException) -> None:
    """Mark a span as failed, by the code of the error alone: its text may hold content.

    A turn that was stopped is no failure.
    """
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        span.set_attribute("llmchat.stopped", True)
        return
    code = error.code if isinstance(error, AppError) else type(error).__name__
    span.set_attribute("error.type", code)
    span.set_status(Status(StatusCode.ERROR, code))


def present(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that have a value."""
    return {name: value for name, value in attributes.items() if value not in (None, "")}


class TurnHandler(AsyncCallbackHandler):
    """Turns the callbacks of one turn into spans.

    Args:
        tracer: Makes the spans.
        root: The span of the turn; ended by `close`.
        content: Record what was written.
    """

    run_inline = True
    """In the task that calls: what a node starts then finds its span as the current one."""

    def __init__(self, tracer: Tracer, root: Span, *, content: bool) -> None:
        self._tracer, self._root, self._content = tracer, root, content
        self._spans: dict[UUID, Span] = {}
        self._own: dict[UUID, float] = {}
        self._tasks: dict[UUID, str | None] = {}
        self._used = [0, 0]

    def close(self) -> None:
        """End the turn's span, and those that were left open."""
        for run_id in list(self._own):
            self._end(run_id)
        self._root.set_attribute("gen_ai.usage.input_tokens", self._used[0])
        self._root.set_attribute("gen_ai.usage.output_tokens", self._used[1])
        self._root.end()

    async def on_chain_start(
        self, serialized: dict[str, Any], inputs: dict[str, Any], *, run_id: UUID, parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        """Begin the span of a node; other runnables share that of their parent, as does a graph named like its node."""
        name, parent = kwargs.get("name"), self._parent(parent_run_id)
        task = (metadata or {}).get("langgraph_checkpoint_ns")
        inside = parent_run_id is not None and task is not None and self._tasks.get(parent_run_id) == task
        self._tasks[run_id] = task
        if parent_run_id is None or inside or name != (metadata or {}).get("langgraph_node"):
            self._spans[run_id] = parent
        else:
            attributes = {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": name}
            attributes |= {"langgraph.step": (metadata or {}).get("langgraph_step")}
            self._begin(run_id, parent, f"node {name}", attributes)
        ambient.attach(set_span_in_context(self._spans[run_id]))

    async def on_chain_end(self, outputs: dict[str, Any], *, run_id: UUID, **kwargs: Any) -> None:
        """End the span of a node."""
        self._end(run_id)

    async def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """End the span of a node that failed."""
        self._end(run_id, error)

    async def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[BaseMessage]], *, run_id: UUID,
        parent_run_id: UUID | None = None, metadata: dict[str, Any] | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        """Begin the span of a model call."""
        given, known = kwargs.get("invocation_params") or {}, metadata or {}
        model = known.get("ls_model_name") or given.get("model") or given.get("model_name") or given.get("_type")
        provider = known.get("ls_provider") or given.get("_type") or "unknown"
        attributes = {
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": provider, "gen_ai.system": provider,
            "gen_ai.request.model": model,
        }  # fmt: skip
        attributes |= {f"gen_ai.request.{to}": given.get(name) for name, to in _PARAMETERS.items() if name in given}
        span = self._begin(run_id, self._parent(parent_run_id), f"chat {model}", attributes, SpanKind.CLIENT)
        if self._content:
            span.set_attribute("gen_ai.input.messages", _messages(messages[0]))

    async def on_llm_new_token(self, token: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Note when the first token came."""
        span, began = self._spans.get(run_id), self._own.get(run_id)
        if span is not None and began:
            self._own[run_id] = 0.0
            span.set_attribute("gen_ai.response.time_to_first_chunk", time.perf_counter() - began)

    async def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """End the span of a model call with what it used."""
        span = self._spans.get(run_id)
        generation = response.generations[0][0] if response.generations and response.generations[0] else None
        if span is not None and isinstance(generation, ChatGeneration):
            self._answered(span, generation)
        self._end(run_id)

    async def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """End the span of a model call that failed."""
        self._end(run_id, error)

    def _answered(self, span: Span, generation: ChatGeneration) -> None:
        message = generation.message
        told = {**(generation.generation_info or {}), **message.response_metadata}
        used = getattr(message, "usage_metadata", None) or {}
        self._used[0] += used.get("input_tokens", 0)
        self._used[1] += used.get("output_tokens", 0)
        reason = told.get("finish_reason")
        span.set_attributes(present({
            "gen_ai.response.model": told.get("model_name"), "gen_ai.response.id": told.get("id") or message.id,
            "gen_ai.response.finish_reasons": [reason] if reason else None,
            "gen_ai.usage.input_tokens": used.get("input_tokens"),
            "gen_ai.usage.output_tokens": used.get("output_tokens"),
        }))  # fmt: skip
        if self._content:
            span.set_attribute("gen_ai.output.messages", _messages([message], reason))

    def _parent(self, run_id: UUID | None) -> Span:
        return self._spans.get(run_id, self._root) if run_id else self._root

    def _begin(
        self, run_id: UUID, parent: Span, name: str, attributes: Mapping[str, Any], kind: SpanKind = SpanKind.INTERNAL
    ) -> Span:
        span = self._tracer.start_span(
            name, context=set_span_in_context(parent), kind=kind, attributes=present(attributes)
        )
        self._spans[run_id], self._own[run_id] = span, time.perf_counter()
        return span

    def _end(self, run_id: UUID, error: BaseException | None = None) -> None:
        span = self._spans.get(run_id)
        if span is None or self._own.pop(run_id, None) is None:
            return
        if error is not None:
            fail(span, error)
        span.end()


def _messages(messages: Sequence[BaseMessage], reason: str | None = None) -> str:
    """Messages as the conventions want them: roles and parts."""
    roles = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant"}
    told: list[dict[str, Any]] = []
    for message in messages:
        parts: list[dict[str, Any]] = [{"type": "text", "content": str(message.text)[:CONTENT_CHARS]}]
        parts += [
            {"type": "tool_call", "id": call["id"], "name": call["name"], "arguments": call["args"]}
            for call in getattr(message, "tool_calls", ())
        ]
        told.append({"role": roles.get(message.type, message.type), "parts": parts})
        if reason:
            told[-1]["finish_reason"] = reason
    return json.dumps(told, ensure_ascii=False, default=str)
