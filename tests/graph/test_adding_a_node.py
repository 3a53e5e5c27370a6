"""A new node is one file, its keys and its edges: done on a copy of the project, and drawn there for the page."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NODE = '''"""Count the letters of a checked answer."""

from __future__ import annotations

from langgraph.runtime import Runtime

from domain.words import Words
from turn.context import Context
from turn.state import State, Update

TITLE = Words("Count letters", "数字母")


async def count_letters(state: State, runtime: Runtime[Context]) -> Update:
    """Count them."""
    return Update(letters=len(state["answer"]))
'''
EDITS = {
    "turn/state.py": [("    reasoning: str\n", "    letters: int\n    reasoning: str\n")],
    "graph/builder.py": [
        ("from nodes.detect_modality", "from nodes.count_letters import count_letters\nfrom nodes.detect_modality"),
        ("    graph.add_node(remember)\n", "    graph.add_node(remember)\n    graph.add_node(count_letters)\n"),
        (
            '    graph.add_edge("remember", END)\n',
            '    graph.add_edge("remember", "count_letters")\n    graph.add_edge("count_letters", END)\n',
        ),
    ],
}
TURN = """
import asyncio, json
from langchain_core.messages import AIMessage, HumanMessage
from graph.builder import build_graph, drawing
from settings import Settings
from tests.nodes.conftest import Parts, ScriptedModel

async def main():
    parts = Parts(Settings(_env_file=None), ScriptedModel(steps=[AIMessage("Hello [1]!")], prompts=[], bound=[]))
    graph = build_graph()
    asked = {"messages": [HumanMessage("hi")]}
    chunks = [chunk async for chunk in graph.astream(asked, context=parts.runtime().context, stream_mode="updates")]
    print(json.dumps({"steps": chunks[-1], "drawing": drawing(graph)}))

asyncio.run(main())
"""


def test_one_file_its_keys_and_its_edges(tmp_path: Path) -> None:
    copied = {"nodes", "turn", "graph"}
    for path in ROOT.iterdir():
        if path.name in copied:
            shutil.copytree(path, tmp_path / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (path.is_dir() and (path / "__init__.py").exists()) or path.suffix == ".py":
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / "nodes" / "count_letters.py").write_text(NODE, "utf-8")
    for name, changes in EDITS.items():
        text = (tmp_path / name).read_text("utf-8")
        for before, after in changes:
            assert text.count(before) == 1, (name, before)
            text = text.replace(before, after)
        (tmp_path / name).write_text(text, "utf-8")

    done = subprocess.run(
        [sys.executable, "-c", TURN], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["steps"] == {"count_letters": {"letters": len("Hello [1]!")}}
    drawn = told["drawing"]
    assert drawn["nodes"][-1] == {
        "name": "count_letters",
        "title": {"en": "Count letters", "zh": "数字母"},
        "agent": False,
    }
    assert ["remember", "count_letters"] in drawn["edges"]
