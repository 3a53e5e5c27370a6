"""Embedders: the bundled one for real, hosted ones through the real client against a real HTTP server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from domain.errors import Unavailable
from models.embeddings.bundled import PASSAGE_CHARS, BundledEmbedder
from models.embeddings.hosted import HostedEmbedder
from models.embeddings.registry import PROVIDERS, MissingEmbedder, open_embedder
from models.embeddings.shipped import shipped
from models.embeddings.typical_requests import TYPICAL
from settings import Settings
from tests.standins.openai_server import Answer, Drip, Failure, Garbled, Hang, OpenAIServer, Step

PASSAGE = "The committee meets on the first Monday of each month and publishes its minutes within ten days. " * 8


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)


def hosted(server: OpenAIServer, **given: object) -> HostedEmbedder:
    known = {"embedding_base_url": server.base_url, "embedding_model": "e-1", "llm_timeout": 5, "llm_max_retries": 0}
    with ThreadPoolExecutor(1) as pool:  # as the server does: it asks the endpoint for a vector
        made = pool.submit(open_embedder, settings(**{**known, **given})).result()
    assert isinstance(made, HostedEmbedder)
    server.requests.clear()
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def e5() -> AsyncIterator[BundledEmbedder]:
    embedder = open_embedder(settings())
    assert isinstance(embedder, BundledEmbedder)
    await embedder.query("warm up")
    yield embedder


def is_unit(vectors: np.ndarray) -> bool:
    return bool(np.allclose(np.linalg.norm(vectors, axis=-1), 1, atol=1e-4))


async def test_the_end_of_an_endless_passage_is_left_out(e5: BundledEmbedder) -> None:
    text = (PASSAGE * 12)[:PASSAGE_CHARS].ljust(PASSAGE_CHARS, ".")
    cut, whole = await e5.passages([text, text + " Pelicans fish in flocks." * 400])
    assert np.array_equal(cut, whole)


def test_what_comes_with_the_embedder_is_what_it_computes(e5: BundledEmbedder) -> None:
    known = shipped()
    assert {("query", text) for texts in TYPICAL.values() for text in texts} <= known.keys()
    assert is_unit(np.stack(list(known.values())))
    for line in list(known)[::20]:
        assert float(known[line] @ e5.computed(*line)) > 0.999, line


async def test_bundled_shapes(e5: BundledEmbedder) -> None:
    passages = await e5.passages(["one", "二", "three"])
    query = await e5.query("one")
    assert passages.shape == (3, 384) and passages.dtype == np.float32
    assert query.shape == (384,) and query.dtype == np.float32
    assert is_unit(passages) and is_unit(query)
    assert (await e5.passages([])).shape == (0, 384)
    assert "EMBEDDING_MODEL" in e5.detail.en


@pytest.mark.parametrize("question", ["How long do I have to return a product?", "商品可以在多少天内退货？"])
async def test_bundled_finds_meaning_across_languages(e5: BundledEmbedder, question: str) -> None:
    texts = ["The cat sleeps on the warm roof.", "Goods may be sent back within thirty days.", "会议室在三楼。"]
    scores = (await e5.passages(texts)) @ (await e5.query(question))
    assert int(scores.argmax()) == 1


async def test_bundled_keeps_order_and_tells_queries_from_passages(e5: BundledEmbedder) -> None:
    texts = [f"text number {number} {'and more ' * (number % 3)}" for number in range(9)]
    together = await e5.passages(texts)
    alone = np.stack([(await e5.passages([text]))[0] for text in texts])
    assert np.allclose(together, alone, atol=1e-5)
    assert not np.allclose(await e5.query(texts[0]), together[0], atol=1e-3)


async def test_bundled_takes_any_text(e5: BundledEmbedder) -> None:
    odd = ["", "\0", "before\0after", "half \ud83d", "🙂" * 50]
    vectors = await e5.passages(odd)
    assert is_unit(vectors)
    assert not np.allclose(vectors[2], (await e5.passages(["before"]))[0], atol=1e-3)


async def test_bundled_query_does_not_wait_for_passages(e5: BundledEmbedder) -> None:
    job = asyncio.create_task(e5.passages([PASSAGE] * 400))
    await asyncio.sleep(0.2)
    for _ in range(10):
        await e5.query("When does the committee meet?")
    assert not job.done()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    started = time.perf_counter()
    await e5.passages(["short"])
    assert time.perf_counter() - started < 15, "four hundred passages take longer"


async def test_bundled_long_query_stays_quick(e5: BundledEmbedder) -> None:
    started = time.perf_counter()
    assert is_unit(await e5.query("a long pasted message " * 10_000))
    assert time.perf_counter() - started < 20, "fifty thousand tokens take minutes"


async def test_without_a_model_documents_work_by_keyword(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROVIDERS, "bundled", lambda _: None)
    embedder = open_embedder(settings())
    assert isinstance(embedder, MissingEmbedder)
    assert "keyword" in embedder.detail.en
    for call in (embedder.query("x"), embedder.passages(["x"])):
        with pytest.raises(Unavailable, match="make install"):
            await call


async def test_hosted_batches_and_normalises(openai_server: OpenAIServer) -> None:
    embedder = hosted(openai_server, embedding_batch=4)
    texts = [f"number {number} {'word ' * number}" for number in range(10)]
    assert embedder.dimensions == 64
    vectors = await embedder.passages(texts)
    assert vectors.shape == (10, 64) and vectors.dtype == np.float32 and is_unit(vectors)
    assert sorted(len(request.body["input"]) for request in openai_server.embeddings) == [2, 4, 4]
    assert np.allclose(vectors[7], await embedder.query(texts[7]), atol=1e-6)


async def test_hosted_sends_text_as_it_is(openai_server: OpenAIServer) -> None:
    await hosted(openai_server, embedding_api_key="sk-e", embedding_dimensions=32).query("你好")
    request = openai_server.embeddings[0]
    assert request.body == {"input": ["你好"], "model": "e-1", "dimensions": 32, "encoding_format": "float"}
    assert request.key == "sk-e"


async def test_hosted_empty_texts(openai_server: OpenAIServer) -> None:
    embedder = hosted(openai_server)
    assert is_unit(await embedder.passages(["", " \n", "text"]))
    assert (await embedder.passages([])).shape == (0, 64)


async def test_dashscope_limits() -> None:
    with OpenAIServer(dashscope=True, api_key="d") as server:
        given = settings(dashscope_api_key="d", dashscope_base_url=server.base_url, embedding_batch=500)
        embedder = open_embedder(given)
        vectors = await embedder.passages([f"text {number}" for number in range(25)])
        assert (embedder.name, embedder.dimensions, vectors.shape) == ("text-embedding-v4", 1024, (25, 1024))
        assert max(len(request.body["input"]) for request in server.embeddings) == 10


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (Failure(401), "key was refused"),
        (Failure(429), "too many requests"),
        (Failure(500), "HTTP 500"),
        (Hang(), "silent"),
        (Drip("bytes"), "silent"),
        (Garbled("<html>", "text/html"), "cannot be read"),
        (Garbled('{"data": []}', "application/json"), "cannot be read"),
        (Garbled('{"data": [{"embedding": ["x"]}]}', "application/json"), "cannot be read"),
        (Garbled('{"data": [{"embedding": [NaN, 1]}]}', "application/json"), "cannot be read"),
        (Answer("not an embedding"), "cannot be read"),
    ],
)
@pytest.mark.filterwarnings("ignore:Pydantic serializer")
async def test_hosted_failures(openai_server: OpenAIServer, step: Step, reason: str) -> None:
    embedder = hosted(openai_server, llm_timeout=0.4)
    openai_server.fail_embeddings([step])
    with pytest.raises(Unavailable, match=f"embedding model does not answer: .*{reason}") as caught:
        await embedder.passages(["text"])
    assert "向量模型" in caught.value.body("zh")["message"]
    assert is_unit(await embedder.query("works again"))


async def test_hosted_retries(openai_server: OpenAIServer) -> None:
    embedder = hosted(openai_server, llm_max_retries=2)
    openai_server.fail_embeddings([Failure(429, retry_after=0.01), Failure(503, retry_after=0.01)])
    assert is_unit(await embedder.query("text"))


async def test_hosted_dimensions_must_stay(openai_server: OpenAIServer) -> None:
    embedder = hosted(openai_server)
    openai_server.fail_embeddings([Garbled('{"data": [{"embedding": [1.0, 2.0]}]}', "application/json")])
    with pytest.raises(Unavailable, match="2 dimensions, not 64"):
        await embedder.query("text")


@pytest.mark.parametrize("step", [Failure(500), Garbled("<html>", "text/html"), Garbled('{"data": []}')])
@pytest.mark.filterwarnings("ignore:Pydantic serializer")
async def test_hosted_of_unknown_size_is_no_embedder(openai_server: OpenAIServer, step: Step) -> None:
    openai_server.fail_embeddings([step])
    embedder = hosted(openai_server)
    assert embedder.dimensions == 0
    assert "EMBEDDING_DIMENSIONS" in embedder.detail.en


@pytest.mark.parametrize(
    ("given", "size"), [({"embedding_dimensions": 48}, 48), ({"embedding_model": "text-embedding-3-large"}, 3072)]
)
async def test_hosted_of_known_size_is_not_asked(
    openai_server: OpenAIServer, given: dict[str, object], size: int
) -> None:
    openai_server.fail_embeddings([Failure(500)])
    embedder = hosted(openai_server, **given)
    assert embedder.dimensions == size
    with pytest.raises(Unavailable, match="HTTP 500"):
        await embedder.query("text")


async def test_hosted_query_passes_the_queue(openai_server: OpenAIServer) -> None:
    embedder = hosted(openai_server, embedding_batch=1)
    openai_server.fail_embeddings([Hang()] * 4)
    job = asyncio.create_task(embedder.passages(["text"] * 8))
    await asyncio.sleep(0.2)
    assert is_unit(await asyncio.wait_for(embedder.query("quick"), 10))
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    await openai_server.disconnected(4)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"embedding_api_key": "k"}, "text-embedding-3-small at api.openai.com, because EMBEDDING_* is set;"),
        ({"dashscope_api_key": "d"}, "text-embedding-v4 at dashscope.aliyuncs.com, because DASHSCOPE_API_KEY is set;"),
        ({"dashscope_api_key": "d", "embedding_api_key": "k"}, "text-embedding-3-small at api.openai.com"),
        ({"llm_api_key": "k"}, "multilingual-e5-small, bundled"),
        (
            {"llm_api_key": "k", "embedding_model": "e", "embedding_dimensions": 9},
            "e at api.openai.com, because",
        ),
    ],
)
def test_choice(given: dict[str, object], expected: str) -> None:
    assert open_embedder(settings(**given)).detail.en.startswith(expected)
