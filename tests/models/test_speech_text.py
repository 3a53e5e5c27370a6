"""What is read aloud, whole and while it is being written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.speech.spoken_math import spoken_math
from models.speech.spoken_text import MAX_SENTENCE_CHARS, SentenceSplitter, spoken_sentences

ANSWER = """# 季度报告 📈

您好！这是 **2024 年** 的结果[1]，增长了 12.5%（见 [链接](https://a.example/x)）。详情：https://www.example.com/a?b=c。

| 项目 | 金额 |
|------|-----:|
| 收入 | 1,200 |

```python
print("hello. world")
```

- [x] First item: use `snake_case` here. See Dr. Smith, e.g. at 3.14 m.
- Second *item* [2 "the exact. words"].
1. Numbered one
2. Numbered two

The formula $E = mc^2$ matters. It costs $5 and $6 today. 面积是 $\\pi r^2$。

---
> Quote → done & dusted 😀!
This is a sentence that wraps
over two lines. "Really?" he said.
"""
SPOKEN = [
    "季度报告",
    "您好！",
    "这是 2024 年的结果，增长了 12.5%（见链接）。",
    "详情：example.com 的链接。",
    "项目，金额。",
    "收入，1,200。",
    "代码请看屏幕。",
    "First item: use snake case here.",
    "See Dr. Smith, e.g. at 3.14 m.",
    "Second item.",
    "1: Numbered one",
    "2: Numbered two",
    "The formula E equals mc squared matters.",
    "It costs $5 and $6 today.",
    "面积是 pi r 的平方。",
    "Quote to done and dusted!",
    "This is a sentence that wraps over two lines.",
    '"Really?" he said.',
]
CASES = [
    ("**粗体**和*斜体*以及~~删除~~。", ["粗体和斜体以及删除。"]),
    ("See [1], [2, 3] and [^4].", ["See, and."]),
    ("结论如下【3】。", ["结论如下。"]),
    ("![a red bicycle](x.png) stands there.", ["a red bicycle stands there."]),
    ("<b>Bold</b> &amp; <br/>plain.", ["Bold and plain."]),
    ("a_b_c and __init__ stay readable.", ["a_b_c and init stay readable."]),
    ("Pages 3–5 and 2020~2024.", ["Pages 3 to 5 and 2020 to 2024."]),
    ("Version 3.11.2 is out. U.S. readers too.", ["Version 3.11.2 is out.", "U.S. readers too."]),
    ("他说：“走吧。”然后离开了。", ["他说：“走吧。", "然后离开了。"]),
    ("```\nx = 1\n```", ["Code is shown on the screen."]),
    ("~~~\nnever closed\nx", ["Code is shown on the screen."]),
    ("| a | b |\n|---|---|", ["a, b."]),
    ("***\n---\n===", []),
    ("😀🎉 ✅", []),
    ("", []),
    ("\n\n \n", []),
    ("No end", ["No end"]),
    ("$$\\frac{a}{b}$$", ["a over b"]),
]


def test_a_whole_answer() -> None:
    assert spoken_sentences(ANSWER) == SPOKEN


@pytest.mark.parametrize(("markdown", "expected"), CASES)
def test_cases(markdown: str, expected: list[str]) -> None:
    assert spoken_sentences(markdown) == expected


@given(st.lists(st.integers(1, 15), min_size=10, max_size=10))
def test_how_the_answer_arrives_does_not_matter(steps: list[int]) -> None:
    splitter, found, at = SentenceSplitter(), [], 0
    while at < len(ANSWER):
        step = steps[at % len(steps)]
        found += splitter.feed(ANSWER[at : at + step])
        at += step
    assert [*found, *splitter.flush()] == SPOKEN


def test_sentences_come_as_soon_as_they_are_complete() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("你好。今天") == ["你好。"]
    assert splitter.feed("天气很好！") == ["今天天气很好！"]
    assert splitter.feed("It costs 3.") == [] and splitter.feed("50 today. N") == ["It costs 3.50 today."]
    assert splitter.flush() == ["N"]
    assert splitter.feed("Again. ") == [] and splitter.flush() == ["Again."]


@given(st.text(alphabet="ab 。.,，!\n|`*_[]()$#>-1你好\\", max_size=200))
def test_any_text_is_split_without_markup_or_endless_sentences(text: str) -> None:
    for sentence in spoken_sentences(text):
        assert sentence == sentence.strip() and "\n" not in sentence
        assert not set("`|*#") & set(sentence)


def test_long_text_without_an_end_is_cut_at_a_comma() -> None:
    sentences = spoken_sentences("这是一个没有句号的长句子，" * 100)
    assert all(len(sentence) <= MAX_SENTENCE_CHARS for sentence in sentences) and len(sentences) > 3
    assert all(sentence.endswith("，") or sentence is sentences[-1] for sentence in sentences)
    assert max(map(len, spoken_sentences("x" * 5000))) <= MAX_SENTENCE_CHARS


@pytest.mark.parametrize(
    ("formula", "english", "chinese"),
    [
        (r"a^2 + b^2 = c^2", "a squared plus b squared equals c squared", "a 的平方 加 b 的平方 等于 c 的平方"),
        (r"\frac{1}{2}", "1 over 2", "2分之1"),
        (r"\sqrt{x} \leq 3", "the square root of x is at most 3", "根号x 小于等于 3"),
        (r"x_1 \times 10^{-3}", "x 1 times 10 to the power of minus 3", "x 1 乘以 10 的 减 3次方"),
        (r"\text{speed} \approx 5", "speed is about 5", "speed 约等于 5"),
        (r"\alpha \neq \infty", "alpha is not equal to infinity", "alpha 不等于 无穷"),
    ],
)
def test_formulas(formula: str, english: str, chinese: str) -> None:
    assert spoken_math(formula, "en") == english
    assert spoken_math(formula, "zh") == chinese
