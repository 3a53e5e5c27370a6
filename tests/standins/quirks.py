"""What OpenAI-compatible servers are known to send instead of the protocol, as bytes, and what is meant by it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ANSWER = "The answer is Lima 42."
WORDS = ["The ", "answer ", "is ", "Lima ", "42."]
SUM = '{"expression": "2+3"}'
SECOND = '{"expression": "7*6"}'


@dataclass(frozen=True)
class Quirk:
    """A body of an answer, and what a reader is to make of it.

    Attributes:
        body: As it comes over the wire.
        text: The answer.
        reasoning: What is kept apart as thinking.
        calls: Names and arguments of the tool calls; None as arguments where they are to be refused.
        finish: The finish reason.
        media_type: Content type of the body.
    """

    body: bytes
    text: str = ANSWER
    reasoning: str = ""
    calls: Sequence[tuple[str, Mapping[str, Any] | None]] = ()
    finish: str = "stop"
    media_type: str = "text/event-stream"


Chunk = dict[str, Any]


def chunk(delta: object, finish: str | None = None, **more: Any) -> Chunk:
    """Return one chunk of a stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}


def words(change: Callable[[Chunk], Chunk] = lambda it: it, finish: str | None = "stop") -> list[Chunk]:
    """Return the chunks of a plain answer, each of them changed."""
    deltas = [{"role": "assistant", "content": ""}, *({"content": word} for word in WORDS)]
    return [*(change(chunk(delta)) for delta in deltas), change(chunk({}, finish))]


def stream(*chunks: Chunk | str, done: bool = True, end: str = "\n\n") -> bytes:
    """Return chunks as Server-Sent Events."""
    events = [f"data: {it if isinstance(it, str) else json.dumps(it)}{end}" for it in chunks]
    return "".join([*events, f"data: [DONE]{end}" if done else ""]).encode()


def called(*parts: object, finish: str = "tool_calls") -> bytes:
    """Return an answer whose deltas hold these lists of tool calls."""
    deltas = [chunk({"role": "assistant", "content": None}), *(chunk({"tool_calls": part}) for part in parts)]
    return stream(*deltas, chunk({}, finish))


def call(arguments: object = SUM, call_id: str | None = "c1", index: int | None = 0, **function: Any) -> Chunk:
    """Return one tool call of a delta; None leaves id or index out."""
    given = {"index": index, "id": call_id}
    named = {"name": "calculate", "arguments": arguments, **function}
    return {**{key: value for key, value in given.items() if value is not None}, "type": "function", "function": named}


def _thinking(begin: str, end: str) -> Quirk:
    first = chunk({"content": f"{begin}hidden plan{end}"})
    return Quirk(stream(first, *words()[1:]), reasoning="hidden plan")


def _in_text(text: str) -> Quirk:
    return Quirk(stream(chunk({"content": text}), chunk({}, "stop")), "", calls=[ONE], finish="stop")


def _choice(**change: Any) -> Callable[[Chunk], Chunk]:
    return lambda it: {**it, "choices": [{**it["choices"][0], **change}]}


def _more_delta(**more: Any) -> Callable[[Chunk], Chunk]:
    return lambda it: _choice(delta={**more, **it["choices"][0]["delta"]})(it)


ONE = ("calculate", {"expression": "2+3"})
TWO = [ONE, ("calculate", {"expression": "7*6"})]
NOW: list[tuple[str, dict[str, Any]]] = [("current_time", {})]
WHOLE = {"id": "x", "object": "chat.completion", "model": "m",
         "choices": [{"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}],
         "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}  # fmt: skip
_OTHER = {"index": 1, "delta": {"content": "ZZZ"}, "finish_reason": None}
_PLAIN = stream(*words())
QUIRKS: dict[str, Quirk] = {
    # How the answer is framed
    "no finish reason": Quirk(stream(*words()[:-1])),
    "no [DONE]": Quirk(stream(*words(), done=False)),
    "comments": Quirk(b": OPENROUTER PROCESSING\n\n" + _PLAIN.replace(b"\n\n", b"\n\n: ping\n\n")),
    "a comment inside an event": Quirk(_PLAIN.replace(b'data: {"id"', b'data: {\n: ping\ndata: "id"')),
    "CRLF": Quirk(stream(*words(), end="\r\n\r\n")),
    "CR": Quirk(stream(*words(), end="\r\r")),
    "no blank lines": Quirk(stream(*words(), end="\n")),
    "no space behind data:": Quirk(_PLAIN.replace(b"data: ", b"data:")),
    "event and id lines": Quirk(_PLAIN.replace(b"data: {", b"event: message\nid: 1\ndata: {")),
    "a ping event": Quirk(b"event: ping\ndata: {}\n\n" + _PLAIN),
    "an empty event": Quirk(b"data: \n\n" + _PLAIN),
    "a keep-alive in words": Quirk(b"data: keep-alive\n\n" + _PLAIN),
    "JSON instead of a stream": Quirk(json.dumps(WHOLE).encode(), media_type="application/json"),
    "a byte order mark": Quirk(b"\xef\xbb\xbf" + _PLAIN),
    "JSON behind a byte order mark": Quirk(b"\xef\xbb\xbf" + json.dumps(WHOLE).encode(), media_type="application/json"),
    "JSON over several lines": Quirk(json.dumps(WHOLE, indent=1).encode(), media_type="application/json"),
    "JSON lines": Quirk("\n".join(json.dumps(it) for it in words()).encode(), media_type="application/x-ndjson"),
    "an event over several lines": Quirk(
        stream(*(json.dumps(it, indent=1).replace("\n", "\ndata: ") for it in words()))
    ),
    "a message instead of a delta": Quirk(stream(WHOLE)),
    "no choices at first": Quirk(stream({"choices": [], "prompt_filter_results": []}, *words())),
    "choices null": Quirk(stream({"id": "x", "choices": None}, *words())),
    "delta null": Quirk(stream(*words(), {"choices": [{"index": 0, "delta": None, "finish_reason": "stop"}]})),
    "content null": Quirk(stream(*words(_more_delta(content=None)))),
    "no index": Quirk(
        stream(*({**it, "choices": [{k: v for k, v in it["choices"][0].items() if k != "index"}]} for it in words()))
    ),
    "no role": Quirk(stream(*words()[1:])),
    "two choices": Quirk(stream(*words(lambda it: {**it, "choices": [*it["choices"], _OTHER]}))),
    "the second choice first": Quirk(stream(*words(lambda it: {**it, "choices": [_OTHER, *it["choices"]]}))),
    # Why it ended, and what it cost
    "finish reason of another protocol": Quirk(stream(*words(finish="eos_token"))),
    "finish reason of Anthropic": Quirk(stream(*words(finish="max_tokens")), finish="length"),
    "finish reason empty": Quirk(stream(*words(_choice(finish_reason="")), chunk({}, "stop"))),
    "finish reason in every chunk": Quirk(stream(*words(_choice(finish_reason="stop")))),
    "usage null": Quirk(stream(*words(lambda it: {**it, "usage": None}))),
    "usage in part": Quirk(stream(*words(), {"choices": [], "usage": {"total_tokens": 7}})),
    "usage as text": Quirk(
        stream(*words(), {"choices": [], "usage": {"prompt_tokens": "5", "completion_tokens": None}})
    ),
    "usage of no kind": Quirk(stream(*words(), {"choices": [], "usage": {"prompt_tokens": {}, "total_tokens": 1.5}})),
    "cut by its filter": Quirk(stream(*words(finish="content_filter")), finish="content_filter"),
    "cut by its length": Quirk(stream(*words(finish="length")), finish="length"),
    "a refusal": Quirk(
        stream(chunk({"content": None, "refusal": "I cannot help with that."}), chunk({}, "stop")),
        "I cannot help with that.",
    ),
    # Characters
    "invalid UTF-8": Quirk(
        b'data: {"choices":[{"index":0,"delta":{"content":"ok \xff end"}}]}\n\n' + stream(chunk({}, "stop")),
        "ok \ufffd end",
    ),
    "half a character": Quirk(
        stream(r'{"choices":[{"delta":{"content":"half \ud83d"}}]}', chunk({}, "stop")), "half \ufffd"
    ),
    "half a character, then more": Quirk(
        stream(r'{"choices":[{"delta":{"content":"half \ud83d"}}]}', chunk({"content": " x"}, "stop")), "half \ufffd x"
    ),
    "a character in two halves": Quirk(
        stream(
            r'{"choices":[{"delta":{"content":"nice \ud83d"}}]}',
            r'{"choices":[{"delta":{"content":"\ude00 day"},"finish_reason":"stop"}]}',
        ),
        "nice \U0001f600 day",
    ),
    "control characters": Quirk(stream(chunk({"content": "The\x00 answer\x08 is Lima 42."}), chunk({}, "stop"))),
    "a raw line break in a text": Quirk(
        b'data: {"choices":[{"delta":{"content":"a\tb"},"finish_reason":"stop"}]}\n\n', "a\tb"
    ),
    # Thinking
    "only the end of thinking": Quirk(
        stream(
            chunk({"content": "Okay, the user wants the capital. "}),
            chunk({"content": "I must not show this.\n</think>\n\n"}),
            *words()[1:],
        ),
        reasoning="Okay, the user wants the capital. I must not show this.\n",
    ),
    "thinking never closed": Quirk(
        stream(chunk({"content": f"<think>\n{ANSWER}"}), chunk({}, "stop")), reasoning=ANSWER
    ),
    "an answer in the reasoning": Quirk(
        stream(chunk({"reasoning_content": ANSWER}), chunk({}, "stop")), reasoning=ANSWER
    ),
    "reasoning_details": Quirk(
        stream(
            chunk({"reasoning_details": [{"type": "reasoning.text", "text": "hidden plan"}], "content": ""}), *words()
        ),
        reasoning="hidden plan",
    ),
    "content as blocks": Quirk(
        stream(
            chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hidden plan"}]}]}),
            chunk({"content": [{"type": "text", "text": ANSWER}]}),
            chunk({}, "stop"),
        ),
        reasoning="hidden plan",
    ),
    **{
        f"thinking in {begin}": _thinking(begin, end)
        for begin, end in (
            ("<think>\n", "\n</think>\n\n"),
            ("[THINK]", "[/THINK]"),
            ("<thinking>", "</thinking>"),
            ("◁think▷", "◁/think▷"),
            ("<seed:think>", "</seed:think>"),
            ("<reasoning>", "</reasoning>"),
            ("<thought>", "</thought>"),
            ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
        )
    },
    # Tool calls
    "a call": Quirk(called([call()]), "", calls=[ONE], finish="tool_calls"),
    "a call without id": Quirk(called([call(call_id=None)]), "", calls=[ONE], finish="tool_calls"),
    "a call with an empty id": Quirk(called([call(call_id="")]), "", calls=[ONE], finish="tool_calls"),
    "calls without ids": Quirk(called([call(call_id=None), call(SECOND, None, 1)]), "", calls=TWO, finish="tool_calls"),
    "calls with empty ids": Quirk(
        called([call(call_id="")], [call(SECOND, "", 1)]), "", calls=TWO, finish="tool_calls"
    ),
    "calls of one id": Quirk(called([call()], [call(SECOND, "c1", 1)]), "", calls=TWO, finish="tool_calls"),
    "calls without index": Quirk(
        called([call(index=None)], [call(SECOND, "c2", None)]), "", calls=TWO, finish="tool_calls"
    ),
    "calls of one index": Quirk(called([call()], [call(SECOND, "c2", 0)]), "", calls=TWO, finish="tool_calls"),
    "calls of one index without ids": Quirk(
        called([call(call_id=None)], [call(SECOND, None, 0)]), "", calls=TWO, finish="tool_calls"
    ),
    "arguments as an object": Quirk(called([call({"expression": "2+3"})]), "", calls=[ONE], finish="tool_calls"),
    "arguments as JSON in JSON": Quirk(called([call(json.dumps(SUM))]), "", calls=[ONE], finish="tool_calls"),
    "arguments repeated from the start": Quirk(
        called([call(SUM[:6])], [call(SUM[:14])], [call(SUM)], [call(SUM)]), "", calls=[ONE], finish="tool_calls"
    ),
    "arguments as a list": Quirk(called([call("[1, 2]")]), "", calls=[("calculate", None)], finish="tool_calls"),
    "arguments cut short": Quirk(
        called([call('{"expression": "12*3')], finish="length"), "", calls=[("calculate", None)], finish="length"
    ),
    "arguments empty": Quirk(called([call("", name="current_time")]), "", calls=NOW, finish="tool_calls"),
    "arguments null": Quirk(called([call(None, name="current_time")]), "", calls=NOW, finish="tool_calls"),
    "no arguments": Quirk(
        called([{"index": 0, "id": "c1", "function": {"name": "current_time"}}]), "", calls=NOW, finish="tool_calls"
    ),
    "the name in every chunk": Quirk(called([call(SUM[:6])], [call(SUM[6:])]), "", calls=[ONE], finish="tool_calls"),
    "the name in every chunk, once the id": Quirk(
        called([call(SUM[:6])], [call(SUM[6:], None)]), "", calls=[ONE], finish="tool_calls"
    ),
    "the name in two pieces": Quirk(
        called([call("", name="calc")], [call("", None, name="ulate")], [call(SUM, None, name=None)]),
        "",
        calls=[ONE],
        finish="tool_calls",
    ),
    "name null later": Quirk(called([call("")], [call(SUM, "", name=None)]), "", calls=[ONE], finish="tool_calls"),
    "name empty later": Quirk(called([call("")], [call(SUM, "", name="")]), "", calls=[ONE], finish="tool_calls"),
    "no type": Quirk(
        called([{"index": 0, "id": "c1", "function": {"name": "calculate", "arguments": SUM}}]),
        "",
        calls=[ONE],
        finish="tool_calls",
    ),
    "a name with its namespace": Quirk(
        called([call(name="functions.calculate")]), "", calls=[ONE], finish="tool_calls"
    ),
    "a name with a mark behind it": Quirk(
        called([call(name="calculate<|channel|>commentary")]), "", calls=[ONE], finish="tool_calls"
    ),
    "a call that ends with stop": Quirk(called([call()], finish="stop"), "", calls=[ONE], finish="stop"),
    "function_call": Quirk(
        stream(
            chunk({"content": None, "function_call": {"name": "calculate", "arguments": SUM}}),
            chunk({}, "function_call"),
        ),
        "",
        calls=[ONE],
        finish="tool_calls",
    ),
    "text and a call": Quirk(
        stream(chunk({"content": "Let me compute. "}), chunk({"tool_calls": [call()]}), chunk({}, "tool_calls")),
        "Let me compute. ",
        calls=[ONE],
        finish="tool_calls",
    ),
    "an empty list of calls": Quirk(stream(*words(_more_delta(tool_calls=[])))),
    "calls null": Quirk(stream(*words(_more_delta(tool_calls=None, function_call=None)))),
    "a call in the text, of Hermes": _in_text(
        f'<tool_call>\n{{"name": "calculate", "arguments": {SUM}}}\n</tool_call>'
    ),
    "a call in the text, of Qwen-Coder": _in_text(
        "<tool_call>\n<function=calculate>\n<parameter=expression>\n2+3\n</parameter>\n</function>\n</tool_call>"
    ),
    "a call in the text, of Llama": _in_text(f'{{"name": "calculate", "parameters": {SUM}}}'),
    "a call in the text, of Mistral": _in_text(f'[TOOL_CALLS][{{"name": "calculate", "arguments": {SUM}}}]'),
    "a call in the text, of newer Mistral": _in_text(f"[TOOL_CALLS]calculate[ARGS]{SUM}"),
    "a call in the text, of Kimi": _in_text(
        f"<|tool_calls_section_begin|><|tool_call_begin|>functions.calculate:0<|tool_call_argument_begin|>{SUM}<|tool_call_end|>"
    ),
    "a call in the text, of DeepSeek": _in_text(
        f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>calculate\n```json\n{SUM}\n```<｜tool▁call▁end｜>"
    ),
    "speaking of a mark of calls": Quirk(
        stream(chunk({"content": "Hermes writes <tool_call> first."}), chunk({}, "stop")),
        "Hermes writes <tool_call> first.",
    ),
    "JSON as an answer": Quirk(
        stream(chunk({"content": '{"name": "Mei", "age": 7}'}), chunk({}, "stop")), '{"name": "Mei", "age": 7}'
    ),
}
"""By what is odd about them."""
