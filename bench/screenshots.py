"""Pictures of the page in its main states, for README and for those who change how it looks.

    python -m bench.screenshots [--to docs]

It starts the server with its bundled parts and a scripted chat model, does what a person does, and writes one WebP a
state. It needs playwright and chromium, as the browser tests do.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import re
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pymupdf
from PIL import Image
from playwright.async_api import Browser, Page, async_playwright, expect

from bench.screenshot_talk import DOCUMENT, IMPORTED, SHEET, respond
from settings import Settings
from tests.drawn_pictures import drawn, encoded
from tests.live_server import LiveServer
from tests.standins.openai_server import OpenAIServer
from tests.web.conftest import DESKTOP, FLAGS, PHONE, chromium_path
from tests.web.note_tool import SPEC
from tests.web.steps import ask, ask_to_end, attach, ended, open_panel

MOST_BYTES = 80_000


class Visit:
    """A browser on a server, and the folder that the pictures go to."""

    def __init__(self, browser: Browser, server: LiveServer, files: Path, target: Path) -> None:
        self._browser, self._server, self._target = browser, server, target
        self.contract = _pdf(files / "lease.pdf")
        self.scan = _scan(files / "minutes 2024.pdf")
        self.sheet = files / "sales.csv"
        self.sheet.write_text(SHEET, "utf-8")

    async def open(self, **options: Any) -> Page:
        """Open the page as somebody new."""
        context = await self._browser.new_context(
            **{**DESKTOP, "locale": "en-US", "reduced_motion": "reduce", **options}
        )
        page = await context.new_page()
        await page.goto(self._server.url)
        await expect(page.locator("header .model")).to_be_visible()
        return page

    async def save(self, page: Page, name: str) -> None:
        """Write what is seen as `page-{name}.webp`, as good as fits in `MOST_BYTES`."""
        await page.mouse.move(0, 400)
        await page.wait_for_timeout(400)
        picture = Image.open(io.BytesIO(await page.screenshot(animations="disabled", caret="hide")))
        for quality in range(85, 20, -10):
            out = io.BytesIO()
            picture.save(out, "WEBP", quality=quality, method=6)
            if out.tell() <= MOST_BYTES:
                break
        (self._target / f"page-{name}.webp").write_bytes(out.getvalue())
        print(f"page-{name}.webp  {picture.width} x {picture.height}  {out.tell():,} bytes")
        await page.context.close()


async def _empty(visit: Visit) -> None:
    await visit.save(await visit.open(), "empty")


async def _answer(visit: Visit) -> None:
    page = await visit.open()
    await attach(page, visit.contract)
    await ask_to_end(page, "Until when can I end the lease, and when is the rent due?")
    await page.get_by_role("button", name="Sources").click()
    await visit.save(page, "answer")


async def _quote(visit: Visit) -> None:
    page = await visit.open()
    await attach(page, visit.contract)
    said = await ask_to_end(page, "Until when can I end the lease, and when is the rent due?")
    await said.locator(".cite").first.click()
    await expect(page.locator(".sheet .hit").first).to_be_visible()
    await visit.save(page, "quote")


async def _progress(visit: Visit) -> None:
    page = await visit.open()
    await page.set_input_files(".composer input[type=file]", str(visit.scan))
    await expect(page.locator(".files small")).to_contain_text(re.compile("[1-9]+ of 30"))
    await page.fill("#message-box", "What was decided in spring?")
    await visit.save(page, "progress")


async def _table(visit: Visit) -> None:
    page = await visit.open()
    await attach(page, visit.sheet)
    said = await ask_to_end(page, "Which region grew most?")
    await said.locator(".tool summary").first.click()
    await page.locator("article.question").scroll_into_view_if_needed()
    await visit.save(page, "table")


async def _approval(visit: Visit) -> None:
    page = await visit.open()
    await ask(page, "Tell ann@corp.example that I am ten minutes late")
    await expect(page.locator(".approval")).to_be_visible()
    await visit.save(page, "approval")


async def _versions(visit: Visit) -> None:
    page = await visit.open()
    said = await ask_to_end(page, "Name three wading birds")
    await said.get_by_role("button", name="Answer again").click()
    await expect(said.locator(".versions")).to_be_visible()
    await ended(page)
    await visit.save(page, "versions")


async def _memory(visit: Visit) -> None:
    page = await visit.open()
    await ask_to_end(page, "Remember that I am allergic to peanuts")
    await open_panel(page, "Memory")
    await expect(page.locator("[data-memory]").first).to_be_visible()
    await page.get_by_label("Something to remember").fill("I prefer short answers")
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(page.locator("[data-memory]")).to_have_count(2)
    await visit.save(page, "memory")


async def _library(visit: Visit) -> None:
    page = await visit.open()
    await page.get_by_role("button", name="Documents").click()
    await page.get_by_label("Add documents").set_input_files([str(visit.contract), str(visit.sheet)])
    await expect(page.locator(".panel li.file")).to_have_count(2)
    await page.locator(".panel li.file").first.get_by_role("button", name="Actions").click()
    await visit.save(page, "library")


async def _phone(visit: Visit) -> None:
    page = await visit.open(**PHONE, locale="zh-CN", color_scheme="dark", device_scale_factor=2)
    await page.locator(".sidebar input[type=file]").set_input_files(
        {"name": "talk.json", "mimeType": "application/json", "buffer": IMPORTED.encode()}
    )
    await expect(page.locator("article.answer")).to_be_visible()
    await visit.save(page, "phone")


STATES: list[Callable[[Visit], Awaitable[None]]] = [
    _empty, _answer, _quote, _table, _approval, _versions, _memory, _library, _phone, _progress,
]  # fmt: skip


def _pdf(path: Path) -> Path:
    with pymupdf.open() as document:
        for title, text in DOCUMENT:
            page = document.new_page()
            page.insert_text((72, 96), title, fontsize=18)
            page.insert_textbox(pymupdf.Rect(72, 120, 523, 700), text, fontsize=12, lineheight=1.5)
        document.save(path)
    return path


def _scan(path: Path) -> Path:
    with pymupdf.open() as document:
        for number in range(1, 31):
            page = document.new_page(width=460, height=300)
            lines = (
                (20, 20, f"Minutes, page {number}"),
                (20, 100, "Present: all members"),
                (20, 180, "Decided: see below"),
            )
            page.insert_image(page.rect, stream=encoded(drawn(*lines, size=(460, 300))))
        document.save(path)
    return path


async def main(target: Path) -> None:
    """Take all pictures into `target`."""
    expect.set_options(timeout=60_000)
    with tempfile.TemporaryDirectory() as folder, OpenAIServer() as model:
        model.respond = respond
        settings = Settings(
            data_dir=Path(folder) / "data", llm_base_url=model.base_url, llm_api_key="key", llm_model="qwen-plus",
            web_search="off", model_titles=False, memory_extraction="rules", _env_file=None,
        )  # fmt: skip
        with LiveServer(settings) as server:
            server.app.state.backend.services.tools.set_foreign([SPEC], {})
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
                visit = Visit(browser, server, Path(folder), target)
                for state in STATES:
                    await state(visit)
                await browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=Path("docs"), help="folder of the pictures")
    asyncio.run(main(parser.parse_args().to))
