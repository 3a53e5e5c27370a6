"""The chat endpoints: one answer as JSON, or as a stream of events."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.backend import Backend, BackendDep, UserDep
from api.edge.responses import json_response
from api.rest.openapi import CHAT_BODY, EVENTS, FILE_BODY, FILES_BODY, IMAGE_BODY, request_body
from api.rest.turn_bodies import TurnBody, read_turn_body, turn_request
from api.runs.run import Run
from api.runs.voice import spoken_batches, unspoken_batches
from api.runs.wire import event_stream, result_while_connected
from api.schemas import ERRORS, Answer
from privacy.outbound import ask_for_privacy

router = APIRouter(prefix="/api/v1", tags=["chat"])


@router.post("/chat", response_model=Answer, responses=ERRORS, openapi_extra=request_body(CHAT_BODY))
async def chat(request: Request, backend: BackendDep, user: UserDep) -> Response:
    """Answer a message."""
    return await _answer(request, backend, user)


@router.post("/chat_with_image", response_model=Answer, responses=ERRORS, openapi_extra=request_body(IMAGE_BODY))
async def chat_with_image(request: Request, backend: BackendDep, user: UserDep) -> Response:
    """Answer a message about one or more pictures. What a file is, its content decides."""
    return await _answer(request, backend, user)


@router.post("/chat_with_file", response_model=Answer, responses=ERRORS, openapi_extra=request_body(FILE_BODY))
async def chat_with_file(request: Request, backend: BackendDep, user: UserDep) -> Response:
    """Answer a message about one or more files of any kind."""
    return await _answer(request, backend, user)


@router.post(
    "/chat/stream",
    response_class=Response,
    responses={**ERRORS, **EVENTS},
    openapi_extra=request_body(CHAT_BODY, FILES_BODY),
)
async def chat_stream(request: Request, backend: BackendDep, user: UserDep) -> Response:
    """Answer as Server-Sent Events.

    Events: `run`, `node`, `attachment`, `tool`, `agent`, `token`, `citation`, `usage`, `warning`, `audio`, and exactly
    one of `done`, `error` and `waiting` at the end; a turn that waits goes on with `POST /api/v1/runs/{id}/answers`.
    Take up a broken stream with `GET /api/v1/runs/{id}/stream` and `Last-Event-ID`. A `run` event with `begins_again`
    tells that its server was stopped and another one goes on: from the last finished `step`, or with the `turn` from
    its start. What came of a step that had not ended (text since its `node` started, running tools) comes again.
    """
    body = await read_turn_body(request)
    return _stream(await _start(body, backend, user), body, backend)


async def _answer(request: Request, backend: Backend, user: str) -> Response:
    return await answer_body(request, await read_turn_body(request), backend, user)


async def answer_body(request: Request, body: TurnBody, backend: Backend, user: str) -> Response:
    """Run the turn of a parsed body and return its answer, as JSON or as events."""
    run = await _start(body, backend, user)
    if body.fields.stream:
        return _stream(run, body, backend)
    if body.fields.on_disconnect == "cancel":
        return json_response(await result_while_connected(request, run))
    return json_response(await run.result())


async def _start(body: TurnBody, backend: Backend, user: str) -> Run:
    return await backend.runner.begin(await turn_request(body, backend, user))


def _stream(run: Run, body: TurnBody, backend: Backend) -> Response:
    cancel = body.fields.on_disconnect == "cancel"
    batches = run.log.read()
    if body.fields.speak:
        ask_for_privacy(run.request.options.pii)
        speaker = backend.services.speaker
        batches = spoken_batches(batches, speaker) if speaker else unspoken_batches(batches)
    return event_stream(batches, on_disconnect=run.stop if cancel else None, headers={"X-Run-Id": run.id})
