"""Talking on the page: streams, Markdown, what can be done with an answer, the panels."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from graph.builder import build_graph
from tests.standins.openai_server import Answer, Failure, OpenAIServer
from tests.web.conftest import Opener
from tests.web.probes import COUNT_BLOCKS_DRAWN
from tests.web.steps import BOX, ask, ask_to_end, attach, ended, open_panel

pytestmark = pytest.mark.browser

RICH = r"""## Results

The mean is $\bar{x} = \frac{1}{n}\sum x_i$ and costs $5 to $10.

$$
a^2 + b^2
= c^2
$$

| Model | Accuracy |
|:------|---------:|
| base | 81.2 % |

```python
def f(x: int) -> int:
    return x[0]
```

- [x] done
"""


async def test_rich_answer_is_drawn(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: Answer(RICH, pace=0.005)
    page = await open_page()
    answer = await ask_to_end(page, "show me")
    await expect(answer.locator("h2")).to_have_text("Results")
    await expect(answer.locator("math")).to_have_count(2)
    await expect(answer.locator("math[display=block] msup")).to_have_count(3)
    assert "costs $5 to $10" in await answer.inner_text()
    await expect(answer.locator("td[align=right]")).to_have_text("81.2 %")
    await expect(answer.locator("code .hljs-keyword").first).to_have_text("def")
    assert "☑" in await answer.inner_text()
    await expect(answer.locator(".cite")).to_have_count(0)
    assert await answer.locator(".usage").inner_text() != ""


async def test_stop_keeps_what_was_said(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: Answer("word " * 400, pace=0.05)
    page = await open_page()
    answer = await ask(page, "go on for long")
    await expect(answer).to_contain_text("word word word")
    await page.get_by_role("button", name="Stop", exact=True).click()
    await ended(page)
    await expect(answer).to_contain_text("Stopped: this answer is incomplete.")
    await expect(answer.locator(".mark")).to_have_count(1)
    assert 3 <= (await answer.inner_text()).count("word") < 400
    await page.reload()
    await expect(page.locator("article.answer")).to_contain_text("Stopped: this answer is incomplete.")


async def test_versions_of_questions_and_answers(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda request: Answer(f"echo {request.user_text} {len(model.chats)}")
    page = await open_page()
    await ask_to_end(page, "first")
    answer = await ask_to_end(page, "second")
    before = await answer.locator(".markdown").inner_text()
    await answer.get_by_role("button", name="Answer again").click()
    await expect(answer.locator(".markdown")).not_to_have_text(before)
    await ended(page)
    await expect(page.locator("article.question")).to_have_count(2)
    await expect(answer.locator(".versions")).to_have_text("‹2/2›")
    await answer.get_by_role("button", name="Previous version").click()
    await expect(answer.locator(".markdown")).to_have_text(before)

    await page.get_by_role("button", name="Edit").first.click()
    editor = page.locator("article.question textarea")
    await expect(editor).to_be_focused()
    await expect(editor).to_have_value("first")
    await editor.fill("changed")
    await editor.press("Enter")
    await ended(page)
    await expect(page.locator("article.question .bubble")).to_have_text(["changed"])
    await expect(page.locator("article.answer")).to_contain_text("echo changed")
    await page.reload()
    await expect(page.locator("article.question .bubble")).to_have_text(["changed"])
    versions = page.locator("article.question .versions")
    await expect(versions).to_have_text("‹2/2›")
    await page.get_by_role("button", name="Previous version").click()
    await expect(page.locator("article.question .bubble")).to_have_text(["first", "second"])
    await ask_to_end(page, "third")
    said = [message["content"] for message in model.chats[-1].body["messages"] if message["role"] == "user"]
    assert said == ["first", "second", "third"], "the model remembers the version that is shown"
    await page.get_by_role("button", name="Next version").first.click()
    await expect(page.locator("article.question .bubble")).to_have_text(["changed"])

    address = page.url
    await page.get_by_role("button", name="Branch from here").click()
    await expect(page.locator(".notice")).to_contain_text("A new conversation goes on from there.")
    assert page.url != address
    await expect(page.get_by_role("heading", level=1)).to_have_text("first (2)")
    await ask_to_end(page, "only in the branch")
    await page.goto(address)
    await expect(page.locator("article.question .bubble")).to_have_text(["changed"])


async def test_drafts_stay_with_their_conversation(
    open_page: Opener, model: OpenAIServer, text_file: Callable[[str, str], Path]
) -> None:
    model.respond = lambda _: "ok"
    page = await open_page()
    await ask_to_end(page, "talk with a draft")
    address = page.url
    await page.fill(BOX, "half a sent")
    await page.get_by_role("button", name="New chat").click()
    await expect(page.locator(BOX)).to_have_value("")
    await attach(page, text_file("begun.txt", "The keys are with Mr Osei."))
    await page.fill(BOX, "where are the keys")
    await page.get_by_role("button", name="Role").click()
    await page.get_by_role("radio", name="teacher").check()
    await page.reload()
    await expect(page.locator(BOX)).to_have_value("where are the keys")
    await expect(page.locator("header .role")).to_have_text("teacher")
    await expect(page.locator(".files .chip.ready")).to_contain_text("begun.txt")
    await page.goto(address)
    await expect(page.locator(BOX)).to_have_value("half a sent")
    await expect(page.locator(".files .chip")).to_have_count(0)
    await page.get_by_role("button", name="New chat").click()
    await page.get_by_role("button", name="Remove begun.txt").click()
    await expect(page.locator(".files .chip")).to_have_count(0)
    await page.reload()
    await expect(page.locator(BOX)).to_have_value("where are the keys")
    await expect(page.locator(".files .chip")).to_have_count(0)
    await ask_to_end(page, "sent")
    await page.reload()
    await expect(page.locator(BOX)).to_have_value("")


async def test_an_upload_that_failed_is_tried_again(open_page: Opener, text_file: Callable[[str, str], Path]) -> None:
    page = await open_page()
    await page.route("**/api/v1/documents", lambda route: route.abort(), times=1)
    await page.set_input_files(".composer input[type=file]", [str(text_file("again.txt", "text"))])
    await expect(page.locator(".files .chip.failed")).to_be_visible()
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(".files .chip.ready")).to_be_visible()


async def test_two_tabs_stay_in_step(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: "ok"
    first = await open_page()
    await ask_to_end(first, "said in one tab")
    second = await first.context.new_page()
    await second.goto(first.url)
    await expect(second.locator("article.answer")).to_have_count(1)
    await ask_to_end(second, "said in the other")
    await expect(first.locator("article.question .bubble")).to_have_text(["said in one tab", "said in the other"])
    await ask_to_end(first, "and on")
    await expect(second.locator("article.question")).to_have_count(3)
    await expect(first.locator(".versions")).to_have_count(0)


async def test_system_prompt_reaches_the_model(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: "ok"
    page = await open_page()
    await page.get_by_role("button", name="Role").click()
    await page.get_by_label("System prompt").fill("Speak like a pirate")
    await page.get_by_role("textbox", name="System prompt").blur()
    await expect(page.locator(".choices")).to_have_text("System prompt")
    await ask_to_end(page, "hello")
    assert "Speak like a pirate" in model.chats[-1].text
    await page.reload()
    await page.get_by_role("button", name="Take back").click()
    await ask_to_end(page, "hello again")
    assert "Speak like a pirate" not in model.chats[-1].text


async def test_a_role_holds_for_its_conversation_alone(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: "ok"
    page = await open_page()
    await page.get_by_role("button", name="Role").click()
    await page.get_by_role("radio", name="teacher").check()
    await ask_to_end(page, "teach me")
    assert "patient teacher" in model.chats[-1].text
    await expect(page.locator("header .role")).to_have_text("teacher")
    await page.get_by_role("button", name="New chat").click()
    await expect(page.locator("header .role")).to_have_text("No role")
    await page.go_back()
    await expect(page.locator("header .role")).to_have_text("teacher")


async def test_back_closes_what_is_open(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: "ok"
    page = await open_page(phone=True)
    await page.fill(BOX, "panels are places to come back from")
    await page.get_by_role("button", name="Send").click()
    await ended(page)
    address = page.url
    await page.get_by_role("button", name="Documents").click()
    await expect(page.locator(".panel")).to_be_visible()
    await page.go_back()
    await expect(page.locator(".panel")).to_have_count(0)
    assert page.url == address
    await page.go_forward()
    await expect(page.get_by_role("heading", name="Documents")).to_be_visible()
    await page.locator(".panel").get_by_role("button", name="Close").click()
    await page.get_by_role("button", name="Conversations").click()
    await page.get_by_role("button", name="New chat").click()
    await expect(page.locator("article")).to_have_count(0)
    await page.go_back()
    await expect(page.locator("article")).to_have_count(2)
    await expect(page.locator(".frame.with-menu")).to_have_count(0)


async def test_settings_tell_what_is_in_use(open_page: Opener) -> None:
    page = await open_page()
    await page.get_by_role("button", name="Model").click()
    parts = page.locator(".parts li")
    await expect(parts.filter(has_text="Language model")).to_contain_text("stand-in")
    await expect(parts.filter(has_text="Embeddings")).to_contain_text("bundled")
    await expect(parts.filter(has_text="Vision model")).to_contain_text("not set up")
    await expect(parts.filter(has_text="OCR")).to_contain_text("PaddleOCR")


async def test_the_graph_lights_up(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: Answer("word " * 60, pace=0.05)
    page = await open_page()
    await open_panel(page, "Details")
    await ask(page, "light up")
    await expect(page.locator("g.active")).to_have_attribute("data-node", "generate_answer")
    await expect(page.locator("g.past[data-node=select_tools]")).to_have_count(1)
    await ended(page)
    await expect(page.locator("g.active")).to_have_count(0)
    await expect(page.locator("g.past[data-node=generate_answer]")).to_have_count(1)
    taken = page.locator(".edge.past")
    await expect(taken).to_have_count(2)
    await expect(page.locator("g.past[data-node=verify_citations]")).to_have_count(0)
    await expect(page.locator(".activity li").filter(has_text="Answer")).to_contain_text("s")


async def test_the_drawing_is_the_graph(open_page: Opener) -> None:
    drawn = build_graph().get_graph()
    names = {name for name in drawn.nodes if not name.startswith("__")}
    page = await open_page()
    await open_panel(page, "Details")
    await expect(page.locator("[data-node]")).to_have_count(len(names))
    shown = await page.locator("[data-node]").evaluate_all("nodes => nodes.map(node => node.dataset.node)")
    assert set(shown) == names
    assert await page.locator(".edge").count() == len(
        [edge for edge in drawn.edges if edge.source in names and edge.target in names]
    )
    await expect(page.locator("[data-node=select_tools] text")).to_have_text("Choose tools")
    assert await page.evaluate(OVERLAPS) == []
    await open_panel(page, "Settings")
    await page.get_by_label("Language").select_option("zh")
    await open_panel(page, "详情", more="更多")
    await expect(page.locator("[data-node=select_tools] text")).to_have_text("选择工具")


OVERLAPS = """() => {
  const boxes = [...document.querySelectorAll("[data-node] rect")].map((rect) => rect.getBBox());
  return boxes.flatMap((a, i) => boxes.slice(i + 1)
    .filter((b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height));
}"""


async def test_a_long_answer_is_not_parsed_for_every_token(open_page: Opener, model: OpenAIServer) -> None:
    text = "".join(f"Paragraph **{n}** with `code` and words to fill it up. " * 4 + "\n\n" for n in range(100))
    model.respond = lambda _: Answer(text, pace=0.0005)
    page = await open_page()
    await page.evaluate(COUNT_BLOCKS_DRAWN)
    answer = await ask_to_end(page, "a long one")
    assert "Paragraph 99" in await answer.inner_text()
    pieces = len(text) / 6
    assert await page.evaluate("globalThis.drawn") < pieces / 4


async def test_a_failed_answer_says_why(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: Failure(400, message="no")
    page = await open_page()
    answer = await ask_to_end(page, "fail")
    await expect(answer.get_by_role("alert")).to_contain_text("The language model does not answer")
    model.respond = lambda _: "now it works"
    await answer.get_by_role("button", name="Answer again").click()
    await expect(answer).to_contain_text("now it works")


async def test_chinese_interface(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: "好的"
    page = await open_page(locale="zh-CN")
    assert await page.evaluate("document.documentElement.lang") == "zh-CN"
    await expect(page.locator(BOX)).to_have_attribute("placeholder", "输入问题，或把文件、图片拖到这里")
    await ask_to_end(page, "你好")
    await page.get_by_role("button", name="模型").click()
    parts = page.locator(".parts li")
    await expect(parts.first).to_be_visible()
    await expect(parts.locator("small", has_text=re.compile("[一-鿿]"))).to_have_count(await parts.count())
    await expect(parts.filter(has_text="嵌入模型").locator(".state", has_text="内置")).to_have_count(1)
    await open_panel(page, "设置", more="更多")
    await page.get_by_role("combobox", name="语言").select_option("en")
    await expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    await page.get_by_role("button", name="Model").click()
    await expect(parts.locator("small", has_text=re.compile("[一-鿿]"))).to_have_count(0, timeout=20_000)
    await expect(parts.locator("small")).to_have_count(11)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.reload()
    await expect(page.locator(BOX)).to_have_attribute("placeholder", "Ask something, or drop files and pictures here")
    assert await page.evaluate("document.documentElement.lang") == "en"
    await expect(page.locator("article.answer")).to_be_visible()
    assert not any("words_zh" in url for url in asked), "the server knows of the choice"
    await page.get_by_role("button", name="Model").click()
    await expect(parts.filter(has_text="Language model").locator(".state", has_text="bundled")).to_have_count(0)
    await expect(page.locator("article.answer").get_by_role("button", name="Copy")).to_be_visible()


async def test_no_word_is_missing_in_either_language(open_page: Opener) -> None:
    page = await open_page()
    missing: Any = await page.evaluate(
        """async () => {
          const load = async (name) => (await import(`./js/${name}.js`)).WORDS;
          const lacks = (a, b) => Object.keys(a).filter((key) => !(key in b));
          const pairs = ["words", "more_words"].map((name) => Promise.all([load(`${name}_en`), load(`${name}_zh`)]));
          const [first, more] = await Promise.all(pairs);
          return [...[first, more].flatMap(([en, zh]) => [...lacks(en, zh), ...lacks(zh, en)]),
            ...Object.keys(first[0]).filter((key) => key in more[0])];
        }"""
    )
    assert missing == []
