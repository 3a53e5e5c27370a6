"""Short and long texts of every usual encoding come out right, damaged ones in their own script."""

from __future__ import annotations

import codecs
import random
import re
import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import FileEmpty
from readers.text.encodings import decode, decode_page, is_utf16
from tests.readers.conftest import Read
from tests.readers.sentences import SENTENCES

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
    "cp1252": ["It’s a “smart” quote — 50 €", "£20", "¥500", "10 × 20 ± 1", "Tea £3, cake £4.50", "©2024", "25 °C"],
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


WRITTEN_IN = {
    "gb18030": ["zh"], "gbk": ["zh"], "big5": ["zh-tw"], "shift_jis": ["ja"], "euc_jp": ["ja"], "euc_kr": ["ko"],
    "cp1251": ["ru"], "koi8_r": ["ru"], "cp866": ["ru"],
} | dict.fromkeys(("utf-8", "utf-16-le", "utf-16-be"), list(SENTENCES))  # fmt: skip


def texts(encoding: str, number: int) -> list[str]:
    """Make so many texts of one to six sentences in a language of `encoding`."""
    chance = random.Random(encoding)
    made = []
    for _ in range(number):
        whole = re.split(r"(?<=[。.?]) ", SENTENCES[chance.choice(WRITTEN_IN[encoding])])
        made.append(chance.choice([" ", "\n"]).join(chance.sample(whole, chance.randint(1, 6))))
    return made


def damaged(data: bytes, damage: str, chance: random.Random) -> bytes:
    broken = bytearray(data)
    if damage == "cut":
        return data[: -chance.randint(1, 3)]
    for _ in range({"clean": 0, "one byte": 1, "1 %": max(1, len(data) // 100)}[damage]):
        broken[chance.randrange(len(broken))] = chance.randrange(256)
    return bytes(broken)


def script(text: str) -> str:
    """Return the script of most letters: Japanese where kana are among them."""
    names = Counter(unicodedata.name(char, "?").split()[0] for char in text if char.isalpha())
    kana = names["HIRAGANA"] + names["KATAKANA"]
    return "KANA" if kana * 8 > names.total() else names.most_common(1)[0][0]


def kept(encoding: str, damage: str, number: int) -> float:
    chance = random.Random(damage)
    same = sum(
        script(decode(damaged(text.encode(encoding, "ignore"), damage, chance))[0]) == script(text)
        for text in texts(encoding, number)
    )
    return same / number


DAMAGES = ("clean", "cut", "one byte", "1 %")


@pytest.mark.parametrize("encoding", WRITTEN_IN)
def test_damage_does_not_change_the_script(encoding: str) -> None:
    assert all(kept(encoding, damage, 8) == 1 for damage in DAMAGES)


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("encoding", WRITTEN_IN)
def test_damage_does_not_change_the_script_of_five_hundred_texts(encoding: str, damage: str) -> None:
    assert kept(encoding, damage, 500) >= 0.99


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "big5"])
@pytest.mark.parametrize("add", [b"\xff", b"\xe5", b"\x80"])
def test_a_stray_byte_damages_what_stands_beside_it_alone(encoding: str, add: bytes) -> None:
    text = "周二由小何值班，周三由小周值班，周四休息"
    data = text.encode(encoding)
    decoded, _, _ = decode(data[:15] + add + data[15:])
    assert decoded.startswith("周二由小")
    assert decoded.endswith("周三由小周值班，周四休息")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_lost_byte_of_utf_16_damages_one_character(encoding: str) -> None:
    text = "今天天气不错，我们一起去公园玩，一共三个人：Tom、Amy和我。"
    data = text.encode(encoding)
    assert is_utf16(data)
    decoded, _, _ = decode(data[:9] + data[10:])
    assert decoded.startswith("今天天气")
    assert decoded.endswith("，我们一起去公园玩，一共三个人：Tom、Amy和我。")


def test_lines_in_another_encoding_are_read_in_theirs() -> None:
    lines = ["周二由苏敏值班", "周三由何川值班", "周四由韩冬值班", "周五休息", "Meeting at 9"]
    for main, other in (("utf-8", "gb18030"), ("gb18030", "utf-8")):
        data = b"\n".join(line.encode(other if line == lines[2] else main) for line in lines)
        assert decode(data)[0] == "\n".join(lines)


def test_a_declared_encoding_is_taken_with_replacement() -> None:
    text = "周二"
    assert decode(text.encode() + b"\xff", "UTF-8")[0] == text + "\ufffd"
    assert decode("朱镕基".encode("gbk"), "gb2312")[0] == "朱镕基"
    assert decode("Zażółć gęślą jaźń".encode("iso8859-2"), "iso-8859-2")[0] == "Zażółć gęślą jaźń"
    assert decode((text * 40).encode(), "iso-8859-1")[0] == text * 40
    assert decode_page(b"<meta charset=gbk><p>" + text.encode("gbk") + b"\xff</p>").count(text) == 1


async def test_damage_is_said(read: Read) -> None:
    outline, pages, _ = await read("名称,价格\n台灯,64.50\n".encode() + b"\xe5\n", "a.csv")
    assert "| 台灯 | 64.50 |" in pages[0].markdown
    assert outline.warnings == ("characters_lost:1",)
    mail = (
        b"MIME-Version: 1.0\nSubject: x\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    )
    _, pages, _ = await read(mail + "周二由苏敏值班".encode() + b"\xff\n", "a.eml")
    assert "周二由苏敏值班" in pages[0].markdown


@pytest.mark.parametrize("data", [b" \r\n\t ", b"\xef\xbb\xbf", "\u3000\n".encode(), b"\xff\xfe\n\0"])
async def test_nothing_but_space_is_empty(read: Read, data: bytes) -> None:
    with pytest.raises(FileEmpty):
        await read(data, "a.txt")
