"""Reads the chunks of one streamed answer, of any OpenAI-compatible server, into LangChain's."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from langchain_core.messages import AIMessageChunk, ToolCallChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk

from domain.surrogates import SurrogateJoiner
from domain.thinking import without_unopened
from models.chat.call_chunks import CallChunks
from models.chat.completion_stream import DONE
from models.chat.reasoning import ThinkTags, delta_reasoning
from models.chat.text_calls import TextCalls

_FINISH = {
    "max_tokens": "length", "max_output_tokens": "length", "MAX_TOKENS": "length", "model_length": "length",
    "tool_use": "tool_calls", "function_call": "tool_calls", "content_filtered": "content_filter",
    "SAFETY": "content_filter", "sensitive": "content_filter", "refusal": "stop",
}  # fmt: skip
"""Finish reasons of other protocols in OpenAI's words; what is not known is a plain end."""
_KNOWN = frozenset({"stop", "length", "tool_calls", "content_filter"})
_CONTROL = {number: None for number in range(32) if chr(number) not in "\t\n\r"}


class AnswerReader:
    """Takes raw chunks, gives chunks that follow one rule; one for each answer.

    Content is text without thinking, without tool calls and without control characters; thinking is
    `reasoning_content`; each tool call has an id, an index of its own and its name once. There is one finish reason,
    and usage comes once, at the end.

    Args:
        model: Named as the author where the answer names none.
        offered: Names of the tools that may be called.
        unopened: Whether the server ends thinking that it did not begin; None: not known.
    """

    def __init__(self, model: str, offered: Collection[str], *, unopened: bool | None = False) -> None:
        self._model, self._offered = model, frozenset(offered)
        self._tags, self._calls, self._text_calls = ThinkTags(unopened), CallChunks(), TextCalls(offered)
        self._content_halves, self._reasoning_halves = SurrogateJoiner(), SurrogateJoiner()
        self._usage: UsageMetadata | None = None
        self._finish = ""
        self._done = False
        self._said: list[str] = []
        self._thought: list[str] = []
        self._called = False
        self._ready: list[ChatGenerationChunk] = []

    @property
    def finished(self) -> bool:
        """Whether the server said that the answer is complete."""
        return bool(self._finish) or self._done

    @property
    def unopened(self) -> bool | None:
        """Whether the server ends thinking that it did not begin, after this answer."""
        return self._tags.unopened_end or bool(without_unopened("".join(self._said))[0])

    def take(self, chunk: Mapping[str, Any]) -> bool:
        """Take one chunk; return whether it says anything.

        Raises:
            TypeError: It is not what the protocol says.
        """
        if chunk is DONE:
            self._done = True
            return True
        self._model = chunk.get("model") or self._model
        self._usage = _usage(chunk.get("usage")) or self._usage
        choice = _first_choice(chunk)
        delta = _mapping(choice.get("delta") or choice.get("message"))
        content, reasoning = _content(delta), delta_reasoning(delta)
        calls = [*(delta.get("tool_calls") or ())]
        if delta.get("function_call"):
            calls.append({"index": 0, "function": delta["function_call"]})
        finish = str(choice.get("finish_reason") or "")
        self._finish = self._finish or finish
        self._add(content, reasoning, self._named(self._calls.feed(calls)), choice.get("logprobs"))
        return bool(content or reasoning or calls or finish)

    def ready(self) -> list[ChatGenerationChunk]:
        """Return what can be passed on."""
        ready, self._ready = self._ready, []
        return ready

    def end(self) -> Iterator[ChatGenerationChunk]:
        """Yield what was held back, then the finish reason and the usage."""
        thinking, content = self._tags.rest()
        shown, found = self._text_calls.rest_after(content)
        calls = [*self._named(self._calls.end()), *self._calls.feed([_raw(name, args) for name, args in found])]
        self._put(shown + self._content_halves.rest(), thinking + self._reasoning_halves.rest(), calls)
        thought = "".join(self._thought).strip()
        if thought and not self._called and not "".join(self._said).strip():
            self._put(thought, "", [])  # all that it wrote is marked as thinking: better than nothing
        finish = _FINISH.get(self._finish, self._finish if self._finish in _KNOWN else "stop")
        info = {"finish_reason": finish, "model_name": self._model}
        self._ready.append(ChatGenerationChunk(message=AIMessageChunk(content=""), generation_info=info))
        if self._usage:
            self._ready.append(ChatGenerationChunk(message=AIMessageChunk(content="", usage_metadata=self._usage)))
        yield from self.ready()

    def _named(self, calls: list[ToolCallChunk]) -> list[ToolCallChunk]:
        """The calls by the names that were offered: some models write `functions.f`, or a mark of theirs behind it."""
        for call in calls:
            name = (call["name"] or "").partition("<|")[0].strip()
            if name not in self._offered and (bare := name.rpartition(".")[2]) in self._offered:
                name = bare
            call["name"] = name or None
        return calls

    def _add(self, content: str, reasoning: str, calls: list[ToolCallChunk], logprobs: object) -> None:
        thinking, content = self._tags.feed(self._content_halves.feed(content))
        reasoning = self._reasoning_halves.feed(reasoning) + thinking
        self._put(self._text_calls.feed(content), reasoning, calls, logprobs)

    def _put(self, content: str, reasoning: str, calls: list[ToolCallChunk], logprobs: object = None) -> None:
        if not (content or reasoning or calls or logprobs):
            return
        content = content.translate(_CONTROL)
        self._said.append(content)
        self._thought.append(reasoning)
        self._called = self._called or bool(calls)
        message = AIMessageChunk(content=content, tool_call_chunks=calls)
        if reasoning:
            message.additional_kwargs["reasoning_content"] = reasoning
        info = {"logprobs": logprobs} if logprobs else None
        self._ready.append(ChatGenerationChunk(message=message, generation_info=info))


def _first_choice(chunk: Mapping[str, Any]) -> Mapping[str, Any]:
    """The choice with index 0, or without any; a request asks for one."""
    choices = [_mapping(choice) for choice in chunk.get("choices") or ()]
    return next((choice for choice in choices if not choice.get("index")), {})


def _content(delta: Mapping[str, Any]) -> str:
    content = delta.get("content")
    if isinstance(content, list):
        parts = (part for part in content if isinstance(part, Mapping))
        content = "".join(str(part.get("text") or "") for part in parts if part.get("type") in (None, "text"))
    return str(content or delta.get("refusal") or "")


def _usage(given: object) -> UsageMetadata | None:
    if not isinstance(given, Mapping):
        return None
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    sent, received, total = (int(count) if (count := str(given.get(name))).isdecimal() else 0 for name in names)
    if not (sent or received or total):
        return None
    return UsageMetadata(input_tokens=sent, output_tokens=received, total_tokens=total or sent + received)


def _mapping(value: object) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError("a part of the answer is no object")
    return value


def _raw(name: str, arguments: str) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments}}
