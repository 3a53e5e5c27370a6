"""What comes of a call: the text for the model, and the record for everybody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from domain.tokens import count_tokens
from domain.types import Source, ToolRun
from domain.words import Language, Words
from tools import texts
from tools.interface import Found, ToolOutcome, plain_line

SYNOPSIS_CHARS = 160
UNITS = ((86_400, Words("{} d", "{} 天")), (3600, Words("{} h", "{} 小时")), (60, Words("{} min", "{} 分钟")))
SECONDS = Words("{} s", "{} 秒")


def done(found: Found, name: str, arguments: Mapping[str, Any], language: Language, age: float | None) -> ToolOutcome:
    """Return what was found and the record of the call; `age` in seconds tells that it is an earlier result."""
    run = _record(name, arguments, "ok", found.text)
    if age is None:
        return ToolOutcome(found.text, list(found.sources), run, found.data, label=found.label)
    text = f"{texts.FETCHED.text(language).format(age=age_text(age, language))}\n{found.text}"
    run |= {"cached": True, "age": round(age, 1)}
    return ToolOutcome(text, list(found.sources), run, found.data, label=found.label)


def not_done(
    text: str, name: str, arguments: Mapping[str, object], status: Literal["error", "refused", "unknown"], code: str
) -> ToolOutcome:
    """Return the message about a call that failed or was refused together with its record."""
    return ToolOutcome(text, [], {**_record(name, arguments, status, text), "code": code}, code=code)


def open_end(name: str, arguments: Mapping[str, object], language: Language, began: float) -> ToolOutcome:
    """Return what is said of a call that began and was cut off; `began` is Unix time."""
    text = texts.OPEN_END.text(language).format(name=name, time=_time(began))
    return not_done(text, name, arguments, "unknown", "unknown_effect")


def done_before(kept: Mapping[str, Any], language: Language, began: float, *, earlier: bool) -> ToolOutcome:
    """Return the kept outcome of a call; that of an earlier run says so."""
    outcome = ToolOutcome(**kept)
    if not earlier:
        return outcome
    text = f"{texts.DONE_BEFORE.text(language).format(time=_time(began))}\n{outcome.text}"
    return replace(outcome, text=text, run={**outcome.run, "cached": True})


def age_text(seconds: float, language: Language) -> str:
    """Return an age in its largest unit."""
    for size, words in UNITS:
        if seconds >= size:
            return words.text(language).format(int(seconds // size))
    return SECONDS.text(language).format(int(seconds))


def fitting(sources: Sequence[Source], tokens: int) -> list[Source]:
    """Return the first passages that fit into `tokens` together."""
    kept = []
    for source in sources:
        tokens -= count_tokens(source["text"])
        if tokens < 0:
            break
        kept.append(source)
    return kept


def _record(name: str, arguments: Mapping[str, object], status: Any, text: str) -> ToolRun:
    return ToolRun(
        name=name, arguments=dict(arguments), status=status, seconds=0.0, cached=False,
        synopsis=plain_line(text, SYNOPSIS_CHARS),
    )  # fmt: skip


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M:%S}"
