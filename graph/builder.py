"""The graph, wired. Retries, timeouts and error handlers are arguments here; the work is in `nodes`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache, wraps
from importlib import import_module
from typing import Protocol, cast

from langchain_core.runnables.graph import Graph as DrawableGraph
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, RetryPolicy, Send
from typing_extensions import TypedDict

from agents.crew import Crew, agent_node
from domain.errors import AppError, MemoryUnavailable
from domain.words import Language
from graph.routing import Next, route_answer, route_by_modality
from nodes.detect_modality import detect_modality
from nodes.gather_results import gather_results
from nodes.generate_answer import generate_answer
from nodes.ingest_document import ingest_document
from nodes.read_image import read_image
from nodes.recall import recall
from nodes.remember import remember
from nodes.run_tool import run_tool
from nodes.select_tools import select_tools
from nodes.verify_citations import verify_citations
from turn.context import Context
from turn.state import InputState, OutputState, State, Update
from turn.unread import note_unread

READ_SECONDS = 240.0
"""Hard limit of the two reading nodes. A document is given up for the turn long before, after `READ_WAIT`; a picture
has only this and the limits of OCR and vision."""

Graph = CompiledStateGraph[State, Context, InputState, OutputState]
Node = Callable[[State, Runtime[Context]], Awaitable[Update]]


class RoutedNode(Protocol):
    """A node that says itself what comes next."""

    def __call__(self, state: State, *, runtime: Runtime[Context]) -> Awaitable[Command[str]]:
        """Return the update and the nodes that come next."""


class DrawnNode(TypedDict):
    """A node, its name for people in both languages (`TITLE` of its file), and whether it is a specialist."""

    name: str
    title: dict[Language, str]
    agent: bool


class Drawing(TypedDict):
    """The graph as a page draws it; an edge is (from, to)."""

    nodes: list[DrawnNode]
    edges: list[tuple[str, str]]


def build_graph(
    checkpointer: BaseCheckpointSaver[str] | None = None, crew: Crew | None = None, *, spoken_errors: bool = False
) -> Graph:
    """Compile the graph of a turn, with memory when there is a checkpointer.

    Args:
        checkpointer: Keeps the memory of threads.
        crew: The specialists, each a node; None: those of the product.
        spoken_errors: Whether a turn fails with a RuntimeError that says why in its language, not with an AppError:
            LangGraph's own server passes on what Python's errors say, and of others nothing.
    """
    crew = crew or Crew()
    graph = StateGraph(State, context_schema=Context, input_schema=InputState, output_schema=OutputState)
    graph.add_node(
        _routed(detect_modality, route_by_modality, spoken_errors),
        destinations=("ingest_document", "read_image", "recall", "select_tools"),
    )
    graph.add_node(ingest_document, timeout=READ_SECONDS, error_handler=note_unread)
    graph.add_node(read_image, timeout=READ_SECONDS, error_handler=note_unread)
    graph.add_node(recall, retry_policy=RetryPolicy(max_attempts=2, initial_interval=0.1, retry_on=MemoryUnavailable))
    graph.add_node(select_tools)
    graph.add_node(
        _routed(generate_answer, route_answer, spoken_errors),
        destinations=("run_tool", *crew.names, "verify_citations", "remember", END),
    )
    graph.add_node(run_tool)
    for agent, inside in crew.members.values():
        graph.add_node(agent.name, agent_node(agent, inside), metadata={"title": agent.title._asdict()})
        graph.add_edge(agent.name, "gather_results")
    graph.add_node(gather_results)
    graph.add_node(verify_citations)
    graph.add_node(remember)

    graph.add_edge(START, "detect_modality")
    for reader in ("ingest_document", "read_image"):
        graph.add_edge(reader, "recall")
        graph.add_edge(reader, "select_tools")
    # Both run in one superstep, which ends when both have, so that the answer waits for both and comes once.
    graph.add_edge("recall", "generate_answer")
    graph.add_edge("select_tools", "generate_answer")
    graph.add_edge("run_tool", "gather_results")
    graph.add_edge("gather_results", "generate_answer")
    graph.add_edge("verify_citations", "remember")
    graph.add_edge("remember", END)
    return graph.compile(checkpointer=checkpointer, name="agent")


def _routed(node: Node, route: Callable[[State, Context], Next], spoken_errors: bool) -> RoutedNode:
    """Return `node` with its update and what comes next in one `Command`.

    A conditional edge would read the whole state once more and run the router as a traced task of its own: 6 % of a
    plain turn (docs/decisions/0009). The router sees the state with the update laid over it, and the messages of the
    node behind those before it. What comes as `Send` (files to be read, tools, specialists) may take long: from here on
    the run is saved after every step.
    """

    @wraps(node)
    async def run(state: State, runtime: Runtime[Context]) -> Command[str]:
        try:
            update = await node(state, runtime)
        except AppError as exc:
            if not spoken_errors:
                raise
            told = exc.body(state.get("language", "en"))
            raise RuntimeError(f"{told['message']} {told['remedy']}") from exc
        messages = [*state["messages"], *update["messages"]]
        after = cast("State", {**state, **update, "messages": messages})
        following = route(after, runtime.context)
        if runtime.context.durability is not None and any(isinstance(task, Send) for task in following):
            runtime.context.durability.keep()
        return Command(update=update, goto=following)

    return run


def diagram(graph: Graph) -> str:
    """Return the graph as Mermaid text."""
    return _drawn(graph).draw_mermaid()


@cache
def drawing(graph: Graph) -> Drawing:
    """Return the graph as data: its nodes in the order in which they were added, and its edges."""
    drawn = _drawn(graph)
    names = [name for name in drawn.nodes if name not in (START, END)]
    return {
        "nodes": [{"name": name, "title": _title(drawn, name), "agent": _is_agent(drawn, name)} for name in names],
        "edges": [(edge.source, edge.target) for edge in drawn.edges if {edge.source, edge.target} <= set(names)],
    }


def _title(drawn: DrawableGraph, name: str) -> dict[Language, str]:
    """The title of a specialist stands beside its node, that of a step in its file."""
    metadata = drawn.nodes[name].metadata or {}
    title: dict[Language, str] = metadata.get("title") or import_module(f"nodes.{name}").TITLE._asdict()
    return title


def _is_agent(drawn: DrawableGraph, name: str) -> bool:
    return "title" in (drawn.nodes[name].metadata or {})


def _drawn(graph: Graph) -> DrawableGraph:
    """The graph without the error handlers that stand behind two of its nodes."""
    drawn = graph.get_graph()
    for name in [name for name in drawn.nodes if name.startswith("__error_handler__")]:
        drawn.remove_node(drawn.nodes[name])
    return drawn
