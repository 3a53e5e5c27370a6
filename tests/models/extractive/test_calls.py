from __future__ import annotations

import pytest

from domain.arithmetic import find_expression
from models.chat.extractive.calls import CLOCK, call_of, find_place, find_url
from tests.models.extractive.fixtures import TOOLS
from tools.calculate import calculate

SCHEMAS = {tool["function"]["name"]: tool["function"] for tool in TOOLS}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("What is 12.5% of 80?", "10"),
        ("3的平方加4", "13"),
        ("(12+7)*3 等于多少", "57"),
        ("What is 144 divided by 12", "12"),
        ("计算三十五乘以十二", "420"),
        ("100 的百分之二十是多少", "20"),
        ("17 percent of 1,200", "204"),
        ("twenty-five plus four", "29"),
        ("一百二十除以八是多少", "15"),
        ("square root of 289", "17"),
        ("2的10次方", "1024"),
        ("3.5万加2万", "55000"),
        ("2^10 - 24", "1000"),
        ("What is a third of 90?", "30"),
        ("15% off 80", "68"),
        ("12万元的15%是多少？", "18000"),
        ("half of a quarter of 64", "8"),
        ("What's three quarters of 80?", "60"),
        ("1e3*2", "2000"),
        ("a dozen times 4", "48"),
        ("80的两倍是多少？", "160"),
        ("80打八五折是多少", "68"),
        ("increase 250 by 12%.", "280"),
    ],
)
async def test_what_is_taken_for_arithmetic_is_what_the_calculator_computes(text: str, value: str) -> None:
    expression = find_expression(text)
    assert expression and expression in text
    answer = str(await calculate.ainvoke({"expression": expression}))
    assert answer.split("= ")[-1].replace(",", "") == value


@pytest.mark.parametrize(
    "text",
    ["How many days are left?", "on 2024-05-01", "the war of 1914-1918", "call 555-1234", "第三章讲了什么？", "",
     "一加是什么品牌？", "Is 9/11 a date?", "How much is the deposit?",
     "12万元", "1.5 million", "a third", "page 3-5", "一半", "2 dozen", "the fourth quarter of 2023",
     "a third of 90 apples", "一打鸡蛋", "打九折"],
)  # fmt: skip
def test_no_arithmetic_is_seen_where_there_is_none(text: str) -> None:
    assert find_expression(text) == ""


def test_urls_without_the_punctuation_around_them() -> None:
    assert find_url("看 https://a.b/c?d=1，然后 (http://x.y/z).") == "https://a.b/c?d=1"
    assert find_url("see (http://x.y/z).") == "http://x.y/z" and find_url("no address") == ""


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("What time is it in New York?", "New York"),
        ("What's the date today in tokyo right now?", "tokyo"),
        ("东京现在几点？", "东京"),
        ("请问现在纽约是几点", "纽约"),
        ("time in Asia/Tokyo", "Asia/Tokyo"),
        ("What time is it in London, Ontario?", "London, Ontario"),
        ("what time is it in Lima, please", "Lima"),
        ("what time is it", ""),
        ("今天星期几", ""),
        ("当前时间", ""),
        ("请问现在几点了？", ""),
    ],
)
def test_places(text: str, place: str) -> None:
    assert find_place(text) == place


def test_the_clock_is_asked_for_by_a_message_that_says_nothing_else() -> None:
    asked = (
        "What time is it in Reykjavik?|What's the time in Nairobi?|Can you tell me the time in Sydney|time in Paris"
        "|Time in Berlin, please|current time|today's date in Tokyo|Time in London, Ontario"
        "|What day is it?|What year is it?|date today"
        "|现在几点了|雷克雅未克现在几点？|请问现在纽约是几点|今天几月几号|当前时间|今天的日期是什么|几点了"
    )
    other = (
        "When does the meeting start today?|What is the current rent?|What time in the morning does the shop open?"
        "|What is the time limit?|What is the date in the contract?|Who is on duty now?|When is today's train?|day"
        "|今天的会议几点？|今天的会议几点开始？|现在的租金是多少？|现在由谁负责？|几点开门？|合同日期是几号？"
    )
    assert [text for text in asked.split("|") if not CLOCK.search(text)] == []
    assert [text for text in other.split("|") if CLOCK.search(text)] == []


@pytest.mark.parametrize("name", ["fetch_url", "calculate", "unknown"])
def test_a_call_without_what_the_tool_requires_is_none(name: str) -> None:
    assert call_of(name, SCHEMAS, "Who wrote the letter?") is None
