"""What changes are called, and why they were made or not, in both languages."""

from __future__ import annotations

from typing import Final

from domain.words import Words
from stores.feedback.changes import ALL, Change

WHAT: Final = {
    ("length", "shorter"): Words("Shorter answers", "回答更简短"),
    ("length", "longer"): Words("Longer answers", "回答更详细"),
    ("length", "usual"): Words("Answers of the usual length again", "回答恢复通常的篇幅"),
    ("ask_back", "first"): Words("Ask back first when a question is unclear", "问题不清楚时先反问"),
    ("note:sources", "name"): Words("Say where each statement comes from", "说明每个说法的出处"),
    ("note:tone", "plain"): Words("A plain, friendly tone", "语气平实、友好"),
}
AVOID: Final = Words("Call {tool} only when nothing else will do", "没有其他办法时才调用 {tool}")
LEAN: Final = Words("Words of the question count {lean} times in searches", "检索时关键词的权重为默认的 {lean} 倍")
UNITS: Final = {False: Words("answers", "回答"), True: Words("users", "用户")}
WHY: Final = Words(
    "Of the {units} kept aside for its trial, {wins} spoke for it and {losses} against it: at 95% confidence at least "
    "{bound}% do, and {needed}% are needed.",
    "在留作检验的{units}中，{wins} 个支持、{losses} 个反对：置信度 95% 时支持率至少为 {bound}%，要求 {needed}%。",
)

REPLAYED: Final = Words(
    " Of {answered} questions that were answered again, it changed {changed} answers as it should; it has to be most.",
    "重新回答的 {answered} 个问题中，有 {changed} 个回答如预期改变，须过半数。",
)


def what(slot: str, value: str) -> Words:
    """Return what a change does."""
    if slot == "retrieval":
        return LEAN.filled(lean=value)
    if slot.startswith("tool:"):
        return AVOID.filled(tool=slot.removeprefix("tool:"))
    return WHAT[slot, value]


def why(change: Change) -> Words:
    """Return what its trial showed."""
    figures = change.figures
    said = WHY.filled(
        units=UNITS[change.user_id == ALL], wins=figures["wins"], losses=figures["losses"],
        bound=round(100 * figures["bound"]), needed=round(100 * figures["needed"]),
    )  # fmt: skip
    if "answered" not in figures:
        return said
    more = REPLAYED.filled(answered=figures["answered"], changed=figures["changed"])
    return Words(said.en + more.en, said.zh + more.zh)
