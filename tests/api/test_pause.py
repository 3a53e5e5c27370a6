"""What is kept of a request for a process that goes on with it."""

from __future__ import annotations

import contextvars

from api.runs.pause import choices_of, chosen
from api.runs.request import TurnRequest
from domain.owner import Owner
from privacy.outbound import ask_for_privacy


def test_what_may_leave_is_kept_although_the_caller_is_gone() -> None:
    request = TurnRequest(owner=Owner("ann", "t"), messages=())

    def kept() -> TurnRequest:
        ask_for_privacy("mask")  # as the caller's profile says
        return chosen(choices_of(request), request)

    assert contextvars.Context().run(kept).options.pii == "mask"
