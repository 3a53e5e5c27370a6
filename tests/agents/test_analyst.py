from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from agents.analyst import Chart, svg_of
from tests.agents.conftest import call, delegated, results_in, take_turn
from tests.nodes.conftest import Parts

SALES = {
    "kind": "bar",
    "title": "各区域销售额",
    "labels": ["东区", "<b>西区</b>"],
    "series": [{"name": "Q3", "values": [10, 20]}],
}


@pytest.mark.parametrize("kind", ["bar", "line", "pie"])
def test_a_chart_is_a_picture_without_scripts_or_outside_parts(kind: str) -> None:
    tree = etree.fromstring(svg_of(Chart.model_validate({**SALES, "kind": kind})))
    names = {etree.QName(element).localname for element in tree.iter() if isinstance(element.tag, str)}
    assert tree.tag.endswith("svg") and not names & {"script", "image", "foreignObject", "b"}
    assert "各区域销售额" in "".join(tree.itertext())
    assert not [value for element in tree.iter() for name, value in element.attrib.items() if name.endswith("href")]


async def test_a_chart_is_drawn_and_kept_as_a_file(parts: Parts) -> None:
    def analyst(seen: Any) -> Any:
        steps = [call("draw_chart", **{**SALES, "labels": ["东区"]}), call("draw_chart", **SALES)]
        return steps[results_in(seen)] if results_in(seen) < 2 else "Drawn."

    output = await take_turn(
        parts, {"turn": lambda _: delegated(("analyst", "画图"), direct=True), "analyst": analyst}, "把销售额画成图表"
    )
    assert output["answer"] == "Drawn."
    assert [file["name"] for file in output["artifacts"]] == ["各区域销售额.svg"]
    assert [(run["name"], run["status"]) for run in output["tool_runs"]] == [
        ("draw_chart", "error"),
        ("draw_chart", "ok"),
    ]
    assert b"<svg" in parts.attachments.files[output["artifacts"][0]["id"]][1]
