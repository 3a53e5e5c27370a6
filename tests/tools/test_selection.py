"""Many tools: the right ones are offered, in both languages, with and without vectors, before and after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest
from langchain_core.tools import StructuredTool

from domain.errors import Unavailable
from domain.owner import Owner
from domain.words import Words
from models.embeddings.bundled import BundledEmbedder
from models.embeddings.interface import Vectors
from settings import Settings
from stores.sql.database import Database
from stores.sql.text_vectors import TextVectors
from tools.interface import Caller, ToolSpec
from tools.registry import ToolRegistry
from tools.selection import FIND_TOOLS, OFFERED_WHOLE, SCHEMA_TOKENS, ToolIndex

TOOLS = {
    "weather__forecast": "Report temperature, rain and wind of a city for the coming days.",
    "mail__send_message": "Send an e-mail to one or more recipients.",
    "shop__refund_order": "Refund an order or part of it.",
    "repo__list_issues": "List the open issues of a repository.",
    "car__unlock_doors": "Unlock the doors of the car.",
    "music__play_song": "Play a piece of music on a loudspeaker.",
}
FILLING = {f"archive__box_{number}": f"Return the inventory of storage box {number}." for number in range(40)}


def a_tool(name: str, description: str, examples: Sequence[str] = ()) -> ToolSpec:
    arguments = {"type": "object", "properties": {"target": {"type": "string", "description": "Whom it concerns."}}}
    tool = StructuredTool(name=name, description=description, args_schema=arguments, func=lambda target="": target)
    return ToolSpec(tool=tool, title=Words(name, name), permission="read", examples=examples, source="mcp:test")


MANY = [a_tool(*row) for row in (FILLING | TOOLS).items()]


class CountingEmbedder(BundledEmbedder):
    """The bundled embedder: counts what it embeds, and fails on demand."""

    def __init__(self) -> None:
        super().__init__()
        self.made = 0
        self.broken = False

    async def passages(self, texts: Sequence[str]) -> Vectors:
        self._count(len(texts))
        return await super().passages(texts)

    async def query(self, text: str) -> Vectors:
        self._count(1)
        return await super().query(text)

    def _count(self, texts: int) -> None:
        if self.broken:
            raise Unavailable(reason=Words("away", "不可用"))
        self.made += texts


@pytest.fixture(scope="module")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    opened = await Database.open(Settings(data_dir=tmp_path_factory.mktemp("tools"), _env_file=None))
    yield opened
    await opened.aclose()


@pytest.fixture(scope="module")
async def embedder() -> AsyncIterator[CountingEmbedder]:
    made = CountingEmbedder()
    yield made
    await made.aclose()


@pytest.fixture(scope="module")
async def index(embedder: CountingEmbedder, database: Database) -> AsyncIterator[ToolIndex]:
    made = ToolIndex(embedder, TextVectors(database))
    await made.prepare(MANY)
    assert await made.ready()
    yield made
    await made.aclose()


@pytest.fixture
async def tools(index: ToolIndex) -> ToolRegistry:
    """Not closed: the index is the module's."""
    registry = ToolRegistry(Settings(web_search="off", _env_file=None), _NoDocuments(), index=index)  # type: ignore[arg-type]
    registry.set_foreign(MANY, {})
    return registry


class _NoDocuments:
    async def list(self, owner: Owner) -> list[object]:
        return []


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        ("Do I need an umbrella in Lyon tomorrow?", "weather__forecast"),
        ("明天里昂会下雨吗？", "weather__forecast"),
        ("Please give the customer her money back", "shop__refund_order"),
        ("把钱退给这位顾客", "shop__refund_order"),
        ("把车门打开", "car__unlock_doors"),
        ("给老板发一封邮件", "mail__send_message"),
        ("What is the time in Oslo?", "current_time"),
        ("1234 乘以 5678 等于多少？", "calculate"),
    ],
)
async def test_of_many_tools_the_right_one_is_offered(tools: ToolRegistry, request_: str, wanted: str) -> None:
    offered = await tools.selected(request_, documents=False)
    assert wanted in offered and FIND_TOOLS in offered
    assert tools.tokens(offered) <= SCHEMA_TOKENS and len(offered) <= 13
    assert offered == [name for name in tools.offered(documents=False) if name in offered]


async def test_what_does_not_fit_or_is_not_allowed_is_not_offered(tools: ToolRegistry) -> None:
    question = "What does my contract say about termination?"
    assert "search_documents" not in await tools.selected(question, documents=False)
    assert "search_documents" in await tools.selected(question, documents=True)
    allowed = [*FILLING, "calculate"]
    offered = await tools.selected("Will it rain tomorrow?", documents=False, names=allowed)
    assert set(offered) <= set(allowed)
    assert await tools.selected("rain", documents=False, names=["calculate"]) == ["calculate"]


async def test_what_the_conversation_uses_stays_offered(tools: ToolRegistry) -> None:
    request, name = "Will it rain tomorrow?", "archive__box_39"
    assert name not in await tools.selected(request, documents=False)
    assert name in await tools.selected(request, documents=False, kept=[name])


async def test_few_tools_are_offered_whole(index: ToolIndex, embedder: CountingEmbedder) -> None:
    registry = ToolRegistry(Settings(web_search="off", _env_file=None), _NoDocuments(), index=index)  # type: ignore[arg-type]
    await index.ready()
    before = embedder.made
    registry.set_foreign(MANY[: OFFERED_WHOLE - len(registry.specs())], {})
    offered = await registry.selected("Anything at all", documents=True)
    assert offered == registry.offered(documents=True) and FIND_TOOLS not in offered
    assert embedder.made == before


async def test_a_restart_embeds_nothing_again(embedder: CountingEmbedder, database: Database, index: ToolIndex) -> None:
    await index.ready()
    again = ToolIndex(embedder, TextVectors(database))
    before = embedder.made
    await again.prepare([*MANY, a_tool("bank__open_account", "Open an account.", ["I want an account", "我要开户"])])
    assert await again.ready()
    assert embedder.made == before + 3, "a new tool is embedded alone: its description and its examples"
    changed = [a_tool("weather__forecast", "Report the tides of a harbour."), *MANY[: -len(TOOLS)]]
    await again.prepare(changed)
    assert await again.ready() and embedder.made == before + 4
    await again.aclose()


async def test_while_vectors_are_missing_keywords_decide(embedder: CountingEmbedder, database: Database) -> None:
    fresh = [a_tool(f"new__{name}", f"{text} Newly described.") for name, text in (TOOLS | FILLING).items()]
    index, names = ToolIndex(embedder, TextVectors(database)), [spec.name for spec in fresh]
    embedder.broken = True
    try:
        assert (await index.ranked("list all open issues", fresh, names))[0] == "new__repo__list_issues"
        assert not await index.ready()
        assert await index.ranked("把车门打开", fresh, names) == names, "nothing to go by: their own order"
    finally:
        embedder.broken = False
    await index.aclose()


async def test_a_query_that_cannot_be_embedded_is_answered_by_keyword(
    index: ToolIndex, embedder: CountingEmbedder
) -> None:
    embedder.broken = True
    try:
        ranked = await index.ranked("list all open issues", MANY, [spec.name for spec in MANY])
    finally:
        embedder.broken = False
    assert ranked[0] == "repo__list_issues"


async def test_find_tools_tells_what_else_there_is(tools: ToolRegistry) -> None:
    for language, words, request in (("en", "nearest first", "unlock my car"), ("zh", "由近及远", "把我的车打开")):
        caller = Caller(owner=Owner(), language=language)  # type: ignore[arg-type]
        outcome = await tools.call("find_tools", {"request": request}, caller)
        assert outcome.run["status"] == "ok" and words in outcome.text
        assert "- car__unlock_doors: Unlock the doors" in outcome.text
        assert "car__unlock_doors" in outcome.data["tools"] and FIND_TOOLS not in outcome.data["tools"]
        assert "search_documents" not in outcome.data["tools"]
    limited = Caller(owner=Owner(), language="en", tools=("calculate", "find_tools"))
    outcome = await tools.call("find_tools", {"request": "unlock my car"}, limited)
    assert outcome.data["tools"] == ["calculate"]


async def test_vectors_that_no_process_uses_are_dropped(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store = TextVectors(database)
    vector = np.ones(4, np.float32)
    await store.put("model", {("query", "old"): vector})
    monkeypatch.setattr("stores.sql.text_vectors.UNUSED_SECONDS", -1)
    await store.put("other", {("query", "new"): vector})
    assert await store.get("model", [("query", "old")]) == {}
    found = await store.get("other", [("query", "new"), ("passage", "new")])
    assert list(found) == [("query", "new")] and np.array_equal(found["query", "new"], vector)


async def test_closing_ends_what_is_being_embedded(embedder: CountingEmbedder, database: Database) -> None:
    index = ToolIndex(embedder, TextVectors(database))
    await index.prepare([a_tool(f"late__{name}", f"{text} Described late.") for name, text in FILLING.items()])
    await asyncio.sleep(0.05)
    await index.aclose()
    assert not await index.ready()
