"""Dictation and reading aloud, with a microphone that plays a recording and the bundled speech engines."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

from tests.live_server import LiveServer
from tests.standins.openai_server import OpenAIServer
from tests.web.conftest import FLAGS, Opener, chromium_path
from tests.web.probes import NOTE_SOUND
from tests.web.steps import BOX, ask_to_end, open_panel

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SAID = "What is the capital of France?"


@pytest_asyncio.fixture(loop_scope="session")
async def speaking_page(server: LiveServer, tmp_path: Path) -> AsyncIterator[Any]:
    """The page in a browser whose microphone hears `SAID` once."""
    recording = tmp_path / "said.wav"
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        response = await http.post("/api/v1/tts", json={"text": SAID, "format": "wav"})
    assert response.status_code == 200
    recording.write_bytes(response.content)
    flags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    flags.append(f"--use-file-for-fake-audio-capture={recording}%noloop")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=[*FLAGS, *flags])
        page = await (await browser.new_context(locale="en-US")).new_page()
        await page.goto(server.url)
        yield page
        await browser.close()


async def test_dictation(speaking_page: Any) -> None:
    page = speaking_page
    await page.get_by_role("button", name="Dictate").click()
    await expect(page.get_by_role("button", name="Stop dictation")).to_be_visible()
    await page.wait_for_timeout(3500)
    await page.get_by_role("button", name="Stop dictation").click()
    await expect(page.locator(BOX)).not_to_have_value("", timeout=60_000)
    words = (await page.input_value(BOX)).lower()
    assert "capital" in words and "france" in words


async def test_read_aloud(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: "One. Two.\n\n```\ncode is not read\n```\n\nSee **three** [1]."
    page = await open_page()
    answer = await ask_to_end(page, "read to me")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.post_data or "") if request.url.endswith("/tts") else None)
    await page.evaluate(NOTE_SOUND)
    await answer.get_by_role("button", name="Read aloud").click()
    await expect(answer.get_by_role("button", name="Stop reading")).to_be_visible()
    await expect(answer.get_by_role("button", name="Read aloud")).to_be_visible(timeout=60_000)
    assert await page.evaluate("globalThis.ended") == len(asked) == 1
    said = json.loads(asked[0])["text"]
    assert "Two." in said and "three" in said and "code is not read" not in said
    await answer.get_by_role("button", name="Read aloud").click()
    await answer.get_by_role("button", name="Stop reading").click()
    await expect(answer.get_by_role("button", name="Read aloud")).to_be_visible()


async def test_answers_spoken_as_they_are_written(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: "First sentence. Second sentence."
    page = await open_page()
    await open_panel(page, "Settings")
    await page.get_by_label("Read answers aloud").check()
    await page.evaluate(NOTE_SOUND)
    await ask_to_end(page, "speak")
    await page.wait_for_function("() => globalThis.ended === 2", timeout=30_000)
