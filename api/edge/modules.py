"""The page's modules in a few files: one for the first paint, one behind it, one more for each part that comes later.

`web/js` is plain modules that a browser can load as they are; fifty of them would be fifty requests. Here each module
becomes a function that returns what it exports, and modules that are always needed together become one file.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

ENTRY = "main.js"
SECOND = "talk.js"
"""What is loaded behind the first paint, before anything else: other parts find there what they share with it."""
_IMPORT = re.compile(r'^import (?:(?P<default>\w+)|\{ (?P<names>[^}]+?) \}) from "(?P<path>\.{1,2}/[\w./-]+)";\n', re.M)
_DYNAMIC = re.compile(r'\bimport\("(?P<path>\.{1,2}/[\w./-]+)"\)')
_EXPORT = re.compile(r"^export (?=(?:const|(?:async )?function\*?|class) (\w+))", re.M)
_EXPORTED = re.compile(r"^export \{ ([^}]+?) \};\n", re.M)
_COMMENT = re.compile(r"^[ \t]*//.*\n", re.M)
"""A line of comment: one eighth of the weight of the first paint."""
_LEFT = re.compile(r"^(?:import|export)\b.*", re.M)


def chunks(sources: Mapping[str, str]) -> dict[str, str]:
    """Join modules to files that a browser loads.

    Args:
        sources: Text of each module by its file name in one folder, `main.js` among them. Modules import one another
            without circles, as `./name.js`; anything else (`../vendor/name.js`) is left to the browser.

    Returns:
        Text of each file by name. `main.js` holds all that it imports, `talk.js` (where there is one) all that it
        imports besides. A module that is imported when it is needed begins a file of its own, and so does one that two
        such files share.

    Raises:
        ValueError: A line of import or export is in a form that is not known here, or modules import in a circle.
    """
    static = {name: [m["path"][2:] for m in _IMPORT.finditer(text) if m["path"].startswith("./")]
              for name, text in sources.items()}  # fmt: skip
    lazy = {m["path"][2:] for text in sources.values() for m in _DYNAMIC.finditer(text) if m["path"].startswith("./")}
    first = {ENTRY: _reached(ENTRY, static, set())}
    if SECOND in lazy:
        first[SECOND] = _reached(SECOND, static, set(first[ENTRY]))
    there = {name for names in first.values() for name in names}
    entries = lazy - there
    while True:
        late = {entry: _reached(entry, static, there | entries - {entry}) for entry in sorted(entries)}
        files = first | late
        members = [name for names in files.values() for name in names]
        shared = {name for name in members if members.count(name) > 1}
        if not shared:
            break
        entries |= shared
    home = {name: entry for entry, names in files.items() for name in names}
    return {entry: _file(entry, names, sources, home) for entry, names in files.items()}


def _reached(start: str, static: Mapping[str, list[str]], known: set[str]) -> list[str]:
    """Return the modules that `start` needs and that are not `known`, each behind those that it needs itself."""
    order: list[str] = []
    open_: list[str] = []

    def walk(name: str) -> None:
        if name in order or (name in known and name != start):
            return
        if name in open_:
            raise ValueError(f"modules import in a circle: {' > '.join([*open_, name])}")
        open_.append(name)
        for needed in static[name]:
            walk(needed)
        open_.pop()
        order.append(name)

    walk(start)
    return order


def _file(entry: str, names: list[str], sources: Mapping[str, str], home: Mapping[str, str]) -> str:
    foreign: dict[str, str] = {}
    bodies = [_body(name, sources[name], entry, home, foreign) for name in names]
    head = "".join(f"import {what} from {path!r};\n".replace("'", '"') for what, path in sorted(foreign.items()))
    return f"{head}{''.join(bodies)}export {{ {', '.join(_space(name) for name in names)} }};\n"


def _body(name: str, text: str, entry: str, home: Mapping[str, str], foreign: dict[str, str]) -> str:
    """Return a module as a function; what it takes from other files is added to `foreign`."""

    def imported(found: re.Match[str]) -> str:
        path = found["path"]
        space = _space(path)
        if not path.startswith("./"):
            foreign[f"* as {space}"] = path
        elif home[path[2:]] != entry:
            foreign[f"{{ {space} }}"] = f"./{home[path[2:]]}"
        if found["default"]:
            return f"const {found['default']} = {space}.default;\n"
        return f"const {{ {found['names'].replace(' as ', ': ')} }} = {space};\n"

    def later(found: re.Match[str]) -> str:
        path = found["path"]
        if not path.startswith("./"):
            return f'import("{path}")'
        return f'import("./{home[path[2:]]}").then((file) => file.{_space(path)})'

    exports = _EXPORT.findall(text) + [part for found in _EXPORTED.findall(text) for part in found.split(", ")]
    text = _COMMENT.sub("", text)
    text = _EXPORTED.sub("", _EXPORT.sub("", _DYNAMIC.sub(later, _IMPORT.sub(imported, text))))
    if left := _LEFT.search(text):
        raise ValueError(f"{name}: not understood: {left[0]}")
    return f"// {name}\nconst {_space(name)} = (() => {{\n{text}return {{ {', '.join(exports)} }};\n}})();\n"


def _space(path: str) -> str:
    """Return the name of a module's exports: `$turns` for `./turns.js`."""
    return "$" + re.sub(r"\W", "_", posixpath.basename(path).removesuffix(".js"))
