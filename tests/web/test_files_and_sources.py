"""Files on the page: chosen, dropped, pasted, protected; and the places in them that answers quote."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from playwright.async_api import expect

from tests.drawn_pictures import drawn, encoded
from tests.readers import samples
from tests.standins.openai_server import OpenAIServer
from tests.web.conftest import Opener
from tests.web.probes import GIVE_FILE, NOTE_TEXTS, SEEN
from tests.web.steps import BOX, ask, ask_to_end, attach, ended, passages, quoting
from tests.web.test_access import AXE, CHECK

pytestmark = pytest.mark.browser

QUOTE = "The notice period is forty-five days for either party"
PAGES = [
    "General terms. This agreement is made between the lessor and the lessee of the premises.",
    f"Ending the agreement. {QUOTE}, counted from the day of the letter. Letters are sent by registered mail.",
    "Payment. Rent is due on the third working day of each month, in advance.",
]
PASSWORD = "open sesame"


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    """A PDF of three pages."""
    return _pdf(tmp_path / "contract.pdf")


def _pdf(path: Path, **options: Any) -> Path:
    document = pymupdf.open()
    for text in PAGES:
        document.new_page().insert_textbox(pymupdf.Rect(72, 72, 500, 400), text)
    document.save(path, **options)
    return path


async def test_a_quote_opens_its_page(open_page: Opener, model: OpenAIServer, contract: Path) -> None:
    model.respond = quoting(QUOTE)
    page = await open_page()
    await attach(page, contract)
    await expect(page.locator(".files .chip")).to_contain_text("3 pages")
    answer = await ask_to_end(page, "What is the notice period?")
    await expect(answer.locator(".markdown")).to_have_text("It says so 1.")
    await answer.locator(".cite").click()
    await expect(page.locator(".turner")).to_contain_text("Page 2 of 3")
    await expect(page.locator(".sheet img")).to_be_visible()
    await expect(page.locator(".sheet .hit").first).to_be_in_viewport()
    hit, sheet = await page.locator(".sheet .hit").first.bounding_box(), await page.locator(".sheet img").bounding_box()
    assert hit and sheet and 60 / 842 < (hit["y"] - sheet["y"]) / sheet["height"] < 0.15
    await page.get_by_role("button", name="Enlarge").click()
    await expect(page.locator(".sheet .hit").first).to_be_in_viewport()
    larger = await page.locator(".sheet img").bounding_box()
    assert larger and larger["width"] > 2 * sheet["width"]
    assert await page.evaluate(
        "document.querySelector('.panel').scrollWidth <= document.querySelector('.panel').clientWidth"
    )
    await page.get_by_role("button", name="As text").click()
    await expect(page.locator(".page-text mark")).to_have_text(QUOTE)
    await expect(page.locator(".page-text mark")).to_be_in_viewport()
    await expect(page.locator(".sources li.current")).to_contain_text("✓ quote checked")
    await page.evaluate(AXE)
    assert await page.evaluate(CHECK) == []
    await page.get_by_role("button", name="Next page").click()
    await expect(page.locator(".page-text")).to_contain_text("Rent is due")
    await expect(page.locator(".page-text mark")).to_have_count(0)
    await page.reload()
    await page.locator("article.answer .cite").click()
    await expect(page.locator(".sheet .hit").first).to_be_in_viewport()


async def test_each_marker_opens_its_own_quote(open_page: Opener, model: OpenAIServer, contract: Path) -> None:
    words = ("the lessor and the lessee", "General terms", "agreement is made")
    model.respond = lambda request: " ".join(
        f'So [{next((n for n, text in passages(request.text) if quote in text), 1)} "{quote}"].' for quote in words
    )
    page = await open_page()
    await attach(page, contract)
    answer = await ask_to_end(page, "Who are the parties of this agreement?")
    await expect(answer.locator(".cite")).to_have_count(3)
    for number, quote in enumerate(words):
        await answer.locator(".cite").nth(number).click()
        await expect(page.locator(".sources li.current q")).to_have_text(quote)
    await expect(page.locator(".source")).to_have_count(1)
    await expect(page.locator(".sources .page")).to_have_text(["p. 1"])


async def test_a_quote_in_a_picture_outlines_its_lines(open_page: Opener, model: OpenAIServer, tmp_path: Path) -> None:
    path = tmp_path / "notice.png"
    path.write_bytes(
        encoded(
            drawn(
                (20, 20, "Opening hours"), (20, 90, "Monday to Friday"), (20, 160, "Closed on Sunday"), size=(460, 230)
            )
        )
    )
    model.respond = quoting("Closed on Sunday")
    page = await open_page()
    await attach(page, path)
    answer = await ask_to_end(page, "When is it closed?")
    await answer.locator(".cite").click()
    await expect(page.locator("svg.picture image")).to_have_count(1)
    await expect(page.locator("svg.picture .hit")).to_have_count(1)
    box, outer = await page.locator(".hit").bounding_box(), await page.locator("svg.picture").bounding_box()
    assert box and outer and 0.6 < (box["y"] - outer["y"]) / outer["height"] < 0.95
    await expect(page.locator(".page-text mark")).to_have_text("Closed on Sunday")


async def test_markers_do_not_flicker_while_they_are_written(
    open_page: Opener, model: OpenAIServer, contract: Path
) -> None:
    model.respond = quoting(QUOTE, before="Look: ", after=" and that is all there is to say about it.", pace=0.05)
    page = await open_page()
    await attach(page, contract)
    await page.evaluate(NOTE_TEXTS, "article.answer .markdown")
    answer = await ask(page, "What is the notice period?")
    await expect(answer.locator(".cite")).to_have_count(1)
    await ended(page)
    seen = await page.evaluate(SEEN)
    assert len(seen) > 5
    assert [text for text in seen if "[" in text or '"' in text or "notice" in text] == []


async def test_drop_and_paste(open_page: Opener, model: OpenAIServer) -> None:
    model.respond = lambda _: "got it"
    page = await open_page()
    picture = base64.b64encode(encoded(drawn((20, 20, "Pasted"), size=(260, 90)))).decode()
    text = base64.b64encode(b"Dropped words of no importance at all.").decode()
    await expect(page.locator(BOX)).to_be_focused()  # it listens by then
    await page.evaluate(GIVE_FILE, ["dragover", "note.txt", "text/plain", text])
    await expect(page.locator(".drop-hint")).to_be_visible()
    await page.evaluate(GIVE_FILE, ["drop", "note.txt", "text/plain", text])
    await expect(page.locator(".drop-hint")).to_be_hidden()
    await page.evaluate(GIVE_FILE, ["paste", "image.png", "image/png", picture])
    await expect(page.locator(".files .chip.ready")).to_have_count(2, timeout=30_000)
    await page.get_by_role("button", name="Remove note.txt").click()
    await expect(page.locator(".files .chip")).to_have_count(1)
    await page.get_by_role("button", name="Send").click()
    await ended(page)
    await expect(page.locator("article.question .chip")).to_have_text("image.png")
    await page.locator("article.question .chip").click()
    await expect(page.locator(".page-text")).to_contain_text("Pasted")
    await expect(page.locator(".panel ul.sources li")).to_have_count(1)


async def test_a_protected_file_asks_for_its_password(open_page: Opener, tmp_path: Path) -> None:
    path = _pdf(tmp_path / "locked.pdf", encryption=samples.AES_256, user_pw=PASSWORD, owner_pw="owner")
    page = await open_page()
    await page.set_input_files(".composer input[type=file]", str(path))
    field = page.get_by_label("Password of locked.pdf")
    await expect(field).to_be_focused(timeout=20_000)
    await field.fill("wrong")
    await field.press("Enter")
    await expect(page.locator(".files .chip")).to_contain_text("wrong password", timeout=20_000)
    await field.fill(PASSWORD)
    await page.get_by_role("button", name="Unlock").click()
    await expect(page.locator(".files .chip.ready")).to_have_count(1, timeout=20_000)
    await page.locator("header").get_by_role("button", name="Documents").click()
    await expect(page.locator(".panel ul.sources li")).to_have_count(1)
    await page.get_by_role("button", name="Open locked.pdf").click()
    await page.get_by_role("button", name="Next page").click()
    await expect(page.locator(".page-text")).to_contain_text(QUOTE)  # its picture would need the password again


async def test_what_cannot_be_used_says_why(open_page: Opener, tmp_path: Path) -> None:
    damaged, large = tmp_path / "damaged.pdf", tmp_path / "large.txt"
    damaged.write_bytes(b"%PDF-1.7\nnothing of the kind")
    large.write_bytes(b"x" * 2_000_001)
    page = await open_page()
    await expect(page.locator(".model")).to_be_visible()
    await page.set_input_files(".composer input[type=file]", [str(damaged), str(large)])
    await expect(page.locator(".notice")).to_contain_text("large.txt is too large (1 MB at most)")
    await expect(page.locator(".files .chip.failed")).to_contain_text("damaged", timeout=20_000)
    await expect(page.get_by_role("button", name="Send")).to_be_disabled()


async def test_progress_page_by_page(open_page: Opener, model: OpenAIServer, tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    document = pymupdf.open()
    for number in range(4):
        sheet = document.new_page(width=460, height=200)
        sheet.insert_image(sheet.rect, stream=encoded(drawn((20, 60, f"Scanned sheet {number}"), size=(460, 200))))
    document.save(path)
    page = await open_page()
    await page.evaluate(NOTE_TEXTS, ".files small")
    await attach(page, path)
    seen = await page.evaluate(SEEN)
    assert "Uploading" in seen and "4 pages" in seen
    assert [text for text in seen if text.endswith("of 4 pages")]
    model.respond = quoting("Scanned sheet 2")
    answer = await ask_to_end(page, "Which sheet is the third?")
    await answer.locator(".cite").click()
    await expect(page.locator(".turner")).to_contain_text("Page 3 of 4")
    await expect(page.locator(".turner")).to_contain_text("read by OCR")
    await expect(page.locator(".sheet .hit")).to_have_count(1)
    hit, sheet_box = await page.locator(".sheet .hit").bounding_box(), await page.locator(".sheet img").bounding_box()
    assert hit and sheet_box and 0.2 < (hit["y"] - sheet_box["y"]) / sheet_box["height"] < 0.4
    assert hit["width"] < 0.9 * sheet_box["width"]
    await page.locator(".panel").get_by_role("button", name="Close").click()
    await page.locator("article.question .chip").click()
    await page.get_by_role("button", name="As text").click()
    await expect(page.locator(".page-text")).to_contain_text("Scanned sheet 0")


async def test_a_quote_in_a_table_marks_its_row(
    open_page: Opener, model: OpenAIServer, text_file: Callable[[str, str], Path]
) -> None:
    model.respond = quoting("Zealand")
    rows = [f"Region {number},{number}0" for number in range(60)]
    page = await open_page(phone=True)
    await attach(page, text_file("sales.csv", "\n".join(["Region,Sales", *rows, "Zealand,4242"])))
    await page.fill("#message-box", "What did Zealand sell?")
    await page.get_by_role("button", name="Send").click()
    await ended(page)
    await page.locator("article.answer .cite").first.click()
    row = page.locator(".page-text tr", has=page.locator("mark"))
    await expect(row).to_have_text(re.compile(r"Zealand\s*4242"))
    await expect(row).to_be_in_viewport()
    ground = "row => getComputedStyle(row.cells[1]).backgroundColor + getComputedStyle(row).backgroundColor"
    others = page.locator(".page-text tr", has_text="Region 7")
    assert await row.evaluate(ground) != await others.first.evaluate(ground)


async def test_a_chinese_document(
    open_page: Opener, model: OpenAIServer, text_file: Callable[[str, str], Path]
) -> None:
    quote = "提前四十五天书面通知对方"
    model.respond = quoting(quote, before="见", after="。")
    page = await open_page(locale="zh-CN")
    await attach(page, text_file("合同.txt", f"第一条 租期为两年。\n\n第二条 任何一方解除合同应{quote}。\n"))
    answer = await ask_to_end(page, "解除合同要提前多久通知？")
    await answer.locator(".cite").click()
    await expect(page.locator(".page-text mark")).to_have_text(quote)
    await expect(page.locator(".sources li.current")).to_contain_text("引文已核对")
