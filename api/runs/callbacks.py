"""Callbacks: posts the result of a background run, signed, and only to addresses that may be called."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import time
from typing import TYPE_CHECKING

import orjson

from net.failures import FetchFailure
from privacy.outbound import Privacy

if TYPE_CHECKING:
    from api.runs.run import Run
    from turn.context import Services

logger = logging.getLogger(__name__)

PAUSES = (1.0, 5.0)
"""Seconds between the attempts to deliver a callback."""
TRY_AGAIN = frozenset({408, 429, *range(500, 600), "timeout", "unreachable"})
"""HTTP statuses and codes of failures that may pass."""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the value of `X-Signature`.

    >>> signature("secret", "1700000000", b"{}")[:20]
    'sha256=b8569b78799ff'
    """
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


async def call_back(services: Services, url: str, run: Run) -> None:
    """Post the result of a run to `url`, and retry after a pause when it was not accepted.

    A failure is logged; the result stays at `GET /api/v1/runs/{id}`.
    """
    secret = services.settings.callback_secret
    if secret is None:
        return
    error = run.error.body(run.request.language) if run.error else None
    result = await Privacy(services.settings, run.request.options.pii).value(run.answer)
    body = orjson.dumps({"run_id": run.id, "state": run.state, "result": result, "error": error}, default=str)
    await deliver(services, url, body, secret.get_secret_value())


async def deliver(services: Services, url: str, body: bytes, secret: str) -> None:
    """Post `body`, signed, and retry after a pause when it was not accepted; a failure is logged."""
    for pause in (*PAUSES, None):
        outcome = await _deliver(services, url, body, secret)
        if outcome not in TRY_AGAIN:
            logger.info("callback", extra={"outcome": outcome})
            return
        if pause is not None:
            await asyncio.sleep(pause)
    logger.warning("callback given up", extra={"outcome": outcome})


async def _deliver(services: Services, url: str, body: bytes, secret: str) -> int | str:
    """Post once; return the HTTP status, or the code of the failure."""
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "X-Timestamp": timestamp,
        "X-Signature": signature(secret, timestamp, body),
    }
    try:
        return await services.http.post(url, body, headers)
    except FetchFailure as exc:
        return exc.code
