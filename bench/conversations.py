"""Conversations of three turns with no key: memos, contracts, lists, forms, scans, minutes, manuals, web pages, mails.

    python -m bench.conversations [--development] [--data DIR] [--show]

Uploads the files of each conversation of `conversations.toml` (20 English, 20 Chinese; half of them held out, which
nobody tunes on) into a session of its own, asks its three questions, and checks the answers by facts, without a model:
what has to be in the answer, and what must not be. An answer is wrong too when it is longer than `LONGEST` characters,
gives a sentence twice, or carries a warning of a removed citation. Prints the wrong turns of the held-out half, or of
the other with `--development`, and exits with 1 when more than a quarter is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import re
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import docx
import numpy as np
import pymupdf
from PIL import Image, ImageDraw, ImageFont

from bench.keyless import Product, folded, opened
from domain.citations import without_citations
from domain.owner import Owner
from domain.text import has_han, sentences

FILE = Path(__file__).with_suffix(".toml")
LONGEST = 700
"""Characters of an answer to one question: a dump of the file answers nothing."""
BAR = 0.25
"""Most wrong turns, as a share."""
PAGE, MARGIN, PIXELS = (595, 842), 60, 30


def made(name: str, text: str) -> bytes:
    r"""Return a file of the kind that its name says, with this text; `\f` begins a page of a PDF."""
    text = text.lstrip("\n")
    kinds: dict[str, Callable[[str], bytes]] = {".scan.pdf": scan, ".pdf": pdf, ".docx": word}
    return next((make(text) for ending, make in kinds.items() if name.endswith(ending)), text.encode())


def pdf(text: str) -> bytes:
    """Return a PDF with each line of the text where a writer would put it."""
    with pymupdf.open() as made:
        for page_text in text.split("\f"):
            page = made.new_page(width=PAGE[0], height=PAGE[1])
            font = "china-s" if has_han(page_text) else "helv"
            for number, line in enumerate(page_text.splitlines()):
                page.insert_text((MARGIN, MARGIN + 18 * number), line, fontname=font, fontsize=10)
        return bytes(made.tobytes())


def scan(text: str) -> bytes:
    """Return a PDF of one picture of the text."""
    image = Image.new("RGB", (1240, 1000), "white")
    letters = io.BytesIO(bytes(pymupdf.Font("cjk").buffer))
    font = ImageFont.truetype(letters, PIXELS)
    for number, line in enumerate(text.splitlines()):
        ImageDraw.Draw(image).text((120, 100 + 70 * number), line, font=font, fill="black")
    data = io.BytesIO()
    image.save(data, "PDF", resolution=150)
    return data.getvalue()


def word(text: str) -> bytes:
    """Return a DOCX; `#` begins a heading."""
    document = docx.Document()
    for block in filter(None, map(str.strip, text.split("\n"))):
        marks = re.match(r"#+", block)
        if marks:
            document.add_heading(block.strip("# "), len(marks[0]))
        else:
            document.add_paragraph(block)
    data = io.BytesIO()
    document.save(data)
    return data.getvalue()


def faults(wanted: Sequence[str], state: dict[str, Any]) -> list[str]:
    """Return what is wrong with an answer."""
    answer = state["answer"]
    said, bare = folded(answer), without_citations(answer)
    found = []
    for need in wanted:
        if need == "decline":
            found += ["not declined"] * bool(state["citations"])
        elif need.startswith("!"):
            found += [f"says {need[1:]}"] * (folded(need[1:]) in said)
        elif not any(folded(part) in said for part in need.split("|")):
            found.append(f"lacks {need}")
    lines = [folded(one) for one in sentences(bare)]
    found += ["too long"] * (len(answer) > LONGEST) + ["a sentence twice"] * (len(set(lines)) < len(lines))
    return found + [warning for warning in state.get("warnings", []) if "citation" in warning or "引用" in warning]


async def talk(product: Product, row: dict[str, Any], *, show: bool) -> tuple[list[bool], list[float]]:
    """Hold one conversation; return which turns are wrong and how long each took."""
    services, owner = product.services, Owner(thread_id=uuid4().hex)
    for name, text in row["files"].items():
        ref = await services.attachments.put(made(name, text), name=name, owner=owner)
        read = await services.ingestion.read_document(ref, owner, language=row["language"], wait="indexed")
        assert read["status"] == "ready", read
    wrong, seconds = list[bool](), list[float]()
    for question, *wanted in row["turns"]:
        began = time.perf_counter()
        state = await product.ask(question, owner)
        seconds.append(time.perf_counter() - began)
        found = faults(wanted, state)
        wrong.append(bool(found))
        if show and found:
            print(f"- {', '.join(row['files'])}: {question}\n    {found}\n    {state['answer']!r}")
    return wrong, seconds


async def measure(chosen: argparse.Namespace, data: Path) -> bool:
    """Hold the conversations, print the wrong turns, and tell whether they are few enough."""
    rows = tomllib.loads(FILE.read_text("utf-8"))["talk"]
    rows = [row for row in rows if bool(row.get("held")) is not chosen.development]
    times: list[float] = []
    wrong: dict[str, list[bool]] = {}
    async with opened(data, show=chosen.show, ocr=True) as product:
        for row in rows:
            found, seconds = await talk(product, row, show=chosen.show)
            wrong.setdefault(row["language"], []).extend(found)
            times += seconds
    for language, turns in wrong.items():
        print(f"{language}: {sum(turns)} of {len(turns)} turns wrong")
    every = [turn for turns in wrong.values() for turn in turns]
    print(f"together: {sum(every)} of {len(every)} wrong (bar {BAR * len(every):.0f}); p50 {np.median(times):.2f} s")
    return sum(every) <= BAR * len(every)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--development", action="store_true", help="the half that may be looked at")
    parser.add_argument("--data", type=Path, help="folder that keeps documents and vectors between runs")
    parser.add_argument("--show", action="store_true", help="print the turns that went wrong")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(0 if asyncio.run(measure(chosen, chosen.data or Path(temporary))) else 1)


if __name__ == "__main__":
    main()
