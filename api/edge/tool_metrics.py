"""What happened to each tool, for Prometheus: read when it is asked for, so that calls pay nothing for it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from tools.counters import BOUNDS

if TYPE_CHECKING:
    from tools.registry import ToolRegistry

COUNTED = {
    "errors": "Calls that failed.",
    "unknown": "Calls that may or may not have taken effect.",
    "refused": "Calls that were not let through.",
    "cached": "Calls answered by an earlier result.",
    "asked": "Calls about which the user was asked first.",
}
BREAKER = {"closed": 0.0, "half_open": 0.5, "open": 1.0}


class ToolMetrics(Collector):
    """The counters of a registry as metrics."""

    def __init__(self, tools: ToolRegistry) -> None:
        self._tools = tools

    def collect(self) -> Iterator[Metric]:
        """Yield one family a number."""
        rows = self._tools.numbers()
        for name, help_text in COUNTED.items():
            family = CounterMetricFamily(f"llmchat_tool_{name}", help_text, labels=("name",))
            for tool, (counters, _) in rows.items():
                family.add_metric((tool,), getattr(counters, name))
            yield family
        seconds = HistogramMetricFamily(
            "llmchat_tool_seconds", "Time of calls that were not answered by an earlier result.", labels=("name",)
        )
        for tool, (counters, _) in rows.items():
            bounds = [*map(str, BOUNDS), "+Inf"]
            buckets = [
                (bound, float(count)) for bound, count in zip(bounds, accumulate(counters.durations), strict=True)
            ]
            seconds.add_metric((tool,), buckets, counters.seconds)
        yield seconds
        breaker = GaugeMetricFamily(
            "llmchat_tool_breaker", "1 while a tool is left alone since it fails, 0.5 on trial.", labels=("name",)
        )
        for tool, (_, state) in rows.items():
            breaker.add_metric((tool,), BREAKER[state])
        yield breaker
