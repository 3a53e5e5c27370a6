from __future__ import annotations

import json
import re
import stat
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from domain.sealing import Keyring
from privacy.masking import Finder, Masker, StreamRestorer, installation_secret

FINDER = Finder()
TEXT = "我叫王伟，手机13812345678。\nMail wei@example.cn or Sarah Connor, 13812345678."


def masker() -> Masker:
    return Masker(FINDER, b"secret")


def test_equal_values_have_equal_placeholders_and_nothing_raw_is_left() -> None:
    one = masker()
    masked = one.mask(TEXT)
    assert masked == masker().mask(TEXT)
    assert not any(raw in masked for raw in ("王伟", "13812345678", "wei@example.cn", "Sarah", "Connor"))
    assert len(re.findall(r"PHONE_\w{6}", masked)) == 2 and len(set(re.findall(r"PHONE_\w{6}", masked))) == 1
    assert Masker(FINDER, b"another").mask(TEXT) != masked
    assert one.restore(masked) == TEXT


@given(st.integers(1, 9), st.text(max_size=20))
def test_a_stream_is_restored_wherever_it_is_cut(size: int, after: str) -> None:
    one = masker()
    masked = one.mask(TEXT) + after
    restorer = StreamRestorer(one)
    pieces = [restorer.feed(masked[at : at + size]) for at in range(0, len(masked), size)]
    assert "".join([*pieces, restorer.end()]) == TEXT + after


def test_text_that_cannot_be_a_placeholder_is_not_held_back() -> None:
    one = masker()
    one.mask(TEXT)
    restorer = StreamRestorer(one)
    assert restorer.feed("Hello, ") == "Hello, "
    assert restorer.feed("the NA") == "the "
    assert restorer.feed("TO") == "NATO"


def test_a_value_goes_into_json_as_json() -> None:
    one = masker()
    key = '-----BEGIN PRIVATE KEY-----\nab"c\n-----END PRIVATE KEY-----'
    arguments = one.mask_all({"to": "wei@example.cn", "key": key, "n": [1, None, True]})
    assert "wei" not in json.dumps(arguments)
    assert json.loads(one.restore(json.dumps(arguments), in_json=True)) == {
        "to": "wei@example.cn",
        "key": key,
        "n": [1, None, True],
    }


def test_the_secret_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    secret = installation_secret(tmp_path / "data", Keyring())
    assert installation_secret(tmp_path / "data", Keyring()) == secret and len(secret) == 32
    path = tmp_path / "data" / "privacy.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and [one.name for one in path.parent.iterdir()] == ["privacy.key"]
