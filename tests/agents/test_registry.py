from __future__ import annotations

from pathlib import Path

import pytest
from langchain_core.messages import AIMessage

from agents.crew import Crew
from agents.interface import Agent
from agents.registry import BUILT_IN, load_agents
from graph.builder import build_graph, drawing
from tests.agents.conftest import PROMPTS, call, delegated, results_in, take_turn
from tests.nodes.conftest import Parts

FILE = """
lawyer:
  title: {en: Lawyer, zh: 律师}
  description: checks contracts
  prompt: {en: You check contracts., zh: 你负责审查合同。}
  tools: ["search_*", calculate]
  permissions: [read]
  seconds: 30
coder:
  model: large-coder
  context_tokens: 64000
"""


def test_the_operator_adds_and_changes_specialists(tmp_path: Path) -> None:
    path = tmp_path / "agents.yaml"
    path.write_text(FILE, "utf-8")
    agents = {agent.name: agent for agent in load_agents(path)}
    assert list(agents) == [*(agent.name for agent in BUILT_IN), "lawyer"]
    assert agents["coder"].model == "large-coder" and agents["coder"].prompt.zh.startswith("你是一名软件工程师")
    assert agents["lawyer"].prompt.zh == "你负责审查合同。" and agents["lawyer"].permissions == {"read"}
    drawn = {node["name"]: node["title"] for node in drawing(build_graph(crew=Crew(list(agents.values()))))["nodes"]}
    assert drawn["lawyer"] == {"en": "Lawyer", "zh": "律师"}


@pytest.mark.parametrize(
    "text",
    ["lawyer: {prompt: x}", "Lawyer: {}", "lawyer: {descripton: typo}", "coder: {permissions: [all]}", "[1]", "a: ]"],
)
def test_a_file_that_cannot_be_meant_is_refused_at_start(tmp_path: Path, text: str) -> None:
    path = tmp_path / "agents.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match="AGENTS_FILE"):
        load_agents(path)
    with pytest.raises(ValueError, match="AGENTS_FILE"):
        load_agents(tmp_path / "missing.yaml")


@pytest.fixture
def with_lawyer(tmp_path: Path) -> list[Agent]:
    path = tmp_path / "agents.yaml"
    path.write_text(FILE, "utf-8")
    return load_agents(path)


async def test_one_of_the_operators_works_like_ours(
    parts: Parts, with_lawyer: list[Agent], monkeypatch: pytest.MonkeyPatch
) -> None:
    agents = with_lawyer
    monkeypatch.setitem(PROMPTS, "lawyer", agents[-1].prompt)

    def lawyer(seen: list[AIMessage]) -> str | AIMessage:
        steps = [call("calculate", expression="6*7"), call("current_time")]
        return steps[results_in(seen)] if results_in(seen) < 2 else "42 weeks."

    output = await take_turn(
        parts,
        {"turn": lambda _: delegated(("lawyer", "How long?"), direct=True), "lawyer": lawyer},  # type: ignore[dict-item]
        crew=Crew(agents),
    )
    assert output["answer"] == "42 weeks."
    assert [(run["name"], run["status"]) for run in output["tool_runs"]] == [
        ("calculate", "ok"),
        ("current_time", "refused"),
    ]
