from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage

from domain.limits import Limits, Spent
from settings import Settings
from turn.budget import Meter, limits_of
from turn.options import OPTIONS

PRICES = {"cheap": (1.0, 2.0)}


def answered(model: str = "cheap") -> AIMessage:
    used = {"input_tokens": 1000, "output_tokens": 500, "total_tokens": 1500}
    return AIMessage("Yes.", usage_metadata=used, response_metadata={"model_name": model})


def test_an_agents_use_counts_for_its_request_and_ends_with_it() -> None:
    request = Meter(Limits(tokens=4000, calls=4), PRICES)
    first, second = request.share(Limits(tokens=2000)), request.share(Limits(tokens=2000))
    first.add_answer(answered(), "cheap")
    assert first.left("tokens") == 500 and second.left("tokens") == 2000 and request.left("tokens") == 2500
    second.add_answer(answered(), "cheap")
    request.add_answer(answered(), "cheap")
    assert request.ended() == second.ended() == "tokens" and first.closing() == "calls"
    assert request.spent()["money"] == pytest.approx(3 * (1000 * 1.0 + 500 * 2.0) / 1e6)


def test_a_model_without_a_price_costs_nothing() -> None:
    meter = Meter(Limits(money=1), PRICES)
    meter.add_answer(answered("other"), "other")
    assert meter.left("money") == 1 and meter.spent()["calls"] == 1


def test_what_was_spent_before_a_pause_counts_once() -> None:
    before = Spent(tokens=900, seconds=20.0, calls=3, money=0.1, agents=1)
    meter = Meter(Limits(tokens=1000, seconds=30, calls=5), {})
    for _ in range(3):
        meter.restore(before)
    assert meter.left("tokens") == 100 and meter.left("calls") == 2 and 9 < meter.left("seconds") <= 10
    meter.share(Limits()).add_call()
    meter.restore(before)
    assert meter.spent()["calls"] == 4


def test_a_request_gets_what_it_asks_for_below_the_ceilings(settings: Settings) -> None:
    made = settings.model_copy(
        update={"budget": Limits(calls=50), "budget_ceiling": Limits(tokens=800, money=2), "turn_timeout": 100}
    )
    assert limits_of(None, made) == {"calls": 50, "tokens": 800, "money": 2, "seconds": pytest.approx(90)}
    assert limits_of(500, made)["tokens"] == 500
    asked = limits_of(Limits(tokens=900, seconds=5, calls=99), made)
    assert (asked["tokens"], asked["seconds"], asked["calls"]) == (800, 5, 99)


@pytest.mark.parametrize("given", [7, "7", {"tokens": 7}, '{"tokens": 7}'])
def test_a_budget_is_a_number_of_tokens_or_names_its_limits(given: object) -> None:
    assert OPTIONS.validate_python({"budget": given}).budget in (7, {"tokens": 7})


@pytest.mark.parametrize("given", [0, {"tokens": 0}, {"seconds": -1}, {"gold": 1}, "{", '{"tokens"}', []])
def test_any_other_budget_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="budget"):
        OPTIONS.validate_python({"budget": given})
