from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.owner import Owner
from tools.interface import Caller
from tools.registry import ToolRegistry
from tools.time_zones import AmbiguousPlace, UnknownPlace, find_zone

PLACES = {
    "Asia/Shanghai": "Asia/Shanghai asia/shanghai Shanghai 上海 上海市 北京 Beijing 中国 China 深圳",
    "Asia/Tokyo": "Tokyo 东京 日本 Osaka",
    "Europe/London": "London 伦敦 英国 UK",
    "Europe/Paris": "Paris 巴黎 法国 France",
    "America/New_York": "New_York 纽约 NYC Washington 华盛顿",
    "America/Los_Angeles": "Los_Angeles 洛杉矶 旧金山 Seattle",
    "Asia/Kolkata": "印度 India Mumbai",
    "America/Sao_Paulo": "圣保罗 Brazil São_Paulo",
    "Asia/Singapore": "新加坡 Singapore",
    "Asia/Shanghai Asia/Shanghai": "厦门 长沙 Xiamen Changsha 沈阳市 青岛 北京时间 Beijing,_China",
    "Asia/Tokyo Asia/Tokyo": "JST 东京时间 Tokyo_time Tokyo,_Japan 大阪，日本",
    "America/Toronto": "London,_Ontario London_(Ontario) 伦敦（安大略） Toronto,_Canada",
    "America/Chicago": "Paris,_Texas Paris,_TX Austin,_Texas 德州 Nashville,_Tennessee",
    "America/Denver America/Denver": "El_Paso,_Texas",
    "America/Boise": "Boise,_Idaho",
    "America/New_York America/New_York": "New_York_City New_York,_USA 纽约，美国 Washington,_DC",
    "America/Los_Angeles America/Los_Angeles": "California 加州 San_Francisco,_USA Portland,_Oregon",
    "Europe/London Europe/London": "London,_England London,_UK BST",
    "Europe/Paris Europe/Paris": "Paris,_France Lyon,_France 巴黎，法国",
    "Europe/Berlin": "CEST CET",
    "Australia/Sydney": "AEST Sydney,_Australia",
}


@pytest.mark.parametrize(
    ("zone", "place"), [(zone.split()[0], place) for zone, places in PLACES.items() for place in places.split()]
)
def test_places_in_both_languages(zone: str, place: str) -> None:
    now = datetime(2026, 7, 1, tzinfo=UTC)
    for name in (place, place.replace("_", " ")):
        found = find_zone(name)
        assert found is not None
        assert now.astimezone(found).utcoffset() == now.astimezone(find_zone(zone)).utcoffset()


@pytest.mark.parametrize(("text", "hours"), [("UTC+8", 8), ("+05:30", 5.5), ("GMT-3", -3), ("utc", 0)])
def test_offsets(text: str, hours: float) -> None:
    assert datetime(2026, 1, 1, tzinfo=find_zone(text)).utcoffset() == timedelta(hours=hours)


@pytest.mark.parametrize(
    "place", ["Atlantis", "../../etc/passwd", "亚特兰蒂斯", "UTC+99", "\0", "/", "London, Canada", "Paris, Nowhere", ""]
)
def test_unknown_places(place: str) -> None:
    with pytest.raises(UnknownPlace) as caught:
        find_zone(place)
    assert "IANA" in caught.value.body("zh")["remedy"]


def test_an_abbreviation_of_several_zones_says_so() -> None:
    for name, zone in (("IST", "Asia/Kolkata"), ("cst", "Asia/Shanghai")):
        with pytest.raises(AmbiguousPlace) as caught:
            find_zone(name)
        assert zone in caught.value.body("en")["message"] and zone in caught.value.body("zh")["message"]


@pytest.mark.parametrize("place", ["Moscow, Idaho", "Knoxville, Tennessee", "Gary (Indiana)"])
def test_a_place_that_is_not_known_in_a_region_of_two_zones_is_not_guessed(place: str) -> None:
    with pytest.raises(AmbiguousPlace):
        find_zone(place)


async def test_text(tools: ToolRegistry) -> None:
    for language, weekdays in (
        ("en", "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()),
        ("zh", ["星期"]),
    ):
        caller = Caller(owner=Owner(), language=language)  # type: ignore[arg-type]
        outcome = await tools.call("current_time", {"place": "东京"}, caller)
        assert outcome.text.endswith("(Asia/Tokyo, UTC+09:00)") and any(day in outcome.text for day in weekdays)
        shown = datetime.fromisoformat(" ".join(outcome.text.split()[:2])) - timedelta(hours=9)
        assert abs((shown - datetime.now(UTC).replace(tzinfo=None)).total_seconds()) < 5
        now = datetime.fromisoformat(outcome.data["time"])
        assert now.utcoffset() == timedelta(hours=9) and f"{now:%H:%M}" in outcome.data["shown"]
        date = f"{now.day} {now:%B} {now.year}" if language == "en" else f"{now.year}年{now.month}月{now.day}日星期"
        assert date in outcome.data["shown"]


async def test_today_is_that_of_the_caller(tools: ToolRegistry) -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        caller = Caller(owner=Owner(), language="en", time_zone=zone)
        outcome = await tools.call("current_time", {}, caller)
        assert zone in outcome.text and outcome.data["zone"] == zone
    assert "UTC" in (await tools.call("current_time", {}, Caller(owner=Owner(), language="en"))).text
