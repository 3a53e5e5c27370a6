"""Chat completions as OpenAI's clients ask for them: the whole graph behind one model name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage, ToolMessage

from api.backend import BackendDep, UserDep
from api.edge.failures import asked_language
from api.edge.responses import EventStream, json_response
from api.openai.history import conversation
from api.openai.schemas import SESSION, CompletionBody
from api.openai.stop_words import StopWords
from api.openai.turns import begun, extras, json_form, model_options, owner_of_call, said_last
from api.openai.wire import Completion, call_delta, cited, error_chunk, finish_reason, tool_calls
from api.runs.progress import begins_answer
from api.runs.request import TurnRequest
from api.runs.run import Run
from api.runs.wire import result_while_connected
from domain.runs import Event
from models.chat.interface import Chat
from turn.options import TurnOptions

router = APIRouter(prefix="/v1", tags=["openai"])


@router.post("/chat/completions")
async def complete(body: CompletionBody, request: Request, backend: BackendDep, user: UserDep) -> Response:
    """Answer a conversation.

    The messages sent are the whole conversation. With the header `X-Session-Id`, or `session_id` in `metadata`, the
    thread is remembered here and only what is new counts: the newest message, or the newest results of tools. With
    `tools`, these are offered instead of the server's own, and their calls are returned.
    """
    run = await backend.runner.begin(_turn(body, request, user, backend.services.chat))
    completion = Completion(run.id, backend.services.chat.name)
    base_url = str(request.base_url)
    if body.stream:
        await begun(run)
        return EventStream(_chunks(run, body, completion, base_url), on_disconnect=run.stop)
    answer = await result_while_connected(request, run)
    words, last = StopWords(body.stop_sequences), said_last(run)
    text = words.add(answer["answer"])
    shown = text + words.rest()
    message: dict[str, Any] = {"content": shown if shown or last is None or not last.tool_calls else None}
    message["annotations"] = cited(answer["citations"], base_url)
    if reasoning := run.progress.output.get("reasoning"):
        message["reasoning_content"] = reasoning
    if last is not None and last.tool_calls:
        message["tool_calls"] = tool_calls(last)
    logprobs = last.response_metadata.get("logprobs") if last is not None else None
    whole = completion.whole(message, usage=answer["usage"], finish=_ended(run, words), logprobs=logprobs)
    return json_response(whole | extras(answer))


def _turn(body: CompletionBody, request: Request, user: str, chat: Chat) -> TurnRequest:
    messages = conversation(body.messages)
    thread = request.headers.get(SESSION) or body.metadata.session_id
    said = [message for message in messages if not isinstance(message, SystemMessage)]
    continues = not isinstance(said[-1], HumanMessage) if said else False
    return TurnRequest(
        owner=owner_of_call(user, thread),
        messages=_new(said) if thread else said,
        reads=asked_language(request),
        options=TurnOptions(
            system_prompt="\n\n".join(str(message.text) for message in messages if isinstance(message, SystemMessage)),
            answer_tokens=body.most_tokens, persona=body.metadata.persona,
            temporary=body.metadata.temporary == "true",
        ),
        model_options=model_options(
            body.tools, parallel=body.parallel_tool_calls, tool_choice=body.tool_choice, sampling=body.sampling,
            response_format=json_form(chat, body.response_format), continues=continues,
        ),
        remembered=thread is not None,
        lasting=False,
        detailed=True,
    )  # fmt: skip


def _new(messages: Sequence[AnyMessage]) -> Sequence[AnyMessage]:
    """The newest message, or all results of tools at the end."""
    first = len(messages) - 1
    while first > 0 and isinstance(messages[first], ToolMessage) and isinstance(messages[first - 1], ToolMessage):
        first -= 1
    return messages[first:]


async def _chunks(run: Run, body: CompletionBody, completion: Completion, base_url: str) -> AsyncIterator[bytes]:
    """The answer in chunks, as OpenAI's clients expect them."""
    words, said = StopWords(body.stop_sequences), ""
    yield completion.delta({"role": "assistant", "content": ""})
    async for batch in run.log.read():
        text = "".join(data["text"] for _, name, data in batch if name == "token")
        said = text if any(map(begins_answer, batch)) else said + text
        for delta in _details(batch, body):
            yield completion.delta(delta)
        if shown := words.add(text + _unsaid(batch, said)):
            yield completion.delta({"content": shown})
        failed = next((data["error"] for _, name, data in batch if name == "error"), None)
        if failed is not None:
            yield error_chunk(failed)
            return
        if words.stopped:
            run.stop()
            break
    if rest := words.rest():
        yield completion.delta({"content": rest})
    answer = run.answer
    found = {"annotations": cited(answer["citations"], base_url)} if answer and answer["citations"] else {}
    yield completion.delta(found, finish=_ended(run, words), **(extras(answer) if answer else {}))
    if body.stream_options.include_usage:
        yield completion.usage(answer["usage"] if answer else run.progress.usage)
    yield b"data: [DONE]\n\n"


def _details(batch: list[Event], body: CompletionBody) -> list[dict[str, Any]]:
    """Reasoning, and calls of the caller's tools."""
    thought = "".join(data["text"] for _, name, data in batch if name == "reasoning")
    calls = [call_delta(data) for _, name, data in batch if name == "call"] if body.tools else []
    return [*([{"reasoning_content": thought}] if thought else []), *([{"tool_calls": calls}] if calls else [])]


def _ended(run: Run, words: StopWords) -> str:
    return "stop" if words.stopped else finish_reason(said_last(run))


def _unsaid(batch: list[Event], said: str) -> str:
    """Return the rest of the final answer behind the text that was streamed."""
    answer = next((str(data["answer"]) for _, name, data in batch if name in ("done", "waiting")), "")
    return answer[len(said) :] if answer.startswith(said) else ""
