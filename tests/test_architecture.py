"""The rules of docs/architecture.md, checked on the source."""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LAYERS = [
    {"domain", "settings"},
    {"net", "workers", "privacy"},
    {"readers", "models"},
    {"stores"},
    {"ingestion"},
    {"tools"},
    {"turn"},
    {"nodes"},
    {"agents"},
    {"services"},
    {"graph"},
    {"api.edge"},
    {"api.schemas"},
    {"api.runs"},
    {"api.backend"},
    {"api.rest", "api.langserve", "api.openai", "api.mcp"},
    {"api.announce", "api"},
    {"server", "terminal"},
]
"""From the bottom up: a module imports from its own layer and from those below. docs/architecture.md describes them."""
ROOMS = {name.split(".")[0] for names in LAYERS for name in names}
APART = LAYERS[-3]
"""Wings that stand side by side: none imports another."""
MOST_EXTRACTIVE = 900
"""Lines of the bundled model: where a rule comes, another goes."""
DENIED = {"utils", "util", "helpers", "helper", "common", "misc", "legacy", "manager"}


def modules() -> dict[str, Path]:
    files = [path for room in sorted(ROOMS) for path in [*ROOT.glob(f"{room}/**/*.py"), *ROOT.glob(f"{room}.py")]]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in files}


def layer(module: str) -> int:
    """Return the layer of the longest name in `LAYERS` that `module` is in."""
    names = {name: level for level, rooms in enumerate(LAYERS) for name in rooms}
    return names[max((name for name in names if f"{module}.".startswith(f"{name}.")), key=len)]


def wing(module: str) -> str:
    return next((name for name in APART if f"{module}.".startswith(f"{name}.")), "")


def imports(path: Path) -> set[str]:
    """Modules of ours that are imported at run time (imports under TYPE_CHECKING are only for readers of the code)."""
    tree = ast.parse(path.read_text("utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return {name for name in found if name.split(".")[0] in ROOMS}


def test_imports_point_downward() -> None:
    upward = [
        f"{module} -> {target}"
        for module, path in modules().items()
        if not module.endswith("__init__")
        for target in imports(path)
        if layer(target) > layer(module)
    ]
    assert not upward


def test_the_graph_knows_no_provider_of_chat_models() -> None:
    rooms = {"turn", "nodes", "graph", "tools", "ingestion", "stores"}
    providers = [
        f"{module} -> {target}"
        for module, path in modules().items()
        if module.split(".")[0] in rooms
        for target in imports(path)
        if target.startswith("models.chat") and target != "models.chat.interface"
    ]
    assert not providers


def test_the_bundled_model_is_small_and_reached_by_the_registry_alone() -> None:
    room, name = ROOT / "models" / "chat" / "extractive", "models.chat.extractive"
    assert sum(len(path.read_text("utf-8").splitlines()) for path in room.rglob("*.py")) <= MOST_EXTRACTIVE
    known = {**modules(), **{f"bench.{path.stem}": path for path in (ROOT / "bench").glob("*.py")}}
    reached = {
        f"{module} -> {found}"
        for module, path in known.items()
        if not f"{module}.".startswith(f"{name}.")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for found in _named_by(node)
        if f"{found}.".startswith(f"{name}.")
    }
    assert {line.rpartition(".")[0] for line in reached} == {f"models.chat.registry -> {name}.model"}


def _named_by(node: ast.AST) -> list[str]:
    """Names that an import brings in, those under TYPE_CHECKING too."""
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{name.name}" for name in node.names]
    return [name.name for name in node.names] if isinstance(node, ast.Import) else []


def test_wings_of_one_layer_do_not_import_each_other() -> None:
    across = [
        f"{module} -> {target}"
        for module, path in modules().items()
        for target in imports(path)
        if wing(module) and wing(target) and wing(module) != wing(target)
    ]
    assert not across


def test_the_terminal_knows_the_server_by_its_api_alone() -> None:
    reached = {module: {name.split(".")[0] for name in imports(path)} for module, path in modules().items()}
    inside = {module for module in reached if module.startswith("terminal")}
    assert set().union(*(reached[module] for module in inside)) <= {"terminal", "domain"}
    assert not [module for module in reached.keys() - inside if "terminal" in reached[module]]


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {module: imports(path) - {module} for module, path in modules().items()}
    while leaves := {module for module, targets in graph.items() if not targets & graph.keys()}:
        graph = {module: targets for module, targets in graph.items() if module not in leaves}
    assert not graph, "each of these is in a circle, or imports one that is"


def test_inits_hold_a_docstring_and_nothing_else() -> None:
    for path in ROOT.glob("*/**/__init__.py"):
        if path.parts[len(ROOT.parts)] in ROOMS:
            body = ast.parse(path.read_text("utf-8")).body
            assert len(body) == 1 and isinstance(body[0], ast.Expr), path


def test_no_file_is_named_for_nothing() -> None:
    assert not [path for path in modules().values() if path.stem in DENIED]


def test_packages_are_listed_for_the_build() -> None:
    import tomllib

    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"])
    assert listed == {name.removesuffix(".__init__") for name in modules() if name.endswith(".__init__")}


def test_a_node_is_one_coroutine_in_a_file_of_its_name() -> None:
    from agents.registry import BUILT_IN
    from graph.builder import build_graph

    drawn = {name for name in build_graph().get_graph().nodes if not name.startswith("__")}
    files = {path.stem for path in (ROOT / "nodes").glob("*.py")} - {"__init__"}
    assert drawn - {agent.name for agent in BUILT_IN} == files
    for name in files:
        node = getattr(sys.modules[f"nodes.{name}"], name)
        assert inspect.iscoroutinefunction(node)
        assert list(inspect.signature(node).parameters) == ["state", "runtime"]


def test_every_node_is_reached_and_leads_on() -> None:
    from graph.builder import build_graph

    graph = build_graph().get_graph()
    names = {name for name in graph.nodes if not name.startswith("__error_handler__")}
    assert {edge.target for edge in graph.edges} == names - {"__start__"}
    assert {edge.source for edge in graph.edges} == names - {"__end__"}


def test_nothing_is_left_behind() -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "X" * 3)
    left = [path for path in modules().values() if any(mark in path.read_text("utf-8") for mark in marks)]
    assert not left


def test_state_is_json_native() -> None:
    from typing import get_type_hints

    from turn.state import State

    text = " ".join(str(hint) for hint in get_type_hints(State).values())
    assert not any(word in text for word in ("bytes", "datetime", "Decimal", "set[", "tuple["))
