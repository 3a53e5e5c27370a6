"""A GGUF language model of the operator's choice as a LangChain chat model.

llama.cpp does not enforce the `tools` of a request, but it does enforce a JSON schema. So a call with tools is two
requests: the first is forced to name a tool with its arguments, or `answer`; the second, for `answer`, streams text.
Small models imitate what they see: no call is ever shown to them as JSON, the same call is not made twice, and an
answer that is nothing but a call is asked for again, in words.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.outputs import ChatGenerationChunk
from pydantic import ConfigDict, PrivateAttr

from domain.words import Words
from models.chat.interface import Chat
from models.chat.llama import ChatMessage, LlamaEngine, Piece
from models.chat.streaming_chat import InProcessChat, call_chunk, last_chunk
from settings import Settings

ANSWER = "answer"
CHOICE_TOKENS = 300
TOOL_PROMPT = (
    "You may call one tool before answering. Tools:\n{tools}\n"
    'Reply with one JSON object: {{"tool": name, "arguments": {{...}}}}, or {{"tool": "answer"}} if none is needed.'
)
IN_WORDS = "Now answer my question in words, in its language. Do not call a tool."
CALL_KEYS = frozenset({"tool", "name", "arguments", "parameters"})


@dataclass(frozen=True, slots=True)
class Choice:
    """The tools of a request, and whether one of them must be called."""

    tools: list[dict[str, Any]]
    required: bool

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema that a choice among the tools must fit."""
        options = [
            _object({"tool": {"const": tool["name"]}, "arguments": tool.get("parameters") or {"type": "object"}})
            for tool in self.tools
        ]
        return {"anyOf": options if self.required else [*options, _object({"tool": {"const": ANSWER}})]}

    def prompt(self) -> str:
        """Describe the tools to the model."""
        lines = [f"- {tool['name']}: {tool.get('description', '')}" for tool in self.tools]
        return TOOL_PROMPT.format(tools="\n".join(lines))


class GgufChat(InProcessChat):
    """A model in a GGUF file. Generates in a process of its own; a cancelled call stops at the next token."""

    model_config = ConfigDict(arbitrary_types_allowed=True, protected_namespaces=())

    model_name: str
    max_tokens: int
    extra_body: dict[str, Any]
    _engine: LlamaEngine = PrivateAttr()

    def __init__(self, engine: LlamaEngine, *, max_tokens: int, extra_body: dict[str, Any]) -> None:
        super().__init__(model_name=engine.path.stem, max_tokens=max_tokens, extra_body=extra_body)
        self._engine = engine

    @property
    def _llm_type(self) -> str:
        return "gguf"

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        used: list[Piece] = []
        choice = choice_of(kwargs)
        call = await self._choose(messages, choice, used) if choice else None
        if call is not None:
            yield call_chunk(*call)
        else:
            schema = _wanted_schema(kwargs)
            options: dict[str, Any] = {
                "max_tokens": int(kwargs.get("max_tokens") or self.max_tokens),
                "temperature": float(kwargs.get("temperature") or 0.0),
                "schema": schema,
                "extra": {**self.extra_body, **({"stop": stop} if stop else {})},
            }
            said = False
            for prompt in (messages, [*messages, HumanMessage(IN_WORDS)]):
                async with aclosing(self._answer(prompt, options, used, as_json=schema is not None)) as chunks:
                    async for chunk in chunks:
                        said = said or bool(chunk.text.strip())
                        yield chunk
                if said:
                    break
        given, made = sum(piece.input_tokens for piece in used), sum(piece.output_tokens for piece in used)
        yield last_chunk(self.model_name, given, made, called=call is not None)

    async def _answer(
        self, messages: Sequence[BaseMessage], options: dict[str, Any], used: list[Piece], *, as_json: bool
    ) -> AsyncGenerator[ChatGenerationChunk, None]:
        """Stream an answer in words; one that may be a call is held back until it is seen to be none."""
        held = ""
        async with aclosing(self._engine.stream(plain_messages(messages), **options)) as pieces:
            async for piece in pieces:
                used.append(piece)
                text = held + piece.text
                held = text if not as_json and text.lstrip().startswith(("{", "[{", "`")) else ""
                shown = "" if held else text
                if shown or piece.reasoning:
                    reasoning = {"reasoning_content": piece.reasoning} if piece.reasoning else {}
                    yield _chunk(AIMessageChunk(content=shown, additional_kwargs=reasoning))
        if held.strip() and not _is_call(held):
            yield _chunk(AIMessageChunk(content=held))

    async def _choose(
        self, messages: Sequence[BaseMessage], choice: Choice, used: list[Piece]
    ) -> tuple[str, str] | None:
        """Ask which tool to call; return its name and arguments (JSON), or None for a plain answer."""
        prompt = plain_messages([SystemMessage(choice.prompt()), *messages])
        stream = self._engine.stream(prompt, max_tokens=CHOICE_TOKENS, schema=choice.schema(), extra=self.extra_body)
        text = ""
        async with aclosing(stream) as pieces:
            async for piece in pieces:
                used.append(piece)
                text += piece.text
        try:
            chosen = json.loads(text)
        except json.JSONDecodeError:  # cut off by the token limit
            return None
        name, arguments = chosen["tool"], chosen.get("arguments", {})
        if name == ANSWER or (name, arguments) in _called(messages):
            return None
        return name, json.dumps(arguments, ensure_ascii=False)


def gguf_chat(settings: Settings) -> Chat:
    """Return the model of EMBEDDED_GGUF. The file is checked now and loaded with the first call.

    Raises:
        ModelUnavailable: The file is missing or no GGUF model, or llama.cpp is not installed.
    """
    if settings.embedded_gguf is None:
        raise ValueError("EMBEDDED_GGUF is not set")
    context = min(settings.llm_context_tokens, settings.embedded_context_tokens)
    engine = LlamaEngine(settings.embedded_gguf, threads=settings.embedded_threads, context_tokens=context)
    engine.check()
    most = min(settings.llm_max_output_tokens, context // 4)
    return Chat(
        model=GgufChat(engine, max_tokens=most, extra_body=dict(settings.llm_extra_body)),
        name=engine.path.stem,
        kind="gguf",
        context_tokens=context,
        max_output_tokens=most,
        aclose=engine.close,
        detail=Words(
            f"{engine.path.stem}, in a process of its own through llama.cpp, because EMBEDDED_GGUF is set; "
            "change it with EMBEDDED_GGUF, or LLM_BASE_URL, LLM_API_KEY and LLM_MODEL.",
            f"{engine.path.stem}，在独立进程中由 llama.cpp 运行，因为设置了 EMBEDDED_GGUF；"
            "可通过 EMBEDDED_GGUF，或 LLM_BASE_URL、LLM_API_KEY 和 LLM_MODEL 更改。",
        ),
    )


def choice_of(options: dict[str, Any]) -> Choice | None:
    """Read the tools and the tool choice of a call; None when no tool may be called."""
    tools = [tool.get("function", tool) for tool in options.get("tools") or ()]
    wanted = options.get("tool_choice")
    if isinstance(wanted, dict):
        wanted = wanted.get("function", {}).get("name")
    if not tools or wanted == "none":
        return None
    named = [tool for tool in tools if tool["name"] == wanted]
    return Choice(named or tools, required=bool(named) or wanted in ("any", "required", True))


def plain_messages(messages: Sequence[BaseMessage]) -> list[ChatMessage]:
    """Write messages as any chat template takes them: one system message first, then user and assistant in turn.

    Results of tools are written as the user's words, since templates of small models know no other way; the calls
    themselves are left out, or the model would go on writing calls.
    """
    system = "\n\n".join(str(message.text) for message in messages if isinstance(message, SystemMessage))
    plain: list[ChatMessage] = [{"role": "system", "content": system}] if system else []
    for message in messages:
        role, text = _plain(message)
        if isinstance(message, SystemMessage) or not text:
            continue
        if plain and plain[-1]["role"] == role:
            plain[-1] = {"role": role, "content": f"{plain[-1]['content']}\n\n{text}"}
        else:
            plain.append({"role": role, "content": text})
    if messages and isinstance(messages[-1], ToolMessage):
        plain[-1] = {"role": "user", "content": f"{plain[-1]['content']}\n\n{IN_WORDS}"}
    return plain


def _plain(message: BaseMessage) -> tuple[str, str]:
    if isinstance(message, ToolMessage):
        return "user", f"Result of {message.name or 'the tool'}:\n{message.text}"
    return "assistant" if isinstance(message, AIMessage) else "user", str(message.text)


def _called(messages: Sequence[BaseMessage]) -> list[tuple[str, dict[str, Any]]]:
    """Return the calls since the user's last message."""
    calls: list[tuple[str, dict[str, Any]]] = []
    for message in messages:
        if isinstance(message, HumanMessage):
            calls = []
        elif isinstance(message, AIMessage):
            calls += [(call["name"], call["args"]) for call in message.tool_calls]
    return calls


def _is_call(text: str) -> bool:
    """Tell whether a text is nothing but calls of tools, as JSON."""
    try:
        found = json.loads(text.strip().removeprefix("```json").strip("`\n "))
    except json.JSONDecodeError:
        return False
    calls = found if isinstance(found, list) else [found]
    return bool(calls) and all(
        isinstance(call, dict) and CALL_KEYS >= call.keys() and call.keys() & {"tool", "name"} for call in calls
    )


def _wanted_schema(options: dict[str, Any]) -> dict[str, Any] | None:
    wanted = options.get("response_format") or {}
    schema = wanted.get("json_schema", {}).get("schema") if isinstance(wanted, dict) else None
    return cast("dict[str, Any] | None", schema)


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _chunk(message: AIMessageChunk) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=message)
