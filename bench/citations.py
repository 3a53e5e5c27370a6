"""Citations that a model invents on purpose: how many are caught, and how many true ones are kept.

    python bench/citations.py [CORPUS_FOLDER] [--questions 400]

The documents of the corpus are ingested as uploads are, and a stand-in model answers questions on them over the real
graph. From the passages that it is sent it writes true quotes, some in another form (white space, quotation marks,
ligatures, full-width letters, capitals), and invented ones (another number, another name, a negation, two sentences in
one, a quote from elsewhere, a passage number that does not exist). Bar: all invented ones caught, no true one dropped.

The folder may also be named by CORPUS_DIR. It has `manifest.json` and `qa/*.jsonl`.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

from langchain_core.messages import HumanMessage

from bench.citing_model import CitingModel, Claim, plain
from domain.owner import Owner
from graph.builder import Graph, build_graph
from services import open_services
from settings import Settings
from stores.redis.checkpoints import open_checkpointer
from stores.redis.server import open_redis
from tests.standins.openai_server import OpenAIServer
from turn.citation_check import UNSUPPORTED
from turn.context import Context, Services

OWNER = Owner("bench", None)
"""The library of one user: what it holds is seen from every thread."""
TOGETHER = 4
PARAGRAPHS = 10
SKIPPED = ("image", "scanned", "long", "corrupt", "bomb", "empty", "encrypted", "truncated")
"""Kinds that need OCR, take minutes, or hold no text: they are the matter of other tests."""


def rows(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def files_of(corpus: Path) -> dict[str, bytes]:
    """Return the files to upload: those of the corpus, and the paragraphs of the question sets, some to a file."""
    listed = json.loads((corpus / "manifest.json").read_text("utf-8"))["files"]
    chosen = [row["file"] for row in listed if not any(word in row["kind"] for word in SKIPPED)]
    files = {name: (corpus / name).read_bytes() for name in chosen}
    for language in ("en", "zh"):
        texts = [row["text"] for row in rows(corpus / "qa" / f"{language}_paragraphs.jsonl")]
        for number, batch in enumerate(_batched(texts), 1):
            files[f"paragraphs-{language}-{number}.txt"] = "\n\n".join(batch).encode()
    return files


def _batched(texts: Sequence[str]) -> list[Sequence[str]]:
    return [texts[at : at + PARAGRAPHS] for at in range(0, len(texts), PARAGRAPHS)]


def questions_of(corpus: Path, limit: int) -> list[str]:
    """Return questions in both languages, and the facts of the corpus files as questions."""
    listed = json.loads((corpus / "manifest.json").read_text("utf-8"))["files"]
    facts = [fact["text"] for row in listed for fact in row["expect"].get("facts", ())]
    sets = ("en_questions", "zh_questions", "cross_zh2en")
    asked = [[row["question"] for row in rows(corpus / "qa" / f"{name}.jsonl")] for name in sets]
    mixed = [q for group in itertools.zip_longest(facts, *asked) for q in group if q]
    return list(dict.fromkeys(mixed))[:limit]


async def ingest(files: Mapping[str, bytes], services: Services) -> dict[str, str]:
    """Upload `files`; return the `plain` text of each document that could be read, by name."""
    texts: dict[str, str] = {}
    for name, data in files.items():
        ref = await services.attachments.put(data, name=name, owner=OWNER)
        document = await services.ingestion.read_document(ref, OWNER, language="en")
        if document["status"] == "ready":
            pages = await services.documents.pages(ref["id"], OWNER)
            texts[name] = plain("\n".join(page["markdown"] for page in pages))
    return texts


async def ask(question: str, graph: Graph, services: Services) -> dict[str, Any]:
    """Run one turn on a new thread."""
    thread = Owner(OWNER.user_id, f"t-{hash(question)}")
    return await graph.ainvoke(
        {"messages": [HumanMessage(question)]},
        {"configurable": {"thread_id": thread.memory_key}},
        context=Context(user_id=OWNER.user_id, thread_id=thread.thread_id, tools=(), services=services),
    )


def outcome(claim: Claim, answer: str) -> bool | None:
    """Return whether the citation of a claim was kept; `None` when its line is not in the answer."""
    head = claim.line[: claim.line.rindex(" [")]
    at = answer.find(head)
    if at < 0:
        return None
    rest = answer[at + len(head) :]
    if any(rest.startswith(mark) for mark in UNSUPPORTED):
        return False
    return rest.startswith(" [")


class Tally:
    """Counts by kind and language, and what went wrong."""

    def __init__(self) -> None:
        self.right: Counter[tuple[bool, str, str]] = Counter()
        self.all: Counter[tuple[bool, str, str]] = Counter()
        self.wrong: list[str] = []

    def add(self, claim: Claim, kept: bool | None, name: str) -> None:
        """Count one claim."""
        key = (claim.true, claim.kind, claim.language)
        self.all[key] += 1
        if kept is claim.true:
            self.right[key] += 1
        else:
            self.wrong.append(f"{'DROPPED' if claim.true else 'MISSED'} ({claim.kind}, {name}): {claim.line!r}")

    def share(self, true: bool) -> tuple[int, int]:
        """Return (right, all) of the true or the invented claims."""
        keys = [key for key in self.all if key[0] is true]
        return sum(self.right[key] for key in keys), sum(self.all[key] for key in keys)

    def show(self) -> None:
        """Print the tables and the first mistakes."""
        for true, title in ((False, "invented, caught"), (True, "true, kept")):
            print(f"\n{title:28}{'en':>16}{'zh':>16}")
            for kind in sorted({key[1] for key in self.all if key[0] is true}):
                cells = [(self.right[true, kind, lang], self.all[true, kind, lang]) for lang in ("en", "zh")]
                print(f"{kind:28}" + "".join(f"{f'{a}/{b}' if b else '-':>16}" for a, b in cells))
            right, total = self.share(true)
            print(f"{'all':28}{f'{right}/{total} = {right / max(1, total):.2%}':>32}")
        for line in self.wrong[:40]:
            print(line)


async def spans_hold(result: Mapping[str, Any], services: Services) -> list[str]:
    """Return the citations whose span is not what stands there in the stored page."""
    bad = []
    for item in result["citations"]:
        if item["verified"] and "page" in item:
            text = await services.documents.page_text(item["document_id"], item["page"], OWNER)
            if text[item["start"] : item["end"]].strip() != item["quote"].strip():
                bad.append(f"SPAN: {item}")
    return bad


async def run(corpus: Path, limit: int, graph: Graph, services: Services, endpoint: OpenAIServer) -> Tally:
    """Ingest, ask, count."""
    began = time.perf_counter()
    endpoint.respond = model = CitingModel()
    model.known.update(await ingest(files_of(corpus), services))
    print(f"{len(model.known)} documents read in {time.perf_counter() - began:.1f} s")
    tally, gate = Tally(), asyncio.Semaphore(TOGETHER)

    async def one(question: str) -> None:
        async with gate:
            result = await ask(question, graph, services)
        for claim in model.written.get(question, []):
            tally.add(claim, outcome(claim, result["answer"]), question)
        tally.wrong += await spans_hold(result, services)

    began = time.perf_counter()
    questions = questions_of(corpus, limit)
    await asyncio.gather(*map(one, questions))
    print(f"{len(questions)} questions asked in {time.perf_counter() - began:.1f} s")
    return tally


async def main(corpus: Path, limit: int) -> int:
    """Run the bench; return the exit status."""
    with tempfile.TemporaryDirectory() as folder, OpenAIServer() as endpoint:
        settings = Settings(
            data_dir=Path(folder), llm_base_url=endpoint.base_url, llm_api_key="none", llm_model="stand-in",
            embedding_base_url=endpoint.base_url, embedding_api_key="none", embedding_model="stand-in",
            ocr_engine="off", web_search="off", tts_engine="off", summary_threshold_tokens=10**9, _env_file=None,
        )  # fmt: skip
        async with await open_redis(settings) as redis:
            graph = build_graph(await open_checkpointer(redis.client, settings))
            async with open_services(settings, redis.client) as services:
                tally = await run(corpus, limit, graph, services, endpoint)
    tally.show()
    passed = not tally.wrong and bool(tally.all)
    print("within the bar" if passed else f"BELOW THE BAR: {len(tally.wrong)} wrong")
    return 0 if passed else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Invented citations caught, true ones kept.")
    parser.add_argument("corpus", nargs="?", default=os.environ.get("CORPUS_DIR"), help="corpus folder; or CORPUS_DIR")
    parser.add_argument("--questions", type=int, default=300)
    given = parser.parse_args()
    if not given.corpus:
        parser.error("name the corpus folder, or set CORPUS_DIR")
    sys.exit(asyncio.run(main(Path(given.corpus), given.questions)))
