"""How a run ends is one table: what its work came to, against why it was to end before."""

from __future__ import annotations

import asyncio

import pytest
from redis.exceptions import RedisError

from api.runs.machine import reason_for
from domain.errors import AppError, MemoryUnavailable, ModelTimedOut, ModelUnavailable, RunLost, ThreadBusy
from domain.runs import Cut
from domain.words import Words
from stores.redis.turns import TurnStopped

CANCELLED = asyncio.CancelledError()


@pytest.mark.parametrize("cut", [None, "stopped", "rolled_back", ModelTimedOut(), RunLost()])
def test_what_comes_to_its_own_end_is_done(cut: Cut | None) -> None:
    assert reason_for(None, cut) is None


@pytest.mark.parametrize("cut", ["stopped", "interrupted", "rolled_back"])
def test_a_run_that_was_cut_ends_as_it_was_asked_to(cut: Cut) -> None:
    assert reason_for(CANCELLED, cut) == cut
    assert reason_for(TurnStopped(cut), None) == cut


def test_a_cancellation_that_nobody_asked_for_is_a_stop() -> None:
    assert reason_for(CANCELLED, None) == "stopped"


@pytest.mark.parametrize("cut", [ModelTimedOut(), RunLost()])
def test_an_error_that_cut_the_run_stays_its_reason(cut: AppError) -> None:
    assert reason_for(CANCELLED, cut) is cut
    assert reason_for(ModelUnavailable(reason=Words("down", "离线")), cut) is cut


@pytest.mark.parametrize("cut", [None, "stopped", "rolled_back"])
@pytest.mark.parametrize(
    ("failure", "kind"), [(ThreadBusy(), ThreadBusy), (RedisError(), MemoryUnavailable), (KeyError("x"), AppError)]
)
def test_a_failure_is_an_error_whatever_was_asked(failure: Exception, kind: type[AppError], cut: Cut | None) -> None:
    reason = reason_for(failure, cut)
    assert type(reason) is kind
