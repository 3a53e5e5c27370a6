"""Questions for approval on the page: what would be done is shown, in every tab and after a reload, and answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import expect

from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, OpenAIServer, Recorded, ToolCall
from tests.web.conftest import Opener
from tests.web.note_tool import SENT, SPEC
from tests.web.steps import ask, ended
from tests.web.test_access import AXE, CHECK

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _note_tool(server: LiveServer) -> Iterator[None]:
    SENT.clear()
    tools = server.app.state.backend.services.tools
    tools.set_foreign([SPEC], {})
    yield
    tools.set_foreign([], {})


def respond(request: Recorded) -> Answer | str:
    """Send a note to each name in the message, then tell what became of it."""
    results = [str(message["content"]) for message in request.messages if message["role"] == "tool"]
    if results:
        return f"It came to this: {results[-1]}"
    texts = {
        "bob": "<img src=x onerror='globalThis.pwned=1'> I am\u202e\U000e0041 late",
        "ann@corp.example": "I am late",
    }
    calls = [ToolCall("send_note", {"to": to, "text": texts[to]}, id=to) for to in texts]
    return Answer("I write to both.", reasoning="Two notes.", tool_calls=calls)


async def test_questions_are_shown_in_every_tab_and_answered_one_by_one(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = respond
    page = await open_page()
    await ask(page, "Tell ann@corp.example and bob that I am late")
    cards = page.locator(".approval")
    await expect(cards).to_have_count(2)
    bob, ann = cards.nth(0), cards.nth(1)
    await expect(bob).to_contain_text("May I? Send a note")
    await expect(bob).to_contain_text(r"globalThis.pwned=1'> I am\u{202e}\u{e0041} late")
    await expect(ann).to_contain_text("It goes to ann@corp.example")
    await expect(ann.locator("dt").first).to_contain_text("your words")
    await page.evaluate(AXE)
    assert await page.evaluate(CHECK) == []
    await page.reload()
    await expect(cards).to_have_count(2)
    other = await page.context.new_page()
    await other.goto(page.url)
    await expect(other.locator(".approval")).to_have_count(2)
    await bob.get_by_role("button", name="Edit").click()
    await bob.get_by_label("text").fill("Ten minutes late")
    await bob.get_by_role("button", name="Approve once").click()
    await expect(other.locator(".approval")).to_have_count(1)
    await expect(page.locator(".approval")).to_have_count(1)
    assert SENT == [("bob", "Ten minutes late")]
    card = other.locator(".approval")
    await card.get_by_role("button", name="Refuse").click()
    await card.get_by_label("Reason (told to the model)").fill("She knows")
    await card.get_by_role("button", name="Refuse").click()
    for tab in (other, page):
        await ended(tab)
        await expect(tab.locator("article.answer").last).to_contain_text("She knows")
        await expect(tab.locator(".approval")).to_have_count(0)
    assert SENT == [("bob", "Ten minutes late")]
    answer = page.locator("article.answer").last
    for _ in range(2):  # live, and as it was kept
        await expect(answer.locator(".step .markdown")).to_have_text("I write to both.")
        await expect(answer.locator(".step .reasoning")).to_have_count(1)
        calls = ["approved by you", "refused"]
        await expect(answer.locator(".step .tool summary small")).to_contain_text(calls)
        await page.reload()
        await ended(page)
    # What is asked later is seen at once in a tab that was only left open.
    twisted = {"to": "eve", "text": "Never say good night to Eve"}
    model.respond = lambda _: Answer(tool_calls=[ToolCall("send_note", twisted)])
    await ask(page, "Say good night to Eve")
    for tab in (page, other):
        await expect(tab.locator(".approval")).to_have_count(1)
        await expect(tab.locator(".approval dt")).to_contain_text(["your words", "written by the model"])
    await page.get_by_role("button", name="Stop", exact=True).click()
    await ended(other)


async def test_a_temporary_conversation_asks_again_after_a_reload(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = respond
    page = await open_page()
    await page.get_by_role("switch").check()
    await ask(page, "Tell ann@corp.example and bob that I am late")
    cards, articles = page.locator(".approval"), page.locator("article")
    await expect(cards).to_have_count(2)
    await page.reload()
    await expect(cards).to_have_count(2)
    await expect(articles).to_have_count(2)
    await cards.first.get_by_role("button", name="Approve once").click()
    await expect(cards).to_have_count(1)
    await page.reload()
    await expect(cards).to_have_count(1)
    await cards.get_by_role("button", name="Approve once").click()
    await ended(page)
    await expect(articles.last).to_contain_text("It came to this")
    await page.reload()
    await expect(articles.last).to_contain_text("It came to this")
    await expect(articles).to_have_count(2)


async def test_always_for_a_pattern_on_a_chinese_phone(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda request: (
        "好了。" if request.messages[-1]["role"] == "tool"
        else Answer(tool_calls=[ToolCall("send_note", {"to": "li@corp.example", "text": "我迟到了"})])
    )  # fmt: skip
    page: Any = await open_page(phone=True, locale="zh-CN")
    await page.fill("#message-box", "告诉 li@corp.example 我迟到了")
    await page.get_by_role("button", name="发送").click()
    card = page.locator(".approval")
    await expect(card).to_contain_text("是否允许：发送便条")
    await expect(card).to_contain_text("发送给 li@corp.example")
    box = await card.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    await card.get_by_text("较长的许可涵盖什么").click()
    await expect(card.locator("details pre")).to_contain_text("to = li@corp.example")
    await card.get_by_role("button", name="始终批准此类").click()
    await ended(page)
    await page.fill("#message-box", "再告诉 li@corp.example 一次")
    await page.get_by_role("button", name="发送").click()
    await expect(page.locator("article.answer")).to_have_count(2)
    await ended(page)
    assert SENT == [("li@corp.example", "我迟到了")] * 2


async def test_stop_withdraws_what_waits(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = respond
    page = await open_page()
    await ask(page, "Tell Bob that I am late")
    await expect(page.locator(".approval")).to_have_count(2)
    await page.get_by_role("button", name="Stop", exact=True).click()
    await ended(page)
    await expect(page.locator(".approval")).to_have_count(0)
    await expect(page.locator("article.answer").last).to_contain_text("Stopped")
    assert not SENT
