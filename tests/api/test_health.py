"""What the service is made of, told in the language of who asks."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from api.announce import announce
from server import open_backend
from settings import Settings

HAN = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
PARTS = {"redis", "database", "vectors", "chat", "vision", "embeddings", "rerank", "ocr", "search",
         "speech_out", "speech_in"}  # fmt: skip


async def test_health(client: httpx.AsyncClient) -> None:
    body = (await client.get("/api/v1/health")).json()
    assert body["status"] in ("ok", "degraded")
    assert body["parts"]["redis"]["state"] == body["parts"]["chat"]["state"] == "ready"
    assert all({"state", "kind", "detail"} == part.keys() for part in body["parts"].values())
    assert body["limits"]["max_files"] == 3


async def test_every_part_is_told_in_the_language_of_the_request(client: httpx.AsyncClient) -> None:
    plain = (await client.get("/api/v1/health")).json()["parts"]
    preferred = {"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}
    chinese = (await client.get("/api/v1/health", headers=preferred)).json()["parts"]
    assert plain.keys() == chinese.keys() == PARTS
    for name in PARTS:
        en, zh = plain[name].pop("detail"), chinese[name].pop("detail")
        assert en and not HAN.search(en), name
        assert HAN.search(zh) and zh.endswith("。"), name
        assert settings_named(en) == settings_named(zh), name
    assert plain == chinese, "only the sentence for people depends on the language"


def settings_named(text: str) -> set[str]:
    """The settings that a sentence names; `any_case` words are none."""
    return set(re.findall(r"[A-Z][A-Z0-9]*_[A-Z0-9_]+", text))


@pytest.mark.parametrize(
    "values",
    [
        {"ocr_engine": "off"},
        {"ocr_engine": "off", "dashscope_api_key": "k", "tavily_api_key": "k", "chroma_url": None},
        {"ocr_engine": "off", "web_search": "off", "llm_api_key": "k", "llm_fallback_model": "spare",
         "stt_api_key": "k", "vision_api_key": "k", "embedding_api_key": "k",
         "rerank_base_url": "http://r.test/v1", "rerank_model": "r-1"},
    ],
    ids=["bundled", "dashscope", "configured"],
)  # fmt: skip
async def test_the_start_up_lines_follow_the_locale(
    settings: Settings, capsys: pytest.CaptureFixture[str], values: dict[str, Any]
) -> None:
    given = {"data_dir": settings.data_dir, **values, "_env_file": None}
    async with open_backend(Settings(**given, lang="zh_CN.UTF-8")) as backend:
        await announce(backend)
        lines = part_lines(capsys.readouterr().out)
        assert len(lines) == len(PARTS) and all(HAN.search(line) for line in lines), lines
    async with open_backend(Settings(**given, lang="en_GB.UTF-8")) as backend:
        await announce(backend)
        lines = part_lines(capsys.readouterr().out)
        assert len(lines) == len(PARTS) and not any(HAN.search(line) for line in lines), lines


def part_lines(printed: str) -> list[str]:
    """What is said of each part."""
    return [line for line in printed.splitlines() if line.startswith("  ") and "://" not in line]


def test_lc_all_comes_before_lang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    assert Settings(_env_file=None).lang == "en_US.UTF-8"
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert Settings(_env_file=None).lang == "zh_CN.UTF-8"
    monkeypatch.setenv("LC_ALL", "")
    assert Settings(_env_file=None).lang == "en_US.UTF-8"
