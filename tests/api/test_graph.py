"""The graph of a turn as data: what the page draws."""

from __future__ import annotations

import httpx

from graph.builder import build_graph


async def test_the_graph_is_told_with_names_for_people(client: httpx.AsyncClient) -> None:
    told = (await client.get("/api/v1/graph")).raise_for_status().json()
    drawn = build_graph().get_graph()
    names = [node["name"] for node in told["nodes"]]
    assert names == [name for name in drawn.nodes if not name.startswith("__")]
    assert all(node["title"]["en"] and node["title"]["zh"] for node in told["nodes"])
    assert [node["name"] for node in told["nodes"] if node["agent"]] == ["researcher", "analyst", "writer", "coder"]
    edges = {(edge.source, edge.target) for edge in drawn.edges if edge.source in names and edge.target in names}
    assert edges == {tuple(edge) for edge in told["edges"]} and len(edges) == len(told["edges"]) > len(names)
