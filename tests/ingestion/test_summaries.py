"""Every page is in a map call, calls are bounded, short texts take one."""

from __future__ import annotations

from domain.summary import summarize_text
from domain.tokens import count_tokens
from ingestion.summaries import MAX_CALLS, WINDOW_TOKENS, cut_windows, summarize
from tests.library import FirstWords


async def test_short_document_takes_one_call_in_its_language() -> None:
    summarizer = FirstWords()
    assert await summarize(cut_windows(["第一页。", "第二页。"]), "zh", summarizer) == "第一页。\n\n第二页。"
    assert [(language, text) for text, language, _ in summarizer.calls] == [("zh", "第一页。\n\n第二页。")]


async def test_long_document_is_mapped_over_all_pages_and_reduced() -> None:
    pages = [f"Page {number} says marker{number}. " + "Filler words go here. " * 150 for number in range(60)]
    summarizer = FirstWords()
    await summarize(cut_windows(pages), "en", summarizer)
    *maps, (reduced, _, _) = summarizer.calls
    assert 2 <= len(maps) <= MAX_CALLS
    joined = "".join(text for text, _, _ in maps)
    assert all(f"marker{number}." in joined for number in range(60))
    assert all(count_tokens(text) <= WINDOW_TOKENS * 1.05 for text, _, _ in maps)
    assert reduced == "\n\n".join(text[:60] for text, _, _ in maps)


def test_calls_are_bounded_for_a_book_and_each_window_fits() -> None:
    pages = [
        f"Chapter {n} begins. " + " ".join(f"Sentence {n}-{m} tells of things." for m in range(150)) for n in range(200)
    ]
    windows = cut_windows(pages)
    assert len(windows) <= MAX_CALLS
    assert all(count_tokens(window) <= WINDOW_TOKENS * 1.1 for window in windows)


def test_one_huge_page_is_cut_too() -> None:
    assert len(cut_windows(["一句话在这里。" * 6000])) > 1


def test_a_window_that_is_too_long_keeps_its_central_sentences_in_order() -> None:
    text = "水稻产量增长。天气晴。水稻产量下降。随便说说而已。水稻产量持平。"
    assert summarize_text(text, 1000, most=None) == text
    assert summarize_text(text, count_tokens(text) * 2 // 3, most=None).splitlines()[0] == "水稻产量增长。"
