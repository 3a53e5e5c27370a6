"""A text that people read in two languages is a `Words`; there is no other way to write one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.test_architecture import modules

CHINESE = re.compile(r"[\u4e00-\u9fff]")
PHRASE = re.compile(r"(?:[A-Za-z']+ ){3}[A-Za-z']+")
STOPS = re.compile(r"[\u4e00-\u9fff].*[，。；！？]", re.DOTALL)


def texts(node: ast.AST) -> list[str]:
    found = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return [text for text in found if "\\" not in text]  # no regular expressions


def both(*nodes: ast.AST) -> bool:
    """Tell whether one of two parts is in Chinese and the other is not."""
    found = [[text for text in texts(node) if any(map(str.isalpha, text))] for node in nodes]
    chinese = [any(CHINESE.search(text) for text in part) for part in found]
    return all(found) and len(nodes) == 2 and chinese[0] != chinese[1]


def other_ways(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield (line, what it is) of texts in two languages that are no `Words`."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            named = {key.value: value for key, value in zip(node.keys, node.values, strict=True)
                     if isinstance(key, ast.Constant)}  # fmt: skip
            if {"en", "zh"} <= named.keys() and both(named["en"], named["zh"]):
                yield node.lineno, "a dict by language"
        elif isinstance(node, ast.ClassDef):
            set_ = {target.id for one in node.body if isinstance(one, ast.Assign) for target in one.targets
                    if isinstance(target, ast.Name)}  # fmt: skip
            if {"en", "zh"} <= set_:
                yield node.lineno, "attributes of a class"
        elif isinstance(node, ast.IfExp) and both(node.body, node.orelse):
            yield node.lineno, "a condition"
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and both(*node.elts):
            if all(isinstance(one, (ast.Constant, ast.JoinedStr)) for one in node.elts) and " " in "".join(texts(node)):
                yield node.lineno, "a pair"
        elif isinstance(node, ast.Constant) and id(node) not in docstrings:
            if any(PHRASE.search(text) and STOPS.search(text) for text in texts(node)):
                yield node.lineno, "a sentence in both"


WRONG = """
A = {"en": "Read it.", "zh": "请阅读。"}
class B:
    en = "Read it."
    zh = "请阅读。"
C = ("Read it.", "请阅读。")
D = f"第{1}页" if zh else f"page {1}"
E = "This is not so good, 这不好。"
"""


def test_other_ways_are_found() -> None:
    ways = ["a dict by language", "attributes of a class", "a pair", "a condition", "a sentence in both"]
    assert [what for _, what in sorted(other_ways(ast.parse(WRONG)))] == ways
    assert not list(other_ways(ast.parse('F = Words("Read it.", "请阅读。")')))


def test_words_are_the_only_way() -> None:
    found = [
        f"{name}:{line} {what}"
        for name, path in modules().items()
        for line, what in other_ways(ast.parse(path.read_text("utf-8")))
    ]
    assert not found
