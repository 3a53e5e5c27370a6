"""Every row of the table of errors, in both languages."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
import re
from pathlib import Path
from string import Formatter

import pytest

import tools
from domain.error_texts import ERRORS, NOTHING, Row
from domain.errors import AppError, FileTooLarge, ModelUnavailable
from domain.words import Words

HAN = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
NAMES = re.compile(
    r"`[^`]*`|\{[^}]*\}|/[\w/.]+|[A-Z][A-Z0-9_]+(?:_\*)?|[a-z]+_[a-z_]+|\btoken\b|make install|JavaScript|Asia/Shanghai"
)
"""What has no other name in Chinese: code, paths, settings, file types."""


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def _kinds(kind: type[AppError]) -> set[type[AppError]]:
    return {kind}.union(*(_kinds(below) for below in kind.__subclasses__()))


@pytest.mark.parametrize(("code", "row"), ERRORS.items(), ids=ERRORS)
def test_each_row_speaks_both_languages_and_mixes_none(code: str, row: Row) -> None:
    assert 400 <= row.status < 600 and re.fullmatch("[a-z_]+", code)
    for words in (row.message, row.remedy):
        assert _fields(words.en) == _fields(words.zh)
        if words != NOTHING:
            assert words.en and not HAN.search(words.en)
            assert HAN.search(words.zh) or words.zh == words.en == "{fix}"
            assert not re.search(r"[A-Za-z]{2,}", NAMES.sub("", words.zh)), words.zh


def test_each_row_is_an_error_and_each_error_has_a_row() -> None:
    for module in pkgutil.walk_packages([str(Path(tools.__file__).parent)], "tools."):
        importlib.import_module(module.name)
    assert {kind.code for kind in _kinds(AppError)} == set(ERRORS)


def test_a_reason_is_in_the_language_of_its_sentence() -> None:
    error = ModelUnavailable(reason=Words("it is asleep.", "模型正在休眠"))
    assert error.body("en")["message"] == "The language model does not answer: it is asleep."
    assert error.body("zh")["message"] == "语言模型没有响应：模型正在休眠"
    assert error.status == 503 and str(error) == error.body("en")["message"]


def test_errors_cross_process_borders() -> None:
    error = FileTooLarge(name="a.pdf", limit=Words("5 pages", "5 页"))
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is FileTooLarge and again.body("zh") == error.body("zh")


def test_an_error_without_a_row_cannot_be_made() -> None:
    with pytest.raises(LookupError):
        type("Odd", (AppError,), {}, code="no_such_row")
