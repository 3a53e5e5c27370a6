"""Tool: date and time anywhere."""

import re
import unicodedata
from datetime import datetime, timedelta, timezone, tzinfo
from functools import cache
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.core import get_global
from langchain_core.tools import tool
from langgraph.prebuilt import ToolRuntime
from pydantic import Field

from domain.errors import ToolFailure
from domain.words import Words
from tools.interface import Found, ToolContext, ToolSpec

# Large cities and countries whose name is not that of an IANA zone; CLDR names the zones themselves in both languages.
_ALIASES = {
    "Asia/Shanghai": "china prc beijing shenzhen guangzhou hangzhou chengdu wuhan nanjing xian chongqing tianjin "
    "suzhou 中国 北京 深圳 广州 杭州 成都 武汉 南京 西安 重庆 天津 苏州 东八区 北京时间",
    "Asia/Hong_Kong": "hk hongkong 香港",
    "Asia/Taipei": "taiwan 台湾 台北",
    "Asia/Tokyo": "osaka kyoto 大阪 京都",
    "Asia/Kolkata": "india mumbai delhi newdelhi bangalore bengaluru chennai 印度 孟买 德里 新德里 班加罗尔",
    "Asia/Jakarta": "indonesia 印度尼西亚 印尼",
    "Asia/Ho_Chi_Minh": "saigon hanoi vietnam 胡志明市 河内 越南",
    "Asia/Dubai": "abudhabi 阿布扎比 迪拜",
    "Australia/Sydney": "canberra australia 堪培拉 澳大利亚 澳洲 悉尼",
    "Pacific/Auckland": "newzealand wellington 新西兰 惠灵顿 奥克兰",
    "America/New_York": "nyc washington washingtondc boston miami atlanta philadelphia usa us america easterntime et "
    "est edt 纽约 华盛顿 波士顿 迈阿密 亚特兰大 费城 美国 美东",
    "America/Chicago": "houston dallas austin centraltime ct cst cdt 休斯敦 达拉斯 奥斯汀 芝加哥 美中",
    "America/Denver": "saltlakecity mountaintime mt 盐湖城 丹佛",
    "America/Los_Angeles": "la sanfrancisco seattle sandiego lasvegas siliconvalley pacifictime pt pst pdt "
    "旧金山 三藩市 西雅图 拉斯维加斯 硅谷 洛杉矶 美西",
    "America/Toronto": "ottawa montreal canada 渥太华 蒙特利尔 加拿大",
    "America/Sao_Paulo": "brazil rio riodejaneiro brasilia 巴西 里约 里约热内卢 巴西利亚",
    "America/Mexico_City": "mexico 墨西哥",
    "Europe/London": "uk england britain gmtlondon edinburgh manchester 英国 爱丁堡 曼彻斯特",
    "Europe/Berlin": "germany munich frankfurt hamburg cologne 德国 慕尼黑 法兰克福 汉堡 科隆",
    "Europe/Zurich": "geneva bern 日内瓦 伯尔尼",
    "Europe/Rome": "milan 米兰",
    "Europe/Madrid": "barcelona spain 巴塞罗那 西班牙",
    "Europe/Lisbon": "portugal 葡萄牙",
    "Europe/Kyiv": "ukraine 乌克兰 基辅",
    "Europe/Moscow": "russia stpetersburg 俄罗斯 圣彼得堡",
    "UTC": "utc gmt zulu 世界时 协调世界时 格林尼治",
}
_OFFSET = re.compile(r"(?:UTC|GMT)?\s*(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>[0-5]\d))?", re.I)
_WEEKDAYS = ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日")


class UnknownPlace(ToolFailure):
    """No time zone has this name. Details: `place`."""

    code = "unknown_place"
    en = "No time zone is known for {place!r}. Use a large city nearby or an IANA zone such as Asia/Shanghai."
    zh = "不知道 {place!r} 的时区。请改用附近的大城市，或 Asia/Shanghai 这样的 IANA 时区名。"


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
    zone = find_zone(place) if place else None
    now = datetime.now(zone).astimezone(zone)
    offset = f"UTC{now:%z}"[:6] + ":" + f"{now:%z}"[3:5]
    name = getattr(zone, "key", None) or now.tzname() or ""
    weekday = _WEEKDAYS[now.weekday()] if context.language == "zh" else f"{now:%A}"
    text = f"{now:%Y-%m-%d %H:%M:%S} {weekday} ({name}, {offset})"
    return Found(text, data={"time": now.isoformat(timespec="seconds"), "zone": name}).answer()


def find_zone(place: str) -> tzinfo:
    """Return the zone of an IANA name, a city or a country, in English or Chinese.

    Raises:
        UnknownPlace: No such zone.
    """
    offset = _OFFSET.fullmatch(place.strip())
    if offset and int(offset["hours"]) <= 14:
        minutes = 60 * int(offset["hours"]) + int(offset["minutes"] or 0)
        return timezone(timedelta(minutes=-minutes if offset["sign"] == "-" else minutes))
    names = _zones_by_name()
    key = names.get(_normal(place)) or names.get(_normal(re.split("[,，]", place)[0]))
    if key is None:
        raise UnknownPlace(place=place)
    return ZoneInfo(key)


def _normal(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(char for char in plain if char.isalnum() or char in "+-/").removesuffix("市")


@cache
def _zones_by_name() -> dict[str, str]:
    """Every name we know, normalised, to its IANA zone; the later source wins."""
    zones = available_timezones()
    names: dict[str, str] = _country_names(zones)
    for locale in ("en", "zh"):
        for key, texts in Locale.parse(locale).time_zones.items():
            if key in zones and "city" in texts:
                names[_normal(texts["city"])] = key
    for key in sorted(zones):
        names.setdefault(_normal(key.rsplit("/", 1)[-1]), key)
        names[_normal(key)] = key if "/" in key else names.get(_normal(key), key)
    for key, aliases in _ALIASES.items():
        names.update((_normal(alias), key) for alias in aliases.split())
    return names


def _country_names(zones: set[str]) -> dict[str, str]:
    """Countries that have one zone only, by their English and Chinese names."""
    by_country: dict[str, list[str]] = {}
    for key, country in get_global("zone_territories").items():
        if key in zones and key.split("/")[0] not in ("Etc", "SystemV"):
            by_country.setdefault(country, []).append(key)
    return {
        _normal(Locale.parse(locale).territories[country]): keys[0]
        for country, keys in by_country.items()
        for locale in ("en", "zh")
        if len(keys) == 1 and country in Locale.parse(locale).territories
    }


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
