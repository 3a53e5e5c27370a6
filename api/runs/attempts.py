"""Attempts as turns show them, and what happens when somebody passes a limit."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import orjson

from api.edge.instruments import ATTEMPT_EVENTS, labelled
from api.runs.callbacks import deliver
from domain.attempts import AttemptKind
from domain.owner import Owner
from stores.redis.attempts import AttemptEvent, Subject

if TYPE_CHECKING:
    from api.runs.run import Run
    from turn.context import Services

logger = logging.getLogger(__name__)

OF_CODE: dict[str, AttemptKind] = {
    "not_permitted": "refused_call",
    "refused_by_user": "steered_call",
    "needs_approval": "steered_call",
}
"""Calls that were not made, by why: the last two were not in the user's words, as an order in a file is not."""


def note_turn(run: Run, services: Services) -> None:
    """Count what a settled turn shows; one that did as it was asked costs a look at its tools."""
    if run.answer is None or not services.attempts.watches:
        return
    user = run.request.owner.user_id
    for tool in run.answer["tools"]:
        if tool["status"] == "refused" and (kind := OF_CODE.get(tool.get("code", ""))):
            services.attempts.note(kind, Subject("user", user), f"{run.id} {tool.get('call_id', '')}")
    if services.usage.is_due(user):
        services.background.spawn(f"cost {user}", _note_cost(user, services))


async def _note_cost(user: str, services: Services) -> None:
    if await services.usage.is_unusual(user):
        services.attempts.note("cost", Subject("user", user), "today")


async def tell(services: Services, event: AttemptEvent) -> None:
    """Tell the operator of an event: log, metric, action log, webhook. None of them holds what anybody wrote."""
    subject, settings = event.subject, services.settings
    labelled(ATTEMPT_EVENTS, event.level).inc()
    facts: dict[str, Any] = {"level": event.level, "points": event.points, "counts": event.counts}
    logger.warning("attempts", extra={"subject": str(subject), "setting": settings.attempts, **facts})
    owner = Owner(subject.id if subject.kind == "user" else "")
    address = subject.id if subject.kind == "address" else None
    services.actions.append("attempts", owner, setting=settings.attempts, address=address, **facts)
    if settings.attempts_webhook and settings.callback_secret is not None:
        told = {"event": "attempts", subject.kind: subject.id, "setting": settings.attempts, "at": time.time(), **facts}
        body = orjson.dumps(told)
        await deliver(services, settings.attempts_webhook, body, settings.callback_secret.get_secret_value())
