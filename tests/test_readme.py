from __future__ import annotations

from pathlib import Path

from graph.builder import build_graph, diagram

README = Path(__file__).resolve().parents[1] / "README.md"


def test_the_diagram_is_what_the_graph_draws() -> None:
    drawn = README.read_text("utf-8").split("<!-- diagram -->")[1].split("<!-- /diagram -->")[0]
    assert drawn.strip() == f"```mermaid\n{diagram(build_graph()).strip()}\n```"


def test_every_linked_file_is_there() -> None:
    import re

    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README.read_text("utf-8")):
        assert (README.parent / target).exists(), target
