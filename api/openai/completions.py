"""Chat completions as OpenAI's clients ask for them: the whole graph behind one model name."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request, Response
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage

from api.backend import BackendDep, UserDep
from api.edge.failures import asked_language
from api.edge.responses import EventStream, json_response
from api.openai.passthrough import complete_directly
from api.openai.schemas import CompletionBody
from api.openai.stop_words import StopWords
from api.openai.wire import Completion, error_chunk, finish_reason
from api.runs.client_messages import client_messages
from api.runs.progress import begins_answer
from api.runs.request import TurnRequest
from api.runs.run import Run
from api.runs.wire import result_while_connected
from domain.errors import BadInput
from domain.owner import Owner
from domain.runs import Event
from domain.words import Words
from turn.intake import check_lengths
from turn.options import TurnOptions

router = APIRouter(prefix="/v1", tags=["openai"])


@router.post("/chat/completions")
async def complete(body: CompletionBody, request: Request, backend: BackendDep, user: UserDep) -> Response:
    """Answer a conversation.

    With the header `X-Session-Id` (or `user`), the thread is remembered here and only the newest message counts;
    without, the call is stateless and the messages sent are the whole conversation. With `tools`, the chat model itself
    is asked, and its calls of the caller's tools are returned.
    """
    messages = _messages(body)
    if body.tools or not isinstance(messages[-1], HumanMessage):
        check_lengths((str(message.text) for message in messages), backend.settings)
        return await complete_directly(body, messages, backend.services.chat)
    run = backend.runner.start(_turn(body, messages, request, user))
    completion = Completion(run.id, backend.services.chat.name)
    if body.stream:
        return EventStream(_chunks(run, body, completion), on_disconnect=run.stop)
    answer = await result_while_connected(request, run)
    words = StopWords(body.stop_sequences)
    text = words.add(answer["answer"])
    extra = {key: answer[key] for key in ("session_id", "citations", "attachments", "tools", "warnings")}
    shown = text + words.rest()
    return json_response(completion.whole(shown, usage=answer["usage"], finish=_ended(run, words)) | extra)


def _messages(body: CompletionBody) -> list[AnyMessage]:
    try:
        return client_messages(body.messages)
    except ValueError as exc:
        raise BadInput(reason=Words(str(exc), f"messages 无效：{exc}")) from exc


def _turn(body: CompletionBody, messages: list[AnyMessage], request: Request, user: str) -> TurnRequest:
    thread = request.headers.get("x-session-id") or body.user
    if thread is not None and len(thread) > 128:
        raise BadInput(reason=Words("X-Session-Id is longer than 128 characters", "X-Session-Id 超过 128 个字符"))
    said = [message for message in messages if not isinstance(message, SystemMessage)]
    return TurnRequest(
        owner=Owner(user, thread or f"once-{uuid.uuid4().hex}"),
        messages=said[-1:] if thread else said,
        reads=asked_language(request),
        options=TurnOptions(
            system_prompt="\n\n".join(str(message.text) for message in messages if isinstance(message, SystemMessage)),
            answer_tokens=body.most_tokens,
        ),
        remembered=thread is not None,
    )


async def _chunks(run: Run, body: CompletionBody, completion: Completion) -> AsyncIterator[bytes]:
    """The answer in chunks, as OpenAI's clients expect them."""
    words, said = StopWords(body.stop_sequences), ""
    yield completion.delta({"role": "assistant", "content": ""})
    async for batch in run.log.read():
        text = "".join(data["text"] for _, name, data in batch if name == "token")
        said = text if any(map(begins_answer, batch)) else said + text
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
    yield completion.delta({}, finish=_ended(run, words))
    if body.stream_options and body.stream_options.include_usage:
        yield completion.usage(run.answer["usage"] if run.answer else run.progress.usage)
    yield b"data: [DONE]\n\n"


def _ended(run: Run, words: StopWords) -> str:
    said = [message for message in run.progress.output.get("messages", []) if isinstance(message, AIMessage)]
    return "stop" if words.stopped or not said else finish_reason(said[-1])


def _unsaid(batch: list[Event], said: str) -> str:
    """Return the rest of the final answer behind the text that was streamed."""
    answer = next((str(data["answer"]) for _, name, data in batch if name == "done"), "")
    return answer[len(said) :] if answer.startswith(said) else ""
