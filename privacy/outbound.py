"""What every text passes before it leaves for a hosted service: PII=mask replaces personal data, block refuses it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, TypeVar
from urllib.parse import unquote

from domain.errors import PersonalDataRefused
from domain.sealing import Keyring
from privacy.masking import Finder, Masker, installation_secret
from privacy.structured import structured
from privacy.texts import named
from settings import Settings

Masked = TypeVar("Masked")
PrivacyMode = Literal["off", "mask", "block"]
STRICTNESS: Final[tuple[PrivacyMode, ...]] = ("off", "mask", "block")
wanted_privacy: ContextVar[PrivacyMode] = ContextVar("wanted_privacy", default="off")
"""What the user and the turn at hand ask for; the setting is the least."""


def ask_for_privacy(mode: PrivacyMode) -> None:
    """Hold at least this mode from here on, in this task and those that it begins."""
    wanted_privacy.set(max(wanted_privacy.get(), mode, key=STRICTNESS.index))


_STRUCTURE: Final = frozenset({"model", "role", "type", "id", "tool_call_id", "name", "object", "detail", "voice"})
"""Keys of requests whose values are not text."""


class Privacy:
    """Masks or refuses what leaves; nothing is loaded while it is off."""

    def __init__(self, settings: Settings, least: PrivacyMode = "off") -> None:
        self._least: PrivacyMode = max(settings.pii, least, key=STRICTNESS.index)
        self._settings = settings

    @property
    def mode(self) -> PrivacyMode:
        """What holds for the work at hand: the strictest of the setting and what user and turn ask for."""
        return max(self._least, wanted_privacy.get(), key=STRICTNESS.index)

    async def request(self, body: dict[str, Any]) -> tuple[dict[str, Any], Masker | None]:
        """Return the body of a request as it may leave, and what restores the answer.

        Raises:
            PersonalDataRefused: There is personal data in it, and the mode is `block`.
        """
        if self.mode == "off":
            return body, None
        masked, masker = await self._apart(lambda masker: _masked(body, masker))
        self._refuse(masker)
        return masked, masker

    async def texts(self, texts: list[str], *, refuse: bool = False) -> list[str]:
        """Return texts as they may leave, of which nothing comes back.

        Args:
            texts: The texts.
            refuse: Whether `block` refuses them; else it masks, which leaves nothing personal in them either.

        Raises:
            PersonalDataRefused: There is personal data in one of them, and it is to be refused.
        """
        if self.mode == "off":
            return texts
        masked, masker = await self._apart(lambda masker: [masker.mask(text) for text in texts])
        if refuse:
            self._refuse(masker)
        return masked

    async def text(self, text: str, *, refuse: bool = True) -> str:
        """Return one text as it may leave, as `texts` does."""
        return (await self.texts([text], refuse=refuse))[0]

    async def value(self, value: Any) -> Any:
        """Return a JSON value as it may leave, of which nothing comes back."""
        if self.mode == "off":
            return value
        return (await self._apart(lambda masker: masker.mask_all(value, _stays)))[0]

    async def arguments(self, arguments: dict[str, Any]) -> tuple[dict[str, Any], Masker | None]:
        """Return the arguments of a call elsewhere as they may leave, and what restores its result.

        Raises:
            PersonalDataRefused: There is personal data in them, and the mode is `block`.
        """
        if self.mode == "off":
            return arguments, None
        masked, masker = await self._apart(lambda masker: masker.mask_all(arguments))
        self._refuse(masker)
        return masked, masker

    def check_url(self, url: str) -> None:
        """Accept an address that is to be opened.

        Raises:
            PersonalDataRefused: It carries personal data that has a form; names of people stand in many addresses.
        """
        if self.mode != "off" and (found := {span.kind for span in structured(unquote(url))}):
            raise PersonalDataRefused(kinds=named(found))

    async def holds_any(self, texts: list[str]) -> list[bool]:
        """Tell of each text whether it holds personal data; of none while this is off."""
        if self.mode == "off":
            return [False] * len(texts)
        return await asyncio.to_thread(lambda: [bool(_finder().find(text)) for text in texts])

    async def _apart(self, mask: Callable[[Masker], Masked]) -> tuple[Masked, Masker]:
        """Mask in a thread: the first text loads the models, a long one takes a while."""

        def run() -> tuple[Masked, Masker]:
            masker = Masker(_finder(), _secret(self._settings.data_dir, self._settings.keyring))
            return mask(masker), masker

        return await asyncio.to_thread(run)

    def _refuse(self, masker: Masker) -> None:
        if self.mode == "block" and masker.values:
            raise PersonalDataRefused(kinds=named(masker.kinds))


@cache
def _finder() -> Finder:
    return Finder()


@cache
def _secret(data_dir: Path, keyring: Keyring) -> bytes:
    return installation_secret(data_dir, keyring)


def _masked(body: Mapping[str, Any], masker: Masker) -> dict[str, Any]:
    masked = {}
    for key, value in body.items():
        masked[key] = value if key in ("tools", "response_format") else masker.mask_all(value, _stays, key)
    for message in masked.get("messages", ()):
        for call in message.get("tool_calls") or ():
            call["function"]["arguments"] = _arguments(call["function"]["arguments"], masker)
    return masked


def _stays(key: str, text: str) -> bool:
    return key in _STRUCTURE or key == "arguments" or text.startswith("data:")


def _arguments(written: str, masker: Masker) -> str:
    """Mask arguments as values: in JSON a letter may be written as an escape."""
    try:
        return json.dumps(masker.mask_all(json.loads(written)), ensure_ascii=False)
    except ValueError:
        return masker.mask(written)
