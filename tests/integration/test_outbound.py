"""What a user keeps from hosted services is in no byte that leaves: every service stands behind a recording proxy."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.conftest import make_picture
from tests.live_server import LiveServer
from tests.standins.every_service import TOOLS, EveryService, written

RAW = ("王伟", "13812345678", "wei@example.cn", "Sarah Connor")
SAID = f"我叫{RAW[0]}，手机{RAW[1]}，邮箱 {RAW[2]}. My doctor is {RAW[3]}."


def leaked(sent: bytes) -> set[str]:
    return {raw for raw in RAW if any(form in sent for form in written(raw))}


@pytest.mark.parametrize("wanted", [pytest.param("", marks=pytest.mark.slow), "mask"])
def test_nothing_personal_is_in_any_byte_that_leaves(
    tmp_path: Path, wanted: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with EveryService(tmp_path) as outside:
        with (
            LiveServer(outside.settings) as live,
            httpx.Client(base_url=live.url, timeout=120, trust_env=False, verify=False) as http,
        ):
            http.put("/api/v1/profile", json={"pii": wanted}).raise_for_status()
            files = [("file", ("lease.txt", f"The lease. {SAID}".encode())),
                     ("file", ("card.png", make_picture(f"Call {RAW[1]} today")))]  # fmt: skip
            given = {"message": f"Read this. {SAID}", "session_id": "s"}
            first = http.post("/api/v1/chat_with_file", data=given, files=files)
            assert first.status_code == 200, first.text
            http.post("/api/v1/documents/search", json={"query": SAID, "session_id": "s"}).raise_for_status()
            talk = http.post("/api/v1/chat", json={"message": SAID, "session_id": "s2"})
            assert talk.json()["answer"] == f"You said: {SAID}", "the user has the values back"
            assert {run["name"] for run in talk.json()["tools"]} == set(TOOLS), talk.text
            run = http.post("/api/v1/runs", json={"message": SAID, "callback_url": outside.hook_url}).json()
            spoken = http.post("/api/v1/tts", json={"text": SAID})
            assert spoken.status_code == (503 if wanted else 200), spoken.text
            deadline = time.monotonic() + 30
            while not outside.hook.callbacks and time.monotonic() < deadline:
                time.sleep(0.05)
            assert outside.hook.callbacks and run["run_id"].encode() in outside.hook.callbacks[0].body
        sent = outside.sent()
    logs = "".join(capfd.readouterr())
    silent = {name for name, bytes_sent in sent.items() if not bytes_sent}
    found: dict[str, Any] = {name: leaked(bytes_sent) for name, bytes_sent in sent.items()}
    assert silent == ({"speech"} if wanted else set())
    if wanted:
        assert not any(found.values()), found
        assert not leaked(logs.encode())
        assert re.search(rb"PHONE_\w{6}", sent["chat"])
    else:
        assert all(found.values()), f"what the recorders see: {found}"
