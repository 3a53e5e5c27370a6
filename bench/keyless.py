"""The whole product with no key, on question sets: is the right place cited, and is the answer in the answer?

    python -m bench.keyless [--corpus DIR] [--data DIR] [--limit N] [--sets en zh pdf] [--show]

In one process: embedded Redis, stores, bundled models, the graph with its memory; no key, no web search. Questions come
from two places, each document or collection in a session of its own that all its questions are asked in:

* `manifest.json`: documents with questions (`expect.qa`: question, answers, page). Right place: document and page.
* `qa/`: the paragraphs of a language as Markdown documents of 50 sections, one paragraph each under its title. Right
  place: document and section (its page number).

Prints per language how often a citation names the right document and page (bar 0.80), how often a gold answer is
inside the answer (after NFKC, without white space, lower case; bar 0.70), and seconds per question; how many of
`en_unanswerable` are declined, that is answered without any citation (bar 0.50); and beside it, in the same run, what
plain keyword search does: the sentence of its best chunk that shares most words with the question. Exits with 1 when a
bar is missed. `--data` keeps the folder, so that documents are not embedded again; answers are never kept.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
import unicodedata
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from langchain_core.messages import HumanMessage

os.environ.setdefault("OMP_NUM_THREADS", "1")

from domain.language import language_of
from domain.owner import Owner
from domain.quotes import best_span
from graph.builder import Graph, build_graph
from services import open_services
from settings import Settings
from stores.redis.checkpoints import open_checkpointer
from stores.redis.server import open_redis
from turn.context import Context, Services

CITED_BAR, INSIDE_BAR, DECLINED_BAR = 0.80, 0.70, 0.50
SECTIONS = 50
CORPUS = Path(os.environ.get("CORPUS_DIR", Path(__file__).resolve().parents[2] / "shared" / "corpus"))


@dataclass(frozen=True)
class Question:
    """A question, the answers that count, and where it is answered; `page` 0: nowhere."""

    text: str
    answers: tuple[str, ...]
    document: str
    page: int


@dataclass
class Task:
    """Files of one session, by name, and what is asked there."""

    language: str
    files: dict[str, bytes]
    questions: list[Question]
    declines: bool = False


@dataclass
class Score:
    """What came of the questions of one language."""

    cited: list[bool] = field(default_factory=list)
    inside: list[bool] = field(default_factory=list)
    declined: list[bool] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def add(self, other: Score) -> None:
        """Take over the results of `other`."""
        for name in ("cited", "inside", "declined", "seconds"):
            getattr(self, name).extend(getattr(other, name))


def document_tasks(corpus: Path, limit: int) -> list[Task]:
    """Return one task for each document of the manifest that comes with questions."""
    tasks = []
    for row in json.loads((corpus / "manifest.json").read_text("utf-8"))["files"]:
        asked = row.get("expect", {}).get("qa", [])
        name = row["file"]
        questions = [Question(q["question"], tuple(q["answers"]), name, q["page"]) for q in _some(asked, limit)]
        if questions:
            language = language_of(questions[0].text)
            tasks.append(Task(language, {name: (corpus / name).read_bytes()}, questions))
    return tasks


def set_task(folder: Path, language: str, limit: int, *, unanswerable: bool = False) -> Task:
    """Return the paragraphs of a language as documents, with their questions or with those that have no answer."""
    places: dict[str, tuple[str, int]] = {}
    texts: dict[str, list[str]] = {}
    for index, row in enumerate(_rows(folder / f"{language}_paragraphs.jsonl")):
        name, page = f"{language}_{index // SECTIONS + 1}.md", index % SECTIONS + 1
        places[row["pid"]] = (name, page)
        texts.setdefault(name, []).append(f"## {row['title']}\n\n{row['text']}\n")
    asked = _rows(folder / f"{language}_{'unanswerable' if unanswerable else 'questions'}.jsonl")
    questions = [
        Question(row["question"], tuple(row["answers"]), *(("", 0) if unanswerable else places[row["pid"]]))
        for row in _some(asked, limit)
    ]
    files = {name: "\n".join(sections).encode() for name, sections in texts.items()}
    return Task(language, files, questions, declines=unanswerable)


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _some(rows: Sequence[dict[str, Any]], limit: int) -> Sequence[dict[str, Any]]:
    """Return `limit` rows spread over all, or all where `limit` is 0."""
    return rows if not limit or limit >= len(rows) else [rows[i * len(rows) // limit] for i in range(limit)]


class Product:
    """The running parts, and one conversation after the other with them."""

    def __init__(self, services: Services, graph: Graph, *, show: bool) -> None:
        self.services, self._graph, self._show = services, graph, show

    async def run(self, task: Task) -> tuple[Score, Score]:
        """Upload the files of a task, wait until they have vectors, ask; return the product's and the peer's score."""
        owner = Owner(thread_id=uuid4().hex)
        names = {}
        for name, data in task.files.items():
            ref = await self.services.attachments.put(data, name=name, owner=owner)
            read = await self.services.ingestion.read_document(
                ref, owner, language="zh" if task.language == "zh" else "en", wait="indexed"
            )
            assert read["status"] == "ready", read
            names[ref["id"]] = name
        ours, peer = Score(), Score()
        for question in task.questions:
            began = time.perf_counter()
            state = await self.ask(question.text, owner)
            ours.seconds.append(time.perf_counter() - began)
            cited = [(c["name"], c.get("page", 0)) for c in state["citations"]]
            self._mark(ours, question, cited, state["answer"], declines=task.declines)
            began = time.perf_counter()
            places, answer = await self._keyword(question.text, owner)
            peer.seconds.append(time.perf_counter() - began)
            _record(peer, question, places, answer, declines=task.declines)
        return ours, peer

    async def ask(self, text: str, owner: Owner) -> dict[str, Any]:
        """Take one turn in the conversation of `owner`; return what the graph gives back."""
        context = Context(thread_id=owner.thread_id, services=self.services)
        return await self._graph.ainvoke(
            {"messages": [HumanMessage(text)]},
            {"configurable": {"thread_id": owner.memory_key}},
            context=context,
            durability="exit",
        )

    async def _keyword(self, text: str, owner: Owner) -> tuple[list[tuple[str, int]], str]:
        hits = await self.services.documents.search(text, owner, top_k=1, mode="keyword")
        if not hits:
            return [], ""
        start, end, _ = best_span(text, hits[0]["text"])
        return [(hits[0]["name"], hits[0]["page"])], hits[0]["text"][start:end]

    def _mark(
        self, score: Score, question: Question, cited: list[tuple[str, int]], answer: str, *, declines: bool
    ) -> None:
        right = _record(score, question, cited, answer, declines=declines)
        if self._show and not right:
            print(f"- {question.text}\n    gold {question.answers} {question.document} p{question.page}")
            print(f"    said {answer!r}\n    cited {cited}")


def _record(score: Score, question: Question, cited: list[tuple[str, int]], answer: str, *, declines: bool) -> bool:
    if declines:
        score.declined.append(not cited)
        return not cited
    score.cited.append((question.document, question.page) in cited)
    said = folded(answer)
    score.inside.append(any(folded(gold) in said for gold in question.answers))
    return score.cited[-1] and score.inside[-1]


def folded(text: str) -> str:
    """Return `text` for comparison: NFKC, no white space, lower case."""
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


@asynccontextmanager
async def opened(data: Path, *, show: bool, ocr: bool = False) -> AsyncIterator[Product]:
    """Open the product below `data`."""
    settings = Settings(  # the environment gives what is missing
        data_dir=data, web_search="off", ocr_engine="auto" if ocr else "off", _env_file=None
    )
    async with await open_redis(settings) as redis, open_services(settings, redis.client) as services:
        yield Product(services, build_graph(await open_checkpointer(redis.client, settings)), show=show)


async def measure(chosen: argparse.Namespace, data: Path) -> bool:
    """Ask everything, print the tables, and tell whether the bars are met."""
    folder = chosen.corpus / "qa"
    tasks = document_tasks(chosen.corpus, chosen.limit) if "pdf" in chosen.sets else []
    tasks += [set_task(folder, language, chosen.limit) for language in ("en", "zh") if language in chosen.sets]
    if "en" in chosen.sets:
        tasks.append(set_task(folder, "en", chosen.limit, unanswerable=True))
    totals: dict[str, tuple[Score, Score]] = {}
    async with opened(data, show=chosen.show) as product:
        for task in tasks:
            ours, peer = await product.run(task)
            print(f"{task.language} {', '.join(task.files)}: {line(ours)} | keyword only {line(peer)}", flush=True)
            both = totals.setdefault(task.language, (Score(), Score()))
            both[0].add(ours)
            both[1].add(peer)
    met = [report(language, *both) for language, both in sorted(totals.items())]
    return all(met)


def line(score: Score) -> str:
    """Return the shares of one score in short."""
    if score.declined:
        return f"declined {np.mean(score.declined):.3f} of {len(score.declined)}"
    return f"cited {np.mean(score.cited):.3f}, inside {np.mean(score.inside):.3f} of {len(score.cited)}"


def report(language: str, ours: Score, peer: Score) -> bool:
    """Print the result of a language; tell whether its bars are met."""
    rows = [
        ("right document and page cited", ours.cited, peer.cited, CITED_BAR),
        ("gold answer inside the answer", ours.inside, peer.inside, INSIDE_BAR),
        ("unanswerable declined", ours.declined, peer.declined, DECLINED_BAR),
    ]
    print(f"\n{language}: {len(ours.cited)} questions, {len(ours.declined)} without an answer")
    met = True
    for label, mine, theirs, bar in rows:
        if mine:
            share, other = float(np.mean(mine)), float(np.mean(theirs))
            met &= share >= bar
            ratio = f", {share / other:.2f} x" if other else ""
            print(f"  {label:32}{share:.3f} (bar {bar:.2f}); keyword only {other:.3f}{ratio}")
    p50, p95 = np.percentile(ours.seconds or [0.0], [50, 95])
    usual = float(np.median(peer.seconds or [0.0]))
    print(f"  {'seconds per question':32}p50 {p50:.2f}, p95 {p95:.2f}; keyword only p50 {usual:.3f}")
    return met


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="folder with manifest.json and qa/")
    parser.add_argument("--data", type=Path, help="folder that keeps documents and vectors between runs")
    parser.add_argument("--limit", type=int, default=0, help="questions of each set, spread over it; 0 is all")
    parser.add_argument("--sets", nargs="+", choices=("en", "zh", "pdf"), default=("en", "zh", "pdf"))
    parser.add_argument("--show", action="store_true", help="print the questions that went wrong")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(0 if asyncio.run(measure(chosen, chosen.data or Path(temporary))) else 1)


if __name__ == "__main__":
    main()
