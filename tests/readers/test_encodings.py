"""Short and long texts of every usual encoding come out right."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import FileEmpty
from readers.text.encodings import decode
from tests.readers.conftest import Read

TEXTS = {
    "gb18030": ["张三去北京", "你好，世界！", "会议纪要", "合同编号：A-17\n甲方：上海某某公司\n", "𠮷野家与㐀"],
    "gbk": ["人工智能是计算机科学的一个分支，研究如何让机器模拟人类智能。"],
    "big5": ["人人生而自由，在尊嚴和權利上一律平等", "你好，世界", "臺灣大學成立於1928年，位於臺北市。", "會議記錄"],
    "shift_jis": ["これは日本語のテキストです。", "東京都渋谷区"],
    "euc_jp": ["これは日本語のテキストです。"],
    "iso2022_jp": ["これは日本語のテキストです。"],
    "cp1251": ["Привет, мир! Это проверка кодировки.", "Москва", "Договор № 5 — аренда"],
    "cp866": ["Привет, мир! Это проверка кодировки.", "Москва"],
    "koi8_r": ["Привет, мир! Это проверка кодировки."],
    "latin-1": [
        "Le café est très bon à Orléans",
        "Größe der Straße in München",
        "El niño comió piñas mañana",
        "naïve café",
    ],
    "cp1252": ["It’s a “smart” quote — 50 €"],
    "utf-16-le": ["固始站是宁西铁路上的一座车站", "Hello world", "Привет мир"],
    "utf-16-be": ["固始站是宁西铁路上的一座车站，位于河南省", "Hello world"],
    "utf-16": ["固始站 and more"],
    "utf-8-sig": ["固始站 and more"],
    "utf-8": ["固始站 and more", "plain ascii", "emoji 🦆"],
}


@pytest.mark.parametrize(
    ("encoding", "text"), [(encoding, text) for encoding, texts in TEXTS.items() for text in texts]
)
def test_round_trip(encoding: str, text: str) -> None:
    decoded, _, _ = decode(text.encode(encoding))
    assert decoded == text


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_utf8_is_always_utf8(text: str) -> None:
    decoded, encoding, certain = decode(text.encode())
    assert decoded == text or text.startswith("\ufeff") or text.encode().startswith(codecs.BOM_UTF16_LE)
    assert (encoding, certain) == ("utf-8", True)


@given(st.binary(max_size=400))
def test_any_bytes_give_text(data: bytes) -> None:
    text, encoding, _ = decode(data)
    assert isinstance(text, str)
    assert encoding


def test_one_broken_byte_does_not_change_the_encoding() -> None:
    text, encoding, _ = decode(("固始站是宁西铁路上的一座车站" * 40).encode() + b"\xff" + b" end")
    assert encoding == "utf-8"
    assert "\ufffd" in text


@pytest.mark.parametrize("data", [b" \r\n\t ", b"\xef\xbb\xbf", "\u3000\n".encode(), b"\xff\xfe\n\0"])
async def test_nothing_but_space_is_empty(read: Read, data: bytes) -> None:
    with pytest.raises(FileEmpty):
        await read(data, "a.txt")
