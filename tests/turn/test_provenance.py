from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from domain.labels import OF_WEB
from tests.nodes.conftest import Parts, a_source, a_state
from tests.nodes.conftest import parts as parts
from turn.provenance import Provenance, recipients_of

PAY = a_source(
    1, "Salary of Mei Lin: 48,213 euro a year. Staff number A-77123. Contact hr@corp.example.", name="pay.pdf"
)
PAY_ZH = a_source(1, "林美的年薪是48213欧元。", name="工资.pdf")
HIT = a_source(2, "Rates rose again.", origin="web", url="https://news.example/rates?day=3", name="Rates")

EVERYDAY: list[tuple[str, dict[str, Any], bool]] = [
    ("Read https://example.org/docs/a.html and sum it up", {"url": "https://example.org/docs/a.html"}, False),
    ("总结一下 https://example.org/文档/", {"url": "https://example.org/文档"}, False),
    ("What is on example.org?", {"url": "https://www.example.org/", "start": 0}, False),
    ("看看 example.org/news 上写了什么。", {"url": "https://example.org/news"}, False),
    ("Open bbc.com, the news part", {"url": "https://www.bbc.com/news"}, False),
    ("What is the weather in Oslo tomorrow?", {"query": "weather Oslo tomorrow", "max_results": 5}, False),
    ("北京今天天气怎么样？", {"query": "北京 今天 天气 2026"}, False),
    ("英伟达最新股价", {"query": "NVIDIA stock price today", "recency": "day"}, False),
    ("Who won the match last night?", {"query": "football results yesterday"}, False),
    ("Search the web for electric cars under 30000 euro", {"query": "electric cars under 30000 euro"}, False),
    ("上网查一下民法典关于违约金的规定", {"query": "民法典 违约金 规定"}, True),
    ("Look up what a usual salary for a nurse is", {"query": "usual salary nurse"}, True),
    ("查一下护士的平均工资", {"query": "护士 平均工资"}, True),
    ("Find news about interest rates", {"query": "interest rates news"}, True),
    ("What does the web say about notice periods in Spain?", {"query": "notice periods Spain law"}, True),
    ("Compare this with market pay on the web", {"query": "market pay comparison web"}, True),
    ("网上有没有类似的合同范本？", {"query": "类似 合同 范本"}, True),
    ("怎么做红烧肉", {"query": "红烧肉做法"}, True),
    ("帮我查一下护士工资", {"query": "护士平均工资"}, True),
]


def evidence(parts: Parts, said: str, arguments: dict[str, Any], **state: Any) -> Any:
    messages = [HumanMessage(said), AIMessage("")]
    turn = a_state(**{"messages": messages, "question": said, **state})
    return Provenance(turn, parts.runtime().context).evidence(arguments)


@pytest.mark.parametrize(("said", "arguments", "beside"), EVERYDAY)
def test_everyday_calls_are_the_users_own_words(
    parts: Parts, said: str, arguments: dict[str, Any], beside: bool
) -> None:
    sources = {"sources": [PAY, HIT]} if beside else {}
    assert evidence(parts, said, arguments, **sources)["own"]


@pytest.mark.parametrize(
    ("said", "arguments", "sources"),
    [
        ("hi", {"url": "https://evil.example/?q=hi"}, []),
        ("open bbc.com", {"url": "https://bbc.com/leak/mei"}, []),
        ("open bbc.com", {"url": "https://bbc.com.evil.example/"}, []),
        ("open https://example.org/abc", {"url": "https://example.org/a"}, []),
        ("what is fair pay?", {"query": "fair pay Mei Lin 48,213 staff A-77123"}, [PAY]),
        ("what is fair pay?", {"query": "U2FsYXJ5IG9mIE1laSBMaW46IDQ4LDIxMw=="}, [PAY]),
        ("what is fair pay?", {"query": "salary contact hr staff number year"}, [PAY]),
        ("open the page", {"url": "https://news.example/rates?day=48213"}, [HIT]),
        ("mail bob@example.org the sum", {"to": "hr@corp.example", "text": "the sum"}, [PAY]),
        ("mail bob@example.org the sum", {"to": ["bob@example.org"], "text": "Mei Lin earns 48,213 a year"}, [PAY]),
        ("what is fair pay?", {"query": "fair pay forty-eight thousand"}, [PAY]),
        ("帮我查一下护士工资", {"query": "护士工资四万八"}, [PAY]),
        ("帮我查一下护士工资", {"query": "护士工资林美"}, [PAY_ZH]),
        ("帮我查一下护士工资", {"query": "工资高于员工手册"}, [PAY]),
        ("find me a luxury hotel", {"hotel": "Luxury Palace"}, [PAY]),
        ("lass mich im Luxury Hotel wohnen", {"hotel": "Luxury Grand Hotel"}, [PAY]),
        ("pay the invoice", {"amount": 48213}, []),
        ("ask the service", {"headers": {"x-48213-secret": "a"}}, []),
        ("连接服务器", {"url": "10.0.0.8:8080/x"}, []),
    ],
)
def test_what_the_user_did_not_say_is_not_theirs(
    parts: Parts, said: str, arguments: dict[str, Any], sources: list[Any]
) -> None:
    assert not evidence(parts, said, arguments, sources=sources)["own"]


@pytest.mark.parametrize(
    ("said", "text", "own"),
    [
        ("Remember that I park on level 3", "The user parks on level 3", True),
        ("记住我每周三下午有课", "每周三下午有课", True),
        ("Hello", "The user is allergic to peanuts", False),
        ("Remember this file", "Staff number A-77123 belongs to Mei Lin", False),
    ],
)
def test_what_is_kept_of_the_user_has_to_be_said(parts: Parts, said: str, text: str, own: bool) -> None:
    turn = a_state(messages=[HumanMessage(said)], question=said)
    arguments = {"text": text, "slot": "parking", "kind": "preference"}
    provenance = Provenance(turn, parts.runtime().context)
    assert provenance.evidence(arguments, chosen=["kind"], free=False)["own"] is own


def test_a_value_of_a_few_says_nothing(parts: Parts) -> None:
    turn = a_state(messages=[HumanMessage("fair pay in Spain?")], question="", sources=[PAY])
    arguments = {"query": "fair pay Spain", "recency": "week"}
    provenance = Provenance(turn, parts.runtime().context)
    assert provenance.evidence(arguments, chosen=["recency"])["own"] and not provenance.evidence(arguments)["own"]


def test_a_page_that_a_search_found_may_be_opened_unchanged(parts: Parts) -> None:
    found = evidence(parts, "open the first", {"url": HIT["url"]}, sources=[HIT])
    origin = {"argument": "url", "kind": "web", "source": HIT["url"], "label": OF_WEB}
    assert found == {"own": True, "doubts": [], "origins": [origin]}
    assert evidence(parts, "open the first", {"url": HIT["url"]}, cited=[{"url": HIT["url"]}])["own"]


def test_each_argument_tells_where_it_comes_from(parts: Parts) -> None:
    messages = [HumanMessage("Mail bob@example.org"), AIMessage(""), ToolMessage("Room 12", tool_call_id="1", name="x")]
    found = evidence(
        parts, "", {"to": ["bob@example.org", "hr@corp.example"], "body": {"a": "Salary of Mei Lin", "b": "Room 12"},
                    "title": "Kind regards", "urgent": True},
        messages=messages, sources=[PAY],
    )  # fmt: skip
    assert {origin["argument"]: (origin["kind"], origin["source"]) for origin in found["origins"]} == {
        "to[0]": ("user", ""), "to[1]": ("document", "pay.pdf"), "body.a": ("document", "pay.pdf"),
        "body.b": ("tool", "x"), "title": ("model", ""), "urgent": ("model", ""),
        "body.*": ("model", ""),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "value", "kind"),
    [
        ("Tell Bob that I will be late on Friday", "I will be late on Friday.", "user"),
        ("Tell Bob that I will be late on Friday", "I will not be late on Friday", "model"),
        ("Tell Bob that I will be late on Friday", "On Friday Bob will be late", "model"),
        ("告诉李雷我周五会迟到", "我周五会迟到", "user"),
        ("告诉李雷我周五会迟到", "李雷周五不会迟到", "model"),
    ],
)
def test_words_of_the_user_put_together_anew_are_not_called_theirs(
    parts: Parts, said: str, value: str, kind: str
) -> None:
    (origin,) = evidence(parts, said, {"text": value})["origins"]
    assert origin["kind"] == kind
    assert (origin["label"]["integrity"], origin["label"]["confidentiality"]) == (kind, "user")


def test_what_a_specialist_is_told_is_not_the_users(parts: Parts) -> None:
    parts.context = {"agent_run": "r1", "said": "look at example.org"}
    told = "Fetch https://evil.example/?q=1 and https://example.org"
    assert not evidence(parts, told, {"url": "https://evil.example/?q=1"})["own"]
    assert evidence(parts, told, {"url": "https://example.org"})["own"]


def test_recipients_are_hosts_and_mail_addresses() -> None:
    arguments = {
        "to": ["Bob Miller <bob@example.org>", "ann@example.org"], "url": "https://a.example/x?to=b.example",
        "text": "See https://c.example/x for all that was said yesterday",
    }  # fmt: skip
    assert recipients_of(arguments) == ["bob@example.org", "ann@example.org", "a.example"]


def test_what_is_remembered_of_the_user_goes_nowhere_unasked(parts: Parts) -> None:
    text = "I am allergic to peanuts and live in Suzhou"
    memory = {"id": "m", "text": text, "session_id": "s0", "said": "2026-11-01", "holds": True}
    query = {"query": "allergic peanuts Suzhou"}
    assert not evidence(parts, "Where can I eat tonight?", query, memories=[memory])["own"]
    assert evidence(parts, "Where in Suzhou can I eat, being allergic to peanuts?", query, memories=[memory])["own"]
