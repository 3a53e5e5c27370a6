"""Takes a text apart into what can be quoted: sentences, lines of forms, table rows with the names of their columns."""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.summary import one_line
from domain.text import sentences

END = re.compile(r"[.!?。！？；…][\"'”’」』）)*]*$")
"""How a sentence ends; a title, a row and a line of a form end otherwise."""

_HEADING = re.compile(
    r"#{1,6}[ \t]|(?:第[一二三四五六七八九十百零〇\d]{1,4}[章节篇编]|Chapter \w+)[^。.;；!?！？]{0,60}$"
)
_TITLE = re.compile(r"^([^\n|:：]{1,60}[^\s.!?。！？；;…:：|\"”])\n(?=\n)", re.MULTILINE)
_CELLS = re.compile(r"\||\S(?: {2,}|\t)\S|[^:：。.!?]{1,24}[:：][ \t]?\S")
_LABEL = re.compile(r"[^\W\d][^:：。.!?|\d]{0,23}[:：][ \t]?\S")
_HEADER = re.compile(r"^(\|.*)\n\|[\s:|-]*-[\s:|-]*$", re.MULTILINE)
_RULE = re.compile(r"[\s|:=_*~#+`-]*$")
_MARKUP = re.compile(r"\s*(?:[>*+•·▪-][ \t]+)*")
_LETTER = (
    (
        re.compile(r"(?:from|发件人|寄件人)\s*[:：]", re.I),
        "sender, author, who wrote and sent it 发件人 作者 谁写的 谁发的",
    ),
    (re.compile(r"(?:to|收件人)\s*[:：]", re.I), "recipient, addressee, whom it was written to 收件人 写给谁 发给谁"),
    (re.compile(r"(?:date|日期)\s*[:：]", re.I), "when it was written and sent 日期 什么时候写的 哪天发的"),
    (re.compile(r"(?:subject|re|主题)\s*[:：]", re.I), "what the letter is about, its title 主题 标题 关于什么"),
)
"""What the head of a letter, mail or memo says, in the words in which it is asked for."""
_LEADERS = re.compile(r"^.*(?:\.[ \t]?){5,}.*$|^.*(?:…[ \t]?){2,}[ \t]*\d+[ \t]*$", re.MULTILINE)
"""Lines of a table of contents."""
_REFERENCE = re.compile(r"[ \t]*[\[【]\d{1,3}[\]】]")


@dataclass(frozen=True, slots=True)
class Unit:
    """What can be quoted: `text` without markup, a row with the names of its columns; `exact` as it stands.

    `heading` is what it stands under; `cells` tells that it is a row or a line of a form; `place` counts from 0;
    `means` is what its label is in other words.
    """

    text: str
    exact: str
    heading: str
    cells: bool
    place: int
    means: str = ""


def header_of(text: str) -> str:
    """Return the header row of the first table of a text, empty without one."""
    found = _HEADER.search(text)
    return found[1] if found else ""


def units(text: str, *, heading: str = "", header: str = "") -> list[Unit]:
    """Return the units of a text; headings and header rows are only told with what stands under them.

    So is the first line above the labelled lines of a form without prose, which may be quoted too.

    Args:
        text: Part of a page, in Markdown.
        heading: What it stands under at its beginning.
        header: Header of the table that it begins in the middle of.
    """
    found: list[Unit] = []
    text = _LEADERS.sub("", text)
    titles, lines = set(_TITLE.findall(text)), sentences(text)
    prose = any(END.search(line) for line in lines)
    for place, (line, after) in enumerate(zip(lines, [*lines[1:], ""], strict=False)):
        row = line.startswith("|")
        header = header if row else ""
        if _HEADING.match(line) or (line in titles and END.search(after) and not _CELLS.match(line)):
            heading = line.strip("# \t")
        elif row and after.startswith("|") and _RULE.match(after):
            header = line
        elif not _RULE.match(line):
            bare = _written_out(header, line) if row else _MARKUP.sub("", line, count=1)
            cells = not prose or bool(_CELLS.match(line) or (_CELLS.search(line) and not END.search(line)))
            text = one_line(_REFERENCE.sub("", bare))
            means = next((said for label, said in _LETTER if label.match(text)), "")
            found.append(Unit(text, line, heading, cells, place, means))
            if not prose and not place and not _CELLS.search(line) and _LABEL.match(after):
                heading = found[-1].text
    return found


def _written_out(header: str, row: str) -> str:
    """Write a table row as `column: cell; column: cell`."""
    names, cells = ([cell.strip() for cell in line.strip("| ").split("|")] for line in (header, row))
    if len(names) != len(cells):
        return " · ".join(cell for cell in cells if cell)
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in zip(names, cells, strict=True) if cell)
