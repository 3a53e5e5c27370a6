"""Five specialists, four of them broken in four ways: what becomes of the fifth one's result, and when.

    python -m bench.agents [--runs 500] [--at-once 4] [--peer-runs 20]

One raises in its own code, one never gets an answer of its model, one calls tools for ever, and the connection of one
is cut in the middle of its answer; the fifth does its task. All five are called in one round of a turn, on a real graph
with real services and a chat model at an HTTP endpoint. The peer is the usual way: `create_agent` of LangChain, with
each specialist as a tool that is an agent of its own.

Printed: in how many runs the answer holds what the fifth found and names what became of the others, and how long that
took; bars: every run, within twice the time of one specialist.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import re
import sys
import tempfile
import time
import uuid
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langgraph.runtime import Runtime

from agents.crew import Crew
from agents.interface import Agent, OwnStep
from domain.words import Words
from graph.builder import build_graph
from services import open_services
from settings import Settings
from stores.redis.server import open_redis
from tests.standins.openai_server import Answer, Hang, OpenAIServer, Recorded, ToolCall
from tools.delegate import delegate_spec
from tools.interface import ToolSpec
from tools.registry import ToolRegistry, built_in
from turn.context import Context, Services
from turn.state import CallInput, Update

NAMES = ("steady", "raising", "hanging", "looping", "killed")
EXPECTED = {
    "steady": {"ok"}, "raising": {"failed"}, "hanging": {"failed"}, "looping": {"ok", "partial"}, "killed": {"failed"}
}  # fmt: skip
SECONDS = 5.0
"""Time of one specialist."""
SPARE = 5.0
"""What a run may take beyond that."""
PATIENCE = 5.0
"""How long the peer is waited for."""


@tool
def explode() -> None:
    """Do the work."""


async def burst(state: CallInput, runtime: Runtime[Context]) -> Update:
    """Raise, as code with a mistake does."""
    raise KeyError(state["call"]["name"])


def crew() -> Crew:
    """Return the five."""
    step = OwnStep(function=ToolSpec(tool=explode, title=Words("Work", "工作"), permission="read"), run=burst)
    return Crew(
        [
            Agent(
                name=name, title=Words(name, name), description=name, prompt=Words(*[f"You are {name}."] * 2),
                tools=("calculate",), steps=(step,) if name == "raising" else (),
            )
            for name in NAMES
        ]
    )  # fmt: skip


def respond(request: Recorded) -> Any:
    """Answer as the assistant, or as one of the five; the word to be found is in the task."""
    system = str(request.messages[0]["content"])
    role = next((name for name in NAMES if f"You are {name}." in system), "")
    word = next(iter(re.findall(r"word-\w+", request.text)), "")
    if not role:
        told = [str(message["content"]) for message in request.messages if message["role"] == "tool"]
        calls = [ToolCall("delegate", {"agent": name, "task": f"Say {word}"}, id=f"c-{name}") for name in NAMES]
        return Answer("\n".join(told)) if told else Answer(tool_calls=calls)
    answers = {
        "steady": Answer(f"found {word} here"),
        "raising": Answer(tool_calls=[ToolCall("explode")]),
        "hanging": Hang(),
        "looping": Answer(tool_calls=[ToolCall("calculate", {"expression": f"{len(request.messages)}+1"})]),
        "killed": Answer("I was about to say something long", cut_after=2),
    }
    return answers[role]


async def turn(graph: Any, services: Services) -> tuple[float, bool, bool]:
    """Take one turn; return its seconds, whether the result is in the answer, and whether each other one is named."""
    word, began = f"word-{uuid.uuid4().hex[:8]}", time.perf_counter()
    state = await graph.ainvoke({"messages": [HumanMessage(f"All of you: {word}")]}, context=Context(services=services))
    named = len(state["agent_runs"]) == len(NAMES) and all(
        run["status"] in EXPECTED[run["agent"]] for run in state["agent_runs"]
    )
    return time.perf_counter() - began, f"found {word} here" in state["answer"], named


async def ours(base_url: str, folder: Path, runs: int, at_once: int) -> bool:
    """Take all turns, print what came of them, and tell whether the bars are met."""
    settings = Settings(
        data_dir=folder, llm_base_url=base_url, llm_api_key="key", llm_model="stand-in", llm_max_retries=1,
        ocr_engine="off", tts_engine="off", stt_engine="off", web_search="off", agent_timeout=SECONDS, _env_file=None,
    )  # fmt: skip
    five = crew()
    async with await open_redis(settings) as redis, open_services(settings, redis.client) as opened:
        tools = ToolRegistry(settings, opened.documents, specs=[*built_in(), delegate_spec(five.descriptions)])
        services = replace(opened, agents=five, tools=tools)
        graph, places, taken = build_graph(crew=five), asyncio.Semaphore(at_once), list[tuple[float, bool, bool]]()

        async def one() -> None:
            async with places:
                taken.append(await turn(graph, services))

        await asyncio.gather(*(one() for _ in range(runs)))
        await tools.aclose()
    seconds = [row[0] for row in taken]
    found, named = (sum(row[place] for row in taken) for place in (1, 2))
    p50, p95 = np.percentile(seconds, [50, 95])
    late = sum(one > SECONDS + SPARE for one in seconds)
    print(
        f"ours: {found} of {runs} answers hold the surviving result, {named} of {runs} tell what became of the others"
    )
    print(f"      seconds p50 {p50:.2f}, p95 {p95:.2f}, most {max(seconds):.2f}; {late} later than {SECONDS + SPARE:g}")
    return found == named == runs and not late


async def peer(base_url: str, runs: int) -> None:
    """Take turns with LangChain's own agents as tools of an agent, and print what came of them."""
    from langchain.agents import create_agent
    from langchain_core.tools import StructuredTool
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(base_url=base_url, api_key="key", model="stand-in", max_retries=0)

    @tool
    def calculate(expression: str) -> str:
        """Compute."""
        return expression

    def specialist(name: str) -> StructuredTool:
        tools = [calculate] if name == "looping" else [explode] if name == "raising" else []
        agent = create_agent(model, tools, system_prompt=f"You are {name}.")

        async def work(task: str) -> str:
            if name == "raising":
                raise KeyError(name)
            state = await agent.ainvoke({"messages": [HumanMessage(task)]})
            return str(state["messages"][-1].text)

        return StructuredTool.from_function(coroutine=work, name=name, description=f"Ask {name}.")

    outcomes: Counter[str] = Counter()
    for _ in range(runs):
        word = f"word-{uuid.uuid4().hex[:8]}"
        lead = create_agent(model, [specialist(name) for name in NAMES], system_prompt="Delegate.")
        try:
            async with asyncio.timeout(PATIENCE):
                state = await lead.ainvoke({"messages": [HumanMessage(f"All of you: {word}")]})
            outcomes["kept" if f"found {word} here" in str(state["messages"][-1].text) else "lost"] += 1
        except TimeoutError:
            outcomes[f"nothing within {PATIENCE:g} s"] += 1
        except Exception as exc:  # noqa: BLE001  # what a turn dies of is what is counted
            outcomes[f"died of {type(exc).__name__}"] += 1
    print(f"peer: {outcomes['kept']} of {runs} answers hold the surviving result: {dict(outcomes)}")


def peer_respond(request: Recorded) -> Any:
    """As `respond`, with each specialist a tool of its own name."""
    answer = respond(request)
    if isinstance(answer, Answer) and any(call.name == "delegate" for call in answer.tool_calls):
        made = [(dict(call.arguments), call.id) for call in answer.tool_calls if not isinstance(call.arguments, str)]
        calls = [ToolCall(given["agent"], {"task": given["task"]}, id=number) for given, number in made]
        return Answer(tool_calls=calls)
    return answer


def main() -> None:
    """Run both; exit 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--peer-runs", type=int, default=20)
    chosen = parser.parse_args()
    logging.disable(logging.CRITICAL)  # each failure is wanted, and logged
    with OpenAIServer() as server, tempfile.TemporaryDirectory() as folder:
        server.respond = respond
        met = asyncio.run(ours(server.base_url, Path(folder), chosen.runs, chosen.at_once))
        server.respond = peer_respond
        asyncio.run(peer(server.base_url, chosen.peer_runs))
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
