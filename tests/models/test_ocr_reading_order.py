"""Lines come in the order in which a person reads them."""

from __future__ import annotations

import random

from domain.types import OcrLine
from models.ocr.reading_order import reading_order


def line(text: str, left: float, top: float, width: float, height: float = 20) -> OcrLine:
    right, bottom = left + width, top + height
    return OcrLine(text=text, confidence=0.9, box=[[left, top], [right, top], [right, bottom], [left, bottom]])


def ordered(lines: list[OcrLine]) -> list[list[str]]:
    random.Random(3).shuffle(lines)
    return [[found["text"] for found in row] for row in reading_order(lines)]


def test_nothing_gives_nothing() -> None:
    assert reading_order([]) == []


def test_rows_are_grouped_although_the_picture_is_not_quite_level() -> None:
    found = ordered([line("Milk", 20, 100, 80), line("3.10", 400, 106, 50), line("Bread", 20, 130, 90)])
    assert found == [["Milk", "3.10"], ["Bread"]]


def test_columns_of_text_are_read_one_after_the_other_below_their_heading() -> None:
    left = [f"left column, sentence {i}" for i in range(6)]
    right = [f"right column, sentence {i}" for i in range(6)]
    lines = [line("A heading over both columns", 100, 0, 600, 30)]
    lines += [line(text, 20, 50 + 30 * i, 350) for i, text in enumerate(left)]
    lines += [line(text, 430, 52 + 30 * i, 350) for i, text in enumerate(right)]
    assert ordered(lines) == [["A heading over both columns"], *[[text] for text in left + right]]


def test_chinese_columns_too() -> None:
    left, right = [f"左栏第{i}行的一段文字内容" for i in "一二三四"], [f"右栏第{i}行的一段文字内容" for i in "一二三四"]
    lines = [line(text, 10, 30 * i, 300) for i, text in enumerate(left)]
    lines += [line(text, 350, 30 * i, 300) for i, text in enumerate(right)]
    assert ordered(lines) == [[text] for text in left + right]


def test_a_receipt_stays_in_rows() -> None:
    goods = [
        "Whole milk 2 litres, organic",
        "Sourdough bread, large loaf",
        "Eggs, free range, a dozen",
        "Coffee beans, 1 kg bag",
    ]
    lines = [line(text, 20, 40 * i, 300) for i, text in enumerate(goods)]
    lines += [line(f"{i}.10", 420, 40 * i, 40) for i in range(4)]
    assert ordered(lines) == [[text, f"{i}.10"] for i, text in enumerate(goods)]


def test_a_side_bar_is_kept_apart_from_the_text_beside_it() -> None:
    text = [f"a long line of running text number {i}" for i in range(8)]
    bar = ["Files", "Search", "Settings", "Help"]
    lines = [line(words, 300, 26 * i, 500) for i, words in enumerate(text)]
    lines += [line(word, 10, 13 + 52 * i, 60) for i, word in enumerate(bar)]
    assert ordered(lines) == [[word] for word in bar + text]


def test_a_table_stays_in_rows() -> None:
    cells = [
        ["Name", "Age", "City"],
        ["Alice Brown", "34", "London"],
        ["Bob Stone", "27", "Leeds"],
        ["Carol", "45", "York"],
    ]
    lines = [
        line(text, 20 + 250 * c, 50 * r, 12 * len(text)) for r, row in enumerate(cells) for c, text in enumerate(row)
    ]
    assert ordered(lines) == cells


def test_vertical_chinese_is_read_from_right_to_left() -> None:
    columns = ["春眠不觉晓", "处处闻啼鸟", "夜来风雨声", "花落知多少"]
    lines = [line(text, 400 - 90 * i, 30, 50, 300) for i, text in enumerate(columns)]
    assert ordered(lines) == [[text] for text in columns]
