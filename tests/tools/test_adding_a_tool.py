"""A new tool is one file and one line: done on a copy of the project, and called there through the whole graph."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOL = '''"""Tool: turn a text round."""

from langchain_core.tools import tool

from domain.words import Words
from tools.interface import Found, ToolSpec


@tool(response_format="content_and_artifact", parse_docstring=True)
async def turn_round(text: str) -> tuple[str, Found]:
    """Turn a text round (把文字倒过来).

    Args:
        text: What to turn round.
    """
    return Found(text[::-1]).answer()


SPEC = ToolSpec(
    tool=turn_round,
    title=Words("Turn round", "倒转文字"),
    permission="read",
    examples=("Turn this text round", "把这句话倒过来"),
    fits=lambda turn: not turn.documents,
    needs=Words("The conversation must have no document.", "会话中不能有文档。"),
)
'''
TURN = """
import asyncio, json
from langchain_core.messages import AIMessage, HumanMessage
from graph.builder import build_graph
from settings import Settings
from tests.nodes.conftest import Parts, ScriptedModel

async def main():
    call = {"name": "turn_round", "args": {"text": "stressed"}, "id": "c1", "type": "tool_call"}
    steps = [AIMessage("", tool_calls=[call]), AIMessage("It reads: desserts.")]
    parts = Parts(Settings(web_search="off", _env_file=None), ScriptedModel(steps=steps, prompts=[], bound=[]))
    context = parts.runtime().context
    asked = {"messages": [HumanMessage("Turn stressed round")]}
    state = await build_graph().ainvoke(asked, {"configurable": {"thread_id": "t"}}, context=context)
    row = next(row for row in context.services.tools.describe("zh") if row["name"] == "turn_round")
    print(json.dumps({"answer": state["answer"], "runs": state["tool_runs"], "row": row, "bound": parts.model.bound[0],
                      "prompt": str(parts.model.prompts[1][-1].content)}))

asyncio.run(main())
"""


def test_one_file_and_one_line(tmp_path: Path) -> None:
    for path in ROOT.iterdir():
        if (path.is_dir() and (path / "__init__.py").exists()) or path.suffix == ".py":
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / "tools").unlink()
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tools" / "turn_round.py").write_text(TOOL, "utf-8")
    registry = tmp_path / "tools" / "registry.py"
    line = '    "calculate",\n'
    before = registry.read_text("utf-8")
    assert before.count(line) == 1
    registry.write_text(before.replace(line, f'{line}    "turn_round",\n'), "utf-8")

    done = subprocess.run(
        [sys.executable, "-c", TURN], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["bound"] == ["current_time", "calculate", "turn_round", "fetch_url"]
    assert told["runs"][0] | {"seconds": 0} == {
        "name": "turn_round", "arguments": {"text": "stressed"}, "status": "ok", "seconds": 0, "cached": False,
        "call_id": "c1", "synopsis": "desserts",
    }  # fmt: skip
    assert "desserts" in told["prompt"] and told["answer"] == "It reads: desserts."
    assert (told["row"]["title"], told["row"]["state"]) == ("倒转文字", "conditional")
