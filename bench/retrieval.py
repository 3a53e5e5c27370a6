"""Retrieval quality on question sets, and the speed of search in a large store.

    python bench/retrieval.py [QA_FOLDER] [--cache FILE.npz]
    python bench/retrieval.py --scale [--chunks 100000] [--owners 200]

The first prints Recall@1/5/10 and MRR@10 of keyword, dense and hybrid search, per language, and how well the top score
tells answerable from unanswerable questions. The second fills a store with synthetic documents and prints the time of a
hybrid query without its embedding, how that grows from 1,000 chunks on, and what a deletion costs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

from domain.owner import Owner
from domain.tokens import count_tokens
from domain.words import Words
from ingestion.chunks import Chunker
from models.embeddings.interface import Embedder, Vectors
from models.embeddings.registry import open_embedder
from settings import Settings
from stores.library.documents import Documents
from stores.library.pages import PageText
from stores.library.ranking import Mode
from stores.sql.database import Database

MODES: tuple[Mode, ...] = ("keyword", "dense", "hybrid")
DEPTH = 50
PAGE_CHUNKS = 5


@dataclass(frozen=True)
class Question:
    """A question and the paragraph that answers it."""

    text: str
    paragraph: str


class CachedEmbedder:
    """An embedder that keeps its vectors in a file, so that a second run costs nothing."""

    def __init__(self, inner: Embedder, path: Path | None) -> None:
        self.name, self.dimensions, self.detail = inner.name, inner.dimensions, inner.detail
        self._inner, self._path = inner, path
        self._known: dict[str, Vectors] = {}
        if path and path.is_file():
            stored = np.load(path)
            self._known = dict(zip(stored["texts"].tolist(), stored["vectors"], strict=True))

    async def passages(self, texts: Sequence[str]) -> Vectors:
        """Return vectors, new ones from the inner embedder."""
        new = [text for text in texts if f"p {text}" not in self._known]
        for text, vector in zip(new, await self._inner.passages(new) if new else [], strict=True):
            self._known[f"p {text}"] = vector
        return np.stack([self._known[f"p {text}"] for text in texts])

    async def query(self, text: str) -> Vectors:
        """Return the vector of a question, if new from the inner embedder."""
        if f"q {text}" not in self._known:
            self._known[f"q {text}"] = await self._inner.query(text)
        return self._known[f"q {text}"]

    def save(self) -> None:
        """Write the file."""
        if self._path and self._known:
            np.savez(self._path, texts=np.array(list(self._known)), vectors=np.stack(list(self._known.values())))


class SyntheticEmbedder:
    """Unit vectors around a few topics, told by the first word of a text; instant."""

    name, dimensions, detail = "synthetic", 384, Words("random", "随机")

    def __init__(self) -> None:
        self._random = np.random.default_rng(7)
        self._topics = self._random.normal(size=(64, self.dimensions)).astype(np.float32)

    async def passages(self, texts: Sequence[str]) -> Vectors:
        """Return a vector near one of the topics for each text."""
        noise = self._random.normal(size=(len(texts), self.dimensions)).astype(np.float32)
        vectors = self._topics[self._random.integers(0, 64, len(texts))] * 0.8 + noise
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    async def query(self, text: str) -> Vectors:
        """Return one more such vector."""
        unit: Vectors = (await self.passages([text]))[0]
        return unit


def rows(path: Path) -> list[dict[str, str]]:
    """Return the objects of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


async def add_document(documents: Documents, owner: Owner, name: str, pages: Sequence[str], chunk_tokens: int) -> str:
    """Store `pages` as one document, as ingestion does, without a reader."""
    ref = await documents.attachments.put(f"{name}\n{random.random()}".encode(), name=name, owner=owner)
    content_id, _ = await documents.contents.open(ref, key=ref["sha256"], origin="document", language="en")
    await documents.contents.claim(content_id)
    chunker = Chunker(chunk_tokens)
    chunks = [chunk for number, text in enumerate(pages, 1) for chunk in chunker.page(number, text)]
    texts = [PageText(number, "", text) for number, text in enumerate(pages, 1)]
    await documents.contents.add_pages(content_id, texts, chunks, [])
    await documents.contents.finish(content_id, language="en")
    return ref["id"]


async def embed_all(documents: Documents, embedder: Embedder) -> None:
    """Store the vectors of all chunks that have none."""
    assert documents.vectors is not None
    for item in await documents.backlog.unfinished(10**9):
        while batch := await documents.backlog.not_embedded(item.content_id, 64):
            vectors = await embedder.passages([chunk.text for chunk in batch])
            await documents.vectors.add(item.content_id, batch[0].ordinal, vectors)
            await documents.backlog.embedded(item.content_id, batch[-1].ordinal + 1, embedder.name)


async def quality(folder: Path, cache: Path | None) -> None:
    """Print the tables of the question sets in `folder`."""
    with tempfile.TemporaryDirectory() as temporary:
        settings = Settings(data_dir=Path(temporary), _env_file=None)
        embedder = CachedEmbedder(open_embedder(settings), cache)
        database = await Database.open(settings)
        documents = await Documents.open(settings, database, embedder)
        cross = rows(folder / "cross_zh2en.jsonl")
        english = {row["pid"]: row["text"] for row in rows(folder / "en_paragraphs.jsonl")}
        sets = {
            "en": (english, rows(folder / "en_questions.jsonl")),
            "zh": (
                {row["pid"]: row["text"] for row in rows(folder / "zh_paragraphs.jsonl")},
                rows(folder / "zh_questions.jsonl"),
            ),
            "zh->en": ({**english, **{row["pid"]: row["paragraph"] for row in cross}}, cross),
        }
        print(f"{embedder.name:28}{'method':6}{'R@1':>7}{'R@5':>7}{'R@10':>7}{'MRR@10':>8}")
        tops: list[float] = []
        for name, (paragraphs, asked) in sets.items():
            owner = Owner(name)
            order = list(paragraphs)
            await add_document(documents, owner, name, [paragraphs[pid] for pid in order], 160)
            await embed_all(documents, embedder)
            questions = [Question(row["question"], row["pid"]) for row in asked]
            for mode in MODES:
                ranks, best = await ask(documents, owner, questions, order, mode)
                print(f"{'':24}{name:8}{mode:10}{measures(ranks)}")
                tops = best if name == "en" and mode == "hybrid" else tops
        unanswerable = [Question(row["question"], row["pid"]) for row in rows(folder / "en_unanswerable.jsonl")]
        _, lows = await ask(documents, Owner("en"), unanswerable, list(english), "hybrid")
        print(f"answerable above unanswerable by top similarity: AUC {area(tops, lows):.3f}")
        embedder.save()
        await documents.aclose()
        await database.aclose()


async def ask(
    documents: Documents, owner: Owner, questions: Sequence[Question], order: Sequence[str], mode: Mode
) -> tuple[list[int], list[float]]:
    """Return the rank of the right paragraph (0 is best) and the best similarity, for each question."""
    ranks, tops = [], []
    for question in questions:
        hits = await documents.search(question.text, owner, top_k=DEPTH, mode=mode)
        found = list(dict.fromkeys(order[hit["page"] - 1] for hit in hits))
        ranks.append(found.index(question.paragraph) if question.paragraph in found else DEPTH)
        tops.append(max((hit.get("similarity", 0.0) for hit in hits), default=0.0))
    return ranks, tops


def measures(ranks: Sequence[int]) -> str:
    """Return Recall@1, 5, 10 and MRR@10 as columns."""
    array = np.array(ranks)
    mrr = np.where(array < 10, 1 / (array + 1), 0).mean()
    return "".join(f"{(array < k).mean():7.3f}" for k in (1, 5, 10)) + f"{mrr:8.3f}"


def area(high: Sequence[float], low: Sequence[float]) -> float:
    """Return the area under the ROC curve of telling `high` from `low`."""
    difference = np.array(high)[:, None] - np.array(low)[None, :]
    return float((difference > 0).mean() + (difference == 0).mean() / 2)


async def scale(chunks: int, owners: int) -> None:
    """Print the speed of a small and of a large store."""
    small = await measure(1000, owners)
    large = await measure(chunks, owners)
    print(f"growth of p95 from 1,000 to {chunks:,} chunks: {large / small:.2f} (bar 6); p95 {large:.1f} ms (bar 60)")


async def measure(chunks: int, owners: int) -> float:
    """Fill a store and return the p95 of a hybrid query in milliseconds."""
    with tempfile.TemporaryDirectory() as temporary:
        settings = Settings(data_dir=Path(temporary), _env_file=None)
        embedder = SyntheticEmbedder()
        database = await Database.open(settings)
        documents = await Documents.open(settings, database, embedder)
        page = page_maker()
        pool = [page() for _ in range(3000)]
        each = chunks // owners
        ids: dict[int, list[str]] = {}
        started = time.perf_counter()
        for owner in range(owners):
            for first in range(0, each, 50):
                size = min(50, each - first)
                pages = [
                    "\n\n".join(random.choices(pool, k=min(PAGE_CHUNKS, size - n))) for n in range(0, size, PAGE_CHUNKS)
                ]
                name = f"document {owner} {first}"
                ids.setdefault(owner, []).append(await add_document(documents, Owner(f"user{owner}"), name, pages, 160))
            await embed_all(documents, embedder)
        filled = time.perf_counter() - started
        cold = await times(documents, owners, page, 1, shuffle=False)
        warm = await times(documents, owners, page, 300, shuffle=True)
        print(
            f"{chunks:,} chunks of {owners} owners, filled in {filled:.0f} s: hybrid query"
            f" p50 {np.median(warm):.1f} ms, p95 {np.percentile(warm, 95):.1f} ms;"
            f" each owner's first p50 {np.median(cold):.1f} ms, p95 {np.percentile(cold, 95):.1f} ms"
        )
        await deletion(documents, ids)
        await documents.aclose()
        await database.aclose()
        return float(np.percentile(warm, 95))


async def times(
    documents: Documents, owners: int, page: Callable[[], str], count: int, *, shuffle: bool
) -> list[float]:
    """Return the milliseconds of one hybrid search per drawn owner."""
    taken = []
    who = [random.randrange(owners) for _ in range(count)] if shuffle else list(range(owners))
    for owner in who:
        question = " ".join(random.sample(page().split(), 9))
        started = time.perf_counter()
        await documents.search(question, Owner(f"user{owner}"))
        taken.append((time.perf_counter() - started) * 1000)
    return taken


async def deletion(documents: Documents, ids: dict[int, list[str]]) -> None:
    """Print what it costs to delete one document of some owners."""
    taken = []
    for owner, mine in list(ids.items())[:20]:
        started = time.perf_counter()
        receipt = await documents.delete(mine[0], Owner(f"user{owner}"))
        taken.append((time.perf_counter() - started) * 1000)
        assert not any(count["after"] for count in receipt.values()), receipt
    print(f"  deleting one document: p50 {np.median(taken):.0f} ms, p95 {np.percentile(taken, 95):.0f} ms")


def page_maker() -> Callable[[], str]:
    """Return a maker of paragraphs of about 150 tokens, their words spread as in language, some Chinese."""
    generator = random.Random(11)
    words = ["".join(generator.choices("abcdefghijklmnopqrstuvwxyz", k=generator.randint(3, 9))) for _ in range(20_000)]
    words += ["".join(chr(generator.randint(0x4E00, 0x6000)) for _ in range(4)) for _ in range(4_000)]
    generator.shuffle(words)
    weights = np.cumsum(1 / np.arange(1, len(words) + 1)).tolist()

    def paragraph() -> str:
        chosen = generator.choices(words, cum_weights=weights, k=55)
        while count_tokens(" ".join(chosen)) > 158:
            chosen.pop()
        return " ".join(chosen) + "."

    return paragraph


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    beside = Path(__file__).resolve().parents[2] / "shared" / "corpus" / "qa"
    parser.add_argument("folder", nargs="?", type=Path, default=beside, help="folder of the question sets")
    parser.add_argument("--cache", type=Path, help="file that keeps the vectors between runs")
    parser.add_argument("--scale", action="store_true", help="measure speed instead of quality")
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--owners", type=int, default=200)
    chosen = parser.parse_args()
    asyncio.run(scale(chosen.chunks, chosen.owners) if chosen.scale else quality(chosen.folder, chosen.cache))


if __name__ == "__main__":
    main()
