"""The server: `create_app(settings)` for ASGI servers, `python -m server` to run it."""

from __future__ import annotations

import gc

gc.disable()  # what is imported stays: walking through it again and again took a fifth of the start

import asyncio
import logging
import os
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from pydantic import ValidationError
from pydantic_settings import SettingsError
from starlette.routing import Route

from api.announce import announce
from api.backend import Backend
from api.edge.connections import limited_http
from api.edge.failures import install_error_handlers
from api.edge.keys import ApiKeys
from api.edge.logs import configure_logging
from api.edge.middleware import BodyLimit, JsonShape, RequestScope
from api.edge.static import page_router
from api.langserve.mount import mount_langserve
from api.mcp.endpoint import McpEndpoint
from api.openai import audio, completions, embeddings, files, models, responses
from api.rest import (
    attempts,
    chat,
    connection,
    documents,
    feedback,
    graph,
    health,
    memories,
    metrics,
    people,
    permissions,
    personal_data,
    personas,
    profile,
    runs,
    sessions,
    shares,
    sign_in,
    speech,
    tool_sources,
    tools,
)
from api.rest.openapi import TAGS, described
from api.runs.attempts import tell
from api.runs.deletion import finish_deletions
from api.runs.retention import keep_to_time
from api.runs.runner import TurnRunner
from api.startup import StartFault, check_keys, check_start, give_up
from graph.builder import build_graph
from net.oidc import OpenIdConnect
from services import open_services
from settings import Settings
from stores import encryption
from stores.disk import Reserve
from stores.redis.checkpoints import open_checkpointer
from stores.redis.events import RunEvents
from stores.redis.server import open_redis_or_missing
from stores.redis.sign_ins import SignIns
from stores.redis.turns import ThreadTurns
from stores.redis.unfinished import UnfinishedRuns
from stores.sql import audit, migrate
from workers.confinement import hide_memory

gc.enable()

SHUTDOWN_SECONDS = 15
SWITCH_SECONDS = 0.0005
"""A turn that comes back from waiting gets the interpreter from a thread that chunks or indexes after so long. With
Python's 5 ms, turns beside the reading of a 400-page PDF took 1.39 times as long as alone (p95 2.5), now 1.27 (1.8)."""

YOUNG_OBJECTS = 10_000
"""New containers between two garbage collections: one a turn. Python's 700 made it twenty, 3 % of a turn's CPU."""


@asynccontextmanager
async def open_backend(settings: Settings) -> AsyncIterator[Backend]:
    """Open all parts of a server process in order; they are closed in reverse."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    await asyncio.to_thread(check_keys, settings)
    reserve = Reserve(settings.data_dir)
    await asyncio.to_thread(reserve.prepare)
    sys.setswitchinterval(SWITCH_SECONDS)
    async with AsyncExitStack() as stack:
        tracing = None
        if settings.otel_exporter_otlp_endpoint:
            from api.edge.telemetry import open_telemetry

            tracing = await stack.enter_async_context(open_telemetry(settings))
        redis = await stack.enter_async_context(await open_redis_or_missing(settings))
        checkpointer = await open_checkpointer(redis.client, settings)
        services = await stack.enter_async_context(open_services(settings, redis.client))
        graph, stateless = build_graph(checkpointer, services.agents), build_graph(crew=services.agents)
        if tracing is not None:
            services = tracing.services(services)
            graph, stateless = tracing.graph(graph), tracing.graph(stateless)
        services.attempts.on_event = partial(tell, services)
        turns, events = ThreadTurns(redis.client, settings), RunEvents(redis.client, settings)
        runner = TurnRunner(
            graph=graph, stateless=stateless, services=services, turns=turns, events=events,
            unfinished=UnfinishedRuns(redis.client, settings),
        )  # fmt: skip
        stack.push_async_callback(runner.aclose)
        oidc = OpenIdConnect(settings, services.http)
        stack.push_async_callback(oidc.aclose)
        backend = Backend(
            settings=settings, redis=redis, services=services, turns=turns, events=events, runner=runner,
            reserve=reserve, oidc=oidc, sign_ins=SignIns(redis.client),
        )  # fmt: skip
        services.background.spawn("finish deletions", finish_deletions(backend))
        services.background.spawn("retention", keep_to_time(backend))
        services.background.spawn("takeovers", runner.watch.go())
        yield backend


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application; everything it needs is opened when it starts."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            try:
                backend = await stack.enter_async_context(open_backend(settings))
            except Exception as exc:
                app.state.fault = exc
                raise
            app.state.backend = backend
            await announce(backend)
            gc.freeze()  # full collections need not walk through what lives as long as the server: 0.1 s each
            gc.set_threshold(YOUNG_OBJECTS)
            yield
            gc.unfreeze()

    app = FastAPI(
        title="LLM Chat Backend", version="0.1.0", lifespan=lifespan, openapi_tags=TAGS, docs_url=None, redoc_url=None
    )
    app.state.settings, app.state.fault = settings, None
    install_error_handlers(app)
    # The busiest routes first: each request is held against one route after the other.
    mount_langserve(app, lambda: app.state.backend.runner)
    for room in (
        chat,
        runs,
        sessions,
        shares,
        personal_data,
        connection,
        documents,
        memories,
        feedback,
        people,
        profile,
        sign_in,
        attempts,
        tools,
        permissions,
        tool_sources,
        personas,
        speech,
        graph,
        health,
        metrics,
    ):
        app.include_router(room.router)
    for room in (completions, responses, files, models, embeddings, audio):
        app.include_router(room.router)
    app.router.routes += [Route(path, McpEndpoint(), methods=["POST"]) for path in ("/mcp", "/mcp/")]
    app.include_router(page_router())
    app.openapi = partial(described, app)  # type: ignore[method-assign]
    app.add_middleware(JsonShape)
    app.add_middleware(ApiKeys, settings=settings)
    app.add_middleware(BodyLimit, limit=settings.max_turn_bytes)
    if settings.cors_origins:  # around all that refuses, so that a page can read why
        app.add_middleware(
            CORSMiddleware, allow_origins=settings.cors_origins, allow_methods=["*"], allow_headers=["*"],
            expose_headers=["X-Request-Id", "X-Run-Id", "Retry-After"],
        )  # fmt: skip
    app.add_middleware(RequestScope)
    return app


def main() -> None:
    """Run the server until it is told to stop; commands are `migrate --to URL`, `audit` and `rekey`."""
    import uvicorn

    try:
        settings = Settings()
    except (ValidationError, SettingsError) as exc:
        give_up(exc, "zh" if os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("zh") else "en")
    if sys.argv[1:2] == ["rekey"]:
        sys.exit(encryption.main(sys.argv[2:], settings))
    if sys.argv[1:2] in (["migrate"], ["audit"]):
        try:
            check_keys(settings)
        except StartFault as exc:
            give_up(exc, settings.language)
        sys.exit(migrate.main(sys.argv[2:], settings) if sys.argv[1] == "migrate" else audit.main(settings))
    configure_logging(settings)
    hide_memory()
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    try:
        sockets = check_start(settings)
    except StartFault as exc:
        give_up(exc, settings.language)
    app = create_app(settings)
    config = uvicorn.Config(
        app, host=settings.host, port=settings.port, loop="uvloop", http=limited_http(settings), ws="none",
        log_config=None, access_log=False, timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )  # fmt: skip
    logging.getLogger("uvicorn.error").addFilter(lambda _: app.state.fault is None)  # it is told of once, below
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets)
    gc.freeze()  # an interpreter that ends need not walk through what goes with it: 1 s after Ctrl-C
    if app.state.fault is not None:
        give_up(app.state.fault, settings.language)


if __name__ == "__main__":
    main()
