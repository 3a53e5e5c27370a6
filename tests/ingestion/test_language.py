"""Documents are Chinese, English or other by script."""

from __future__ import annotations

import pytest

from ingestion.language import Script


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("这份合同自签字之日起生效。", "zh"),
        ("这份合同用 PyMuPDF 读取，自签字之日起生效。", "zh"),
        ("This contract is valid from the day it is signed.", "en"),
        ("This contract 合同 is valid from the day it is signed.", "en"),
        ("この契約は署名の日から有効です。", "other"),
        ("Этот договор действует со дня подписания.", "other"),
        ("12 + 3 = 15", ""),
    ],
)
def test_language_by_script(text: str, language: str) -> None:
    script = Script()
    script.add(text)
    assert script.language == language
