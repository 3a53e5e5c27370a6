from __future__ import annotations

import pytest

from models.chat.extractive.coverage import coverage


@pytest.mark.parametrize(
    ("question", "text", "share"),
    [
        ("How long is the guarantee?", "The machine is guaranteed for 30 months.", 1.0),
        ("Who leads the harbour project?", "The harbour project is led by Ingrid Solheim.", 1.0),
        ("Where is the swimming pool?", "The garden is open.", 0.0),
        ("功率是多少？", "额定功率五十二瓦。", 1.0),
        ("要放多少盐？", "冰糖三十克。", 0.0),
        ("获得过什么奖？", "该桥获得国家优质工程奖。", 1.0),
        ("什么时候？", "租金于每月一日支付。", 1.0),
    ],
)
def test_share_of_what_is_asked_about(question: str, text: str, share: float) -> None:
    assert coverage(question, text) == share


def test_a_character_in_another_word_counts_less() -> None:
    assert 0 < coverage("停电是什么时候？", "本小区停水检修，请拨打电话。") < 0.5
