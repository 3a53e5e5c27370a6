"""The hosted reranker over the wire, and a search that uses it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from pydantic import SecretStr
from starlette.responses import JSONResponse, Response

from domain.errors import Unavailable
from models.rerank.hosted import open_hosted
from models.rerank.interface import Reranker
from models.rerank.registry import open_reranker
from settings import Settings
from stores.library.documents import Documents
from tests.library import ANN, Library, library
from tests.standins.rerank_server import RerankServer

__all__ = ["library"]
TEXTS = ["tea", "green tea cups", "coffee"]


@pytest.fixture
def server() -> Iterator[RerankServer]:
    with RerankServer() as standin:
        yield standin


@pytest_asyncio.fixture
async def reranker(server: RerankServer) -> AsyncIterator[Reranker]:
    """As the settings open it."""
    opened = open_hosted(
        Settings(
            _env_file=None, rerank_base_url=server.base_url, rerank_model="r-1", rerank_api_key=SecretStr("k"),
            rerank_timeout=0.5,
        )
    )  # fmt: skip
    yield opened
    await opened.aclose()


async def test_scores_come_in_the_order_of_the_texts(server: RerankServer, reranker: Reranker) -> None:
    assert list(await reranker.rank("green tea", TEXTS)) == [0.5, 1.0, 0.0]
    body = {"model": "r-1", "query": "green tea", "documents": TEXTS, "top_n": 3}
    assert server.requests == [("/v1/rerank", "Bearer k", body)]
    assert "r-1 at 127.0.0.1" in reranker.detail.en and "RERANK_MODEL" in reranker.detail.zh


@pytest.mark.parametrize(
    "answer",
    [
        Response(status_code=500),
        Response(status_code=401),
        Response("<html>"),
        JSONResponse({"results": [{"index": 0, "relevance_score": 1}]}),
        JSONResponse({"results": [{"index": n, "relevance_score": "NaN"} for n in range(3)]}),
        JSONResponse([]),
    ],
    ids=["error", "key", "page", "too few", "no number", "list"],
)
async def test_a_failure_is_told_once_until_it_works_again(
    server: RerankServer, reranker: Reranker, answer: Response, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    server.answer = answer
    for _ in range(2):
        with pytest.raises(Unavailable):
            await reranker.rank("green tea", TEXTS)
    assert reranker.failing and [record.name for record in caplog.records] == ["models.rerank.hosted"]
    server.answer = None
    assert await reranker.rank("green tea", TEXTS)
    assert not reranker.failing


async def test_a_silent_endpoint_is_given_up(server: RerankServer, reranker: Reranker) -> None:
    server.silence = 2
    with pytest.raises(Unavailable):
        await reranker.rank("green tea", TEXTS)
    assert reranker.failing


def test_it_is_off_unless_an_address_is_set() -> None:
    assert open_reranker(Settings(_env_file=None, dashscope_api_key=SecretStr("k"))) is None
    with pytest.raises(ValueError, match="RERANK_MODEL"):
        open_reranker(Settings(_env_file=None, rerank_base_url="http://r/v1"))


async def test_a_search_takes_its_order_and_goes_on_without_it(
    library: Library, server: RerankServer, reranker: Reranker
) -> None:
    await library.add("Tea tea tea tea.\fIn the morning people like to drink green tea .")
    documents = await Documents.open(library.settings, library.database, library.embedder, reranker)
    before = [hit["page"] for hit in await library.documents.search("people green tea", ANN)]
    hits = await documents.search("people green tea", ANN)
    assert [hit["page"] for hit in hits] == [2, 1] and hits[0]["score"] == 1.0
    assert len(server.requests) == 1
    server.answer = Response(status_code=503)
    assert [hit["page"] for hit in await documents.search("people green tea", ANN)] == before
    assert len(await documents.sources("people green tea", ANN, token_budget=300)) > 0
    await documents.aclose()
