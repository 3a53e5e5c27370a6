"""Where the arguments of a call come from: the user's own words, something that was read, or the model itself."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from domain.approvals import Evidence, Origin, OriginKind
from domain.fence import unfenced
from domain.text import CJK, has_han, terms
from turn.context import Context
from turn.state import State

MOST_FOREIGN = 0.25
"""Share of the words of a text that may come from what was read: ordinary words stand there too."""
MOST_NAME_WORDS = 3
"""Words beside an address that may be the name of who has it."""
LONGEST_NUMBER = 4
"""Characters of a number that identifies nothing: a year, an amount of results."""

_EDGE = ".,;:!?)]}>'\"”’」』》）】。，；：！？、"
_ADDRESS = re.compile(
    rf"https?://[^\s<>\"'{CJK}，。；：！？、）】》」』”’]+"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|(?<![\w@.-])(?:[a-zA-Z0-9][\w-]*\.)+(?:[a-zA-Z]{2,}|\d{1,3})(?::\d+)?(?:/[^\s<>\"'，。；：！？、）】》」』”’]*)?",
    re.I | re.A,
)
"""A URL, a mail address, the name of a host or an IP address, with its path."""


class _Text(NamedTuple):
    """Something that stands in the conversation, and who it comes from."""

    kind: OriginKind
    source: str
    text: str


class Provenance:
    """What stands in a turn, to hold the arguments of its calls against.

    Nothing is worked out before it is asked for: calls of tools that only read need little of it.
    """

    def __init__(self, state: State, context: Context) -> None:
        self._state, self._context = state, context

    def evidence(self, arguments: Mapping[str, Any], *, chosen: Collection[str] = (), free: bool = True) -> Evidence:
        """Return where each argument comes from, and whether all are the user's own words.

        A text is the user's own when every address, number and name of more than four characters with a digit in it
        stands in the user's messages, and so do most of its other words, few of the rest in what was read. As long as
        nothing was read in the thread, other words are free: they can only come from the user or the model's knowledge.
        Addresses that a search of this turn returned, unchanged, count as the user's.

        Args:
            arguments: Those of the call.
            chosen: Names of those that are one of a few values that the tool names: nothing can be said with them.
            free: Whether words are free where nothing was read; else only a value of one word is.
        """
        found = list(_leaves(arguments))
        said = _leaves({name: value for name, value in arguments.items() if name not in chosen})
        return Evidence(
            own=all(self._is_own(value, free=free) for _, value in said),
            origins=[self._origin(path, value) for path, value in found],
        )

    def _is_own(self, value: object, *, free: bool) -> bool:
        if not isinstance(value, str):
            number = "" if isinstance(value, bool) or value is None else str(value)
            return len(number) <= LONGEST_NUMBER or number in self._user.tokens
        if not all(self._known_address(address) for address in addresses(value)):
            return False
        rest = _ADDRESS.sub(" ", value)
        if any(_identifies(token) and token not in self._user.tokens for token in _tokens(rest)):
            return False
        words = _words(rest)
        if not words or (not self._read if free else len(rest.split()) == 1 and not has_han(rest)):
            return True
        own = words & self._user.words
        foreign = (words - own) & frozenset().union(*(text.words for text in self._read_texts))
        return 2 * len(own) >= len(words) and len(foreign) <= MOST_FOREIGN * len(words)

    def _known_address(self, address: str) -> bool:
        if address in self._user.addresses or address in self._given:
            return True
        host, _, path = address.partition("/")
        hosts = {known.partition("/")[0] for known in self._user.addresses}
        return "@" not in host and host in hosts and _words(path) <= self._user.words and bool(_words(path))

    def _origin(self, path: str, value: object) -> Origin:
        shown = str(value).casefold().strip()
        texts = [self._user, *self._read_texts]
        exact = next((text for text in texts if shown and text.holds(shown)), None)
        if exact is None and (named := addresses(shown)):
            if all(map(self._user.addresses.__contains__, named)):
                return Origin(argument=path, kind="user", source="")
            if all(address in self._given for address in addresses(str(value))):
                return Origin(argument=path, kind="web", source=str(value))
        words = _words(shown)
        if exact is None and isinstance(value, str) and words:
            best = max(texts, key=lambda text: len(words & text.words))
            exact = best if 2 * len(words & best.words) > len(words) else None
        kind: OriginKind = exact.kind if exact is not None else "model"
        return Origin(argument=path, kind=kind, source=exact.source if exact is not None else "")

    @cached_property
    def _user(self) -> _Indexed:
        return _Indexed(_Text("user", "", users_words(self._state, self._context)))

    @cached_property
    def _read(self) -> list[_Text]:
        """What was read, and what was said in a thread where something was."""
        state = self._state
        texts = [
            _Text("web" if source["origin"] == "web" else "document", source.get("url") or source["name"],
                  source["text"])
            for source in state.get("sources", [])
        ]  # fmt: skip
        for attachment in state.get("attachments", []):
            ocr, description = attachment.get("ocr"), attachment.get("description")
            parts = (attachment.get("summary"), ocr and ocr["text"], description and description["text"])
            texts.append(_Text("document", attachment["name"], "\n".join(filter(None, (attachment["name"], *parts)))))
        texts += [
            _Text("document", note["name"], f"{note['name']}\n{note['summary']}") for note in state.get("documents", [])
        ]
        for message in state["messages"]:
            if isinstance(message, ToolMessage):
                texts.append(_Text("tool", str(message.name or ""), unfenced(str(message.text))))
            elif self._context.agent_run and isinstance(message, HumanMessage):
                texts.append(_Text("model", "", unfenced(str(message.text))))
            elif isinstance(message, HumanMessage) and message.additional_kwargs.get("notes"):
                texts.append(_Text("document", "", str(message.additional_kwargs["notes"])))
        texts += [_Text("tool", "recall", memory["text"]) for memory in state.get("memories", [])]
        if state.get("summary"):
            texts.append(_Text("model", "", state["summary"]))
        if texts:
            texts += [_Text("model", "", str(one.text)) for one in state["messages"] if isinstance(one, AIMessage)]
        return texts

    @cached_property
    def _read_texts(self) -> list[_Indexed]:
        return [_Indexed(text) for text in self._read]

    @cached_property
    def _given(self) -> frozenset[str]:
        """Addresses of the pages that searches of this turn found, and of those that the answer before cited."""
        state = self._state
        found = [source.get("url") for source in state.get("sources", []) if source["origin"] == "web"]
        return frozenset(_bare(url) for url in (*found, *(cited.get("url") for cited in state.get("cited", []))) if url)


class _Indexed:
    """A text with what is looked up in it."""

    def __init__(self, text: _Text) -> None:
        self.kind, self.source, self._text = text

    def holds(self, value: str) -> bool:
        """Tell whether the value, in small letters, stands in the text by itself."""
        place = self._folded.find(value)
        while place >= 0:
            around = self._folded[max(0, place - 1) : place], self._folded[place + len(value) :][:1]
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
        return _words(self._text)

    @cached_property
    def tokens(self) -> frozenset[str]:
        """Its words as they are written, in small letters."""
        return frozenset(_tokens(self._text))

    @cached_property
    def addresses(self) -> frozenset[str]:
        """The addresses in it."""
        return frozenset(addresses(self._text))


def users_words(state: State, context: Context) -> str:
    """Return what the user said in the thread. What a specialist is told was written by the model that asks it."""
    if context.agent_run:
        return context.said
    return "\n".join(str(message.text) for message in state["messages"] if isinstance(message, HumanMessage))


def addresses(text: str) -> list[str]:
    """Return the URLs, hosts and mail addresses in a text, without what does not tell one from another.

    >>> addresses("see https://www.Example.org/A/ and ask bob@example.org.")
    ['example.org/A', 'bob@example.org']
    """
    return [_bare(match) for match in _ADDRESS.findall(text)]


def recipients_of(arguments: Mapping[str, Any]) -> list[str]:
    """Return the mail addresses and hosts that arguments name, each once: not those inside running text."""
    texts = [value for _, value in _leaves(arguments) if isinstance(value, str)]
    named = [text for text in texts if len(_words(_ADDRESS.sub(" ", text))) <= MOST_NAME_WORDS]
    found = [address for text in named for address in addresses(text)]
    return list(dict.fromkeys(address.partition("/")[0] for address in found))


def _bare(address: str) -> str:
    rest = re.sub(r"^https?://", "", address.rstrip(_EDGE), flags=re.I)
    host, slash, path = rest.partition("/")
    return (host.lower().removeprefix("www.") + slash + path).rstrip("/")


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if path:  # names inside an argument are the model's to choose, and carry text as values do
                yield f"{path}.*", str(name)
            yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{place}]")
    else:
        yield path, value


def _words(text: str) -> frozenset[str]:
    """Index terms without single Chinese characters, which stand in any text."""
    found = terms(text)
    longer = frozenset(term for term in found if len(term) > 1)
    return longer or frozenset(found)


def _tokens(text: str) -> list[str]:
    return re.findall(r"[\w-]+", text.casefold(), re.A)


def _identifies(token: str) -> bool:
    """Tell whether a token is a number or name that may stand for someone or something."""
    return len(token) > LONGEST_NUMBER and any(map(str.isdigit, token))
