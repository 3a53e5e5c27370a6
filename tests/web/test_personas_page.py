"""Roles on the page: written, chosen, greeted by, changed, copied, taken along as a file, deleted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.standins.openai_server import OpenAIServer
from tests.web.conftest import Opener
from tests.web.steps import ask_to_end
from tests.web.test_access import AXE, CHECK

pytestmark = pytest.mark.browser


async def act(page: Any, name: str, action: str) -> None:
    await page.get_by_role("button", name=f"Actions: {name}", exact=True).click()
    await page.get_by_role("menuitem", name=action).click()


async def test_a_role_from_the_first_word_to_the_last(open_page: Opener, model: OpenAIServer, tmp_path: Path) -> None:
    model.respond = lambda _: "Fine."
    page = await open_page()
    await page.evaluate(AXE)
    await page.locator("header .role").click()
    await page.get_by_role("button", name="Write a role").click()
    await expect(page.get_by_label("Name", exact=True)).to_be_focused()
    await page.get_by_label("Name", exact=True).fill("<i>Coach</i>")
    await page.get_by_label("Instructions").fill("You coach {{nobody}}.")
    await page.get_by_label("Opening").fill("Hello {{user_name}}!\n<img src=x onerror=globalThis.pwned=1>")
    await page.get_by_label("What it remembers").select_option("own")
    await page.get_by_label("Tools").select_option("only these")
    await page.get_by_label("Names of tools").fill("calc*, current_time")
    assert await page.evaluate(CHECK) == []
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".notice.error")).to_contain_text("nobody")
    await page.locator(".notice.error").get_by_role("button").click()
    await page.get_by_label("Instructions").fill("You coach {{user_name}}.")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("button", name="Write a role")).to_be_focused()
    await page.get_by_role("radio", name="<i>Coach</i>").check()
    await expect(page.locator(".welcome .opening")).to_have_text("Hello there!\n<img src=x onerror=globalThis.pwned=1>")
    await expect(page.locator(".composer .choices")).to_contain_text("<i>Coach</i>")
    assert await page.evaluate(CHECK) == []

    await ask_to_end(page, "teach me")
    assert "You coach the user." in str(model.chats[-1].messages[0]["content"])
    await page.evaluate("localStorage.removeItem('choices')")
    await page.reload()
    await expect(page.locator("header .role")).to_have_text("<i>Coach</i>")
    await page.locator("header .role").click()
    await act(page, "<i>Coach</i>", "Edit")
    await expect(page.get_by_label("Names of tools")).to_have_value("calc*, current_time")
    await page.get_by_label("Name", exact=True).fill("Trainer")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("header .role")).to_have_text("Trainer")

    async with page.expect_download() as started:
        await act(page, "Trainer", "Export as JSON")
    download = await started.value
    file = tmp_path / download.suggested_filename
    await download.save_as(file)
    assert file.name == "Trainer.persona.json" and json.loads(file.read_text("utf-8"))["persona"]["memory"] == "own"
    await act(page, "teacher", "Copy")
    await expect(page.get_by_role("radio", name="teacher (2)")).to_be_visible()
    await page.set_input_files("[aria-label='Import a role']", [str(file)])
    await expect(page.get_by_role("radio", name="Trainer (2)")).to_be_visible()
    wrong = tmp_path / "wrong.json"
    wrong.write_text("[]", "utf-8")
    await page.set_input_files("[aria-label='Import a role']", [str(wrong)])
    await expect(page.locator(".notice.error")).to_contain_text("no exported role")

    await act(page, "Trainer", "Delete")
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("radio", name="Trainer", exact=True)).to_have_count(0)
    await expect(page.locator("header .role")).to_have_text("No role")
    await expect(page.locator(".composer .choices")).to_have_count(0)
    await expect(page.locator("article.answer")).to_have_count(1)
    await ask_to_end(page, "go on")
    for name in ("Trainer (2)", "teacher (2)"):
        await act(page, name, "Delete")
        await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        await expect(page.get_by_role("radio", name=name)).to_have_count(0)
