"""Effects of tools over kills of a real server; `bench.effects` does the same with hundreds of turns."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.effects import STEPS, TOOLS, faults, run


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_turn_that_is_asked_for_again_repeats_no_effect(tmp_path: Path) -> None:
    ended = run(len(STEPS) * len(TOOLS), len(STEPS) * len(TOOLS), tmp_path)
    assert {(one.tool, one.step) for one in ended} == {(tool, step) for tool in TOOLS for step in STEPS}
    assert not faults(ended)
    unknown = {one.step for one in ended if one.status == "unknown" and one.step != "any"}
    assert unknown == {"sent and acted on later", "sent and lost", "done"}, "what ended for certain is told as such"
