"""Decides what the bundled reader does with a turn: call a tool, quote the sources, tell about a file, or talk."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from graph.state import Source
from models.chat import reader_files as files
from models.chat import reader_replies as replies
from models.chat.reader_arguments import find_expression, find_place, find_urls
from models.chat.reader_extract import SAID_THRESHOLDS, Passage, Quote, SentenceFinder
from models.chat.reader_replies import say
from models.chat.reader_routing import Router, has_cue
from models.chat.reader_summary import summarize_document
from models.chat.reader_text import is_chinese, question_terms
from models.chat.reader_turn import Turn, result_text
from models.embeddings.interface import Embedder, Vectors

SOCIAL: Final = {
    "greeting": replies.GREETING,
    "thanks": replies.THANKS,
    "farewell": replies.FAREWELL,
    "identity": replies.IDENTITY,
    "abilities": replies.ABILITIES,
    "small_talk": replies.SMALL_TALK,
}
FREE_TALK: Final = frozenset({"greeting", "thanks", "farewell", "small_talk"})
"""What the small language model may answer in its own words: nothing that could be right or wrong."""
MISSING: Final = {
    "memory": replies.NOT_TOLD,
    "summary": replies.NO_FILES,
    "list_documents": replies.NO_FILES,
    "search_documents": replies.NO_DOCUMENTS,
    "picture_text": replies.NO_PICTURE,
    "picture_content": replies.NO_PICTURE,
}
"""What is said when a question is about something that is not there."""
PICTURE_LABELS: Final = ("picture_text", "picture_content")
EXPLICIT: Final = ("calculate", "current_time", "list_documents", "web_search")
MAX_QUESTIONS: Final = 3

_SEARCH_WORDS = re.compile(
    r"^\W*(?:please |can you |could you )*(?:search (?:the )?(?:web|internet|online)?|google|look up|find)(?: "
    r"(?:for|about))?\s+"
    r"|^(?:请|麻烦|帮我|你)*(?:在?网上|上网|联网)?(?:搜索|搜一搜|搜一下|搜搜|搜|查一查|查一下|查查|查找"
    r"|查)(?:一下)?(?:关于)?",
    re.IGNORECASE,
)
_NEXT_QUESTION = re.compile(
    r"(?<=[?？])\s*(?=\S)|,?\s+and (?=(?:what|who|when|where|which|how|why)\b)|[，,；;]\s*(?:以及|还有|并且|同时|另外)",
    re.IGNORECASE,
)
_GENERAL = frozenset(question_terms(
    "summarise summarize summary overview document documents file files report article page pages text picture "
    "pictures image images photo "
    "main points content contents gist tldr attached uploaded brief short briefly describe sum lines web website "
    "link key findings paper book "
    "总结概括概述摘要大意归纳文档文件文章报告内容主要要点讲了说了图片照片描述图中图里附件上传网页链接这份这篇这张介绍简要"
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """A tool to be called instead of an answer."""

    tool: str
    arguments: dict[str, object]


@dataclass(frozen=True, slots=True)
class Talk:
    """Leave the answer to the small language model; `fallback` is said where there is none."""

    fallback: str


Outcome = str | Call | Talk
Tools = dict[str, Collection[str]]
"""Names of the tools offered, each with the names of its parameters."""


class Answerer:
    """Turns a turn into an outcome."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.router = Router(embedder)
        self._finder = SentenceFinder(embedder)

    async def outcome(self, turn: Turn, tools: Tools) -> Outcome:
        """Return what to do. `tools` are the names of the tools offered, each with its parameters."""
        if turn.results:
            return await self._from_results(turn)
        parts = files.failures(turn)
        if not turn.question.strip():
            return _joined([*parts, *_received(turn)])
        vector = await self._embedder.query(turn.question)
        label = await self.router.label(turn.question, vector)
        if call := _explicit_call(turn, label, tools):
            return call
        found = await self._from_files(turn, label, vector)
        if found:
            return _joined([*parts, *found])
        if parts and not turn.sources:
            return _joined(parts)
        outcome = await self._otherwise(turn, label, tools, vector)
        return _joined([*parts, outcome]) if isinstance(outcome, str) else outcome

    async def _from_files(self, turn: Turn, label: str, vector: Vectors) -> list[str]:
        """Answer from pictures, summaries and passages; empty when they do not answer."""
        if label in SOCIAL and has_cue(label, turn.question):
            return []
        if label == "memory" and has_cue(label, turn.question) and (remembered := await self._remembered(turn, vector)):
            return [remembered]
        parts = _about_pictures(turn, label)
        if label == "summary" and is_general(turn.question) and (turn.attachments or turn.documents):
            return [*parts, *files.summaries(turn)]
        passages = _passages(turn, pictures=not parts)
        parts += [part for part in await self._quoted(turn, passages, vector) if part not in parts]
        return [*parts, *files.still_reading(turn)] if parts else []

    async def _quoted(self, turn: Turn, passages: list[Passage], vector: Vectors) -> list[str]:
        questions = split_questions(turn.question)
        parts = []
        for question in questions:
            asked = vector if len(questions) == 1 else await self._embedder.query(question)
            for group in _groups(turn, passages):
                finding = await self._finder.find(question, asked, group)
                if finding.answered:
                    parts.append(quoted(finding.quotes, label_files=_several(turn)))
        return list(dict.fromkeys(parts))

    async def _otherwise(self, turn: Turn, label: str, tools: Tools, vector: Vectors) -> Outcome:
        """Nothing here answers: talk, remember, or look elsewhere."""
        if label in SOCIAL and (has_cue(label, turn.question) or not turn.documents):
            return _social(turn, label)
        if label == "statement":
            return say(replies.NOTED, turn.language, text=turn.question.strip())
        return await self._remembered(turn, vector) or _elsewhere(turn, label, tools)

    async def _remembered(self, turn: Turn, vector: Vectors) -> str:
        """Quote what the user said earlier when it answers, else nothing."""
        said = [Passage(text, None) for text in reversed(turn.said) if not text.rstrip().endswith(("?", "？"))]
        if not said:
            return ""
        finding = await self._finder.find(turn.question, vector, said, SAID_THRESHOLDS)
        if not finding.answered:
            return ""
        return say(replies.YOU_SAID, turn.language, text=finding.best)

    async def _from_results(self, turn: Turn) -> str:
        """Answer after a round of tools."""
        failed = [
            say(replies.TOOL_FAILED, turn.language, tool=result.name or "", text=result_text(result))
            for result in turn.results
            if result.status == "error"
        ]
        plain = [
            result_text(result)
            for result in turn.results
            if result.status != "error" and not result.additional_kwargs.get("sources")
        ]
        parts = [*failed, *plain]
        if turn.sources:
            parts += await self._from_sources(turn)
        return _joined(parts) or say(replies.NO_TOOL_LEFT, turn.language)

    async def _from_sources(self, turn: Turn) -> list[str]:
        fetched = [source for result in turn.results for source in result.additional_kwargs.get("sources", [])]
        question = _without_urls(turn.question)
        web = [source for source in fetched if source["origin"] == "web"]
        if web and find_urls(turn.question) and is_general(question):
            return [_page_summary(source, turn.max_tokens) for source in web]
        vector = await self._embedder.query(question)
        finding = await self._finder.find(question, vector, [_passage(source) for source in turn.sources])
        if finding.answered:
            return [quoted(finding.quotes, label_files=_several(turn))]
        if web and finding.quotes:
            heading = f"{say(replies.NOT_SAID_IN, turn.language)} {say(replies.NEAREST, turn.language)}"
            return [f"{heading}\n\n{quoted(finding.quotes, label_files=True)}"]
        return [say(replies.NOT_SAID, turn.language)]


def quoted(quotes: Sequence[Quote], *, label_files: bool) -> str:
    """Write quotations, each followed by `[n]`; with `label_files`, under the name of their file."""
    lines: list[str] = []
    previous: Passage | None = None
    for quote in quotes:
        text = quote.text if quote.passage.number is None else f"{quote.text} [{quote.passage.number}]"
        if previous is not None and quote.passage.name == previous.name:
            lines[-1] += ("" if is_chinese(quote.text) else " ") + text
        else:
            lines.append(f"**{quote.passage.name}**: {text}" if label_files and quote.passage.name else text)
        previous = quote.passage
    return "\n\n".join(lines)


def split_questions(text: str) -> list[str]:
    """Split a message that asks several things; a part too short to be a question stays with the one before."""
    parts: list[str] = []
    for part in _NEXT_QUESTION.split(text):
        if parts and len(question_terms(part)) < 1:
            parts[-1] += part
        elif part.strip():
            parts.append(part.strip())
    return parts if 1 < len(parts) <= MAX_QUESTIONS else [text]


def _elsewhere(turn: Turn, label: str, tools: Tools) -> Outcome:
    """Search where nothing was searched yet; where everything was, say that there is nothing."""
    if turn.documents or turn.attachments:
        if "search_documents" in tools and not turn.sources:
            return Call("search_documents", {"query": turn.question})
        return say(replies.NOT_SAID, turn.language)
    missing = MISSING.get(label)
    if missing and (label not in PICTURE_LABELS or has_cue(label, turn.question)):
        return say(missing, turn.language)
    if "web_search" in tools:
        return Call("web_search", {"query": search_query(turn.question)})
    return say(replies.NO_DOCUMENTS, turn.language)


def search_query(question: str) -> str:
    """Return what to search for: the question without the words that ask for a search."""
    return _SEARCH_WORDS.sub("", question).strip(" ,，。？?！!") or question


def is_general(question: str) -> bool:
    """Tell whether a question names nothing but the file itself ("what is this report about?")."""
    return len([term for term in question_terms(_without_urls(question)) if term not in _GENERAL]) <= 1


def _explicit_call(turn: Turn, label: str, tools: Tools) -> Call | None:
    """Return the call that the words of the question ask for, without looking at any source."""
    known = {source.get("url") for source in turn.sources}
    if "fetch_url" in tools and (urls := [url for url in find_urls(turn.question) if url not in known]):
        return Call("fetch_url", {"url": urls[0]})
    expression = find_expression(turn.question) if "calculate" in tools else None
    if expression and (label == "calculate" or _mostly(expression, turn.question)):
        return Call("calculate", {"expression": expression})
    if label not in EXPLICIT or label not in tools or not has_cue(label, turn.question):
        return None
    if label == "calculate" or (label == "web_search" and turn.attachments):
        return None
    if label == "current_time":
        parameter = next((name for name in ("place", "timezone") if name in tools[label]), None)
        place = find_place(turn.question)
        return Call(label, {parameter: place} if parameter and place else {})
    return Call(label, {"query": search_query(turn.question)} if "query" in tools[label] else {})


def _mostly(expression: str, question: str) -> bool:
    return len(expression) >= 0.5 * len(re.sub(r"\s|[=?？]", "", question))


def _about_pictures(turn: Turn, label: str) -> list[str]:
    if not turn.pictures:
        return []
    if label == "picture_text" or has_cue("picture_text", turn.question):
        return files.picture_text(turn.pictures, turn.language)
    only_pictures = len(turn.pictures) == len(turn.attachments) - len(turn.failed)
    if label == "picture_content" or (label == "summary" and is_general(turn.question) and only_pictures):
        return files.picture_content(turn.pictures, turn.language)
    if is_general(turn.question):
        return files.picture_content(turn.pictures, turn.language)
    return []


def _passage(source: Source) -> Passage:
    heading = source.get("heading", "")
    return Passage(source["text"], source["number"], source["name"], f"{source['name']} {heading}")


def _passages(turn: Turn, *, pictures: bool) -> list[Passage]:
    """The sources, and with `pictures` their descriptions and such text of them as is not among the sources."""
    names = {picture["name"] for picture in turn.pictures}
    passages = [_passage(source) for source in turn.sources if pictures or source["name"] not in names]
    if not pictures:
        return passages
    held = {source.get("document_id") for source in turn.sources}
    for picture in turn.pictures:
        if files.ocr_text(picture) and picture["id"] not in held:
            passages.append(Passage(files.ocr_text(picture), None, picture["name"], picture["name"]))
        if described := picture.get("description"):
            passages.append(Passage(described["text"], None, picture["name"], picture["name"]))
    return passages


def _groups(turn: Turn, passages: list[Passage]) -> list[list[Passage]]:
    """Passages searched together: pictures apart from documents when the turn brings both."""
    names = {picture["name"] for picture in turn.pictures}
    if not names or len(turn.pictures) == len(turn.attachments):
        return [passages] if passages else []
    groups = [[p for p in passages if p.name not in names], [p for p in passages if p.name in names]]
    return [group for group in groups if group]


def _several(turn: Turn) -> bool:
    return len({source["name"] for source in turn.sources}) > 1 or len(turn.attachments) > 1


def _received(turn: Turn) -> list[str]:
    """Answer a message without words: show what its files hold."""
    parts = files.picture_content(turn.pictures, turn.language)
    documents = [item for item in turn.attachments if item["kind"] != "image" and item["status"] != "failed"]
    if documents:
        parts += files.summaries(turn)
    return [*parts, *files.still_reading(turn)] or ([] if turn.failed else [say(replies.GREETING, turn.language)])


def _social(turn: Turn, label: str) -> Outcome:
    text = say(SOCIAL[label], turn.language)
    if label in FREE_TALK and turn.language == "en":
        return Talk(text)
    return text


def _page_summary(source: Source, max_tokens: int) -> str:
    summary = summarize_document(source["text"], min(max_tokens, 250))
    return f"**{source['name']}**: {summary} [{source['number']}]"


def _without_urls(text: str) -> str:
    for url in find_urls(text):
        text = text.replace(url, " ")
    return text


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(part for part in parts if part)
