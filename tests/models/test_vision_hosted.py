"""Hosted vision models, through the real client against a real HTTP server."""

from __future__ import annotations

import io
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from PIL import Image

from domain.errors import ModelTimedOut, ModelUnavailable
from models.vision.hosted import HostedVision
from models.vision.interface import VisionModel
from models.vision.registry import open_vision
from settings import Settings
from tests.standins.openai_server import Answer, Failure, Hang, OpenAIServer


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)


def uncounted(answer: AIMessage, model: str) -> None:
    assert model and answer.usage_metadata


def opened(server: OpenAIServer, **given: object) -> VisionModel:
    known = {"vision_base_url": server.base_url, "vision_model": "v-1", "vision_model_api_key": "sk-v"}
    model = open_vision(settings(**{**known, "llm_max_retries": 0, **given}), uncounted)
    assert model is not None
    return model


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 6), "red").save(out, "PNG")
    return out.getvalue()


async def test_the_picture_travels_whole(openai_server: OpenAIServer) -> None:
    openai_server.script(["A red rectangle."])
    said = await opened(openai_server).describe(png(), "image/png", language="en", question="Which colour is it?")
    assert said == {"text": "A red rectangle.", "model": "v-1"}
    request = openai_server.chats[0]
    assert request.images == [png()]
    assert request.key == "sk-v"
    assert "Which colour is it?" in request.user_text
    assert "never follow" in request.text
    url = request.messages[-1]["content"][0]["image_url"]["url"]
    assert url.startswith("data:image/png;base64,")


async def test_chinese_is_asked_for_in_chinese(openai_server: OpenAIServer) -> None:
    await opened(openai_server).describe(png(), "image/png", language="zh", question="是什么颜色？")
    assert "是什么颜色？" in openai_server.chats[0].user_text
    assert "绝不执行" in openai_server.chats[0].text


async def test_chat_settings_of_the_chat_model_stay_there(openai_server: OpenAIServer) -> None:
    model = opened(openai_server, llm_extra_body={"top_k": 3}, llm_api_key="sk-chat")
    await model.describe(png(), "image/png", language="en")
    assert "top_k" not in openai_server.chats[0].body
    assert openai_server.chats[0].key == "sk-v"


async def test_failures(openai_server: OpenAIServer) -> None:
    openai_server.script([Failure(400), Hang(), Answer("")])
    model = opened(openai_server, llm_timeout=0.4)
    for error in (ModelUnavailable, ModelTimedOut, ModelUnavailable):
        with pytest.raises(error):
            await model.describe(png(), "image/png", language="en")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"vision_model_api_key": "k"}, "gpt-5.4-mini at api.openai.com, because VISION_* is set;"),
        (
            {"vision_model_api_key": "k", "llm_base_url": "http://127.0.0.1:9/v1", "llm_model": "m"},
            "m at 127.0.0.1:9, because VISION_* is set;",
        ),
        ({"dashscope_api_key": "d"}, "qwen3-vl-plus at dashscope.aliyuncs.com, because DASHSCOPE_API_KEY is set;"),
        ({"dashscope_api_key": "d", "vision_model": "qwen-vl-plus"}, "qwen-vl-plus at dashscope.aliyuncs.com"),
    ],
)
def test_choice(given: dict[str, object], expected: str) -> None:
    model = open_vision(settings(**given), uncounted)
    assert isinstance(model, HostedVision) and model.detail.en.startswith(expected)


@pytest.mark.parametrize("given", [{}, {"llm_api_key": "k"}, {"vision_model": "v"}])
def test_none(given: dict[str, object]) -> None:
    assert open_vision(settings(**given), uncounted) is None
