"""Responses as OpenAI's clients ask for them: a turn in a thread of ours, and what is kept of it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage

from api.backend import Backend, BackendDep, UserDep
from api.edge.failures import asked_language
from api.edge.responses import EventStream, json_response
from api.openai.response_bodies import ResponseBody
from api.openai.response_input import input_messages
from api.openai.response_writer import ResponseWriter
from api.openai.schemas import SESSION
from api.openai.stored_responses import PENDING, Kept, keep, keep_pending, stored, writer_of, written
from api.openai.turns import begun, json_form, model_options, owner_of_call, said_last
from api.runs.branching import branch, path_to
from api.runs.record import remembered_messages
from api.runs.request import TurnRequest
from api.runs.run import Run
from api.runs.wire import result_while_connected
from domain.errors import AppError, BadInput, UnknownRun
from domain.owner import Owner
from domain.words import Words
from stores.conversations.entries import Part
from turn.options import TurnOptions

router = APIRouter(prefix="/v1", tags=["openai"])


@router.post("/responses")
async def create(body: ResponseBody, request: Request, backend: BackendDep, user: UserDep) -> Response:
    """Answer an input.

    The thread goes on that `previous_response_id`, `conversation`, `session_id` in `metadata` or the header
    `X-Session-Id` names; without any a new one begins. From a response that is not the newest of its thread a new
    thread branches off. With `store` false the input is the whole conversation and nothing is kept. With `background`
    the response is returned at once, as it stands.
    """
    before = await stored(backend, user, body.previous_response_id) if body.previous_response_id else None
    thread = await _thread(body, request, backend, user, before)
    earlier = await _referred_to(body, backend, user)
    turn = _turn(body, request, owner_of_call(user, thread), backend, earlier)
    if before is not None and thread is None:
        turn = replace(turn, messages=[*await _said_until(before, backend, user), *turn.messages])
    run, base_url = await backend.runner.begin(turn), str(request.base_url)
    writer = ResponseWriter(run.id, run.request.thread_id, body, base_url)
    if body.background:
        return await _in_background(run, writer, body, base_url, backend)
    if body.stream:
        await begun(run)
        parts = written(
            run.log.read(), writer, last=lambda: said_last(run), keep=lambda final: keep(final, run, body, backend)
        )
        return EventStream(parts, on_disconnect=run.stop)
    answer = await result_while_connected(request, run)
    response = writer.whole(answer, said_last(run), str(run.progress.output.get("reasoning") or ""))
    await keep(response, run, body, backend)
    return json_response(response)


async def _in_background(
    run: Run, writer: ResponseWriter, body: ResponseBody, base_url: str, backend: Backend
) -> Response:
    """Return a response that has not been made, or a stream that may be left without ending it."""
    queued = writer.response("queued")
    try:
        await keep_pending(queued, run, body, base_url, backend)
    except AppError:  # nobody could ask after it: it is refused, not lost
        run.stop()
        raise
    return EventStream(written(run.log.read(), writer)) if body.stream else json_response(queued)


@router.get("/responses/{response_id}")
async def retrieve(
    response_id: str,
    backend: BackendDep,
    user: UserDep,
    stream: Annotated[bool, Query(description="Follow the events of one that is made in the background.")] = False,
    starting_after: Annotated[int, Query(description="Number of the event behind which the stream begins.")] = -1,
) -> Response:
    """Return a response that was stored; one that is made in the background as it stands, or its events."""
    kept = await stored(backend, user, response_id)
    if not stream:
        return json_response(kept["response"])
    _needs_background(kept)
    run_id = response_id.removeprefix("resp_")
    writer = writer_of(kept, starting_after)
    return EventStream(written(await backend.runner.events(run_id, user, 0), writer))


@router.post("/responses/{response_id}/cancel")
async def cancel(response_id: str, backend: BackendDep, user: UserDep) -> Response:
    """Stop a response that is made in the background, and return it; one that is over stays as it is."""
    kept = await stored(backend, user, response_id)
    _needs_background(kept)
    if kept["response"]["status"] in PENDING:
        await backend.runner.stop(response_id.removeprefix("resp_"), user)
        kept = await stored(backend, user, response_id)
    return json_response(kept["response"])


def _needs_background(kept: Kept) -> None:
    if "body" not in kept:
        raise BadInput(reason=Words("the response was not made in the background", "该响应不是在后台生成的"))


@router.get("/responses/{response_id}/input_items")
async def list_input(response_id: str, backend: BackendDep, user: UserDep) -> Response:
    """Return the input of a response, the newest item first."""
    given = (await stored(backend, user, response_id))["input"]
    items = [{"type": "message", "role": "user", "content": given}] if isinstance(given, str) else given
    data = [
        {"type": "message", "status": "completed", **item, "id": item.get("id") or f"in_{number}",
         "content": [{"type": "input_text", "text": item["content"]}] if isinstance(item.get("content"), str)
         else item.get("content")}
        for number, item in enumerate(items)
    ][::-1]  # fmt: skip
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {}
    return json_response({"object": "list", "data": data, "has_more": False, **ends})


@router.delete("/responses/{response_id}")
async def delete(response_id: str, backend: BackendDep, user: UserDep) -> Response:
    """Forget a response: it is no longer returned, and nothing can go on from it. Its thread remains."""
    await stored(backend, user, response_id)
    await backend.events.detach(response_id.removeprefix("resp_"), "response")
    return json_response({"id": response_id, "object": "response", "deleted": True})


async def _thread(
    body: ResponseBody, request: Request, backend: Backend, user: str, before: dict[str, Any] | None
) -> str | None:
    """Return the thread of the turn; None where nothing is to be kept."""
    if not body.store and before is not None:
        return None
    if before is None:
        thread = body.thread or request.headers.get(SESSION)
        return thread or (f"resp-{uuid.uuid4().hex}" if body.store else None)
    source = Owner(user, before["thread_id"])
    newest = await backend.services.conversations.page(source, Part(limit=1, newest=True))
    run_id = before["response"]["id"].removeprefix("resp_")
    if newest["entries"] and newest["entries"][-1].get("run_id") == run_id:
        return source.thread_id
    target = Owner(user, f"resp-{uuid.uuid4().hex}")
    await branch(backend.services, source, target, run_id=run_id)
    return target.thread_id


async def _referred_to(body: ResponseBody, backend: Backend, user: str) -> dict[str, dict[str, Any]]:
    """Return the items of stored responses that the input refers to, by their id: `fc_<run>_<number>`."""
    items = body.input if isinstance(body.input, list) else []
    names = [str(item.get("id")).split("_") for item in items if item.get("type") == "item_reference"]
    found: dict[str, dict[str, Any]] = {}
    for run_id in dict.fromkeys(name[1] for name in names if len(name) == 3):
        response = (await stored(backend, user, f"resp_{run_id}"))["response"]
        found |= {item["id"]: item for item in response["output"]}
    return found


async def _said_until(before: dict[str, Any], backend: Backend, user: str) -> list[AnyMessage]:
    """Return what the thread of a response holds up to it."""
    whole = await backend.services.conversations.whole(Owner(user, before["thread_id"]))
    try:
        return remembered_messages(path_to(whole, run_id=before["response"]["id"].removeprefix("resp_")))
    except UnknownRun:
        return []


def _turn(
    body: ResponseBody, request: Request, owner: Owner, backend: Backend, earlier: dict[str, dict[str, Any]]
) -> TurnRequest:
    if body.background and not body.store:
        raise BadInput(reason=Words("background needs store: true", "后台生成需要 store 为 true"))
    messages = input_messages(body.input, earlier)
    said = [message for message in messages if not isinstance(message, SystemMessage)]
    if not said:
        raise BadInput(reason=Words("input holds nothing that can be answered", "input 中没有可回答的内容"))
    system = [body.instructions, *(str(message.text) for message in messages if isinstance(message, SystemMessage))]
    try:
        tools, options = body.functions, TurnOptions(
            system_prompt="\n\n".join(text for text in system if text),
            answer_tokens=body.max_output_tokens, persona=body.metadata.persona,
            temporary=body.metadata.temporary == "true",
            tools=body.server_tools,
        )  # fmt: skip
        asked = model_options(
            tools, parallel=body.parallel_tool_calls, tool_choice=body.chosen_tool, sampling=body.sampling,
            response_format=json_form(backend.services.chat, body.response_format),
            continues=not isinstance(said[-1], HumanMessage), beside_ours=bool(tools and body.server_tools),
        )  # fmt: skip
    except ValueError as exc:
        reason = str(exc).splitlines()[0]
        raise BadInput(reason=Words(reason, f"请求无效：{reason}")) from exc
    return TurnRequest(
        owner=owner, messages=said, reads=asked_language(request), options=options, model_options=asked,
        remembered=not (owner.thread_id or "").startswith("once-"), detailed=True,
        lasting=bool(body.background),
    )  # fmt: skip
