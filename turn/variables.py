"""The variables of personas: names between double braces that are replaced, and nothing that is evaluated."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from domain.errors import UnknownUser, UnknownVariable
from domain.times import WEEKDAYS
from domain.words import Language, Words
from turn.profile import VALUES

if TYPE_CHECKING:
    from turn.context import Services

VARIABLES: Final[Mapping[str, Words]] = {
    "user_name": Words("what the user wants to be called", "用户希望的称呼"),
    "language": Words("the language of the message", "消息所用的语言"),
    "date": Words("the user's day, such as 2026-05-17", "用户所在地的日期，如 2026-05-17"),
    "weekday": Words("the day of the week", "星期几"),
    "time": Words("the user's time, such as 14:30", "用户所在地的时间，如 14:30"),
    "time_zone": Words("the user's time zone", "用户所在的时区"),
}
NAMELESS: Final = Words("the user", "用户")
GUEST: Final = Words("there", "朋友")
"""How somebody is greeted whose name is not known."""
_PLACE: Final = re.compile(r"\{\{([^{}\n]*)\}\}")


def check_variables(text: str) -> None:
    """Accept a text whose double braces hold variables alone.

    Raises:
        UnknownVariable: They hold something else.
    """
    for found in _PLACE.finditer(text):
        if (name := found[1].strip()) not in VARIABLES:
            raise UnknownVariable(name=name, names=", ".join(VARIABLES))


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its variables replaced, once: what a value holds stays as it is.

    >>> filled("Hi {{ user_name }}, {{x}}", {"user_name": "{{date}}"})
    'Hi {{date}}, {{x}}'
    """
    return _PLACE.sub(lambda found: values.get(found[1].strip(), found[0]), text)


async def variable_values(
    services: Services,
    user_id: str,
    language: Language,
    *,
    profile: bool = True,
    device: str = "",
    nameless: Words = NAMELESS,
) -> dict[str, str]:
    """Return the values of all variables for a user, now.

    Args:
        services: Where the profile is.
        user_id: The user.
        language: Language of the values.
        profile: Whether the profile may tell the name.
        device: IANA time zone of the user's device; that of the profile wins.
        nameless: What stands for a name that is not known.
    """
    told = await services.profiles.get(user_id)
    name = " ".join(told.get("name", "").split()) if profile else ""
    if profile and not name:
        try:
            name = " ".join((await services.users.get(user_id)).name.split())
        except UnknownUser:  # one of the settings
            name = ""
    zone_name = await services.profiles.time_zone(user_id, device)
    zone = await asyncio.to_thread(ZoneInfo, zone_name) if zone_name else None
    now = datetime.now(zone).astimezone(zone)
    return {
        "user_name": name or nameless.text(language),
        "language": VALUES[language].text(language),
        "date": now.date().isoformat(),
        "weekday": WEEKDAYS[now.weekday()].text(language),
        "time": f"{now:%H:%M}",
        "time_zone": zone_name or now.tzname() or "",
    }
