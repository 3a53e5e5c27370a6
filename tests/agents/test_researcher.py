from __future__ import annotations

from typing import Any

import pytest

from domain.errors import ModelUnavailable
from domain.words import Words
from tests.agents.conftest import a_document, call, delegated, results_in, take_turn
from tests.nodes.conftest import Parts, a_source


def contracts(parts: Parts, weeks: list[str]) -> None:
    """Put documents there, each with its notice period and its rent."""
    for number, length in enumerate(weeks, 1):
        text = f"Notice: {length} weeks. Rent | {number}00 pounds."
        parts.documents.listed.append(a_document(number, f"{number}.txt"))
        parts.documents.found.append(a_source(0, text, document_id=f"d{number}", name=f"{number}.txt"))
        parts.documents.pages[f"d{number}", 1] = text


COMPARE = call("compare_documents", points=["notice period", "rent", "pets"])


async def test_documents_are_read_side_by_side_into_one_cited_table(parts: Parts) -> None:
    contracts(parts, ["two", "four", "nine"])

    def reader(seen: Any) -> str:
        text = str(seen[-1].text)
        length = next(word for word in ("two", "four", "nine") if word in text)
        number = text.split("Rent | ")[1][:3]
        return f'1. {length} weeks [1 "{length} weeks"]\n2、 {number} [1 "{number} pounds"]\n3. -'

    output = await take_turn(
        parts,
        {
            "turn": lambda _: delegated(("researcher", "Compare the three"), direct=True),
            "researcher": lambda _: COMPARE,
            "reader": reader,
        },
        "Compare the three contracts clause by clause",
    )
    assert output["answer"].splitlines() == [
        "| Point | 1.txt | 2.txt | 3.txt |",
        "| --- | --- | --- | --- |",
        "| notice period | two weeks [4] | four weeks [5] | nine weeks [6] |",
        "| rent | 100 [4] | 200 [5] | 300 [6] |",
        "| pets | not stated | not stated | not stated |",
    ]
    assert all(citation["verified"] for citation in output["citations"]) and len(output["citations"]) == 6
    assert parts.model.asked == ["turn", "researcher", *["reader"] * 3]  # type: ignore[attr-defined]


async def test_a_plan_that_cannot_be_carried_out_is_told_to_the_model(parts: Parts) -> None:
    contracts(parts, ["two"])
    plans = [call("compare_documents", points=[]), call("compare_documents", points="rent")]
    roles: dict[str, Any] = {
        "turn": lambda _: delegated(("researcher", "Compare"), direct=True),
        "researcher": lambda seen: plans[results_in(seen)] if results_in(seen) < 2 else str(seen[-1].text),
    }
    output = await take_turn(parts, roles)
    assert "compare_documents cannot be used" in output["answer"]
    assert [(run["name"], run["status"]) for run in output["tool_runs"]] == [("compare_documents", "error")] * 2


@pytest.mark.parametrize("wanted", [["2.txt"], ["d2"]])
async def test_one_that_cannot_be_read_costs_the_others_nothing(parts: Parts, wanted: list[str]) -> None:
    contracts(parts, ["two", "four", "nine"])

    def reader(seen: Any) -> str:
        if "four" in str(seen[-1].text):
            raise ModelUnavailable(reason=Words("gone", "断开"))
        return '1. some [1 "weeks"]'

    roles: dict[str, Any] = {
        "turn": lambda _: delegated(("researcher", "Compare"), direct=True),
        "researcher": lambda _: call("compare_documents", points=["notice"], documents=["1.txt", *wanted]),
        "reader": reader,
    }
    output = await take_turn(parts, roles)
    rows = output["answer"].splitlines()
    assert rows[0] == "| Point | 1.txt | 2.txt |" and rows[2] == "| notice | some [4] | could not be read |"
