"""Script injection through everything that others write: none of it runs, and nothing is fetched from elsewhere.

`open_page` checks after each test that no injected script ran, no dialog opened, no other host was asked, and that the
Content-Security-Policy had nothing to complain about, so that it is the page's own care that is seen, not the last net.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.tools import tool
from playwright.async_api import Page, expect

from domain.words import Words
from tests.drawn_pictures import drawn, encoded
from tests.live_server import LiveServer, remember
from tests.standins.openai_server import Answer, OpenAIServer, Recorded, ToolCall
from tests.web.conftest import Opener
from tests.web.steps import ask, ask_to_end, attach, open_panel, quoting
from tools.interface import ToolSpec

pytestmark = pytest.mark.browser

MARKUP = (
    "<img src=x onerror=globalThis.pwned=1><svg onload=globalThis.pwned=2></svg><script>globalThis.pwned=3</script>"
)
ATTACKS = rf"""{MARKUP}

<iframe src="javascript:parent.pwned=4"></iframe>

[a](javascript:globalThis.pwned=5) [b](https://x.example/"onmouseover="globalThis.pwned=6)
![c](https://tracker.example/a.png "t\" onerror=\"globalThis.pwned=7")
![d](data:text/html,<script>1</script>) <img class="drawn" src="https://tracker.example/f.png" onerror=pwned=14>
[e](JaVaScRiPt&colon;globalThis.pwned=8)

$\href{{javascript:globalThis.pwned=9}}{{x}}$ $\includegraphics{{https://tracker.example/b.png}}$
$$\htmlStyle{{background:url(https://tracker.example/c.png)}}{{y}}$$

```mermaid"><img src=x onerror=globalThis.pwned=10>
graph TD; A-->B
```

```html
{MARKUP}
```

<style>body {{ background: url(https://tracker.example/d.png) }}</style><link rel=stylesheet href=https://tracker.example/e.css>
<form action=https://tracker.example><input name=password></form>
<math><mi xlink:href="javascript:globalThis.pwned=11">z</mi></math>

| {MARKUP} |
|---|
| <details open ontoggle=globalThis.pwned=12> |

[1 "{MARKUP}"] [ref] <a href="data:text/html,x">f</a>

[ref]: javascript:globalThis.pwned=13
"""
FORBIDDEN = (
    "script, iframe, svg, style, link, form, input, object, embed, img, [style], [onerror], [onload], [onmouseover],"
    " a[href^=j i], a[href^=data]"
)


async def only_the_diagram_is_drawn(page: Page) -> None:
    """The diagram of ATTACKS comes as a picture, as late as its library; nothing else is there, before or after."""
    drawn = page.locator(".markdown img")
    forbidden = page.locator(".markdown").locator(FORBIDDEN.replace(" img,", " img:not([src^='data:image/svg+xml']),"))
    assert await forbidden.count() == 0
    await expect(drawn).to_have_count(1)
    assert await forbidden.count() == 0


async def test_model_output(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: ATTACKS
    page = await open_page()
    answer = await ask_to_end(page, MARKUP)
    await expect(answer.locator("math")).to_have_count(3)
    await expect(answer.locator("code.language-html .hljs-tag").first).to_be_visible()
    await only_the_diagram_is_drawn(page)
    assert await page.locator("article.question .bubble").inner_text() == MARKUP
    for link in await answer.locator(".markdown a[href]").all():
        href = str(await link.get_attribute("href"))
        assert href == "https://x.example/%22onmouseover=%22globalThis.pwned=6" or re.fullmatch(
            r"https://tracker\.example/[af]\.png", href
        )
        assert "noopener" in str(await link.get_attribute("rel"))
    await page.reload()
    await expect(page.locator("article.answer math").first).to_be_visible()
    await only_the_diagram_is_drawn(page)


async def test_session_title(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: "ok"
    page = await open_page()
    await ask_to_end(page, "a title")
    await page.locator(".sidebar li.current").get_by_role("button", name="Actions").click()
    await page.get_by_role("menuitem", name="Rename").click()
    await page.get_by_label("Rename").fill(MARKUP + "\u202egnp.exe")
    await page.get_by_label("Rename").press("Enter")
    title = page.get_by_role("heading", level=1)
    await expect(title).to_contain_text("<img src=x onerror=globalThis.pwned=1>")
    assert "\u202e" not in str(await title.text_content())
    await page.locator(".sidebar li.current").get_by_role("button", name="Actions").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await expect(page.get_by_role("dialog")).to_contain_text("<img src=x")


async def test_file_name_and_document_text(
    open_page: Opener, model: OpenAIServer, text_file: Callable[[str, str], Path]
) -> None:
    quote = "The quoted words stand here alone"
    name = "<img src=x onerror=globalThis.pwned=20> \u202efdp.exe.txt"
    model.respond = quoting(quote)
    page = await open_page()
    await attach(page, text_file(name, f"# {MARKUP}\n\n{quote}. {MARKUP}\n\n[x](javascript:globalThis.pwned=21)\n"))
    shown = page.locator(".files .chip .name")
    await expect(shown).to_contain_text("<img src=x onerror=globalThis.pwned=20>")
    assert "\u202e" not in str(await shown.text_content())
    answer = await ask_to_end(page, "What are the quoted words?")
    await answer.locator(".cite").click()
    await expect(page.locator(".page-text mark")).to_have_text(quote)
    assert await page.locator(".page-text").locator(FORBIDDEN).count() == 0
    assert "\u202e" not in str(await page.locator(".panel").text_content())
    await page.reload()
    await expect(page.locator("article.question .chip")).to_contain_text("<img src=x")


async def test_markdown_document(open_page: Opener, model: OpenAIServer, text_file: Callable[[str, str], Path]) -> None:
    model.respond = lambda _: "ok"
    page = await open_page()
    await attach(page, text_file("attack.md", ATTACKS))
    await ask_to_end(page, "read it")
    await page.locator("article.question .chip").click()
    await expect(page.locator(".page-text")).to_contain_text("graph TD")
    assert await page.locator(".page-text").locator(FORBIDDEN).count() == 0


async def test_ocr_text(open_page: Opener, model: OpenAIServer, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(
        encoded(drawn((15, 20, "<img src=x onerror=alert(1)>"), (15, 90, "<script>alert(2)</script>"), size=(620, 160)))
    )
    model.respond = lambda _: "ok"
    page = await open_page()
    await attach(page, path)
    await ask_to_end(page, "What is written there?")
    await page.locator("article.question .chip").click()
    await expect(page.locator(".page-text")).to_contain_text("onerror")
    assert await page.locator(".page-text").locator(FORBIDDEN).count() == 0


async def test_page_title_and_address_of_a_web_source(open_page: Opener, tmp_path: Path) -> None:
    base = {"start": 0, "end": 4, "quote": MARKUP, "verified": True, "name": f"Title {MARKUP}"}
    citations = [
        {"number": 1, "url": "javascript:globalThis.pwned=30", **base},
        {"number": 2, "url": "https://example.org/?q=<img src=x onerror=globalThis.pwned=31>", **base},
    ]
    messages = [
        {"role": "user", "text": "q"},
        {"role": "assistant", "text": "a [1] b [2]", "citations": citations, "warnings": [MARKUP], "reasoning": MARKUP},
    ]
    path = tmp_path / "session.json"
    path.write_text(json.dumps({"title": MARKUP, "messages": messages}))
    page = await open_page()
    await page.get_by_label("Import a conversation").set_input_files(str(path))
    await page.locator("article.answer .cite").first.click()
    await expect(page.locator(".place")).to_contain_text("javascript:globalThis.pwned=30")
    assert await page.locator(".place a").get_attribute("href") is None
    await page.locator("article.answer .cite").last.click()
    await expect(page.locator(".place a")).to_have_attribute(
        "href", re.compile(re.escape(str(citations[1]["url"])) + "#:~:text=%3Cimg")
    )
    assert await page.locator(".panel").locator("img, script, iframe, [onerror]").count() == 0


async def test_sheet_cells_and_what_the_library_says_of_a_file(
    open_page: Opener, model: OpenAIServer, text_file: Callable[[str, str], Path]
) -> None:
    model.respond = lambda _: "ok"
    page = await open_page()
    panel = page.locator(".panel")
    await attach(page, text_file("cells.csv", f'{MARKUP},Sales\n"=1+1 {MARKUP}",needle\n'))
    await ask_to_end(page, "read the cells")
    await page.locator("article.question .chip").click()
    await expect(panel.locator(".page-text td").first).to_contain_text("<img src=x onerror=globalThis.pwned=1>")
    await panel.get_by_role("searchbox").fill("needle")
    found = panel.locator("li", has_text="onerror").first
    await expect(found).to_be_visible()
    await found.get_by_role("button").click()
    await expect(panel.locator("mark").first).to_be_visible()
    assert await panel.locator(".page-text").locator(FORBIDDEN).count() == 0
    await panel.get_by_role("searchbox").fill("")
    await panel.get_by_role("button", name="Actions: cells.csv").click()
    await page.get_by_role("menuitem", name="Rename").click()
    await panel.get_by_label("Rename").fill(f"{MARKUP}.csv".replace("/", " "))
    await page.keyboard.press("Enter")
    row = panel.locator("li.file", has_text="<img src=x onerror")
    await row.get_by_role("button", name="Actions").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await expect(page.get_by_role("dialog")).to_contain_text("<img src=x onerror")
    assert await page.locator("li.file, dialog").locator("img, script, [onload], [onerror]").count() == 0


@tool
async def hostile(text: str) -> str:
    """Say <img src=x onerror=globalThis.pwned=40>."""
    return f"{MARKUP} {text}"


async def test_tools_their_results_and_thoughts(open_page: Opener, model: OpenAIServer, server: LiveServer) -> None:
    tools = server.app.state.backend.services.tools
    tools.set_foreign([ToolSpec(tool=hostile, title=Words(MARKUP, MARKUP), permission="read")], {})

    def respond(request: Recorded) -> Answer:
        if request.messages[-1]["role"] == "tool":
            return Answer("done", reasoning=MARKUP)
        return Answer(MARKUP, reasoning=MARKUP, tool_calls=[ToolCall("hostile", {"text": MARKUP})])

    try:
        model.respond = respond
        page = await open_page()
        answer = await ask_to_end(page, "use it")
        for _ in range(2):  # live, and again from what was kept
            for fold in await answer.locator("details").all():
                await fold.locator("summary").click()
            for place in (".reasoning div", ".tool summary", ".tool pre", ".step .markdown"):
                await expect(answer.locator(place).first).to_contain_text("<img src=x onerror=globalThis.pwned=1>")
            await answer.get_by_role("button", name="Details").click()
            await expect(page.locator(".panel .tool summary")).to_contain_text("<script>")
            assert await page.locator(".panel, article").locator("img, script, [onload], [onerror]").count() == 0
            await page.reload()
        await page.get_by_role("button", name="For this conversation").click()
        await expect(page.locator(".panel fieldset")).to_contain_text("<script>")
    finally:
        tools.set_foreign([], {})


async def test_memories(open_page: Opener, model: OpenAIServer, server: LiveServer) -> None:
    model.respond = lambda _: "ok"
    remember(server, True)
    try:
        page = await open_page()
        await open_panel(page, "Memory")
        await page.get_by_label("Something to remember").fill(f"My pet is a walrus {MARKUP}")
        await page.get_by_role("button", name="Add", exact=True).click()
        item = page.locator("[data-memory]")
        await expect(item).to_contain_text("walrus <img src=x onerror=globalThis.pwned=1>")
        answer = await ask_to_end(page, "Is my pet a walrus?")
        await expect(answer.locator(".memory")).to_contain_text("walrus <img src=x")
        await item.get_by_role("button", name="Forget").click()
        await item.locator(".danger").click()
        await expect(item).to_have_count(0)
    finally:
        remember(server, False)


async def test_errors_and_names_of_roles(
    open_page: Opener, model: OpenAIServer, text_file: Callable[[str, str], Path]
) -> None:
    model.respond = lambda _: "ok"
    page = await open_page()
    await ask_to_end(page, "a conversation with a role")
    body = json.dumps({"error": {"code": "x", "message": MARKUP, "remedy": f"Or {MARKUP}"}})

    async def refuse(route: Any) -> None:
        await route.fulfill(status=400, content_type="application/json", body=body)

    for path in ("chat/stream", "documents", "sessions/*/branch"):
        await page.route(f"**/api/v1/{path}", refuse)
    await page.set_input_files(".composer input[type=file]", [str(text_file("no.txt", "x"))])
    await expect(page.locator(".files .chip.failed")).to_contain_text("<img src=x")
    await page.get_by_role("button", name="Remove no.txt").click()
    await page.get_by_role("button", name="Branch from here").click()
    await expect(page.locator(".notice")).to_contain_text("<img src=x")
    answer = await ask(page, "fails")
    await expect(answer.get_by_role("alert")).to_contain_text("Or <img src=x")
    await page.evaluate(
        "(name) => localStorage.choices = JSON.stringify({ [new URLSearchParams(location.search).get('s')]:"
        " { persona: name, model: name, agent: name } })",
        MARKUP,
    )
    await page.reload()
    await expect(page.locator("header .role")).to_contain_text("<img src=x")
    await expect(page.locator(".choices .name")).to_contain_text(["<img src=x"] * 3)
    assert await page.locator("header, .choices, article").locator("img, script, [onerror], [onload]").count() == 0
