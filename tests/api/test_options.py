"""An option of a turn is named once: a field added to `TurnOptions` alone arrives in the nodes from every surface."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.standins.openai_server import OpenAIServer

ROOT = Path(__file__).resolve().parents[2]
FIELD = '    mood: Annotated[str, Field(max_length=9, description="Tone of the answer.")] = "plain"\n'
CALLS = """
import functools, json, sys
from pathlib import Path

import nodes.select_tools

select_tools, seen = nodes.select_tools.select_tools, []


@functools.wraps(select_tools)
async def watched(state, runtime):
    seen.append(runtime.context.mood)
    return await select_tools(state, runtime)


nodes.select_tools.select_tools = watched

from fastapi.testclient import TestClient
from server import create_app
from settings import Settings

settings = Settings(
    data_dir=Path(sys.argv[1]), llm_base_url=sys.argv[2], llm_api_key="key", llm_model="stand-in", ocr_engine="off",
    tts_engine="off", stt_engine="off", web_search="off", _env_file=None,
)
with TestClient(create_app(settings), base_url="http://localhost") as client:
    body = {"message": "Hi", "mood": "json"}
    found = [
        client.post("/api/v1/chat", json=body),
        client.post("/api/v1/chat_with_file", data={**body, "mood": "form"}, files={"file": ("a.txt", b"Some text.")}),
        client.post("/agent/invoke", json={"input": {"message": "Hi"}, "config": {"configurable": {"mood": "agent"}}}),
        client.post("/api/v1/chat", json={"message": "Hi"}),
        client.post("/api/v1/chat", json={**body, "mood": "far too long"}),
        client.post("/agent/invoke", json={"input": {"message": "Hi"}, "config": {"configurable": {"mood": "x" * 10}}}),
    ]
    print(json.dumps([[response.status_code for response in found], seen]))
"""


def test_a_field_added_in_one_place_arrives_from_every_surface(tmp_path: Path, model: OpenAIServer) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "tests", "bench", "docs"))
    options = copy / "turn" / "options.py"
    text = options.read_text("utf-8")
    end = text.index("\n\n\n", text.index("class TurnOptions")) + 1
    options.write_text(text[:end] + FIELD + text[end:], "utf-8")
    run = subprocess.run(
        [sys.executable, "-c", CALLS, str(tmp_path / "data"), model.base_url],
        cwd=copy, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    statuses, seen = json.loads(run.stdout.splitlines()[-1])
    assert statuses == [200, 200, 200, 200, 422, 422]
    assert seen == ["json", "form", "agent", "plain"]
