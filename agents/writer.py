"""The writer: long documents, section by section, exported as DOCX and Markdown."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from typing import Annotated

from langchain_core.messages import AIMessage, ToolCall
from langchain_core.tools import tool
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field, ValidationError
from typing_extensions import TypedDict

from agents import texts
from agents.interface import Agent, Outcome, Part, Spread, Work
from agents.model_call import asked
from domain.citations import renumbered
from domain.errors import AppError
from domain.types import Source
from domain.words import Language, Words
from tools.interface import ToolSpec
from turn.citation_check import UNSUPPORTED, CitationCheck
from turn.context import Context
from turn.material import place
from turn.progress import owner_of

MOST_SECTIONS = 24
SHOWN_CHARS = 6000
"""Longest document that is shown whole in the answer; of a longer one its outline is."""


class Section(BaseModel):
    """One section, as it is planned."""

    heading: Annotated[str, Field(min_length=1, max_length=200)]
    brief: Annotated[str, Field(max_length=2000)] = ""


class Plan(BaseModel):
    """The arguments of `write_document`."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    sections: Annotated[list[Section], Field(min_length=1, max_length=MOST_SECTIONS)]


class Writing(TypedDict):
    """What the writer of one section is given."""

    index: int
    task: str
    heading: str
    sources: list[Source]
    documents: bool
    language: Language


@tool(args_schema=Plan)
def write_document(**_: object) -> None:
    """Write a long document section by section and export it as DOCX and Markdown (撰写报告、方案等长文档并导出)."""


def split(work: Work, _: Context, call: ToolCall) -> list[Writing]:
    """Return what the writer of each section is given."""
    try:
        plan = Plan.model_validate(call["args"])
    except ValidationError:
        return []
    language = work["language"]
    outline = "; ".join(section.heading for section in plan.sections)
    return [
        Writing(
            index=index, heading=section.heading, sources=work.get("sources", []), documents=bool(work["documents"]),
            language=language,
            task=texts.SECTION_TASK.text(language).format(
                title=plan.title, outline=outline, heading=section.heading, brief=section.brief or section.heading
            ),
        )
        for index, section in enumerate(plan.sections)
    ]  # fmt: skip


async def write_section(state: Writing, runtime: Runtime[Context]) -> Outcome:
    """Write one section; one that cannot be written is marked in the document."""
    language, heading = state["language"], state["heading"]
    async with runtime.context.meter.places:
        try:
            sources = await _material(state, runtime)
            text = await asked(runtime, texts.SECTION.text(language), sources, state["task"], language)
            part = Part(index=state["index"], name=heading, cells=[text.strip()], sources=sources, code="")
        except (AppError, TimeoutError) as exc:
            code = exc.code if isinstance(exc, AppError) else "agent_timed_out"
            text = texts.NOT_WRITTEN.text(language)
            part = Part(index=state["index"], name=heading, cells=[text], sources=[], code=code)
    return Outcome(parts=[part])


async def export(state: Work, runtime: Runtime[Context]) -> Outcome:
    """Put the sections together, keep the document as DOCX and Markdown, and tell of it."""
    language, owner, services = state["language"], owner_of(runtime), runtime.context.services
    last = state["messages"][-1]
    calls = last.tool_calls if isinstance(last, AIMessage) else []
    title = next(str(call["args"]["title"]) for call in calls if call["name"] == write_document.name)
    parts = sorted(state["parts"], key=lambda part: part["index"])
    sources: list[Source] = []
    sections = [f"# {title}"]
    for part in parts:
        shift = {source["number"]: source["number"] + len(sources) for source in part["sources"]}
        sections.append(f"## {part['name']}\n\n{renumbered(part['cells'][0], shift)}")
        sources += [{**source, "number": shift[source["number"]]} for source in part["sources"]]
    text = "\n\n".join(sections)
    document = await _checked(text, sources, runtime, language)
    files = [
        await services.attachments.put(data, name=f"{title}{end}", owner=owner)
        for data, end in ((await asyncio.to_thread(docx_of, document), ".docx"), (document.encode(), ".md"))
    ]
    names = ", ".join(file["name"] for file in files)
    told = texts.WRITTEN.text(language).format(sections=len(parts), files=names)
    shown = text if len(text) <= SHOWN_CHARS else "\n".join(f"{n}. {part['name']}" for n, part in enumerate(parts, 1))
    answer = f"{told}\n\n{shown}"
    return Outcome(messages=[AIMessage(answer)], answer=answer, sources=sources, artifacts=files)


async def _material(state: Writing, runtime: Runtime[Context]) -> list[Source]:
    """Return what the specialist has looked up, and passages of the documents that fit the section, numbered from 1."""
    services, found = runtime.context.services, list(state["sources"])
    if state["documents"]:
        found += await services.documents.sources(
            state["task"], owner_of(runtime), token_budget=services.settings.context_tokens_for_sources
        )
    unique = {
        (source.get("document_id"), source.get("url"), source.get("page"), source["start"]): source for source in found
    }
    return [{**source, "number": number} for number, source in enumerate(unique.values(), 1)]


async def _checked(text: str, sources: Sequence[Source], runtime: Runtime[Context], language: Language) -> str:
    """Return the document with its citations checked, and the list of what they name."""
    mark = UNSUPPORTED.text(language)
    check = CitationCheck(sources, runtime.context.services.documents, owner_of(runtime), mark)
    body = await check.checked(text)
    named = {made["number"] for made in check.citations}
    lines = [f"- [{source['number']}] {place(source)}" for source in sources if source["number"] in named]
    return "\n\n".join([body, *([f"## {texts.SOURCES.text(language)}", "\n".join(lines)] if lines else [])]) + "\n"


def docx_of(markdown: str) -> bytes:
    """Return a Markdown text as DOCX. Nothing is loaded from elsewhere: pictures and HTML stay text."""
    from docx import Document
    from html4docx import HtmlToDocx
    from markdown_it import MarkdownIt

    html = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image").render(markdown)
    document, converter = Document(), HtmlToDocx()
    converter.table_style = "Table Grid"
    converter.add_html_to_document(html, document)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


AGENT = Agent(
    name="writer",
    title=Words("Writer", "撰稿人"),
    description="writes long documents in sections, with sources, and exports them as DOCX and Markdown",
    prompt=texts.WRITER,
    tools=("search_documents", "list_documents", "read_document", "read_result", "web_search", "fetch_url"),
    spread=Spread(
        function=ToolSpec(tool=write_document, title=Words("Write a document", "撰写文档"), permission="read"),
        split=split,
        part=write_section,
        join=export,
    ),
    writes=True,
)
