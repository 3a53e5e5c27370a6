"""Decides what the bundled reader does with a turn: call a tool, quote the sources, tell about a file, or talk."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from domain.types import Source
from models.chat.extractive import files, replies
from models.chat.extractive.about import about_itself, says_nothing
from models.chat.extractive.calls import (
    Call,
    Tools,
    asks_overview,
    explicit_call,
    is_general,
    search_query,
    without_urls,
)
from models.chat.extractive.candidates import Passage
from models.chat.extractive.coverage import coverage
from models.chat.extractive.extract import Finding, Quote, SentenceFinder
from models.chat.extractive.questions import asks_page_count, page_meant, split_questions, topic_of
from models.chat.extractive.replies import say
from models.chat.extractive.routing import Router, has_cue
from models.chat.extractive.said import about_the_user, acknowledges, asks_everything, recalled, statements
from models.chat.extractive.summary import summarize_document
from models.chat.extractive.text import is_chinese, without_markers
from models.chat.extractive.turn import Turn, result_text
from models.chat.interface import ToolResult
from models.embeddings.interface import Embedder, Vectors

SOCIAL: Final = {
    "greeting": replies.GREETING,
    "thanks": replies.THANKS,
    "farewell": replies.FAREWELL,
    "identity": replies.IDENTITY,
    "abilities": replies.ABILITIES,
    "small_talk": replies.SMALL_TALK,
}
FREE_TALK: Final = frozenset({"greeting", "small_talk"})
"""What the small language model may answer in its own words: nothing that could be right or wrong."""
MISSING: Final = {
    "memory": replies.NOT_TOLD,
    "summary": replies.NO_FILES,
    "list_documents": replies.NO_UPLOADS,
    "search_documents": replies.NO_DOCUMENTS,
    "picture_text": replies.NO_PICTURE,
    "picture_content": replies.NO_PICTURE,
}
"""What is said when a question is about something that is not there."""
PICTURE_LABELS: Final = ("picture_text", "picture_content")
TOLD: Final = 0.5
"""Least share of a question in a statement of the user that answers it though the question is not about the user."""

_ASKS = re.compile(r"[?？]\s*$|什么|为何|怎么|谁|哪|几|多少|吗|呢", re.IGNORECASE)
_TO_MODEL = re.compile(r"\s*Answer without it.*$|请不(?:依赖|使用).*$", re.DOTALL)
_MADE_UP = re.compile(r"\b(?:jokes?|poems?|story|stories|riddles?|songs?|limerick|essay|haiku)\b", re.IGNORECASE)
"""What the small language model writes no better than badly."""
_YOU = re.compile(r"\byou(?:r|rs)?\b|你|您", re.IGNORECASE)
TALK_CHARS: Final = 200
BARE_WORDS: Final = 2
"""Up to so many words ("Hi there") are answered by the fixed text: a small model makes up a conversation of them."""
PASTED_CHARS, PASTED_SUMMARY_TOKENS = 800, 200
"""A message longer than this that asks for a summary brings its own text."""


@dataclass(frozen=True, slots=True)
class Talk:
    """Leave the answer to the small language model; `fallback` is said where there is none."""

    fallback: str


Outcome = str | Call | Talk


class Answerer:
    """Turns a turn into an outcome."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.router = Router(embedder)
        self._finder = SentenceFinder(embedder, self.router)

    async def outcome(self, turn: Turn, tools: Tools) -> Outcome:
        """Return what to do. `tools` are the names of the tools offered, each with its parameters."""
        if turn.results:
            return await self._from_results(turn)
        parts = files.failures(turn)
        if not turn.question.strip():
            return _joined([*parts, *_received(turn)])
        if not turn.attachments and (fixed := _fixed(turn)):
            return fixed
        vector = await self._embedder.query(turn.question)
        label = await self.router.label(turn.question, vector)
        if call := explicit_call(turn, label, tools):
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
        if len(turn.question) > PASTED_CHARS and has_cue("summary", turn.question[:100] + turn.question[-100:]):
            return [summarize_document(turn.question, PASTED_SUMMARY_TOKENS)]
        if label == "memory" and has_cue(label, turn.question):
            if remembered := await self._remembered(turn, label, vector):
                return [remembered]
        parts = _about_pictures(turn, label)
        if parts and not turn.attachments and is_general(turn.question):
            return parts
        if of_pages := _about_pages(turn):
            return [*parts, *of_pages]
        if asks_overview(turn.question) and (turn.attachments or turn.documents):
            return [*parts, *files.summaries(turn, pictures=not parts)]
        passages = _passages(turn, pictures=not parts)
        parts += [part for part in await self._quoted(turn, passages, vector) if part not in parts]
        return [*parts, *files.still_reading(turn)] if parts else []

    async def _quoted(self, turn: Turn, passages: list[Passage], vector: Vectors) -> list[str]:
        questions = split_questions(turn.question)
        parts = []
        for question in questions:
            asked = vector if len(questions) == 1 else await self._embedder.query(question)
            for group in _groups(turn, passages):
                finding = await self._found(question, asked, group, turn.follows if len(questions) == 1 else "")
                if finding.answered:
                    parts.append(quoted(finding.quotes, label_files=_several(turn)))
        return list(dict.fromkeys(parts))

    async def _found(self, question: str, vector: Vectors, passages: list[Passage], before: str) -> Finding:
        """Look for what is asked; with the questions before it first when it leans on them, then by itself."""
        if topic := topic_of(question):
            return await self._finder.find(topic, await self._embedder.query(topic), passages, broad=True)
        if before:
            together = await self._embedder.query(f"{before} {question}")
            finding = await self._finder.find(question, together, passages, before=before)
            if finding.answered:
                return finding
        return await self._finder.find(question, vector, passages)

    async def _otherwise(self, turn: Turn, label: str, tools: Tools, vector: Vectors) -> Outcome:
        """Nothing here answers: talk, remember, or look elsewhere."""
        if _is_social(turn, label):
            if turn.attachments:
                return _joined([say(SOCIAL[label], turn.language), *files.received(turn), *files.still_reading(turn)])
            return _social(turn, label)
        if label == "statement" and not _ASKS.search(turn.question):
            return say(replies.NOTED, turn.language, text=turn.question.strip())
        return await self._remembered(turn, label, vector) or _elsewhere(turn, label, tools)

    async def _remembered(self, turn: Turn, label: str, vector: Vectors) -> str:
        """Quote what the user said earlier when it answers, else nothing."""
        if text := recalled(turn.question, turn.said):
            return say(replies.YOUR_MESSAGE, turn.language, text=text)
        told = statements(turn.said)
        if told and asks_everything(turn.question):
            return "\n\n".join(say(replies.YOU_SAID, turn.language, text=text) for text in reversed(told))
        if told:
            text = await self._finder.find_said(turn.question, vector, told)
            own = label == "memory" or about_the_user(turn.question)
            if not own and coverage(turn.question, text) < TOLD:
                return ""
        return say(replies.YOU_SAID, turn.language, text=text) if text else ""

    async def _from_results(self, turn: Turn) -> str:
        """Answer after a round of tools."""
        failed = [_failure(turn, result) for result in turn.results if result.failed]
        plain = [result_text(result) for result in turn.results if not result.failed and not _searched(result)]
        parts = [*failed, *plain]
        if any(map(_searched, turn.results)) or not (failed or plain):
            parts += await self._from_sources(turn)
        elif len(split_questions(turn.question)) > 1:
            vector = await self._embedder.query(turn.question)
            parts += await self._quoted(turn, [_passage(source) for source in turn.sources], vector)
        return _joined(parts) or say(replies.NO_TOOL_LEFT, turn.language)

    async def _from_sources(self, turn: Turn) -> list[str]:
        fetched = [source for result in turn.results for source in result.sources]
        question = without_urls(turn.question)
        web = [source for source in fetched if source["origin"] == "web"]
        if web and is_general(question, but=1 if has_cue("summary", question) else 0):
            return [_page_summary(source, turn.max_tokens) for source in web]
        vector = await self._embedder.query(question)
        passages = [_passage(source) for source in turn.sources]
        finding = await self._found(question, vector, passages, turn.follows)
        if finding.answered:
            return [quoted(finding.quotes, label_files=_several(turn))]
        if web and finding.quotes:
            heading = f"{say(replies.NOT_SAID_IN, turn.language)} {say(replies.NEAREST, turn.language)}"
            return [f"{heading}\n\n{quoted(finding.quotes, label_files=True)}"]
        return [say(replies.NOT_SAID, turn.language)]


def quoted(quotes: Sequence[Quote], *, label_files: bool) -> str:
    """Write quotations, each followed by `[n]`; with `label_files`, under the name of their file."""
    lines: list[str] = []
    previous: Quote | None = None
    for quote in quotes:
        text = _cited(quote)
        if previous is not None and quote.passage.name == previous.passage.name and _ends(previous.text):
            lines[-1] += ("" if is_chinese(quote.text) else " ") + text
        else:
            named = (
                label_files and quote.passage.name and not (previous and previous.passage.name == quote.passage.name)
            )
            lines.append(f"**{quote.passage.name}**:\n{text}" if named else text)
        previous = quote
    return "\n\n".join(lines)


def _cited(quote: Quote) -> str:
    """Return a quotation with its number; one that is written out differently, with the words it stands for."""
    text, number = without_markers(quote.text), quote.passage.number
    if number is None:
        return text
    return f'{text} [{number} "{quote.exact}"]' if quote.exact and '"' not in quote.exact else f"{text} [{number}]"


def _ends(text: str) -> bool:
    """Tell whether a quotation is a whole sentence; a line of a table or picture stands by itself."""
    return text.rstrip("\"'”’」』）)* ").endswith((".", "!", "?", "。", "！", "？", "；", "…"))


def _searched(result: ToolResult) -> bool:
    """Tell whether a result is passages, or that there are none."""
    return bool(result.sources) or result.tool == "search_documents"


def _fixed(turn: Turn) -> str:
    """Return the text for a message that needs no look at anything, else nothing."""
    if acknowledges(turn.question):
        return say(replies.ACKNOWLEDGED, turn.language)
    text = replies.ABILITIES if says_nothing(turn.question) else about_itself(turn.question)
    return say(text, turn.language) if text else ""


def _failure(turn: Turn, result: ToolResult) -> str:
    """Say what failed, without what a model is told to do about it."""
    text = say(replies.TOOL_FAILED, turn.language, tool=result.tool, text=_TO_MODEL.sub("", result_text(result)))
    return f"{text}\n\n{say(replies.NO_DOCUMENTS, turn.language)}" if result.tool == "web_search" else text


def _elsewhere(turn: Turn, label: str, tools: Tools) -> Outcome:
    """Search where nothing was searched yet; where everything was, say that there is nothing."""
    if turn.documents or turn.attachments:
        if "search_documents" in tools and not turn.sources:
            return Call("search_documents", {"query": turn.question})
        not_told = [say(replies.NOT_TOLD, turn.language)] if label == "memory" and has_cue(label, turn.question) else []
        return _joined([*not_told, say(replies.NOT_SAID, turn.language)])
    missing = MISSING.get(label)
    if missing and has_cue(label, turn.question):
        return say(missing, turn.language)
    if "web_search" in tools:
        return Call("web_search", {"query": search_query(turn.question)})
    return say(replies.NO_DOCUMENTS, turn.language)


def _about_pictures(turn: Turn, label: str) -> list[str]:
    """Tell what pictures say or show: those of this turn, else, when asked for one, the one of an earlier turn."""
    pictures = turn.pictures
    if not pictures and any(has_cue(cue, turn.question) for cue in PICTURE_LABELS) and label in PICTURE_LABELS:
        pictures = files.earlier_pictures(turn)
    if not pictures:
        return []
    if label == "picture_text" or has_cue("picture_text", turn.question):
        return files.picture_text(pictures, turn.language, turn.sources)
    if label == "picture_content" or is_general(turn.question):
        return files.picture_content(pictures, turn.language, turn.sources)
    return []


def _about_pages(turn: Turn) -> list[str]:
    """Tell how many pages the files have, or the main sentences of the page that is asked for."""
    if not (turn.documents or turn.attachments):
        return []
    if asks_page_count(turn.question):
        return files.page_counts(turn)
    page = page_meant(turn.question)
    return files.page_summary(turn, page) if page else []


def _passage(source: Source) -> Passage:
    name = re.sub(r"[._-]+", " ", source["name"])
    text = files.without_facts(source["text"]) if source["origin"] == "image" else source["text"]
    return Passage(text, source["number"], source["name"], name, source.get("heading", "").split(" › ")[-1])


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
    parts = files.picture_content(turn.pictures, turn.language, turn.sources)
    documents = [item for item in turn.attachments if item["kind"] != "image" and item["status"] != "failed"]
    if documents:
        parts += files.summaries(turn)
    return [*parts, *files.still_reading(turn)] or ([] if turn.failed else [say(replies.GREETING, turn.language)])


def _is_social(turn: Turn, label: str) -> bool:
    """Tell whether a message is talk and nothing else: no question of fact may be answered by the small model."""
    if label not in SOCIAL or has_cue(label, turn.question):
        return label in SOCIAL
    if label in ("identity", "abilities") and about_the_user(turn.question):
        return False
    factual = has_cue("knowledge", turn.question) and not _YOU.search(turn.question)
    return not (turn.documents or turn.attachments or factual) and len(turn.question) <= TALK_CHARS


def _social(turn: Turn, label: str) -> Outcome:
    text = say(SOCIAL[label], turn.language)
    bare = len(turn.question.split()) <= BARE_WORDS or _MADE_UP.search(turn.question)
    if label in FREE_TALK and turn.language == "en" and not bare:
        return Talk(text)
    return text


def _page_summary(source: Source, max_tokens: int) -> str:
    summary = summarize_document(source["text"], min(max_tokens, 250))
    return f"**{source['name']}**: {summary} [{source['number']}]"


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(part for part in parts if part)
