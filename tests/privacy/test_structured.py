from __future__ import annotations

import pytest

from privacy.structured import structured, without_personal_data


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("身份证号码：110101199003071233。", "ID", "110101199003071233"),
        ("手机13812345678，请回电", "PHONE", "13812345678"),
        ("call +1 415-555-2671 now", "PHONE", "+1 415-555-2671"),
        ("call (212) 555-0187", "PHONE", "(212) 555-0187"),
        ("银行卡6222020000000000000到期", "CARD", "6222020000000000000"),
        ("card 4539 1488 0343 6467.", "CARD", "4539 1488 0343 6467"),
        ("邮箱是zhang_san+x@qq.com，", "EMAIL", "zhang_san+x@qq.com"),
        ("护照号E12345678", "PASSPORT", "E12345678"),
        ("Passport no. X1234567 expires", "PASSPORT", "X1234567"),
        ("住在北京市海淀区中关村大街27号", "ADDRESS", "北京市海淀区中关村大街27号"),
        ("to 350 Fifth Avenue, New York, NY 10118, please", "ADDRESS", "350 Fifth Avenue, New York, NY 10118"),
        ("at 221B Baker Street, London NW1 6XE", "ADDRESS", "221B Baker Street, London NW1 6XE"),
        ("key sk-proj-aB3dE5gH7jK9mN1pQ3sT5vW7yZ", "KEY", "sk-proj-aB3dE5gH7jK9mN1pQ3sT5vW7yZ"),
        ("password: hunter2hunter2", "KEY", "hunter2hunter2"),
        ("密码是abc12345678", "KEY", "abc12345678"),
    ],
)
def test_what_has_a_form_is_found_whole(text: str, kind: str, value: str) -> None:
    assert any(span.kind == kind and value in text[span.start : span.end] for span in structured(text)), text


@pytest.mark.parametrize(
    "text",
    [
        "2026年11月26日的会议改到下午三点。",
        "订单号 20261126000123 已发货。",
        "Pi is 3.14159265358979 and e is 2.718281828.",
        "Haydn (1732 – 1809) and Handel (1685 – 1759)",
        "请计算 123456789012345678 除以 7。",
        "Version 10.2.33.4; sha a1b2c3d4e5f60718293a4b5c6d7e8f9012345678",
        "The password must have 8 characters.",
        "温度是 38.5 度，和平时一样。",
    ],
)
def test_what_only_looks_alike_is_left(text: str) -> None:
    assert [text[span.start : span.end] for span in structured(text)] == []


def test_a_line_of_a_log_keeps_the_kind_alone() -> None:
    assert without_personal_data("mail to li@example.cn failed, 13812345678") == "mail to <EMAIL> failed, <PHONE>"
