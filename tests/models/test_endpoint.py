"""Which endpoint the settings name, for each part; nothing is sent."""

from __future__ import annotations

from typing import Any

import httpx2
import openai
import pytest

from domain.errors import ModelTimedOut, ModelUnavailable
from models.chat.hosted import DEFAULTS as CHAT
from models.chat.hosted import hosted_chat
from models.chat.openai_chat import OpenAICompatibleChat
from models.endpoint import NO_KEY, OPENAI_URL, Asked, Endpoint, model_error, provider_words, resolve
from settings import Settings

DASHSCOPE_URL = "https://dashscope.aliyuncs.com/compatible-mode/v1"
LOCAL = "http://127.0.0.1:9/v1"


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)


def chat_endpoint(**given: object) -> Endpoint | None:
    made = settings(**given)
    return resolve(Asked(made.llm_base_url, made.llm_api_key, made.llm_model), made, CHAT)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, None),
        ({"llm_api_key": "k"}, (OPENAI_URL, "gpt-5.4-mini", "k")),
        ({"llm_api_key": "k", "llm_model": "m"}, (OPENAI_URL, "m", "k")),
        ({"llm_base_url": LOCAL, "llm_model": "m"}, (LOCAL, "m", NO_KEY)),
        ({"llm_base_url": LOCAL, "llm_model": "m", "llm_api_key": "k"}, (LOCAL, "m", "k")),
        ({"llm_base_url": LOCAL, "llm_model": "m", "dashscope_api_key": "d"}, (LOCAL, "m", NO_KEY)),
        ({"dashscope_api_key": "d"}, (DASHSCOPE_URL, "qwen3.7-plus", "d")),
        ({"dashscope_api_key": "d", "llm_model": "qwen-max"}, (DASHSCOPE_URL, "qwen-max", "d")),
        ({"dashscope_api_key": "d", "llm_base_url": DASHSCOPE_URL}, (DASHSCOPE_URL, "qwen3.7-plus", "d")),
        ({"dashscope_api_key": "d", "llm_api_key": "k"}, (OPENAI_URL, "gpt-5.4-mini", "k")),
    ],
)
def test_chat_endpoint(given: dict[str, object], expected: tuple[str, str, str] | None) -> None:
    made = chat_endpoint(**given)
    assert (made and (made.base_url, made.model, made.api_key)) == expected


def test_an_address_without_model_is_refused() -> None:
    with pytest.raises(ValueError, match="LLM_MODEL is not set: 127.0.0.1:9"):
        chat_endpoint(llm_base_url=LOCAL)


def test_the_key_is_not_shown() -> None:
    made = Endpoint("http://user:pass@host:1/v1", "m", "sk-secret")
    assert "sk-secret" not in repr(made)
    assert made.host == "host:1"


def test_thinking_is_off_at_dashscope_unless_asked_for() -> None:
    plain = hosted_chat(settings(dashscope_api_key="d"))
    asked = hosted_chat(settings(dashscope_api_key="d", llm_extra_body={"enable_thinking": True}))
    assert (
        plain and isinstance(plain.model, OpenAICompatibleChat) and plain.model.extra_body == {"enable_thinking": False}
    )
    assert (
        asked and isinstance(asked.model, OpenAICompatibleChat) and asked.model.extra_body == {"enable_thinking": True}
    )
    assert plain.detail.en.startswith("qwen3.7-plus at dashscope.aliyuncs.com, because DASHSCOPE_API_KEY is set;")
    assert plain.detail.zh.startswith("dashscope.aliyuncs.com 上的 qwen3.7-plus，因为设置了 DASHSCOPE_API_KEY；")


def test_openai_gets_its_own_name_for_the_length() -> None:
    chat = hosted_chat(settings(llm_api_key="k", llm_max_output_tokens=77))
    assert chat and isinstance(chat.model, OpenAICompatibleChat)
    params = chat.model._default_params
    assert (params["max_completion_tokens"], params.get("max_tokens")) == (77, None)


def test_errors_outside_the_protocol() -> None:
    assert isinstance(model_error(TimeoutError()), ModelTimedOut)
    assert isinstance(model_error(ConnectionResetError()), ModelUnavailable)
    known = ModelTimedOut()
    assert model_error(known) is known


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<html><style>a{}</style><h1>Bad gateway</h1></html>", "Bad gateway"),
        ({"error": {"message": "no\n such key sk-abcdef"}}, "no such key ***"),
        ({"detail": [{"loc": ["top_k"], "msg": "not permitted"}]}, '[{"loc": ["top_k"], "msg": "not permitted"}]'),
        ({"message": "see https://provider.example/help?key=1"}, "see ***"),
        (None, "an error"),
        ("x" * 1000, "x" * 300),
    ],
)
def test_the_providers_own_words(body: object, said: str) -> None:
    response = httpx2.Response(502, request=httpx2.Request("POST", LOCAL))
    assert provider_words(openai.InternalServerError("an error", response=response, body=body)) == said


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("7", 7), ("0.2", 1), ("99999", 3600), ("Wed, 01 Jan 2020 00:00:00 GMT", 1), ("soon", None), ("", None)],
)
def test_when_to_ask_again(given: str, seconds: int | None) -> None:
    response = httpx2.Response(429, request=httpx2.Request("POST", LOCAL), headers={"retry-after": given})
    error = model_error(openai.RateLimitError("slow down", response=response, body=None))
    assert (error.status, error.details.get("retry_after")) == (429, seconds)
