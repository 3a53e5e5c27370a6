"""Checks the citations of an answer against the texts that they name, while these are still stored."""

from __future__ import annotations

import re
from collections.abc import Sequence

from domain.citations import Marker, QuoteStripper, scan
from domain.errors import AppError
from domain.language import written_language
from domain.owner import Owner
from domain.quotes import SUPPORT, agrees, best_span, citation, find_quote, find_short, is_short, last_claim
from domain.types import Attachment, Citation, DocumentNote, Source
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


class ShownAnswer(QuoteStripper):
    """An answer as it is shown while it is being written: `[2 "the words"]` as `[2]`, once a passage bears it out.

    What no passage bears out is held back: a number of none that ends a claim, as `CitationCheck` judges it, and a
    quote that is in none. The check of the whole answer says what became of them.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        """Start at the beginning of an answer; `sources` are the passages that it may cite."""
        super().__init__()
        self._sources = {source["number"]: source for source in sources}
        self._said, self._doubted = "", ""

    def _shown(self, piece: str | Marker) -> str:
        """Return what one piece lets be shown; a doubted number waits for the text behind it."""
        if isinstance(piece, str):
            if self._doubted and not piece.strip() and "\n" not in piece:
                self._doubted += piece
                return ""
            doubted, self._doubted = self._doubted, ""
            kept = doubted[doubted.index("]") + 1 :] if doubted and _CLAIM_ENDS.match(piece) else doubted
            self._said += piece
            return kept + piece
        self._doubted = ""
        if piece.quote:
            return piece.shown if self._bears_out(piece) else ""
        known = all(number in self._sources for number in piece.numbers) or len(piece.numbers) > 1
        named = _NAME_BEFORE.search(self._said) or _NUMBERED_THING.search(self._said) or _LINE_START.search(self._said)
        if not self._sources or known or named:
            return piece.text
        self._doubted = piece.text
        return ""

    def _bears_out(self, marker: Marker) -> bool:
        if marker.numbers[0] not in self._sources:
            return False
        found = (find_quote(marker.quote, source["text"]) for source in self._sources.values())
        return is_short(marker.quote) or any(found)


class CitationCheck:
    """The citations of one answer, as they are checked.

    Attributes:
        citations: Those that hold, in the order of the answer, each once.
        removed: How many did not.
    """

    def __init__(self, sources: Sequence[Source], documents: Documents, owner: Owner, unsupported: str) -> None:
        """Check against `sources`; put the mark `unsupported` in place of citations that do not hold."""
        self._sources = {source["number"]: source for source in sources}
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
            shown = None
            if piece.quote:
                shown = self._replacement([await self._quoted(piece, said)])
            elif not any(start <= piece.start < end for start, end in maths) and piece.start != left:
                attached = _NAME_BEFORE.search(text) is not None
                ends = _CLAIM_ENDS.match(answer, piece.end) is not None and not _NUMBERED_THING.search(text)
                shown = self._numbers(piece, said, attached=attached, claims=ends and not attached)
            if shown is None:
                shown, left = piece.text, piece.end
                said += piece.text
            text += shown
        # One mark a sentence is enough, with no space doubled before it.
        mark = re.escape(self._mark.strip())
        return re.sub(rf"[ \t]*{mark}(?:[ \t]*{mark})*", self._mark, text) if self.removed else text

    def _numbers(self, marker: Marker, said: str, *, attached: bool, claims: bool) -> str | None:
        """Return the replacement of numbers without a quote; `None` leaves a bracket that cites nothing as it is.

        Such are lists that name no passage, what opens a line, and an index behind a name that supports nothing. A
        single number of no passage is an invented citation where it ends a claim.
        """
        if not self._sources or _LINE_START.search(said):
            return None
        if any(number not in self._sources for number in marker.numbers):
            return self._replacement([None]) if claims and len(marker.numbers) == 1 else None
        claim = last_claim(said)
        found = [_aligned(self._sources[number], claim, "") for number in marker.numbers]
        return None if attached and not any(found) else self._replacement(found)

    def _replacement(self, found: Sequence[Citation | None]) -> str:
        """Keep the citations that hold; return the text that replaces all of them."""
        self.citations += [
            made for place, made in enumerate(found) if made and made not in (*self.citations, *found[:place])
        ]
        self.removed += found.count(None)
        return "".join(f"[{made['number']}]" if made else self._mark for made in found)

    async def _quoted(self, marker: Marker, said: str) -> Citation | None:
        source = self._sources.get(marker.numbers[0])
        if source is None:
            return None
        if is_short(marker.quote):
            return _aligned(source, last_claim(said), marker.quote)
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
