"""Is the tool that a request needs among those that the model is offered?

    python -m bench.tools --requests DIR [--bfcl DIR] [--cache FILE.npz]

`--requests` holds `tools100.py` (TOOLS: name and description, REQUESTS: request and the tool that it needs, in Chinese
and English) and `glosses.py` (GLOSS: example requests of each tool). `--bfcl` is the folder `bfcl_eval/data` of the
wheel `bfcl-eval` (Berkeley Function Calling Leaderboard 4, Apache-2.0): all functions of its single-turn files are
offered at once, one by name.

Prints the share of requests whose tool is among the first 8, beside SQLite's FTS5 over names, descriptions and
arguments in the same run; the share that still is where the schemas have to fit into a prompt together; tokens and
milliseconds of computing. Exits with 1 when a bar is missed. `--cache` keeps the vectors for a second run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import runpy
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.tools import StructuredTool

os.environ.setdefault("OMP_NUM_THREADS", "1")

from bench.retrieval import CachedEmbedder
from domain.text import has_han
from domain.words import Words
from models.embeddings.registry import open_embedder
from settings import Settings
from stores.sql.database import Database
from stores.sql.text_vectors import TextVectors
from tools.interface import ToolSpec
from tools.registry import ToolRegistry
from tools.selection import SCHEMA_TOKENS, ToolIndex, texts_of

HITS = 8
MILLISECONDS = 20
OWN_BAR, LANGUAGES_APART, LIVE_BAR, MULTIPLE_BAR = 0.95, 0.05, 0.88, 0.95
BARS = {"live_multiple": LIVE_BAR, "multiple": MULTIPLE_BAR, "live_simple": 0.0, "simple_python": 0.0}
TYPES = {"dict": "object", "float": "number", "tuple": "array", "any": "string"}
"""Python's names of types, as BFCL writes them, in JSON schema."""

Asked = tuple[str, str]
"""A request, and the name of the tool that it needs."""


@dataclass(frozen=True)
class Outcome:
    """What came of one set of requests."""

    hits: list[bool]
    offered: list[bool]
    tokens: list[int]
    milliseconds: list[float]
    plain: list[bool]


class OnceEmbedded(CachedEmbedder):
    """Counts what is embedded; the vectors of requests are made beforehand, so that they cost nothing later."""

    embedded = 0

    async def passages(self, texts: Sequence[str]) -> Any:
        """Return vectors, and count them."""
        self.embedded += len(texts)
        return await super().passages(texts)

    async def query(self, text: str) -> Any:
        """Return a vector, and count it."""
        self.embedded += 1
        return await super().query(text)


def a_tool(name: str, description: str, parameters: Any = None, examples: Sequence[str] = ()) -> ToolSpec:
    """Return a tool as a foreign source declares it."""
    schema = parameters or {"type": "object", "properties": {}}
    tool = StructuredTool(name=name, description=description, args_schema=schema, func=lambda: "")
    return ToolSpec(tool=tool, title=Words(name, name), permission="read", examples=examples)


def own_requests(folder: Path, *, examples: bool) -> tuple[list[ToolSpec], list[Asked]]:
    """Return the hundred tools and their requests."""
    sys.path.insert(0, str(folder))
    data = runpy.run_path(str(folder / "tools100.py"))
    glosses = runpy.run_path(str(folder / "glosses.py"))["GLOSS"]
    specs = [a_tool(name, text, None, glosses[name].split("；") if examples else ()) for name, text in data["TOOLS"]]
    return specs, data["REQUESTS"]


def bfcl(folder: Path) -> tuple[list[ToolSpec], dict[str, list[Asked]]]:
    """Return all functions, and the requests of each file."""
    functions: dict[str, dict[str, Any]] = {}
    for file in sorted(folder.glob("BFCL_v4_*.json")):
        for row in [] if "format" in file.stem else _rows(file):
            for function in row.get("function") or ():
                functions.setdefault(function["name"], function)
    specs = [a_tool(name, row["description"], _schema(row["parameters"])) for name, row in functions.items()]
    asked = {}
    for name in BARS:
        answers = _rows(folder / "possible_answer" / f"BFCL_v4_{name}.json")
        wanted = {row["id"]: next(iter(row["ground_truth"][0])) for row in answers}
        asked[name] = [
            (" ".join(m["content"] for turn in row["question"] for m in turn if m["role"] == "user"), wanted[row["id"]])
            for row in _rows(folder / f"BFCL_v4_{name}.json")
        ]
    return specs, asked


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]


def _schema(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: TYPES.get(inner, inner) if key == "type" and isinstance(inner, str) else _schema(inner)
            for key, inner in value.items()
        }
    return [_schema(inner) for inner in value] if isinstance(value, list) else value


class PlainSearch:
    """SQLite's FTS5 over all that keywords find here: what a few lines without a model reach."""

    def __init__(self, specs: Sequence[ToolSpec]) -> None:
        self._names = [spec.name for spec in specs]
        self._db = sqlite3.connect(":memory:")
        self._db.execute("CREATE VIRTUAL TABLE tools USING fts5(text, tokenize='porter unicode61')")
        rows = ((" ".join(texts_of(spec)),) for spec in specs)
        self._db.executemany("INSERT INTO tools VALUES (?)", rows)

    def ranked(self, request: str) -> list[str]:
        """Return the first names."""
        words = " OR ".join(f'"{word}"' for word in dict.fromkeys(re.findall(r"\w+", request.lower())))
        if not words:
            return []
        sql = "SELECT rowid FROM tools WHERE tools MATCH ? ORDER BY rank LIMIT ?"
        return [self._names[row - 1] for (row,) in self._db.execute(sql, (words, HITS))]


async def measured(registry: ToolRegistry, index: ToolIndex, specs: list[ToolSpec], asked: Sequence[Asked]) -> Outcome:
    """Ask for each request what would be offered."""
    registry.set_foreign(specs, {})
    names, plain = [spec.name for spec in specs], PlainSearch(specs)
    await index.ranked("warm", specs, names)
    assert await index.ready()
    outcome = Outcome([], [], [], [], [])
    for request, wanted in asked:
        await index.ranked(request, specs, names)  # embeds the request, once
        started = time.process_time()
        ranked = await index.ranked(request, specs, names)
        outcome.milliseconds.append((time.process_time() - started) * 1000)
        offered = await registry.selected(request, documents=False)
        outcome.hits.append(wanted in ranked[:HITS])
        outcome.offered.append(wanted in offered)
        outcome.tokens.append(registry.tokens(offered))
        outcome.plain.append(wanted in plain.ranked(request))
    return outcome


def report(name: str, outcome: Outcome, asked: Sequence[Asked], bar: float) -> bool:
    """Print one set; return whether it holds its bars."""
    zh = np.array([has_han(request) for request, _ in asked])
    hits = np.array(outcome.hits)
    apart = abs(hits[zh].mean() - hits[~zh].mean()) if zh.mean() > 0.1 else 0.0
    share, (usual, slow) = hits.mean(), np.percentile(outcome.milliseconds, [50, 95])
    languages = f"  zh {hits[zh].mean():.3f} en {hits[~zh].mean():.3f}" if zh.mean() > 0.1 else ""
    print(
        f"{name:24} {len(asked):5} requests: hit@{HITS} {share:.3f} (bar {bar:.2f}, FTS5 {np.mean(outcome.plain):.3f})"
        f"{languages}, offered {np.mean(outcome.offered):.3f} within {np.mean(outcome.tokens):.0f} tokens"
        f" (most {max(outcome.tokens)}), {usual:.1f} ms (p95 {slow:.1f})"
    )
    within = max(outcome.tokens) <= SCHEMA_TOKENS and usual <= MILLISECONDS
    return bool(share >= bar and apart <= LANGUAGES_APART and within)


async def run(arguments: argparse.Namespace) -> bool:
    """Measure all; return whether every bar holds."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), web_search="off", _env_file=None)
        embedder = OnceEmbedded(open_embedder(settings), arguments.cache)
        database = await Database.open(settings)
        vectors = TextVectors(database)
        index = ToolIndex(embedder, vectors)
        registry = ToolRegistry(settings, None, specs=[], index=index)  # type: ignore[arg-type]
        held = []
        for examples, bar in ((True, OWN_BAR), (False, 0.0)):
            specs, asked = own_requests(arguments.requests, examples=examples)
            name = "100 tools" + ("" if examples else ", no examples")
            outcome = await measured(registry, index, specs, asked)
            held.append(report(name, outcome, asked, bar) or not examples)
        if arguments.bfcl:
            specs, sets = bfcl(arguments.bfcl)
            print(f"{len(specs)} functions of BFCL")
            for name, asked in sets.items():
                held.append(report(name, await measured(registry, index, specs, asked), asked, BARS[name]))
        embedder.embedded = 0
        again = ToolIndex(embedder, vectors)
        started = time.perf_counter()
        await again.prepare(specs)
        assert await again.ready()
        print(f"after a restart: {embedder.embedded} lines embedded, ready in {time.perf_counter() - started:.2f} s")
        held.append(embedder.embedded == 0)
        embedder.save()
        await again.aclose()
        await registry.aclose()
        await database.aclose()
    return all(held)


def main() -> None:
    """Read the command line, measure, and say by the exit code whether the bars hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--bfcl", type=Path)
    parser.add_argument("--cache", type=Path)
    sys.exit(0 if asyncio.run(run(parser.parse_args())) else 1)


if __name__ == "__main__":
    main()
