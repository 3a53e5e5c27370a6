"""The user's own data, as tools returned it in fields: what the user named, and what belongs to that.

A record is an object of a result: a message, an event, a contact. One that the user named, by a title or a person that
stands in it, vouches for its ids, addresses and amounts. Text inside a field is no field: whoever can write it cannot
make records of it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, count, islice
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage

from domain.fence import unfenced
from domain.labels import OF_DOCUMENT, OF_WEB
from domain.text import has_han
from turn.material import findings
from turn.wording import Wording, addresses, is_date, pieces

LONGEST_FIELD = 100
"""Characters of a field that names or identifies something; a longer one is text."""
MOST_FIELDS, MOST_DEPTH = 20_000, 20
_FIELD_NAME = re.compile(r"\w*[a-z]\w*", re.A)
LEAST_DICTATED = 4
"""Words from which a text is one that the user dictated."""


class _Field(NamedTuple):
    """One value: its path without places in lists, and the record that it stands in (-1: a plain list)."""

    path: str
    record: int
    value: str


class OwnData:
    """The records of a thread, and which of them the user named."""

    def __init__(self, messages: Sequence[AnyMessage], user: Wording, reads: Mapping[str, bool]) -> None:
        """Take the results of the tools that only read what is the user's, by `reads`."""
        self._user = user
        self._vouched: set[str] = set()
        self._linked: set[str] = set()
        self._groups: dict[str, set[str]] = {}
        given = {call["id"]: call["args"] for one in messages if isinstance(one, AIMessage) for call in one.tool_calls}
        for message in messages:
            if isinstance(message, ToolMessage) and message.status == "success" and _is_own(message, reads):
                self._add(str(message.name), _data(message), given.get(message.tool_call_id, {}))

    def vouches(self, value: object) -> bool:
        """Tell whether a value is that of a field of a record that the user named, or is named itself."""
        return _folded(value) in self._vouched

    def links(self, address: str) -> bool:
        """Tell whether an address stands, unchanged, in the text of a record that the user named."""
        return address in self._linked

    def is_open_choice(self, value: object) -> bool:
        """Tell whether a value is one of several of a field of which the user has named none."""
        groups = [group for group in self._groups.values() if _folded(value) in group]
        return any(len(group) > 1 for group in groups) and not any(map(self._names, set().union(*groups)))

    def _add(self, tool: str, data: Any, arguments: Mapping[str, Any]) -> None:
        fields = list(_fields(data))
        asked = {_folded(value) for value in arguments.values() if isinstance(value, str) and self._names(value)}
        often = Counter((field.path, _folded(field.value)) for field in fields)
        named = set[int]()
        for path, record, value in fields:
            folded = _folded(value)
            tells = folded in asked or (often[path, folded] == 1 and _tells(value))
            if record >= 0 and not path.endswith("[]") and tells and self._names(value):
                named.add(record)
        for field in fields:
            if len(field.value) <= LONGEST_FIELD and "\n" not in field.value:
                self._groups.setdefault(f"{tool} {field.path}", set()).add(_folded(field.value))
            if field.record in named:
                self._linked.update(addresses(field.value))
            if _is_whole(field.value) and (field.record in named or self._names(field.value)):
                self._vouched.add(_folded(field.value))

    def _names(self, value: str) -> bool:
        """Whether the user said what stands in a field: each of its words, or all of it."""
        if not value or len(value) > LONGEST_FIELD or is_date(value):
            return False
        told = [piece for piece in pieces(value) if len(piece) > 1]
        if has_han(value):
            return self._user.holds(value.casefold())
        return any(map(str.isalpha, "".join(told))) and all(piece in self._user.pieces for piece in told)


def _is_own(message: ToolMessage, reads: Mapping[str, bool]) -> bool:
    """Whether a result is the user's own data: by its tool now, and by the label that it was found with."""
    return reads.get(str(message.name), False) and findings(message).get("label", OF_DOCUMENT) != OF_WEB


def _is_whole(value: str) -> bool:
    """Whether a field is a value, and no text in which an address stands among words."""
    lone = not any(map(str.isspace, value)) or not addresses(value)
    return lone and len(value) <= LONGEST_FIELD and "\n" not in value


def is_dictated(value: object, user: Wording) -> bool:
    """Tell whether a text of some length consists of the user's own words."""
    if not isinstance(value, str):
        return False
    said = [piece for piece in pieces(value) if len(piece) > 1]
    new = [piece for piece in said if piece not in user.pieces]
    return len(said) >= LEAST_DICTATED and not new if not has_han(value) else user.holds(value.casefold().strip())


def _tells(value: str) -> bool:
    """Whether a value can be a name: not one plain word, such as the state that something is in."""
    return len(pieces(value)) > 1 or not re.fullmatch(r"[a-z]+", value)


def _data(message: ToolMessage) -> Any:
    structured = findings(message)["data"].get("structured")
    if structured is not None:
        return structured
    try:
        return json.loads(unfenced(str(message.text)))
    except ValueError:
        return None


def _fields(data: Any) -> Iterator[_Field]:
    """Yield the fields of a result, at most `MOST_FIELDS`."""
    records = count(0)

    def of_object(value: Mapping[str, Any], path: str, record: int, depth: int) -> Iterator[_Field]:
        wraps = len(value) == 1 and isinstance(next(iter(value.values())), list)  # a list under a name
        own = record if wraps else next(records)
        for name, inner in value.items():
            if _FIELD_NAME.fullmatch(name) or isinstance(inner, Mapping):
                yield from walk(inner, f"{path}.{name}", own, depth)
            else:  # the name is data: of the hotel whose price this is
                entry = next(records)
                yield _Field(f"{path}.*", entry, name)
                yield from walk(inner, f"{path}.*.", entry, depth)

    def walk(value: Any, path: str, record: int, depth: int) -> Iterator[_Field]:
        if depth < MOST_DEPTH and isinstance(value, Mapping):
            yield from of_object(value, path, record, depth + 1)
        elif depth < MOST_DEPTH and isinstance(value, list):
            yield from chain.from_iterable(walk(inner, f"{path}[]", record, depth + 1) for inner in value)
        elif isinstance(value, str | float) or type(value) is int:
            yield _Field(path, record, str(value))

    yield from islice(walk(data, "", -1, 0), MOST_FIELDS)


def _folded(value: object) -> str:
    """Return a value for comparisons: numbers by what they are worth, texts in small letters."""
    text = str(value).strip()
    try:
        return repr(float(text)) if text.replace(".", "", 1).isdigit() and not text.startswith("0") else text.casefold()
    except ValueError:
        return text.casefold()
