"""No text is lost, spans are exact, no chunk is over the limit; headings and sentence ends are kept."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.tokens import count_tokens
from ingestion.chunks import Chunker
from readers.sections import split_long

PIECES = st.sampled_from(
    [
        "# 标题 Title\n", "## Sub\n", "今天天气很好。", "我们去公园！", "The cat sat. ", "A long line without any end ",
        "\n\n", "\n", " ", "```\n# not a heading\n```\n", "word", "，", "| a | b |\n", "👩\u200d👧", "é", "x" * 300,
        "字" * 300,
    ]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=600), st.lists(PIECES, max_size=60).map("".join))


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.integers(32, 200))
def test_chunks_hold_all_text_exactly_and_within_the_limit(text: str, limit: int) -> None:
    chunks = Chunker(limit).page(7, text)
    place, rebuilt = 0, ""
    for chunk in chunks:
        assert chunk.page == 7
        assert text[chunk.start : chunk.end] == chunk.text
        assert chunk.text == chunk.text.strip() != ""
        assert chunk.start >= place
        assert text[place : chunk.start].strip() == ""
        assert chunk.tokens == count_tokens(chunk.text) <= limit
        place, rebuilt = chunk.end, rebuilt + chunk.text
    assert text[place:].strip() == ""
    assert "".join(rebuilt.split()) == "".join(text.split())


def test_heading_path_goes_on_over_pages_until_another_heading() -> None:
    chunker = Chunker(100)
    first = chunker.page(1, "# Law\n\nGeneral words.\n\n## Terms\n\nA term.")
    second = chunker.page(2, "Still a term.\n\n# Annex\n\nMore.")
    assert [chunk.heading for chunk in first] == ["Law", "Law › Terms"]
    assert [(chunk.heading, chunk.text) for chunk in second] == [
        ("Law › Terms", "Still a term."),
        ("Annex", "# Annex\n\nMore."),
    ]


def test_a_heading_alone_is_no_chunk() -> None:
    chunks = Chunker(100).page(1, "# 手册\n\n## 安装\n\n先下载。")
    assert [(chunk.heading, chunk.text) for chunk in chunks] == [("手册 › 安装", "# 手册\n\n## 安装\n\n先下载。")]


def test_a_hash_in_code_is_no_heading() -> None:
    [chunk] = Chunker(100).page(1, "Run:\n\n```sh\n# comment\nmake\n```\n")
    assert chunk.heading == ""


@pytest.mark.parametrize(
    ("sentence", "end"),
    [("这是一个关于公园和天气的句子，内容不长。", "。"), ("This is a sentence about parks and weather.", ".")],
)
def test_chunks_end_with_sentences(sentence: str, end: str) -> None:
    chunks = Chunker(50).page(1, " ".join([sentence] * 30) if end == "." else sentence * 30)
    assert len(chunks) > 5
    assert all(chunk.text.endswith(end) for chunk in chunks)


def test_the_time_for_one_unbroken_line_grows_with_its_length() -> None:
    def cut(length: int) -> float:
        started = time.process_time()
        chunks = Chunker(160).page(1, "ab1" * length)
        assert sum(len(chunk.text) for chunk in chunks) == 3 * length
        return time.process_time() - started

    cut(1_000)
    assert cut(160_000) < 24 * cut(20_000), "eight times as long"


@pytest.mark.parametrize("unit", ["48213957", "1,240,500.25", "2026-11-28", "3.5%", "48 213 957"])
def test_numbers_are_never_cut(unit: str) -> None:
    text = ("价格是" + unit + "元、") * 6000
    chunks = Chunker(40).page(1, text)
    assert sum(chunk.text.count(unit) for chunk in chunks) == 6000
    parts = split_long(text.replace("、", ""))
    assert len(parts) > 1
    assert sum(part.count(unit) for part in parts) == 6000


def test_the_rest_of_a_long_comment_is_named_as_one() -> None:
    comment = "Comment (Eve): " + " ".join(f"Do thing number {number} at once." for number in range(80))
    chunks = Chunker(60).page(1, f"# Terms\n\nBefore.\n\n{comment}\n\nAfter all that the text goes on.")
    rest = [chunk for chunk in chunks if chunk.text.startswith("Do thing")]
    assert len(rest) > 5 and {chunk.heading for chunk in rest} == {"Terms › Comment"}
    assert chunks[0].heading == chunks[-1].heading == "Terms"
