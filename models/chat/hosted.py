"""Opens the chat model that LLM_* or DASHSCOPE_API_KEY name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from models.chat.fallback import FallbackChat
from models.chat.interface import Chat
from models.chat.openai_chat import OpenAICompatibleChat
from models.endpoint import (
    NO_KEY,
    Asked,
    Defaults,
    Endpoint,
    endpoint_detail,
    http_client,
    model_error,
    request_timeout,
    resolve,
)
from privacy.outbound import Privacy
from settings import Settings

__all__ = ["chat_model", "hosted_chat", "model_error"]

DEFAULTS = Defaults(openai="gpt-5.4-mini", dashscope="qwen3.7-plus", setting="LLM_MODEL")


def chat_model(
    endpoint: Endpoint, settings: Settings, *, max_tokens: int, extra_body: Mapping[str, object]
) -> OpenAICompatibleChat:
    """Return the model of `endpoint` with the timeouts and retries of the settings.

    Args:
        endpoint: Address, key and model.
        settings: For `llm_timeout` and `llm_max_retries`.
        max_tokens: Most tokens of one answer.
        extra_body: Merged into every request. At DashScope thinking is off unless this says otherwise.
    """
    length: dict[str, Any] = (
        {"model_kwargs": {"max_completion_tokens": max_tokens}} if endpoint.is_openai else {"max_tokens": max_tokens}
    )
    thinking_off = {"enable_thinking": False} if endpoint.is_dashscope else {}
    return OpenAICompatibleChat(
        model=endpoint.model,
        base_url=endpoint.base_url,
        api_key=SecretStr(endpoint.api_key),
        timeout=request_timeout(settings.llm_timeout),
        http_async_client=http_client(settings.llm_timeout),
        max_retries=settings.llm_max_retries,
        silence=settings.llm_timeout,
        privacy=Privacy(settings),
        stream_chunk_timeout=None,
        stream_usage=True,
        use_responses_api=False,
        extra_body={**thinking_off, **extra_body} or None,
        **length,
    )


def hosted_chat(settings: Settings) -> Chat | None:
    """Return the chat model that LLM_* or DASHSCOPE_API_KEY name, or None where neither is set."""
    asked = Asked(settings.llm_base_url, settings.llm_api_key, settings.llm_model)
    endpoint = resolve(asked, settings, DEFAULTS)
    if endpoint is None:
        return None
    fallback = _fallback_endpoint(endpoint, settings)
    models = [
        chat_model(it, settings, max_tokens=settings.llm_max_output_tokens, extra_body=settings.llm_extra_body)
        for it in (endpoint, fallback)
        if it is not None
    ]

    async def aclose() -> None:
        for model in models:
            if model.http_async_client is not None:
                await model.http_async_client.aclose()

    return Chat(
        model=FallbackChat(primary=models[0], fallback=models[1]) if fallback else models[0],
        name=endpoint.model,
        kind="hosted",
        context_tokens=settings.llm_context_tokens,
        max_output_tokens=settings.llm_max_output_tokens,
        detail=endpoint_detail(endpoint, asked, "LLM", fallback),
        aclose=aclose,
        named=lambda name: models[0].model_copy(update={"model_name": name}),
    )


def _fallback_endpoint(primary: Endpoint, settings: Settings) -> Endpoint | None:
    if not settings.llm_fallback_model:
        return None
    base_url = settings.llm_fallback_base_url or primary.base_url
    given = settings.llm_fallback_api_key
    own_key = primary.api_key if base_url == primary.base_url else NO_KEY
    return Endpoint(base_url, settings.llm_fallback_model, given.get_secret_value() if given else own_key)
