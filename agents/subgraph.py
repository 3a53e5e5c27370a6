"""The graph of a specialist: its model and its tools take turns, with the steps of its own between them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from langchain_core.messages import AIMessage, ToolCall
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Send

from agents.interface import Agent, AskInput, Work, node_name, step_result
from agents.results import result_of
from agents.texts import BAD_PLAN
from domain.agents import AgentRun
from nodes.gather_results import gather_results
from nodes.generate_answer import generate_answer
from nodes.run_tool import run_tool
from tools.delegate import NAME as DELEGATE
from turn.calls import RUN_TOOL, call_tasks
from turn.context import Context
from turn.state import CallInput, Update

WorkGraph = CompiledStateGraph[Work, Context, Work, Work]


def work_graph(agent: Agent, ask: Callable[[AskInput, Runtime[Context]], Awaitable[Update]]) -> WorkGraph:
    """Compile the graph of a specialist. It has no checkpointer of its own: it inherits that of the turn.

    Args:
        agent: The specialist.
        ask: The node at which it asks another one.
    """
    graph: Any = StateGraph(Work, context_schema=Context)
    graph.add_node("think", generate_answer)
    graph.add_node(run_tool)
    graph.add_node(gather_results)
    graph.add_node(node_name(ask), ask)
    graph.add_edge(node_name(ask), "gather_results")
    own = {DELEGATE: node_name(ask), **{step.function.name: node_name(step.run) for step in agent.steps}}
    for step in agent.steps:
        graph.add_node(node_name(step.run), step.run)
        graph.add_edge(node_name(step.run), "gather_results")
    spread = agent.spread
    if spread is not None:
        graph.add_node(node_name(spread.part), spread.part)
        graph.add_node(node_name(spread.join), spread.join)
        graph.add_edge(node_name(spread.part), node_name(spread.join))
        graph.add_edge(node_name(spread.join), END)
        graph.add_node(refuse_plan)
        graph.add_edge("refuse_plan", "gather_results")
        own[spread.function.name] = "refuse_plan"

    def next_step(work: Work, runtime: Runtime[Context]) -> Sequence[Send | str]:
        last, context = work["messages"][-1], runtime.context
        calls = last.tool_calls if isinstance(last, AIMessage) else []
        if not calls:
            return [END]
        if spread is not None and (call := _call_of(spread.function.name, calls)):
            if parts := spread.tasks(work, context, call):
                return parts
        tasks = call_tasks(work, context, lambda call: own.get(call["name"]))
        return [_with_found(task, work, agent) if task.node == node_name(ask) else task for task in tasks]

    ends = [RUN_TOOL, *own.values(), *([node_name(spread.part)] if spread else []), END]
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", next_step, ends)
    graph.add_edge(RUN_TOOL, "gather_results")
    graph.add_edge("gather_results", "think")
    compiled: WorkGraph = graph.compile(name=agent.name)
    return compiled


async def refuse_plan(state: CallInput, runtime: Runtime[Context]) -> Update:
    """Tell the model that its plan of parts cannot be carried out."""
    text = BAD_PLAN.text(state["language"]).format(name=state["call"]["name"])
    return Update(call_results=[step_result(state, text, time.perf_counter(), code="bad_arguments")])


def _with_found(task: Send, work: Work, agent: Agent) -> Send:
    run = AgentRun(id="", agent=agent.name, task=work["question"]["text"], status="ok", seconds=0.0, code="")
    found = result_of(work, run, work["language"])
    return Send(task.node, {**task.arg, "documents": work["documents"], "found": found})


def _call_of(name: str, calls: Sequence[ToolCall]) -> ToolCall | None:
    return next((call for call in calls if call["name"] == name), None)
