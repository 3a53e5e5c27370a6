"""The one seam to LangServe: the graph at `/agent`, with thread, context, errors and disconnects put right.

LangServe 0.3.3 drops `config.configurable.thread_id`, has no `context`, flattens every error of a stream to "Internal
Server Error" and never notices a client that left an `/invoke` (docs/decisions). All of that is repaired here alone.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, cast

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from langchain_core.messages import AnyMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import get_config_list
from langchain_core.runnables.utils import ConfigurableFieldSpec
from langgraph.types import Overwrite
from pydantic import BaseModel, ValidationError

from api.edge.failures import as_app_error, asked_language, error_body, validation_reason
from api.edge.responses import client_left
from api.langserve.repairs import repair_langserve
from api.langserve.schemas import CONFIG_SPECS, Drawable, TurnInput, TurnOutput
from api.runs.progress import INTERRUPT
from api.runs.request import TurnRequest
from api.runs.run import Run
from api.runs.runner import TurnRunner
from api.schemas import DisconnectPolicy
from domain.errors import BadInput
from domain.owner import Owner, check_thread_id
from domain.surrogates import cleaned
from domain.words import Words
from turn.options import OPTIONS, TurnOptions, option_fields
from turn.state import OutputState

MOST_INPUTS = 100
"""Most turns of one batch."""
_OUTPUT_KEYS = frozenset(OutputState.__annotations__)


KNOWN_KEYS = frozenset(spec.id for spec in CONFIG_SPECS)
MOST_UNKNOWN = 10
UNKNOWN_KEYS = Words("configurable has no key {names}.", "configurable 中没有名为 {names} 的键。")


class ServedGraph(Runnable[dict[str, Any], dict[str, Any]]):
    """The graph as LangServe may serve it; every call is a run of the `TurnRunner`.

    Args:
        runner: Gives the runner of this process; asked at the first call, so that routes exist before anything is open.
        modes: LangGraph stream modes of `astream`; with several, chunks are [mode, chunk].
    """

    name = "agent"

    def __init__(self, runner: Callable[[], TurnRunner], modes: tuple[str, ...] = ("updates",)) -> None:
        self._runner = runner
        self._modes = modes

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """What `config.configurable` may hold."""
        return CONFIG_SPECS

    def config_schema(self, *, include: Sequence[str] | None = None) -> type[BaseModel]:
        """Return the model that configs are checked by."""
        return type("AgentConfig", (Drawable, super().config_schema(include=include)), {"__module__": __name__})

    def get_input_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the model that inputs are checked by."""
        return TurnInput

    def get_output_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the model of outputs."""
        return TurnOutput

    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> ServedGraph:
        """Return this runnable: LangServe binds a config only to ask for the schemas, which do not depend on it."""
        return self

    def invoke(self, input: dict[str, Any], config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:
        """Refuse: the server is asynchronous throughout."""
        raise NotImplementedError("use ainvoke")

    async def ainvoke(
        self, input: dict[str, Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """Run one turn and return the output state, with the new messages only."""
        return await self._invoke(input, config, nullcontext())

    async def _invoke(
        self, input: dict[str, Any], config: RunnableConfig | None, starting: AbstractAsyncContextManager[Any]
    ) -> dict[str, Any]:
        """Run one turn; it is begun while `starting` is held."""
        call = _Call(input, config)
        async with starting:
            run = await call.begin(self._runner())
        try:
            await run.result()
        except asyncio.CancelledError:
            call.client_left(run)
            raise
        return cast("dict[str, Any]", call.shaped(call.output(run)))

    async def abatch(
        self,
        inputs: list[dict[str, Any]],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[dict[str, Any]]:
        """Run several turns at the same time; those of one thread in the order they arrive.

        Raises:
            BadInput: They are more than `MOST_INPUTS`.
        """
        if len(inputs) > MOST_INPUTS:
            raise BadInput(reason=Words(f"inputs may be at most {MOST_INPUTS}", f"inputs 最多 {MOST_INPUTS} 个"))
        configs = get_config_list(config, len(inputs))
        starting = asyncio.Lock()  # lets them in by the order in which they came
        calls = (self._invoke(item, one, starting) for item, one in zip(inputs, configs, strict=True))
        return cast("list[dict[str, Any]]", await asyncio.gather(*calls, return_exceptions=return_exceptions))

    async def astream(
        self, input: dict[str, Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """Stream one turn in this runnable's stream modes."""
        call = _Call(input, config)
        queue: asyncio.Queue[tuple[str, Any] | None] = asyncio.Queue()
        call.tap(self._modes, lambda mode, chunk: queue.put_nowait((mode, chunk)))
        run = await call.begin(self._runner())
        assert run.task is not None
        run.task.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            while (item := await queue.get()) is not None:
                mode, chunk = item
                public = _public(chunk) if mode == "updates" else chunk
                yield call.shaped(public) if len(self._modes) == 1 else [mode, public]
            await run.result()
        except (asyncio.CancelledError, GeneratorExit):
            call.client_left(run)
            raise


class _Call:
    """One call: what LangServe handed over, as a turn."""

    def __init__(self, value: Any, config: RunnableConfig | None) -> None:
        given = config or {}
        options = given.get("configurable", {})
        messages = value.get("messages") or []
        thread_id = cleaned(options.get("thread_id"))
        if value.get("resume") is not None and not thread_id:
            raise BadInput(reason=Words("resume needs a thread_id", "resume 需要 thread_id"))
        self._policy: DisconnectPolicy = options.get("on_disconnect", "continue")
        self._unknown: list[str] = options.get("unknown", [])
        self._as_document = options.get("output") == "document"
        self._sent = [str(message.id) for message in messages]
        self.run_id = str(given.get("run_id") or uuid.uuid4())
        self.request = TurnRequest(
            owner=Owner(options.get("user_id", ""), thread_id or f"once-{uuid.uuid4().hex}"),
            messages=messages,
            options=_options(options),
            reads=options.get("reads", "en"),
            remembered=bool(thread_id),
            published=False,
            lasting=self._policy == "continue",
            on_busy=options.get("on_busy") or "enqueue",
            parent=cleaned(options.get("parent_message_id")) or None,
            resume=value.get("resume"),
            config=_passed_on(given),
        )

    async def begin(self, runner: TurnRunner) -> Run:
        """Start the turn, or go on with the one that waits for what it is resumed with."""
        if self.request.resume is not None:
            return await runner.resume(self.request)
        return await runner.start(self.request, run_id=self.run_id)

    def tap(self, modes: Sequence[str], take: Callable[[str, Any], None]) -> None:
        """Call `take` with every chunk of these stream modes."""
        self.request = self.request.tapped(tuple(modes), take)

    def client_left(self, run: Run) -> None:
        """Stop the run, where the client asked for that."""
        if self._policy == "cancel":
            run.stop()

    def output(self, run: Run) -> dict[str, Any]:
        """The output state of a finished run."""
        output: dict[str, Any] = {key: value for key, value in run.progress.output.items() if key in _OUTPUT_KEYS}
        if run.answer is not None:
            output["answer"] = run.answer["answer"]
            if "message_id" in run.answer:
                output["message_id"] = run.answer["message_id"]
        if self._unknown:
            said = UNKNOWN_KEYS.text(self.request.language).format(names=", ".join(self._unknown))
            output["warnings"] = [*output.get("warnings", []), said]
        if run.questions:
            output[INTERRUPT] = [{"id": question["id"], "value": question} for question in run.questions]
        output["messages"] = _new_messages(output.get("messages", []), self._sent)
        return output

    def shaped(self, value: Any) -> Any:
        """The value in the form that the client asked for."""
        if not self._as_document:
            return value
        return {"page_content": str(value.get("answer") or ""), "metadata": value}


def _new_messages(messages: Sequence[AnyMessage], sent_ids: Sequence[str]) -> list[AnyMessage]:
    """Return the messages that a turn added after the last of those that the caller sent."""
    sent = set(sent_ids)
    last = max((place for place, message in enumerate(messages) if message.id in sent), default=-1)
    return list(messages[last + 1 :])


def _options(given: Mapping[str, Any]) -> TurnOptions:
    """The caller's options among the keys of `configurable`.

    Raises:
        BadInput: One of them is of the wrong kind.
    """
    try:
        return OPTIONS.validate_python(
            {name: cleaned(given[name]) for name in option_fields() if given.get(name) not in (None, "")}
        )
    except ValidationError as exc:
        problems = exc.errors(include_url=False)
        raise BadInput(reason=validation_reason(problems)) from exc


def _passed_on(config: RunnableConfig) -> RunnableConfig:
    """Return the config that LangChain needs: it sees events only of runs with its id and callbacks."""
    kept: dict[str, Any] = {key: value for key, value in config.items() if key in ("tags", "run_id")}
    if metadata := {key: value for key, value in config.get("metadata", {}).items() if not key.startswith("__")}:
        kept["metadata"] = metadata
    callbacks = config.get("callbacks")
    if isinstance(callbacks, list):
        # LangServe's own collector of events, whose result is only used with `include_callback_events`.
        callbacks = [handler for handler in callbacks if type(handler).__module__ != "langserve.callbacks"]
    if callbacks:
        kept["callbacks"] = callbacks
    return cast("RunnableConfig", kept)


def _public(update: Mapping[str, Any]) -> dict[str, Any]:
    """Return a `{node: delta}` without the graph's internal keys."""
    return {node: _delta(node, delta) for node, delta in update.items()}


def _delta(node: str, delta: Any) -> Any:
    if node == INTERRUPT:
        return [{"id": waiting.id, "value": {**waiting.value, "id": waiting.id}} for waiting in delta]
    if not isinstance(delta, Mapping):
        return delta
    return {key: _plain(value) for key, value in delta.items() if key in _OUTPUT_KEYS}


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Overwrite) else value


class ServedRoute(APIRoute):
    """A route of LangServe that notices disconnects and tells errors inside streams as they are."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, wrapped."""
        handle = super().get_route_handler()

        async def handle_watched(request: Request) -> Response:
            try:
                body = await request.json()
            except (ValueError, RecursionError) as exc:
                raise BadInput(reason=Words("the body is not valid JSON", "请求体不是有效的 JSON")) from exc
            options = _options_in(body)
            unknown = sorted({key for one in options for key in one if key not in KNOWN_KEYS and key[:2] != "__"})
            request.state.unknown = unknown[:MOST_UNKNOWN]
            if "config_hash" not in request.path_params and not any("on_disconnect" in one for one in options):
                return _with_real_errors(await _translated(handle(request)), request)
            working = asyncio.ensure_future(handle(request))
            leaving = asyncio.ensure_future(client_left(request.receive))
            try:
                await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if not working.done():
                    working.cancel()
                return _with_real_errors(await _translated(working), request)
            except asyncio.CancelledError:
                return Response(status_code=499)
            finally:
                leaving.cancel()

        return handle_watched if "POST" in (self.methods or ()) else handle


def _options_in(body: object) -> list[dict[str, Any]]:
    """Return what the configs of a body name `configurable`; LangServe drops the keys that it does not know."""
    given = body.get("config") if isinstance(body, dict) else None
    configs = given if isinstance(given, list) else [given]
    options = (one.get("configurable") for one in configs if isinstance(one, dict))
    return [one for one in options if isinstance(one, dict)]


async def _translated(working: Awaitable[Response]) -> Response:
    try:
        return await working
    except ValidationError as exc:
        raise RequestValidationError(exc.errors(include_url=False)) from exc


def _with_real_errors(response: Response, request: Request) -> Response:
    chunks = getattr(response, "body_iterator", None)
    if chunks is not None:
        response.body_iterator = _errors_as_they_are(chunks, request)  # type: ignore[attr-defined]
    return response


async def _errors_as_they_are(events: AsyncIterator[Any], request: Request) -> AsyncIterator[Any]:
    """Yield the events of a stream; replace LangServe's "Internal Server Error" by the real error."""
    try:
        async for event in events:
            if not (isinstance(event, dict) and event.get("event") == "error"):
                yield event
    except Exception as exc:  # noqa: BLE001  # whatever it was, the client gets an event and the log the trace
        error = as_app_error(exc)
        body = error_body(error, error.language or asked_language(request), request.state.request_id)
        data = {"status_code": error.status, "message": body["error"]["message"], **body}
        yield {"event": "error", "data": json.dumps(data, ensure_ascii=False)}


def _per_request(config: dict[str, Any], request: Request) -> dict[str, Any]:
    options = {**(config.get("configurable") or {}), "user_id": request.state.user_id, "reads": asked_language(request)}
    options["unknown"] = request.state.unknown
    if not options.get("thread_id"):
        options["thread_id"] = request.headers.get("x-session-id") or request.headers.get("x-thread-id")
    if options["thread_id"] is not None:
        check_thread_id(str(options["thread_id"]), "thread_id")
    return {**config, "configurable": options}


def mount_langserve(app: FastAPI, runner: Callable[[], TurnRunner]) -> None:
    """Add `/agent` with all of LangServe's endpoints, and `/agent/tokens/stream`."""
    from langserve import add_routes  # imported late: a second of import time that only a server needs

    repair_langserve()
    router = APIRouter(route_class=ServedRoute)
    everything: Any = ("invoke", "batch", "stream", "stream_log", "stream_events", "playground",
                  "input_schema", "output_schema", "config_schema", "config_hashes")  # fmt: skip
    add_routes(
        router, ServedGraph(runner), path="/agent", per_req_config_modifier=_per_request, enabled_endpoints=everything
    )
    tokens = ServedGraph(runner, modes=("messages", "updates", "custom"))
    add_routes(
        router, tokens, path="/agent/tokens", per_req_config_modifier=_per_request, enabled_endpoints=("stream",)
    )
    router.routes.sort(key=lambda route: "config_hash" in route.path or "schema" in route.path)  # type: ignore[attr-defined]
    app.router.routes.extend(router.routes)
    app.router.on_startup.clear()
