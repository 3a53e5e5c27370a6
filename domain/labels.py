"""Labels of texts: who they come from, and whom they are meant for. What is derived has the lowest of its sources."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, get_args

from typing_extensions import TypedDict

Integrity = Literal["user", "model", "untrusted"]
"""Who could have written it: the user, the model from what the user said, or anybody. From the highest down."""
Confidentiality = Literal["public", "user", "document"]
"""Who may know it: anybody, the user, or whoever has the document or the account. From the highest down."""


class Label(TypedDict):
    """The label of one text."""

    integrity: Integrity
    confidentiality: Confidentiality


OF_USER: Final = Label(integrity="user", confidentiality="user")
OF_WEB: Final = Label(integrity="untrusted", confidentiality="public")
OF_DOCUMENT: Final = Label(integrity="untrusted", confidentiality="document")
OF_MEMORY: Final = Label(integrity="model", confidentiality="user")
OF_MODEL: Final = Label(integrity="model", confidentiality="public")


def lowest(labels: Iterable[Label]) -> Label:
    """Return the label of something derived from texts with these labels; without any, that of the model's own words.

    >>> lowest([OF_USER, OF_WEB])
    {'integrity': 'untrusted', 'confidentiality': 'user'}
    """
    rows = [OF_MODEL, *labels]
    integrities, confidentialities = get_args(Integrity), get_args(Confidentiality)
    return Label(
        integrity=max((row["integrity"] for row in rows), key=integrities.index),
        confidentiality=max((row["confidentiality"] for row in rows), key=confidentialities.index),
    )
