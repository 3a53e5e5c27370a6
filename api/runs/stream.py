"""Runs the graph for one turn, and passes on what it streams."""

from __future__ import annotations

from contextlib import aclosing, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command
from langsmith import tracing_context

from api.edge.keys import is_admin
from api.runs.memory import thread_config
from api.runs.progress import OUTPUT_KEYS, STREAM_MODES
from domain.errors import UnknownUser
from models.chat.connection import chosen_chat
from privacy.outbound import Privacy
from stores.people.users import comes_with_limited_key
from turn.context import Context

if TYPE_CHECKING:
    from api.runs.request import TurnRequest
    from api.runs.run import Run
    from graph.builder import Graph
    from turn.context import Services
    from turn.durability import Durability


async def stream_graph(run: Run, graph: Graph, services: Services, durability: Durability | None = None) -> None:
    """Run the graph for `run`, and save it as `durability` says; its outcome is in `run.progress` afterwards.

    LangSmith sees no temporary turn, and none whose personal data must not leave.

    Raises:
        AppError: A step failed in a way that a client may see.
        GraphDrained: It was handed over behind a step that ended.
    """
    unseen = run.request.options.temporary or Privacy(services.settings).mode != "off"
    with tracing_context(enabled=False) if unseen else nullcontext():
        await _stream(run, graph, services, durability)


async def _stream(run: Run, graph: Graph, services: Services, durability: Durability | None) -> None:
    request = run.request
    config: RunnableConfig = {**request.config, **thread_config(request.owner.memory_key, run.id)}
    # The tokens of an unpublished turn without a tap have no reader: leave their callbacks out of every node.
    modes: Any = list({*(STREAM_MODES if request.published or request.tap else ("values",)), *request.modes})
    context = _context(run, services, await _role(request.owner.user_id, services), durability)
    run.meter = context.meter
    stream = graph.astream(
        _given(request),
        config,
        context=context,
        stream_mode=modes,
        output_keys=OUTPUT_KEYS,
        durability=cast("Any", durability),
        control=run.control,
    )
    async with aclosing(stream) as chunks:  # type: ignore[type-var]
        async for mode, chunk in chunks:
            run.progress.take(mode, chunk)
            if request.tap is not None and mode in request.modes:
                request.tap(mode, chunk)


def _given(request: TurnRequest) -> Any:
    """What the graph begins or goes on with; nothing where its own steps tell."""
    if request.takeover is not None and request.takeover.begun:
        return None
    return {"messages": list(request.messages)} if request.resume is None else Command(resume=request.resume)


async def _role(user_id: str, services: Services) -> str:
    """Return the role of a user, where a rule about tools asks for it; a key with a quota is no administrator's."""
    if not services.permissions.uses_roles or comes_with_limited_key():
        return "user"
    if is_admin(services.settings, user_id):
        return "admin"
    try:
        return (await services.users.get(user_id)).role
    except UnknownUser:  # one of API_KEYS
        return "user"


def _context(run: Run, services: Services, role: str, durability: Durability | None) -> Context:
    request = run.request
    before = request.takeover.spent if request.takeover else request.pause["spent"] if request.pause else None
    chat = chosen_chat(services.chat, services.settings.llm_models, request.options.model)
    return Context(
        **vars(request.decided_options),
        user_id=request.owner.user_id,
        thread_id=request.thread_id,
        run_id=run.id,
        services=services if chat is services.chat else replace(services, chat=chat),
        handled=tuple(request.attachments),
        said_before=request.again or request.replaces is not None,
        can_ask=request.remembered,
        role=role,
        model_options=request.model_options,
        memory_scope=request.memory_scope,
        before=before,
        durability=durability,
    )
