from __future__ import annotations

import pytest

from domain.language import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("你好", "zh"),
        ("请总结这份 PDF 文件", "zh"),
        ("用 Python 写一个 hello world 程序", "zh"),
        ("what does 谢谢 mean in English, please?", "en"),
        ("Hello there", "en"),
        ("好", "zh"),
        ("12345", "en"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert language_of(text) == language


def test_default_for_neither() -> None:
    assert language_of("12 + 3 = ?", "zh") == "zh"
