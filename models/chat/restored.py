"""Puts personal data that was masked in a request back into the answer's stream."""

from __future__ import annotations

from collections.abc import Hashable

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

from privacy.masking import Masker, StreamRestorer

REASONING = "reasoning_content"


class AnswerRestorer:
    """Restores content, reasoning and the arguments of each call, whatever a chunk cuts in two."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._streams: dict[Hashable, StreamRestorer] = {}

    def take(self, chunk: ChatGenerationChunk) -> ChatGenerationChunk:
        """Return a chunk with values in place of placeholders; the one with the finish reason brings what was held."""
        message = chunk.message
        assert isinstance(message, AIMessageChunk)
        last = bool((chunk.generation_info or {}).get("finish_reason"))
        thought = self._next(REASONING, str(message.additional_kwargs.get(REASONING) or ""), last=last)
        calls = []
        for call in message.tool_call_chunks:
            call["args"] = self._next(("call", call["index"]), call["args"] or "")
            calls.append(call)
        if last:
            calls += [
                tool_call_chunk(name=None, args=rest, id=None, index=key[1])
                for key, stream in self._streams.items()
                if isinstance(key, tuple) and (rest := stream.end())
            ]
        extra = {key: value for key, value in message.additional_kwargs.items() if key != REASONING}
        if thought:
            extra[REASONING] = thought
        content = self._next("content", str(message.content), last=last)
        changed = message.model_copy(update={"content": content, "tool_call_chunks": calls, "additional_kwargs": extra})
        return ChatGenerationChunk(message=changed, generation_info=chunk.generation_info)

    def _next(self, key: Hashable, piece: str, *, last: bool = False) -> str:
        if key not in self._streams:
            self._streams[key] = StreamRestorer(self._masker, in_json=isinstance(key, tuple))
        stream = self._streams[key]
        return stream.feed(piece) + (stream.end() if last else "")
