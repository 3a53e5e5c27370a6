from __future__ import annotations

import asyncio

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from models.chat.extractive.model import pieces
from models.chat.interface import ToolResult, TurnInput
from tests.models.reader_fixtures import CHAT, TOOLS, ask, document, picture, source

LEASE = (
    "The lease runs for three years. Rent is due on the first of each month. Pets are not allowed without written "
    "consent of the landlord. The deposit is 1,200 euros."
)
LEASE_ZH = "本合同有效期为三年。租金于每月一日支付。未经房东书面同意不得饲养宠物。押金为一千二百欧元。"
DEPOSIT = TurnInput("answer", "en", question="How much is the deposit?", sources=[source(1, LEASE)])  # type: ignore[list-item]
SIGN = "CITY LIBRARY\nOpen 9:00 - 18:00\nClosed on Sunday"


@pytest.mark.parametrize(
    ("question", "text", "quote"),
    [
        ("How much is the deposit?", LEASE, "The deposit is 1,200 euros. [3]"),
        ("When is rent due?", LEASE, "Rent is due on the first of each month. [3]"),
        ("押金是多少？", LEASE_ZH, "押金为一千二百欧元。 [3]"),
        ("可以养宠物吗？", LEASE_ZH, "未经房东书面同意不得饲养宠物。 [3]"),
        ("押金是多少？", LEASE, "The deposit is 1,200 euros. [3]"),
    ],
)
async def test_quotes_the_sentence_that_answers_with_its_number(question: str, text: str, quote: str) -> None:
    answer = await ask(question, sources=[source(3, text)], documents=[document()], tools=TOOLS)
    assert quote in answer.text
    assert answer.tool_calls == []


@pytest.mark.parametrize(
    ("question", "text", "said"),
    [
        ("Who is the mayor of Paris?", LEASE, "The documents do not say."),
        ("房东叫什么名字？", LEASE_ZH, "文档中没有提到。"),
        ("Which pets are never mentioned?", "The deposit is 1,200 euros.", "The documents do not say."),
    ],
)
async def test_says_that_the_documents_do_not_say(question: str, text: str, said: str) -> None:
    answer = await ask(question, sources=[source(1, text)], documents=[document()], tools=TOOLS)
    assert answer.text == said


async def test_streams_reports_usage_and_who_answered() -> None:
    chunks = []
    async for chunk in CHAT.model.bind(turn=DEPOSIT).astream([HumanMessage("How much is the deposit?")]):
        chunks.append(chunk)
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    assert sum(bool(chunk.text) for chunk in chunks) >= 5
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["input_tokens"] > 5 < whole.usage_metadata["output_tokens"]
    assert whole.response_metadata["model_name"] == CHAT.name == "bundled-reader"


def test_sync_callers_get_the_same_answer() -> None:
    answer = CHAT.model.invoke([HumanMessage("How much is the deposit?")], turn=DEPOSIT)
    assert "1,200 euros. [1]" in str(answer.text)


async def test_without_a_turn_the_messages_are_all_there_is() -> None:
    messages = [HumanMessage("My name is Lin."), AIMessage("ok"), HumanMessage("What is my name?")]
    assert "Lin" in str((await CHAT.model.ainvoke(messages)).text)


@pytest.mark.parametrize(
    ("question", "name", "arguments"),
    [
        ("what is 12.5% of 80", "calculate", {"expression": "12.5/100*80"}),
        ("(12+7)*3 等于多少", "calculate", {"expression": "(12+7)*3"}),
        ("What time is it in New York?", "current_time", {"place": "New York"}),
        ("今天星期几？", "current_time", {}),
        ("Summarise https://example.org/a.html please", "fetch_url", {"url": "https://example.org/a.html"}),
        ("我上传了哪些文件？", "list_documents", {}),
        ("Search the web for electric car news", "web_search", {"query": "electric car news"}),
        ("What is the capital of France?", "web_search", {"query": "What is the capital of France"}),
    ],
)
async def test_calls_the_tool_that_fits(question: str, name: str, arguments: dict[str, object]) -> None:
    answer = await ask(question, tools=TOOLS)
    assert [(call["name"], call["args"]) for call in answer.tool_calls] == [(name, arguments)]
    assert answer.response_metadata["finish_reason"] == "tool_calls"


async def test_searches_documents_when_nothing_was_searched_yet() -> None:
    answer = await ask("How much is the deposit?", documents=[document()], tools=TOOLS)
    assert [call["name"] for call in answer.tool_calls] == ["search_documents"]


async def test_never_calls_a_tool_that_is_not_offered() -> None:
    for question in (
        "What time is it?",
        "what is 2 + 2",
        "What is the capital of France?",
        "https://example.org 讲了什么",
    ):
        assert (await ask(question)).tool_calls == []


async def test_tells_what_a_tool_returned_without_calling_again() -> None:
    answer = await ask("what is 12.5% of 80", results=[ToolResult("calculate", "12.5/100*80 = 10")], tools=TOOLS)
    assert answer.text == "12.5/100*80 = 10"
    assert answer.tool_calls == []


async def test_quotes_what_a_tool_found_() -> None:
    page = source(4, LEASE, name="Lease page", origin="web", url="https://example.org")
    found = ToolResult("fetch_url", "ok", sources=[page])  # type: ignore[list-item]
    answer = await ask("How much is the deposit according to https://example.org ?", results=[found])
    assert "The deposit is 1,200 euros. [4]" in answer.text


async def test_is_honest_about_a_failed_tool_in_the_language_of_the_turn() -> None:
    failed = ToolResult("web_search", "网络搜索失败：连接中断。", failed=True)
    answer = await ask("上网查一下今天的新闻", results=[failed], language="zh", tools=TOOLS)
    assert "web_search" in answer.text and "连接中断" in answer.text and "失败" in answer.text


@pytest.mark.parametrize(
    ("told", "question", "found"),
    [
        ("My name is Lin and I live in Hangzhou.", "What is my name?", "Lin"),
        ("My name is Lin and I live in Hangzhou.", "Where do I live?", "Hangzhou"),
        ("我叫小林，住在杭州。", "我叫什么名字？", "小林"),
        ("我叫小林，住在杭州。", "What's my name?", "小林"),
    ],
)
async def test_remembers_what_the_user_said(told: str, question: str, found: str) -> None:
    answer = await ask(question, earlier=[told], tools=TOOLS)
    assert found in answer.text


async def test_remembers_through_the_running_summary() -> None:
    assert "Lin" in (await ask("What is my name?", summary="User: My name is Lin.\nAssistant: Noted.")).text


@pytest.mark.parametrize("question", ["What is my job?", "我几岁？"])
async def test_does_not_make_up_what_the_user_never_said(question: str) -> None:
    answer = await ask(question, earlier=["My name is Lin.", "我叫小林，住在杭州。"])
    assert "Lin" not in answer.text and "小林" not in answer.text


async def test_gives_the_words_on_a_picture_word_for_word() -> None:
    answer = await ask("What does the sign say?", attachments=[picture("sign.png", SIGN)])
    assert all(line in answer.text for line in SIGN.splitlines())


async def test_answers_a_question_from_the_text_on_a_picture_with_its_number() -> None:
    found = source(2, SIGN, name="sign.png", origin="image")
    answer = await ask("When is the library closed?", attachments=[picture("sign.png", SIGN)], sources=[found])
    assert "Closed on Sunday [2]" in answer.text


async def test_says_that_no_vision_model_describes_the_picture() -> None:
    answer = await ask("图片里有什么？", attachments=[picture("a.png", "出口")], language="zh")
    assert "未配置视觉模型" in answer.text and "出口" in answer.text and "30 x 20" in answer.text


async def test_uses_the_description_where_there_is_one() -> None:
    answer = await ask("What is in this picture?", attachments=[picture("a.png", "", "A red fox in the snow.")])
    assert "A red fox in the snow." in answer.text and "vision model" not in answer.text


async def test_mixed_turn_is_answered_from_file_and_picture() -> None:
    answer = await ask(
        "How much is the deposit, and what does the sign say?",
        attachments=[picture("sign.png", SIGN), document()],
        sources=[source(1, LEASE)],
    )
    assert "1,200 euros. [1]" in answer.text and "CITY LIBRARY" in answer.text
    assert "sign.png" in answer.text and "lease.pdf" in answer.text


async def test_failed_file_is_named_with_reason_and_remedy_and_the_rest_is_answered() -> None:
    bad = document("bad.pdf") | {
        "status": "failed",
        "error": {"code": "c", "message": "It is damaged.", "remedy": "Save it."},
    }
    answer = await ask("How much is the deposit?", attachments=[bad, document()], sources=[source(1, LEASE)])
    assert "bad.pdf" in answer.text and "It is damaged. Save it." in answer.text and "1,200 euros. [1]" in answer.text


@pytest.mark.parametrize("question", ["What is this document about?", "总结一下"])
async def test_summary_comes_from_the_stored_summary_or_else_from_the_passages(question: str) -> None:
    files = [document("a.pdf", "A lease about a flat."), document("b.pdf")]
    answer = await ask(question, documents=files, sources=[source(1, LEASE, name="b.pdf")])
    assert "**a.pdf**" in answer.text and "A lease about a flat." in answer.text and "three years" in answer.text


async def test_small_talk_in_english_is_written_by_the_small_model_and_ends_with_a_sentence() -> None:
    answer = await ask("I feel a bit tired today", tools=TOOLS)
    assert answer.response_metadata["model_name"] == "SmolLM2-135M-Instruct"
    assert answer.text.rstrip("\"') ")[-1] in ".!?"


@pytest.mark.parametrize("question", ["你好", "谢谢你！", "你是谁？", "你能做什么？", "再见", "给我讲个笑话"])
async def test_small_talk_in_chinese_is_a_friendly_fixed_text(question: str) -> None:
    answer = await ask(question, tools=TOOLS)
    assert answer.response_metadata["model_name"] == "bundled-reader"
    assert answer.tool_calls == [] and len(answer.text) >= 3


@pytest.mark.parametrize(
    "question",
    ["Who invented the telephone?", "When did the Titanic sink?", "What does DNA stand for?", "谁发明了电话？"],
)
async def test_facts_are_never_left_to_the_small_model(question: str) -> None:
    answer = await ask(question)
    assert "LLM_API_KEY" in answer.text
    assert answer.response_metadata["model_name"] == "bundled-reader"


async def test_the_statement_that_answers_wins_over_greetings_and_requests() -> None:
    earlier = ["My name is Tamsin.", "Hello", "Please look at this label."]
    answer = await ask("What is my name?", earlier=earlier, documents=[document()])
    assert "Tamsin" in answer.text


async def test_a_picture_of_an_earlier_turn_is_preferred_to_requests() -> None:
    found = source(1, "Batch 88-KESTREL-4\n\nPNG picture, 893 x 178 pixels, mostly white.", "label.png", "image")
    note = document("label.png") | {"kind": "image"}
    earlier = ["Please look at this label."]
    answer = await ask("Which batch was on the label?", earlier=earlier, sources=[found], documents=[note])
    assert answer.text == "Batch 88-KESTREL-4 [1]"
    answer = await ask("What was written on the label?", earlier=earlier, sources=[found], documents=[note])
    assert "> Batch 88-KESTREL-4" in answer.text and "pixels" not in answer.text


TABLE = "| Plan | Price per month | Users |\n| --- | --- | --- |\n| Starter | 6 euros | 1 |\n| Team | 19 euros | 10 |"
PEOPLE = "### 许国佐\n\n字班王，揭阳人。天启七年中举人，后任四川富顺知县。\n\n### 陈子壮\n\n南海人，万历四十七年探花。"


async def test_a_table_row_is_quoted_with_the_names_of_its_columns() -> None:
    answer = await ask("How much is the Team plan?", sources=[source(2, TABLE)], documents=[document()])
    assert answer.text.startswith('Plan: Team; Price per month: 19 euros; Users: 10 [2 "| Team | 19 euros | 10 |"]')


async def test_headings_tell_what_their_text_is_about_and_are_not_quoted() -> None:
    answer = await ask("许国佐是哪里人？", sources=[source(1, PEOPLE)], documents=[document()])
    assert "揭阳人" in answer.text and "南海人" not in answer.text and "#" not in answer.text
    assert not answer.text.startswith("许国佐")


async def test_reference_numbers_of_the_source_are_not_taken_for_citations() -> None:
    text = "The tower was opened in 1931.[7] It has 102 floors.[8]"
    answer = await ask("How many floors does the tower have?", sources=[source(1, text)], documents=[document()])
    assert "102 floors" in answer.text and "[8]" not in answer.text and "[1]" in answer.text


MAIL = "The kick-off meeting is on Tuesday at 10:30 in room 4.17. Lunch is ordered for eight people."


async def test_a_follow_up_is_understood_with_the_question_before() -> None:
    data = {"sources": [source(1, MAIL)], "documents": [document()], "follows": "When is the kick-off meeting?"}
    assert "room 4.17. [1]" in (await ask("And in which room?", **data)).text
    assert (await ask("And who pays for the flight?", **data)).text == "The documents do not say."


@pytest.mark.parametrize(
    ("question", "text", "quote"),
    [
        ("什么时候交稿？", "稿酬标准为每千字二百六十元，全书交稿日期为2027年5月18日。", "2027年5月18日"),
        ("译者是谁？", "本合同由海棠出版社与译者周蕙签订，翻译书目为《北境来信》。", "周蕙"),
        ("Who is the contractor?", "The contractor is Brightline Elevators. Work takes three weeks.", "Brightline"),
    ],
)
async def test_short_questions_find_their_sentence(question: str, text: str, quote: str) -> None:
    assert quote in (await ask(question, sources=[source(1, text)], documents=[document()], tools=TOOLS)).text


async def test_a_subject_is_answered_with_what_is_said_about_it() -> None:
    text = "Visitors may park for two hours. Parking costs staff 15 euros a year. The canteen was renovated."
    found = [source(1, text, heading="Report › Parking")]
    answer = await ask("What does the document say about parking?", sources=found, documents=[document()])
    assert "two hours" in answer.text and "15 euros" in answer.text


async def test_a_greeting_with_a_file_says_that_it_was_received() -> None:
    answer = await ask("Hello", attachments=[document("lease.pdf")], documents=[document("lease.pdf")])
    assert "**lease.pdf**" in answer.text and "no text" not in answer.text


async def test_a_list_of_files_is_not_followed_by_a_denial() -> None:
    listed = ToolResult("list_documents", "Documents (1):\n- lease.pdf (id 0123456789abcdef0123456789abcdef): 2 pages")
    answer = await ask("Which files do I have?", results=[listed], sources=[source(1, LEASE)], documents=[document()])
    assert answer.text == "Documents (1):\n- lease.pdf: 2 pages"


async def test_a_summary_of_passages_cites_them() -> None:
    found = [source(1, MAIL, document_id="lease.pdf"), source(2, LEASE, page=2)]
    answer = await ask("Summarise it", sources=found, documents=[document()])
    assert "[1]" in answer.text and "[2]" in answer.text and "three years" in answer.text


async def test_a_conversation_is_summarised() -> None:
    text = "User: My budget is 500 euros.\nAssistant: Fine.\nUser: thanks"
    turn = TurnInput("summarize_conversation", "en", text=text)
    assert "500 euros" in str((await CHAT.model.ainvoke([HumanMessage(text)], turn=turn)).text)


async def test_a_cancelled_answer_leaves_the_reader_usable() -> None:
    task = asyncio.create_task(ask("I feel a bit tired today"))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await ask("Hello!")).text


def test_pieces_lose_nothing() -> None:
    text = "One two,  three.\n\n**四**：五六，七八。 [1] tail"
    assert "".join(pieces(text)) == text and len(pieces(text)) > 6
