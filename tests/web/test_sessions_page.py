"""The list of conversations: searched, renamed, taken out and in, deleted with a receipt; long ones."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from tests.standins.openai_server import OpenAIServer
from tests.web.conftest import Opener
from tests.web.probes import KEY_TIME
from tests.web.steps import BOX, ask_to_end

pytestmark = pytest.mark.browser


async def test_search_rename_delete(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: "ok"
    page = await open_page()
    await ask_to_end(page, "quagga crossing")
    row = page.locator(".sidebar li", has_text="quagga crossing").first
    await expect(row).to_have_class("current")
    await page.get_by_role("searchbox").fill("quagga")
    await expect(page.locator(".sidebar li")).to_have_count(1)
    await page.get_by_role("searchbox").fill("no such thing")
    await expect(page.locator(".sidebar")).to_contain_text("Nothing found")
    await page.get_by_role("searchbox").fill("")

    await row.get_by_role("button", name="Actions").click()
    await page.get_by_role("menuitem", name="Rename").click()
    field = page.get_by_label("Rename")
    await expect(field).to_be_focused()
    await field.fill("Striped horses")
    await field.press("Enter")
    row = page.locator(".sidebar li", has_text="Striped horses")
    await expect(row).to_be_visible()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Striped horses")

    await row.get_by_role("button", name="Actions").click()
    await page.get_by_role("menuitem", name="Delete").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Striped horses")
    await dialog.get_by_role("button", name="Delete").click()
    receipt = page.locator(".receipt-notice")
    await expect(receipt).to_contain_text("items removed")
    await expect(receipt.locator("table")).to_be_hidden()
    await receipt.locator("summary").click()
    cells = await receipt.locator("tbody tr").all_inner_texts()
    counts = {cell.split("\t")[0]: cell.split("\t")[1:] for cell in cells}
    assert counts["Transcript"] == ["2", "0"]
    assert [name for name in counts if name.islower()] == [], "a store has no name in this language"
    await page.set_viewport_size({"width": 390, "height": 700})
    await page.locator(BOX).click()  # it is not covered
    await page.keyboard.press("Escape")
    await expect(receipt).to_have_count(0)
    await expect(row).to_have_count(0)
    await expect(page.locator("article")).to_have_count(0)


async def test_days_pins_archive_and_search_inside(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: "The bittern booms in the sedge. 大麻鳽在香蒲里鸣叫。"
    page = await open_page()
    await ask_to_end(page, "which bird is it")
    await expect(page.get_by_role("heading", name="Today")).to_be_visible()
    row = page.locator(".sidebar li", has_text="which bird is it").first

    async def choose(action: str) -> None:
        await row.get_by_role("button", name="Actions").click()
        await page.get_by_role("menuitem", name=action, exact=True).click()

    await choose("Pin")
    pinned = page.locator(".sidebar section", has=page.get_by_role("heading", name="Pinned"))
    await expect(pinned.locator("li")).to_have_count(1)
    for words in ("bittern", "香蒲"):
        await page.get_by_role("searchbox").fill(words)
        await expect(page.locator(".sidebar li small").first).to_contain_text(words)
    await page.get_by_role("searchbox").fill("")
    await choose("Unpin")
    await expect(pinned).to_have_count(0)
    await choose("Archive")
    await expect(row).to_have_count(0)
    await page.get_by_role("button", name="Archive", exact=True).click()
    await expect(row).to_be_visible()
    await choose("Take out of the archive")
    await page.get_by_role("button", name="Back to all conversations").click()
    await expect(row).to_be_visible()


async def test_a_list_that_comes_late_does_not_undo_a_newer_one(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: "yes"
    page = await open_page()
    await ask_to_end(page, "is it a whimbrel")
    row = page.locator(".sidebar li", has_text="is it a whimbrel").first
    await expect(row).to_be_visible()
    held, let_go = asyncio.Event(), asyncio.Event()

    async def answer(route: Route) -> None:
        first = not held.is_set()
        held.set()
        response = await route.fetch()
        if first:
            await let_go.wait()
        await route.fulfill(response=response)

    await page.wait_for_timeout(500)  # the list is asked for once more behind a turn
    await page.route("**/api/v1/sessions?*", answer)
    for action in ("Pin", "Archive"):
        await row.get_by_role("button", name="Actions").click()
        await page.get_by_role("menuitem", name=action, exact=True).click()
        await held.wait()
    await expect(row).to_have_count(0)
    async with page.expect_response("**/api/v1/sessions?*"):
        let_go.set()
    await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    await expect(row).to_have_count(0)
    await page.unroute_all(behavior="wait")


async def test_export_and_import(open_page: Opener, model: OpenAIServer, tmp_path: Path) -> None:
    model.respond = lambda _: "The **answer**"
    page = await open_page()
    await ask_to_end(page, "to be exported")
    saved = {}
    for kind in ("Markdown", "JSON"):
        await page.locator(".sidebar li.current").get_by_role("button", name="Actions").click()
        async with page.expect_download() as download:
            await page.get_by_role("menuitem", name=f"Export as {kind}").click()
        saved[kind] = tmp_path / (await download.value).suggested_filename
        await (await download.value).save_as(saved[kind])
    assert saved["Markdown"].name == "to be exported.md"
    assert "The **answer**" in saved["Markdown"].read_text("utf-8")
    address = page.url
    await page.get_by_label("Import a conversation").set_input_files(str(saved["JSON"]))
    await expect(page).not_to_have_url(address)
    await expect(page.locator("article.question .bubble")).to_have_text(["to be exported"])
    await expect(page.locator("article.answer strong")).to_have_text("answer")
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{}")
    await page.get_by_label("Import a conversation").set_input_files(str(wrong))
    await expect(page.locator(".notice")).to_contain_text("no exported conversation")


async def test_a_long_conversation(open_page: Opener, model: OpenAIServer, tmp_path: Path) -> None:
    model.respond = lambda _: "short"
    text = "Some **text** with `code`, a [link](https://example.org) and $x^2$.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    messages = [{"role": ("user", "assistant")[n % 2], "text": f"message {n}. {text}"} for n in range(300)]
    path = tmp_path / "long.json"
    title = f"Long {tmp_path.name}"
    path.write_text(json.dumps({"title": title, "messages": messages}))
    page = await open_page()
    await page.get_by_label("Import a conversation").set_input_files(str(path))
    await expect(page.locator("article").last).to_contain_text("message 299")
    await expect(page.locator("article").last).to_be_in_viewport()
    for count in (84, 144, 204, 264, 300):
        await page.get_by_role("button", name="Show earlier messages").dblclick()
        await expect(page.locator("article")).to_have_count(count)
    await page.get_by_role("searchbox").fill("message 7.")
    await expect(page.locator(".sidebar li", has_text=title).locator("small")).to_contain_text(
        "message 7.", timeout=20_000
    )
    await page.locator(".sidebar li", has_text=title).first.click()
    await expect(page.locator("article", has_text="message 7.")).to_be_in_viewport()
    await expect(page.locator("article", has_text="message 7.")).to_have_class(re.compile("found"))
    await page.get_by_role("searchbox").fill("")
    await expect(page.locator(".sidebar li small")).to_have_count(0)
    await page.locator(".sidebar li", has_text=title).first.click()
    await expect(page.locator("article").last).to_be_in_viewport()
    for count in (84, 144, 204, 264, 300):
        await page.get_by_role("button", name="Show earlier messages").click()
        await expect(page.locator("article")).to_have_count(count)
    await expect(page.locator("article").first).to_contain_text("message 0.")
    await page.fill("#message-box", "")
    spent = min([await page.evaluate(KEY_TIME) for _ in range(3)])
    assert spent < 100, f"{spent:.0f} ms for a key in a conversation of 300 messages"
