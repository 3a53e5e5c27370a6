"""A browser, the real server with its bundled parts and a scripted chat model, and pages that must stay clean."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from settings import Settings
from tests.live_server import LiveServer, remember
from tests.standins.openai_server import OpenAIServer
from tests.web.cutting_proxy import CuttingProxy

playwright_api = pytest.importorskip("playwright.async_api", reason="playwright is not installed")

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
TIMEOUT_MS = 20_000
LOST = re.compile(r"Failed to load resource|net::ERR_")


def chromium_path() -> str:
    """Path of Debian's chromium, or a skip that says why. The one without windows works half as much for a page."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("chromium is not installed (apt install chromium-headless-shell)")
    return path


class Watched:
    """A page, and everything on it that must not happen."""

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        self.url = url
        self.problems: list[str] = []
        self.foreign: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("dialog", self._dialog)
        page.on("request", self._request)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning") and not LOST.search(message.text):
            self.problems.append(f"{message.type}: {message.text}")

    async def _dialog(self, dialog: Any) -> None:
        self.problems.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.url, "blob:", "data:")):
            self.foreign.append(request.url)

    async def check(self) -> None:
        """Fail if a script ran that should not, something was asked of another host, or the console complained."""
        ran = await self.page.evaluate("globalThis.pwned")
        assert ran is None, f"an injected script ran: {ran}"
        assert self.foreign == []
        assert self.problems == []


Opener = Callable[..., Awaitable[Any]]


@pytest.fixture(scope="session")
def model() -> Iterator[OpenAIServer]:
    """The chat model; tests set `respond`."""
    with OpenAIServer() as server:
        yield server


@pytest.fixture(autouse=True)
def _no_script_is_left(model: OpenAIServer) -> Iterator[None]:
    yield
    model.reset()


@pytest.fixture(scope="session")
def server(model: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The real server, all bundled but the chat model."""
    chromium_path()
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("web"), llm_base_url=model.base_url, llm_api_key="key", llm_model="stand-in",
        web_search="off", sharing="on", max_file_bytes=2_000_000, ocr_threads=1, _env_file=None,
    )  # fmt: skip
    with LiveServer(settings) as live:
        remember(live, False)
        yield live


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(server: LiveServer) -> AsyncIterator[Any]:
    async with playwright_api.async_playwright() as playwright:
        playwright_api.expect.set_options(timeout=TIMEOUT_MS)
        launched = await playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="session")
async def proxy(server: LiveServer) -> AsyncIterator[CuttingProxy]:
    async with CuttingProxy(int(server.url.rpartition(":")[2])) as cutting:
        yield cutting


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Any, server: LiveServer) -> AsyncIterator[Opener]:
    """Opens the page in a new profile; `phone`, `url` and options of a browser context may be given."""
    opened: list[tuple[Any, Watched]] = []

    async def open_one(*, phone: bool = False, url: str = "", path: str = "/", **options: Any) -> Any:
        context = await browser.new_context(**{"locale": "en-US", **(PHONE if phone else DESKTOP), **options})
        context.set_default_timeout(TIMEOUT_MS)
        page = await context.new_page()
        opened.append((context, Watched(page, url or server.url)))
        await page.goto((url or server.url) + path)
        return page

    yield open_one
    try:
        for _, watched in opened:
            await watched.check()
    finally:
        for context, _ in opened:
            await context.close()


@pytest.fixture
def text_file(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a text file."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return write
