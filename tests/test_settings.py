from __future__ import annotations

from pathlib import Path

import pytest
from dotenv import dotenv_values
from pydantic import ValidationError

from settings import Settings, env_example

ROOT = Path(__file__).resolve().parents[1]


def test_env_example_lists_exactly_the_settings() -> None:
    assert (ROOT / ".env.example").read_text("utf-8") == env_example(), "write env_example() to .env.example"


def test_env_example_as_it_stands_gives_the_defaults(tmp_path: Path) -> None:
    text = (ROOT / ".env.example").read_text("utf-8").replace("\n# ", "\n")
    wanted = {name.upper() for name in Settings.model_fields}
    file = tmp_path / ".env"
    file.write_text("\n".join(line for line in text.splitlines() if line.split("=")[0] in wanted), "utf-8")
    assert set(dotenv_values(file)) == wanted
    assert Settings(_env_file=file) == Settings(_env_file=None)


def test_the_names_of_the_description_work(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "LLM_API_KEY": "a", "VISION_MODEL_API_KEY": "b", "DASHSCOPE_API_KEY": "c", "TAVILY_API_KEY": "d",
        "REDIS_HOST": "redis.example", "REDIS_PORT": "6380",
    }  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None)
    secrets = (settings.llm_api_key, settings.vision_api_key, settings.dashscope_api_key, settings.tavily_api_key)
    assert [secret.get_secret_value() for secret in secrets if secret] == ["a", "b", "c", "d"]
    assert (settings.redis_host, settings.redis_port) == ("redis.example", 6380)


def test_lists_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEYS", "one, two,,three ")
    settings = Settings(_env_file=None)
    assert [key.get_secret_value() for key in settings.api_keys] == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "70000"), ("THREAD_TTL", "5"), ("LLM_TIMEOUT", "-1"), ("PORT", "x")]
)
def test_values_out_of_range_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings(_env_file=None)


def test_settings_are_frozen_and_hide_secrets() -> None:
    settings = Settings(llm_api_key="sk-secret", _env_file=None)
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]
    assert "sk-secret" not in repr(settings)
