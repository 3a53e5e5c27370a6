"""The coverage ledger of a document in words: what of it was read, and what was not and why."""

from __future__ import annotations

from domain.types import Attachment
from domain.words import Language

_READ = {"en": "{read} of {total} pages were read.", "zh": "共 {total} 页，已读取 {read} 页。"}
_EMPTY = {"en": "Without text: page(s) {pages}.", "zh": "没有文字：第 {pages} 页。"}
_MOST_NAMED = 20


def coverage_text(document: Attachment, language: Language) -> str:
    """Return what was not read of a document; empty when all of it was, or when it is still being read.

    Pages that failed stand in its warnings with their reasons.
    """
    ledger, warnings = document.get("coverage"), document.get("warnings", [])
    if document["kind"] == "image" or document["status"] != "ready" or not (ledger or warnings):
        return ""
    said: list[str] = []
    if ledger:
        said.append(_READ[language].format(read=ledger["read"], total=document.get("pages_total", 1)))
        failed = {gap["page"] for gap in ledger["failed"]}
        empty = [str(gap["page"]) for gap in ledger["skipped"] if gap["page"] not in failed]
        if empty:
            named = ", ".join(empty[:_MOST_NAMED]) + (", …" if len(empty) > _MOST_NAMED else "")
            said.append(_EMPTY[language].format(pages=named))
    return ("" if language == "zh" else " ").join([*said, *warnings])
