"""What users have used, by day (UTC) and key, and the quota of a day.

Turns are counted in memory and written together, so that a turn waits for nothing; a quota is held against what is
written and what is still waiting here. Over several processes it may be passed by what half a second uses.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from langchain_core.messages import AIMessage
from sqlalchemy import Column, Connection, delete, insert, select, update
from typing_extensions import TypedDict

from domain.attempts import COST_FACTOR, COST_LEAST
from domain.errors import DailyQuotaSpent
from domain.limits import Limits, Spent, used_by
from domain.words import Words
from settings import Settings
from stores.people.users import Users, calling_key, calling_user
from stores.sql.database import Database, lock
from stores.sql.tables import usage

logger = logging.getLogger(__name__)
LINGER: Final = 0.5
COUNTED: Final = ("tokens", "calls", "money")
LEAST_DAYS: Final = 3
YOURS: Final = Words("Your quota of the day", "你的今日配额")
OF_KEY: Final = Words("The quota of the day of this key", "此密钥的今日配额")


class Day(TypedDict):
    """What a day has used."""

    day: str
    turns: int
    tokens: int
    calls: int
    money: float


class UsageBook:
    """Counts what turns use and what models answer beside them, and refuses those of a user whose day is used up."""

    def __init__(self, settings: Settings, database: Database, users: Users) -> None:
        """Take the quota of those who have none of their own from the settings."""
        given = {"tokens": settings.daily_tokens, "calls": settings.daily_calls, "money": settings.daily_money}
        self.usual: Limits = {name: most for name, most in given.items() if most}  # type: ignore[assignment]
        self._database, self._users, self._prices = database, users, settings.model_prices
        self._waiting: dict[tuple[str, str, str], dict[str, float]] = {}
        self._unseen: dict[str, int] = {}
        self._begun: dict[str, tuple[str, str]] = {}
        """Users and keys of the turns here that are not counted yet, by run, oldest first."""
        self._task: asyncio.Task[None] | None = None
        self._moving = asyncio.Lock()
        """Held while what is waiting becomes what is written, and while both are added up."""

    def add(self, user_id: str, spent: Spent, before: Spent | None = None) -> None:
        """Count one turn with the key that asked for it; one that used nothing, as it was refused, is none.

        Args:
            user_id: Whose.
            spent: What it has used.
            before: What of that was counted when it began to wait for a person, and the turn with it.
        """
        used = {name: max(0, spent[name] - (before[name] if before else 0)) for name in COUNTED}
        if not (used["calls"] or used["tokens"]):
            return
        self._add(user_id, {"turns": before is None, **used})

    async def count_call(self, user_id: str) -> None:
        """Let a user make one call outside of a turn, and count it.

        Raises:
            DailyQuotaSpent: As for `begin`.
        """
        call = uuid.uuid4().hex
        await self.begin(user_id, call)
        self.end(call)
        self._add(user_id, {"calls": 1})

    def add_answer(self, answer: AIMessage, model: str) -> None:
        """Count an answer that a model gave beside turns, with the user whom the work at hand is for."""
        if user_id := calling_user.get():
            self._add(user_id, cast("Mapping[str, float]", used_by(answer, model, self._prices)))

    def _add(self, user_id: str, used: Mapping[str, float]) -> None:
        key = calling_key.get()
        here = (user_id, key.id if key else "", _today())
        row = self._waiting.setdefault(here, dict.fromkeys(("turns", *COUNTED), 0.0))
        for name, value in used.items():
            row[name] += value
        self._unseen[user_id] = self._unseen.get(user_id, 0) + int(used.get("tokens", 0))
        if self._task is None:
            self._task = asyncio.create_task(self._flush_soon(), name="usage")

    async def begin(self, user_id: str, run_id: str) -> None:
        """Let a turn of a user begin; whoever gets through calls `end`.

        Turns that began here before and are not counted yet stand for what a turn of the day used on average, a call at
        least, so that many at once are no way around a quota.

        Raises:
            DailyQuotaSpent: The user's day is used up, or that of the key which asks for the turn.
        """
        key, before = calling_key.get(), list(self._begun.values())
        self._begun[run_id] = (user_id, key.id if key else "")
        try:
            own = await self._users.quota(user_id)
            of_user = [of_key for user, of_key in before if user == user_id]
            await self._check(user_id, self.usual if own is None else own, YOURS, len(of_user))
            if key is not None and key.quota:
                await self._check(user_id, key.quota, OF_KEY, of_user.count(key.id), key.id)
        except BaseException:
            self.end(run_id)
            raise

    def end(self, run_id: str) -> None:
        """Let a turn that began be over; what it used is added in the same moment."""
        self._begun.pop(run_id, None)

    async def _check(
        self, user_id: str, quota: Mapping[str, Any], whose: Words, running: int, key_id: str | None = None
    ) -> None:
        if not any(quota.get(name) for name in COUNTED):
            return
        used = await self.today(user_id, key_id)
        for name in COUNTED:
            each = max(used[name] / max(used["turns"], 1), name == "calls")
            if (most := quota.get(name)) and used[name] + running * each >= most:
                now = datetime.now(UTC)
                tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
                wait = int((tomorrow - now).total_seconds()) + 1
                raise DailyQuotaSpent(whose=whose, what=name, limit=most, retry_after=wait)

    async def today(self, user_id: str, key_id: str | None = None) -> Day:
        """Return what today has used so far; with one key alone if it is given."""
        days = await self.days(user_id, 1, key_id)
        return days[0] if days else Day(day=_today(), turns=0, tokens=0, calls=0, money=0.0)

    def is_due(self, user_id: str) -> bool:
        """Tell, once, whether a user has used enough here since the last time that a look at the day is worth it."""
        due = self._unseen.get(user_id, 0) >= COST_LEAST / 10
        if due:
            self._unseen.pop(user_id)
        return due

    async def is_unusual(self, user_id: str) -> bool:
        """Tell whether today has used far more tokens than the days of the last week on which anything was used."""
        today, *before = await self.days(user_id, 8) or [Day(day="", turns=0, tokens=0, calls=0, money=0.0)]
        if today["day"] != _today() or today["tokens"] < COST_LEAST or len(before) < LEAST_DAYS:
            return False
        return today["tokens"] >= COST_FACTOR * sum(day["tokens"] for day in before) / len(before)

    async def days(self, user_id: str, count: int = 30, key_id: str | None = None) -> list[Day]:
        """Return the last days on which anything was used, newest first; with one key alone if it is given."""
        since = (datetime.now(UTC) - timedelta(days=count - 1)).date().isoformat()
        query = select(usage).where(usage.c.user_id == user_id, usage.c.day >= since)
        if key_id is not None:
            query = query.where(usage.c.key_id == key_id)
        async with self._moving:
            rows = await self._database.read(lambda db: db.execute(query).all())
            here = [
                (day, row)
                for (user, key, day), row in self._waiting.items()
                if user == user_id and key_id in (None, key)
            ]
            days = _by([*((row.day, row._mapping) for row in rows), *here])
        return [_day(day, days[day]) for day in sorted(days, reverse=True)]

    async def everyone(self, day: str = "") -> dict[str, Day]:
        """Return what every user used on a day, by id; the default is today."""
        return await self._on(day, usage.c.user_id)

    async def keys(self, day: str = "") -> dict[str, Day]:
        """Return what was used with every key on a day, by the key's id; the default is today."""
        return await self._on(day, usage.c.key_id)

    async def _on(self, day: str, column: Column[Any]) -> dict[str, Day]:
        await self.flush()
        day = day or _today()
        query = select(usage).where(usage.c.day == day)
        rows = await self._database.read(lambda db: db.execute(query).all())
        return {
            name: _day(day, used) for name, used in _by((row._mapping[column], row._mapping) for row in rows).items()
        }

    async def export(self, user_id: str) -> AsyncIterator[tuple[str, Any]]:
        """Yield a user's usage by day; see `PersonalData`."""
        if days := await self.days(user_id, 36_500):
            yield "usage.json", days

    async def forget(self, user_id: str) -> dict[str, int]:
        """Delete a user's usage; see `PersonalData`."""
        await self.flush()
        gone = await self._database.write(
            lambda db: db.execute(delete(usage).where(usage.c.user_id == user_id)).rowcount
        )
        return {"usage": gone}

    async def flush(self) -> None:
        """Write what is waiting."""
        async with self._moving:
            waiting, self._waiting = self._waiting, {}
            if not waiting:
                return
            try:
                await self._database.write(lambda db: _write(db, waiting))
            except Exception:
                for key, row in waiting.items():
                    kept = self._waiting.setdefault(key, dict.fromkeys(row, 0.0))
                    for name, value in row.items():
                        kept[name] += value
                raise

    async def aclose(self) -> None:
        """Write what is waiting and stop."""
        if self._task is not None:
            self._task.cancel()
        await self.flush()

    async def _flush_soon(self) -> None:
        await asyncio.sleep(LINGER)
        self._task = None
        try:
            await self.flush()
        except Exception:
            logger.exception("usage could not be written; it is tried again with the next turn")


def _write(db: Connection, waiting: Mapping[tuple[str, str, str], Mapping[str, float]]) -> None:
    lock(db, usage.name)
    for (user_id, key_id, day), more in waiting.items():
        here = (usage.c.user_id == user_id) & (usage.c.key_id == key_id) & (usage.c.day == day)
        changes = {name: usage.c[name] + value for name, value in more.items()}
        if not db.execute(update(usage).where(here).values(**changes)).rowcount:
            db.execute(insert(usage).values(user_id=user_id, key_id=key_id, day=day, **more))


def _by(rows: Iterable[tuple[str, Mapping[Any, Any]]]) -> dict[str, dict[str, float]]:
    """Return the sums of what is counted, by name."""
    sums: dict[str, dict[str, float]] = {}
    for name, used in rows:
        row = sums.setdefault(name, dict.fromkeys(("turns", *COUNTED), 0.0))
        for counted in row:
            row[counted] += used[counted]
    return sums


def _day(day: str, used: Mapping[str, float]) -> Day:
    return Day(
        day=day, turns=int(used["turns"]), tokens=int(used["tokens"]), calls=int(used["calls"]), money=used["money"]
    )


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
