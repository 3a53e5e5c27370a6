"""A temporary conversation on the page: chosen, told, not listed, restored after a reload, ended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, Failure, OpenAIServer
from tests.web.conftest import Opener
from tests.web.person import meet
from tests.web.steps import BOX, ask_to_end, ended
from tests.web.test_access import AXE, CHECK

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("language", "phone"), [("en", False), ("zh", True)])
async def test_a_temporary_conversation(
    open_page: Opener, model: OpenAIServer, server: LiveServer, text_file: Callable[[str, str], Path], language: str,
    phone: bool,
) -> None:  # fmt: skip
    model.respond = lambda request: f"You said: {request.user_text.split(chr(10))[0]}"
    person = await meet(open_page, language, phone=phone)
    page: Any = person.page
    await page.fill(BOX, "a plan that stays")
    switch = page.get_by_role("switch", name=person.words["temporary"])
    await switch.check()
    await expect(page.locator(".temporary")).to_contain_text(person.words["temporaryHint"])
    await expect(page.locator(BOX)).to_have_value("a plan that stays")
    assert "stays" not in await page.evaluate("JSON.stringify(localStorage)")
    await person.attach(text_file("okapi.txt", "The okapi sleeps at nine."))
    await expect(switch).to_be_disabled()
    await page.reload()
    await expect(switch).to_be_checked()
    await expect(page.locator(BOX)).to_have_value("a plan that stays")
    await expect(page.locator(".files .chip.ready")).to_contain_text("okapi.txt")
    assert "stays" not in await page.evaluate("JSON.stringify(localStorage)")
    fresh = await page.context.new_page()
    await fresh.goto(page.url)
    await expect(fresh.get_by_role("switch")).not_to_be_checked()
    await expect(fresh.locator(BOX)).to_have_value("")
    await fresh.close()
    await page.evaluate(AXE)
    assert await page.evaluate(CHECK) == []
    await person.ask_to_end("A okapi word")
    note = page.get_by_role("note")
    await expect(note).to_contain_text(person.words["temporaryHint"])
    await expect(page.locator("header h1")).to_have_text(person.words["temporary"])
    assert await page.evaluate(CHECK) == []
    for key in ("edit", "regenerate", "branch", "goodAnswer"):
        await expect(person.button(key)).to_have_count(0)
    session = str(page.url).partition("?s=")[2]
    await page.reload()
    await expect(page.locator("article.question")).to_contain_text("A okapi word")
    await expect(note).to_be_visible()
    await person.ask_to_end("And a second one")
    await expect(page.locator("article")).to_have_count(4)
    sidebar = await person.conversations()
    await expect(sidebar).not_to_contain_text("okapi")
    if phone:
        await page.go_back()
    await person.button("endTemporary", note).click()
    await expect(page.locator("article")).to_have_count(0)
    await expect(switch).not_to_be_checked()
    with httpx.Client(base_url=server.url, trust_env=False, verify=False) as http:
        assert http.get(f"/api/v1/sessions/{session}").status_code == 404
        assert "okapi.txt" not in http.get("/api/v1/documents", params={"session_id": session}).text
    kept = await page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert "okapi" not in kept and session not in kept


async def test_a_reload_and_another_tab_lose_nothing_of_it(open_page: Opener, model: OpenAIServer) -> None:
    words = " ".join(f"w{n}" for n in range(120))
    model.respond = lambda request: Answer(words if "count" in request.user_text else "ok", pace=0.03)
    person = await meet(open_page, "en", phone=False)
    page = person.page
    await page.get_by_role("switch").check()
    await person.ask("count for me")
    await expect(person.answer).to_contain_text("w9")
    await page.reload()
    await expect(page.locator("article.question")).to_have_text("count for me")
    await expect(person.answer).to_contain_text("w20")
    await ended(page)
    assert await page.locator(".markdown").all_inner_texts() == [words]
    other = await page.context.new_page()
    await other.goto(page.url)
    await expect(other.locator("article.answer")).to_have_count(1)
    await ask_to_end(other, "said in the other")
    await expect(page.locator("article.question")).to_have_text(["count for me", "said in the other"])
    model.respond = lambda _: Failure(400, message="no")
    await person.ask_to_end("this one fails")
    await page.evaluate("dispatchEvent(new Event('focus'))")
    await expect(person.answer.get_by_role("alert")).to_be_visible()
    model.respond = lambda _: "back"
    await person.button("retry", person.answer).click()
    await expect(page.locator("article.answer").last).to_contain_text("back")
    await expect(other.locator("article.question")).to_have_count(3)
    await page.fill(BOX, "not sent yet")
    await page.reload()
    await expect(page.locator("article.question").last).to_be_visible()
    await expect(page.locator(BOX)).to_have_value("not sent yet")
    await person.button("endTemporary").click()
    for tab in (page, other):
        await expect(tab.locator("article")).to_have_count(0)
        await expect(tab.get_by_role("switch")).not_to_be_checked()
        await expect(tab.locator(BOX)).to_have_value("")
    await expect(other.locator(".notice")).to_contain_text("This temporary conversation has ended")


async def test_one_that_has_ended_elsewhere_is_left(open_page: Opener, model: OpenAIServer, server: LiveServer) -> None:
    model.respond = lambda _: "ok"
    page = await open_page()
    await page.get_by_role("switch").check()
    await ask_to_end(page, "the secret of the narwhal")
    session = str(page.url).partition("?s=")[2]
    with httpx.Client(base_url=server.url, trust_env=False, verify=False) as http:
        http.delete(f"/api/v1/sessions/{session}").raise_for_status()
        await page.evaluate("dispatchEvent(new Event('focus'))")
        await expect(page.locator(".notice")).to_contain_text("This temporary conversation has ended")
        await expect(page.locator("article")).to_have_count(0)
        assert "s=" not in page.url and "narwhal" not in await page.content()
        await page.get_by_role("switch").check()
        await ask_to_end(page, "another secret")
        session = str(page.url).partition("?s=")[2]
        http.delete(f"/api/v1/sessions/{session}").raise_for_status()
        await page.clock.install()
        await page.clock.fast_forward(10_000)
        await page.fill(BOX, "said too late")
        await page.press(BOX, "Enter")
        await expect(page.locator(".notice")).to_contain_text("This temporary conversation has ended")
        await expect(page.get_by_role("switch")).to_be_checked()
        await expect(page.locator(BOX)).to_have_value("said too late")
        await page.get_by_role("switch").uncheck()
        await ask_to_end(page, "one that is kept")
        session = str(page.url).partition("?s=")[2]
        await page.fill(BOX, "a draft of it")
        http.delete(f"/api/v1/sessions/{session}").raise_for_status()
        await page.evaluate("dispatchEvent(new Event('focus'))")
        await expect(page.locator(".notice")).to_contain_text("This conversation was deleted elsewhere")
        await expect(page.locator("article")).to_have_count(0)
        await expect(page.locator(BOX)).to_have_value("a draft of it")
