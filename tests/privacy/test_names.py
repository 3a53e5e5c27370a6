from __future__ import annotations

import pytest

from privacy.names import ChineseNames, latin_names

CHINESE = ChineseNames()


def found(text: str) -> set[str]:
    return {text[span.start : span.end] for span in (*latin_names(text), *CHINESE.find(text))}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Peter O'Neill told Anna Kowalska that Mary-Jane Watson left.", {"Peter O'Neill", "Anna Kowalska"}),
        ("Rajesh Kumar and Aisha Khan wrote it.", {"Rajesh Kumar", "Aisha Khan"}),
        ("Forward it to Li Na and Wei Zhang.", {"Li Na", "Wei Zhang"}),
        ("my name is sarah connor", {"sarah connor"}),
        ("Dear Olivia, the plan is done.", {"Olivia"}),
        ("Patryk Łaciak pays.", {"Patryk Łaciak"}),
        ("昨天王伟和李娜一起开会。", {"王伟", "李娜"}),
        ("户名司马相如", {"司马相如"}),
        ("请联系负责人马超群，谢谢", {"马超群"}),
    ],
)
def test_names_of_people_are_found(text: str, names: set[str]) -> None:
    assert names <= found(text)


@pytest.mark.parametrize(
    "text",
    [
        "Will May come in June?",
        "The Paris Agreement and the Geneva Convention",
        "New York is larger than San Francisco.",
        "Please read the Employee Handbook.",
        "He said hope is a good thing.",
        "苹果公司第三季度营收 947 亿美元。",
        "高兴地通知大家，项目完成了。",
        "马上处理，谢谢。",
        "周末去爬山，方便的话带上水。",
    ],
)
def test_other_words_are_left(text: str) -> None:
    assert found(text) == set()
