"""Tells another server how a background run ended: signed, and only to addresses that may be called."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from typing import TYPE_CHECKING

import orjson

from tools.interface import ToolFailure

if TYPE_CHECKING:
    from api.run import Run
    from graph.context import Services

logger = logging.getLogger(__name__)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the value of `X-Signature`.

    >>> signature("secret", "1700000000", b"{}")[:20]
    'sha256=0a2a9a02b9e5e'
    """
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


async def call_back(services: Services, url: str, run: Run) -> None:
    """Post the result of a run to `url`; a failure is logged, the result stays at `GET /api/v1/runs/{id}`."""
    secret = services.settings.callback_secret
    if secret is None:
        return
    error = run.error.body(run.request.spoken_language) if run.error else None
    body = orjson.dumps({"run_id": run.id, "state": run.state, "result": run.answer, "error": error}, default=str)
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "X-Timestamp": timestamp,
        "X-Signature": signature(secret.get_secret_value(), timestamp, body),
    }
    try:
        status = await services.http.post(url, body, headers)
    except ToolFailure as exc:
        logger.warning("callback failed", extra={"error": type(exc).__name__})
        return
    logger.info("callback", extra={"status": status})
