"""Finds the tools that a request needs among many: by keyword at once, and by meaning as soon as they are embedded.

A tool is several lines: its name and description, and each of its example requests. A request is near a tool when it
is near one of its lines; before they are compared, what all requests of a language, and all descriptions, have in
common is taken away. bench/tools.py measures it.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from domain.bm25 import Bm25, Scores
from domain.errors import AppError
from domain.text import has_han, terms
from domain.words import Language
from models.embeddings.typical_requests import TYPICAL

if TYPE_CHECKING:
    from models.embeddings.interface import Embedder
    from stores.sql.text_vectors import Line, TextVectors
    from tools.interface import ToolSpec

logger = logging.getLogger(__name__)

FIND_TOOLS: Final = "find_tools"
OFFERED_WHOLE: Final = 24
"""So many tools are offered whole, and in the same order in every turn: a provider's prompt cache holds them."""
OFFERED_OF_MANY: Final = 12
"""Most tools that are offered of more."""
SCHEMA_TOKENS: Final = 2000
"""Most tokens of a prompt for the schemas of those, however many there are."""
KEYWORD_SHARE: Final = 0.3
"""Weight of the best keyword hit against a cosine of 1. From 0.2 to 0.7 the hits of bench/tools.py differ by 1 %."""
QUERY_SECONDS: Final = 3
RETRY_SECONDS: Final = 60
BATCH: Final = 32

_TYPICAL: Final[list[Line]] = [("query", text) for texts in TYPICAL.values() for text in texts]
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\W_]+")


class ToolIndex:
    """Ranks tools by a request. It takes whatever tools there are at each call, and embeds new ones behind it."""

    def __init__(self, embedder: Embedder | None = None, vectors: TextVectors | None = None) -> None:
        """Take what embeds and where vectors are kept, which their owners close; without these keywords decide."""
        self._embedder, self._store = embedder, vectors
        self._specs: list[ToolSpec] = []
        self._keywords = Bm25([])
        self._known: dict[Line, NDArray[np.float32]] = {}
        self._meanings: _Meanings | None = None
        self._complete = False
        self._embedding: asyncio.Task[None] | None = None
        self._not_before = 0.0

    async def ranked(self, request: str, specs: Sequence[ToolSpec], names: Collection[str]) -> list[str]:
        """Return those of `names` that are tools of `specs`, best first; without any hint in the order of `specs`.

        Args:
            request: What is to be done, in either language.
            specs: All tools; new ones are embedded in the background.
            names: Tools that may be found.
        """
        await self.prepare(specs)
        there, keywords, meanings = self._specs, self._keywords, self._meanings
        vector = await self._query(request) if meanings is not None else None

        def rank() -> list[str]:
            scores = keywords.scores(set(terms(request)))[0] * KEYWORD_SHARE
            if meanings is not None and vector is not None:
                scores += meanings.scores(vector, _language(request))
            return [there[place].name for place in np.argsort(-scores, kind="stable")]

        allowed = set(names)
        return [name for name in await asyncio.to_thread(rank) if name in allowed]

    async def prepare(self, specs: Sequence[ToolSpec]) -> None:
        """Index these tools: by keyword now, by meaning as far as they have vectors, the others in the background."""
        if (listed := list(specs)) != self._specs:
            self._keywords, self._meanings = await asyncio.to_thread(
                lambda: (_keywords(listed), _meanings(listed, self._known))
            )
            self._specs, self._complete, self._not_before = listed, False, 0.0
        embedder, store = self._embedder, self._store
        if self._complete or self._embedding is not None or time.monotonic() < self._not_before:
            return
        if embedder is not None and embedder.dimensions and store is not None:
            self._embedding = asyncio.create_task(self._embed(embedder, store))
            self._embedding.add_done_callback(self._embedded)

    async def ready(self) -> bool:
        """Wait until embedding ends; return whether every tool is found by meaning."""
        while self._embedding is not None:
            await asyncio.wait([self._embedding])
        return self._complete

    async def aclose(self) -> None:
        """Stop embedding; what is embedded is kept."""
        if (task := self._embedding) is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _query(self, request: str) -> NDArray[np.float32] | None:
        if self._embedder is None:
            return None
        try:
            async with asyncio.timeout(QUERY_SECONDS):
                return await self._embedder.query(request)
        except (AppError, TimeoutError) as exc:
            logger.warning("tools are found by keyword alone", extra={"error": type(exc).__name__})
            return None

    async def _embed(self, embedder: Embedder, store: TextVectors) -> None:
        """Embed what is new, until the tools that there are by then have all their vectors."""
        while not self._complete:
            specs, model = self._specs, embedder.name
            lines = [*_TYPICAL, *(line for spec in specs for line in lines_of(spec))]
            missing = [line for line in dict.fromkeys(lines) if line not in self._known]
            kept = await store.get(model, missing) if missing else {}
            self._known |= kept
            new = [line for line in missing if line not in kept]
            for start in range(0, len(new), BATCH):
                made = await _vectors(embedder, new[start : start + BATCH])
                await store.put(model, made)
                self._known |= made
            meanings = await asyncio.to_thread(_meanings, specs, self._known)
            if specs is self._specs:
                self._meanings, self._complete = meanings, True
                self._known = {line: self._known[line] for line in lines}

    def _embedded(self, task: asyncio.Task[None]) -> None:
        self._embedding = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self._not_before = time.monotonic() + RETRY_SECONDS
            logger.warning("tools could not be embedded", extra={"error": repr(error)[:300]})


def _keywords(specs: Sequence[ToolSpec]) -> Bm25:
    """Index names, descriptions, arguments and example requests."""
    return Bm25([Counter(terms(" ".join(texts_of(spec)))) for spec in specs])


async def _vectors(embedder: Embedder, lines: Sequence[Line]) -> dict[Line, NDArray[np.float32]]:
    passages = [line for line in lines if line[0] == "passage"]
    made = {line: await embedder.query(line[1]) for line in lines if line[0] == "query"}
    if passages:
        made |= zip(passages, await embedder.passages([text for _, text in passages]), strict=True)
    return made


class _Meanings:
    """Vectors of lines, each without what its kind has in common. A tool without any scores 0, as chance does."""

    def __init__(self, lines: Sequence[Sequence[Line]], known: Mapping[Line, NDArray[np.float32]]) -> None:
        """Take the lines of each tool; those of some may be empty."""
        self._common = {
            language: np.mean([known["query", text] for text in texts], axis=0) for language, texts in TYPICAL.items()
        }
        described = np.mean([known[own[0]] for own in lines if own], axis=0)
        means = {line: self._common[_language(line[1])] if line[0] == "query" else described for line in known}
        self._lines = _unit(np.stack([known[line] - means[line] for own in lines for line in own]))
        self._tools = np.array([place for place, own in enumerate(lines) if own])
        self._firsts = np.cumsum([0, *(len(own) for own in lines if own)])[:-1]
        self._size = len(lines)

    def scores(self, vector: NDArray[np.float32], language: Language) -> Scores:
        """Return the cosine of each tool's nearest line, -1..1."""
        scores = np.zeros(self._size)
        near = self._lines @ _unit(vector - self._common[language])
        scores[self._tools] = np.maximum.reduceat(near, self._firsts)
        return scores


def _meanings(specs: Sequence[ToolSpec], known: Mapping[Line, NDArray[np.float32]]) -> _Meanings | None:
    """Return the vectors of the tools that have them all, if those are most."""
    lines = [own if all(line in known for line in own) else [] for own in map(lines_of, specs)]
    there = sum(1 for own in lines if own)
    return _Meanings(lines, known) if there * 2 > len(specs) and all(line in known for line in _TYPICAL) else None


def lines_of(spec: ToolSpec) -> list[Line]:
    """Return the lines of a tool: the description first, then its example requests."""
    return [("passage", f"{_words(spec.name)}: {spec.tool.description}"), *(("query", text) for text in spec.examples)]


def texts_of(spec: ToolSpec) -> Iterator[str]:
    """Yield what keywords are looked for in: the lines of a tool, names and descriptions of all its arguments."""
    yield from (text for _, text in lines_of(spec))
    left: list[Any] = [spec.schema["function"].get("parameters")]
    while left:
        schema = left.pop()
        if isinstance(schema, dict):
            properties = schema.get("properties")
            yield from map(_words, properties) if isinstance(properties, dict) else ()
            description = schema.get("description")
            yield description if isinstance(description, str) else ""
        left.extend(schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ())


def _words(name: str) -> str:
    return _HUMPS.sub(" ", name).strip()


def _language(text: str) -> Language:
    return "zh" if has_han(text) else "en"


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32(1e-9))
    return unit
