"""Many conversations and a long one, on the profile of a phone whose processor is slowed down."""

from __future__ import annotations

import httpx
import pytest
from playwright.async_api import expect

from tests.live_server import LiveServer
from tests.standins.openai_server import OpenAIServer
from tests.web.conftest import Opener
from tests.web.probes import KEY_TIME

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SLOWDOWN = 4
OPENED_MS, KEY_MS = 300, 50
OPEN = """async ([what, ready]) => {
  const started = performance.now();
  document.querySelector(what).click();
  while (!document.querySelector(ready)) await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return performance.now() - started;
}"""


async def test_1000_conversations_and_one_of_1000_messages(
    open_page: Opener, server: LiveServer, model: OpenAIServer
) -> None:
    text = "Some **text** with `code`, a [link](https://example.org).\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    long = [{"role": ("user", "assistant")[n % 2], "text": f"message {n}. {text}"} for n in range(1000)]
    short = [{"role": "user", "text": "a"}, {"role": "assistant", "text": "b"}]
    with httpx.Client(base_url=server.url, timeout=60) as client:
        for number in range(1000):
            body = {"title": f"Conversation {number}", "messages": short}
            client.post("/api/v1/sessions/import", json=body).raise_for_status()
        body = {"title": "The long one", "messages": long}
        client.post("/api/v1/sessions/import", json=body).raise_for_status()
    page = await open_page(phone=True)
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    await expect(page.locator(".sidebar li").first).to_be_attached()
    seen = {"list": 1e9, "conversation": 1e9, "key": 1e9}
    for _ in range(3):
        seen["list"] = min(seen["list"], await page.evaluate(OPEN, [".menu-button", ".with-menu .sidebar li"]))
        what = [".sidebar li .session", "article.answer .actions"]
        seen["conversation"] = min(seen["conversation"], await page.evaluate(OPEN, what))
        await expect(page.locator("article").last).to_contain_text("message 999")
        await page.fill("#message-box", "")
        seen["key"] = min(seen["key"], await page.evaluate(KEY_TIME))
        await page.evaluate(OPEN, [".menu-button", ".with-menu .sidebar li"])
        await page.get_by_role("button", name="New chat").click()
        await expect(page.locator("article")).to_have_count(0)
    assert seen["list"] <= OPENED_MS and seen["conversation"] <= OPENED_MS and seen["key"] <= KEY_MS, seen
    # The rest of the list comes when it is scrolled to.
    await page.evaluate(OPEN, [".menu-button", ".with-menu .sidebar li"])
    for _ in range(25):
        await page.locator(".sidebar .list").evaluate("list => { list.scrollTop = list.scrollHeight; }")
        await page.wait_for_timeout(150)
    await expect(page.locator(".sidebar li", has_text="Conversation 0").last).to_be_attached()
