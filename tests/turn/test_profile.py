from __future__ import annotations

from typing import Any

from domain.tokens import count_tokens
from stores.feedback.texts import what
from stores.feedback.trial import RULES
from tests.nodes.conftest import parts
from turn.profile import HABITS, MOST_TOKENS, profile_text

__all__ = ["parts"]
LEARNED = {
    "ask_back": "first",
    "length": "shorter",
    "note:tone": "plain",
    "retrieval": "2.0",
    "tool:web_search": "avoid",
}


async def test_what_votes_have_shown_stands_with_the_profile_within_its_tokens(parts: Any) -> None:
    parts.changes.values = LEARNED
    text = await profile_text(parts.runtime(), "en")
    for habit in ("ask back first", "shorter answers than usual", "plain and friendly", "the tool web_search only"):
        assert habit in text
    assert "2.0" not in text
    assert "回答比平时更简短" in await profile_text(parts.runtime(), "zh")
    parts.profiles.profile = {"length": "long", "tone": "formal", "expertise": "law " * 19, "interests": "x " * 39}
    full = await profile_text(parts.runtime(), "en")
    assert "length: long" in full and "shorter" not in full and "friendly" not in full
    assert "ask back first" in full and count_tokens(full) <= MOST_TOKENS
    parts.context["profile"] = False
    assert await profile_text(parts.runtime(), "en") == ""


async def test_a_length_that_is_the_usual_one_again_is_not_spoken_of(parts: Any) -> None:
    parts.changes.values = {"length": "usual"}
    assert await profile_text(parts.runtime(), "en") == ""


def test_every_habit_that_votes_can_propose_is_said_to_the_model_and_to_people() -> None:
    assert {(rule.slot, rule.value) for rule in RULES} == HABITS.keys()
    assert all(all(what(*habit)) for habit in [*HABITS, ("length", "usual"), ("retrieval", "0.7"), ("tool:x", "avoid")])
