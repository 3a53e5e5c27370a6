"""The researcher: looks things up in documents and on the web, and compares documents point by point."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from langchain_core.messages import AIMessage, ToolCall
from langchain_core.tools import tool
from langgraph.runtime import Runtime
from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from agents import texts
from agents.interface import Agent, Outcome, Part, Spread, Work
from agents.model_call import asked
from domain.asking import files_named
from domain.citations import Marker, renumbered, scan
from domain.errors import AppError
from domain.types import DocumentNote, Source
from domain.words import Language, Words
from tools.interface import ToolSpec
from turn.context import Context
from turn.progress import owner_of

MOST_DOCUMENTS, MOST_POINTS = 20, 30
LEAST_TOKENS = 300
"""Fewest tokens of passages that are read for one point."""

_LINE = re.compile(r"^[\s*_-]*(\d{1,2})\s*[.)、．:：]\s*(.*)$")
_NOTHING = re.compile(r"^[\s\-–—*]*$")


class Reading(TypedDict):
    """What one reader is given."""

    index: int
    document: DocumentNote
    points: list[str]
    language: Language


class Comparison(TypedDict):
    """The arguments of `compare_documents`."""

    points: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=300)]], Field(min_length=1, max_length=MOST_POINTS)
    ]
    documents: Annotated[list[str], Field(max_length=1000)]


_COMPARISON = TypeAdapter(Comparison)


@tool(parse_docstring=True)
def compare_documents(points: list[str], documents: list[str] = []) -> None:  # noqa: B006
    """Read several documents side by side on the same points; the result is one table, with a citation in every cell.

    Use it to compare documents, or to go through them clause by clause (对比多份文档、逐条比较合同).

    Args:
        points: What to look for in each document, one short phrase a point, such as "notice period".
        documents: Names or ids of the documents; omit for all of them.
    """


def split(work: Work, _: Context, call: ToolCall) -> list[Reading]:
    """Return what each reader is given: a document, and all points."""
    try:
        wanted = _COMPARISON.validate_python({"documents": [], **call["args"]})
    except ValidationError:
        return []
    usable = [note for note in work["documents"] if note["status"] != "failed"]
    names = [note["name"] for note in usable]
    ids = {note["id"]: place for place, note in enumerate(usable)}
    chosen = [ids[name] if name in ids else place for name in wanted["documents"] for place in _named(name, names, ids)]
    places = list(dict.fromkeys(chosen)) or range(len(usable))
    return [
        Reading(index=index, document=usable[place], points=wanted["points"], language=work["language"])
        for index, place in enumerate(places)
    ][:MOST_DOCUMENTS]


def _named(name: str, names: Sequence[str], ids: dict[str, int]) -> Sequence[int]:
    exact = [place for place, known in enumerate(names) if known.casefold() == name.casefold()]
    return [ids[name]] if name in ids else exact or files_named(name, names)


async def read_document(state: Reading, runtime: Runtime[Context]) -> Outcome:
    """Read one document on all points; one that cannot be read leaves its column empty and says so."""
    document, language = state["document"], state["language"]
    async with runtime.context.meter.places:
        try:
            sources = await _passages(state, runtime)
            cells = await _cells(state, sources, runtime)
            part = Part(index=state["index"], name=document["name"], cells=cells, sources=sources, code="")
        except (AppError, TimeoutError) as exc:
            code = exc.code if isinstance(exc, AppError) else "agent_timed_out"
            cells = [texts.NOT_READ.text(language)] * len(state["points"])
            part = Part(index=state["index"], name=document["name"], cells=cells, sources=[], code=code)
    return Outcome(parts=[part])


async def tabulate(state: Work, runtime: Runtime[Context]) -> Outcome:
    """Put what was read into one table: a row a point, a column a document."""
    language = state["language"]
    parts = sorted(state["parts"], key=lambda part: part["index"])
    last = state["messages"][-1]
    calls = last.tool_calls if isinstance(last, AIMessage) else []
    points = next(call["args"]["points"] for call in calls if call["name"] == compare_documents.name)
    sources: list[Source] = []
    columns = []
    for part in parts:
        shift = {source["number"]: source["number"] + len(sources) for source in part["sources"]}
        columns.append([renumbered(cell, shift) for cell in part["cells"]])
        sources += [{**source, "number": shift[source["number"]]} for source in part["sources"]]
    head = [texts.POINT.text(language), *(part["name"] for part in parts)]
    rows = [head, ["---"] * len(head)]
    rows += [[point, *(column[place] for column in columns)] for place, point in enumerate(points)]
    answer = "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in rows)
    return Outcome(messages=[AIMessage(answer)], answer=answer, sources=sources)


async def _passages(state: Reading, runtime: Runtime[Context]) -> list[Source]:
    """Return the passages of the document that fit the points, in the order of the document, numbered from 1."""
    services, owner = runtime.context.services, owner_of(runtime)
    budget = max(LEAST_TOKENS, services.settings.context_tokens_for_sources // len(state["points"]))
    found: dict[tuple[int, int], Source] = {}
    for point in state["points"]:
        for source in await services.documents.sources(
            point, owner, token_budget=budget, document_ids=[state["document"]["id"]]
        ):
            found.setdefault((source.get("page", 0), source["start"]), source)
    return [{**source, "number": number} for number, (_, source) in enumerate(sorted(found.items()), 1)]


async def _cells(state: Reading, sources: Sequence[Source], runtime: Runtime[Context]) -> list[str]:
    """Return what the document says on each point, with its citation."""
    points, language = state["points"], state["language"]
    nothing = texts.NOT_STATED.text(language)
    if not sources:
        return [nothing] * len(points)
    instructions = texts.READ.text(language)
    if runtime.context.services.chat.takes_turn:
        questions = [texts.POINT_ASKED.text(language).format(point=point) for point in points]
        said = [await asked(runtime, instructions, sources, question, language) for question in questions]
        return [text if any(isinstance(piece, Marker) for piece in scan(text)) else nothing for text in said]
    task = "\n".join(f"{number}. {point}" for number, point in enumerate(points, 1))
    answer = await asked(runtime, instructions, sources, task, language)
    lines = {int(found[1]): found[2].strip() for line in answer.splitlines() if (found := _LINE.match(line))}
    return [nothing if _NOTHING.match(lines.get(place, "")) else lines[place] for place in range(1, len(points) + 1)]


def _cell(text: str) -> str:
    """Return a text as it may stand in a cell; citations stay letter for letter."""
    plain = (piece.text if isinstance(piece, Marker) else piece.replace("|", "\\|") for piece in scan(text))
    return " ".join("".join(plain).split("\n")).strip()


AGENT = Agent(
    name="researcher",
    title=Words("Researcher", "研究员"),
    description="looks things up in documents and on the web, and compares documents point by point, with sources",
    prompt=texts.RESEARCHER,
    tools=(
        "search_documents",
        "list_documents",
        "read_document",
        "read_result",
        "web_search",
        "fetch_url",
        "find_tools",
    ),
    spread=Spread(
        function=ToolSpec(tool=compare_documents, title=Words("Compare documents", "对比文档"), permission="read"),
        split=split,
        part=read_document,
        join=tabulate,
    ),
)
