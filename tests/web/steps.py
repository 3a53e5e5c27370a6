"""What a person does on the page, and what the stand-in model says to it."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import expect

from tests.standins.openai_server import Answer, Recorded

BOX = "#message-box"


async def ask(page: Any, text: str) -> Any:
    """Send a message; returns the last answer, not waiting for its end."""
    await loaded(page)
    await page.fill(BOX, text)
    await page.press(BOX, "Enter")
    return page.locator("article.answer").last


async def loaded(page: Any) -> None:
    """Wait until the conversation is there; before that, nothing is sent."""
    await expect(page.locator(".messages")).to_have_attribute("aria-busy", "false", timeout=20_000)


async def ask_to_end(page: Any, text: str) -> Any:
    """Send a message; returns the last answer when it is complete."""
    await loaded(page)
    before = await page.locator("article.answer").count()
    answer = await ask(page, text)
    await expect(page.locator("article.answer")).to_have_count(before + 1)
    await ended(page)
    return answer


async def ended(page: Any) -> None:
    """Wait until nothing is being answered."""
    await expect(page.locator("article.answer[aria-busy=true]")).to_have_count(0, timeout=60_000)
    await expect(page.locator("article.answer .actions").last).to_be_visible()


async def open_panel(page: Any, name: str, more: str = "More") -> None:
    """Open a panel from the menu of the header."""
    await page.locator("header").get_by_role("button", name=more, exact=True).click()
    await page.get_by_role("menuitem", name=name, exact=True).click()
    await expect(page.locator(".panel").get_by_role("heading", name=name, level=2)).to_be_focused()


async def attach(page: Any, *paths: Any) -> None:
    """Choose files and wait until they are read."""
    await page.set_input_files(".composer input[type=file]", [str(path) for path in paths])
    await expect(page.locator(".files .chip.ready")).to_have_count(len(paths), timeout=60_000)


def quoting(words: str, before: str = "It says so ", after: str = ".", pace: float = 0.0) -> Any:
    """A responder that cites the passage in which `words` stand."""

    def respond(request: Recorded) -> Answer:
        number = next((n for n, text in passages(request.text) if words in text), "1")
        return Answer(f'{before}[{number} "{words}"]{after}', pace=pace)

    return respond


def passages(prompt: str) -> list[tuple[str, str]]:
    """(number, text) of the passages in a prompt."""
    parts = re.split(r"^\[(\d+)\] ", prompt, flags=re.M)
    return list(zip(parts[1::2], parts[2::2], strict=True))
