"""Modules of the page, joined to a few files that do what the modules did."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from api.edge.modules import chunks

WEB = Path(__file__).parents[2] / "web"
SOURCES = {
    "main.js": 'import { double as twice, four } from "./numbers.js";\nimport join from "../vendor/join.js";\n'
    'Promise.all([import("./late.js"), import("./other.js")]).then((all) =>\n'
    "  console.log(join([twice(four), ...all.map(({ words }) => words)])));\n",
    "numbers.js": "export const four = half() * 2;\nfunction half() { return 2; }\n"
    "export function double(n) { return n * 2; }\n",
    "late.js": 'import { shared } from "./shared.js";\nimport { four } from "./numbers.js";\n'
    "export const words = `${shared}-${four}`;\n",
    "other.js": 'import { shared, half } from "./shared.js";\nexport const words = `${half}+${shared}`;\n',
    "shared.js": 'export const shared = "shared";\nconst half = "half";\nexport { half };\n',
}  # fmt: skip


def test_joined_modules_do_what_they_did(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    files = chunks(SOURCES)
    assert sorted(files) == ["late.js", "main.js", "other.js", "shared.js"]
    assert files["main.js"].index("$numbers") < files["main.js"].index("// main.js")
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor/join.js").write_text("export default (list) => list.join(' ');\n")
    printed = {}
    for folder, texts in (("modules", SOURCES), ("joined", files)):
        (tmp_path / folder).mkdir()
        (tmp_path / "package.json").write_text('{"type": "module"}')
        for name, text in texts.items():
            (tmp_path / folder / name).write_text(text)
        ran = subprocess.run([node, tmp_path / folder / "main.js"], capture_output=True, text=True, check=True)
        printed[folder] = ran.stdout
    assert printed["joined"] == printed["modules"] == "8 shared-4 half+shared\n"


def test_the_page_is_one_file_and_what_is_loaded_when_it_is_needed() -> None:
    sources = {path.name: path.read_text("utf-8") for path in (WEB / "js").glob("*.js")}
    files = chunks(sources)
    held = [name for text in files.values() for name in sources if f"\n// {name}\n" in f"\n{text}"]
    assert sorted(held) == sorted(sources), "a module is in no file, or in two"
    assert "// composer.js" in files["main.js"] and "// markdown.js" not in files["main.js"]
    assert "// answer.js" in files["talk.js"] and "// thumbnail.js" in files["talk.js"], (
        "shared with panels that come later"
    )
    said = set(re.findall(r"""\bt\("([\w-]+)\"""", files["main.js"]))
    for language in ("en", "zh"):
        words = set(re.findall(r"""[{,]\s+"?([\w:-]+)"?: \"""", sources[f"words_{language}.js"]))
        assert said and said <= words, "a text of the first paint is loaded only behind it"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('import "./numbers.js";\n', "not understood"),
        ("export default 1;\n", "not understood"),
        ('import { a } from "./main.js";\n', "circle"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        chunks({"main.js": text, "numbers.js": ""})
