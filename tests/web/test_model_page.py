"""The model panel: what is in use, how another model is connected, and which one answers in a conversation."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from models.chat.connection import LOCAL
from settings import Settings
from tests.live_server import LiveServer
from tests.standins.openai_server import OpenAIServer
from tests.web.conftest import Opener
from tests.web.person import Person, meet

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server as it is before anything is set up."""
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("bundled"), web_search="off", ocr_engine="off", tts_engine="off",
        _env_file=None,
    )  # fmt: skip
    with LiveServer(settings) as live:
        yield live


@pytest.fixture(scope="module")
def several(model: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server whose endpoint has three models."""
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("several"), llm_base_url=model.base_url, llm_model="first",
        llm_models=("second", "third"), web_search="off", ocr_engine="off", _env_file=None,
    )  # fmt: skip
    with LiveServer(settings) as live:
        yield live


def usual_port() -> tuple[str, int]:
    """A program that serves models, and its usual port, which is free here."""
    for name, port in LOCAL:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return name, port
    pytest.skip("the usual ports are all taken on this machine")


async def told(person: Person) -> Any:
    status = person.panel.get_by_role("status")
    await expect(status).not_to_have_text(person.words["thinking"], timeout=15_000)
    return status


@pytest.mark.parametrize(("language", "phone"), [("en", False), ("zh", True)])
async def test_a_model_is_found_tried_and_written_down(
    open_page: Opener, bundled: LiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, phone: bool
) -> None:
    env = tmp_path / ".env"
    monkeypatch.setitem(Settings.model_config, "env_file", str(env))
    monkeypatch.setenv("LLM_API_KEY", "of the shell")
    person = await meet(open_page, language, phone=phone, url=bundled.url)
    await person.open("model")
    panel, words = person.panel, person.words
    await expect(panel.locator("pre")).to_have_text("LLM_BASE_URL=https://…/v1\nLLM_API_KEY=\nLLM_MODEL=…")
    await expect(panel).to_contain_text(words["connectHint"])
    parts = panel.locator(".parts li")
    await expect(parts.filter(has_text="extractive")).to_contain_text("LLM_BASE_URL")
    await expect(parts.filter(has_text="TAVILY_API_KEY")).to_contain_text(words["state-missing"])

    name, port = usual_port()
    with OpenAIServer(models=["little-one", "other"], api_key=None, port=port) as local:
        await person.button("lookLocal").click()
        await expect(await told(person)).to_have_text("")
        count = {"en": "2 models", "zh": "2 个模型"}[language]
        found = panel.get_by_role("button", name=f"{name} · {count}")
        await expect(found).to_be_visible()
        assert local.chats == [] and bundled.app.state.backend.services.chat.kind == "extractive", "it is only named"
        await found.click()
        await expect(panel.get_by_label("LLM_BASE_URL")).to_have_value(local.base_url)
        await expect(panel.get_by_label("LLM_MODEL")).to_have_value("little-one")
        await person.button("tryIt").click()
        await expect(await told(person)).to_have_text(words["modelAnswers"].format(said="You said: Say OK."))
        assert [chat.model for chat in local.chats] == ["little-one"]
        await panel.get_by_label("LLM_MODEL").fill("nobody")
        await person.button("tryIt").click()
        await expect(await told(person)).to_contain_text("LLM_MODEL")

    with OpenAIServer(api_key="right") as hosted:
        await panel.get_by_label("LLM_BASE_URL").fill("http://127.0.0.1:9/v1")
        await panel.get_by_label("LLM_API_KEY").fill("wrong")
        await panel.get_by_label("LLM_MODEL").fill("large-one")
        await person.button("tryIt").click()
        await expect(await told(person)).to_contain_text("there is no connection" if language == "en" else "无法连接")
        await panel.get_by_label("LLM_BASE_URL").fill(hosted.base_url)
        await person.button("tryIt").click()
        await expect(await told(person)).to_contain_text("LLM_API_KEY")
        await expect(person.page.get_by_role("dialog")).to_have_count(0)
        await panel.get_by_label("LLM_API_KEY").fill("right")
        await person.button("tryIt").click()
        await expect(await told(person)).to_contain_text("You said")
        monkeypatch.setitem(Settings.model_config, "env_file", str(tmp_path / "none" / ".env"))
        await person.button("writeIt").click()
        await expect(await told(person)).to_contain_text(str(tmp_path / "none"))
        monkeypatch.setitem(Settings.model_config, "env_file", str(env))
        await person.button("writeIt").click()
        status = await told(person)
        await expect(status).to_contain_text(words["written"].format(path=env))
        await expect(status).to_contain_text(words["overridden"].format(names="LLM_API_KEY"))
        monkeypatch.delenv("LLM_API_KEY")
        written = Settings(_env_file=env)
        assert (written.llm_base_url, written.llm_model) == (hosted.base_url, "large-one")
        assert written.llm_api_key is not None and written.llm_api_key.get_secret_value() == "right"
    await expect(panel.locator("pre")).not_to_contain_text("right")


async def test_each_conversation_has_the_model_that_was_chosen_for_it(
    open_page: Opener, several: LiveServer, model: OpenAIServer
) -> None:
    model.reset()
    person = await meet(open_page, "en", phone=False, url=several.url)
    await person.ask_to_end("to the first")
    await person.new_chat()
    await person.open("model")
    menu = person.panel.get_by_label(person.words["answersHere"])
    await expect(menu.locator("option")).to_have_text(["first", "second", "third"])
    await menu.select_option("second")
    await expect(person.page.locator("header .model")).to_have_text("second")
    await person.close()
    await person.ask_to_end("to the second")
    await expect(person.answer).to_contain_text("second ·")
    await person.page.reload()
    await person.ask_to_end("still to the second")
    await (await person.conversations()).get_by_role("button", name="to the first").first.click()
    await expect(person.page.locator(".bubble")).to_have_text(["to the first"])
    await expect(person.page.locator("header .model")).to_have_text("first")
    await person.ask_to_end("again to the first")
    asked = [(chat.user_text.splitlines()[0], chat.model) for chat in model.chats if "Name the topic" not in chat.text]
    assert asked == [
        ("to the first", "first"), ("to the second", "second"), ("still to the second", "second"),
        ("again to the first", "first"),
    ]  # fmt: skip
