"""Keyboard, screen readers, phones, colours, motion."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.standins.openai_server import Answer, OpenAIServer
from tests.web.conftest import Opener
from tests.web.probes import CONTRAST, COVERED, FOCUS_IS_SEEN, FOCUSED, UNMARKED, UNNAMED
from tests.web.steps import BOX, ask_to_end, ended, open_panel

pytestmark = pytest.mark.browser

RICH = """Some **text** with a [link](https://example.org), `code`:

```python
for x in "abc": print(1)  # note
```

| a | b |
|---|---|
| 1 | 2 |

> quoted"""


async def focused(page: Any) -> str:
    return str(await page.evaluate(FOCUSED))


async def test_by_keyboard_alone(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: "hello there"
    page = await open_page()
    await expect(page.locator(".welcome")).to_be_visible()
    await expect(page.locator(BOX)).to_be_focused()
    await page.locator(".skip").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.type("by keyboard")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("second line")
    await page.keyboard.press("Enter")
    await expect(page.locator("article.answer .actions")).to_be_visible()
    assert await page.locator(".bubble").inner_text() == "by keyboard\nsecond line"
    await expect(page.locator(BOX)).to_be_focused()

    await page.get_by_role("button", name="More").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("End")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Settings")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator(".panel")).to_have_count(0)
    await expect(page.get_by_role("button", name="More")).to_be_focused()

    actions = page.locator(".sidebar li.current").get_by_role("button", name="Actions")
    await actions.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem", name="Rename")).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("menu")).to_have_count(0)
    await expect(actions).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("End")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.locator("article")).to_have_count(2)


async def test_tab_goes_round_without_a_trap(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: RICH
    page = await open_page()
    await ask_to_end(page, "something to tab through")
    await open_panel(page, "Settings")
    await expect(page.get_by_role("heading", name="Settings")).to_be_focused()
    await expect(page.get_by_label("Theme")).to_be_visible()
    order: list[str] = []
    invisible: list[str] = []
    for _ in range(120):
        await page.keyboard.press("Tab")
        order.append(await focused(page))
        shown = await page.evaluate(FOCUS_IS_SEEN)
        if not shown:
            invisible.append(order[-1])
        if len(order) > 20 and order[-1] == order[0]:
            break
    assert order[0] in order[1:], "the focus never came round again"
    for name in (
        "New chat",
        "Search conversations and files",
        "Role",
        "Messages",
        "Answer again",
        "Attach files",
        "Theme",
    ):
        assert any(name in stop for stop in order), f"{name} cannot be reached"
    assert invisible == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_names_and_contrast(open_page: Opener, model: OpenAIServer, scheme: str) -> None:
    model.respond = lambda _: RICH
    page = await open_page(color_scheme=scheme)
    await ask_to_end(page, "show colours")
    await expect(page.locator(".hljs-keyword").first).to_be_visible()
    for panel in ("Documents", "Model", "Role", "Details", "Settings"):
        if panel in ("Details", "Settings"):
            await open_panel(page, panel)
        else:
            await page.locator("header").get_by_role("button", name=panel).click()
        await expect(page.get_by_role("heading", name=panel, exact=True)).to_be_visible()
        assert await page.evaluate(UNNAMED) == []
        assert await page.evaluate(CONTRAST) == []


AXE = gzip.decompress((Path(__file__).parent / "axe-core-4.14.1.min.js.gz").read_bytes()).decode()
"""axe-core (Deque Systems, MPL-2.0), as its npm package has it."""
CHECK = """async () => (await axe.run({ resultTypes: ["violations"] })).violations
  .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`)"""


@pytest.mark.parametrize(("phone", "scheme", "locale"), [(False, "light", "en-US"), (True, "dark", "zh-CN")])
async def test_axe_finds_nothing(open_page: Opener, model: OpenAIServer, phone: bool, scheme: str, locale: str) -> None:
    model.respond = lambda _: (
        RICH + "\n\n```mermaid\ngraph TD\n A --> B\n```\n\n<details><summary>m</summary>\n\nx\n</details>\n"
    )
    page = await open_page(phone=phone, color_scheme=scheme, locale=locale)
    await page.evaluate(AXE)
    assert await page.evaluate(CHECK) == []
    await page.fill(BOX, "show all")
    await page.locator(".composer [type=submit]").click()
    await ended(page)
    await expect(page.locator("img.drawn")).to_be_visible(timeout=20_000)
    assert await page.evaluate(CHECK) == []
    openers = (
        ".role",
        "header .model",
        "header > .icon:not(.menu-button, [aria-haspopup])",
        ".composer .row > button.icon",
    )
    for opener in openers:
        await page.locator(opener).first.click()
        await expect(page.locator(".panel h2")).to_be_focused()
        await page.wait_for_timeout(300)
        assert await page.evaluate(CHECK) == [], opener
        await page.keyboard.press("Escape")


async def test_at_200_percent(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: RICH
    page = await open_page(reduced_motion="reduce")
    await ask_to_end(page, "large")
    zoom = await page.context.new_cdp_session(page)
    # What the zoom of a browser does: half as many pixels of CSS on the same screen, each twice as large.
    zoomed = {"width": 640, "height": 400, "deviceScaleFactor": 2, "mobile": False}
    await zoom.send("Emulation.setDeviceMetricsOverride", zoomed)
    assert await page.evaluate("[innerWidth, devicePixelRatio]") == [640, 2]

    async def check(where: str) -> None:
        assert await page.evaluate("document.documentElement.scrollWidth") <= 640, where
        assert await page.evaluate(COVERED) == [], where

    await check("conversation")
    await expect(page.locator(BOX)).to_be_in_viewport(ratio=1)
    await page.get_by_role("button", name="Conversations").click()
    await expect(page.get_by_role("button", name="New chat")).to_be_focused()
    await check("list")
    await page.keyboard.press("Escape")
    for panel in ("Role", "Model", "Settings"):
        if panel == "Settings":
            await open_panel(page, panel)
        else:
            await page.locator("header").get_by_role("button", name=panel).click()
        await expect(page.get_by_role("heading", name=panel, exact=True)).to_be_focused()
        await check(panel)
        await page.keyboard.press("Escape")
        await expect(page.locator(".panel")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_in_forced_colours(open_page: Opener, model: OpenAIServer, scheme: str) -> None:
    model.respond = lambda _: RICH
    page = await open_page(forced_colors="active", color_scheme=scheme)
    await ask_to_end(page, "without backgrounds")
    assert await page.evaluate("matchMedia('(forced-colors: active)').matches")
    await expect(page.locator(".hljs-keyword").first).to_be_visible()
    good = page.get_by_role("button", name="Good answer")
    await good.click()
    await expect(good).to_have_attribute("aria-pressed", "true")
    await page.locator("header .role").click()
    await expect(page.get_by_role("heading", name="Role", exact=True)).to_be_focused()
    found = await page.evaluate(UNMARKED)
    assert found["unmarked"] == [] and found["kinds"] >= 7 and found["chosen"] >= 3, found
    assert await page.evaluate(CONTRAST) == []
    await page.keyboard.press("Tab")
    assert await page.evaluate(FOCUS_IS_SEEN)


async def test_phone(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: RICH + "\n\n" + "a_very_long_word_without_a_break_" * 8
    page = await open_page(phone=True, reduced_motion="reduce")
    answer = await ask_to_end_by_button(page, "on the phone")
    await expect(answer).to_contain_text("quoted")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await page.get_by_role("button", name="Conversations").click()
    await expect(page.get_by_role("button", name="New chat")).to_be_focused()
    await page.locator("nav").get_by_role("button", name="Close", exact=True).click()
    await expect(page.get_by_role("button", name="New chat")).to_be_hidden()
    await expect(page.get_by_role("button", name="Conversations")).to_be_focused()
    await open_panel(page, "Settings")
    box = await page.locator(".panel").bounding_box()
    assert box and box["width"] == 390
    assert await page.evaluate("document.querySelector('main').inert")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await page.locator(".panel").get_by_role("button", name="Close").click()
    await expect(page.get_by_role("button", name="More")).to_be_focused()


async def ask_to_end_by_button(page: Any, text: str) -> Any:
    await page.fill(BOX, text)
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("article.answer .actions")).to_be_visible()
    return page.locator("article.answer").last


async def test_reduced_motion(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: Answer("slow " * 100, pace=0.05)
    page = await open_page(reduced_motion="reduce")
    await page.fill(BOX, "wait")
    await page.press(BOX, "Enter")
    await expect(page.locator(".dot")).to_be_visible()
    assert await page.evaluate("document.getAnimations().length") == 0
    await page.get_by_role("button", name="Stop", exact=True).click()
    await expect(page.locator("article.answer .actions")).to_be_visible()


async def test_theme_is_kept(open_page: Opener) -> None:
    page = await open_page()
    await open_panel(page, "Settings")
    await page.get_by_role("combobox", name="Theme").select_option("dark")
    dark = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    await page.reload()
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == dark == "rgb(21, 24, 22)"


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
async def test_the_hint_in_the_message_box_fits_a_phone(open_page: Opener, locale: str) -> None:
    page = await open_page(phone=True, locale=locale)
    hint, room = await page.locator(BOX).evaluate(
        """(box) => {
            const pen = document.createElement("canvas").getContext("2d");
            pen.font = getComputedStyle(box).font;
            return [pen.measureText(box.placeholder).width, box.clientWidth];
        }"""
    )
    assert 0 < hint < room
