"""Runs: started in the background, asked after, listened to again, answered, stopped."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from api.backend import BackendDep, UserDep
from api.edge.responses import json_response
from api.rest.openapi import CHAT_BODY, EVENTS, FILES_BODY, request_body
from api.rest.turn_bodies import read_turn_body, turn_request
from api.runs.wire import event_stream
from api.schemas import ERRORS, EXPIRED, MOST_ITEMS, AnswersBody, RunStatus
from domain.errors import AppError

router = APIRouter(prefix="/api/v1/runs", tags=["runs"])


@router.post("", status_code=202, response_model=RunStatus, responses=ERRORS,
             openapi_extra=request_body(CHAT_BODY, FILES_BODY))  # fmt: skip
async def start_run(request: Request, backend: BackendDep, user: UserDep) -> Response:
    """Start a turn and return at once.

    With `callback_url`, the result is posted there when the turn ends (up to three attempts), with `X-Timestamp` and
    `X-Signature: sha256=<hex>`, the HMAC-SHA256 of `<timestamp>.<body>` under CALLBACK_SECRET.
    """
    run = await backend.runner.start(await turn_request(await read_turn_body(request), backend, user))
    try:
        await run.log.recorded()
    except AppError:  # nobody could ask after it: it is refused, not lost
        run.stop()
        raise
    return json_response({"run_id": run.id, "session_id": run.request.thread_id, "state": run.state}, 202)


@router.get("/{run_id}", response_model=RunStatus, responses=ERRORS)
async def get_run(run_id: str, backend: BackendDep, user: UserDep) -> Response:
    """Return the state of a run, and its result once it is over."""
    return json_response(await backend.runner.status(run_id, user))


@router.post("/{run_id}/stop", response_model=RunStatus, responses=ERRORS)
async def stop_run(run_id: str, backend: BackendDep, user: UserDep) -> Response:
    """Stop a run; what it has said so far is kept and marked."""
    return json_response(await backend.runner.stop(run_id, user))


@router.post("/{run_id}/answers", status_code=202, response_model=RunStatus, responses=ERRORS | EXPIRED)
async def answer_questions(run_id: str, body: AnswersBody, backend: BackendDep, user: UserDep) -> Response:
    """Answer what a run waits for; it goes on at once, on this process, under its own id.

    `approve` holds `once`, for the `session` or lastingly for the `pattern` of the question, and may change the
    `arguments`; `refuse` may give the model a `reason`. Questions that are not answered go on waiting. What follows
    arrives at `GET /api/v1/runs/{id}/stream` behind the `waiting` event, or here with `stream`.
    """
    run = await backend.runner.answer(run_id, user, body.answers)
    if body.stream:
        return event_stream(run.log.read(), headers={"X-Run-Id": run_id})
    return json_response({"run_id": run.id, "session_id": run.request.thread_id, "state": run.state}, 202)


@router.get("/{run_id}/stream", response_class=Response, responses={**ERRORS, **EVENTS})
async def stream_run(
    run_id: str,
    backend: BackendDep,
    user: UserDep,
    last_event_id: Annotated[
        int, Header(ge=0, le=MOST_ITEMS, description="Number of the last event that arrived.")
    ] = 0,
) -> Response:
    """Stream the events of a run from the one after `Last-Event-ID` on, whichever process runs it.

    When events in between are no longer kept, a `gap` event says so and carries the run's state and result.
    """
    batches = await backend.runner.events(run_id, user, last_event_id)
    return event_stream(batches, headers={"X-Run-Id": run_id})
