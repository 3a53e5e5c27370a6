"""Specialists without a hosted model: the bundled one delegates by rule, and says what it cannot do."""

from __future__ import annotations

from typing import Any

import httpx

SALES = "region,quarter,sales\nEast,Q2,40\nEast,Q3,55\nWest,Q2,90\nWest,Q3,31\nNorth,Q3,20\n"
SALES_ZH = "区域,季度,销售额\n东区,二季度,40\n东区,三季度,55\n西区,二季度,90\n西区,三季度,31\n"
LEASES = {
    "quarry.txt": "Lease of 14 Quarry Lane. Either party may end the lease with nine weeks of written notice. "
    "The monthly rent is 1,240 pounds.",
    "mill.txt": "Lease of the Old Mill. The monthly rent is 980 pounds. "
    "Either party may end the lease with four weeks of written notice.",
}


def ask(api: httpx.Client, session: str, message: str, **files: str) -> dict[str, object]:
    parts = [("file", (name.replace("_", "."), text.encode())) for name, text in files.items()]
    body = {"message": message, "session_id": session}
    answer = (
        api.post("/api/v1/chat_with_file", data=body, files=parts) if parts else api.post("/api/v1/chat", json=body)
    )
    told: dict[str, object] = answer.raise_for_status().json()
    return told


def agents(answer: dict[str, object]) -> list[tuple[str, str]]:
    return [(run["agent"], run["status"]) for run in answer["agents"]]  # type: ignore[attr-defined]


def test_a_question_about_a_sheet_goes_to_the_analyst_and_is_computed(api: httpx.Client) -> None:
    answer = ask(api, "sales", "Which region sold most in Q3?", sales_csv=SALES)
    assert agents(answer) == [("analyst", "ok")] and "East" in str(answer["answer"]) and "55" in str(answer["answer"])
    assert "GROUP BY" in str(answer["answer"]), "the query is shown"
    total = ask(api, "sales", "What are the total sales of the West?")
    assert "121" in str(total["answer"])
    rows = str(ask(api, "sales", "How many rows are in the list?")["answer"])
    assert rows.endswith(": 5")
    unknown = ask(api, "sales", "What is the average margin of each customer?")
    assert "region, quarter, sales" in str(unknown["answer"]) and "LLM_API_KEY" in str(unknown["answer"])


def test_a_chart_is_drawn_in_chinese(api: httpx.Client) -> None:
    answer = ask(api, "销售", "把各区域的销售额合计画成柱状图", sales_csv=SALES_ZH)
    assert agents(answer) == [("analyst", "ok")]
    files: Any = answer["artifacts"]
    picture = api.get(f"/api/v1/documents/{files[0]['id']}/content").text
    assert "西区" in picture and "东区" in picture


def test_named_points_of_documents_are_put_side_by_side(api: httpx.Client) -> None:
    answer = ask(api, "leases", "Compare the notice and the monthly rent in these two leases", **{
        name.replace(".", "_"): text for name, text in LEASES.items()
    })  # fmt: skip
    rows = str(answer["answer"]).splitlines()
    assert agents(answer) == [("researcher", "ok")] and len(rows) == 4
    assert "nine weeks" in rows[2] and "four weeks" in rows[2] and "1,240" in rows[3] and "980" in rows[3]
    assert len({citation["name"] for citation in answer["citations"]}) == 2  # type: ignore[attr-defined]
    whole = ask(api, "leases", "Compare the two leases clause by clause")
    assert "Name the points" in str(whole["answer"])
    written = api.post("/api/v1/chat", json={"message": "写一份报告", "session_id": "leases", "agent": "writer"}).json()
    assert "需要能够写作的语言模型" in written["answer"]
