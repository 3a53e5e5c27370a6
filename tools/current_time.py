"""Tool: date and time anywhere."""

import asyncio
from datetime import datetime
from typing import Annotated

from langchain_core.tools import tool
from langgraph.prebuilt import ToolRuntime
from pydantic import Field

from domain.times import WEEKDAYS
from domain.words import Words
from tools.interface import Found, ToolContext, ToolSpec
from tools.time_zones import find_zone

SHOWN = Words(
    "It is {now:%H:%M} on {weekday}, {now.day} {now:%B} {now.year} ({zone}).",
    "现在是{now.year}年{now.month}月{now.day}日{weekday}，{now:%H:%M}（{zone}）。",
)


@tool(response_format="content_and_artifact", parse_docstring=True)
async def current_time(
    runtime: ToolRuntime[ToolContext], place: Annotated[str, Field(max_length=80)] = ""
) -> tuple[str, Found]:
    """Tell the present date, weekday and time, here or in any city.

    Use it for 'what time is it', 'what day is today', '现在几点', '今天星期几'.

    Args:
        runtime: Who asks.
        place: City, country or IANA time zone, in English or Chinese: 'Tokyo', '北京', 'Europe/Paris'.
            Omit for the user's local time.
    """
    context = runtime.context
    place = place.strip() or context.time_zone
    zone = await asyncio.to_thread(find_zone, place) if place else None  # the first time reads the tables of all zones
    now = datetime.now(zone).astimezone(zone)
    offset = f"UTC{now:%z}"[:6] + ":" + f"{now:%z}"[3:5]
    name = getattr(zone, "key", None) or now.tzname() or ""
    weekday = WEEKDAYS[now.weekday()].text(context.language)
    text = f"{now:%Y-%m-%d %H:%M:%S} {weekday} ({name}, {offset})"
    shown = SHOWN.text(context.language).format(now=now, weekday=weekday, zone=name)
    return Found(text, data={"time": now.isoformat(timespec="seconds"), "zone": name, "shown": shown}).answer()


SPEC = ToolSpec(
    tool=current_time,
    title=Words("Tell the time", "查询时间"),
    permission="read",
    examples=(
        "What time is it now?",
        "What is today's date?",
        "Which day of the week is it today?",
        "What time is it in New York?",
        "现在几点了？",
        "今天是几月几号？",
        "今天星期几？",
    ),
    timeout=5,
)
