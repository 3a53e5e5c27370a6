"""Places, in English or Chinese, to time zones; CLDR (Babel) knows countries, and cities that zones are named for."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.core import get_global

from domain.errors import ToolFailure

# Large cities and countries whose name is not that of an IANA zone;
_ALIASES = {
    "Asia/Shanghai": "china prc beijing shenzhen guangzhou hangzhou chengdu wuhan nanjing xian chongqing tianjin "
    "suzhou xiamen changsha shenyang qingdao dalian jinan zhengzhou hefei fuzhou kunming guiyang nanning haikou "
    "nanchang changchun harbin taiyuan lanzhou ningbo wuxi foshan dongguan zhuhai sanya wenzhou lhasa "
    "中国 北京 深圳 广州 杭州 成都 "
    "武汉 南京 西安 重庆 天津 苏州 厦门 长沙 沈阳 青岛 大连 济南 郑州 合肥 福州 昆明 贵阳 南宁 海口 南昌 "
    "长春 哈尔滨 太原 兰州 宁波 无锡 佛山 东莞 珠海 三亚 温州 拉萨 东八区",
    "Asia/Hong_Kong": "hk hkt hongkong 香港",
    "Asia/Taipei": "taiwan 台湾 台北",
    "Asia/Tokyo": "jst osaka kyoto 大阪 京都",
    "Asia/Seoul": "kst korea 韩国 釜山",
    "Asia/Singapore": "sgt",
    "Asia/Kolkata": "india mumbai delhi newdelhi bangalore bengaluru chennai 印度 孟买 德里 新德里 班加罗尔",
    "Asia/Jakarta": "indonesia 印度尼西亚 印尼",
    "Asia/Ho_Chi_Minh": "saigon hanoi vietnam 胡志明市 河内 越南",
    "Asia/Dubai": "abudhabi 阿布扎比 迪拜",
    "Australia/Sydney": "aest aedt canberra australia 堪培拉 澳大利亚 澳洲 悉尼",
    "Pacific/Auckland": "newzealand wellington 新西兰 惠灵顿 奥克兰",
    "America/New_York": "nyc washington washingtondc boston miami atlanta philadelphia usa us america easterntime et "
    "est edt 纽约 华盛顿 波士顿 迈阿密 亚特兰大 费城 美国 美东",
    "America/Chicago": "houston dallas austin nashville memphis centraltime ct cdt 休斯敦 达拉斯 奥斯汀 芝加哥 美中",
    "America/Denver": "elpaso saltlakecity mountaintime mt 盐湖城 丹佛",
    "America/Los_Angeles": "la sanfrancisco seattle sandiego lasvegas siliconvalley pacifictime pt pst pdt "
    "旧金山 三藩市 西雅图 拉斯维加斯 硅谷 洛杉矶 美西",
    "America/Toronto": "ottawa montreal canada 渥太华 蒙特利尔 加拿大",
    "America/Sao_Paulo": "brazil rio riodejaneiro brasilia 巴西 里约 里约热内卢 巴西利亚",
    "America/Mexico_City": "mexico 墨西哥",
    "Europe/London": "uk bst england scotland wales britain gmtlondon edinburgh manchester 英国 爱丁堡 曼彻斯特",
    "Europe/Berlin": "cet cest germany munich frankfurt hamburg cologne 德国 慕尼黑 法兰克福 汉堡 科隆",
    "Europe/Zurich": "geneva bern 日内瓦 伯尔尼",
    "Europe/Rome": "milan 米兰",
    "Europe/Madrid": "barcelona spain 巴塞罗那 西班牙",
    "Europe/Lisbon": "portugal 葡萄牙",
    "Europe/Kyiv": "ukraine 乌克兰 基辅",
    "Europe/Moscow": "russia stpetersburg 俄罗斯 圣彼得堡",
    "UTC": "utc gmt zulu 世界时 协调世界时 格林尼治",
}
# Regions of countries with more than one zone, by the zone of most of their people.
_REGIONS = {
    "America/New_York": "newyork newjersey massachusetts pennsylvania florida georgia ohio michigan virginia maryland "
    "northcarolina southcarolina connecticut maine vermont newhampshire rhodeisland delaware westvirginia indiana "
    "kentucky dc ny ma fl 佛罗里达 麻省 新泽西 宾州",
    "America/Chicago": "tx il texas illinois wisconsin minnesota iowa missouri arkansas louisiana mississippi alabama "
    "tennessee oklahoma kansas nebraska northdakota southdakota 得克萨斯 德州 得州 伊利诺伊",
    "America/Denver": "colorado utah newmexico wyoming montana idaho 科罗拉多 犹他",
    "America/Phoenix": "arizona 亚利桑那",
    "America/Los_Angeles": "ca wa california washingtonstate oregon nevada 加利福尼亚 加州 俄勒冈 内华达",
    "America/Anchorage": "alaska 阿拉斯加",
    "Pacific/Honolulu": "hawaii 夏威夷",
    "America/Toronto": "ontario quebec 安大略 魁北克",
    "America/Vancouver": "britishcolumbia 不列颠哥伦比亚",
    "America/Edmonton": "alberta 阿尔伯塔",
    "America/Winnipeg": "manitoba 曼尼托巴",
    "America/Halifax": "novascotia newbrunswick 新斯科舍",
    "Australia/Sydney": "newsouthwales nsw 新南威尔士",
    "Australia/Melbourne": "victoria 维多利亚",
    "Australia/Brisbane": "queensland 昆士兰",
    "Australia/Perth": "westernaustralia 西澳",
    "Australia/Adelaide": "southaustralia 南澳",
}
# Regions with a second zone; where many live in it, a place that is not known may lie in either.
_SECOND = {
    "tennessee": "America/New_York", "kentucky": "America/Chicago", "indiana": "America/Chicago",
    "idaho": "America/Los_Angeles", "southdakota": "America/Denver", "texas": "America/Denver", "tx": "America/Denver",
}  # fmt: skip
_FEW = {"texas", "tx"}
_COUNTRIES = {"usa": "US", "us": "US", "america": "US", "uk": "GB", "england": "GB", "scotland": "GB", "britain": "GB"}
_AMBIGUOUS = {
    "ist": "Asia/Kolkata, Europe/Dublin, Asia/Jerusalem",
    "cst": "America/Chicago, Asia/Shanghai, America/Havana",
    "ast": "America/Halifax, Asia/Riyadh",
}
_OFFSET = re.compile(r"(?:UTC|GMT)?\s*(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>[0-5]\d))?", re.I)


class UnknownPlace(ToolFailure, code="unknown_place"):
    """No time zone has this name. Details: `place`."""


class AmbiguousPlace(ToolFailure, code="ambiguous_place"):
    """The abbreviation stands for several zones, or the region lies in two. Details: `place`, `zones`."""


def find_zone(place: str) -> tzinfo:
    """Return the zone of an IANA name, a city, region or country, in English or Chinese, or of an offset.

    What follows a comma or stands in parentheses has to fit: 'London, Ontario' is not in Europe.

    Raises:
        UnknownPlace: No such zone, or a part of the name is not known.
        AmbiguousPlace: The abbreviation stands for several zones, or the place is not known in a region of two.
    """
    offset = _OFFSET.fullmatch(place.strip())
    if offset and int(offset["hours"]) <= 14:
        minutes = 60 * int(offset["hours"]) + int(offset["minutes"] or 0)
        return timezone(timedelta(minutes=-minutes if offset["sign"] == "-" else minutes))
    name, *within = [part for part in re.split(r"[,，、()（）]", place) if part.strip()] or [""]
    if not within and (zones := _AMBIGUOUS.get(_normal(place))):
        raise AmbiguousPlace(place=place, zones=zones)
    key = _zone_of(name)
    for part in map(_normal, within):
        key = _in_two(place, key, part) if part in _SECOND else _narrowed(key, part)
    if key is None:
        raise UnknownPlace(place=place)
    return ZoneInfo(key)


def _zone_of(place: str) -> str | None:
    names, normal = _zones_by_name(), _normal(place)
    short = re.sub("(?:local|standard)?(?:time|city)$|(?:当地|标准)?时间$|[市省州]$", "", normal)
    return names.get(normal) or names.get(short)


def _in_two(place: str, key: str | None, region: str) -> str:
    """Return the zone of a place, of zone `key` if it is known, that lies in a region with two zones."""
    both = [_zones_by_name()[region], _SECOND[region]]
    if key in _zones_of("US") and _hours(key) in map(_hours, both):
        return key
    if region not in _FEW:
        raise AmbiguousPlace(place=place, zones=", ".join(both))
    return both[0]


def _hours(key: str) -> timedelta | None:
    """Return how far a zone is from UTC in winter."""
    return datetime(2026, 1, 1, tzinfo=ZoneInfo(key)).utcoffset()


def _narrowed(key: str | None, within: str) -> str | None:
    """Return the zone of a place of zone `key`, given that it lies in `within`; None when that is ambiguous."""
    country = _countries_by_name().get(within)
    if country is None:
        return _zones_by_name().get(within)
    zones = _zones_of(country)
    return key if key in zones else zones[0] if len(zones) == 1 else None


def _normal(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(char for char in plain if char.isalnum() or char in "+-/")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zones_of(country: str) -> list[str]:
    return [zone for zone, its in get_global("zone_territories").items() if its == country and zone in _zones()]


@cache
def _countries_by_name() -> dict[str, str]:
    """ISO codes of countries by their English and Chinese names, normalised."""
    names = {
        _normal(name): code
        for locale in ("en", "zh")
        for code, name in Locale.parse(locale).territories.items()
        if len(code) == 2
    }
    return {**names, **_COUNTRIES}


@cache
def _zones_by_name() -> dict[str, str]:
    """Every name we know, normalised, to its IANA zone; the later source wins."""
    names = {name: _zones_of(code)[0] for name, code in _countries_by_name().items() if len(_zones_of(code)) == 1}
    for locale in ("en", "zh"):
        for key, texts in Locale.parse(locale).time_zones.items():
            if key in _zones() and "city" in texts:
                names[_normal(texts["city"])] = key
    for key in sorted(_zones()):
        names.setdefault(_normal(key.rsplit("/", 1)[-1]), key)
        names[_normal(key)] = key if "/" in key else names.get(_normal(key), key)
    for aliases in (_REGIONS, _ALIASES):
        names.update((_normal(alias), key) for key, text in aliases.items() for alias in text.split())
    return names
