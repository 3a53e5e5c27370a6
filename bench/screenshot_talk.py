"""What is said in the pictures of `bench.screenshots`."""

from __future__ import annotations

import itertools
import json

from tests.standins.openai_server import Answer, Recorded, ToolCall
from tests.web.steps import passages

NOTICE = "Either party may end this agreement with a notice period of forty-five days"
RENT = "Rent is due on the third working day of each month, in advance"
DOCUMENT = [
    (
        "Lease",
        "This agreement is made between Harbour Homes Ltd, the lessor, and Ann Osei, the lessee of the premises at"
        " 14 Mill Lane. It begins on 1 March and runs until it is ended.",
    ),
    (
        "Ending the agreement",
        f"{NOTICE}, counted from the day of the letter. Letters are sent by registered mail. The premises are handed"
        " over swept, with all keys. The deposit is paid back within thirty days.",
    ),
    (
        "Payment",
        f"{RENT}. Heating and water are settled once a year, by the end of April, on the meters' readings.",
    ),
]
SHEET = "Region,2024,2025\nNorth,1240,1395\nSouth,880,1190\nEast,1510,1475\nWest,640,702\n"
SQL = (
    'SELECT "Region", "2024", "2025", round(100.0 * ("2025" - "2024") / "2024", 1) AS growth'
    " FROM t1 ORDER BY growth DESC"
)
GROWTH = """**South** grew most: 35.2 %.

| Region | 2024 | 2025 | Growth |
|---|---:|---:|---:|
| South | 880 | 1,190 | **35.2 %** |
| North | 1,240 | 1,395 | 12.5 % |
| West | 640 | 702 | 9.7 % |
| East | 1,510 | 1,475 | -2.3 % |
"""
BIRDS = itertools.cycle(
    (
        "1. **Grey heron**, patient and tall\n2. **Stilt**, on the longest legs\n3. **Spoonbill**, named for its bill",
        "1. **Avocet**, with a bill turned up\n2. **Curlew**, with one turned down\n3. **Redshank**, all orange legs",
    )
)
HERONS = """两者都是鹭科涉禽，主要区别：

| | 苍鹭 | 白鹭 |
|---|---|---|
| 羽色 | 灰 | 白 |
| 身长 | 约 95 厘米 | 约 60 厘米 |
| 脚趾 | 褐色 | 黄色 |

飞行时颈部都缩成 **S** 形。翼面积与体重之比约为：

$$\\frac{S}{m} \\approx 0.25\\ \\mathrm{m^2/kg}$$
"""
IMPORTED = json.dumps(
    {
        "title": "苍鹭与白鹭",
        "messages": [
            {"role": "user", "text": "苍鹭和白鹭有什么区别？"},
            {"role": "assistant", "text": HERONS},
        ],
    },
    ensure_ascii=False,
)


def respond(request: Recorded) -> Answer | str:
    """Answer as the pictures show it."""
    asked = request.user_text
    if "lease" in asked:
        return (
            f"You can end it **at any time with forty-five days' notice**, by letter {_cited(request, NOTICE)}."
            f" The rent is due **on the third working day of each month** {_cited(request, RENT)}."
        )
    if "region" in asked and request.messages[-1]["role"] == "tool":
        return GROWTH
    if "region" in asked:
        return Answer(tool_calls=[ToolCall("query_table", {"sql": SQL, "document": "sales.csv"})])
    if "late" in asked:
        note = {"to": "ann@corp.example", "text": "I am ten minutes late. Please start without me."}
        return Answer(tool_calls=[ToolCall("send_note", note)])
    if "birds" in asked:
        return Answer(next(BIRDS), reasoning="Birds that stand in shallow water, each with what tells it apart.")
    return "Noted: no peanuts in anything that I suggest."


def _cited(request: Recorded, words: str) -> str:
    number = next((number for number, text in passages(request.text) if words in text), "1")
    return f'[{number} "{words}"]'
