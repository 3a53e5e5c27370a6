"""Thumbs under an answer: kept at once, more said about it, there again after a reload, by keyboard and on a phone."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from tests.live_server import LiveServer
from tests.standins.openai_server import OpenAIServer
from tests.web.conftest import Opener
from tests.web.steps import BOX, ask_to_end, ended, open_panel
from tests.web.test_access import AXE, CHECK

pytestmark = pytest.mark.browser


def thumb(page: Any, name: str) -> Any:
    return page.locator("article.answer").last.get_by_role("button", name=name, exact=True)


async def test_a_vote_is_given_explained_kept_and_taken_back(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: "It depends."
    page = await open_page()
    await ask_to_end(page, "How long is a piece of string?")
    bad = thumb(page, "Bad answer")
    await expect(bad).to_have_attribute("aria-pressed", "false")
    await bad.click()
    await expect(bad).to_have_attribute("aria-pressed", "true")
    form = page.get_by_role("group", name="Say more about this answer")
    await form.get_by_label("too short").check()
    await form.get_by_label("Anything else? (optional)").fill("<b>Say</b> more")
    await form.get_by_label("This turn may be replayed to try out improvements").check()
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_have_count(0)
    await expect(bad).to_be_focused()
    await page.reload()
    await expect(bad).to_have_attribute("aria-pressed", "true")
    await thumb(page, "Say more about this answer").click()
    await expect(form.get_by_label("too short")).to_be_checked()
    await expect(form.get_by_label("wrong tone")).not_to_be_checked()
    await expect(form.get_by_label("Anything else? (optional)")).to_have_value("<b>Say</b> more")
    await form.get_by_label("wrong tone").press("Escape")
    await expect(form).to_have_count(0)
    await thumb(page, "Good answer").press("Enter")
    await expect(bad).to_have_attribute("aria-pressed", "false")
    await expect(form.get_by_label("too short")).to_have_count(0)
    await thumb(page, "Good answer").press("Enter")
    await expect(thumb(page, "Good answer")).to_have_attribute("aria-pressed", "false")
    await page.reload()
    await expect(thumb(page, "Good answer")).to_have_attribute("aria-pressed", "false")


async def test_on_a_chinese_phone_everything_is_named_and_large_enough(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: "看情况。"
    page = await open_page(phone=True, locale="zh-CN")
    await page.fill(BOX, "绳子有多长？")
    await page.get_by_role("button", name="发送").tap()
    await ended(page)
    await thumb(page, "回答得不好").tap()
    form = page.get_by_role("group", name="补充对此回答的评价")
    await expect(form.get_by_label("应当先问清楚")).to_be_visible()
    for target in (thumb(page, "回答得好"), form.locator("label").first, form.get_by_role("button", name="保存")):
        assert (await target.bounding_box())["height"] >= 44
    await page.evaluate(AXE)
    assert await page.evaluate(CHECK) == []


async def test_what_votes_have_changed_is_explained_and_taken_back(
    open_page: Opener, model: OpenAIServer, server: LiveServer
) -> None:
    model.respond = lambda asked: "Which?" if "ask back first" in asked.messages[0]["content"] else "It depends."
    said = [{"role": role, "text": "tides"} for _ in range(30) for role in ("user", "assistant")]
    with httpx.Client(base_url=f"{server.url}/api/v1/", timeout=30, trust_env=False, verify=False) as http:
        session = http.post("sessions/import", json={"title": "Votes", "messages": said}).json()["session_id"]
        answers = [entry["message_id"] for entry in http.get(f"sessions/{session}").json()["messages"][1::2]]
        body = {"session_id": session, "vote": "down", "reasons": ["ask_back"], "consent": True}
        for _ in range(20):
            for answer in answers:
                http.post("feedback", json={**body, "message_id": answer})
            if http.get("feedback/changes").json()["changes"]:
                break
    page = await open_page()
    await open_panel(page, "Memory")
    change = page.locator(".panel [data-change]")
    await expect(change).to_contain_text("Ask back first when a question is unclear")
    await expect(change).to_contain_text("spoke for it")
    await expect(change.locator(".state")).to_have_text("in force")
    await page.evaluate(AXE)
    assert await page.evaluate(CHECK) == []
    await change.get_by_role("button", name="Take back: Ask back first when a question is unclear").click()
    await expect(change.locator(".state")).to_have_text("taken back")
    await expect(change.get_by_role("button")).to_have_count(0)
