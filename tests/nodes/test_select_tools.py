from __future__ import annotations

import pytest

from nodes.select_tools import select_tools
from settings import Settings
from tests.nodes.conftest import Parts, a_state

DOCUMENT = {
    "id": "d",
    "name": "d.pdf",
    "kind": "document",
    "status": "ready",
    "pages_total": 1,
    "pages_done": 1,
    "summary": "",
}


@pytest.mark.parametrize(
    "question", ["hello", "你好", "read https://example.org/a", "how much is 12.5% of 80?", "今天星期几"]
)
@pytest.mark.parametrize("documents", [[], [DOCUMENT]])
async def test_offered_is_what_is_there_whatever_the_words(
    parts: Parts, question: str, documents: list[object]
) -> None:
    parts.settings = Settings(web_search="off", _env_file=None)
    update = await select_tools(a_state(question=question, documents=documents), parts.runtime())
    always = ["current_time", "calculate", "fetch_url"]
    assert update["offered_tools"] == (
        ["search_documents", "list_documents", "read_document", "query_table", *always] if documents else always
    )


@pytest.mark.parametrize(("status", "there"), [("ready", True), ("reading", True), ("failed", False)])
async def test_a_file_of_this_turn_counts_when_it_could_be_read(parts: Parts, status: str, there: bool) -> None:
    state = a_state(question="what is this?", attachments=[{**DOCUMENT, "status": status}])
    assert ("search_documents" in (await select_tools(state, parts.runtime()))["offered_tools"]) is there


async def test_web_search_when_configured_and_allowed(parts: Parts) -> None:
    parts.settings = Settings(tavily_api_key="k", _env_file=None)
    assert "web_search" in (await select_tools(a_state(question="hello"), parts.runtime()))["offered_tools"]
    parts.context["tools"] = ("calculate",)
    assert (await select_tools(a_state(question="hello"), parts.runtime()))["offered_tools"] == ["calculate"]
    parts.context["tools"] = ()
    assert (await select_tools(a_state(question="1+1"), parts.runtime()))["offered_tools"] == []
