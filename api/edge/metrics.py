"""Numbers of the service in Prometheus text: requests, turns, first tokens, tools."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from api.runs.run import Run

logger = logging.getLogger(__name__)

Metric = TypeVar("Metric", Counter, Histogram)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

HTTP_SECONDS = Histogram(
    "llmchat_http_request_seconds", "Time until a response was sent whole.", ("method", "route", "status"),
    buckets=_SECONDS,
)  # fmt: skip
TURNS = Counter("llmchat_turns", "Turns by how they ended.", ("state",))
TURNS_RUNNING = Gauge("llmchat_turns_running", "Turns that run now in this process.")
TURN_SECONDS = Histogram("llmchat_turn_seconds", "Time of a turn from request to its end.", buckets=_SECONDS)
FIRST_TOKEN_SECONDS = Histogram(
    "llmchat_first_token_seconds", "Time from request to the first token of the answer.", buckets=_SECONDS
)
TOKENS = Counter("llmchat_tokens", "Tokens of all model calls.", ("direction", "model"))
TOOL_CALLS = Counter("llmchat_tool_calls", "Tool calls by how they ended.", ("name", "status"))

router = APIRouter(tags=["operation"])


@router.get("/metrics", response_class=Response, summary="Prometheus metrics")
async def metrics() -> Response:
    """Return the counters of this process in Prometheus text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@lru_cache(maxsize=1024)
def labelled(metric: Metric, *labels: str) -> Metric:
    """Return the child of `metric` with these labels; remembered, since prometheus_client takes a lock to find it."""
    return metric.labels(*labels)


def count_run(run: Run) -> None:
    """Add a finished run to the numbers, and one line to the log."""
    seconds = run.ended - run.created
    labelled(TURNS, run.state).inc()
    TURN_SECONDS.observe(seconds)
    if run.answer is not None:
        usage = run.answer["usage"]
        labelled(TOKENS, "input", usage["model"]).inc(usage["input_tokens"])
        labelled(TOKENS, "output", usage["model"]).inc(usage["output_tokens"])
        for tool in run.answer["tools"]:
            labelled(TOOL_CALLS, tool["name"], tool["status"]).inc()
    code = run.error.code if run.error else ""
    logger.info("turn", extra={"state": run.state, "seconds": round(seconds, 3), "code": code})
