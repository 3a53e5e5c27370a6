"""A conversation that is shared by a link: made, opened by a stranger, revoked; no script of others runs there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.standins.openai_server import OpenAIServer
from tests.web.conftest import Opener
from tests.web.person import meet
from tests.web.probes import SMALL
from tests.web.steps import ask_to_end, attach, quoting
from tests.web.test_access import AXE, CHECK, RICH
from tests.web.test_injection import ATTACKS, FORBIDDEN, MARKUP

pytestmark = pytest.mark.browser


async def test_a_link_is_made_opened_and_revoked(open_page: Opener, model: OpenAIServer, tmp_path: Path) -> None:
    file = tmp_path / "<img src=x onerror=pwned=1>.txt"
    file.write_text(f"The notice period is six weeks. {MARKUP}")
    page = await open_page(locale="en")
    await attach(page, file)
    model.respond = quoting("notice period is six weeks", before=f"**Six weeks** {ATTACKS}\n\n")
    await ask_to_end(page, f"zebra {MARKUP}")
    await page.locator(".sidebar li", has_text="zebra").first.get_by_role("button", name="Actions").click()
    await page.get_by_role("menuitem", name="Share by a link").click()
    dialog = page.get_by_role("dialog", name="Share by a link")
    await dialog.get_by_label("The link opens for").select_option("3600")
    await dialog.get_by_label("With the files").check()
    await dialog.get_by_role("button", name="Make a link").click()
    link = await dialog.get_by_label("The link, shown only now").input_value()
    await expect(dialog.locator(".links li")).to_have_count(1)
    await expect(dialog).to_contain_text("opened 0 times")

    stranger = await open_page(locale="zh-CN", url=link[: link.index("/shared/")], path=link[link.index("/shared/") :])
    answer = stranger.locator("article.answer")
    await expect(answer.locator("strong").first).to_have_text("Six weeks")
    await expect(stranger.locator(".bubble")).to_contain_text(f"zebra {MARKUP}")
    await expect(stranger).to_have_title("zebra " + MARKUP[: 60 - 7].rstrip() + "…")
    await expect(stranger.get_by_role("link", name="img src=x onerror").first).to_have_attribute("download", file.name)
    await answer.locator("[data-cite]").last.click()
    await expect(answer.locator("[data-quote]").first).to_be_focused()
    await expect(answer.locator("blockquote").last).to_contain_text("notice period is six weeks")
    assert await stranger.locator(".markdown, .given, .quotes, h1").locator(FORBIDDEN).count() == 0
    assert await stranger.context.cookies() == []
    await expect(stranger.locator("main")).to_contain_text("时的内容")

    await dialog.get_by_role("button", name="Revoke").click()
    await expect(dialog.locator(".links li")).to_have_count(0)
    answered = await stranger.reload()
    assert answered.status == 404
    await expect(stranger.get_by_role("heading", level=2)).to_have_text("此链接没有可显示的内容")


async def test_nothing_is_offered_where_sharing_is_off(open_page: Opener, model: OpenAIServer) -> None:
    async def without(route: object) -> None:
        response = await route.fetch()  # type: ignore[attr-defined]
        body = await response.json()
        body["limits"]["sharing_seconds"] = 0
        await route.fulfill(response=response, body=json.dumps(body))  # type: ignore[attr-defined]

    model.respond = lambda _: "ok"
    page = await open_page()
    await ask_to_end(page, "nobody else")
    await page.route("**/api/v1/health", without)
    await page.reload()
    await page.locator(".sidebar li", has_text="nobody else").first.get_by_role("button", name="Actions").click()
    await expect(page.get_by_role("menuitem", name="Export as JSON")).to_be_visible()
    await expect(page.get_by_role("menuitem", name="Share by a link")).to_have_count(0)


@pytest.mark.parametrize(("language", "phone"), [("en", False), ("zh", True)])
async def test_everybody_can_use_the_dialog_and_the_page_of_a_link(
    open_page: Opener, model: OpenAIServer, text_file: Callable[[str, str], Path], language: str, phone: bool
) -> None:
    model.respond = quoting("notice period is six weeks", before=f"{RICH}\n\nA note[^1] and ", after=".\n\n[^1]: more")
    person = await meet(open_page, language, phone=phone)
    words, page = person.words, person.page
    await person.attach(text_file("lease.txt", "The notice period is six weeks."))
    await person.ask_to_end("what to share")
    await person.choose("what to share", "share")
    dialog = page.get_by_role("dialog", name=words["share"])
    await dialog.get_by_label(words["shareFiles"]).check()
    await person.button("makeLink", dialog).click()
    await expect(dialog.locator(".links li")).to_have_count(1)
    link = await dialog.get_by_label(words["newLink"]).input_value()
    revoke = await dialog.get_by_role("button", name=words["revoke"]).bounding_box()
    inside = await dialog.bounding_box()
    assert revoke["x"] + revoke["width"] < inside["x"] + inside["width"] - 10
    await _usable(page, phone=phone)

    stranger = await page.context.new_page()
    await stranger.goto(link)
    await expect(stranger.locator("article.answer .quotes")).to_be_visible()
    until = words["opensUntil"].partition("{")[0].strip()
    await expect(stranger.locator("main > p")).to_contain_text(until)
    for fold in await stranger.locator("summary").all():
        await fold.click()
    await _usable(stranger, phone=phone)


async def _usable(page: Any, *, phone: bool) -> None:
    await page.evaluate(AXE)
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        assert await page.evaluate(CHECK) == [], scheme
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if phone:
        assert await page.evaluate(SMALL) == []
