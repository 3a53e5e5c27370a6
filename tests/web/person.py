"""A person before the page: with a mouse and a keyboard or with fingers on a phone, in one of both languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.async_api import expect

from tests.web.conftest import Opener
from tests.web.steps import BOX, attach, ended, loaded

WORDS = """async (language) => {
  const files = await Promise.all(["words", "more_words"].map((name) => import(`./js/${name}_${language}.js`)));
  return Object.assign({}, ...files.map(({ WORDS }) => WORDS));
}"""


@dataclass(frozen=True)
class Person:
    """Who does something on `page`; `words` are those of the interface by their keys in `web/js/words_*.js`."""

    page: Any
    words: dict[str, str]
    phone: bool

    @property
    def answer(self) -> Any:
        """The last answer."""
        return self.page.locator("article.answer").last

    @property
    def panel(self) -> Any:
        """The panel that is open."""
        return self.page.locator(".panel")

    def button(self, key: str, within: Any = None, **values: str) -> Any:
        """The button with this word."""
        return (within or self.page).get_by_role("button", name=self.words[key].format(**values), exact=True)

    async def ask(self, text: str) -> None:
        """Send a message, not waiting for its answer."""
        await self.page.fill(BOX, text)
        await self.send()

    async def send(self) -> None:
        """Send what is written: by the Enter key, on a phone by the button."""
        if self.phone:
            await self.page.locator(".composer [type=submit]").tap()
        else:
            await self.page.press(BOX, "Enter")

    async def ask_to_end(self, text: str) -> Any:
        """Send a message; returns its answer when it is complete."""
        await loaded(self.page)
        count = await self.page.locator("article.answer").count()
        await self.ask(text)
        await expect(self.page.locator("article.answer")).to_have_count(count + 1)
        await ended(self.page)
        return self.answer

    async def attach(self, path: Any) -> None:
        """Attach a file and wait until it is read."""
        await attach(self.page, path)

    async def conversations(self) -> Any:
        """Bring the list of conversations into view."""
        if self.phone and not await self.page.locator(".with-menu").count():
            await self.button("menu").click()
        return self.page.locator(".sidebar")

    async def new_chat(self) -> None:
        """Begin another conversation."""
        await self.button("newChat", await self.conversations()).click()
        await expect(self.page.locator("article")).to_have_count(0)

    async def choose(self, title: str, key: str) -> None:
        """Choose something from the menu of a conversation."""
        row = (await self.conversations()).locator("li", has_text=title).first
        await row.get_by_role("button", name=self.words["actions"]).click()
        await self.page.get_by_role("menuitem", name=self.words[key], exact=True).click()

    async def open(self, key: str) -> None:
        """Open a panel from the header: from its bar, or from its menu."""
        bar = self.page.locator("header")
        if key not in ("library", "role", "model"):
            await self.button("more", bar).click()
            await self.page.get_by_role("menuitem", name=self.words[key], exact=True).click()
        else:
            await bar.get_by_role("button", name=self.words[key]).click()
        await expect(self.panel.get_by_role("heading", name=self.words[key], level=2)).to_be_visible()

    async def close(self) -> None:
        """Close the panel: on a phone by going back."""
        if self.phone:
            await self.page.go_back()
        else:
            await self.button("close", self.panel).click()
        await expect(self.panel).to_have_count(0)


async def meet(open_page: Opener, language: str, *, phone: bool, url: str = "") -> Person:
    """Open the page as a person who has never been here."""
    locale = {"en": "en-US", "zh": "zh-CN"}[language]
    page = await open_page(phone=phone, url=url, locale=locale, permissions=["clipboard-read", "clipboard-write"])
    return Person(page, await page.evaluate(WORDS, language), phone)
