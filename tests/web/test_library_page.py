"""What is chosen for a conversation: documents that are kept, the language of answers, who answers, which tools."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.standins.openai_server import OpenAIServer
from tests.web.conftest import Opener
from tests.web.steps import ask_to_end, quoting
from tests.web.test_access import AXE, CHECK

pytestmark = pytest.mark.browser

QUOTE = "The notice period is forty-five days"


async def test_lasting_documents_are_added_found_renamed_used_and_deleted(
    open_page: Opener, model: OpenAIServer, text_file: Callable[[str, str], Path]
) -> None:
    model.respond = quoting(QUOTE)
    page = await open_page()
    panel = page.locator(".panel")
    await page.get_by_role("button", name="Documents").click()
    await expect(panel).to_contain_text("There are no lasting documents yet.")
    files = [text_file("scan0042.txt", f"{QUOTE}.\n"), text_file("menu.txt", "Soup of the day.\n")]
    await panel.get_by_label("Add documents").set_input_files([str(path) for path in files])
    rows = panel.locator("li.file")
    await expect(rows).to_have_count(2)

    find = panel.get_by_role("searchbox")
    await find.fill("MENU")
    await expect(rows).to_have_count(1)
    await find.fill("notice")
    await expect(rows).to_have_count(0)
    await panel.get_by_role("button", name=QUOTE).click()
    await expect(panel.locator(".page-text mark")).to_contain_text(QUOTE)
    await find.fill("nothing of the kind")
    await expect(panel).to_contain_text("Nothing found")
    await find.fill("")

    async def choose(name: str, action: str) -> None:
        await panel.get_by_role("button", name=f"Actions: {name}").click()
        await page.get_by_role("menuitem", name=action).click()

    await choose("scan0042.txt", "Rename")
    await expect(panel.get_by_label("Rename")).to_be_focused()
    await page.keyboard.type("lease")
    await page.keyboard.press("Enter")
    await expect(panel.get_by_role("button", name="Open lease.txt")).to_be_visible()
    listed = await page.evaluate("fetch('api/v1/documents').then((answer) => answer.json())")
    menu = next(file["id"] for file in listed if file["name"] == "menu.txt")
    await choose("menu.txt", "Rename")
    await expect(panel.get_by_label("Rename")).to_be_focused()
    await page.keyboard.type("lease")
    await page.keyboard.press("Enter")
    await expect(panel.get_by_role("button", name=re.compile(r"Open lease\.txt \(…\w{4,}\)"))).to_have_count(2)
    await page.evaluate(AXE)
    assert await page.evaluate(CHECK) == []
    assert len(set(await rows.locator("bdi").all_inner_texts())) == 2, "documents of one name are told apart"
    await choose(f"lease.txt (…{menu[-4:]}", "Rename")
    await expect(panel.get_by_label("Rename")).to_be_focused()
    await page.keyboard.type("menu")
    await page.keyboard.press("Enter")
    await expect(rows.locator("bdi").filter(has_text=re.compile(r"^(lease|menu)\.txt$"))).to_have_count(2)

    # Taken away from the message again, it is still kept.
    for _ in range(2):
        await choose("lease.txt", "Use in this conversation")
        await expect(panel).to_have_count(0)
        await page.reload()
        await page.get_by_role("button", name="Remove lease.txt").click()
        await expect(page.locator(".files .chip")).to_have_count(0)
        await page.get_by_role("button", name="Documents").click()
        await expect(rows).to_have_count(2)
    await choose("lease.txt", "Use in this conversation")
    answer = await ask_to_end(page, "What is the notice period?")
    await expect(page.locator("article.question .chip")).to_have_text("lease.txt")
    await expect(answer.locator(".cite")).to_be_visible()

    await page.get_by_role("button", name="Documents").click()
    await choose("menu.txt", "Delete")
    await page.get_by_role("dialog", name="Delete this document?").get_by_role("button", name="Delete").click()
    await expect(page.locator(".receipt-notice")).to_contain_text("items removed")
    await expect(rows).to_have_count(1)
    await choose("lease.txt", "Delete")
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(rows).to_have_count(0)


async def test_what_is_chosen_is_seen_sent_and_taken_back(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: "ok"
    page = await open_page()
    panel = page.locator(".panel")
    chips = page.locator(".choices .chip .name")
    await page.get_by_role("button", name="For this conversation").click()
    await panel.get_by_label("Language of the answers").select_option("zh")
    await panel.get_by_label("Calculate").uncheck()
    await expect(chips).to_have_text(["Answers in 中文", re.compile(r"Tools: \d+")])
    await ask_to_end(page, "What is 2 + 3?")
    said = model.chats[-1].body
    assert "calculate" not in str(said.get("tools")) and "current_time" in str(said["tools"])
    assert "请用中文" in model.chats[-1].text
    await panel.get_by_label("Use tools").uncheck()
    await panel.get_by_label("Use and fill memory").uncheck()
    await page.reload()
    await expect(chips).to_have_text(["Answers in 中文", "Without tools", "Without memory"])
    await ask_to_end(page, "And 3 + 4?")
    assert not model.chats[-1].body.get("tools")
    for name in ("Answers in 中文", "Without tools", "Without memory"):
        await page.get_by_role("button", name=f"Take back: {name}").click()
    await expect(chips).to_have_count(0)
    await page.get_by_role("button", name="For this conversation").click()
    await panel.get_by_label("Who answers").select_option("Analyst")
    await expect(chips).to_have_text(["Analyst"])
    answer = await ask_to_end(page, "Which of them is larger?")
    await expect(answer.locator("[data-agent=analyst]").first).to_be_visible()
    await page.get_by_role("button", name="New chat").click()
    await expect(chips).to_have_count(0)
