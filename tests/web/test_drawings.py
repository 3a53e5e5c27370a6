"""What answers draw: diagrams, pictures, tables to take along, notes, folds, both directions of reading."""

from __future__ import annotations

import httpx
import pytest
from playwright.async_api import expect

from tests.live_server import LiveServer
from tests.standins.openai_server import OpenAIServer
from tests.web.conftest import Opener
from tests.web.steps import ask_to_end

pytestmark = pytest.mark.browser

DIAGRAM = "```mermaid\ngraph TD\n  A[Question] --> B{Documents?}\n  B -->|yes| C[<b>Search</b><br>all]\n```\n"
HOSTILE = """```svg
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><script>parent.pwned = 30</script>
<image href="https://tracker.example/x.png" width="9" height="9"/>
<rect width="40" height="40" fill="#246" onload="globalThis.pwned=31"/></svg>
```

```mermaid
graph TD
  A["Go <img src=x onerror=parent.pwned=32>"] --> B
  click B "javascript:parent.pwned=33"
```

```mermaid
this is no diagram <script>parent.pwned=34</script>
```
"""
TABLE = '| Region | Sales |\n|---|---:|\n| East, "old" | 1,240 |\n| =SUM(A1) | -5 |\n'
RICH = f"""A claim[^1] and $\\begin{{pmatrix}} 1 & 2 \\\\ 3 & 4 \\end{{pmatrix}}$.

{TABLE}
![a chart](https://tracker.example/chart.png)

<details><summary>More <b>of it</b></summary>

Hidden **words**, and `code`.

</details>

مرحبا بالعالم، هذا نص.

English after Arabic.

[^1]: The note *itself*.
"""


async def test_diagrams_are_drawn_and_their_code_is_a_click_away(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: DIAGRAM
    page = await open_page()
    answer = await ask_to_end(page, "draw it")
    drawing = answer.get_by_role("img", name="Diagram: graph TD")
    await expect(drawing).to_be_visible(timeout=20_000)
    assert await drawing.evaluate("image => image.naturalHeight") > 150
    await expect(answer.locator("pre")).to_be_hidden()
    await answer.get_by_role("button", name="Code").click()
    await expect(answer.locator("pre")).to_contain_text("A[Question]")
    assert await page.locator("iframe").get_attribute("sandbox") == "allow-scripts"


async def test_drawings_run_nothing_and_load_nothing(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: HOSTILE
    page = await open_page()
    answer = await ask_to_end(page, "attack")
    await expect(answer.locator("img.drawn")).to_have_count(2, timeout=20_000)
    await expect(answer.locator("pre:visible")).to_contain_text("this is no diagram")
    # `open_page` checks that nothing ran and that no other host was asked.


async def test_a_table_is_copied_as_csv(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: TABLE
    page = await open_page(permissions=["clipboard-read", "clipboard-write"])
    answer = await ask_to_end(page, "a table")
    await answer.get_by_role("button", name="Copy as CSV").click()
    await expect(answer.get_by_role("button", name="Copied")).to_be_visible()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied.splitlines() == ['"Region","Sales"', '"East, ""old""","1,240"', '"\'=SUM(A1)","-5"']


async def test_notes_folds_links_and_directions(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: RICH
    page = await open_page()
    answer = await ask_to_end(page, "everything")
    await answer.get_by_role("button", name="Note 1").click()
    await expect(answer.locator(".note-text")).to_be_focused()
    await expect(answer.locator(".note-text em")).to_have_text("itself")
    fold = answer.locator(".markdown details")
    await expect(fold.locator("strong")).to_be_hidden()
    await fold.locator("summary").click()
    await expect(fold.locator("strong")).to_have_text("words")
    link = answer.get_by_role("link", name="a chart")
    assert await link.get_attribute("href") == "https://tracker.example/chart.png"
    assert await answer.locator(".markdown img").count() == 0
    sides = await answer.locator(".markdown p").evaluate_all(
        """paragraphs => paragraphs.map((paragraph) => {
            const range = document.createRange(), box = paragraph.getBoundingClientRect();
            range.selectNodeContents(paragraph);
            const text = range.getBoundingClientRect();
            return [paragraph.textContent, text.left - box.left < box.right - text.right ? "left" : "right"];
        })"""
    )
    assert ["مرحبا بالعالم، هذا نص.", "right"] in sides and ["English after Arabic.", "left"] in sides
    await expect(answer.locator("math")).to_be_visible()
    await page.evaluate("document.fonts.ready")
    assert await page.evaluate("[...document.fonts].some((font) => font.status === 'loaded')")


async def test_the_frame_of_diagrams_has_no_origin(server: LiveServer) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        policy = (await http.get("/diagram.html")).headers["content-security-policy"]
        large = await http.get("/vendor/mermaid-11.17.2.js")
    assert "sandbox allow-scripts" in policy and "connect-src" not in policy and policy.startswith("default-src 'none'")
    assert large.headers["content-encoding"] == "gzip" and b"globalThis" in large.content
