from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.owner import Owner
from tools.current_time import UnknownPlace, find_zone
from tools.interface import Caller
from tools.registry import ToolRegistry

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
}


@pytest.mark.parametrize(
    ("zone", "place"), [(zone, place) for zone, places in PLACES.items() for place in places.split()]
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


@pytest.mark.parametrize("place", ["Atlantis", "../../etc/passwd", "亚特兰蒂斯", "UTC+99", "\0", "/"])
def test_unknown_places(place: str) -> None:
    with pytest.raises(UnknownPlace) as caught:
        find_zone(place)
    assert "IANA" in caught.value.message("zh")


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
        assert datetime.fromisoformat(outcome.data["time"]).utcoffset() == timedelta(hours=9)


async def test_today_is_that_of_the_caller(tools: ToolRegistry) -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        caller = Caller(owner=Owner(), language="en", time_zone=zone)
        outcome = await tools.call("current_time", {}, caller)
        assert zone in outcome.text and outcome.data["zone"] == zone
    assert "UTC" in (await tools.call("current_time", {}, Caller(owner=Owner(), language="en"))).text
