"""Keys, the queue of messages, the dialog for the server's key, titles, sizes for fingers."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Route, expect
from pydantic import SecretStr

from settings import Settings
from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, OpenAIServer
from tests.web.conftest import Opener
from tests.web.probes import SMALL
from tests.web.steps import BOX, ask, ask_to_end, ended, open_panel

pytestmark = pytest.mark.browser


async def test_an_answer_is_stopped_before_the_server_says_a_word(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: Answer("word " * 300, pace=0.02)
    page = await open_page()
    let_go = asyncio.Event()

    async def hold(route: Route) -> None:
        await let_go.wait()
        await route.continue_()

    await page.route("**/chat/stream", hold)
    answer = await ask(page, "never mind")
    await expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    await page.keyboard.press("Escape")
    let_go.set()
    await ended(page)
    await expect(answer).to_contain_text("Stopped: this answer is incomplete.")
    let_go.clear()
    answer = await ask(page, "and this neither")
    await expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await ended(page)
    await expect(answer).to_contain_text("Stopped: this answer is incomplete.")
    let_go.set()


async def test_keys_that_work_everywhere(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: Answer("word " * 300, pace=0.02)
    page = await open_page()
    await expect(page.locator(BOX)).to_be_focused()
    answer = await ask(page, "stop me by key")
    await expect(answer.locator(".markdown")).to_contain_text("word")
    await page.keyboard.press("Escape")
    await ended(page)
    await expect(answer).to_contain_text("Stopped: this answer is incomplete.")
    await expect(page).to_have_title("stop me by key · LLM Chat Backend")
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("searchbox")).to_be_focused()
    await page.keyboard.press("Control+Shift+O")
    await expect(page.locator("article")).to_have_count(0)
    await expect(page.locator(BOX)).to_be_focused()
    await expect(page).to_have_title("LLM Chat Backend")
    await page.keyboard.type("what?")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.get_by_role("button", name="More", exact=True).focus()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("New chat")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_message_during_an_answer_waits_or_interrupts(open_page: Opener, model: OpenAIServer) -> None:
    end = threading.Event()
    model.respond = lambda request: Answer("one " * 40, pace=0.02, hold=end) if request.text.endswith("first") else "ok"
    page = await open_page()
    answer = await ask(page, "first")
    await expect(answer.locator(".markdown")).to_contain_text("one")
    await page.fill(BOX, "second")
    await page.press(BOX, "Enter")
    await expect(page.locator(".queued")).to_have_text("second")
    await page.fill(BOX, "a draft")
    await page.reload()
    await expect(page.locator(".queued")).to_have_text("second")
    twin = await page.context.new_page()
    kept = await page.evaluate("sessionStorage.queued")
    await twin.add_init_script(f"sessionStorage.queued ??= {json.dumps(kept)}")  # as a browser duplicates a tab
    await twin.goto(page.url)
    await expect(twin.locator(".queued")).to_have_text("second")
    end.set()
    await expect(twin.locator(".queued")).to_have_count(0)
    await expect(page.locator("article")).to_have_count(4, timeout=15_000)
    assert sum(chat.user_text == "second" for chat in model.chats) == 1, "one of the two tabs sends it"
    await twin.close()
    await page.reload()
    await expect(page.locator(BOX)).to_have_value("a draft")
    await ended(page)
    await expect(page.locator(".queued")).to_have_count(0)
    assert "Stopped" not in await page.locator("article.answer").first.inner_text()
    await open_panel(page, "Settings")
    await page.get_by_label("A message during an answer").select_option("interrupt")
    model.respond = lambda request: Answer("long " * 400 if request.text.endswith("third") else "ok", pace=0.02)
    await ask(page, "third")
    await expect(page.locator("article.answer").last.locator(".markdown")).to_contain_text("long")
    await page.fill(BOX, "fourth")
    await page.press(BOX, "Enter")
    await expect(page.locator("article")).to_have_count(8, timeout=15_000)
    await ended(page)
    await expect(page.locator("article.answer").nth(2)).to_contain_text("Stopped: this answer is incomplete.")


async def test_what_is_sent_is_seen(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: "line\n\n" * 60
    page = await open_page()
    await ask_to_end(page, "fill the page")
    await page.locator(".messages").evaluate("box => { box.scrollTop = 0; }")
    await ask_to_end(page, "from far up")
    last = page.locator("article.answer").last.locator(".actions")
    await expect(last).to_be_in_viewport()
    await page.locator(".messages").evaluate("box => { box.scrollTop = 0; }")
    await page.locator(".to-end").wait_for()
    # The answer grows before the browser tells of the scroll to its end.
    await page.evaluate("""() => {
        document.querySelector(".to-end").click();
        const line = document.createElement("div");
        line.style.height = "500px";
        document.querySelector(".messages .column").append(line);
    }""")
    await page.wait_for_function("""() => {
        const box = document.querySelector(".messages");
        return box.scrollHeight - box.scrollTop - box.clientHeight < 2;
    }""")
    await expect(page.locator(".to-end")).to_have_count(0)


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
async def test_fingers_find_everything(open_page: Opener, model: OpenAIServer, locale: str) -> None:
    model.respond = lambda _: "an answer"
    page = await open_page(phone=True, locale=locale)
    await page.fill(BOX, "small")
    await page.locator(".composer [type=submit]").click()
    await ended(page)
    for opener in (None, ".role", ".composer .row > button.icon >> nth=0", "header .icon[aria-haspopup]"):
        if opener:
            await page.locator(opener).click()
            await page.locator(".panel, :popover-open").wait_for()
        small = await page.evaluate(SMALL)
        assert small == []
        if await page.locator(".panel").count():
            await page.go_back()
            await expect(page.locator(".panel")).to_have_count(0)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that asks for a key."""
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("keys"), api_keys=[SecretStr("right-key")], web_search="off",
        _env_file=None,
    )  # fmt: skip
    with LiveServer(settings) as live:
        yield live


async def test_the_right_key_closes_its_dialog(open_page: Opener, guarded: LiveServer) -> None:
    page = await open_page(url=guarded.url)
    dialog = page.get_by_role("dialog", name="API key")
    await expect(dialog.get_by_label("API key")).to_be_focused()
    await page.keyboard.type("wrong")
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_role("alert")).to_have_text("The server does not know this key.")
    await dialog.get_by_label("API key").fill("right-key")
    await page.keyboard.press("Enter")
    await expect(dialog).to_have_count(0)
    await expect(page.locator(".notice")).to_have_text("The key was accepted.")
    await expect(page.locator(".model")).to_be_visible()


async def test_the_docs_ask_with_the_key_of_the_page(open_page: Opener, guarded: LiveServer) -> None:
    page = await open_page(url=guarded.url)
    dialog = page.get_by_role("dialog", name="API key")
    await dialog.get_by_label("API key").fill("right-key")
    await page.keyboard.press("Enter")
    await expect(dialog).to_have_count(0)
    await page.goto(f"{guarded.url}/docs")
    await expect(page.locator(".opblock").first).to_be_visible()
    assert await page.get_by_role("alert").is_hidden()


async def test_the_docs_say_that_a_key_is_needed(browser: Any, guarded: LiveServer) -> None:
    page = await browser.new_page(locale="zh-CN")
    await page.goto(f"{guarded.url}/docs")
    await expect(page.get_by_role("alert")).to_contain_text("需要 API 密钥")
    await page.close()


async def test_a_message_while_the_conversation_loads_is_sent_after_it(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda request: Answer(f"heard {request.text[-6:]}")
    page = await open_page()
    await ask_to_end(page, "before")
    loads = asyncio.Event()

    async def hold(route: Route) -> None:
        await loads.wait()
        await route.continue_()

    await page.route("**/api/v1/sessions/*?*", hold)
    await page.reload()
    await page.fill(BOX, "behind")
    await page.press(BOX, "Enter")
    await expect(page.locator(".queued")).to_have_text("behind")
    assert not any(chat.text.endswith("behind") for chat in model.chats)
    loads.set()
    await expect(page.locator("article")).to_have_count(4, timeout=15_000)
    await ended(page)
    await expect(page.locator("article.answer").last).to_contain_text("heard behind")
    await expect(page.locator(".queued")).to_have_count(0)
