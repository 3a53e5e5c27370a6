from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, SystemMessage

from domain.language import language_of
from models.chat import small_talk
from models.chat.extractive import texts
from models.chat.extractive.texts import REPLIES
from models.chat.interface import ToolResult, TurnInput
from models.chat.streaming_chat import pieces
from tests.models.extractive.fixtures import CHAT, EXAMPLES, TOOLS, ask, document, file, picture, source, tool
from tools.forget import SPEC as FORGET
from tools.recall import SPEC as RECALL
from turn.question import question_of

LEASE = (
    "The lease runs for three years. Rent is due on the first of each month. Pets are not allowed without written "
    "consent of the landlord. The deposit is 1,200 euros."
)
LEASE_ZH = "本合同有效期为三年。租金于每月一日支付。未经房东书面同意不得饲养宠物。押金为一千二百欧元。"
SIGN = "CITY LIBRARY\nOpen 9:00 - 18:00\nClosed on Sunday"
MAIL = "The kick-off meeting is on Tuesday at 10:30 in room 4.17. Lunch is ordered for eight people."


@pytest.mark.parametrize(
    ("question", "text", "quote"),
    [
        ("How much is the deposit?", LEASE, "The deposit is 1,200 euros. [3]"),
        ("When is rent due?", LEASE, "Rent is due on the first of each month. [3]"),
        ("押金是多少？", LEASE_ZH, "押金为一千二百欧元。 [3]"),
        ("可以养宠物吗？", LEASE_ZH, "未经房东书面同意不得饲养宠物。 [3]"),
        ("押金是多少？", LEASE, "The deposit is 1,200 euros. [3]"),
        ("什么时候交稿？", "稿酬标准为每千字二百六十元，全书交稿日期为2027年5月18日。", "2027年5月18日"),
        ("译者是谁？", "本合同由海棠出版社与译者周蕙签订，翻译书目为《北境来信》。", "周蕙"),
        ("Who is the contractor?", "The contractor is Brightline Elevators. Work takes three weeks.", "Brightline"),
        ("What does the document say about pets?", LEASE, "Pets are not allowed"),
    ],
)
async def test_quotes_the_sentence_that_answers_with_its_number(question: str, text: str, quote: str) -> None:
    answer = await ask(question, sources=[source(3, text)], documents=[document()], tools=TOOLS)
    assert quote in answer.text
    assert answer.tool_calls == []


@pytest.mark.parametrize(
    ("question", "text", "said"),
    [
        ("Who is the mayor of Paris?", LEASE, texts.NOT_SAID.en),
        ("房东叫什么名字？", LEASE_ZH, texts.NOT_SAID.zh),
        ("Which pets are never mentioned?", "The deposit is 1,200 euros.", texts.NOT_SAID.en),
        ("What can tenants not keep?", "Tenants can keep one small dog.", texts.NOT_SAID.en),
    ],
)
async def test_says_that_the_documents_do_not_say(question: str, text: str, said: str) -> None:
    answer = await ask(question, sources=[source(1, text)], documents=[document()], tools=TOOLS)
    assert answer.text == said


async def test_streams_reports_usage_and_who_answered() -> None:
    turn = TurnInput("en", question="How much is the deposit?", sources=[source(1, LEASE)])
    chunks = [chunk async for chunk in CHAT.model.astream([SystemMessage("Be kind."), HumanMessage("?")], turn=turn)]
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    assert sum(bool(chunk.text) for chunk in chunks) >= 5
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["input_tokens"] > 5 < whole.usage_metadata["output_tokens"]
    assert whole.response_metadata["model_name"] == CHAT.name == "bundled-extractive"


def test_a_bare_call_without_a_turn_is_answered() -> None:
    assert "LLM_API_KEY" in str(CHAT.model.invoke([HumanMessage("How tall is the Eiffel tower?")]).text)


@pytest.mark.parametrize(
    ("question", "name", "arguments"),
    [
        ("what is 12.5% of 80", "calculate", {"expression": "12.5% of 80"}),
        ("(12+7)*3 等于多少", "calculate", {"expression": "(12+7)*3"}),
        ("What time is it in New York?", "current_time", {"place": "New York"}),
        ("What time is it in Reykjavik?", "current_time", {"place": "Reykjavik"}),
        ("今天星期几？", "current_time", {}),
        ("Summarise https://example.org/a.html please", "fetch_url", {"url": "https://example.org/a.html"}),
        ("我上传了哪些文件？", "list_documents", {}),
        ("Search the web for electric car news", "web_search", {"query": "Search the web for electric car news"}),
        ("What is the capital of France?", "web_search", {"query": "What is the capital of France?"}),
    ],
)
async def test_calls_the_tool_that_fits(question: str, name: str, arguments: dict[str, object]) -> None:
    kind = question_of(question, language_of(question))["kind"]
    answer = await ask(question, kind=kind, tools=TOOLS)
    assert [(call["name"], call["args"]) for call in answer.tool_calls] == [(name, arguments)]
    assert answer.response_metadata["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    ("question", "listed"),
    [
        ("Which files do I have?", True),
        ("What documents are here?", True),
        ("我上传了什么文件？", True),
        ("What are my documents about?", False),
        ("Describe the documents I uploaded", False),
        ("What's in the documents?", False),
    ],
)
async def test_which_files_there_are_is_not_what_they_say(question: str, listed: bool) -> None:
    kind = question_of(question, language_of(question))["kind"]
    held = [document(summary="A lease about a flat.")]
    answer = await ask(question, kind=kind, documents=held, tools=TOOLS)
    assert [call["name"] for call in answer.tool_calls] == (["list_documents"] if listed else [])
    assert listed or "A lease about a flat." in answer.text


async def test_a_sum_is_calculated_whatever_was_uploaded() -> None:
    answer = await ask("what is 5*6", documents=[document()], sources=[source(1, LEASE)], tools=TOOLS)
    assert [call["name"] for call in answer.tool_calls] == ["calculate"]


@pytest.mark.parametrize("question", ["When does the meeting start today?", "今天的会议几点开始？"])
async def test_the_time_of_something_is_no_question_for_the_clock(question: str) -> None:
    found = [source(1, "The meeting starts at 14:30 today." if question.isascii() else "今天的会议十四点三十分开始。")]
    answer = await ask(question, sources=found, documents=[document()], tools=TOOLS)
    assert answer.tool_calls == [] and ("14:30" in answer.text or "十四点" in answer.text)


async def test_documents_are_asked_before_the_web() -> None:
    found = [source(1, "The ferry to Skye leaves at 16:45 today.")]
    answer = await ask("When does the ferry to Skye leave today?", sources=found, documents=[document()], tools=TOOLS)
    assert "16:45" in answer.text and answer.tool_calls == []


async def test_searches_documents_when_nothing_was_searched_yet() -> None:
    answer = await ask("How much is the deposit?", documents=[document()], tools=TOOLS)
    assert [call["name"] for call in answer.tool_calls] == ["search_documents"]


@pytest.mark.parametrize(
    "question", ["What time is it?", "what is 2 + 2", "What is the capital of France?", "https://example.org 讲了什么"]
)
async def test_never_calls_a_tool_that_is_not_offered(question: str) -> None:
    assert (await ask(question)).tool_calls == []


async def test_tells_what_a_tool_returned_without_calling_again() -> None:
    results = [ToolResult("calculate", "12.5% of 80 = 10")]
    answer = await ask("what is 12.5% of 80", results=results, tools=TOOLS)
    assert answer.text == "12.5% of 80 = 10" and answer.tool_calls == []


async def test_quotes_what_a_tool_found() -> None:
    page = source(4, LEASE, name="Lease page", origin="web", url="https://example.org")
    results = [ToolResult("fetch_url", "ok", sources=[page])]
    answer = await ask("How much is the deposit according to https://example.org ?", results=results)
    assert "The deposit is 1,200 euros. [4]" in answer.text
    summary = await ask("https://example.org", results=results)
    assert "**Lease page**" in summary.text and "[4]" in summary.text


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_failed_search_is_one_short_sentence_after_what_can_be_said(language: str) -> None:
    failed = [ToolResult("web_search", "Web search through x failed. Answer without it.", failed=True)]
    answer = await ask("Any news?" if language == "en" else "有什么新闻？", results=failed, language=language)
    last = texts.WEB_FAILED.en if language == "en" else texts.WEB_FAILED.zh
    assert answer.text.endswith(last) and not answer.text.startswith(last) and "Answer without" not in answer.text


@pytest.mark.parametrize(
    "question", ["What is my name?", "Where do I live?", "List my documents", "我叫什么？", "我的押金是多少？"]
)
async def test_what_is_the_users_own_is_not_looked_for_on_the_web(question: str) -> None:
    answer = await ask(question, tools=[tool for tool in TOOLS if tool["function"]["name"] != "list_documents"])
    assert not answer.tool_calls and "LLM_API_KEY" in answer.text


@pytest.mark.parametrize(
    ("question", "known"),
    [
        ("Am I allergic to peanuts?", {"remembered": ["I am allergic to peanuts"]}),
        ("我对花生过敏吗？", {"remembered": ["我对花生过敏"]}),
        ("Do I live in Oslo?", {"earlier": ["I live in Oslo."]}),
    ],
)
async def test_what_was_stated_answers_though_it_says_no_more_than_the_question(
    question: str, known: dict[str, Any]
) -> None:
    answer = await ask(question, sources=[source(1, LEASE)], documents=[document()], tools=TOOLS, **known)
    (said,) = next(iter(known.values()))
    assert answer.text == texts.YOU_SAID.text("zh" if said[0] == "我" else "en").format(text=said)
    again = await ask("Am I allergic to peanuts?", earlier=["Am I allergic to peanuts"])
    assert "You told me" not in again.text


@pytest.mark.parametrize("question", ["I want to know the deposit", "我想知道押金", "Show me my files"])
async def test_a_request_is_not_noted(question: str) -> None:
    answer = await ask(question)
    assert answer.text not in texts.NOTED


async def test_is_honest_about_a_failed_tool() -> None:
    results = [ToolResult("current_time", "No time zone is known for 'Atlantis'.", failed=True)]
    answer = await ask("What time is it in Atlantis?", results=results, tools=TOOLS)
    assert answer.text == "The tool current_time failed: No time zone is known for 'Atlantis'."


@pytest.mark.parametrize(
    ("told", "question", "found"),
    [
        ("My name is Lin and I live in Hangzhou.", "What is my name?", "Lin"),
        ("My name is Mei and I live in Xiamen.", "Where do I live?", "Xiamen"),
        ("我叫小林，住在杭州。", "我叫什么名字？", "小林"),
    ],
)
async def test_quotes_what_the_user_said(told: str, question: str, found: str) -> None:
    answer = await ask(question, earlier=[told, "Hello", "Please look at this label.", question], tools=TOOLS)
    assert found in answer.text
    assert found in (await ask(question, summary=f"User: {told}\nAssistant: Noted.", documents=[document()])).text


@pytest.mark.parametrize("question", ["What is my job?", "我几岁？"])
async def test_does_not_make_up_what_the_user_never_said(question: str) -> None:
    answer = await ask(question, earlier=["My name is Lin.", "我叫小林，住在杭州。"])
    assert "Lin" not in answer.text and "小林" not in answer.text


async def test_gives_the_words_on_a_picture_word_for_word() -> None:
    found = [source(2, f"{SIGN}\n\nPicture 30 x 20 pixels.", name="sign.png", origin="image")]
    answer = await ask(
        "What does the sign say?", kind="picture", attachments=[picture("sign.png", SIGN)], sources=found
    )
    assert all(f"> {line}" in answer.text for line in SIGN.splitlines()) and "Sunday [2]" in answer.text
    later = await ask("What was written on the sign?", kind="picture", sources=found, documents=[document()])
    assert "> Closed on Sunday" in later.text and "pixels" not in later.text


async def test_answers_a_question_from_the_text_on_a_picture_with_its_number() -> None:
    found = source(2, SIGN, name="sign.png", origin="image")
    answer = await ask("When is the library closed?", attachments=[picture("sign.png", SIGN)], sources=[found])
    assert "Closed on Sunday [2]" in answer.text


async def test_says_that_no_vision_model_describes_the_picture() -> None:
    answer = await ask("图片里有什么？", kind="picture", attachments=[picture("a.png", "出口")], language="zh")
    assert "未配置视觉模型" in answer.text and "出口" in answer.text and "30 x 20" in answer.text


async def test_uses_the_description_where_there_is_one() -> None:
    shown = picture("a.png", "", "A red fox in the snow.")
    answer = await ask("What is in this picture?", kind="picture", attachments=[shown])
    assert "A red fox in the snow." in answer.text and "vision model" not in answer.text


async def test_mixed_turn_is_answered_from_file_and_picture() -> None:
    answer = await ask(
        "How much is the deposit, and what does the sign say?",
        kind="picture",
        attachments=[picture("sign.png", SIGN), file()],
        sources=[source(1, LEASE)],
    )
    assert "1,200 euros. [1]" in answer.text and "CITY LIBRARY" in answer.text


async def test_a_failed_file_is_left_to_the_turn_and_the_rest_is_answered() -> None:
    bad = file("bad.pdf", status="failed", error={"code": "c", "message": "It is damaged.", "remedy": "Save it."})
    answer = await ask("How much is the deposit?", attachments=[bad, file()], sources=[source(1, LEASE)])
    assert answer.text == "The deposit is 1,200 euros. [1]"
    about = await ask("What does it say?", kind="overview", attachments=[bad], documents=[document(summary="A flat.")])
    alone = await ask("How much is the deposit?", attachments=[bad], tools=TOOLS)
    assert about.text == alone.text == texts.NOT_READ.en and alone.tool_calls == []


@pytest.mark.parametrize("question", ["What is this document about?", "总结一下"])
async def test_summary_comes_from_the_stored_summary_or_else_from_the_passages(question: str) -> None:
    files = [document("a.pdf", "A lease about a flat."), document("b.pdf")]
    found = [source(1, LEASE, name="b.pdf"), source(2, MAIL, name="b.pdf", page=2)]
    answer = await ask(question, kind="overview", documents=files, sources=found)
    assert "**a.pdf**" in answer.text and "A lease about a flat." in answer.text and "three years" in answer.text
    assert "[1]" in answer.text and "[2]" in answer.text


async def test_a_page_is_told_by_its_main_sentences() -> None:
    found = [source(1, "Rent is due on the first of each month and paid by transfer.", page=2)]
    asked: dict[str, Any] = {"kind": "page", "documents": [document(summary="Other.")]}
    answer = await ask("What is on page 2?", page=2, sources=found, **asked)
    assert "Rent is due on the first" in answer.text and "[1]" in answer.text and "Other." not in answer.text
    assert (await ask("What is on page 9?", page=9, **asked)).text == texts.NOT_SAID.en


@pytest.mark.parametrize(
    ("question", "label"),
    [
        ("Hello!", "greeting"),
        ("谢谢你！", "thanks"),
        ("Who are you?", "abilities"),
        ("你能做什么？", "abilities"),
        ("What languages can you understand?", "abilities"),
        ("Please write me a short poem", "writing"),
        ("请把这句话翻译成英文", "writing"),
        ("给我讲个笑话", "small_talk"),
    ],
)
async def test_fixed_replies(question: str, label: str) -> None:
    social = label in ("greeting", "thanks")
    answer = await ask(question, tools=TOOLS, kind="social" if social else "passages")
    assert answer.text in REPLIES[label].text
    assert answer.tool_calls == [] and answer.response_metadata["model_name"] == "bundled-extractive"


@pytest.mark.parametrize(
    ("said", "noted"),
    [
        ("Good morning! My name is Ottilie and I live in Graz.", "Noted."),
        ("你好，我叫沈若溪，住在泉州。", "好的，已记下。"),
    ],
)
async def test_what_the_user_tells_is_noted(said: str, noted: str) -> None:
    answer = await ask(said, tools=TOOLS)
    assert answer.text == noted and answer.tool_calls == []


@pytest.mark.parametrize(
    ("question", "known", "said"),
    [
        ("Where do I live now?", "我住在成都。", "You told me: “我住在成都。”"),
        ("我是做什么工作的？", "I work as a nurse.", "您之前说过：“I work as a nurse.”"),
    ],
)
async def test_what_a_question_asks_of_the_user_is_told_in_whatever_language_it_was_said(
    question: str, known: str, said: str
) -> None:
    assert (await ask(question, known=[known], tools=TOOLS)).text == said


@pytest.mark.parametrize("question", ["Forget where I live", "忘掉我的住址"])
async def test_what_is_to_be_forgotten_is_looked_for_first(question: str) -> None:
    ids = {"type": "array", "items": {"type": "string"}}
    forget = tool("forget", "ids")
    forget["function"]["parameters"]["properties"]["ids"] = ids
    given: dict[str, Any] = {
        "tools": [*TOOLS, tool("recall", optional="query"), forget],
        "examples": {**EXAMPLES, "forget": FORGET.examples, "recall": RECALL.examples},
    }
    answer = await ask(question, **given)
    assert [(call["name"], call["args"]) for call in answer.tool_calls] == [("recall", {"query": question})]
    found = ToolResult("recall", "- I live in Bonn [id m1]", data={"memories": [{"id": "m1"}, {"id": "m2"}]})
    answer = await ask(question, results=[found], **given)
    assert [(call["name"], call["args"]) for call in answer.tool_calls] == [("forget", {"ids": ["m1"]})]
    done = ToolResult("forget", "Forgotten: I live in Bonn")
    answer = await ask(question, results=[found, done], **given)
    assert answer.text == "Forgotten: I live in Bonn" and answer.tool_calls == []


async def test_a_tool_s_text_for_people_is_told() -> None:
    results = [ToolResult("list_documents", "Documents (1): ...", data={"shown": "- **lease.pdf**: 2 pages"})]
    answer = await ask("Which files do I have?", results=results, documents=[document()], sources=[source(1, LEASE)])
    assert answer.text == "- **lease.pdf**: 2 pages"


@pytest.mark.parametrize(
    ("question", "said"),
    [("Which page is that on?", "**lease.pdf**, page 7 (Costs)"), ("在第几页？", "**lease.pdf**，第 7 页 (Costs)")],
)
async def test_the_page_of_the_answer_before_is_told(question: str, said: str) -> None:
    cited = {"number": 1, "name": "lease.pdf", "page": 7, "heading": "Costs", "start": 0, "end": 9, "quote": "x"}
    asked: dict[str, Any] = {"kind": "place", "cited": [cited, cited], "documents": [document()]}
    answer = await ask(question, sources=[source(1, LEASE)], tools=TOOLS, **asked)
    assert answer.text == said


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Which page is that on?", "**lease.pdf**, page 1 [2]"),
        ("Quote it.", "> The deposit is 1,200 euros. [2]"),
        ("引用原文", "> The deposit is 1,200 euros. [2]"),
    ],
)
async def test_what_is_asked_of_the_answer_before_is_cited_again(question: str, said: str) -> None:
    cited = {"number": 1, "name": "lease.pdf", "page": 1, "start": 0, "end": 9, "quote": "The deposit is 1,200 euros."}
    found = [source(1, MAIL), source(2, LEASE)]
    asked: dict[str, Any] = {"kind": "place" if "page" in question else "words", "cited": [cited]}
    answer = await ask(question, documents=[document()], sources=found, tools=TOOLS, **asked)
    assert answer.text == said and answer.tool_calls == []


@pytest.mark.parametrize("question", ["What is the second file about?", "第二个文件讲了什么？"])
async def test_a_summary_of_the_file_that_is_counted_out(question: str) -> None:
    files = [document("a.pdf", "A lease about a flat."), document("b.pdf", "Minutes of a meeting.")]
    answer = await ask(question, kind="overview", documents=files)
    assert "Minutes" in answer.text and "lease" not in answer.text


async def test_a_summary_tells_only_of_the_file_that_is_asked_about() -> None:
    files = [document("a.pdf", "A lease about a flat."), document("b.png", kind="image")]
    sent = [file("a.pdf"), file("b.png", kind="image", facts="PNG picture.")]
    answer = await ask("Summarise a.pdf", kind="overview", documents=files, attachments=sent)
    assert answer.text == "**a.pdf**: A lease about a flat."
    answer = await ask("Summarise b.png", kind="overview", documents=files, attachments=sent)
    assert "b.png" in answer.text and "a.pdf" not in answer.text


async def test_a_question_that_names_a_file_is_answered_from_it_alone() -> None:
    found = [source(1, LEASE, name="old.pdf"), source(2, "The deposit is 900 euros.", name="new.pdf")]
    answer = await ask("How much is the deposit in new.pdf?", sources=found, documents=[document()])
    assert answer.text == "The deposit is 900 euros. [2]"


async def test_small_talk_and_writing_are_no_questions_to_the_documents() -> None:
    held: dict[str, Any] = {"documents": [document()], "sources": [source(1, LEASE)], "tools": TOOLS}
    assert (await ask("Write me a poem", **held)).text == REPLIES["writing"].text.en
    talk = await ask("How are you today, by the way?", **held)
    assert talk.text != texts.NOT_SAID.en and "[" not in talk.text


async def test_a_small_model_that_is_too_slow_leaves_the_fixed_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_talk, "MOST_SECONDS", 0.0)
    talk = REPLIES["small_talk"].text.en
    assert (await ask("I feel a bit tired today", tools=TOOLS)).text == talk


async def test_small_talk_in_english_is_written_by_the_small_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_talk, "MOST_SECONDS", 120.0)
    answer = await ask("I feel a bit tired today", tools=TOOLS)
    assert answer.response_metadata["model_name"] == "SmolLM2-135M-Instruct"
    assert answer.text.rstrip("\"') ")[-1] in ".!?"


@pytest.mark.parametrize(
    "question",
    ["Who invented the telephone?", "When did the Titanic sink?", "What does DNA stand for?", "谁发明了电话？"],
)
async def test_facts_are_never_left_to_the_small_model(question: str) -> None:
    answer = await ask(question)
    assert "LLM_API_KEY" in answer.text
    assert answer.response_metadata["model_name"] == "bundled-extractive"


async def test_a_follow_up_is_understood_with_the_question_before() -> None:
    data: dict[str, Any] = {
        "sources": [source(1, MAIL)],
        "documents": [document()],
        "follows": "When is the kick-off meeting?",
    }
    assert "room 4.17. [1]" in (await ask("And in which room?", **data)).text
    assert (await ask("And who pays for the flight?", **data)).text == texts.NOT_SAID.en


PROJECT = (
    "Project memo.\n\nThe kickoff is on Tuesday at 10:30 in room 4.17. Lunch is ordered for eight people. The budget "
    "is 45,000 euros, approved by Ms Rivera. The pilot ends in March 2027."
)
PROJECT_ZH = (
    "项目备忘录。\n\n启动会定于星期二举行。午餐订了八人份。预算为四万五千欧元，由李薇批准。试点将于2027年3月结束。"
)


@pytest.mark.parametrize(
    ("question", "text", "said"),
    [
        ("谁批准了预算？", PROJECT, "approved by Ms Rivera. [1]"),
        ("预算是多少？", PROJECT, "45,000 euros"),
        ("试点什么时候结束？", PROJECT, "The pilot ends in March 2027. [1]"),
        ("Who approved the budget?", PROJECT_ZH, "由李薇批准。 [1]"),
        ("When does the pilot end?", PROJECT_ZH, "试点将于2027年3月结束。 [1]"),
        ("谁是财务总监？", PROJECT, texts.NOT_SAID.zh),
        ("停车位有几个？", PROJECT, texts.NOT_SAID.zh),
        ("Who is the finance director?", PROJECT_ZH, texts.NOT_SAID.en),
        ("How many parking spaces are there?", PROJECT_ZH, texts.NOT_SAID.en),
    ],
)
async def test_a_question_in_another_language_than_its_document(question: str, text: str, said: str) -> None:
    assert said in (await ask(question, sources=[source(1, text)], documents=[document()])).text


async def test_a_follow_up_in_another_language_than_its_document() -> None:
    found = [source(1, "The keys are with Mr Osei in room 214.")]
    data: dict[str, Any] = {"sources": found, "documents": [document()], "follows": "Who has the keys?"}
    assert "room 214. [1]" in (await ask("在哪个房间？", **data)).text


@pytest.mark.parametrize(
    ("before", "question", "text", "said", "other"),
    [
        ("How much is the lock?", "And the padlock?", "A lock costs 38. A padlock costs 12.", "padlock costs 12", "38"),
        ("Who designed Kestrel Bridge?", "How long is it?", "Kestrel Bridge was designed by Ottilie Brandt. The bridge "
         "is 142 metres long and carries no vehicles.", "142 metres", "Ottilie"),
        ("租期是多长时间？", "那押金呢？", "租期为两年。押金为八千四百元。月租金四千二百元。", "押金为八千四百元。",
         "租期"),
        ("什么时候停水？", "为什么？", "停水通知\n因管道改造，5月6日停水。\n请提前储水。", "管道改造", "储水"),
    ],
)  # fmt: skip
async def test_a_follow_up_is_about_what_it_brings(
    before: str, question: str, text: str, said: str, other: str
) -> None:
    answer = await ask(question, follows=before, sources=[source(1, text)], documents=[document()])
    assert said in answer.text and other not in answer.text


LETTER = "- From: Dana Whitcombe\n- To: Peter Kwan\n- Date: 3 March 2026\n- Subject: Fans\n\nThe booth is closed."


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("Who wrote the letter?", "From: Dana Whitcombe [1]"),
        ("What is the subject of the letter?", "Subject: Fans [1]"),
        ("When was the letter written?", "Date: 3 March 2026 [1]"),
        ("这封信是谁写的？", "From: Dana Whitcombe [1]"),
    ],
)
async def test_the_head_of_a_letter_answers_under_other_words(question: str, line: str) -> None:
    found = [source(1, LETTER, name="letter.txt")]
    assert line in (await ask(question, sources=found, documents=[document("letter.txt")])).text


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Which file mentions a deposit?", "**lease.pdf**:\nThe deposit is 1,200 euros. [1]"),
        ("Quote what the lease says about pets.", "Pets are not allowed without written consent of the landlord. [1]"),
    ],
)
async def test_words_are_looked_for_as_such(question: str, said: str) -> None:
    found = [source(1, LEASE), source(2, MAIL, name="mail.txt")]
    assert (await ask(question, sources=found, documents=[document(), document("mail.txt")])).text.endswith(said)


async def test_a_year_that_is_nowhere_beside_the_sentence_is_not_answered() -> None:
    text = "In 1979 the Soviet Union sent its army into Afghanistan."
    assert (
        await ask("Who sent its army into Afghanistan in 1985?", sources=[source(1, text)])
    ).text == texts.NO_DOCUMENTS.en


async def test_two_questions_of_one_message_are_both_answered_and_no_sentence_comes_twice() -> None:
    answer = await ask("When is rent due and how much is the deposit?", sources=[source(1, LEASE), source(2, LEASE)])
    for quote in ("Rent is due on the first of each month.", "The deposit is 1,200 euros."):
        assert answer.text.count(quote) == 1


async def test_a_greeting_with_a_file_says_that_it_was_received() -> None:
    answer = await ask("Hello", kind="social", attachments=[file("lease.pdf")], documents=[document("lease.pdf")])
    assert "**lease.pdf**" in answer.text


async def test_a_cancelled_answer_leaves_the_model_usable() -> None:
    task = asyncio.create_task(ask("I feel a bit tired today"))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await ask("Hello!", kind="social")).text


def test_pieces_lose_nothing() -> None:
    text = "One two,  three.\n\n**四**：五六，七八。 [1] tail"
    assert "".join(pieces(text)) == text and len(pieces(text)) > 6
