"""Token counting, offline."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from domain.tokens import IMAGE_TOKENS, MESSAGE_TOKENS, approximate_tokens, count_message_tokens, count_tokens

EN = "Payment is due within thirty days of the invoice date, unless the parties agree otherwise in writing. "
ZH = "除非双方另有书面约定，货款应在发票开具之日起三十天内支付。逾期每日加收万分之五的违约金。"


@cache
def _dashscope_tokenizer() -> Any:
    from dashscope import get_tokenizer

    return get_tokenizer("qwen-plus")


@pytest.mark.parametrize(
    "text", [EN, ZH, EN + ZH, "def f(x):\n    return x ** 2\n", "2026-11-22 3.14159", "🙂 é e\u0301"]
)
def test_counts_as_the_qwen_tokenizer_does(text: str) -> None:
    assert count_tokens(text) == len(_dashscope_tokenizer().encode(text))


def test_edges() -> None:
    assert count_tokens("") == 0
    assert count_tokens("\ud800") > 0
    assert count_tokens("<|im_start|>") > 1


@pytest.mark.parametrize("text", [EN, ZH, "a", " ", "的", "=", "\n"])
def test_two_hundred_thousand_characters_are_quick(text: str) -> None:
    long = (text * (200_000 // len(text) + 1))[:200_000]
    count_tokens("warm")
    started = time.process_time()
    assert count_tokens(long) > 0
    assert time.process_time() - started < 2


def test_threads_agree() -> None:
    texts = [EN * number + ZH for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(count_tokens, texts)) == [count_tokens(text) for text in texts]


def test_messages_count_text_pictures_and_tool_calls() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 100_000}}
    call = {"name": "search", "args": {"query": "发票"}, "id": "1"}
    system, mixed, calling = SystemMessage(EN), HumanMessage([{"type": "text", "text": ZH}, picture]), AIMessage("")
    calling.tool_calls = [call]  # type: ignore[list-item]
    assert count_message_tokens([system]) == count_tokens(EN) + MESSAGE_TOKENS
    assert count_message_tokens([mixed]) == count_tokens(ZH) + IMAGE_TOKENS + MESSAGE_TOKENS
    assert count_message_tokens([calling]) > MESSAGE_TOKENS + count_tokens("search")
    together = [system, mixed, calling]
    assert count_message_tokens(together) == sum(count_message_tokens([message]) for message in together)


@pytest.mark.parametrize("text", [EN, ZH, EN + ZH])
def test_the_approximation_errs_on_the_long_side(text: str) -> None:
    assert count_tokens(text) <= approximate_tokens(text) <= 2 * count_tokens(text)


def test_the_approximation_of_random_text_is_an_integer() -> None:
    random.seed(1)
    text = "".join(chr(random.randrange(32, 0x9FFF)) for _ in range(999))
    assert isinstance(approximate_tokens(text), int)
    assert approximate_tokens("") == 0


def test_without_the_encoder_it_approximates() -> None:
    code = (
        "import sys; sys.modules['tiktoken'] = None; import domain.tokens as t; "
        "print(t.count_tokens('abcd') == t.approximate_tokens('abcd') == 2)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"


def test_importing_loads_no_vocabulary() -> None:
    code = "import sys, domain.tokens; print('tiktoken' in sys.modules, 'dashscope' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "False False\n"
