"""How a user wants to be answered, as a prompt says it; and which day it is where they are."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from langgraph.runtime import Runtime

from domain.errors import Unavailable
from domain.tokens import count_tokens
from domain.words import Language, Words
from stores.people.profiles import Profile, is_zone
from turn.context import Context
from turn.progress import owner_of

MOST_TOKENS: Final = 120
TITLE = Words("About the user, and how they want to be answered:", "关于用户，以及其希望的回答方式：")
PARTS: Final = {
    "name": Words("call them {value}", "称呼其为{value}"),
    "language": Words("answer in {value} where the message does not decide it", "消息未表明语言时用{value}回答"),
    "tone": Words("tone: {value}", "语气：{value}"),
    "length": Words("length: {value}", "篇幅：{value}"),
    "format": Words("form: {value}", "格式：{value}"),
    "expertise": Words("they know well: {value}", "熟悉：{value}"),
    "interests": Words("they care for: {value}", "关心：{value}"),
    "time_zone": Words("today is {value} where they are", "用户当地今天是{value}"),
}
VALUES: Final = {
    "en": Words("English", "英文"), "zh": Words("Chinese", "中文"), "short": Words("short", "简短"),
    "medium": Words("medium", "适中"), "long": Words("long", "详尽"),
}  # fmt: skip


_WEEKDAYS: Final = (
    Words("Monday", "星期一"), Words("Tuesday", "星期二"), Words("Wednesday", "星期三"), Words("Thursday", "星期四"),
    Words("Friday", "星期五"), Words("Saturday", "星期六"), Words("Sunday", "星期日"),
)  # fmt: skip


async def time_zone_of(runtime: Runtime[Context]) -> str:
    """Return the IANA name of the user's time zone, of the profile or of their device; empty for unknown."""
    context, device = runtime.context, runtime.context.time_zone
    if context.profile:
        try:
            return await context.services.profiles.time_zone(owner_of(runtime).user_id, device)
        except Unavailable:
            pass
    return device if await is_zone(device) else ""


async def profile_text(runtime: Runtime[Context], language: Language) -> str:
    """Return the user's profile and day, at most `MOST_TOKENS` long; empty where the turn wants neither."""
    context, profile = runtime.context, Profile()
    if context.profile:
        try:
            profile = await context.services.profiles.get(owner_of(runtime).user_id)
        except Unavailable:
            profile = Profile()
    zone = await time_zone_of(runtime)
    said = {**profile, "time_zone": await asyncio.to_thread(_day, zone, language) if zone else ""}
    parts: list[str] = []
    for name in ("time_zone", *(name for name in PARTS if name != "time_zone")):  # the day stays, whatever is cut
        value = str(said.get(name) or "")
        if value:
            shown = VALUES[value].text(language) if value in VALUES else " ".join(value.split())
            parts.append(PARTS[name].text(language).format(value=shown))
    text = _sentence(parts, language)
    while parts and count_tokens(text) > MOST_TOKENS:
        parts.pop()
        text = _sentence(parts, language)
    return text


def _sentence(parts: list[str], language: Language) -> str:
    return f"{TITLE.text(language)} {('; ' if language == 'en' else '；').join(parts)}" if parts else ""


def _day(zone: str, language: Language) -> str:
    now = datetime.now(ZoneInfo(zone))
    return f"{_WEEKDAYS[now.weekday()].text(language)} {now:%Y-%m-%d} ({zone})"
