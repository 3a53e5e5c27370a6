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
    ("question", "documents", "offered"),
    [
        ("hello", [], set()),
        ("你好", [], set()),
        ("what does it say about rent?", [DOCUMENT], {"search_documents", "list_documents"}),
        ("read https://example.org/a for me", [], {"fetch_url"}),
        ("请打开这个网页 https://example.org", [], {"fetch_url"}),
        ("how much is 12.5% of 80?", [], {"calculate"}),
        ("3的平方加上4等于多少", [], {"calculate"}),
        ("what time is it in Tokyo?", [], {"current_time"}),
        ("今天星期几", [], {"current_time"}),
    ],
)
async def test_only_what_fits(parts: Parts, question: str, documents: list[object], offered: set[str]) -> None:
    parts.settings = Settings(web_search="off", _env_file=None)  # type: ignore[call-arg]
    update = await select_tools(a_state(question=question, documents=documents), parts.runtime())
    assert set(update["offered_tools"]) == offered


async def test_web_search_when_configured_and_allowed(parts: Parts) -> None:
    parts.settings = Settings(tavily_api_key="k", _env_file=None)  # type: ignore[call-arg,arg-type]
    assert (await select_tools(a_state(question="hello"), parts.runtime()))["offered_tools"] == ["web_search"]
    parts.context["tools"] = ("calculate",)
    assert (await select_tools(a_state(question="1+1"), parts.runtime()))["offered_tools"] == ["calculate"]
    parts.context["tools"] = ()
    assert (await select_tools(a_state(question="1+1"), parts.runtime()))["offered_tools"] == []
