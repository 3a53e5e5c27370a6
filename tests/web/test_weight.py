"""How much the page weighs, how soon it is there, and what its headers allow."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.async_api import expect

from tests.live_server import LiveServer
from tests.standins.openai_server import OpenAIServer
from tests.web.conftest import Opener
from tests.web.probes import BYTES, FIRST_PAINT
from tests.web.steps import ask_to_end

pytestmark = pytest.mark.browser


async def test_first_paint_within_a_second(open_page: Opener) -> None:
    page = await open_page()
    await expect(page.locator(".welcome")).to_be_visible()
    times = [await page.evaluate(FIRST_PAINT)]
    for _ in range(2):
        await page.reload()
        await expect(page.locator(".welcome")).to_be_visible()
        times.append(await page.evaluate(FIRST_PAINT))
    assert min(times) < 1000, f"first paint after {times} ms"


async def test_weight_with_everything_loaded(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: "$x^2$\n\n```python\nprint(1)\n```\n"
    page = await open_page()
    start = await page.evaluate(BYTES)
    await ask_to_end(page, "load everything")
    await expect(page.locator("math")).to_be_visible()
    await expect(page.locator(".hljs-built_in")).to_be_visible()
    assert 40_000 < start < 120_000
    assert await page.evaluate(BYTES) < 300_000


async def test_policy_has_no_exceptions(server: LiveServer) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        response = await http.get("/")
    policy = response.headers["content-security-policy"]
    assert "unsafe" not in policy and "*" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert not re.search(
        r"<script(?! type=\"module\" src=\"chunks/\w+/main.js\"></script>)|<style| style=| on\w+=", response.text
    )
