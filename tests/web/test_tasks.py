"""Twenty tasks of a person, in both languages, with mouse and keyboard and on a phone: chained as people do them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pymupdf
import pytest
from playwright.async_api import expect

from settings import Settings
from tests.drawn_pictures import drawn, encoded
from tests.live_server import LiveServer, remember
from tests.standins.openai_server import Answer, OpenAIServer, Recorded, Step, ToolCall
from tests.web.conftest import Opener
from tests.web.note_tool import SENT, SPEC
from tests.web.person import Person, meet
from tests.web.steps import BOX, ended

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize(
        ("language", "phone"),
        [
            pytest.param("en", False, id="en-desktop"),
            pytest.param("zh", True, id="zh-phone"),
            pytest.param("zh", False, id="zh-desktop", marks=pytest.mark.slow),
            pytest.param("en", True, id="en-phone", marks=pytest.mark.slow),
        ],
    ),
]

SAID = {
    "en": {
        "sum": "What is 12.5% of 80?", "lease": "lease.pdf", "term": "What is the notice period?",
        "quote": "forty-five days", "sign": "sign.png",
        "look": "What does the picture say?", "sheet": "sales.csv", "rows": "Region,Sales\nNorth,1200\nSouth,1300\n",
        "total": "What is the total of Sales?", "handbook": "handbook.txt",
        "rule": "Visitors sign in at the front desk before noon.", "visit": "Where do visitors sign in?",
        "bird": "Name a bird", "other": "Name a tree", "long": "Count for me", "show": "Show code and a table",
        "draft": "half a thought", "heron": "The heron stands in the reeds", "reeds": "reeds", "title": "Waders",
        "allergy": "Remember that I am allergic to peanuts", "kept": "allergic to peanuts",
        "dinner": "Am I allergic to peanuts?", "tell": "Tell bob that I am late", "note": "I am late",
    },
    "zh": {
        "sum": "80 的 12.5% 是多少？", "lease": "租约.pdf", "term": "解除合同要提前多少天通知？",
        "quote": "四十五天", "sign": "告示.png",
        "look": "图片上写了什么？", "sheet": "销售.csv", "rows": "地区,销售额\n北,1200\n南,1300\n",
        "total": "销售额的总和是多少？", "handbook": "手册.txt",
        "rule": "访客应在中午之前到前台登记。", "visit": "访客在哪里登记？",
        "bird": "说一种鸟", "other": "说一种树", "long": "为我数数", "show": "给出代码和表格",
        "draft": "写了一半", "heron": "苍鹭站在芦苇里", "reeds": "芦苇", "title": "涉禽",
        "allergy": "请记住我对花生过敏", "kept": "对花生过敏",
        "dinner": "我对花生过敏吗？", "tell": "告诉 bob 我迟到了", "note": "我迟到了",
    },
}  # fmt: skip
PAGES = {
    "en": ("General terms of this lease.", "The notice period is forty-five days for either party."),
    "zh": ("本租约的总则。", "任何一方解除合同应提前四十五天书面通知对方。"),
}
LINES = {"en": ("Opening hours", "Closed on Sunday"), "zh": ("营业时间", "周日休息")}
CODE = "```python\nprint('hello')\n```\n\n| a | b |\n|---|---|\n| 1 | x, y |\n"
COUNT = " ".join(f"n{number}" for number in range(120))


def respond(request: Recorded) -> Step | str:
    """Answer as each task needs it; anything else is answered with the number of the call."""
    said = SAID["zh" if re.search("[一-鿿]", request.user_text) else "en"]
    if said["long"] in request.user_text:
        return Answer(COUNT, pace=0.02)
    if said["show"] in request.user_text:
        return CODE
    if said["heron"] in request.user_text:
        return f"{said['heron']}."
    if said["tell"] in request.user_text and request.messages[-1]["role"] != "tool":
        return Answer(tool_calls=[ToolCall("send_note", {"to": "bob", "text": said["note"]})])
    return f"{request.user_text} → {len(request.messages)}"


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The server as it is without any key: its bundled model answers."""
    data = tmp_path_factory.mktemp("tasks")
    with LiveServer(Settings(data_dir=data, web_search="off", ocr_threads=1, _env_file=None)) as live:
        yield live


@pytest.fixture
def prepared(server: LiveServer, model: OpenAIServer) -> Iterator[None]:
    """A model that answers, memory that is on, and a tool that asks before it is used."""
    model.respond = respond
    tools = server.app.state.backend.services.tools
    tools.set_foreign([SPEC], {})
    remember(server, True)
    yield
    remember(server, False)
    tools.set_foreign([], {})


async def test_documents_answer(
    open_page: Opener, bundled: LiveServer, tmp_path: Path, language: str, phone: bool
) -> None:
    said = SAID[language]
    person = await meet(open_page, language, phone=phone, url=bundled.url)
    page = person.page

    # 1. A first question.
    await expect(await person.ask_to_end(said["sum"])).to_contain_text("10")

    # 2. Attach a PDF, and open the quote on the picture of its page.
    await person.attach(_pdf(tmp_path / said["lease"], PAGES[language], language))
    answer = await person.ask_to_end(said["term"])
    await expect(answer).to_contain_text(said["quote"])
    await answer.locator(".cite").first.click()
    await expect(page.locator(".sheet .hit").first).to_be_in_viewport()
    await expect(page.locator(".turner")).to_contain_text("2")
    await person.close()

    # 3. Attach a picture, and ask what it says.
    await person.new_chat()
    sign = tmp_path / said["sign"]
    sign.write_bytes(
        encoded(drawn(*((20, 20 + 70 * n, line) for n, line in enumerate(LINES[language])), size=(460, 170)))
    )
    await person.attach(sign)
    answer = await person.ask_to_end(said["look"])
    await expect(answer).to_contain_text(LINES[language][1])
    await answer.locator(".cite").first.click()
    await expect(page.locator("svg.picture .hit").first).to_be_in_viewport()
    await person.close()

    # 4. Ask about a sheet: the number is computed, and one sees how.
    await person.new_chat()
    sheet = tmp_path / said["sheet"]
    sheet.write_text(said["rows"], "utf-8")
    await person.attach(sheet)
    answer = await person.ask_to_end(said["total"])
    await expect(answer.locator(".markdown").last).to_contain_text("2500")
    for fold in await answer.locator("details.tool").all():  # a specialist's calls stand inside of it
        await fold.locator("summary").first.click()
    await expect(answer.locator(".tool pre").last).to_contain_text("sum(")

    # 5. Keep a document for all conversations, and use it in this one.
    await person.new_chat()
    await person.open("library")
    handbook = tmp_path / said["handbook"]
    handbook.write_text(said["rule"], "utf-8")
    await person.panel.get_by_label(person.words["addToLibrary"]).set_input_files(str(handbook))
    await person.panel.get_by_role("button", name=person.words["actions"]).click()
    await page.get_by_role("menuitem", name=person.words["useHere"]).click()
    answer = await person.ask_to_end(said["visit"])
    await expect(page.locator("article.question .chip")).to_have_text(handbook.name)
    await answer.locator(".cite").first.click()
    await expect(page.locator(".page-text mark")).to_contain_text(said["rule"][:6])
    await person.close()
    await person.open("library")
    await person.panel.get_by_role("button", name=person.words["actions"]).click()
    await page.get_by_role("menuitem", name=person.words["remove"]).click()
    await person.button("remove", page.get_by_role("dialog")).click()
    await expect(page.locator(".receipt-notice")).to_be_visible()


@pytest.mark.usefixtures("prepared")
async def test_a_conversation_is_led(open_page: Opener, tmp_path: Path, language: str, phone: bool) -> None:
    said = SAID[language]
    person = await meet(open_page, language, phone=phone)
    page = person.page
    bubbles, versions = page.locator("article.question .bubble"), page.locator("article.question .versions")

    # 6. Edit a question, and go between its versions.
    await person.ask_to_end(said["bird"])
    await person.button("edit").click()
    editor = page.locator("article.question textarea")
    await expect(editor).to_be_focused()
    await editor.fill(said["other"])
    await person.button("send", page.locator("article.question")).click()
    await ended(page)
    await expect(person.answer).to_contain_text(said["other"])
    await expect(versions).to_contain_text("2/2")
    await person.button("previousVersion").click()
    await expect(bubbles).to_have_text([said["bird"]])
    await expect(person.answer).to_contain_text(said["bird"])
    await person.button("nextVersion").click()
    await expect(bubbles).to_have_text([said["other"]])

    # 7. Have it answered again.
    await person.button("regenerate").click()
    await expect(person.answer.locator(".versions")).to_contain_text("2/2")
    await ended(page)

    # 8. Stop an answer.
    await person.ask(said["long"])
    await expect(person.answer).to_contain_text("n3")
    await person.button("stop").click()
    await ended(page)
    await expect(person.answer).to_contain_text(person.words["stopped"])

    # 9. Copy code, and a table as CSV.
    answer = await person.ask_to_end(said["show"])
    await person.button("copy", answer.locator(".code")).click()
    await expect(answer.locator(".code")).to_contain_text(person.words["copied"])
    assert await page.evaluate("navigator.clipboard.readText()") == "print('hello')\n"
    await person.button("copyCsv", answer).click()
    await expect(answer.locator(".table-box")).to_contain_text(person.words["copied"])
    assert await page.evaluate("navigator.clipboard.readText()") == '"a","b"\r\n"1","x, y"'

    # 10. Find what was being written after a reload.
    await page.fill(BOX, said["draft"])
    await page.reload()
    await expect(page.locator(BOX)).to_have_value(said["draft"])
    await expect(person.button("send")).to_be_enabled()

    # 11. Reload in the middle of an answer, and see it go on to its end.
    await person.ask(said["long"])
    await expect(person.answer).to_contain_text("n5")
    await page.reload()
    await expect(person.answer).to_contain_text("n9")
    await ended(page)
    await expect(person.answer.locator(".markdown")).to_have_text(COUNT)

    # 12. Take the conversation along as a file.
    async with page.expect_download() as download:
        await person.choose(said["bird"], "exportMarkdown")
    await (await download.value).save_as(tmp_path / "saved.md")
    assert "print('hello')" in (tmp_path / "saved.md").read_text("utf-8")


@pytest.mark.usefixtures("prepared")
async def test_conversations_are_kept_in_order(open_page: Opener, language: str, phone: bool) -> None:
    said = SAID[language]
    person = await meet(open_page, language, phone=phone)
    page = person.page
    heron, title = f"{said['heron']} {phone}", f"{said['title']} {phone}"
    await person.ask_to_end(heron)
    await person.new_chat()
    await person.ask_to_end(said["bird"])

    # 13. Search for an old conversation by what was said in it.
    found = page.locator(".sidebar li", has_text=heron)
    await (await person.conversations()).get_by_role("searchbox").fill(said["reeds"])
    await expect(found.first.locator("small")).to_contain_text(said["reeds"])
    await found.first.locator(".session").click()
    await expect(page.locator("article.question .bubble")).to_have_text([heron])
    await (await person.conversations()).get_by_role("searchbox").fill("")

    # 14. Rename, pin and archive it.
    await person.choose(heron, "rename")
    await page.get_by_label(person.words["rename"]).fill(title)
    await page.keyboard.press("Enter")
    row = page.locator(".sidebar li", has_text=title)
    await expect(row).to_be_visible()
    await expect(page.get_by_role("heading", level=1)).to_have_text(title)
    await person.choose(title, "pin")
    pinned = page.locator(".sidebar section", has=page.get_by_role("heading", name=person.words["pinned"]))
    await expect(pinned.locator("li")).to_have_count(1)
    await person.choose(title, "archive")
    await expect(row).to_have_count(0)
    await person.button("showArchived").click()
    await expect(row).to_be_visible()

    # 15. Delete it, and read the receipt.
    await person.choose(title, "remove")
    dialog = page.get_by_role("dialog", name=person.words["confirmDelete"])
    await expect(dialog).to_contain_text(title)
    await person.button("remove", dialog).click()
    await expect(row).to_have_count(0)
    receipt = page.locator(".receipt-notice")
    await receipt.locator("summary").click()
    await expect(receipt.locator("table")).to_contain_text(person.words["before"])
    await person.button("close", receipt).click()

    # 16. Switch the language of the interface.
    await person.open("settings")
    other = {"en": "zh", "zh": "en"}[language]
    await person.panel.get_by_role("combobox", name=person.words["language"]).select_option(other)
    await expect(person.panel.get_by_role("heading", level=2)).to_have_text({"en": "Settings", "zh": "设置"}[other])
    await page.reload()
    await expect(page.locator(BOX)).to_have_attribute("placeholder", re.compile({"en": "^Ask", "zh": "^输入"}[other]))


@pytest.mark.usefixtures("prepared")
async def test_one_chooses_and_decides(open_page: Opener, model: OpenAIServer, language: str, phone: bool) -> None:
    said = SAID[language]
    person = await meet(open_page, language, phone=phone)
    page = person.page
    chips = page.locator(".choices .name")

    # 17. Choose a role.
    await person.open("role")
    await person.panel.get_by_role("radio", name=person.words["persona:teacher"]).check()
    await person.close()
    await expect(chips).to_have_text([person.words["persona:teacher"]])

    # 18. Switch tools off.
    await person.button("choices").click()
    await person.panel.get_by_label(person.words["useTools"]).uncheck()
    await person.close()
    await expect(chips).to_have_text([person.words["persona:teacher"], person.words["withoutTools"]])
    await person.ask_to_end(said["bird"])
    assert not model.chats[-1].body.get("tools")

    # 19. See what is remembered, and have it forgotten.
    await person.new_chat()
    await person.ask_to_end(said["allergy"])
    await person.open("memories")
    await expect(person.panel.locator("[data-memory]")).to_contain_text([said["kept"]])
    await person.close()
    await person.new_chat()
    answer = await person.ask_to_end(said["dinner"])
    await answer.locator(".memory").click()
    await person.panel.locator("[data-memory]").get_by_role("button", name=person.words["forget"]).click()
    await person.panel.locator("[data-memory] .danger").click()
    await expect(person.panel).to_contain_text(person.words["noMemories"])
    await person.close()

    # 20. Answer a question for approval.
    SENT.clear()
    await person.new_chat()
    await person.ask(said["tell"])
    card = page.locator(".approval")
    await expect(card).to_contain_text(said["note"])
    await person.button("approveOnce", card).click()
    await ended(page)
    await expect(card).to_have_count(0)
    assert SENT == [("bob", said["note"])]

    await _by_keys_alone(person)


async def _by_keys_alone(person: Person) -> None:
    """21. Begin, ask, read and search without touching anything else; a phone may have a keyboard, too."""
    keys, page = person.page.keyboard, person.page
    await keys.press("Control+Shift+O")
    await expect(page.locator("article")).to_have_count(0)
    await expect(page.locator(BOX)).to_be_focused()
    await keys.type("by keys alone")
    if person.phone:
        for _ in range(2):  # past the microphone
            await keys.press("Tab")
    await keys.press("Enter")
    await expect(person.answer).to_contain_text("by keys alone")
    await ended(page)
    await keys.press("Control+k")
    await expect(page.get_by_role("searchbox")).to_be_focused()
    await keys.type("by keys")
    await expect(page.locator(".sidebar li", has_text="by keys alone").first).to_be_visible()
    await keys.press("Escape")
    await page.get_by_role("heading", level=1).click()
    await keys.press("?")
    await expect(page.get_by_role("dialog", name=person.words["shortcuts"])).to_be_visible()
    await keys.press("Escape")


def _pdf(path: Path, pages: tuple[str, ...], language: str) -> Path:
    with pymupdf.open() as document:
        for text in pages:
            font = "china-s" if language == "zh" else "helv"
            document.new_page().insert_textbox(pymupdf.Rect(72, 72, 500, 400), text, fontname=font)
        document.save(path)
    return path
