"""What leaves for hosted models, through the real clients, and what comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage

from domain.errors import PersonalDataRefused
from models.chat.hosted import hosted_chat
from models.embeddings.hosted import open_hosted
from models.rerank.registry import open_reranker
from privacy.outbound import Privacy, wanted_privacy
from settings import Settings
from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, OpenAIServer, ToolCall
from tests.standins.openai_wire import Recorded
from tests.standins.rerank_server import RerankServer

SAID = "我叫王伟，手机13812345678，邮箱 wei@example.cn。"
RAW = ("王伟", "13812345678", "wei@example.cn")
Configure = Callable[..., Settings]


@pytest.fixture
def configure(openai_server: OpenAIServer, tmp_path: Path) -> Configure:
    def make(**changed: Any) -> Settings:
        known: dict[str, Any] = {"llm_base_url": openai_server.base_url, "llm_model": "m-1", "data_dir": tmp_path}
        return Settings(_env_file=None, **{**known, **changed})

    return make


@pytest.fixture
def openai_server() -> Any:
    with OpenAIServer() as server:
        yield server
        server.assert_done()


def leaked(request: Recorded) -> list[str]:
    body = json.dumps(request.body, ensure_ascii=False)
    return [raw for raw in RAW if raw in body]


def opened(settings: Settings) -> BaseChatModel:
    chat = hosted_chat(settings)
    assert chat is not None
    return chat.model


async def collected(model: Any, messages: list[Any]) -> AIMessageChunk:
    chunks = [chunk async for chunk in model.astream(messages)]
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    assert isinstance(whole, AIMessageChunk)
    return whole


async def test_a_hosted_model_sees_placeholders_and_its_user_the_values(
    openai_server: OpenAIServer, configure: Configure
) -> None:
    def answers(request: Recorded) -> Answer:
        return Answer(f"Noted: {request.user_text}", reasoning=request.user_text)

    openai_server.script([answers])
    whole = await collected(opened(configure(pii="mask")), [HumanMessage(SAID)])
    assert whole.text == f"Noted: {SAID}" and whole.additional_kwargs["reasoning_content"] == SAID
    (request,) = openai_server.requests
    assert leaked(request) == [] and "PHONE_" in request.user_text


async def test_arguments_of_calls_are_masked_on_the_way_out_and_restored_on_the_way_back(
    openai_server: OpenAIServer, configure: Configure
) -> None:
    def calls(request: Recorded) -> Answer:
        sent = request.messages[1]["tool_calls"][0]["function"]["arguments"]
        return Answer(tool_calls=[ToolCall("send", sent)])

    openai_server.script([calls])
    arguments = {"to": "wei@example.cn", "text": "王伟：\n“13812345678”"}
    earlier = AIMessage("", tool_calls=[{"name": "send", "args": arguments, "id": "c1", "type": "tool_call"}])
    tool = {"type": "function", "function": {"name": "send", "parameters": {"type": "object", "properties": {}}}}
    model = opened(configure(pii="mask")).bind_tools([tool])
    whole = await collected(model, [HumanMessage("go on"), earlier, ToolMessage(SAID, tool_call_id="c1")])
    assert whole.tool_calls[0]["args"] == arguments
    assert leaked(openai_server.requests[0]) == []


async def test_block_refuses_what_holds_personal_data_and_says_what(
    openai_server: OpenAIServer, configure: Configure
) -> None:
    with pytest.raises(PersonalDataRefused) as refused:
        await collected(opened(configure(pii="block")), [HumanMessage(SAID)])
    assert "a telephone number" in refused.value.body("en")["message"] and "姓名" in refused.value.body("zh")["message"]
    assert openai_server.requests == []


async def test_a_turn_may_ask_for_more_privacy_than_the_setting_and_not_for_less(
    openai_server: OpenAIServer, configure: Configure
) -> None:
    assert Privacy(configure()).mode == "off"
    token = wanted_privacy.set("mask")
    try:
        assert [Privacy(configure(pii=mode)).mode for mode in ("off", "mask", "block")] == ["mask", "mask", "block"]
    finally:
        wanted_privacy.reset(token)


async def test_embeddings_and_reranking_get_masked_texts(openai_server: OpenAIServer, configure: Configure) -> None:
    with RerankServer() as rerank:
        settings = configure(
            pii="mask", embedding_base_url=openai_server.base_url, embedding_model="e-1", embedding_dimensions=8,
            rerank_base_url=rerank.base_url, rerank_model="r-1",
        )  # fmt: skip
        embedder, reranker = open_hosted(settings), open_reranker(settings)
        assert embedder is not None and reranker is not None
        await embedder.passages([SAID, "plain"])
        await embedder.query(SAID)
        await reranker.rank(SAID, [SAID, "plain"])
        await embedder.aclose()
    sent = [*(request.body for request in openai_server.requests), *rerank.requests]
    written = json.dumps(sent, ensure_ascii=False, default=str)
    assert len(sent) == 3 and "plain" in written and not any(raw in written for raw in RAW)


async def test_an_address_that_carries_personal_data_is_not_opened(configure: Configure) -> None:
    privacy = Privacy(configure(pii="mask"))
    privacy.check_url("https://en.wikipedia.org/wiki/Albert_Einstein")
    with pytest.raises(PersonalDataRefused):
        privacy.check_url("https://example.org/?q=wei%40example.cn")


def test_a_whole_turn_over_http(openai_server: OpenAIServer, configure: Configure) -> None:
    openai_server.script([lambda request: Answer(f"OK {request.user_text}")])
    settings = configure(ocr_engine="off", tts_engine="off", web_search="off")
    with (
        LiveServer(settings) as live,
        httpx.Client(base_url=live.url, timeout=60, trust_env=False, verify=False) as http,
    ):
        given = {"message": SAID, "session_id": "s1", "pii": "mask", "tools": []}
        answer = http.post("/api/v1/chat", json=given).json()
        kept = http.get("/api/v1/sessions/s1").text
        refused = http.post("/api/v1/chat", json={**given, "pii": "block"})
    assert SAID in answer["answer"] and SAID in kept
    assert leaked(openai_server.requests[0]) == []
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "personal_data_refused")
