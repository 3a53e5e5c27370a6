"""Reloads and lost connections in the middle of an answer: it ends up whole, and once."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import expect

from domain.errors import RunLost
from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, OpenAIServer, ToolCall
from tests.web.conftest import Opener
from tests.web.cutting_proxy import CuttingProxy
from tests.web.steps import ask, ask_to_end, ended

pytestmark = pytest.mark.browser

WORDS = " ".join(f"w{n}" for n in range(150))


async def test_a_reload_in_the_middle(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: Answer(WORDS, pace=0.02)
    page = await open_page()
    calls = len(model.chats)
    answer = await ask(page, "count for me")
    await expect(answer).to_contain_text("w9")
    await page.reload()
    await expect(page.locator("article.answer")).to_contain_text("w20")
    await ended(page)
    assert await page.locator(".markdown").all_inner_texts() == [WORDS]
    assert await page.locator("article.question .bubble").all_inner_texts() == ["count for me"]
    assert len(model.chats) == calls + 1


async def test_a_connection_cut_in_the_middle(open_page: Opener, model: OpenAIServer, proxy: CuttingProxy) -> None:
    model.respond = lambda _: Answer(WORDS, pace=0.03)
    page = await open_page(url=proxy.url)
    calls = len(model.chats)
    answer = await ask(page, "count for me")
    await expect(answer).to_contain_text("w5")
    proxy.cut()
    await expect(answer).to_contain_text("w30")
    proxy.down = True
    proxy.cut()
    await expect(page.locator(".notices")).to_contain_text("Connection lost; trying again")
    proxy.down = False
    await ended(page)
    await expect(page.locator(".notices")).not_to_contain_text("Connection lost")
    assert await page.locator(".markdown").all_inner_texts() == [WORDS]
    assert len(model.chats) == calls + 1


async def test_a_connection_cut_before_the_first_byte(
    open_page: Opener, model: OpenAIServer, proxy: CuttingProxy
) -> None:
    model.respond = lambda _: Answer("the whole answer", wait=0.5)
    page = await open_page(url=proxy.url)
    await ask_to_end(page, "warm up")
    calls = len(model.chats)

    async def cut_when_asked() -> None:
        while len(model.chats) == calls:
            await asyncio.sleep(0.005)
        proxy.cut()

    cutting = asyncio.create_task(cut_when_asked())
    await ask(page, "once only")
    await cutting
    await expect(page.locator(".markdown").nth(1)).to_have_text("the whole answer")
    await ended(page)
    await expect(page.locator("article.question .bubble")).to_have_text(["warm up", "once only"])
    assert len(model.chats) == calls + 1


async def test_a_server_out_of_reach_is_told(open_page: Opener, model: OpenAIServer, proxy: CuttingProxy) -> None:
    model.respond = lambda _: "back again"
    page = await open_page(url=proxy.url)
    await ask_to_end(page, "warm up")
    proxy.down = True
    proxy.cut()
    answer = await ask(page, "anybody there?")
    await expect(answer.get_by_role("alert")).to_contain_text("The server does not answer.", timeout=15_000)
    proxy.down = False
    await answer.get_by_role("button", name="Try again").click()
    await expect(page.locator(".markdown").nth(1)).to_have_text("back again")
    await expect(page.locator("article.question .bubble")).to_have_text(["warm up", "anybody there?"])


async def test_another_conversation_meanwhile(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: Answer(WORDS, pace=0.02)
    page = await open_page()
    await expect(await ask(page, "meanwhile")).to_contain_text("w5")
    await page.get_by_role("button", name="New chat").click()
    await expect(page.locator("article")).to_have_count(0)
    await page.locator(".session", has_text="meanwhile").first.click()
    await expect(page.locator("article.answer")).to_contain_text("w9")
    await ended(page)
    assert await page.locator(".markdown").all_inner_texts() == [WORDS]


@pytest.mark.parametrize("tools", [False, True])
async def test_an_answer_that_another_process_goes_on_with_is_shown_once(
    open_page: Opener, model: OpenAIServer, server: LiveServer, monkeypatch: pytest.MonkeyPatch, tools: bool
) -> None:
    monkeypatch.setattr("api.runs.machine.LONG_SECONDS", 0.01)
    monkeypatch.setattr("api.runs.watch.LOOK_SECONDS", 0.1)
    calls = [Answer("First the sum.", tool_calls=[ToolCall("calculate", {"expression": "6*7"})])] if tools else []
    model.script([*calls, Answer("half of it " * 100, pace=0.05), Answer("The whole answer.")])
    page, runner = await open_page(), server.app.state.backend.runner
    answer = await ask(page, "count for me")
    await expect(answer).to_contain_text("half of it half")
    (run,) = runner._runs.values()
    run.task.get_loop().call_soon_threadsafe(run.stop, RunLost())  # as a process that lost its place
    await expect(answer).to_contain_text("The whole answer.", timeout=20_000)
    await ended(page)
    said = ["First the sum.", "The whole answer."] if tools else ["The whole answer."]
    assert await page.locator(".markdown").all_inner_texts() == said
    assert "half of it" not in await page.locator("main").inner_text()
    shown = lasting(await page.locator("article.answer").inner_text())
    await page.reload()
    await ended(page)
    assert lasting(await page.locator("article.answer").inner_text()) == shown, "it is as it will be"


def lasting(text: str) -> list[str]:
    """The lines of a page's text; those that are empty depend on what is laid out, and how old a result is on time."""
    return [line for line in re.sub(r"fetched .*? ago", "fetched", text).split("\n") if line]
