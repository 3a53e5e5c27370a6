"""Arguments of a call against the JSON schema of its tool, in the draft that the schema names.

Schemas come from strangers: nothing is fetched for them, and a pattern ends after a bounded number of steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema_rs

MOST_PROBLEMS = 5
_PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=100_000)


class ArgumentCheck:
    """One schema, compiled."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Compile `schema`; without `$schema` it is of draft 2020-12.

        Raises:
            ValueError: It is no valid schema, or refers to another document.
        """
        try:
            self._validator = jsonschema_rs.validator_for(
                dict(schema), retriever=_refuse, pattern_options=_PATTERNS, validate_formats=False
            )
        except ValueError as exc:
            raise ValueError(str(exc).partition("\n")[0]) from exc

    def problems(self, arguments: Mapping[str, object]) -> list[str]:
        """Return what does not fit, at most five lines, each as `place: what`; empty when all fits."""
        found: list[str] = []
        for error in self._validator.iter_errors(dict(arguments)):
            found.append(f"{'.'.join(map(str, error.instance_path)) or '-'}: {error.message[:200]}")
            if len(found) == MOST_PROBLEMS:
                break
        return found


def _refuse(uri: str) -> Any:
    raise ValueError(f"it refers to {uri}")
