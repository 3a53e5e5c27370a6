"""A stand-in for a chat model that quotes truly, quotes with harmless changes of form, and invents quotes on purpose.

It knows nothing but the prompt that it is sent: it takes the numbered passages out of it, and writes one line for each
kind of claim that the passages allow. What it wrote, and whether that was true, stands in `CitingModel.written`.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from domain.language import language_of
from tests.standins.openai_server import Recorded

PASSAGE = re.compile(r"^\[(\d{1,3})\] (.+)$", re.M)
MATERIAL = re.compile(r"<material>\n(.*)\n</material>", re.S)
SENTENCE = re.compile(r"[^.!?。！？；\n]+(?:[.!?](?!\s)[^.!?。！？；\n]*)*[.!?。！？；]?")
NUMBER = re.compile(r"\d+")
NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{3,}")
BE = re.compile(r"\b(is|was|are|were|has|had|have|can|could|will|would|may|should)\b")
BE_ZH = re.compile(r"可以|能够|属于|位于|是|有|为|在|被")
NOT_ZH = {"有": "没有", "被": "没有被"}
SHORTEST = {"en": 45, "zh": 14}
LONGEST = 320
MOST = 5
"""Passages of a prompt that are written about."""


class Passage(NamedTuple):
    """A numbered passage of a prompt."""

    number: int
    document: str
    text: str


@dataclass(frozen=True)
class Claim:
    """One line of an answer: `true` if what it quotes stands in a passage of the prompt."""

    kind: str
    true: bool
    language: str
    quote: str
    line: str


Writer = Callable[["Desk", str], str | None]


@dataclass(frozen=True)
class Desk:
    """What a writer of quotes works with."""

    dice: random.Random
    passages: list[Passage]
    sentences: list[str]
    known: Mapping[str, str]

    def exists(self, text: str) -> bool:
        """Whether `text` stands, by letters and digits alone, in any document of the corpus."""
        wanted = plain(text)
        return any(wanted in document for document in self.known.values())


@cache
def plain(text: str) -> str:
    """Letters and digits alone: an oracle that shares no code with the verifier."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def sentences_of(text: str) -> Iterator[str]:
    """Yield the sentences that are long enough to be told from others."""
    for match in SENTENCE.finditer(text):
        sentence = match[0].strip()
        told = len(plain(sentence)) * 4 > len("".join(sentence.split())) * 3
        if told and SHORTEST[language_of(sentence)] <= len(sentence) <= LONGEST and "]" not in sentence:
            yield sentence


# true, in another form


def verbatim(desk: Desk, sentence: str) -> str:
    """As it stands."""
    return sentence


def part(desk: Desk, sentence: str) -> str:
    """The middle of it, cut at spaces where there are any, and not within a number."""
    if " " not in sentence:
        return re.sub(r"^[\d.,]+(?=\D)|(?<=\D)[\d.,]+$", "", sentence[2:-2])
    words = sentence.split(" ")
    return " ".join(words[1:-1]) if len(words) > 5 else sentence


def white_space(desk: Desk, sentence: str) -> str:
    """Other white space between words, and between Chinese characters."""
    spaced = re.sub(r"\s+", lambda _: desk.dice.choice(["  ", "\n", "\u00a0", "\t", "\u3000"]), sentence)
    return re.sub(r"(?<=[\u4e00-\u9fff])(?=[\u4e00-\u9fff])", lambda _: desk.dice.choice(["", "", "", " "]), spaced)


def typography(desk: Desk, sentence: str) -> str | None:
    """Other quotation marks, dashes and dots."""
    forms = {'"': "“”„«", "'": "’‘", "“": '"「', "”": '"」', "’": "'", "「": "“", "」": "”", "-": "‐‑–", "–": "-—"}
    forms |= {"—": "–-", "…": ["..."], "《": "《", "『": "‘", "』": "’"}  # type: ignore[dict-item]  # a list is as good
    changed = "".join(desk.dice.choice(forms.get(c, c)) for c in sentence)
    return changed if changed != sentence else None


def ligatures(desk: Desk, sentence: str) -> str | None:
    """Letters run together as typesetters do."""
    changed = sentence.replace("ffi", "ﬃ").replace("fi", "ﬁ").replace("fl", "ﬂ").replace("ff", "ﬀ")
    return changed if changed != sentence else None


def full_width(desk: Desk, sentence: str) -> str | None:
    """Full-width letters and digits."""
    changed = "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isalnum() else c for c in sentence)
    return changed if changed != sentence else None


def case(desk: Desk, sentence: str) -> str | None:
    """All in capitals."""
    changed = sentence.upper()
    return changed if changed != sentence else None


def accents(desk: Desk, sentence: str) -> str | None:
    """Accents as characters of their own."""
    changed = unicodedata.normalize("NFD", sentence)
    return changed if changed != sentence else None


def without_marks(desk: Desk, sentence: str) -> str | None:
    """Without the asterisks of Markdown."""
    changed = sentence.replace("**", "").replace("*", "")
    return changed if changed != sentence else None


# invented


def number(desk: Desk, sentence: str) -> str | None:
    """One digit of a number changed."""
    found = list(NUMBER.finditer(sentence))
    if not found:
        return None
    spot = desk.dice.choice(found)
    at = desk.dice.randrange(*spot.span())
    return sentence[:at] + str((int(sentence[at]) + desk.dice.randint(1, 8)) % 10) + sentence[at + 1 :]


def name(desk: Desk, sentence: str) -> str | None:
    """A name swapped for another one of the same material."""
    here = _names(sentence)
    others = [
        n
        for text in desk.dice.sample(desk.sentences, min(8, len(desk.sentences)))
        for n in _names(text)
        if n not in sentence
    ]
    if not here or not others:
        return None
    return sentence.replace(desk.dice.choice(here), desk.dice.choice(others), 1)


def _names(text: str) -> list[str]:
    if language_of(text) == "en":
        return NAME.findall(text)
    import jieba.posseg  # type: ignore[import-untyped]

    return [w.word for w in jieba.posseg.cut(text) if w.flag in ("nr", "ns", "nt", "nrt") and len(w.word) > 1]


def negation(desk: Desk, sentence: str) -> str | None:
    """A negation put in."""
    if language_of(sentence) == "en":
        changed = BE.sub(lambda m: f"{m[0]} not", sentence, count=1)
    else:
        changed = BE_ZH.sub(lambda m: NOT_ZH.get(m[0], f"不{m[0]}"), sentence, count=1)
    return changed if changed != sentence else None


def joined(desk: Desk, sentence: str) -> str | None:
    """The first half of it and the second half of another one."""
    others = [s for s in desk.sentences if s != sentence and language_of(s) == language_of(sentence)]
    if not others:
        return None
    other = desk.dice.choice(others)
    return _half(sentence)[0] + _half(other)[1]


def _half(sentence: str) -> tuple[str, str]:
    at = sentence.find(" ", len(sentence) // 2)
    at = at if at > 0 else len(sentence) // 2
    return sentence[:at], sentence[at:]


TRUE: dict[str, Writer] = {
    "verbatim": verbatim, "part": part, "white space": white_space, "typography": typography, "ligatures": ligatures,
    "full width": full_width, "case": case, "accents": accents, "no markdown": without_marks,
}  # fmt: skip
INVENTED: dict[str, Writer] = {"number": number, "name": name, "negation": negation, "joined": joined}


class CitingModel:
    """The responder of the stand-in endpoint.

    Attributes:
        known: Name and `plain` text of every document in the store, to be certain that an invention is one.
        written: The claims of each answer, by question.
    """

    def __init__(self, seed: int = 0) -> None:
        self.known: dict[str, str] = {}
        self._dice = random.Random(seed)
        self._seen: dict[str, list[str]] = {}
        self.written: dict[str, list[Claim]] = {}
        self._count = 0

    def __call__(self, request: Recorded) -> str:
        """Answer a chat request; one without passages is a request for a summary."""
        given = MATERIAL.search(request.user_text)
        passages = _passages(given[1], self.known) if given else []
        if not given or not passages:
            return "This text holds no passages."
        question = request.user_text[given.end() :].strip()
        claims = list(self._claims(passages))
        self.written[question] = claims
        return "\n".join(claim.line for claim in claims) or "No."

    def _claims(self, passages: list[Passage]) -> Iterator[Claim]:
        desk = Desk(self._dice, passages, [s for p in passages for s in sentences_of(p.text)], self.known)
        chosen = {id(p): [self._dice.choice(found)] for p in passages[:MOST] if (found := _own(p))}
        for passage in passages:
            for sentence in chosen.get(id(passage), []):
                yield from self._both(desk, passage, sentence)
        yield from self._strays(desk)
        for passage in passages:
            self._seen.setdefault(passage.document, []).extend(chosen.get(id(passage), []))

    def _both(self, desk: Desk, passage: Passage, sentence: str) -> Iterator[Claim]:
        """One true and one invented claim from a sentence."""
        kind = self._dice.choice([k for k, write in TRUE.items() if write(desk, sentence)])
        yield self._claim(kind, True, sentence, f'{passage.number} "{TRUE[kind](desk, sentence)}"')
        if self._dice.random() < 0.3:
            yield self._claim("no quote", True, sentence, str(passage.number))
        if self._dice.random() < 0.3 and len(desk.passages) > 1:
            other = self._dice.choice([p for p in desk.passages if p != passage])
            yield self._claim("wrong number", True, sentence, f'{other.number} "{sentence}"')
        for kind in self._dice.sample(list(INVENTED), 2):
            quote = INVENTED[kind](desk, sentence)
            if quote and not desk.exists(quote):
                yield self._claim(kind, False, quote, f'{passage.number} "{quote}"')

    def _strays(self, desk: Desk) -> Iterator[Claim]:
        """Claims from documents that are not in the prompt, and with numbers that are not there."""
        present = {passage.document for passage in desk.passages}
        shown = [self.known.get(document, "") for document in present]
        far = [s for d, found in self._seen.items() if d not in present for s in found]
        far = [s for s in far if not any(plain(s) in text for text in shown)]
        first = desk.passages[0]
        if far:
            quote = self._dice.choice(far)
            yield self._claim("elsewhere", False, quote, f'{first.number} "{quote}"')
            same = [s for s in far if language_of(s) == language_of(first.text)]
            if same:
                yield self._claim("elsewhere, no quote", False, self._dice.choice(same), str(first.number))
        missing = max(p.number for p in desk.passages) + self._dice.randint(1, 5)
        for sentence in desk.sentences[:1]:
            yield self._claim("no such number", False, sentence, f'{missing} "{sentence}"')
            yield self._claim("no such number, no quote", False, sentence, str(missing))

    def _claim(self, kind: str, true: bool, sentence: str, cited: str) -> Claim:
        said = " ".join(re.sub(r"[\[\]【】]", " ", sentence).split())
        quote = cited.partition(" ")[2].strip('"')
        self._count += 1
        return Claim(kind, true, language_of(sentence), quote, f"- <a{self._count}> {said} [{cited}]")


def _own(passage: Passage) -> list[str]:
    return list(dict.fromkeys(sentences_of(passage.text)))


def _passages(material: str, known: Container[str]) -> list[Passage]:
    """Take the numbered passages out of the material: headlines `[1] name · p. 2`, counted without a gap."""
    heads: list[re.Match[str]] = []
    for match in PASSAGE.finditer(material):
        if int(match[1]) == len(heads) + 1 and match[2].partition(" · ")[0] in known:
            heads.append(match)
    if not heads:
        return []
    ends = [match.start() for match in heads[1:]] + [len(material)]
    return [
        Passage(int(head[1]), head[2].partition(" · ")[0], material[head.end() : end].strip())
        for head, end in zip(heads, ends, strict=True)
    ]
