"""Keys of one's own, people for administrators, and permissions, on the page."""

from __future__ import annotations

import asyncio
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from domain.owner import Owner
from settings import Settings
from tests.live_server import LiveServer
from tests.standins.oidc_server import CLIENT, SECRET, OidcServer
from tests.standins.openai_server import OpenAIServer
from tests.web.conftest import Opener
from tests.web.probes import SMALL
from tests.web.steps import ask_to_end, open_panel
from tests.web.test_access import AXE, CHECK

pytestmark = pytest.mark.browser
ROOT = {"authorization": "Bearer root-key"}


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcServer]:
    with OidcServer() as running:
        yield running


@pytest.fixture(scope="module")
def keyed(model: OpenAIServer, provider: OidcServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("people"), llm_base_url=model.base_url, llm_model="stand-in",
        api_keys=("root-key",), web_search="off", ocr_engine="off", tts_engine="off", daily_calls=500,
        permissions=({"tool": "fetch_url", "decision": "deny", "roles": ["user"]},), memory_extraction="rules",
        oidc_issuer=provider.issuer, oidc_client_id=CLIENT, oidc_client_secret=SECRET, _env_file=None,
    )  # fmt: skip
    with LiveServer(settings) as live:
        yield live


def unlike(name: str) -> str:
    """A name that nobody else has, also when a test is run again."""
    return f"{name} {uuid.uuid4().hex[:8]}"


async def somebody(keyed: LiveServer, role: str = "user", name: str = "Sue") -> dict[str, Any]:
    """A new user, with their `id`, `name` and `key`."""
    async with httpx.AsyncClient(base_url=keyed.url, headers=ROOT) as http:
        made: dict[str, Any] = (await http.post("/api/v1/admin/users", json={"name": name, "role": role})).json()
    return made


async def page_of(open_page: Opener, keyed: LiveServer, key: str, **more: Any) -> Any:
    page = await open_page(url=keyed.url, path="/favicon.ico", **more)
    await page.evaluate("key => localStorage.setItem('apiKey', key)", key)
    await page.goto(keyed.url)
    return page


async def test_somebody_signs_in_and_out(
    browser: Any, keyed: LiveServer, provider: OidcServer, model: OpenAIServer
) -> None:
    model.respond = lambda _: "Fine."
    provider.claims = {"sub": uuid.uuid4().hex, "name": "<i>Ann</i>"}
    page = await browser.new_page()  # it may go elsewhere: to the provider
    await page.goto(keyed.url)
    await page.evaluate("localStorage.setItem('apiKey', 'an-old-key')")
    await page.reload()
    dialog = page.get_by_role("dialog")
    await page.evaluate(AXE)
    await expect(dialog.get_by_role("button", name="Sign in")).to_be_visible()
    assert await page.evaluate(CHECK) == []
    await dialog.get_by_role("button", name="Sign in").click()
    await expect(page.locator(".model")).to_be_visible()
    await expect(dialog).to_have_count(0)
    await ask_to_end(page, "Hello there")
    await open_panel(page, "Settings")
    await page.get_by_role("button", name="Sign out (<i>Ann</i>)").click()
    await expect(dialog.get_by_role("button", name="Sign in")).to_be_visible()
    assert provider.ended[-1]["post_logout_redirect_uri"] == f"{keyed.url}/", "and signs out at the provider"
    assert "Hello there" not in await page.content()
    await page.goto(f"{keyed.url}/?sign_in=sign_in_refused")
    await expect(page.locator(".notice.error")).to_contain_text("You are not let in here.")
    assert page.url == f"{keyed.url}/"
    await page.context.close()


async def test_a_profile_is_set_learned_kept_and_forgotten(
    open_page: Opener, keyed: LiveServer, model: OpenAIServer
) -> None:
    model.respond = lambda _: "Fine."
    key = (await somebody(keyed))["key"]
    page = await page_of(open_page, keyed, key, timezone_id="Asia/Tokyo")
    await ask_to_end(page, "Call me Ann. From now on keep your answers short.")
    assert "Asia/Tokyo" in str(model.chats[-1].messages[0]["content"])
    panel = page.locator("aside.panel")

    async def opened(count: int) -> None:
        """Opened anew until all is there: learning is done after the answer."""
        async with asyncio.timeout(10):
            while True:
                await page.reload()
                await open_panel(page, "Profile")
                await expect(panel.get_by_role("button", name="Save")).to_be_visible()
                if await panel.locator("[data-learned]").count() == count:
                    return

    await opened(3)
    await panel.get_by_label("Personal data, to hosted services").select_option("masked")
    await panel.get_by_role("button", name="Save").click()
    await expect(panel.get_by_label("Personal data, to hosted services")).to_have_value("mask")
    await expect(page.locator(".notice")).to_be_visible()
    name = panel.locator("[data-learned]", has_text="What to call you")
    await expect(name).to_contain_text("“Call me Ann.”")
    await expect(panel.locator("[data-learned]", has_text="Time zone")).to_contain_text("told by your browser")
    await expect(panel.get_by_label("Length")).to_have_value("")
    await panel.get_by_label("Length").select_option("long")
    await panel.get_by_label("Tone").fill("<i>warm</i>")
    await panel.get_by_role("button", name="Save").click()
    length = panel.locator("[data-learned]", has_text="Length")
    await expect(length).to_contain_text("what you have set counts")
    await page.evaluate(AXE)
    assert await page.evaluate(CHECK) == []
    await name.get_by_role("button", name="Forget").click()
    await name.locator("button.danger").click()
    await expect(name).to_have_count(0)
    await length.get_by_role("button", name="Set so").click()
    await expect(panel.get_by_label("Length")).to_have_value("short")
    await ask_to_end(page, "Call me Ann. Hello.")
    prompt = str(model.chats[-1].messages[0]["content"])
    assert "tone: <i>warm</i>; length: short" in prompt and "call them" not in prompt
    phone = await page_of(open_page, keyed, key, phone=True, locale="zh-CN", color_scheme="dark")
    await open_panel(phone, "个人设置", more="更多")
    await expect(phone.locator("[data-learned]").first).to_contain_text("由浏览器提供")
    await phone.evaluate(AXE)
    assert await phone.evaluate(CHECK) == [] and await phone.evaluate(SMALL) == []
    assert await phone.evaluate("document.documentElement.scrollWidth") <= 390


async def test_a_key_is_shown_once_works_and_is_revoked(open_page: Opener, keyed: LiveServer) -> None:
    first = (await somebody(keyed))["key"]
    page = await page_of(open_page, keyed, first, permissions=["clipboard-read", "clipboard-write"])
    await open_panel(page, "My keys")
    panel = page.locator("aside.panel")
    items = panel.locator("[data-key]")
    await expect(items).to_have_count(1)
    made = []
    await panel.get_by_text("Limit what a day may use with it").click()
    for count in (2, 3):
        await panel.get_by_label("What it is for").fill("<b>laptop</b>")
        await panel.get_by_label("Works for").select_option("90")
        await panel.get_by_label("Calls a day").fill("5")
        await panel.get_by_role("button", name="Make a key").click()
        await expect(items).to_have_count(count)
        made.append(await panel.locator(".made-key code").inner_text())
    await panel.get_by_role("button", name="Copy the key").click()
    await expect(panel.get_by_role("button", name="Copied")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == made[1]
    async with httpx.AsyncClient(base_url=keyed.url, headers={"authorization": f"Bearer {made[1]}"}) as http:
        assert (await http.get("/api/v1/me")).status_code == 200
        item = items.filter(has_text=made[1][:10])
        await expect(item).to_contain_text("<b>laptop</b>")
        await expect(item).to_contain_text("works until")
        await expect(item).to_contain_text("Calls a day: 5 · Today: 0 turns")
        assert made[1] not in await item.inner_text()
        await page.evaluate(AXE)
        assert await page.evaluate(CHECK) == []
        names = await panel.get_by_role("button", name="Revoke <b>laptop</b>").all_inner_texts()
        assert len(set(names)) == 2, "keys of one name are told apart"
        await item.get_by_role("button", name="Revoke <b>laptop</b>").click()
        await item.locator("button.danger").click()
        await expect(item).to_have_count(0)
        assert (await http.get("/api/v1/me")).status_code == 401
    await page.locator("header").get_by_role("button", name="More", exact=True).click()
    await expect(page.get_by_role("menuitem", name="Permissions")).to_be_visible()
    await expect(page.get_by_role("menuitem", name="People")).to_have_count(0)


async def test_everything_is_taken_out_and_deleted(
    open_page: Opener, keyed: LiveServer, model: OpenAIServer, tmp_path: Path
) -> None:
    model.respond = lambda _: "ok"
    page = await page_of(open_page, keyed, (await somebody(keyed))["key"])
    await ask_to_end(page, "the last words")
    await open_panel(page, "Settings")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Export everything").click()
    saved = tmp_path / "all.zip"
    await (await download.value).save_as(saved)
    with zipfile.ZipFile(saved) as archive:
        assert any("the last words" in name for name in archive.namelist())
    await page.get_by_role("button", name="Delete everything").click()
    dialog = page.get_by_role("dialog", name="Delete everything?")
    await dialog.get_by_role("button", name="Delete everything").click()
    await expect(page.locator("article")).to_have_count(0)
    await expect(page.locator(".sidebar")).to_contain_text("No conversations yet")


async def test_an_administrator_makes_changes_keeps_out_and_deletes_users(
    open_page: Opener, keyed: LiveServer, model: OpenAIServer
) -> None:
    model.respond = lambda _: "Fine."
    name = unlike("Ann")
    namesake = await somebody(keyed, name=name)
    page = await page_of(open_page, keyed, "root-key")
    await open_panel(page, "People")
    panel = page.locator("aside.panel")
    both = panel.get_by_role("region", name=name)
    await expect(both).to_have_count(1)
    await panel.get_by_text("Add a user").click()
    await panel.get_by_label("Name of the user").first.fill(name)
    await panel.get_by_role("button", name="Add", exact=True).click()
    theirs = await page_of(open_page, keyed, await panel.locator(".made-key code").inner_text())
    await ask_to_end(theirs, "the walrus sleeps at noon")
    await page.reload()
    await open_panel(page, "People")
    await expect(panel.get_by_role("region", name=f"{name} (…{namesake['id'][-4:]})")).to_contain_text("Today: 0 turns")
    ann = both.filter(has_not=page.locator(f"small:text-is('{namesake['id']}')"))
    await expect(ann).to_contain_text("Today: 1 turn,", timeout=10_000)
    assert len(set(await both.locator("h3").all_inner_texts())) == 2, "people of one name are told apart"
    assert "walrus" not in await panel.inner_text()
    await page.evaluate(AXE)
    assert await page.evaluate(CHECK) == []
    await ann.get_by_text("Change, keys").click()
    await ann.get_by_label("Calls a day").first.fill("7")
    await ann.get_by_label("Name of the user").fill(other := unlike("Bob"))
    await ann.get_by_role("button", name="Save").click()
    bob = panel.get_by_role("region", name=other, exact=True)
    await expect(bob.locator("[data-key]")).to_contain_text("first")
    await expect(panel.get_by_role("region", name=name, exact=True)).to_have_count(1)
    async with httpx.AsyncClient(base_url=keyed.url, headers=ROOT) as http:
        listed = {one["name"]: one for one in (await http.get("/api/v1/admin/users")).json()}
        assert listed[other]["quota"] == {"calls": 7}
        assert not listed[other]["of_settings"] and any(one["of_settings"] for one in listed.values())
    assert await page.evaluate(CHECK) == []
    await bob.get_by_role("button", name="Keep out").click()
    await expect(bob.locator("h3")).to_contain_text("kept out")
    await bob.get_by_role("button", name="Let in again").click()
    await expect(bob.locator("h3")).to_contain_text("user")
    await bob.get_by_role("button", name=f"Delete {other} with everything").click()
    await bob.locator("button.danger").click()
    await expect(bob).to_have_count(0)
    await expect(page.locator(".receipt-notice")).to_contain_text("removed.")


async def test_what_is_allowed_is_shown_and_taken_back_also_on_a_phone_in_chinese(
    open_page: Opener, keyed: LiveServer
) -> None:
    services = keyed.app.state.backend.services
    admin = await somebody(keyed, role="admin")
    rule = {"tool": "web_search", "decision": "allow", "arguments": {"query": "<i>tides</i>*"}}
    await services.permissions.grants.add(Owner(admin["id"]), rule, lasting=True)
    page = await page_of(open_page, keyed, admin["key"], phone=True, locale="zh-CN", color_scheme="dark")
    await open_panel(page, "授权", more="更多")
    panel = page.locator("aside.panel")
    await expect(panel.locator("[data-rule]")).to_contain_text("<i>tides</i>*")
    await expect(panel).to_contain_text("每日调用次数")
    await expect(panel).to_contain_text("fetch_url")
    await page.evaluate(AXE)
    assert await page.evaluate(CHECK) == [] and await page.evaluate(SMALL) == []
    await panel.get_by_role("button", name="收回").click()
    await panel.locator("button.danger").click()
    await expect(panel.locator("[data-rule]")).to_have_count(0)
    await page.go_back()
    await open_panel(page, "用户", more="更多")
    await panel.get_by_text("更改、密钥").last.click()
    assert await page.evaluate(CHECK) == [] and await page.evaluate(SMALL) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_an_administrator_shares_a_role_that_others_use_and_cannot_change(
    open_page: Opener, keyed: LiveServer, model: OpenAIServer
) -> None:
    model.respond = lambda _: "Fine."
    clerk = unlike("Clerk")
    page = await page_of(open_page, keyed, "root-key")
    await page.locator("header .role").click()
    await page.get_by_role("button", name="Write a role").click()
    await page.get_by_label("Name", exact=True).fill(clerk)
    await page.get_by_label("Instructions").fill("You file everything.")
    await page.get_by_label("Everybody on this server may use it").check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("radio", name=clerk)).to_be_visible()

    other = await page_of(open_page, keyed, (await somebody(keyed))["key"])
    await other.locator("header .role").click()
    await other.get_by_role("radio", name=clerk).check()
    await ask_to_end(other, "File this")
    assert "You file everything." in str(model.chats[-1].messages[0]["content"])
    await other.get_by_role("button", name=f"Actions: {clerk}", exact=True).click()
    await expect(other.get_by_role("menuitem", name="Copy")).to_be_visible()
    await expect(other.get_by_role("menuitem", name="Edit")).to_have_count(0)
    await other.keyboard.press("Escape")
    await other.get_by_role("button", name="Write a role").click()
    await expect(other.get_by_label("Name", exact=True)).to_be_visible()
    await expect(other.get_by_label("Everybody on this server may use it")).to_have_count(0)
