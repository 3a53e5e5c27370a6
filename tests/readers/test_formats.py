"""The table of formats drives detection, the loaded modules and README; a new reader is one file and one row."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

from readers.formats import BY_NAME, FORMATS, MODULES

ROOT = Path(__file__).resolve().parents[2]
READER = '''"""Calendars (ICS): one section an event."""

from collections.abc import Iterator
from pathlib import Path

from readers.interface import Item, Options, Outline, Page


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline and the events."""
    events = path.read_text("utf-8").split("BEGIN:VEVENT")[1:]
    yield Outline(options.media_type, "section", len(events))
    for number, event in enumerate(events, 1):
        yield Page(number, str(number), event.partition("SUMMARY:")[2].splitlines()[0])
'''
ROW = '    Format("Calendar", "text/calendar", "readers.text.ics", ".ics", magic=b"BEGIN:VCALENDAR"),\n'
READ = """
import asyncio, sys
from pathlib import Path
from readers.formats import MODULES
from readers.reader import Readers
from settings import Settings
from workers.sandbox import Sandbox

async def main():
    settings, path = Settings(_env_file=None), Path(sys.argv[1])
    async with Sandbox(settings, MODULES) as sandbox:
        readers = Readers(settings, sandbox)
        kind, media_type = await readers.detect(path, sys.argv[2])
        items = [item async for item in readers.read(path, name=path.name, media_type=media_type)]
        print(kind, media_type, *(page.markdown for page in items[1:]), sep="|")

asyncio.run(main())
"""


def test_each_row_names_a_module_that_reads_and_is_loaded_ahead() -> None:
    for row in FORMATS:
        assert callable(importlib.import_module(row.module).read), row
        assert row.module in MODULES


def test_each_row_can_be_detected() -> None:
    for row in FORMATS:
        assert row.magic or row.member or row.stream or row.media_type in BY_NAME.values(), row


def test_readme_lists_the_formats() -> None:
    rows = [row for row in FORMATS if row.extensions]
    listed = ", ".join(f"{row.title} ({', '.join(row.extensions.split())})" for row in rows)
    shown = (ROOT / "README.md").read_text("utf-8").split("<!-- formats -->")[1].split("<!-- /formats -->")[0]
    assert shown == listed


def test_a_reader_is_one_file_and_one_row(tmp_path: Path) -> None:
    for room in ("domain", "readers", "workers"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "settings.py", tmp_path)
    (tmp_path / "readers" / "text" / "ics.py").write_text(READER)
    table = tmp_path / "readers" / "formats.py"
    start = "FORMATS: tuple[Format, ...] = (\n"
    table.write_text(table.read_text("utf-8").replace(start, start + ROW), "utf-8")
    calendar = tmp_path / "upload"
    calendar.write_text("BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Ship enters\nEND:VEVENT\nBEGIN:VEVENT\nSUMMARY:出港\n")
    for name in ("plans.ics", "nameless"):
        command = [sys.executable, "-c", READ, str(calendar), name]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
        assert run.stdout == "document|text/calendar|Ship enters|出港\n", run.stderr
