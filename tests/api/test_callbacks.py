from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.runs import callbacks
from api.runs.callbacks import signature
from tests.api.test_runs import start, until
from tests.standins.callback_receiver import CallbackReceiver
from tests.standins.openai_server import Failure, OpenAIServer

OPERATIONS = Path(__file__).resolve().parents[2] / "docs" / "operations.md"


@pytest.fixture
def receiver(_receiver: CallbackReceiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[CallbackReceiver]:
    monkeypatch.setattr(callbacks, "PAUSES", (0.05, 0.05))
    _receiver.callbacks.clear()
    yield _receiver
    _receiver.answers.clear()


@pytest.fixture(scope="module")
def documented_check() -> Callable[..., bool]:
    """The code with which docs/operations.md tells receivers to check a callback."""
    [code] = re.findall(r"```python\n(.*?)```", OPERATIONS.read_text("utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["is_genuine"]  # type: ignore[no-any-return]


def test_signature_is_hmac_of_time_and_body() -> None:
    wanted = hmac.new(b"s", b"17.{}", hashlib.sha256).hexdigest()
    assert signature("s", "17", b"{}") == f"sha256={wanted}"


async def test_the_result_is_delivered_and_its_signature_holds(
    client: httpx.AsyncClient, model: OpenAIServer, receiver: CallbackReceiver, documented_check: Callable[..., bool]
) -> None:
    model.script(["完成。"])
    run = await start(client, callback_url=receiver.url)
    [callback] = await receiver.received(1)
    result = json.loads(callback.body)
    assert (result["run_id"], result["state"], result["result"]["answer"]) == (run["run_id"], "done", "完成。")
    assert result["error"] is None
    stamp, sent = callback.headers["x-timestamp"], callback.headers["x-signature"]
    assert documented_check(callback.body, stamp, sent, "callback-secret")
    assert not documented_check(callback.body + b" ", stamp, sent, "callback-secret")
    assert not documented_check(callback.body, stamp, sent, "another-secret")
    old = str(int(time.time()) - 3600)
    assert not documented_check(callback.body, old, signature("callback-secret", old, callback.body), "callback-secret")


async def test_a_failed_run_is_told_too(
    client: httpx.AsyncClient, model: OpenAIServer, receiver: CallbackReceiver
) -> None:
    model.script([Failure(500)])
    await start(client, callback_url=receiver.url)
    [callback] = await receiver.received(1)
    told = json.loads(callback.body)
    assert (told["state"], told["error"]["code"]) == ("error", "model_unavailable")


async def test_delivery_is_tried_again_where_that_may_help(
    client: httpx.AsyncClient, model: OpenAIServer, receiver: CallbackReceiver
) -> None:
    receiver.answers = [503, 429]
    await start(client, callback_url=receiver.url)
    found = await receiver.received(3)
    assert len({callback.body for callback in found}) == 1
    receiver.callbacks.clear()
    receiver.answers = [404]
    run = await start(client, callback_url=receiver.url)
    await until(client, run["run_id"], "done")
    await asyncio.sleep(0.3)
    assert len(receiver.callbacks) == 1


async def test_private_addresses_are_not_called(
    client: httpx.AsyncClient, model: OpenAIServer, receiver: CallbackReceiver
) -> None:
    elsewhere = receiver.url.replace("127.0.0.1", "localhost")
    run = await start(client, callback_url=elsewhere)
    await until(client, run["run_id"], "done")
    await asyncio.sleep(0.3)
    assert receiver.callbacks == []


@pytest.mark.parametrize("url", ["ftp://example.org/x", "example.org", "http://", "javascript:alert(1)"])
async def test_what_cannot_be_called_is_refused_at_once(client: httpx.AsyncClient, url: str) -> None:
    response = await client.post("/api/v1/runs", json={"message": "Go", "callback_url": url})
    assert (response.status_code, response.json()["error"]["code"]) == (422, "bad_input")
