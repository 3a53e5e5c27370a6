"""LangServe's playground draws what the agent takes, and sends a text, a file and a picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.drawn_pictures import drawn, encoded
from tests.standins.openai_server import OpenAIServer
from tests.web.conftest import Opener


@pytest.mark.parametrize("kind", ["text", "file", "picture"])
async def test_the_playground_asks(
    open_page: Opener, model: OpenAIServer, text_file: Callable[[str, str], Path], tmp_path: Path, kind: str
) -> None:
    model.respond = lambda _: "It is 1,200 euros."
    page = await open_page(path="/agent/playground/")
    await expect(page.get_by_text("SYSTEM PROMPT")).to_be_visible()
    await expect(page.get_by_text("must be")).to_have_count(0)
    if kind == "file":
        await page.locator("input[type=file]").set_input_files(text_file("lease.txt", "The deposit is 1,200 euros.\n"))
    if kind == "picture":
        path = tmp_path / "sign.png"
        path.write_bytes(encoded(drawn((20, 20, "Deposit 1,200 euros"), size=(500, 80))))
        await page.locator("input[type=file]").set_input_files(path)
    await page.locator("textarea[id='#/properties/message-input']").fill("How much is the deposit?")
    await page.get_by_role("button", name="Start").click()
    await expect(page.locator("#root")).to_contain_text("It is 1,200 euros.", timeout=30_000)
    asked = str(model.chats[-1].messages)
    assert "How much is the deposit?" in asked and ("1,200" in asked) == (kind != "text")
