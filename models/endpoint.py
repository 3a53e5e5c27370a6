"""Which OpenAI-compatible endpoint a part of the service talks to, and what its failures mean.

Chat, vision and embeddings share the rules of this file, so that one key configures all of them alike.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import httpx2
import openai
from langchain_core.exceptions import ContextOverflowError
from pydantic import SecretStr

from domain.errors import (
    AppError,
    ContextTooLong,
    ModelBusy,
    ModelKeyRefused,
    ModelNotFound,
    ModelRefused,
    ModelSpent,
    ModelTimedOut,
    ModelUnavailable,
)
from domain.words import Words
from settings import Settings

OPENAI_URL = "https://api.openai.com/v1"
CONNECT_SECONDS = 10.0
"""Longest wait for a connection: an address that does not answer fails long before a model that thinks."""

NO_KEY = "none"
"""Sent to endpoints that want no key (Ollama, vLLM): the client insists on some text."""


@dataclass(frozen=True)
class Endpoint:
    """One model at one OpenAI-compatible address."""

    base_url: str
    model: str
    api_key: str = field(default=NO_KEY, repr=False)

    @property
    def host(self) -> str:
        """Host and port alone: safe to show, whatever credentials the URL carries."""
        parts = urlsplit(self.base_url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)

    @property
    def is_openai(self) -> bool:
        """Whether this is OpenAI itself."""
        return urlsplit(self.base_url).hostname == urlsplit(OPENAI_URL).hostname

    @property
    def is_dashscope(self) -> bool:
        """Whether this is DashScope, in any region."""
        return (urlsplit(self.base_url).hostname or "").endswith(".aliyuncs.com")


class Asked(NamedTuple):
    """What the settings say of one part: any of the three may be missing."""

    base_url: str | None
    api_key: SecretStr | None
    model: str | None


class Defaults(NamedTuple):
    """Model names taken where none is given: at OpenAI, at DashScope, elsewhere; and the setting that names another."""

    openai: str
    dashscope: str
    setting: str
    elsewhere: str | None = None


def resolve(asked: Asked, settings: Settings, defaults: Defaults) -> Endpoint | None:
    """Complete `asked` to an endpoint, or return None where nothing is configured.

    A key goes only to the address that it was given for: LLM_API_KEY to LLM_BASE_URL (or OpenAI), DASHSCOPE_API_KEY to
    DashScope.

    Raises:
        ValueError: A custom address without a model name.
    """
    base_url = asked.base_url or _implied_url(asked, settings)
    if base_url is None:
        return None
    key = asked.api_key or _keys(settings).get(base_url)
    model = asked.model or _default_model(base_url, settings, defaults)
    return Endpoint(base_url, model, key.get_secret_value() if key else NO_KEY)


def _implied_url(asked: Asked, settings: Settings) -> str | None:
    if asked.api_key:
        return settings.llm_base_url or OPENAI_URL
    if asked.model and (settings.llm_base_url or settings.llm_api_key):
        return settings.llm_base_url or OPENAI_URL
    return settings.dashscope_base_url if settings.dashscope_api_key else None


def _keys(settings: Settings) -> Mapping[str, SecretStr]:
    known = (
        (settings.dashscope_base_url, settings.dashscope_api_key),
        (settings.llm_base_url or OPENAI_URL, settings.llm_api_key),
    )
    return {base_url: key for base_url, key in known if key}


def _default_model(base_url: str, settings: Settings, defaults: Defaults) -> str:
    endpoint = Endpoint(base_url, "")
    if endpoint.is_openai:
        return defaults.openai
    if endpoint.is_dashscope or base_url == settings.dashscope_base_url:
        return defaults.dashscope
    if defaults.elsewhere:
        return defaults.elsewhere
    raise ValueError(f"{defaults.setting} is not set: {endpoint.host} has no model name that could be assumed")


def endpoint_detail(endpoint: Endpoint, asked: Asked, part: str, fallback: Endpoint | None = None) -> Words:
    """Return one sentence for people: which model, why, and how to change it.

    Args:
        endpoint: What `asked` resolved to.
        asked: What the settings of this part say.
        part: How those settings begin: `LLM`, `VISION`, `EMBEDDING`.
        fallback: Asked when the first one fails.
    """
    cause = f"{part}_*" if any(asked) else "DASHSCOPE_API_KEY"
    names = f"{part}_BASE_URL", f"{part}_API_KEY", f"{part}_MODEL"
    spare = Words("", "")
    if fallback:
        spare = Words(
            f", with {fallback.model} at {fallback.host} when it fails",
            f"，出错时改用 {fallback.host} 上的 {fallback.model}",
        )
    return Words(
        f"{endpoint.model} at {endpoint.host}{spare.en}, because {cause} is set; "
        f"change it with {names[0]}, {names[1]} and {names[2]}.",
        f"{endpoint.host} 上的 {endpoint.model}{spare.zh}，因为设置了 {cause}；"
        f"可通过 {names[0]}、{names[1]} 和 {names[2]} 更改。",
    )


def request_timeout(silence: float) -> openai.Timeout:
    """Return the socket timeouts of an endpoint that may be silent for `silence` seconds."""
    return openai.Timeout(silence, connect=min(silence, CONNECT_SECONDS))


def http_client(silence: float) -> openai.DefaultAsyncHttpxClient:
    """Return a new connection pool; it belongs to the event loop that first uses it."""
    return openai.DefaultAsyncHttpxClient(timeout=request_timeout(silence))


GARBLED = (ValueError, TypeError, KeyError, IndexError, AttributeError)
"""What the client library raises where an answer is not what the protocol says."""

FAILURES = (openai.OpenAIError, httpx.HTTPError, httpx2.HTTPError, OSError, TimeoutError, *GARBLED)
"""Everything that talking to an endpoint may raise."""

TIMEOUTS = (openai.APITimeoutError, httpx.TimeoutException, httpx2.TimeoutException, TimeoutError)
NO_CONNECTION = Words("there is no connection to it", "无法连接")
BROKEN_OFF = Words("its answer broke off", "回答中途断开")
ENDLESS = Words("its answer does not end", "回答没有止境")
UNREADABLE = Words("its answer cannot be read", "返回内容无法解析")

BY_CODE = {
    "insufficient_quota": Words("the account has no credit left", "账户额度不足"),
    "Arrearage": Words("the account has no credit left", "账户欠费"),
    "data_inspection_failed": Words("the provider refused the content", "内容被服务商拒绝"),
    "content_filter": Words("the provider refused the content", "内容被服务商拒绝"),
    "context_length_exceeded": Words("the conversation is longer than its window", "对话超出模型的上下文长度"),
}

BY_STATUS = {
    400: Words("it does not accept the request", "请求不被接受"),
    401: Words("the key was refused", "密钥被拒绝"),
    402: Words("the account has no credit left", "账户额度不足"),
    403: Words("the key may not use this model", "密钥无权使用该模型"),
    404: Words("there is no such model or address", "没有该模型或地址"),
    413: Words("the request is too large for it", "请求过大"),
    422: Words("it does not accept the request", "请求不被接受"),
    429: Words("there are too many requests", "请求过于频繁"),
}


SAID_CHARS = 300
"""Most characters of a provider's own words that are logged and shown."""
_TAGS = re.compile(r"<(script|style).*?</\1>|<[^>]{1,500}>", re.S | re.I)
"""Of the pages that gateways answer with."""
_CREDENTIALS = re.compile(r"\b(?:sk|key|pk|gsk|xai)-[\w*.-]{4,}|Bearer \S+|https?://\S+")


def model_error(exc: Exception) -> AppError:
    """Return the error that a client may see for `exc`, raised while talking to a chat model.

    What the provider says of a request that it refuses is for whoever made it; what it says of the operator's key,
    account and address is for the log (`provider_words`).
    """
    if isinstance(exc, AppError):
        return exc
    if isinstance(exc, TIMEOUTS):
        return ModelTimedOut()
    reason = failure_reason(exc)
    if isinstance(exc, openai.APIError):
        kind = _KINDS_BY_REASON.get(reason) or _KINDS_BY_STATUS.get(getattr(exc, "status_code", 0), ModelUnavailable)
        if kind is ModelRefused and reason in (BY_STATUS[400], BY_STATUS[422]) and (said := provider_words(exc)):
            reason = Words(f"{reason.en}: {said}", f"{reason.zh}：{said}")
        return kind(reason=reason, **_retry_after(exc))
    return ModelUnavailable(reason=reason)


def provider_words(exc: BaseException, secret: str = "") -> str:
    """Return what a provider says of a failure: one line, without keys and addresses."""
    said = str(exc)
    if isinstance(exc, openai.APIError):
        body = exc.body
        inner = body.get("error", body) if isinstance(body, Mapping) else body
        told = inner.get("message") or inner.get("detail") if isinstance(inner, Mapping) else inner
        told = told or exc.message
        said = told if isinstance(told, str) else json.dumps(told, ensure_ascii=False, default=str)
    if secret and secret != NO_KEY:
        said = said.replace(secret, "***")
    return " ".join(_CREDENTIALS.sub("***", _TAGS.sub(" ", said)).split())[:SAID_CHARS]


def _retry_after(exc: openai.APIError) -> dict[str, int]:
    """The seconds after which a provider wants to be asked again, where it says so."""
    given = exc.response.headers.get("retry-after", "") if isinstance(exc, openai.APIStatusError) else ""
    try:
        if not given[:1].isdigit():
            given = str((parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds())
        return {"retry_after": min(max(1, math.ceil(float(given))), 3600)}
    except (ValueError, TypeError):
        return {}


_KINDS_BY_REASON: dict[Words, type[ModelUnavailable]] = {
    BY_CODE["context_length_exceeded"]: ContextTooLong,
    BY_CODE["insufficient_quota"]: ModelSpent,
    BY_CODE["Arrearage"]: ModelSpent,
    BY_CODE["content_filter"]: ModelRefused,
}
_KINDS_BY_STATUS: dict[int, type[ModelUnavailable]] = {
    400: ModelRefused, 413: ModelRefused, 422: ModelRefused, 401: ModelKeyRefused, 403: ModelKeyRefused,
    402: ModelSpent, 404: ModelNotFound, 429: ModelBusy,
}  # fmt: skip


def failure_reason(exc: Exception) -> Words:
    """Return in plain words what `exc` says of the endpoint."""
    if isinstance(exc, TIMEOUTS):
        return Words("it was silent for too long", "响应超时")
    if isinstance(exc, ContextOverflowError):
        return BY_CODE["context_length_exceeded"]
    if isinstance(exc, openai.APIError) and (known := BY_CODE.get(exc.code or "")):
        return known
    if isinstance(exc, openai.APIStatusError):
        status = exc.status_code
        return BY_STATUS.get(status, Words(f"it answered HTTP {status}", f"返回 HTTP {status}"))
    if isinstance(exc, openai.APIConnectionError | httpx2.TransportError):
        return NO_CONNECTION if _never_connected(exc) else BROKEN_OFF
    if isinstance(exc, openai.APIError):
        return Words("it reported an error in the middle of its answer", "回答途中报错")
    return UNREADABLE if isinstance(exc, GARBLED) else NO_CONNECTION


def _never_connected(exc: BaseException) -> bool:
    """Look for `ConnectError` of httpx or httpx2, also below the client's own errors."""
    if isinstance(exc, httpx.ConnectError | httpx2.ConnectError):
        return True
    return exc.__cause__ is not None and _never_connected(exc.__cause__)
