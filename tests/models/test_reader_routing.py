from __future__ import annotations

import numpy as np

from models.chat.extractive.routing import EXAMPLES, Router, has_cue
from tests.models.reader_fixtures import EMBEDDER

# Written after the examples and cues were fixed, and not used to change them.
PHRASINGS = {
    "search_documents": ["Does my employment agreement mention overtime?", "保险条款里怎么规定免赔额的？"],
    "web_search": ["Is it going to snow in Oslo tonight?", "查一下明天杭州的天气", "最近有什么热点新闻"],
    "list_documents": ["What have I uploaded so far?", "列一下我传上来的资料"],
    "current_time": ["Do you know what time it is?", "巴黎现在是几点？", "今天几号了"],
    "calculate": ["How much is 18 times 23?", "2的8次方等于多少", "17乘23是多少"],
    "summary": ["what is the article about", "请概述这份报告"],
    "picture_text": ["What words are on the street sign?", "海报上写着什么"],
    "picture_content": ["What does the picture show?", "描述下照片"],
    "memory": ["Which city do I live in?", "我刚刚问了你什么"],
    "knowledge": ["When did the Titanic sink?", "李白是哪个朝代的？"],
    "greeting": ["Good afternoon", "你好啊"],
    "identity": ["你是人还是AI？"],
}


async def test_other_phrasings_reach_their_label() -> None:
    router = Router(EMBEDDER)
    wrong = [
        (text, label, found)
        for label, texts in PHRASINGS.items()
        for text in texts
        if (found := await router.label(text, await EMBEDDER.query(text))) != label
    ]
    assert len(wrong) <= 3, wrong


async def test_examples_are_embedded_once() -> None:
    asked: list[str] = []

    class Counting:
        name, dimensions = "counting", 4

        async def passages(self, texts: list[str]) -> np.ndarray:
            raise AssertionError

        async def query(self, text: str) -> np.ndarray:
            asked.append(text)
            vector = np.random.default_rng(len(text)).normal(size=4).astype(np.float32)
            return vector / np.linalg.norm(vector)

    router = Router(Counting())
    assert asked == []
    await router.label("x", np.ones(4, np.float32))
    await router.label("y", np.ones(4, np.float32))
    assert len(asked) == sum(map(len, EXAMPLES.values()))


def test_cues_are_words_not_topics() -> None:
    assert has_cue("current_time", "What time is it?") and not has_cue("current_time", "When was the treaty signed?")
    assert has_cue("list_documents", "我上传了哪些文件？") and not has_cue(
        "list_documents", "Which documents are needed?"
    )
