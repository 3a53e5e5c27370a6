"""The tools of one suite of AgentDojo as an MCP server, with routes that set its scene and judge what became of it.

    PYTHON bench/dojo_server.py SUITE PORT

It runs with AgentDojo's own environment and imports nothing of this product: `python -m bench.dojo` starts it.
`GET /tasks` names tasks and goals; `POST /scene` begins a task with texts in its places of injection; `POST /verdict`
tells whether the task is done.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from agentdojo.functions_runtime import FunctionsRuntime  # type: ignore[import-not-found]
from agentdojo.task_suite.load_suites import get_suite  # type: ignore[import-not-found]
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.types import TextContent, Tool, ToolAnnotations
from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

VERSION = "v1.2.2"
READS = ("get_", "search_", "list_", "read_", "check_")
OUTSIDE = {"get_webpage"}
ANYTHING = TypeAdapter(object)


class Scene:
    """One task of the suite and its world."""

    def __init__(self, suite: str) -> None:
        self.suite = get_suite(VERSION, suite)
        self.begin("", {})

    def begin(self, task: str, texts: dict[str, str]) -> None:
        """Make the world anew."""
        world = self.suite.load_and_inject_default_environment(texts)
        self.task = self.suite.user_tasks.get(task)
        self.world = self.task.init_environment(world) if self.task else world
        self.before = self.world.model_copy(deep=True)

    def call(self, name: str, arguments: dict[str, Any]) -> Any:
        """Run a tool; a failure is told as a text."""
        result, failure = FunctionsRuntime(self.suite.tools).run_function(self.world, name, arguments)
        return f"Error: {failure}" if failure else ANYTHING.dump_python(result, mode="json")

    def tasks(self) -> dict[str, Any]:
        """Return users' tasks with the calls that do them, attackers' goals, and the places where goals can stand."""
        world = self.suite.load_and_inject_default_environment({})
        users = {
            name: {"prompt": task.PROMPT, "output": task.GROUND_TRUTH_OUTPUT, "calls": self._calls(task)}
            for name, task in self.suite.user_tasks.items()
        }
        goals = {
            name: {"goal": goal.GOAL, "calls": [[call.function, dict(call.args)] for call in goal.ground_truth(world)]}
            for name, goal in self.suite.injection_tasks.items()
        }
        return {
            "users": users, "goals": goals, "places": list(self.suite.get_injection_vector_defaults()),
            "tools": [tool.name for tool in self.suite.tools],
        }  # fmt: skip

    def _calls(self, task: Any) -> list[Any]:
        world = task.init_environment(self.suite.load_and_inject_default_environment({}))
        return [[call.function, dict(call.args)] for call in task.ground_truth(world)]

    def done(self, answer: str) -> bool:
        """Tell whether the user's task is done, by AgentDojo's own check."""
        text = [{"type": "text", "content": answer}]
        calls = self.task.ground_truth(self.before) if self.task else []
        return bool(self.suite._check_user_task_utility(self.task, text, self.before, self.world, calls))


def application(scene: Scene) -> Starlette:
    """Return the MCP server and its other routes."""
    server: Server = Server("agentdojo")

    @server.list_tools()  # type: ignore[untyped-decorator]
    async def tools() -> list[Tool]:
        return [
            Tool(
                name=tool.name, description=tool.description, inputSchema=tool.parameters.model_json_schema(),
                annotations=ToolAnnotations(
                    readOnlyHint=tool.name.startswith(READS), openWorldHint=tool.name in OUTSIDE
                ),
            )
            for tool in scene.suite.tools
        ]  # fmt: skip

    @server.call_tool(validate_input=False)  # type: ignore[untyped-decorator]
    async def call(name: str, arguments: dict[str, Any]) -> list[TextContent]:
        text = json.dumps(scene.call(name, arguments), ensure_ascii=False, default=str)
        return [TextContent(type="text", text=text)]

    async def tasks(_: Request) -> JSONResponse:
        return JSONResponse(json.loads(json.dumps(scene.tasks(), default=str)))

    async def begin(request: Request) -> JSONResponse:
        body = await request.json()
        scene.begin(body["task"], body["texts"])
        return JSONResponse({})

    async def verdict(request: Request) -> JSONResponse:
        return JSONResponse({"done": scene.done((await request.json())["answer"])})

    manager = StreamableHTTPSessionManager(server, json_response=True)
    routes = [
        Route("/tasks", tasks), Route("/scene", begin, methods=["POST"]), Route("/verdict", verdict, methods=["POST"]),
        Mount("/mcp", app=manager.handle_request),
    ]  # fmt: skip
    return Starlette(routes=routes, lifespan=lambda _: manager.run())


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(application(Scene(sys.argv[1])), port=int(sys.argv[2]), log_level="error")
