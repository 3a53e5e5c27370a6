"""Where the arguments of a call come from: the user's own words, something that was read, or the model itself.

Three questions are asked of each call that sends something out or changes something: did the request need the tool, do
its ids, addresses and amounts stand in the user's words or in the user's own data, and is its text free of what is
untrusted or private. `own` in what is found says that none is answered with no.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property, lru_cache
from typing import Any

from langchain_core.messages import ToolMessage

from domain.approvals import Doubt, Evidence, Origin
from domain.labels import OF_MODEL, OF_USER, OF_WEB, lowest
from domain.text import has_han
from tools.interface import ToolSpec
from turn.context import Context
from turn.labelled import texts_read, users_words
from turn.own_data import OwnData, is_dictated
from turn.state import State
from turn.wording import (
    LONGEST_NUMBER,
    Wording,
    addresses,
    bare,
    identifies,
    is_date,
    is_name,
    is_number,
    leaves,
    pieces,
    share_of,
    spelt_numbers,
    tokens,
    without_addresses,
    words,
)

MOST_FOREIGN = 0.25
"""Share of the words of a text in Latin letters that may come from what was read: ordinary words stand there too."""
EDGES = " \t\n.,;:!?…。，、；：！？\"'“”‘’「」『』"
"""What may stand around a quoted value."""
MOST_NAME_WORDS = 3
"""Words beside an address that may be the name of who has it."""


class Provenance:
    """What stands in a turn, to hold the arguments of its calls against.

    Nothing is worked out before it is asked for: calls of tools that only read need little of it.
    """

    def __init__(self, state: State, context: Context) -> None:
        self._state, self._context = state, context

    def evidence(
        self,
        arguments: Mapping[str, Any],
        spec: ToolSpec | None = None,
        *,
        chosen: Collection[str] = (),
        free: bool = True,
    ) -> Evidence:
        """Return where each argument comes from, and what speaks against making the call unasked.

        As long as nothing was read in the thread, words are free: they can only come from the user or from the model's
        knowledge. Then, and for values that identify something always:

        * `unasked`: neither the request nor its words have to do with the tool.
        * `unknown`: an address, a number, or a name with a digit stands neither in the user's messages nor in a record
          of the user's own data that the user named; nor is it an address, unchanged, that a search of this turn found.
        * `foreign`: a text holds words of what was read, or, where nothing else in the call is the user's, mostly words
          that are not.

        Args:
            arguments: Those of the call.
            spec: The tool; None: it is not known.
            chosen: Names of those that are one of a few values that the tool names: nothing can be said with them.
            free: Whether words are free where nothing was read; else only a value of one word is.
        """
        found = list(leaves(arguments))
        judged = list(leaves({name: one for name, one in arguments.items() if name not in chosen}))
        said = [value for _, value in judged]
        opens = spec is not None and spec.fetches
        directed = sum(map(self._directs, said))
        dictated = any(is_dictated(value, self._user) for value in said)
        doubts: set[Doubt] = set()
        for path, value in judged:
            doubts |= self._doubts(
                path, value, free=free, opens=opens, directed=directed > self._directs(value), dictated=dictated
            )
        if self._read_texts and not self._needed(said, spec, opens=opens):
            doubts.add("unasked")
        return Evidence(
            own=not doubts, doubts=sorted(doubts), origins=[self._origin(path, value) for path, value in found]
        )

    def _doubts(
        self, path: str, value: object, *, free: bool, opens: bool, directed: bool, dictated: bool
    ) -> set[Doubt]:
        if isinstance(value, bool) or value is None or self._own_data.vouches(value):
            return set()
        if dictated and self._own_data.is_open_choice(value):
            return set()
        if not isinstance(value, str):
            return set() if self._known_number(value) else {"unknown"}
        if is_date(value):
            return set()
        if value.strip().isdigit() and self._read_texts:  # "June 13" does not name file 13
            return set() if self._user.names_number(value.strip(), pieces(path)) else {"unknown"}
        if not all(self._known_address(one) or (opens and self._own_data.links(one)) for one in addresses(value)):
            return {"unknown"}
        rest = without_addresses(value)
        if any(identifies(token) and not self._vouched(token) for token in tokens(rest)):
            return {"unknown"}
        return set() if self._known_words(rest, free=free, directed=directed) else {"foreign"}

    def _vouched(self, token: str) -> bool:
        return token in self._user.tokens or self._own_data.vouches(token) or is_date(token)

    def _known_number(self, value: object) -> bool:
        """Tell whether a number is the user's, or the model's own: then it stands nowhere in what was read."""
        if str(value) in self._user.tokens or (isinstance(value, int | float) and value in self._user.numbers):
            return True
        return len(str(value)) <= LONGEST_NUMBER and not any(text.holds(str(value)) for text in self._read_texts)

    def _known_words(self, rest: str, *, free: bool, directed: bool) -> bool:
        said = words(rest)
        if not said or (not self._read_texts if free else len(rest.split()) == 1 and not has_han(rest)):
            return True
        own = said & self._user.words
        foreign = (said - own) & frozenset().union(*(text.words for text in self._read_texts))
        names = foreign & frozenset().union(*(text.names for text in self._read_texts))
        if names or any(is_number(term) or has_han(term) for term in foreign):
            return False
        if not all(map(self._user.holds, spelt_numbers(rest))):
            return False
        if len(foreign) > MOST_FOREIGN * len(said):
            return False
        return directed or (own == said if is_name(rest) else share_of(rest, own) > 0.5)

    def _directs(self, value: object) -> bool:
        """Tell whether a value says for whom a call is: whom the user named, by address or in their own data."""
        if not isinstance(value, str) or is_date(value):
            return False
        named = addresses(value)
        if named:
            return all(one in self._user.addresses for one in named)
        return self._user.names_thing(value) or self._own_data.vouches(value)

    def _needed(self, said: Collection[object], spec: ToolSpec | None, *, opens: bool) -> bool:
        """Tell whether the request has to do with the call: by its words, or by one that speaks for this tool.

        Words that tools say of themselves which only read are no such words: who asks about a meeting does not ask to
        cancel it. Those of its source count whether or not they are offered: what `find_tools` found takes their place.
        """
        if spec is None:
            return True
        for value in said:
            if isinstance(value, str) and (self._user.words & words(value) or self._is_known(value, opens=opens)):
                return True
        offered = self._state.get("offered_tools", [])
        readers = (
            one.about
            for one in self._context.services.tools.specs()
            if one.permission == "read" and (one.source == spec.source or one.name in offered)
        )
        return bool(self._user.words & _words_about(spec.about).difference(*map(_words_about, readers)))

    def _is_known(self, value: str, *, opens: bool) -> bool:
        named = addresses(value)
        return any(
            one in self._user.addresses or (opens and (one in self._given or self._own_data.links(one)))
            for one in named
        )  # fmt: skip

    @cached_property
    def _own_data(self) -> OwnData:
        messages = self._state["messages"]
        names = {str(one.name) for one in messages if isinstance(one, ToolMessage)}
        specs = {name: self._context.services.tools.spec(name) for name in names}
        reads = {name: spec is not None and not spec.fetches for name, spec in specs.items()}
        return OwnData(messages, self._user, reads)

    def _known_address(self, address: str) -> bool:
        if address in self._user.addresses or address in self._given:
            return True
        host, _, path = address.partition("/")
        hosts = {known.partition("/")[0] for known in self._user.addresses}
        return "@" not in host and host in hosts and words(path) <= self._user.words and bool(words(path))

    def _origin(self, path: str, value: object) -> Origin:
        """Tell whose words a value is. The user's are those alone that stand in a message of theirs just so."""
        shown = str(value).casefold().strip(EDGES)
        texts = [self._user, *self._read_texts]
        exact = next((text for text in texts if shown and text.holds(shown)), None)
        if exact is None and (named := addresses(shown)):
            if all(map(self._user.addresses.__contains__, named)):
                return Origin(argument=path, kind="user", source="", label=OF_USER)
            if all(address in self._given for address in addresses(str(value))):
                return Origin(argument=path, kind="web", source=str(value), label=OF_WEB)
        said = words(shown)
        if exact is None and isinstance(value, str) and said:
            best = max(texts, key=lambda text: len(said & text.words))
            exact = best if 2 * len(said & best.words) > len(said) else None
            if exact is self._user:  # put together of their words by the model, which may have turned what they say
                return Origin(argument=path, kind="model", source="", label=lowest([OF_USER]))
        if exact is None:
            return Origin(argument=path, kind="model", source="", label=OF_MODEL)
        return Origin(argument=path, kind=exact.kind, source=exact.source, label=exact.label)

    @cached_property
    def _user(self) -> Wording:
        return Wording("user", "", users_words(self._state, self._context), OF_USER)

    @cached_property
    def _read_texts(self) -> list[Wording]:
        return texts_read(self._state, self._context)

    @cached_property
    def _given(self) -> frozenset[str]:
        """Addresses of the pages that searches of this turn found, and of those that the answer before cited."""
        state = self._state
        found = [source.get("url") for source in state.get("sources", []) if source["origin"] == "web"]
        return frozenset(bare(url) for url in (*found, *(cited.get("url") for cited in state.get("cited", []))) if url)


_words_about = lru_cache(4096)(words)


def recipients_of(arguments: Mapping[str, Any]) -> list[str]:
    """Return the mail addresses and hosts that arguments name, each once: not those inside running text."""
    texts = [value for _, value in leaves(arguments) if isinstance(value, str)]
    named = [text for text in texts if len(words(without_addresses(text))) <= MOST_NAME_WORDS]
    found = [address for text in named for address in addresses(text)]
    return list(dict.fromkeys(address.partition("/")[0] for address in found))
