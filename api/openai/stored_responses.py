"""Responses that are kept beside their runs: as they were returned, or, made in the background, as their runs stand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from langchain_core.messages import AIMessage

from api.backend import Backend
from api.openai.response_bodies import ResponseBody
from api.openai.response_writer import ResponseWriter
from api.runs.run import Run
from domain.errors import UnknownResponse
from domain.runs import FINAL_STATES, RESTS, Event
from stores.redis.events import RunRecord

PENDING = ("queued", "in_progress")
Kept = dict[str, Any]
"""What is kept: `response`, `input`, `thread_id`; of one made in the background also `body` and `base_url`."""


async def keep(response: dict[str, Any], run: Run, body: ResponseBody, backend: Backend) -> None:
    """Keep a response beside its run, for as long as that is kept.

    Raises:
        MemoryUnavailable: Redis failed.
    """
    if body.store:
        await run.log.settle()
        await backend.events.attach(run.id, "response", {"response": response, "input": body.input})


async def keep_pending(response: dict[str, Any], run: Run, body: ResponseBody, base_url: str, backend: Backend) -> None:
    """Keep a response that is made in the background, with what it takes to write it on any process.

    Raises:
        MemoryUnavailable: Redis failed: nobody could ask after it.
    """
    await run.log.recorded()
    asked = body.model_dump(mode="json", by_alias=True, exclude_unset=True)
    kept = {"response": response, "input": body.input, "body": asked, "base_url": base_url}
    await backend.events.attach(run.id, "response", kept)


async def stored(backend: Backend, user: str, response_id: str) -> Kept:
    """Return what is kept of a response, as its run stands.

    Raises:
        UnknownResponse: There is none of this user.
    """
    run_id = response_id.removeprefix("resp_")
    record = await backend.events.get(run_id)
    kept = record.get("response") if record is not None and record["user_id"] == user else None
    if record is None or kept is None:
        raise UnknownResponse(id=response_id)
    kept = {**kept, "thread_id": record["thread_id"]}
    if kept["response"]["status"] in PENDING:
        kept["response"] = await _as_it_stands(kept, record, backend)
    return kept


async def _as_it_stands(kept: Kept, record: RunRecord, backend: Backend) -> dict[str, Any]:
    """Return a response made in the background; once its run rests, it is written from the events of that, and kept."""
    # The process of the run knows its end before Redis does, and may have streamed it already.
    state = (await backend.runner.status(record["run_id"], record["user_id"]))["state"]
    if state not in FINAL_STATES and state != "waiting":
        return {**kept["response"], "status": "queued" if state == "queued" else "in_progress"}
    writer = writer_of(kept)
    async for batch in await backend.runner.events(record["run_id"], record["user_id"], 0):
        for event in batch:
            list(writer.take(event))
    await backend.events.attach(record["run_id"], "response", {**kept, "response": writer.final})
    return writer.final


def writer_of(kept: Kept, after: int = -1) -> ResponseWriter:
    """Return the writer of a response made in the background: the same events of its run make the same response of it.

    Args:
        kept: The response.
        after: Number of the event up to which the reader has its events.
    """
    body, response = ResponseBody.model_validate(kept["body"]), kept["response"]
    run_id = response["id"].removeprefix("resp_")
    return ResponseWriter(run_id, kept["thread_id"], body, kept["base_url"], response["created_at"], after)


async def written(
    batches: AsyncIterator[list[Event]],
    writer: ResponseWriter,
    *,
    last: Callable[[], AIMessage | None] = lambda: None,
    keep: Callable[[dict[str, Any]], Awaitable[None]] | None = None,
) -> AsyncIterator[bytes]:
    """Yield the events of a response.

    Args:
        batches: The events of its run.
        writer: What writes it.
        last: Asked at the end for what the model said last.
        keep: Called with the response before the events that end it.
    """
    for part in filter(None, writer.start()):
        yield part
    async for batch in batches:
        for event in batch:
            parts = list(writer.take(event, last() if event.name in RESTS else None))
            if writer.final and keep is not None:
                await keep(writer.final)
            for part in filter(None, parts):
                yield part
