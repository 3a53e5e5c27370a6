"""Whether the invisible text of a scan is what its picture shows."""

from __future__ import annotations

from domain.text import terms

LEAST_TERMS = 4
"""A line of fewer terms is not judged: OCR may well have missed a page number or a stamp."""
LEAST_SHARE = 1 / 3
"""Share of the terms of a line that OCR must have seen too; OCR of two kinds agrees on more of nearly every line."""
SURE = 0.8
"""Mean confidence of a recognition that can tell what is not on a picture: in a script it does not know it is lower."""
AGREEING = 0.5
"""Share of all terms that both see where the confidence does not tell."""


def parted_layer(layer: str, seen: str, confidence: float | None) -> tuple[str, str]:
    """Return the lines of a scan's invisible `layer` that its picture shows, and those that it does not.

    Args:
        layer: The text that stands under the picture.
        seen: What OCR read on the picture.
        confidence: That of OCR, 0 to 1; None where it saw nothing.
    """
    known, all_terms = set(terms(seen)), terms(layer)
    agreeing = sum(term in known for term in all_terms) >= AGREEING * len(all_terms)
    if not (agreeing or confidence is None or confidence >= SURE):
        return layer, ""
    kept, hidden = list[str](), list[str]()
    for line in layer.split("\n"):
        of_line = terms(line)
        shown = len(of_line) < LEAST_TERMS or sum(term in known for term in of_line) >= LEAST_SHARE * len(of_line)
        (kept if shown else hidden).append(line)
    return "\n".join(kept).strip(), "\n".join(hidden).strip()
