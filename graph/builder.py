"""The graph, wired. Retries, timeouts and error handlers are arguments here; the work is in `nodes`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Sequence
from functools import wraps

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import RetryPolicy

from domain.errors import MemoryUnavailable
from graph.routing import route_answer, route_by_modality
from nodes.detect_modality import detect_modality
from nodes.generate_answer import generate_answer
from nodes.ingest_document import ingest_document
from nodes.read_image import read_image
from nodes.recall import recall
from nodes.remember import remember
from nodes.run_tools import run_tools
from nodes.select_tools import select_tools
from nodes.verify_citations import verify_citations
from turn.context import Context
from turn.state import InputState, OutputState, State
from turn.unread import note_unread

READ_SECONDS = 240.0
"""Hard limit of the two reading nodes. A document is given up for the turn long before, after `READ_WAIT`; a picture
has only this and the limits of OCR and vision."""

Destination = Hashable | Sequence[Hashable]
Graph = CompiledStateGraph[State, Context, InputState, OutputState]


def build_graph(checkpointer: BaseCheckpointSaver[str] | None = None) -> Graph:
    """Compile the graph of a turn, with memory when there is a checkpointer."""
    graph = StateGraph(State, context_schema=Context, input_schema=InputState, output_schema=OutputState)
    graph.add_node(detect_modality)
    graph.add_node(ingest_document, timeout=READ_SECONDS, error_handler=note_unread)
    graph.add_node(read_image, timeout=READ_SECONDS, error_handler=note_unread)
    graph.add_node(recall, retry_policy=RetryPolicy(max_attempts=2, initial_interval=0.1, retry_on=MemoryUnavailable))
    graph.add_node(select_tools)
    graph.add_node(generate_answer)
    graph.add_node(run_tools)
    graph.add_node(verify_citations)
    graph.add_node(remember)

    graph.add_edge(START, "detect_modality")
    graph.add_conditional_edges(
        "detect_modality", _at_once(route_by_modality), ["ingest_document", "read_image", "recall"]
    )
    graph.add_edge("ingest_document", "recall")
    graph.add_edge("read_image", "recall")
    graph.add_edge("recall", "select_tools")
    graph.add_edge("select_tools", "generate_answer")
    graph.add_conditional_edges("generate_answer", _at_once(route_answer))
    graph.add_edge("run_tools", "generate_answer")
    graph.add_edge("verify_citations", "remember")
    graph.add_edge("remember", END)
    return graph.compile(checkpointer=checkpointer, name="agent")


def _at_once(route: Callable[[State], Destination]) -> Callable[[State], Awaitable[Destination]]:
    """The router as a coroutine: LangGraph calls a plain function in a thread, which takes longer than to decide."""

    @wraps(route)
    async def decide(state: State) -> Destination:
        return route(state)

    return decide


def diagram(graph: Graph) -> str:
    """Return the graph as Mermaid text, without the error handlers that stand behind two of its nodes."""
    drawn = graph.get_graph()
    for name in [name for name in drawn.nodes if name.startswith("__error_handler__")]:
        drawn.remove_node(drawn.nodes[name])
    return drawn.draw_mermaid()
