"""What ingestion costs beside the bare chain "PyMuPDF text -> embed the same chunks -> Chroma add".

    python bench/ingest.py [--pages 12]

Prints, from one run: the CPU time of both ways on the same PDF and their ratio (bar 1.43); the time until 100 pages are
found by keyword while vectors follow (bar 2 s); the server's memory after 100 and after 1,000 pages; and how long a
search with its query embedding takes while a document is being embedded, against its usual time (bar 1.5).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

from domain.owner import Owner
from domain.words import Language, Words
from ingestion.chunks import Chunker
from ingestion.pipeline import Ingestion
from models.embeddings.interface import Embedder, Vectors
from models.embeddings.registry import open_embedder
from readers.formats import MODULES
from readers.reader import Readers
from settings import Settings
from stores.library.documents import Documents
from stores.sql.database import Database
from workers.sandbox import Sandbox

OWNER = Owner("bench", "one")
LEAD = (
    "The harbour keeps a record of every ship that enters. A pilot boards at the outer buoy. Dues are paid by tonnage, "
    "and a ship that stays for repair pays half. The master signs the book before noon. "
)


class Opened:
    """The parts of a server that ingestion needs."""

    def __init__(self, documents: Documents, ingestion: Ingestion) -> None:
        self.documents, self.ingestion = documents, ingestion

    async def read(self, pdf: bytes, wait: str) -> str:
        """Ingest `pdf` and return its id."""
        ref = await self.documents.attachments.put(pdf, name="bench.pdf", owner=OWNER)
        document = await self.ingestion.read_document(ref, OWNER, language="en", wait=wait)  # type: ignore[arg-type]
        assert document["status"] == "ready", document
        return ref["id"]


class InstantEmbedder:
    """Random unit vectors, for what is not about embedding."""

    name, dimensions, detail = "instant", 384, Words("random", "随机")

    async def passages(self, texts: Sequence[str]) -> Vectors:
        """Return random vectors."""
        vectors = np.random.default_rng(len(texts)).normal(size=(len(texts), self.dimensions)).astype(np.float32)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    async def query(self, text: str) -> Vectors:
        """Return a random vector."""
        unit: Vectors = (await self.passages([text]))[0]
        return unit


async def first_words(text: str, language: Language, max_tokens: int) -> str:
    """Stand in for the chat model: summaries are not part of this measurement."""
    return text[:200]


@asynccontextmanager
async def opened(embedder: Embedder) -> AsyncIterator[Opened]:
    """Open everything in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), _env_file=None)
        async with Sandbox(settings, MODULES) as sandbox:
            database = await Database.open(settings)
            documents = await Documents.open(settings, database, embedder)
            ingestion = Ingestion(
                settings, readers=Readers(settings, sandbox), ocr=None, pictures=None,  # type: ignore[arg-type]
                attachments=documents.attachments, documents=documents, embedder=embedder, summarizer=first_words,
                listener=None, sandbox=sandbox,
            )  # fmt: skip
            yield Opened(documents, ingestion)
            await ingestion.aclose()
            await documents.aclose()
            await database.aclose()


def make_pdf(pages: int, seed: int) -> bytes:
    """Return a text PDF with about 300 words a page, no two sentences alike."""
    import pymupdf

    chance = random.Random(seed)
    pdf = pymupdf.open()
    for number in range(pages):
        sentences = [f"{LEAD}Entry {number}-{line} names berth {chance.randint(1, 99999)}." for line in range(6)]
        page = pdf.new_page()
        page.insert_textbox((50, 50, 550, 800), "\n".join(sentences), fontsize=10)
    data: bytes = pdf.tobytes()
    return data


async def bare_chain(pdf: bytes, embedder: Embedder, texts: Sequence[str]) -> None:
    """Read with PyMuPDF, embed `texts` (the chunks that ingestion made), add to Chroma."""
    import chromadb
    import pymupdf

    with tempfile.TemporaryDirectory() as folder:
        assert all(page.get_text() for page in pymupdf.open(stream=pdf).pages())
        quiet = chromadb.config.Settings(anonymized_telemetry=False)
        client = chromadb.PersistentClient(folder, settings=quiet)
        collection = client.create_collection("bare", embedding_function=None)
        vectors = await embedder.passages(texts)
        collection.add(ids=[str(number) for number in range(len(texts))], embeddings=vectors, documents=list(texts))


def cpu_seconds() -> float:
    """Return the CPU time of this process and its ended children."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in usage)


def memory() -> float:
    """Return the resident memory of this process in MiB."""
    gc.collect()
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


async def cost(pages: int) -> None:
    """Print the ratio of CPU times."""
    embedder = open_embedder(Settings(_env_file=None))
    await embedder.passages(["warm"])
    pdf = make_pdf(pages, 1)
    async with opened(embedder) as parts:
        await parts.read(make_pdf(1, 2), "indexed")
        started, wall = cpu_seconds(), time.perf_counter()
        document = await parts.read(pdf, "indexed")
        ours, ours_wall = cpu_seconds() - started, time.perf_counter() - wall
        chunker = Chunker(Settings.model_fields["chunk_tokens"].default)
        read = await parts.documents.pages(document, OWNER)
        texts = [chunk.text for page in read for chunk in chunker.page(page["number"], page["markdown"])]
    started, wall = cpu_seconds(), time.perf_counter()
    await bare_chain(pdf, embedder, texts)
    bare, bare_wall = cpu_seconds() - started, time.perf_counter() - wall
    print(f"{pages} pages, {len(texts)} chunks: ingestion {ours:.1f} cpu-s in {ours_wall:.1f} s,")
    print(f"  bare chain {bare:.1f} cpu-s in {bare_wall:.1f} s: {ours / bare:.2f} times the CPU (bar 1.43)")


async def latency() -> None:
    """Print the time to keyword search, and of searches meanwhile."""
    embedder = open_embedder(Settings(_env_file=None))
    await embedder.passages(["warm"])
    async with opened(embedder) as parts:
        await parts.read(make_pdf(2, 3), "indexed")
        usual = await search_times(parts)
        started = time.perf_counter()
        await parts.read(make_pdf(100, 4), "text")
        text = time.perf_counter() - started
        found = await parts.documents.search("berth Entry 99-5", OWNER, mode="keyword")
        print(f"100 pages are found by keyword after {text:.2f} s (bar 2): {bool(found)}")
        meanwhile = await search_times(parts)
        print(
            f"search with query embedding: usual p50 {np.median(usual):.0f} ms, while vectors are made"
            f" {np.median(meanwhile):.0f} ms, {np.median(meanwhile) / np.median(usual):.2f} times (bar 1.5)"
        )


async def search_times(parts: Opened) -> list[float]:
    """Return the milliseconds of 30 searches, a tenth of a second apart."""
    taken = []
    for number in range(30):
        started = time.perf_counter()
        await parts.documents.list(OWNER)
        await parts.documents.sources(f"Which berth has entry {number}?", OWNER, token_budget=1500)
        taken.append((time.perf_counter() - started) * 1000)
        await asyncio.sleep(0.1)
    return taken


async def flatness() -> None:
    """Print the memory after 100 pages and after 1,000."""
    small, large = make_pdf(100, 5), make_pdf(1000, 6)
    async with opened(InstantEmbedder()) as parts:
        await parts.read(small, "indexed")
        before = memory()
        await parts.read(large, "indexed")
        print(f"memory after 100 pages {before:.0f} MiB, after 1,000 pages more {memory():.0f} MiB")


async def run(pages: int) -> None:
    """Run all measurements."""
    await cost(pages)
    await latency()
    await flatness()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=12, help="pages of the PDF whose cost is compared")
    asyncio.run(run(parser.parse_args().pages))
