"""How a user wants to be answered, as a prompt says it; and which day it is where they are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from langgraph.runtime import Runtime

from domain.errors import Unavailable
from domain.times import WEEKDAYS
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


FIRST: Final = ("time_zone", "name", "language", "tone", "length", "format")
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
    """Return the user's day, their profile and what votes have shown, at most `MOST_TOKENS` long.

    Empty where the turn wants none of it.
    """
    context = runtime.context
    profile, habits = Profile(), dict[str, str]()
    if context.profile:
        try:
            user_id, services = owner_of(runtime).user_id, context.services
            profile = await services.profiles.get(user_id)
            habits = await services.changes.in_force(user_id)
        except Unavailable:
            pass
    zone = await time_zone_of(runtime)
    said = {**profile, "time_zone": await asyncio.to_thread(_day, zone, language) if zone else ""}
    parts: list[str] = []
    for name in ("time_zone", *(name for name in PARTS if name != "time_zone")):  # the day stays, whatever is cut
        value = str(said.get(name) or "")
        if value:
            shown = VALUES[value].text(language) if value in VALUES else " ".join(value.split())
            parts.append(PARTS[name].text(language).format(value=shown))
    before = sum(bool(said.get(name)) for name in FIRST)
    parts[before:before] = [words.text(language) for words in _habits(habits, profile)]
    text = _sentence(parts, language)
    while parts and count_tokens(text) > MOST_TOKENS:
        parts.pop()
        text = _sentence(parts, language)
    return text


def _habits(in_force: Mapping[str, str], profile: Profile) -> list[Words]:
    said = {slot for slot, name in SAID.items() if profile.get(name)}
    habits = [HABITS[slot, value] for slot, value in in_force.items() if (slot, value) in HABITS and slot not in said]
    tools = [slot.removeprefix("tool:") for slot in in_force if slot.startswith("tool:")]
    return [*habits, *(AVOID.filled(tool=tool) for tool in tools)]


def _sentence(parts: list[str], language: Language) -> str:
    return f"{TITLE.text(language)} {('; ' if language == 'en' else '；').join(parts)}" if parts else ""


def _day(zone: str, language: Language) -> str:
    now = datetime.now(ZoneInfo(zone))
    return f"{WEEKDAYS[now.weekday()].text(language)} {now:%Y-%m-%d} ({zone})"
