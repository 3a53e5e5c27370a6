"""Replaces personal data by placeholders and puts it back.

A placeholder is made of the kind and a keyed hash of the value (HMAC-SHA-256, the key lies in DATA_DIR): equal values
have equal placeholders in every request, other installations have others, and nothing has to be stored. What comes
back is restored by the placeholders of the request itself.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from domain.sealing import Keyring
from privacy.names import ChineseNames, latin_names
from privacy.structured import Kind, Span, structured

ORDER: Final[tuple[Kind, ...]] = ("KEY", "EMAIL", "ID", "CARD", "PHONE", "PASSPORT", "ADDRESS", "NAME")
"""Which kind holds where spans overlap, first come first."""
CODE: Final = 6
"""Base32 characters of a placeholder's hash; two values of one request that share them get longer ones."""
KEPT_LINES: Final = 8192
LEAST_CHARS: Final = 2


class Finder:
    """Finds personal data; lines that were seen are not searched again."""

    def __init__(self) -> None:
        self._chinese = ChineseNames()
        self._seen: OrderedDict[bytes, tuple[Span, ...]] = OrderedDict()

    def find(self, text: str) -> list[Span]:
        """Return what a text holds, in order and without overlaps."""
        found: list[Span] = []
        at = 0
        if "PRIVATE KEY-----" in text:
            return self._kept(self._search(text))
        for line in text.splitlines(keepends=True):
            found += (Span(at + start, at + end, kind) for start, end, kind in self._in_line(line))
            at += len(line)
        return found

    def _in_line(self, line: str) -> tuple[Span, ...]:
        if len(line) <= LEAST_CHARS:
            return ()
        key = hashlib.blake2b(line.encode("utf-8", "surrogatepass"), digest_size=12).digest()
        if (known := self._seen.get(key)) is None:
            known = self._seen[key] = tuple(self._kept(self._search(line)))
            while len(self._seen) > KEPT_LINES:
                self._seen.popitem(last=False)
        else:
            with suppress(KeyError):
                self._seen.move_to_end(key)
        return known

    def _search(self, text: str) -> list[Span]:
        return [*structured(text), *latin_names(text), *self._chinese.find(text)]

    @staticmethod
    def _kept(spans: Sequence[Span]) -> list[Span]:
        kept: list[Span] = []
        for span in sorted(spans, key=lambda span: (ORDER.index(span.kind), span.start - span.end)):
            if all(span.end <= one.start or span.start >= one.end for one in kept):
                kept.append(span)
        return sorted(kept)


class Masker:
    """Masks texts for one request and remembers how to restore them."""

    def __init__(self, finder: Finder, secret: bytes) -> None:
        self._finder, self._secret = finder, secret
        self._of_value: dict[tuple[Kind, str], str] = {}
        self.values: dict[str, str] = {}
        """The value of each placeholder that was given out."""

    @property
    def kinds(self) -> set[Kind]:
        """The kinds of personal data that were found."""
        return {kind for kind, _ in self._of_value}

    def mask(self, text: str) -> str:
        """Return a text with a placeholder in place of each piece of personal data."""
        parts: list[str] = []
        at = 0
        for start, end, kind in self._finder.find(text):
            parts += (text[at:start], self._placeholder(kind, text[start:end]))
            at = end
        return "".join([*parts, text[at:]])

    def mask_all(self, value: Any, keep: Callable[[str, str], bool] = lambda key, text: False, key: str = "") -> Any:
        """Return a JSON value with every text in it masked.

        Args:
            value: The value.
            keep: Tells of the key that a text stands under, and the text, whether it stays.
            key: The key that `value` stands under.
        """
        if isinstance(value, str):
            return value if keep(key, value) else self.mask(value)
        if isinstance(value, Mapping):
            return {name: self.mask_all(inner, keep, str(name)) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.mask_all(inner, keep, key) for inner in value]
        return value

    def restore(self, text: str, *, in_json: bool = False) -> str:
        """Return a text with the values in place of the placeholders; `in_json`: inside strings of JSON."""
        for placeholder in sorted((one for one in self.values if one in text), key=len, reverse=True):
            value = self.values[placeholder]
            text = text.replace(placeholder, json.dumps(value, ensure_ascii=False)[1:-1] if in_json else value)
        return text

    def _placeholder(self, kind: Kind, value: str) -> str:
        known = self._of_value.get((kind, value))
        if known is None:
            digest = hmac.new(self._secret, f"{kind}:{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
            code = base64.b32encode(digest).decode()
            size = next(size for size in range(CODE, len(code)) if f"{kind}_{code[:size]}" not in self.values)
            known = self._of_value[kind, value] = f"{kind}_{code[:size]}"
            self.values[known] = value
        return known


class StreamRestorer:
    """Restores a text that comes in pieces, whatever a piece cuts in two."""

    def __init__(self, masker: Masker, *, in_json: bool = False) -> None:
        self._masker, self._in_json = masker, in_json
        self._held = ""

    def feed(self, piece: str) -> str:
        """Take a piece; return what can be shown: all but an end that may be the beginning of a placeholder."""
        text = self._held + piece
        whole = max((text.rfind(one) + len(one) for one in self._masker.values if one in text), default=0)
        keep = self._unfinished(text[whole:])
        self._held = text[len(text) - keep :]
        return self._masker.restore(text[: len(text) - keep], in_json=self._in_json)

    def end(self) -> str:
        """Return what was held back."""
        held, self._held = self._held, ""
        return self._masker.restore(held, in_json=self._in_json)

    def _unfinished(self, text: str) -> int:
        longest = max((len(one) for one in self._masker.values), default=1) - 1
        return next(
            (
                size
                for size in range(min(longest, len(text)), 0, -1)
                if any(one.startswith(text[-size:]) for one in self._masker.values)
            ),
            0,
        )


def installation_secret(data_dir: Path, keyring: Keyring) -> bytes:
    """Return the key of this installation's placeholders, made on first use; only its owner can read the file.

    It is encrypted where there is a key for that.

    Raises:
        OSError: DATA_DIR cannot be written.
        WrongKey: It is under another key.
    """
    path = data_dir / "privacy.key"
    with suppress(FileExistsError):
        data_dir.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(keyring.seal(os.urandom(32)))
        try:
            os.link(part, path)  # of several processes, one makes it
        finally:
            part.unlink()
    return keyring.unseal(path.read_bytes())
