"""Invitations (iCalendar, RFC 5545): what, when, where and with whom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from icalendar import Calendar, Component, Event, Journal, Todo, vRecur

from domain.language import language_of
from domain.words import Words

MOST_EVENTS = 200
_LINES = (
    ("DTSTART", Words("Start", "开始")),
    ("DTEND", Words("End", "结束")),
    ("DUE", Words("Due", "截止")),
    ("RRULE", Words("Repeats", "重复")),
    ("LOCATION", Words("Place", "地点")),
    ("ORGANIZER", Words("Organiser", "组织者")),
    ("ATTENDEE", Words("Attendees", "参加者")),
    ("STATUS", Words("Status", "状态")),
    ("DESCRIPTION", Words("Description", "说明")),
)


def calendar_text(text: str) -> str:
    """Return the events, tasks and notes of a calendar, a list of labelled lines each; `text` itself if it is none."""
    try:
        calendars = Calendar.from_ical(text, multiple=True)
    except (ValueError, KeyError, IndexError, TypeError):
        return text
    found = [entry for calendar in calendars for entry in calendar.walk() if isinstance(entry, Event | Todo | Journal)]
    return "\n\n".join("\n".join(_entry(entry)) for entry in found[:MOST_EVENTS])


def _entry(entry: Component) -> Iterator[str]:
    title = str(entry.get("SUMMARY") or "")
    language = language_of(title + str(entry.get("DESCRIPTION") or ""), "en")
    if title:
        yield f"## {title}\n"
    for name, label in _LINES:
        value = entry.get(name)
        values = value if isinstance(value, list) else [] if value is None else [value]
        shown = ", ".join(filter(None, map(_shown, values)))
        if shown:
            yield f"- {label.text(language)}: {shown}"


def _shown(value: object) -> str:
    moment = getattr(value, "dt", None)
    if isinstance(moment, datetime):
        zone = moment.tzinfo
        named = f" {getattr(zone, 'key', None) or zone.tzname(moment)}" if zone else ""
        return moment.strftime("%Y-%m-%d %H:%M") + named
    if isinstance(moment, date):
        return moment.isoformat()
    if isinstance(value, vRecur):
        return str(value.to_ical().decode("utf-8", "replace"))
    name = str(getattr(value, "params", {}).get("CN") or "")
    text = " ".join(str(value).split()).removeprefix("mailto:").removeprefix("MAILTO:")
    return f"{name} ({text})" if name and name != text else text
