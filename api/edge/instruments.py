"""What is counted and timed: requests, turns, first tokens, tools."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

from prometheus_client import Counter, Gauge, Histogram

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
ATTEMPT_EVENTS = Counter("llmchat_attempt_events", "Times that attempts of somebody passed a limit.", ("level",))
TOOL_CALLS = Counter("llmchat_tool_calls", "Tool calls by how they ended.", ("name", "status"))


@lru_cache(maxsize=1024)
def labelled(metric: Metric, *labels: str) -> Metric:
    """Return the child of `metric` with these labels; remembered, since prometheus_client takes a lock to find it."""
    return metric.labels(*labels)
