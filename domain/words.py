"""The two languages, and a text in both."""

from __future__ import annotations

from typing import Literal, NamedTuple

Language = Literal["en", "zh"]


class Words(NamedTuple):
    """A text in both languages, by itself or as a detail of an error: `ModelUnavailable(reason=Words(…, …))`."""

    en: str
    zh: str

    def text(self, language: Language) -> str:
        """Return the text in `language`."""
        return self.zh if language == "zh" else self.en

    def filled(self, **details: object) -> Words:
        """Return the text with its placeholders filled; what is `Words` itself is filled in by language."""
        en, zh = (
            {key: it.text(language) if isinstance(it, Words) else it for key, it in details.items()}
            for language in ("en", "zh")
        )
        return Words(self.en.format(**en), self.zh.format(**zh))
