from __future__ import annotations

import pytest

from models.chat.extractive import replies
from models.chat.extractive.about import about_itself, says_nothing
from models.chat.extractive.questions import asks_page_count, page_meant
from models.chat.extractive.said import asks_everything
from models.chat.extractive.talk import foolish
from tests.models.reader_fixtures import TOOLS, ask, document, source


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("How are you?", replies.HOW_ARE_YOU),
        ("你最近怎么样", replies.HOW_ARE_YOU),
        ("How do I upload a file?", replies.UPLOADING),
        ("怎么上传文件？", replies.UPLOADING),
        ("What languages do you speak?", replies.LANGUAGES),
        ("你会说英语吗", replies.LANGUAGES),
        ("Translate the first paragraph to Chinese", replies.NO_WRITING),
        ("Please write me a poem about spring", replies.NO_WRITING),
        ("写一首关于春天的诗", replies.NO_WRITING),
        ("How do I send a parcel?", None),
        ("Write a short summary of this report", None),
        ("写作背景是什么？", None),
        ("Who translated the book?", None),
        ("翻译者是谁？", None),
        ("How are the costs shared?", None),
    ],
)
def test_what_the_reader_says_of_itself(question: str, text: object) -> None:
    assert about_itself(question) is text


def test_a_message_without_a_word_says_nothing() -> None:
    assert says_nothing("?") and says_nothing("……") and not says_nothing("4") and not says_nothing("嗯")


def test_the_small_model_may_not_repeat_itself_or_play_a_person() -> None:
    assert foolish("I'm just a regular guy, I'm just a regular guy.") and foolish("I am a teacher at my school.")
    assert not foolish("I am doing well, thank you for asking!")


@pytest.mark.parametrize(
    ("question", "page"),
    [
        ("What is on page 2?", 2),
        ("Summarise page 12 of the document", 12),
        ("第三页讲了什么？", 3),
        ("Who is named on page 2?", 0),
        ("第三页的违约金是多少？", 0),
    ],
)
def test_a_page_as_a_whole(question: str, page: int) -> None:
    assert page_meant(question) == page


def test_a_number_of_pages() -> None:
    assert asks_page_count("How many pages are there?") and asks_page_count("这份文档有多少页？")
    assert not asks_page_count("How many pages did the author write in 1870?")


def test_all_that_was_told() -> None:
    assert asks_everything("What do you know about me?") and asks_everything("你知道我的哪些信息？")
    assert not asks_everything("What do you know about Rome?")


async def test_pages_are_counted_and_told_with_their_citation() -> None:
    assert "lease.pdf" in (counted := (await ask("How many pages are there?", documents=[document()])).text)
    assert "2" in counted
    found = [source(1, "Rent is due on the first of each month and paid by transfer.", page=2)]
    answer = await ask("What is on page 2?", sources=found, documents=[document(summary="Other.")])
    assert "Rent is due on the first" in answer.text and "[1]" in answer.text and "Other." not in answer.text


async def test_a_sum_is_calculated_whatever_was_uploaded() -> None:
    answer = await ask("what is 5*6", documents=[document()], tools=TOOLS)
    assert [call["name"] for call in answer.tool_calls] == ["calculate"]
