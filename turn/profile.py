"""How a user wants to be answered, as a prompt says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from langgraph.runtime import Runtime

from domain.errors import Unavailable
from domain.tokens import count_tokens
from domain.words import Language, Words
from stores.people.profiles import Profile
from turn.context import Context
from turn.progress import owner_of

MOST_TOKENS: Final = 120
TITLE = Words("The user wants to be answered like this:", "用户希望这样被回答：")
PARTS: Final = {
    "name": Words("call them {value}", "称呼其为{value}"),
    "language": Words("answer in {value} where the message does not decide it", "消息未表明语言时用{value}回答"),
    "tone": Words("tone: {value}", "语气：{value}"),
    "length": Words("length: {value}", "篇幅：{value}"),
    "format": Words("form: {value}", "格式：{value}"),
    "expertise": Words("they know well: {value}", "熟悉：{value}"),
    "interests": Words("they care for: {value}", "关心：{value}"),
    "time_zone": Words("their time zone: {value}", "所在时区：{value}"),
}
VALUES: Final = {
    "en": Words("English", "英文"), "zh": Words("Chinese", "中文"), "short": Words("short", "简短"),
    "medium": Words("medium", "适中"), "long": Words("long", "详尽"),
}  # fmt: skip


FIRST: Final = ("name", "language", "tone", "length", "format")
"""Parts of a profile that stand before what votes have shown; where not everything fits, the end is left out."""
HABITS: Final = {
    ("length", "shorter"): Words("shorter answers than usual", "回答比平时更简短"),
    ("length", "longer"): Words("longer answers than usual", "回答比平时更详细"),
    ("ask_back", "first"): Words("ask back first when a question is unclear", "问题不清楚时先反问"),
    ("note:sources", "name"): Words("say where each statement comes from", "说明每个说法的出处"),
    ("note:tone", "plain"): Words("tone: plain and friendly", "语气：平实友好"),
}
"""What votes have shown; where the profile says otherwise, it counts."""
AVOID: Final = Words("call the tool {tool} only when nothing else will do", "没有其他办法时才调用工具 {tool}")
SAID: Final = {"length": "length", "note:tone": "tone"}
"""Parts of a profile, by the slot of a habit that they take the place of."""


async def profile_text(runtime: Runtime[Context], language: Language) -> str:
    """Return the user's profile and what votes have shown, at most `MOST_TOKENS` long.

    Empty without either, or where the turn does not want it.
    """
    context = runtime.context
    if not context.profile:
        return ""
    try:
        profile = await context.services.profiles.get(owner_of(runtime).user_id)
        habits = await context.services.changes.in_force(owner_of(runtime).user_id)
    except Unavailable:
        return ""
    parts: list[str] = []
    for name, words in PARTS.items():
        value = str(profile.get(name) or "")
        if value:
            shown = VALUES[value].text(language) if value in VALUES else " ".join(value.split())
            parts.append(words.text(language).format(value=shown))
    said = sum(bool(profile.get(name)) for name in FIRST)
    parts[said:said] = [words.text(language) for words in _habits(habits, profile)]
    text = f"{TITLE.text(language)} {('; ' if language == 'en' else '；').join(parts)}" if parts else ""
    while parts and count_tokens(text) > MOST_TOKENS:
        parts.pop()
        text = f"{TITLE.text(language)} {('; ' if language == 'en' else '；').join(parts)}"
    return text


def _habits(in_force: Mapping[str, str], profile: Profile) -> list[Words]:
    said = {slot for slot, name in SAID.items() if profile.get(name)}
    habits = [HABITS[slot, value] for slot, value in in_force.items() if (slot, value) in HABITS and slot not in said]
    tools = [slot.removeprefix("tool:") for slot in in_force if slot.startswith("tool:")]
    return [*habits, *(AVOID.filled(tool=tool) for tool in tools)]
