"""From the events of a run to the items and events of a response."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from langchain_core.messages import AIMessage

from api.edge.responses import json_bytes
from api.openai.response_bodies import ResponseBody
from api.openai.wire import address, arguments, openai_error
from api.runs.progress import ANSWERING_NODE, begins_answer
from api.schemas import Answer
from domain.runs import RESTS, Event, is_takeover
from domain.types import Usage

Item = dict[str, Any]


class ResponseWriter:
    """Writes one response: its items grow with the events of the run, and each step is an event of the protocol.

    Args:
        run_id: The turn.
        thread_id: Its thread.
        body: What was asked for.
        base_url: Where the server is reached, for the addresses of cited documents.
        created: When it was asked for, in seconds since 1970; None for now.
        after: Number of the event up to which the reader has them: these are empty.
    """

    def __init__(
        self,
        run_id: str,
        thread_id: str,
        body: ResponseBody,
        base_url: str,
        created: int | None = None,
        after: int = -1,
    ) -> None:
        self._run_id, self._thread_id, self._body, self._base_url = run_id, thread_id, body, base_url
        self._number, self._after = 0, after
        self._open: Item | None = None
        self._message: Item | None = None
        """The text of the newest call of the model."""
        self._items: list[Item] = []
        self._own_call = False
        """Whether the call that the model writes is the caller's to answer."""
        self._cut = self._writes = False
        self._created = int(time.time()) if created is None else created
        self.id = f"resp_{run_id}"
        self.final: dict[str, Any] = {}

    def start(self) -> Iterator[bytes]:
        """Yield the events that begin every stream."""
        for name in ("response.created", "response.in_progress"):
            yield self._event(name, response=self.response("in_progress"))

    def take(self, event: Event, last: AIMessage | None = None) -> Iterator[bytes]:
        """Yield what an event of the run means; with one that ends it, `final` is the response.

        Args:
            event: The event.
            last: What the model said last, where the run ends and that is known.
        """
        if event.name == "error":
            error = event.data["error"]
            found = {**openai_error(error), "message": error["message"]}
            self.final = {**self.response("failed"), "error": found}
            yield self._event("response.failed", response=self.final)
        elif event.name in RESTS:
            yield from self._end(event.data, last)
        else:
            yield from self._grown(event)

    def _grown(self, event: Event) -> Iterator[bytes]:
        if event.name in ("node", "run"):
            yield from self._turned(event)
        elif event.name == "token":
            yield from self._grow("message", "output_text", event.data["text"])
        elif event.name == "reasoning":
            yield from self._grow("reasoning", "reasoning_text", event.data["text"])
        elif event.name == "call":
            self._own_call = self._body.is_callers(event.data["name"]) if event.data["name"] else self._own_call
            if self._own_call:
                yield from self._call(event.data)
        elif event.name == "warning":
            self._cut = self._cut or event.data["code"] == "answer_cut"

    def _turned(self, event: Event) -> Iterator[bytes]:
        """Close the item that the model writes where a call of it begins, or begins again on another server."""
        if is_takeover(event) and self._writes and self._open is not None and "content" in self._open:
            self._open["content"][0]["text"] = ""  # is said again, in an item of its own
        if begins_answer(event):
            yield from self._close()
            self._message = None
        if event.name == "node" and event.data["name"] == ANSWERING_NODE:
            self._writes = event.data["state"] == "start"

    def whole(self, answer: Answer, last: AIMessage | None, reasoning: str) -> dict[str, Any]:
        """Return the response of a run that is over, whose events were not taken."""
        if reasoning:
            list(self._grow("reasoning", "reasoning_text", reasoning))
        list(self._end(answer, last))
        return self.final

    def response(self, status: str, *, answer: Answer | None = None, reason: str = "") -> dict[str, Any]:
        """Return the response as it stands."""
        body, form = self._body, self._body.text.format.model_dump(by_alias=True, exclude_none=True)
        extra = {key: answer[key] for key in ("citations", "attachments", "warnings")} if answer else {}
        return {
            "id": self.id, "object": "response", "created_at": self._created, "status": status,
            "completed_at": self._created + round(answer["spent"]["seconds"]) if answer else None, "error": None,
            "incomplete_details": {"reason": reason} if reason else None, "background": body.background,
            "instructions": body.instructions or None, "max_output_tokens": body.max_output_tokens,
            "model": (answer and answer["usage"]["model"]) or body.model, "output": self._items,
            "parallel_tool_calls": body.parallel_tool_calls is not False,
            "previous_response_id": body.previous_response_id,
            "reasoning": {"effort": body.reasoning.effort, "summary": None}, "store": body.store,
            "temperature": body.temperature, "top_p": body.top_p, "text": {"format": form},
            "tool_choice": body.tool_choice or "auto",
            "tools": [tool.model_dump(exclude_none=True) for tool in body.tools],
            "truncation": "disabled", "usage": _counts(answer["usage"]) if answer else None, "user": body.user or None,
            "metadata": body.metadata.model_dump(exclude_none=True), "session_id": self._thread_id, **extra,
        }  # fmt: skip

    def _end(self, answer: Answer, last: AIMessage | None) -> Iterator[bytes]:
        yield from self._finish(answer, last)
        status, reason = self._status(answer, last)
        self.final = self.response(status, answer=answer, reason=reason)
        name = "incomplete" if status == "cancelled" else status  # the protocol has no event of its own for that
        yield self._event(f"response.{name}", response=self.final)

    def _grow(self, kind: str, part: str, text: str) -> Iterator[bytes]:
        """Add text to the open item of this kind; another kind is closed first."""
        if self._open is None or self._open["type"] != kind:
            yield from self._close()
            prefix = "msg" if kind == "message" else "rs"
            item: Item = {"id": self._name(prefix), "type": kind, "status": "in_progress", "content": []}
            own: Item = {"role": "assistant"} if kind == "message" else {"summary": []}
            item.update(own)
            yield from self._add(item)
            if kind == "message":
                self._message = item
            more: Item = {"annotations": [], "logprobs": []} if kind == "message" else {}
            item["content"].append({"type": part, "text": "", **more})
            yield self._event(
                "response.content_part.added", content_index=0, part=item["content"][0], **self._place(item)
            )
        assert self._open is not None
        self._open["content"][0]["text"] += text
        name = f"response.{part}.delta"
        yield self._event(name, content_index=0, delta=text, logprobs=[], **self._place(self._open))

    def _call(self, data: Mapping[str, Any]) -> Iterator[bytes]:
        if data["name"]:
            yield from self._close()
            item: Item = {"id": self._name("fc"), "type": "function_call", "status": "in_progress",
                          "call_id": data["id"], "name": data["name"], "arguments": ""}  # fmt: skip
            yield from self._add(item)
        if self._open is not None and self._open["type"] == "function_call" and data["args"]:
            self._open["arguments"] += data["args"]
            name = "response.function_call_arguments.delta"
            yield self._event(name, delta=data["args"], **self._place(self._open))

    def _finish(self, answer: Answer, last: AIMessage | None) -> Iterator[bytes]:
        """Bring the items to what the turn came to: the checked text with its citations, and the calls."""
        calls = last.tool_calls if last is not None else []
        if self._message is None and (answer["answer"] or not calls):
            yield from self._grow("message", "output_text", answer["answer"])
        if self._message is not None:
            part, place = self._message["content"][0], self._place(self._message)
            part["text"] = answer["answer"]
            for number, citation in enumerate(answer["citations"]):
                annotation = _annotation(citation, number, self._base_url)
                part["annotations"].append(annotation)
                kind = "response.output_text.annotation.added"
                yield self._event(kind, annotation=annotation, annotation_index=number, content_index=0, **place)
        told = {item["call_id"] for item in self._items if item["type"] == "function_call"}
        for call in calls:
            if call["id"] not in told:
                yield from self._call({"name": call["name"], "id": call["id"], "args": arguments(call["args"])})
        yield from self._close()

    def _add(self, item: Item) -> Iterator[bytes]:
        self._items.append(item)
        self._open = item
        yield self._event("response.output_item.added", output_index=len(self._items) - 1, item=item)

    def _close(self) -> Iterator[bytes]:
        """End the open item."""
        item, self._open = self._open, None
        if item is None:
            return
        place = self._place(item)
        if item["type"] == "function_call":
            yield self._event(
                "response.function_call_arguments.done", arguments=item["arguments"], name=item["name"], **place
            )
        else:
            part = item["content"][0]
            yield self._event(f"response.{part['type']}.done", content_index=0, text=part["text"], logprobs=[], **place)
            yield self._event("response.content_part.done", content_index=0, part=part, **place)
        item["status"] = "completed"
        yield self._event("response.output_item.done", output_index=place["output_index"], item=item)

    def _place(self, item: Item) -> dict[str, Any]:
        return {"item_id": item["id"], "output_index": self._items.index(item)}

    def _name(self, prefix: str) -> str:
        return f"{prefix}_{self._run_id}_{len(self._items)}"

    def _status(self, answer: Answer, last: AIMessage | None) -> tuple[str, str]:
        """Return the status of a response, and why it is not complete."""
        if answer["state"] != "done":
            return "cancelled" if self._body.background and answer["state"] != "waiting" else "incomplete", ""
        reason = last.response_metadata.get("finish_reason") if last is not None else None
        if self._cut or reason in ("length", "content_filter"):
            return "incomplete", "content_filter" if reason == "content_filter" else "max_output_tokens"
        return "completed", ""

    def _event(self, kind: str, /, **data: Any) -> bytes:
        number, self._number = self._number, self._number + 1
        if number <= self._after:
            return b""
        body = json_bytes({"type": kind, "sequence_number": number, **data})
        return f"event: {kind}\ndata: ".encode() + body + b"\n\n"


def _counts(usage: Usage) -> dict[str, Any]:
    sent, received = usage["input_tokens"], usage["output_tokens"]
    return {
        "input_tokens": sent, "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": received, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": sent + received,
    }  # fmt: skip


def _annotation(citation: Any, number: int, base_url: str) -> dict[str, Any]:
    if citation.get("document_id"):
        return {
            "type": "file_citation",
            "file_id": citation["document_id"],
            "filename": citation["name"],
            "index": number,
        }
    return {"type": "url_citation", "url": address(citation, base_url), "title": citation["name"],
            "start_index": 0, "end_index": 0}  # fmt: skip
