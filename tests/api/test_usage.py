"""What users have used: every answer of a hosted model, in a turn and beside it."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

from PIL import Image

from settings import Settings
from tests.api.test_people import ROOT, SECOND, call
from tests.live_server import LiveServer
from tests.standins.openai_server import OpenAIServer

BOOK = "\n\n".join(f"Chapter {number}. The mill ground {number} sacks of rye that year." for number in range(300))
WORKERS = ("Name the topic", "Summarise this document", "You find what a user states", "You describe pictures")


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (80, 60), "red").save(out, "PNG")
    return out.getvalue()


def used(live: LiveServer, key: str) -> dict[str, Any]:
    days = call(live, key, "GET", "usage").json()
    return dict(days[0]) if days else {"turns": 0, "calls": 0, "tokens": 0}


def test_what_a_model_answers_beside_a_turn_counts_for_its_user(tmp_path: Path) -> None:
    with OpenAIServer() as model:
        settings = Settings(
            data_dir=tmp_path / "data", llm_base_url=model.base_url, llm_model="stand-in", llm_max_retries=0,
            vision_base_url=model.base_url, vision_model="seer", vision_model_api_key="sk-v",
            summary_threshold_tokens=500, model_titles=True, memory_extraction="model",
            ocr_engine="off", tts_engine="off", web_search="off", api_keys=(ROOT, SECOND), _env_file=None,
        )  # fmt: skip
        with LiveServer(settings) as live:
            upload = {"file": ("book.txt", BOOK)}
            assert call(live, SECOND, "POST", "documents", data={"session_id": "mill"}, files=upload).is_success
            asked = call(
                live, SECOND, "POST", "chat", data={"message": "I live in Xiamen. What is this?", "session_id": "mill"},
                files={"files": ("red.png", picture(), "image/png")},
            )  # fmt: skip
            assert asked.status_code == 200, asked.text
            end = time.monotonic() + 60
            while time.monotonic() < end:
                said = [request.text for request in model.chats]
                if all(any(name in text for text in said) for name in WORKERS):
                    break
                time.sleep(0.1)
            assert [name for name in WORKERS if not any(name in text for text in said)] == []
            while used(live, SECOND)["calls"] < len(model.chats) and time.monotonic() < end:
                time.sleep(0.1)
            today = used(live, SECOND)
            assert today["calls"] == len(model.chats) + len(asked.json()["tools"]) and today["turns"] == 1
            assert today["tokens"] > asked.json()["usage"]["input_tokens"] + len(BOOK) // 5
            assert used(live, ROOT)["calls"] == 0
