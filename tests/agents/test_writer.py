from __future__ import annotations

import io
from typing import Any

import pytest
from docx import Document

from agents.writer import docx_of
from domain.errors import ModelUnavailable
from domain.words import Words
from tests.agents.conftest import a_document, call, delegated, take_turn
from tests.nodes.conftest import Parts, a_source

PLAN = call("write_document", title="租赁报告", sections=[{"heading": "租金", "brief": "数额"}, {"heading": "风险"}])


async def test_a_document_is_written_in_parts_and_exported_with_its_sources(parts: Parts) -> None:
    parts.documents.listed = [a_document(1, "合同.txt")]
    parts.documents.found = [a_source(0, "月租金为九百元。", document_id="d1", name="合同.txt")]
    parts.documents.pages = {("d1", 1): "月租金为九百元。"}

    def section(seen: Any) -> str:
        if "现在要写的一节：风险" in str(seen[-1].text):
            raise ModelUnavailable(reason=Words("gone", "断开"))
        return '月租金为 **九百元** [1 "月租金为九百元"]。另有押金 [1 "押金两千元"]。'

    roles: dict[str, Any] = {
        "turn": lambda _: delegated(("writer", "写一份租赁报告"), direct=True),
        "writer": lambda _: PLAN,
        "section": section,
    }
    output = await take_turn(parts, roles, "写一份租赁报告")
    assert "月租金为 **九百元** [2]" in output["answer"] and "（无依据）" in output["answer"]
    assert [file["name"] for file in output["artifacts"]] == ["租赁报告.docx", "租赁报告.md"]
    word, text = (parts.attachments.files[file["id"]][1] for file in output["artifacts"])
    assert "## 租金" in text.decode() and "- [1] 合同.txt" in text.decode() and "（这一节未能写出。）" in text.decode()
    paragraphs = [(line.style.name, line.text) for line in Document(io.BytesIO(word)).paragraphs if line.style]
    assert ("Heading 1", "租赁报告") in paragraphs and ("Heading 2", "风险") in paragraphs


def test_nothing_is_loaded_into_a_document() -> None:
    made = docx_of(
        '# T\n\n![x](http://127.0.0.1:9/a.png) <img src="http://127.0.0.1:9/b.png">\n\n| a | b |\n|---|---|\n| 1 | 2 |'
    )
    document = Document(io.BytesIO(made))
    assert len(document.inline_shapes) == 0 and len(document.tables) == 1
    assert "b.png" in "".join(line.text for line in document.paragraphs)


@pytest.mark.parametrize("agent", ["writer", "coder"])
async def test_without_a_model_that_writes_it_says_so(parts: Parts, agent: str) -> None:
    parts.context["agent"], parts.kind = agent, "extractive"
    output = await take_turn(parts, {"turn": lambda seen: str(seen[-1].text)}, "Write it")
    assert "needs a language model that writes" in output["answer"]
    assert output["agent_runs"][0]["code"] == "needs_model"
