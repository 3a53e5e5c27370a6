"""The API of OpenAI, so that its clients work unchanged: models, chat completions, embeddings, speech."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import orjson
from fastapi import APIRouter, Request, Response
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage

from api.backend import BackendDep, UserDep
from api.openai.passthrough import complete_directly
from api.openai.schemas import AudioSpeechBody, CompletionBody, EmbeddingsBody
from api.openai.wire import Completion, error_chunk, finish_reason
from api.rest.speech import begin_speech, listen
from api.rest.turn_bodies import read_upload
from api.runs.answers import begins_answer
from api.runs.client_messages import check_lengths, cleaned, client_messages
from api.runs.log import Event
from api.runs.run import Run, TurnRequest
from api.runs.sse import HEARTBEAT, ByteStream
from api.runs.stop_words import StopWords
from api.runs.wire import json_response, result_while_connected
from domain.errors import BadInput, TooMuchText
from domain.owner import Owner
from domain.words import Words
from models.speech.audio import MEDIA_TYPES

router = APIRouter(prefix="/v1", tags=["openai"])

_VOICES = frozenset({"alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse",
                     "marin", "cedar"})  # fmt: skip
"""OpenAI's own voices: asked for by clients that must name one; the engine's default is used."""
MODEL = "agent"


@router.get("/models")
async def list_models(backend: BackendDep) -> dict[str, Any]:
    """List the agent (the whole graph), and the embedding model."""
    names = [MODEL, backend.services.chat.name, backend.services.embedder.name]
    return {"object": "list", "data": [_model(name) for name in dict.fromkeys(names)]}


@router.get("/models/{name:path}")
async def get_model(name: str) -> dict[str, Any]:
    """Describe a model."""
    return _model(name)


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "llm-chat-backend"}


@router.post("/chat/completions")
async def complete(body: CompletionBody, request: Request, backend: BackendDep, user: UserDep) -> Response:
    """Answer a conversation.

    With the header `X-Session-Id` (or `user`), the thread is remembered here and only the newest message counts;
    without, the call is stateless and the messages sent are the whole conversation. With `tools`, the chat model itself
    is asked, and its calls of the caller's tools are returned.
    """
    messages = _messages(body)
    if body.tools or not isinstance(messages[-1], HumanMessage):
        check_lengths((str(message.text) for message in messages), backend.settings.max_message_chars)
        return await complete_directly(body, messages, backend.services.chat)
    run = backend.runner.start(_turn(body, messages, request, user))
    completion = Completion(run.id, backend.services.chat.name)
    if body.stream:
        return ByteStream(
            _chunks(run, body, completion), media_type="text/event-stream; charset=utf-8", on_disconnect=run.stop
        )
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
        system_prompt="\n\n".join(str(message.text) for message in messages if isinstance(message, SystemMessage)),
        remembered=thread is not None,
        answer_tokens=body.most_tokens,
    )


async def _chunks(run: Run, body: CompletionBody, completion: Completion) -> AsyncIterator[bytes]:
    """The answer in chunks, as OpenAI's clients expect them."""
    words, said = StopWords(body.stop_sequences), ""
    yield completion.delta({"role": "assistant", "content": ""})
    async for batch in run.log.batches():
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
        if not batch:
            yield HEARTBEAT
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
    """What the answer has behind the text that was streamed, once it is there."""
    answer = next((str(data["answer"]) for _, name, data in batch if name == "done"), "")
    return answer[len(said) :] if answer.startswith(said) else ""


@router.post("/embeddings")
async def embed(body: EmbeddingsBody, backend: BackendDep) -> Response:
    """Turn texts into vectors of length 1."""
    texts = cleaned([body.input] if isinstance(body.input, str) else body.input)
    if sum(map(len, texts)) > backend.settings.max_message_chars:
        raise TooMuchText(limit=backend.settings.max_message_chars)
    embedder = backend.services.embedder
    vectors = await embedder.passages(texts)
    data = [
        {"object": "embedding", "index": index, "embedding": _vector(vector, body.encoding_format)}
        for index, vector in enumerate(np.asarray(vectors, dtype="<f4"))
    ]
    tokens = sum(len(text) for text in texts) // 4 + 1
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return Response(
        orjson.dumps({"object": "list", "data": data, "model": embedder.name, "usage": usage}),
        media_type="application/json",
    )


def _vector(vector: Any, encoding: str) -> object:
    return base64.b64encode(vector.tobytes()).decode() if encoding == "base64" else vector.tolist()


@router.post("/audio/speech", response_class=Response)
async def speak(body: AudioSpeechBody, backend: BackendDep) -> Response:
    """Read a text aloud."""
    voice = None if body.voice in _VOICES else body.voice
    speed = min(max(body.speed, 0.5), 2.0)
    chunks = await begin_speech(backend.services.speaker, body.input, voice, body.response_format, speed)
    return ByteStream(chunks, media_type=MEDIA_TYPES[body.response_format])


@router.post("/audio/transcriptions")
async def transcribe(request: Request, backend: BackendDep) -> Response:
    """Write a recording down."""
    upload = await read_upload(request)
    started = time.monotonic()
    text, language = await listen(upload, backend.services.listener)
    form = upload.fields.get("response_format", "json")
    if form == "text":
        return Response(text + "\n", media_type="text/plain; charset=utf-8")
    if form == "verbose_json":
        return json_response(
            {
                "task": "transcribe",
                "language": language,
                "duration": time.monotonic() - started,
                "text": text,
                "segments": [],
            }
        )
    return json_response({"text": text})
