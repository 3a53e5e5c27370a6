"""Structured logs: one JSON object a line, with the ids of request, run and thread, and no content."""

from __future__ import annotations

import logging
import re
import sys
import time
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from privacy.outbound import wanted_privacy
from privacy.structured import without_personal_data
from settings import Settings

request_id_var: ContextVar[str] = ContextVar("request_id", default="")
run_id_var: ContextVar[str] = ContextVar("run_id", default="")
thread_id_var: ContextVar[str] = ContextVar("thread_id", default="")


_OURS = frozenset({"time", "level", "logger", "request_id", "run_id", "thread_id"})
_PASSWORD = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
"""User and password in a URL."""


class JsonLines(JsonFormatter):
    """Formats a record as one JSON object; `extra` fields become keys of it."""

    converter = staticmethod(time.gmtime)
    default_time_format, default_msec_format = "%Y-%m-%dT%H:%M:%S", "%s.%03dZ"

    def __init__(self, *, private: bool = False) -> None:
        self._private = private
        super().__init__(
            ["asctime", "levelname", "name", "message"],
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger", "exc_info": "trace"},
            reserved_attrs=[*RESERVED_ATTRS, "color_message"],
            json_ensure_ascii=False,
            json_default=str,
        )

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Add the ids of what the process is doing; those that the record brings win."""
        ids = {"request_id": request_id_var.get(), "run_id": run_id_var.get(), "thread_id": thread_id_var.get()}
        level = str(log_data["level"]).lower()
        private = self._private or wanted_privacy.get() != "off"
        for name, value in log_data.items():
            if private and name not in _OURS and isinstance(value, str):
                log_data[name] = without_personal_data(value)
        for name in ("message", "trace"):
            if "@" in str(log_data.get(name, "")):
                log_data[name] = _PASSWORD.sub("://***@", str(log_data[name]))
        return {name: value for name, value in ids.items() if value} | log_data | {"level": level}


def configure_logging(settings: Settings) -> None:
    """Send the logs of the process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(private=settings.pii != "off"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for name in (
        "httpx",
        "httpx2",
        "httpcore",
        "httpcore2",
        "redisvl",
        "chromadb",
        "uvicorn.access",
        "langgraph.checkpoint",
        "alembic",
    ):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
