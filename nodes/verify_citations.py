"""Check every citation of the answer against the stored text before anyone is told that the answer is final."""

from __future__ import annotations

import re
from collections.abc import Sequence

from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime

from domain.citations import (
    SUPPORT,
    Marker,
    agrees,
    best_span,
    citation,
    find_quote,
    find_short,
    is_short,
    markers,
    sentence_before,
)
from domain.errors import AppError
from domain.language import language_of
from domain.owner import Owner
from domain.types import Attachment, Citation, Source
from turn.context import Context, Services
from turn.progress import emit, owner_of
from turn.state import State, Update

UNSUPPORTED = {"en": " *(unsupported)*", "zh": "*（无依据）*"}
WARNING = {
    "en": "{n} citation(s) were removed: the quoted words are not in the source.",
    "zh": "已删除 {n} 处引用：来源中没有所引的原文。",
}


async def verify_citations(state: State, runtime: Runtime[Context]) -> Update:
    """Turn `[n "quote"]` into `[n]` plus checked citation data.

    A quote that is not in the stored text is removed and its sentence marked as unsupported. A bare `[n]` is tied to
    the sentence of the passage that carries the claim, or removed and marked likewise when there is none. In a turn
    that had nothing to cite, bare numbers in brackets are left as they are.
    """
    answer, language = state["answer"], state["language"]
    citable = any(state.get(key) for key in ("sources", "documents", "attachments", "tool_runs"))
    check = _Checker(state.get("sources", []), runtime.context.services, owner_of(runtime))
    pieces: list[str] = []
    last = 0
    for marker in markers(answer):
        if not marker.quote and not citable:
            continue
        found = await check.claim(marker, answer)
        pieces.append(answer[last : marker.start])
        pieces.append(f"[{found['number']}]" if found else UNSUPPORTED[language])
        last = marker.end
    text = _tidy("".join([*pieces, answer[last:]]), UNSUPPORTED[language])
    for item in check.citations:
        emit(runtime, "citation", item)
    warnings = [*state.get("warnings", [])]
    for warning in await check.of_pictures(state.get("attachments", [])):
        warnings.append(warning)
        emit(runtime, "warning", {"code": "picture", "message": warning})
    if check.removed:
        warnings.append(WARNING[language].format(n=check.removed))
        emit(runtime, "warning", {"code": "unsupported_citation", "message": warnings[-1]})
    if text == answer:
        return Update(citations=check.citations, warnings=warnings)
    checked = state["messages"][-1].model_copy(update={"content": text})
    assert isinstance(checked, AIMessage)
    return Update(answer=text, citations=check.citations, warnings=warnings, messages=[checked])


class _Checker:
    """The citations of one answer, as they are checked."""

    def __init__(self, sources: list[Source], services: Services, owner: Owner) -> None:
        self._sources = {source["number"]: source for source in sources}
        self._services, self._owner = services, owner
        self.citations: list[Citation] = []
        self.removed = 0

    async def claim(self, marker: Marker, answer: str) -> Citation | None:
        """Check one marker; return its citation, or `None` when it has no support."""
        source, made = self._sources.get(marker.number), None
        if source is not None and marker.quote and not is_short(marker.quote):
            made = await self._quoted(source, marker.quote)
        elif source is not None:
            made = _aligned(source, sentence_before(answer, marker.start), marker.quote)
        if made is None:
            self.removed += 1
            return None
        if made not in self.citations:
            self.citations.append(made)
        return made

    async def of_pictures(self, sent: Sequence[Attachment]) -> list[str]:
        """Return what has to be said of the pictures of this turn and those cited: witnesses that disagree."""
        pictures = {item["id"]: item for item in sent if item["kind"] == "image"}
        for source in self._sources.values():
            identity = source.get("document_id", "")
            if source["origin"] == "image" and identity not in pictures and self._cites(source):
                try:
                    pictures[identity] = await self._services.documents.get(identity, self._owner)
                except AppError:
                    continue
        return list(dict.fromkeys(warning for item in pictures.values() for warning in item.get("warnings", [])))

    def _cites(self, source: Source) -> bool:
        return any(item.get("document_id") == source.get("document_id") for item in self.citations)

    async def _quoted(self, named: Source, quote: str) -> Citation | None:
        """Look for the quote in the passage named, then in the rest of its page, then in the other passages."""
        others = [source for source in self._sources.values() if source["number"] != named["number"]]
        for source in [named, await self._page(named), *others]:
            span = find_quote(quote, source["text"]) if source else None
            if source and span and await self._stored(source, source["text"][slice(*span)]):
                return citation(source, *span, source["text"][slice(*span)], verified=True)
        return None

    async def _page(self, source: Source) -> Source | None:
        """The whole page that a passage was taken from."""
        if "document_id" not in source or "page" not in source:
            return None
        try:
            text = await self._services.documents.page_text(source["document_id"], source["page"], self._owner)
        except AppError:
            return None
        return {**source, "text": text, "start": 0, "end": len(text)}

    async def _stored(self, source: Source, words: str) -> bool:
        """Whether the words still stand in the store: a document may have been deleted since it was searched."""
        if source["origin"] == "web" or "page" not in source:
            return True
        page = await self._page(source)
        return page is not None and words in page["text"]


def _aligned(source: Source, claim: str, quote: str) -> Citation | None:
    """Tie a bare marker to the sentence that carries the claim; a quote of a few letters has to stand in that sentence.

    A claim in another language than its source shares no words with it: it keeps its marker, unverified, and points at
    the whole passage (embeddings do not tell such claims from invented ones; docs/decisions/0004). So does a claim with
    a number that the passage has not, or that negates where its sentence does not: it points at that sentence.
    """
    text = source["text"]
    start, end, share = best_span(claim, text)
    if share < SUPPORT:
        if language_of(claim) == language_of(text) or (quote and not find_short(quote, text)):
            return None
        return citation(source, 0, len(text), "", verified=False)
    if quote and not find_short(quote, text[start:end]):
        return None
    return citation(source, start, end, text[start:end].strip(), verified=agrees(claim, text[start:end], text))


def _tidy(text: str, mark: str) -> str:
    """One mark a sentence is enough, with no space doubled before it."""
    return re.sub(rf"[ \t]*{re.escape(mark.strip())}(?:[ \t]*{re.escape(mark.strip())})*", mark, text)
