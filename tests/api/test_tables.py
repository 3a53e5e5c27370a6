"""A question over a spreadsheet is answered by numbers that were computed from its rows."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator

import httpx
import openpyxl
import pytest

from settings import Settings
from tests.api.conftest import said_to
from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, OpenAIServer, ToolCall


def a_workbook() -> bytes:
    """Sales by region under merged headings, and a second sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "年度"
    for row in (["区域", "2026", None], [None, "Q2", "Q3"]):
        sheet.append(row)
    for number in range(60):
        sheet.append([("华东", "华北", "华南")[number % 3], 100 - number % 3, 7 + number % 3 / 4])
    sheet.merge_cells("B1:C1")
    book.create_sheet("说明").append(["单位", "万元"])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.fixture(scope="module")
def patient(api_settings: Settings) -> Iterator[LiveServer]:
    """A server that gives the embedder time to load."""
    folder = api_settings.data_dir.parent / "tables"
    with LiveServer(api_settings.model_copy(update={"turn_timeout": 60, "data_dir": folder})) as live:
        yield live


@pytest.mark.parametrize("question", ["Which region sold most in Q3?", "第三季度哪个区域卖得最多？"])
async def test_a_sheet_is_queried(patient: LiveServer, model: OpenAIServer, question: str) -> None:
    sql = 'SELECT 区域, sum("2026 Q3") AS total FROM "年度" GROUP BY 区域 ORDER BY total DESC LIMIT 1'
    call = Answer(tool_calls=[ToolCall("query_table", {"sql": sql, "document": "sales.xlsx"})])
    model.script([call, "华南: 150.00"])
    thread = f"tables-{uuid.uuid4().hex}"
    upload = {"files": {"file": ("sales.xlsx", a_workbook())}, "data": {"session_id": thread}}
    async with httpx.AsyncClient(base_url=patient.url, timeout=60) as client:
        document = (await client.post("/api/v1/documents", **upload)).json()[0]  # type: ignore[arg-type]
        while document["status"] in ("queued", "reading"):
            document = (await client.get(f"/api/v1/documents/{document['id']}")).json()
        body = (await client.post("/api/v1/chat", json={"message": question, "session_id": thread})).json()
    assert body.get("answer", "").startswith("华南: 150.00"), body
    assert [run["status"] for run in body["tools"]] == ["ok"], body["tools"]
    shown = "\n".join(said_to(model))
    assert sql in shown and "| 区域 | total |" in shown and "| 华南 | 150.00 |" in shown
    assert list((patient.settings.data_dir / "tables").glob("*/tables.duckdb")), "made behind the reading"
