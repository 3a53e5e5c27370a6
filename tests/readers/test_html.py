"""Web pages: content is kept wherever it stands on the page; menus and what is hidden are not content."""

from __future__ import annotations

import pytest

from readers.text.html import main_text
from tests.readers.conftest import Read
from tests.readers.samples import LOREM

ARTICLE = "<article><h1>Ferry guide</h1>" + f"<p>{LOREM * 3}</p>" * 10 + "</article>"
MENU = (
    "<ul>" + "".join(f"<li><a href='/{name}'>{name}</a></li>" for name in ("Alpha", "Beta", "Gamma", "Delta")) + "</ul>"
)


@pytest.mark.parametrize(
    "beside",
    [
        "<aside><h2>Prices</h2><p>A return ticket costs 14.60 euros.</p></aside>",
        "<footer><p>Harbour Street 9, 14.60 euros, telephone 0471 5520</p></footer>",
        "<footer>Call <a href='tel:1'>14.60</a> <a href='mailto:a@b.org'>a@b.org</a> <a href='tel:2'>2</a></footer>",
        "<div><dl><dt>Return</dt><dd>14.60</dd></dl></div>",
        "<details><summary>Fares</summary>14.60</details>",
        "<table><tr><th>Day</th><th>Fare</th></tr><tr><td>Sunday</td><td><ul><li>14.60</li></ul></td></tr></table>",
        "<p>See the <a href='/a'>fares of 14.60</a> and the <a href='/b'>winter timetable</a>.</p>",
        "<header><h1>Winter</h1><p>From May: 14.60</p></header>",
        "<form><label>Fare <input value='14.60'></label></form>",
        "<main><ul>" + "<li><a href='/x'>Fare 14.60</a></li>" * 5 + "</ul></main>",
    ],
)
def test_content_beside_the_article_is_kept(beside: str) -> None:
    page = f"<html><body>{MENU}{ARTICLE}{beside}</body></html>".encode()
    title, text, _ = main_text(page)
    assert "14.60" in text
    assert "# Ferry guide" in text
    assert "Gamma" not in text


def test_small_words_beside_a_long_article_are_furniture_and_elsewhere_content() -> None:
    box = "<div class='x'><div>Mr Osei</div><span>Key holder</span></div><div>Room 214</div>"
    for paragraphs, kept in ((2, True), (12, False)):
        article = "".join(f"<p>{number}. {LOREM * 3}</p>" for number in range(paragraphs))
        _, text, _ = main_text(f"<html><body><article>{article}</article>{box}</body></html>".encode())
        assert ("Mr Osei" in text, "Key holder" in text, "Room 214" in text) == (kept, kept, True)


def test_menus_are_dropped_and_headings_kept() -> None:
    nav = "<nav>Home of the nav</nav><div role='navigation'>Role of menus</div>"
    lists = f"<div class='x'>{MENU}</div><p><a href=1>Imprint</a> | <a href=2>Terms</a> | <a href=3>Help</a></p>"
    _, text, _ = main_text(
        f"<html><head><title>Guide - Site</title></head><body>{nav}{lists}{ARTICLE}</body></html>".encode()
    )
    assert text.startswith("# Guide\n\n# Ferry guide\n\nThe quick brown fox")
    assert not [word for word in ("Home of", "Role of", "Alpha", "Imprint") if word in text]


@pytest.mark.parametrize(
    "page",
    ["<h3>Accounts for 2020</h3>", "<body><p>Accounts for <!-- not --> 2020</p></body>", "Accounts for 2020"]
    + ["<?xml version='1.0' encoding='gbk'?><html><body><p>Accounts for 2020</p></body></html>"],
)
def test_a_piece_of_a_page_is_a_page(page: str) -> None:
    assert main_text(page.encode())[1].removeprefix("### ") == "Accounts for 2020"


def test_a_page_that_is_all_links_is_kept_whole() -> None:
    links = "".join(f"<li><a href='/{n}'>Annual report of the year {n} of the port</a></li>" for n in range(1950, 2020))
    _, text, _ = main_text(f"<html><body><nav><ul>{links}</ul></nav></body></html>".encode())
    assert text.count("Annual report") == 70


async def test_what_is_hidden_is_left_out_and_said(read: Read) -> None:
    hidden = f"<div style='display: none'>{LOREM * 2}</div><p hidden>{LOREM}</p>"
    outline, pages, _ = await read(
        f"<html><body><p>Seen.</p>{hidden}<video src=x></video></body></html>".encode(), "a.html"
    )
    assert [page.markdown for page in pages] == ["Seen."]
    assert outline.warnings == ("parts_not_read:1",)
