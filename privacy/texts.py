"""How kinds of personal data are called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from domain.words import Words
from privacy.structured import Kind

KINDS: Final[dict[Kind, Words]] = {
    "KEY": Words("a key or password", "密钥或密码"),
    "EMAIL": Words("an e-mail address", "电子邮箱"),
    "ID": Words("an identity number", "身份证号"),
    "CARD": Words("a bank card number", "银行卡号"),
    "PHONE": Words("a telephone number", "电话号码"),
    "PASSPORT": Words("a passport number", "护照号"),
    "ADDRESS": Words("an address", "地址"),
    "NAME": Words("a person's name", "姓名"),
}


def named(kinds: Iterable[Kind]) -> Words:
    """Return the names of kinds as one list, in the order of the table."""
    found = [words for kind, words in KINDS.items() if kind in set(kinds)]
    return Words(", ".join(words.en for words in found), "、".join(words.zh for words in found))
