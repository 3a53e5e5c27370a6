"""Docs name only what is there: files, modules, functions, and each other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
ROOMS = {path.stem for path in ROOT.glob("*.py")} | {path.parent.name for path in ROOT.glob("*/__init__.py")}


def quoted(text: str) -> Iterator[str]:
    """Yield what stands in single backticks outside of code blocks."""
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def exists(dotted: str) -> bool:
    """Tell whether `room.module.Class.method` is defined in the source."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:length])
        if path.with_suffix(".py").is_file():
            return defines(ast.parse(path.with_suffix(".py").read_text("utf-8")).body, parts[length:])
    return ROOT.joinpath(*parts).is_dir()


def defines(body: list[ast.stmt], names: list[str]) -> bool:
    if not names:
        return True
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == names[0]:
            return defines(node.body, names[1:])
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == names[0] for target in targets):
            return len(names) == 1
    return False


def test_names_that_are_there_and_names_that_are_not() -> None:
    assert exists("tools.registry.BUILT_IN") and exists("api.runs.run.Run.result") and exists("stores.sql")
    assert not exists("tools.registry.TOOLS") and not exists("api.runs.run.Run.answered") and not exists("stores.mongo")


@pytest.mark.parametrize("page", DOCS, ids=lambda path: path.name)
def test_a_page_names_only_what_is_there(page: Path) -> None:
    names = list(quoted(page.read_text("utf-8")))
    dotted = [name for name in names if re.fullmatch(r"[a-z]\w*(?:\.\w+)+", name) and name.split(".")[0] in ROOMS]
    files = [
        name
        for name in names
        if re.fullmatch(r"[\w.-]+(?:/[\w.-]+)*(?:/|\.\w+)", name) and (name.split("/")[0] in ROOMS or "/" in name)
    ]
    missing = [name for name in dotted if not name.endswith((".py", ".md", ".json")) and not exists(name)]
    missing += [
        name for name in files if name.endswith(("/", ".py", ".js", ".md", ".yaml")) and not (ROOT / name).exists()
    ]
    assert not missing


def test_the_map_is_a_map() -> None:
    names = set(quoted((ROOT / "docs" / "architecture.md").read_text("utf-8")))
    assert len([name for name in names if name.split(".")[0] in ROOMS and exists(name)]) > 60
    unnamed = {room for room in ROOMS if not any(name in names for name in (f"{room}/", f"{room}.py"))}
    assert unnamed <= {"tests"}, "a room that the table of layers does not name"


@pytest.mark.parametrize("page", DOCS, ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


def test_decisions_are_numbered_without_gaps() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        assert page.read_text("utf-8").startswith(f"# {page.name[:4]} "), page.name
