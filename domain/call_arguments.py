"""The arguments of a tool call, as a model wrote them."""

from __future__ import annotations

import json
from typing import Any


def call_arguments(text: str) -> dict[str, Any] | None:
    """Return the arguments of a finished call; None where they are no JSON object, cut short for one.

    >>> call_arguments(''), call_arguments('{"x": 1}'), call_arguments('"{}"'), call_arguments('{"x": "1')
    ({}, {'x': 1}, {}, None)
    """
    try:
        value = json.loads(text or "{}", strict=False)
        if isinstance(value, str):
            value = json.loads(value or "{}", strict=False)
    except ValueError:
        return None
    return {} if value is None else value if isinstance(value, dict) else None
