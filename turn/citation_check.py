"""Checks the citations of an answer against the texts that they name, while these are still stored."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from domain.citations import Marker, scan
from domain.errors import AppError
from domain.language import written_language
from domain.owner import Owner
from domain.quotes import SUPPORT, agrees, best_span, citation, find_quote, find_short, is_short, last_claim
from domain.types import Attachment, Citation, DocumentNote, Source
from domain.words import Words
from stores.library.documents import Documents

_MATHS = re.compile(
    r"\$\$.+?\$\$|\\\[.+?\\\]|\\\(.+?\\\)|(?<![\\$\w])\$(?![\s\d.,]+\s)[^$\n]{1,200}?(?<!\s)\$(?![\d$])", re.S
)
_LINE_START = re.compile(r"(?:^|\n)[ \t>]*(?:(?:[-*+•]|\d{1,3}[.)])[ \t]+)?\Z")
_NUMBERED_THING = re.compile(
    r"(?:\b(?:references?|refs?\.?|items?|range|interval|index|step)|文献|区间|范围|编号)\s*\Z", re.I
)
_CLAIM_ENDS = re.compile(r"\s*(?:[.。!！?？;；,，\[【]|\n|\Z)")
_NAME_BEFORE = re.compile(r"[A-Za-z0-9_)\]]\Z", re.A)
_BEHIND = 80
"""Characters behind a citation that are looked at."""
UNSUPPORTED = Words(" *(unsupported)*", "*（无依据）*")
"""Stands in the place of citations that do not hold."""


class CitationCheck:
    """The citations of one answer, as they are checked.

    Attributes:
        citations: Those that hold, in the order of the answer, each once.
        removed: How many did not.
    """

    def __init__(self, sources: Sequence[Source], documents: Documents, owner: Owner, unsupported: str) -> None:
        """Check against `sources`; put the mark `unsupported` in place of citations that do not hold."""
        self._sources = by_number(sources)
        self._documents, self._owner, self._mark = documents, owner, unsupported
        self.citations: list[Citation] = []
        self.removed = 0

    async def checked(self, answer: str) -> str:
        """Return `answer` with `[n]` for each citation that holds."""
        maths = [match.span() for match in _MATHS.finditer(answer)]
        text, said, left = "", "", -1
        for piece in scan(answer):
            if isinstance(piece, str):
                text, said = text + piece, said + piece
                continue
            found: list[Citation | None] | None = None
            if piece.quote:
                found = [await self._quoted(piece, said)]
            elif not any(start <= piece.start < end for start, end in maths) and piece.start != left:
                found = cited_by_numbers(piece, self._sources, said, text, answer[piece.end : piece.end + _BEHIND])
            if found is None:
                text, said, left = text + piece.text, said + piece.text, piece.end
            else:
                text += self._replacement(found)
        # One mark a sentence is enough, with no space doubled before it.
        mark = re.escape(self._mark.strip())
        return re.sub(rf"[ \t]*{mark}(?:[ \t]*{mark})*", self._mark, text) if self.removed else text

    def _replacement(self, found: Sequence[Citation | None]) -> str:
        """Keep the citations that hold; return the text that replaces all of them."""
        self.citations += [
            made for place, made in enumerate(found) if made and made not in (*self.citations, *found[:place])
        ]
        self.removed += found.count(None)
        return "".join(f"[{made['number']}]" if made else self._mark for made in found)

    async def _quoted(self, marker: Marker, said: str) -> Citation | None:
        source = self._sources.get(marker.numbers[0])
        if source is None or is_short(marker.quote):
            return cited_by_quote(marker, self._sources, said)
        others = [other for other in self._sources.values() if other is not source]
        for place in [source, await self._page(source), *others]:
            span = find_quote(marker.quote, place["text"]) if place else None
            if place and span and await self._is_stored(place, place["text"][slice(*span)]):
                return citation(place, *span, place["text"][slice(*span)], verified=True)
        return None

    async def _page(self, source: Source) -> Source | None:
        """The whole page that a passage was taken from."""
        if "document_id" not in source or "page" not in source:
            return None
        try:
            text = await self._documents.page_text(source["document_id"], source["page"], self._owner)
        except AppError:
            return None
        return {**source, "text": text, "start": 0, "end": len(text)}

    async def _is_stored(self, source: Source, words: str) -> bool:
        """Whether the words still stand in the store: a document may have been deleted since it was searched."""
        if source["origin"] == "web" or "page" not in source:
            return True
        page = await self._page(source)
        return page is not None and words in page["text"]

    async def warnings_of_pictures(self, sent: Sequence[Attachment]) -> list[str]:
        """Return what has to be said of the pictures sent and those cited: OCR and description that disagree."""
        pictures = {item["id"]: item for item in sent if item["kind"] == "image"}
        cited = {item.get("document_id") for item in self.citations}
        for source in self._sources.values():
            identity = source.get("document_id", "")
            if source["origin"] == "image" and identity not in pictures and identity in cited:
                try:
                    pictures[identity] = await self._documents.get(identity, self._owner)
                except AppError:
                    continue
        return list(dict.fromkeys(warning for item in pictures.values() for warning in item.get("warnings", [])))

    def warnings_of_hidden(self, sent: Sequence[Attachment], notes: Sequence[DocumentNote]) -> list[str]:
        """Return, for the files sent and those cited, that they hold text which their readers do not see."""
        used = {item.get("document_id") for item in self.citations} | {item["id"] for item in sent}
        found = {item["id"]: f"{item['name']}: {hidden}" for item in notes if (hidden := item.get("hidden"))}
        found |= {item["id"]: f"{item['name']}: {hidden}" for item in sent if (hidden := item.get("hidden"))}
        return [text for identity, text in found.items() if identity in used]


def by_number(sources: Sequence[Source]) -> dict[int, Source]:
    """Return passages by the numbers under which an answer may cite them."""
    return {source["number"]: source for source in sources}


def cited_by_quote(marker: Marker, sources: Mapping[int, Source], said: str) -> Citation | None:
    """Return what a citation with a quote cites, as far as the passages themselves tell; `said` stands before it."""
    source = sources.get(marker.numbers[0])
    if source is None:
        return None
    if is_short(marker.quote):
        return _aligned(source, last_claim(said), marker.quote)
    for place in (source, *(other for other in sources.values() if other is not source)):
        if span := find_quote(marker.quote, place["text"]):
            return citation(place, *span, place["text"][slice(*span)], verified=True)
    return None


def cited_by_numbers(
    marker: Marker, sources: Mapping[int, Source], said: str, before: str, behind: str
) -> list[Citation | None] | None:
    """Return what each number of a citation without a quote cites; `None` for a bracket that is no citation.

    Such are lists that name no passage, what opens a line, and an index behind a name that supports nothing. A single
    number of no passage is an invented citation where it ends a claim.

    Args:
        marker: The citation.
        sources: Passages by number.
        said: The answer before it, without citations.
        before: The answer before it as it is shown.
        behind: What follows it, the first letter of it at least; only a number of no passage needs it.
    """
    if not sources or _LINE_START.search(said):
        return None
    attached = _NAME_BEFORE.search(before) is not None
    if any(number not in sources for number in marker.numbers):
        ends = _CLAIM_ENDS.match(behind) is not None and not _NUMBERED_THING.search(before)
        return [None] if ends and not attached and len(marker.numbers) == 1 else None
    found = [_aligned(sources[number], last_claim(said), "") for number in marker.numbers]
    return None if attached and not any(found) else found


def _aligned(source: Source, claim: str, quote: str) -> Citation | None:
    """Tie a number without a quote to the sentence that carries the claim; a quote of a few letters has to stand there.

    A claim in another language than its source shares no words with it: it keeps its number, unverified, and points at
    the whole passage (embeddings do not tell such claims from invented ones; docs/decisions/0004). So does a claim with
    a number that the passage has not, or that negates where its sentence does not: it points at that sentence.
    """
    text = source["text"]
    start, end, share = best_span(claim, text)
    if quote and not find_short(quote, text if share < SUPPORT else text[start:end]):
        return None
    literal = None if quote else find_quote(claim, text)
    if share >= SUPPORT:
        verified = literal is not None or agrees(claim, text[start:end], text)
        return citation(source, start, end, text[start:end], verified=verified)
    if literal:
        return citation(source, *literal, text[slice(*literal)], verified=True)
    if written_language(claim) == written_language(text):
        return None
    return citation(source, 0, len(text), "", verified=False)
