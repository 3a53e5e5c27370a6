"""Which chat model the settings choose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.chat.registry import open_chat
from models.embeddings.registry import open_embedder
from settings import Settings


def kind(**given: Any) -> str:
    settings = Settings(_env_file=None, **given)
    return open_chat(settings, open_embedder(settings)).kind


@pytest.mark.parametrize("given", [{"llm_api_key": "k"}, {"dashscope_api_key": "d"}])
def test_a_hosted_model_wins(given: dict[str, object]) -> None:
    assert kind(**given, embedded_gguf=Path("model.gguf")) == "hosted"


def test_the_extractive_model_is_there_without_any_configuration() -> None:
    assert kind() == "extractive"
