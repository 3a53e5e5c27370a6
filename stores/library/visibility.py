"""What an owner sees: the one condition that every list and search goes through."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import ColumnElement, and_, bindparam, or_

from domain.owner import Owner
from stores.sql.tables import attachments

Sight = Literal["library", "thread", "thread and library"]

_MINE = attachments.c.user_id == bindparam("user_id")
_THREAD = attachments.c.thread_id == bindparam("thread_id")
_LASTING = attachments.c.thread_id.is_(None)
VISIBLE: dict[Sight, ColumnElement[bool]] = {
    "library": and_(_MINE, _LASTING),
    "thread": and_(_MINE, _THREAD),
    "thread and library": and_(_MINE, or_(_THREAD, _LASTING)),
}
"""Conditions on `attachments`; their parameters are those of `parameters`."""


def sight(owner: Owner, *, library: bool) -> Sight:
    """Return what `owner` sees: of a user without a thread the lasting documents, else the thread's too."""
    if owner.thread_id is None:
        return "library"
    return "thread and library" if library else "thread"


def parameters(owner: Owner) -> dict[str, str | None]:
    """Return the parameters of `VISIBLE` for `owner`."""
    return {"user_id": owner.user_id, "thread_id": owner.thread_id}
