"""What specialists do and make, on the page."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.standins.openai_server import Answer, OpenAIServer, Recorded, ToolCall
from tests.web.conftest import Opener
from tests.web.steps import ask_to_end

pytestmark = pytest.mark.browser


def respond(request: Recorded) -> Answer | str:
    if request.messages[-1]["role"] == "tool":
        return "Here it is."
    if "draw_chart" in request.tools:
        chart = {"kind": "bar", "title": "Sales", "labels": ["east", "west"], "series": [{"values": [3, 4]}]}
        return Answer(tool_calls=[ToolCall("calculate", {"expression": "3+4"}), ToolCall("draw_chart", chart, id="c2")])
    task = {"agent": "analyst", "task": "Draw the sales", "direct": True}
    return Answer(tool_calls=[ToolCall("delegate", task)])


async def test_a_specialists_work_is_shown_nested_and_its_chart_drawn(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = respond
    page = await open_page()
    answer = await ask_to_end(page, "draw the sales by region")
    picture = answer.get_by_role("img", name="Sales.svg")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("image => image.naturalWidth") > 100
    await expect(answer.get_by_role("link", name="Sales.svg")).to_have_attribute("download", "Sales.svg")
    await page.get_by_role("button", name="Details").first.click()
    agent = page.locator(".panel [data-agent=analyst]")
    await expect(agent).to_contain_text("Draw the sales")
    await expect(agent.locator(".calls > li")).to_have_count(2)
    await page.reload()
    await expect(page.get_by_role("img", name="Sales.svg")).to_be_visible()
