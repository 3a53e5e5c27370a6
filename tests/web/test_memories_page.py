"""What is remembered of the user, on the page: shown, used, corrected, forgotten, switched off."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.async_api import expect

from tests.live_server import LiveServer, remember
from tests.standins.openai_server import OpenAIServer, Recorded
from tests.web.conftest import Opener
from tests.web.steps import ask_to_end, open_panel

pytestmark = pytest.mark.browser


def respond(request: Recorded) -> str:
    return "[]" if "JSON list" in request.text or "JSON 列表" in request.text else "Fine."


@pytest.fixture
def remembering(server: LiveServer) -> Iterator[None]:
    remember(server, True)
    yield
    with httpx.Client(base_url=server.url, trust_env=False, verify=False) as http:
        http.delete("/api/v1/memories").raise_for_status()
    remember(server, False)


@pytest.mark.usefixtures("remembering")
async def test_a_memory_is_used_shown_corrected_and_forgotten(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = respond
    page = await open_page()
    answer = await ask_to_end(page, "Remember that I am allergic to peanuts")
    for _ in range(2):  # live, and as it was kept
        await expect(answer.locator(".memory")).to_have_text("Kept in memory: I am allergic to peanuts")
        await page.reload()
    await open_panel(page, "Memory")
    item = page.locator(".panel [data-memory]").first
    await expect(item).to_contain_text("I am allergic to peanuts")
    await expect(item).to_contain_text("as you asked")
    await page.get_by_role("button", name="New chat").first.click()
    await expect(page.locator("article")).to_have_count(0)
    answer = await ask_to_end(page, "Am I allergic to peanuts?")
    await expect(answer.locator(".memory")).to_contain_text("From memory: I am allergic to peanuts")
    await page.reload()
    await page.locator("article.answer .memory").click()
    await item.get_by_role("button", name="Open the conversation").click()
    await expect(page.locator("article.question.found")).to_contain_text("Remember that I am allergic to peanuts")
    await open_panel(page, "Memory")
    await item.get_by_role("button", name="Correct").click()
    await page.locator(".panel li input").fill("I am allergic to walnuts")
    await page.locator(".panel li").get_by_role("button", name="Save").click()
    await expect(item).to_contain_text("walnuts")
    await item.get_by_role("button", name="Forget").click()
    await item.locator("button.danger").click()
    await expect(page.locator(".panel")).to_contain_text("Nothing is remembered yet.")
    switch = page.get_by_label("Remember what I say of myself")
    await switch.uncheck()
    await expect(page.get_by_label("Something to remember")).to_have_count(0)
    await switch.check()
    await page.get_by_label("Something to remember").fill("I have a cat")
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(item).to_contain_text("I have a cat")
    await item.get_by_role("button", name="Forget").click()
    await item.locator("button.danger").click()
