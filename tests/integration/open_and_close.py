"""Runs a whole server in this process, uses every part of it, closes it, and prints what is still open as JSON."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
from PIL import Image, ImageDraw

from server import create_app
from settings import Settings

SECONDS = 10.0
"""Longest wait for threads and sockets to end after the server has closed."""
LASTING = {"tqdm_monitor"}
"""Threads that stay: tqdm's own, started when faster-whisper loads its model."""
LASTING_SOCKETS = 2
"""Tokio's signal pipe, which Chroma opens once a process."""


def open_things() -> dict[str, Any]:
    """Return the threads, child processes, sockets and objects kept from garbage collection of this process."""
    gc.collect()
    me = psutil.Process()
    return {
        "threads": sorted(thread.name for thread in threading.enumerate() if thread is not threading.main_thread()),
        "children": [" ".join(child.cmdline())[:200] for child in me.children(recursive=True)],
        "sockets": [str(socket) for socket in me.net_connections("all")],
        "frozen": gc.get_freeze_count(),
    }


def is_closed(things: dict[str, Any]) -> bool:
    """Tell whether nothing is open but what lasts as long as the process."""
    return not things["children"] and {*things["threads"]} <= LASTING and len(things["sockets"]) <= LASTING_SOCKETS


def picture() -> bytes:
    """Return a picture with a few words."""
    image, target = Image.new("RGB", (400, 120), "white"), io.BytesIO()
    ImageDraw.Draw(image).text((20, 40), "Harbour Road 315", fill="black", font_size=32)
    image.save(target, "PNG")
    return target.getvalue()


async def use(settings: Settings) -> dict[str, Any]:
    """Open the server, call each of its parts, and return what was open meanwhile."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=120) as api:
            files = {"file": ("lease.txt", b"The lease runs for five years.", "text/plain")}
            answer = await api.post("/api/v1/chat_with_file", data={"message": "How long does it run?"}, files=files)
            answer.raise_for_status()
            seen = await api.post("/api/v1/chat_with_image", data={"message": "Read it"}, files={"image": picture()})
            seen.raise_for_status()
            sound = await api.post("/api/v1/tts", json={"text": "Good morning.", "format": "wav", "stream": False})
            sound.raise_for_status()
            heard = await api.post("/api/v1/stt", files={"file": ("a.wav", sound.content)})
            heard.raise_for_status()
        return open_things()


def main() -> None:
    """Print what was open during and after."""
    settings = Settings(
        data_dir=Path(sys.argv[1]), llm_base_url=sys.argv[2], llm_api_key="key", llm_model="stand-in",
        web_search="off", _env_file=None,
    )  # fmt: skip
    during = asyncio.run(use(settings))
    deadline = time.monotonic() + SECONDS
    while not is_closed(after := open_things()) and time.monotonic() < deadline:
        time.sleep(0.1)
    print(json.dumps({"during": during, "after": after}))


if __name__ == "__main__":
    main()
