"""What a turn shows while it happens, and that it is still there afterwards."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from playwright.async_api import expect

from tests.drawn_pictures import drawn, encoded
from tests.standins.openai_server import Answer, Failure, OpenAIServer, Recorded, ToolCall
from tests.web.conftest import Opener
from tests.web.steps import ask, ask_to_end, attach, ended
from tests.web.test_access import AXE, CHECK

pytestmark = pytest.mark.browser


def think_and_look_up(request: Recorded) -> Answer:
    if request.messages[-1]["role"] == "tool":
        return Answer("It is 42.", reasoning="So that is the product.")
    call = ToolCall("calculate", {"expression": "6*7"})
    return Answer("Let me work that out.", reasoning="A sum is asked for.", tool_calls=[call])


async def test_a_reloaded_turn_looks_as_it_did_live(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = think_and_look_up
    page = await open_page()
    answer = await ask_to_end(page, "What is six times seven?")
    await expect(answer.locator(".step")).to_contain_text("Let me work that out.")
    thoughts = answer.locator(".reasoning")
    await expect(thoughts).to_have_count(2)
    await thoughts.first.locator("summary").click()
    await expect(thoughts.first).to_contain_text("A sum is asked for.")
    tool = answer.locator(".step .tool")
    await tool.locator("summary").click()
    await expect(tool.locator("pre").first).to_contain_text("6*7")
    await expect(tool.locator("pre").last).to_contain_text("42")
    await expect(answer.locator(".markdown").last).to_have_text("It is 42.")
    await page.evaluate(AXE)
    assert await page.evaluate(CHECK) == []
    live = await answer.text_content()
    await page.reload()
    await ended(page)
    await expect(page.locator("header .model")).to_be_visible()  # with it, what tools are called
    assert seconds_apart(await answer.text_content()) == seconds_apart(live)
    await answer.get_by_role("button", name="Details").click()
    await expect(page.locator("g.past[data-node=run_tool]")).to_have_count(1)


def seconds_apart(text: str | None) -> str:
    return re.sub(r"( · )?[\d.]+ s", "", text or "")


async def test_thinking_is_seen_while_it_lasts(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: Answer("Done.", reasoning="one thought after the other " * 8, pace=0.05)
    page = await open_page()
    answer = await ask(page, "think")
    await expect(answer.locator(".reasoning summary.live")).to_contain_text(re.compile(r"Thinking · \d"))
    await answer.locator(".reasoning summary").click()
    await expect(answer.locator(".reasoning")).to_contain_text("one thought after the other")
    await ended(page)
    await expect(answer.locator(".reasoning summary")).to_contain_text(re.compile(r"Thought · \d"))


async def test_an_error_keeps_its_remedy(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: Failure(400, message="no")
    page = await open_page()
    answer = await ask_to_end(page, "fail for good")
    said = await answer.get_by_role("alert").inner_text()
    assert len(said.split(". ")) > 1
    await page.reload()
    await expect(page.locator("article.answer").get_by_role("alert")).to_have_text(said)


async def test_a_picture_is_seen_where_it_is_named(open_page: Opener, model: OpenAIServer, tmp_path: Path) -> None:
    path = tmp_path / "sign.png"
    path.write_bytes(encoded(drawn((20, 20, "Platform 9"), size=(420, 120))))
    model.respond = lambda _: "a sign"
    page = await open_page()
    await attach(page, path)
    await expect(page.locator(".files .thumbnail")).to_be_visible()
    await ask_to_end(page, "look")
    thumbnail = page.locator("article.question .thumbnail")
    await expect(thumbnail).to_be_visible()
    await page.reload()
    await expect(thumbnail).to_be_visible()
    assert await thumbnail.evaluate("image => image.naturalWidth") == 320
    await thumbnail.click()
    await expect(page.locator("svg.picture")).to_be_visible()


async def test_progress_goes_on_behind_a_finished_answer(
    open_page: Opener, model: OpenAIServer, tmp_path: Path
) -> None:
    path = tmp_path / "sheets.pdf"
    with pymupdf.open() as document:
        for number in range(5):
            document.new_page().insert_text((72, 72), f"Sheet {number} of the file")
        document.save(path)
    model.respond = lambda _: "read on"
    page = await open_page()
    states: list[str] = []
    body = {"status": "reading", "pages_total": 5, "pages_done": 2}

    async def slow(route: Any) -> None:  # the answer comes before the file is read to its end
        response = await route.fetch()
        document = await response.json()
        states.append(document["status"])
        shown = {**document, **body} if len(states) < 3 else {**document, "status": "ready"}
        await route.fulfill(response=response, json=shown)

    await attach(page, path)
    await ask_to_end(page, "what is on the sheets?")
    await page.route("**/api/v1/sessions/*", with_reading)
    await page.route("**/api/v1/documents/*", slow)
    await page.reload()
    await expect(page.locator(".file-states progress")).to_have_attribute("value", "2")
    await expect(page.locator(".file-states")).to_have_count(0)
    assert len(states) == 3


async def with_reading(route: Any) -> None:
    """The transcript of a turn that ended while its file was being read."""
    response = await route.fetch()
    transcript = await response.json()
    for message in transcript["messages"]:
        for file in message.get("attachments", []) if message["role"] == "assistant" else []:
            file.update(status="reading", pages_total=5, pages_done=1)
    await route.fulfill(response=response, json=transcript)
