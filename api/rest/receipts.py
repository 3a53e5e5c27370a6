"""Receipts of deletions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def receipt(counts: Mapping[str, Any], **named: str) -> dict[str, Any]:
    """Return the receipt for counts of `before` and `after` by store."""
    stores = {name: {"before": count["before"], "after": count["after"]} for name, count in counts.items()}
    removed = sum(count["before"] - count["after"] for count in stores.values())
    return {**named, "removed": removed, "stores": stores}
