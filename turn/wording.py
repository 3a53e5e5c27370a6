"""A text with its label, and what is looked up in it: addresses, words, numbers and names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any

from domain.approvals import OriginKind
from domain.labels import Label
from domain.text import CJK, HAN, terms

LONGEST_NUMBER = 4
"""Characters of a number in a text that need not identify anything: a year, an amount of results."""
LONGEST_PARTICLE = 3
"""Letters of a word inside a name that may be without a capital: of, the, van."""
MOST_NAME_WORDS = 6
_EDGE = ".,;:!?)]}>'\"”’」』》）】。，；：！？、"
_ADDRESS = re.compile(
    rf"https?://[^\s<>\"'{CJK}，。；：！？、）】》」』”’]+"
    r"|(?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)+"
    r"|(?<![\w@.-])(?:[a-zA-Z0-9][\w-]*\.)+(?:[a-zA-Z]{2,}|\d{1,3})(?::\d+)?(?:/[^\s<>\"'，。；：！？、）】》」』”’]*)?",
    re.I | re.A,
)
"""A URL, a mail address, the name of a host or an IP address, with its path."""
_YEAR = re.compile(r"(?:19|20)\d\d")
_DATE = re.compile(r"(?:19|20)\d\d-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?Z?)?|\d\d:\d\d(?::\d\d)?")
_HAN_RUN = re.compile(f"[{HAN}]+")
_NUMERAL = (
    "(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty|seventy|eighty"
    "|ninety|hundred|thousand|million|billion|[a-z]{3,5}teen)"
)
_SPELT_NUMBER = re.compile(rf"[零〇一二三四五六七八九十百千万亿两]{{2,}}|\b{_NUMERAL}(?:[ -]{_NUMERAL})+\b")
_WORD = re.compile(r"[^\W\d_]+")
_QUOTES = ("''", '""', "‘’", "“”", "「」", "『』", "《》", "``")
_BEGINS = re.compile(r"(?:^|[.!?:;。！？：；\n|•*-])[\s\"'“”‘’(\[]*$")


class Wording:
    """A text of the conversation, and who it comes from.

    Attributes:
        kind: What it is.
        source: Name of the document, page or tool; empty where there is none.
        label: Who could have written it, and whom it is meant for.
    """

    def __init__(self, kind: OriginKind, source: str, text: str, label: Label) -> None:
        self.kind, self.source, self.label, self._text = kind, source, label, text

    def holds(self, value: str) -> bool:
        """Tell whether the value, in small letters, stands in the text by itself."""
        place = self._folded.find(value)
        while place >= 0:
            end = place + len(value)
            around = self._folded[max(0, place - 1) : place], self._folded[end : end + 1]
            inside = (around[0] + value[0], value[-1] + around[1])
            if not any(len(pair) == 2 and re.fullmatch(r"\w\w", pair, re.A) for pair in inside):
                return True
            place = self._folded.find(value, place + 1)
        return False

    @cached_property
    def _folded(self) -> str:
        return self._text.casefold()

    @cached_property
    def words(self) -> frozenset[str]:
        """Its index terms."""
        return words(self._text)

    @cached_property
    def pieces(self) -> frozenset[str]:
        """Its words in small letters, those that a name is made of by signs one by one."""
        return frozenset(pieces(self._text))

    @cached_property
    def tokens(self) -> frozenset[str]:
        """Its words as they are written, in small letters."""
        return frozenset(tokens(self._text))

    @cached_property
    def numbers(self) -> frozenset[float]:
        """The values of the numbers in it."""
        return frozenset(float(number) for number in re.findall(r"\d+(?:\.\d+)?", self._text.replace(",", "")))

    def names_number(self, number: str, called: Collection[str]) -> bool:
        """Tell whether a number stands in the text right behind one of these words: `file 13`, `ID '13'`."""
        places = re.finditer(rf"(?<!\w){re.escape(number)}(?!\w)", self._folded)
        near = (pieces(self._folded[max(0, place.start() - 24) : place.start()])[-2:] for place in places)
        return any(set(before) & set(called) for before in near)

    def names_thing(self, value: str) -> bool:
        """Tell whether a value stands in the text as a name: in quotes, or with a capital within a sentence."""
        shown = value.strip().casefold()
        quoted = any(f"{pair[0]}{shown}{pair[1]}" in self._folded for pair in _QUOTES) if shown else False
        return quoted or (bool(words(value)) and words(value) <= self.names)

    @cached_property
    def names(self) -> frozenset[str]:
        """Index terms of words that are written with a capital within a sentence, and never without one."""
        small, capital = set(), set()
        text = without_addresses(self._text)
        for found in _WORD.finditer(text):
            word = found[0]
            if word[0].islower():
                small.add(word)
            elif word[0].isupper() and not _BEGINS.search(text[max(0, found.start() - 8) : found.start()]):
                capital.add(word.casefold())
        return frozenset(term for word in capital - small for term in terms(word))

    @cached_property
    def addresses(self) -> frozenset[str]:
        """The addresses in it."""
        return frozenset(addresses(self._text))


def addresses(text: str) -> list[str]:
    """Return the URLs, hosts and mail addresses in a text, without what does not tell one from another.

    >>> addresses("see https://www.Example.org/A/ and ask bob@example.org.")
    ['example.org/A', 'bob@example.org']
    """
    return [bare(match) for match in _ADDRESS.findall(text)]


def without_addresses(text: str) -> str:
    """Return a text with a space in place of each address."""
    return _ADDRESS.sub(" ", text)


def bare(address: str) -> str:
    """Return an address without scheme, `www.`, and the signs after it."""
    rest = re.sub(r"^https?://", "", address.rstrip(_EDGE), flags=re.I)
    host, slash, path = rest.partition("/")
    return (host.lower().removeprefix("www.") + slash + path).rstrip("/")


def words(text: str) -> frozenset[str]:
    """Index terms without single Chinese characters, which stand in any text."""
    found = terms(text)
    longer = frozenset(term for term in found if len(term) > 1)
    return longer or frozenset(found)


def share_of(text: str, own: Collection[str]) -> float:
    """Return the share of the words of a text that are among the index terms `own`, 0 to 1.

    Two Chinese characters are a word; they count where they stand in a term of `own`, so that the pairs over the border
    of two words count for nothing.

    >>> share_of("护士平均工资", {"护士", "工资"}) > 0.6, share_of("usual pay", {"pay"})
    (True, 0.5)
    """
    text = unicodedata.normalize("NFKC", text)
    known, total = 0.0, 0.0
    for run in _HAN_RUN.findall(text):
        pairs = (place for place in range(len(run) - 1) if run[place : place + 2] in own)
        known += len({place + step for place in pairs for step in (0, 1)}) / 2
        total += len(run) / 2
    latin = words(_HAN_RUN.sub(" ", text))
    return (known + len(latin.intersection(own))) / max(total + len(latin), 1.0)


def tokens(text: str) -> list[str]:
    """Return the Latin words and numbers of a text as they are written, in small letters."""
    return re.findall(r"[\w-]+", text.casefold(), re.A)


def pieces(text: str) -> list[str]:
    """Return the words of a text in small letters, those joined by signs apart.

    >>> pieces("External_0, team-plan.docx")
    ['external', '0', 'team', 'plan', 'docx']
    """
    return re.findall(r"[^\W_]+", text.casefold())


def identifies(token: str) -> bool:
    """Tell whether a token is a number or name that may stand for someone or something."""
    return len(token) > LONGEST_NUMBER and any(map(str.isdigit, token))


def is_number(token: str) -> bool:
    """Tell whether a token is a number that could have been copied: a digit or a year is not taken for one."""
    return len(token) > 1 and any(map(str.isdigit, token)) and not _YEAR.fullmatch(token)


def is_name(text: str) -> bool:
    """Tell whether a text is written as a name, each of its words with a capital: a place, a firm, a hotel.

    >>> is_name("Luxury Palace"), is_name("Bank of England"), is_name("Book a table")
    (True, True, False)
    """
    found = _WORD.findall(text)
    long = [word for word in found if len(word) > LONGEST_PARTICLE]
    return 0 < len(found) <= MOST_NAME_WORDS and bool(long) and all(word[0].isupper() for word in long)


def spelt_numbers(text: str) -> list[str]:
    """Return the numbers that are written out in words, in small letters: what stands in digits elsewhere.

    >>> spelt_numbers("四万八的工资, Forty-eight thousand or one")
    ['四万八', 'forty-eight thousand']
    """
    return _SPELT_NUMBER.findall(text.casefold())


def is_date(text: str) -> bool:
    """Tell whether a text is a date, a time or both, as programs write them, and nothing else."""
    return bool(_DATE.fullmatch(text.strip()))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, object]]:
    """Yield the path and value of everything in an argument that is no list and no object."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if path:  # names inside an argument are the model's to choose, and carry text as values do
                yield f"{path}.*", str(name)
            yield from leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{place}]")
    else:
        yield path, value
