"""The specialists of a process, and the way a task takes to one of them and back.

Whatever becomes of a specialist, it ends in a result: one that raises, hangs, goes round in circles or loses its model
costs the others nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Protocol, cast

from langchain_core.messages import HumanMessage
from langgraph.errors import GraphBubbleUp
from langgraph.runtime import Runtime

from agents.interface import Agent, AskInput, Work, step_result
from agents.registry import BUILT_IN
from agents.results import call_result, result_of
from agents.subgraph import WorkGraph, work_graph
from agents.texts import UNKNOWN_AGENT
from domain.agents import AgentResult, AgentRun
from domain.errors import AppError
from domain.fence import fenced
from domain.limits import Limits, Spent
from domain.types import DocumentNote
from domain.words import Language
from models.chat.interface import Chat
from tools.delegate import NAME as DELEGATE
from turn.context import Context
from turn.model_options import ModelOptions
from turn.progress import emit
from turn.question import question_of
from turn.state import AgentInput, Update, new_turn

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What a specialist is asked to do.

    Attributes:
        text: The task.
        language: Language of the result.
        documents: What it may look at.
        share: Its part of what is left of the budget, 0..1.
        said: The user's own words, where the turn asks.
        found: What the specialist found that asks it.
        spent: What the request had used when it was asked.
    """

    text: str
    language: Language
    documents: Sequence[DocumentNote]
    share: float = 1.0
    said: str = ""
    found: AgentResult | None = None
    spent: Spent | None = None


class Crew:
    """The specialists, by name, each with its graph."""

    def __init__(self, agents: Sequence[Agent] = BUILT_IN) -> None:
        """Compile the graph of each."""
        self.members = {agent.name: (agent, work_graph(agent, ask_agent)) for agent in agents}

    @property
    def names(self) -> list[str]:
        """Their names, in a stable order."""
        return list(self.members)

    @property
    def descriptions(self) -> dict[str, str]:
        """What each is for, as models read it."""
        return {name: agent.description for name, (agent, _) in self.members.items()}


async def work(
    agent: Agent, graph: WorkGraph, task: Task, runtime: Runtime[Context], *, run_id: str = ""
) -> AgentResult:
    """Let a specialist do a task; whatever becomes of it, there is a result.

    Args:
        agent: Which one.
        graph: Its graph.
        task: What it is to do.
        runtime: Of who asks: the turn, or another specialist.
        run_id: Of this run; empty: a new one.

    Raises:
        GraphBubbleUp: The run pauses, for a question to the user.
    """
    meter, asker = runtime.context.meter, runtime.context.agent_run
    if task.spent is not None:
        meter.restore(task.spent)
    run = AgentRun(
        id=run_id or uuid.uuid4().hex, agent=agent.name, task=task.text, status="running", seconds=0.0, code=""
    )
    if asker:
        run["parent"] = asker
    if not meter.add_agent():
        return result_of(None, run, task.language, "too_many_agents")
    if agent.writes and runtime.context.services.chat.kind == "extractive":
        return result_of(None, run, task.language, "needs_model")
    async with nullcontext() if asker else meter.places:  # who is asked works in the place of the one that asks
        return await _done(graph, _context(agent, task, runtime.context, run["id"]), task, run, runtime)


async def _done(
    graph: WorkGraph, context: Context, task: Task, run: AgentRun, runtime: Runtime[Context]
) -> AgentResult:
    """Do the work, and report its start and its end."""
    started, last, code = time.perf_counter(), None, ""
    emit(runtime, "agent", run)
    try:
        work = await _begun(context, task)
        async with asyncio.timeout(context.meter.left("seconds")):
            async for mode, chunk in graph.astream(work, context=context, stream_mode=["custom", "values"]):
                if mode == "custom":
                    runtime.stream_writer(chunk)
                else:
                    last = cast("Work", chunk)
    except GraphBubbleUp:
        runtime.context.meter.drop_agent()
        raise
    except TimeoutError:
        code = "agent_timed_out"
    except AppError as exc:
        code = exc.code
    except Exception:
        logger.exception("agent %s failed", run["agent"])
        code = "agent_failed"
    run["seconds"] = round(time.perf_counter() - started, 3)
    result = result_of(last, run, task.language, code)
    emit(runtime, "agent", result["run"])
    return result


def _context(agent: Agent, task: Task, context: Context, run_id: str) -> Context:
    """Return the context of a specialist's nodes: its instructions, tools, model and share, and nothing else."""
    services, meter = context.services, context.meter
    longest = min(agent.seconds, services.settings.agent_timeout, max(0.0, meter.working_seconds()))
    limits = Limits(seconds=longest, agents=0 if context.agent_run else 1)
    for resource in ("tokens", "calls", "money"):
        left = meter.left(resource)
        if left != float("inf"):
            limits[resource] = left * task.share
    specs = [spec for spec in services.tools.specs() if spec.permission in agent.permissions]
    allowed = [spec.name for spec in specs if any(fnmatchcase(spec.name, glob) for glob in agent.tools)]
    if context.tools is not None:
        allowed = [name for name in allowed if name in context.tools]
    chat = _chat(agent, services.chat)
    return replace(
        context,
        system_prompt=agent.prompt.text(task.language),
        persona=None,
        agent=None,
        answer_tokens=None,
        tools=tuple(allowed),
        handled=(),
        agent_run=run_id,
        said=context.said or task.said,
        functions=agent.functions,
        share=meter.share(limits),
        model_options=ModelOptions(),
        services=services if chat is services.chat else replace(services, chat=chat),
    )


def _chat(agent: Agent, chat: Chat) -> Chat:
    if not agent.model or chat.named is None:
        return chat
    window = agent.context_tokens or chat.context_tokens
    return replace(chat, model=chat.named(agent.model), name=agent.model, context_tokens=window)


async def _begun(context: Context, task: Task) -> Work:
    """Return what a specialist begins with: its task, the documents, and what was found by the one that asks it."""
    language, found = task.language, task.found
    offered = await context.services.tools.selected(
        task.text, documents=bool(task.documents), names=context.tools, kept=[]
    )
    text = f"{fenced(found['text'])}\n\n{task.text}" if found is not None else task.text
    if context.meter.left("agents") >= 1 and not context.services.tools.unknown([DELEGATE]):
        offered = [*offered, DELEGATE]
    work = cast("Work", {**new_turn(), "messages": [HumanMessage(text)], "attachments": [], "parts": []})
    work["language"], work["question"] = language, {**question_of(task.text, language, []), "text": text}
    work["documents"], work["offered_tools"] = list(task.documents), offered
    work["sources"] = list(found["sources"]) if found is not None else []
    work["call_results"], work["spent"] = [], context.meter.spent()
    return work


async def ask_agent(state: AskInput, runtime: Runtime[Context]) -> Update:
    """Let a specialist ask another one, once, with what it has found; the answer comes back as a result like others."""
    call, language, started = state["call"], state["language"], time.perf_counter()
    members, name, text = runtime.context.services.agents.members, call["args"].get("agent"), call["args"].get("task")
    if name not in members or not isinstance(text, str) or not text.strip():
        said = UNKNOWN_AGENT.text(language).format(names=", ".join(members))
        return Update(call_results=[step_result(state, said, started, code="unknown_agent")])
    task = Task(text=text, language=language, documents=state["documents"], found=state["found"])
    result = await work(*members[name], task, runtime)
    return Update(call_results=[call_result(state["index"], call, result)])


class AgentNode(Protocol):
    """The node of a specialist."""

    def __call__(self, state: AgentInput, *, runtime: Runtime[Context]) -> Awaitable[Update]:
        """Return what the specialist found, as result of the call."""


def agent_node(agent: Agent, graph: WorkGraph) -> AgentNode:
    """Return the node of the turn's graph that hands a call of `delegate` to a specialist.

    It refers to the specialist's `graph`, so that drawings show what is inside.
    """

    async def run_agent(state: AgentInput, runtime: Runtime[Context]) -> Update:
        call = state["call"]
        task = Task(
            text=str(call["args"]["task"]), language=state["language"], documents=state["documents"],
            share=state["share"], said=state["said"], spent=state["spent"],
        )  # fmt: skip
        result = await work(agent, graph, task, runtime, run_id=str(call["id"]))
        return Update(call_results=[call_result(state["index"], call, result)])

    return run_agent
