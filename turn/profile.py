"""How a user wants to be answered, as a prompt says it."""

from __future__ import annotations

from typing import Final

from langgraph.runtime import Runtime

from domain.errors import Unavailable
from domain.tokens import count_tokens
from domain.words import Language, Words
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


async def profile_text(runtime: Runtime[Context], language: Language) -> str:
    """Return the user's profile, at most `MOST_TOKENS` long; empty without one, or where the turn does not want it."""
    context = runtime.context
    if not context.profile:
        return ""
    try:
        profile = await context.services.profiles.get(owner_of(runtime).user_id)
    except Unavailable:
        return ""
    parts: list[str] = []
    for name, words in PARTS.items():
        value = str(profile.get(name) or "")
        if value:
            shown = VALUES[value].text(language) if value in VALUES else " ".join(value.split())
            parts.append(words.text(language).format(value=shown))
    text = f"{TITLE.text(language)} {('; ' if language == 'en' else '；').join(parts)}" if parts else ""
    while parts and count_tokens(text) > MOST_TOKENS:
        parts.pop()
        text = f"{TITLE.text(language)} {('; ' if language == 'en' else '；').join(parts)}"
    return text
