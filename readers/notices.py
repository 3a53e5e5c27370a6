"""Sentences for the warnings of a reading, in both languages.

A warning travels as a code with an optional argument (`"pages_cut:2000"`), because what was read is stored once and
shown to people of either language.
"""

from __future__ import annotations

from domain.words import Language

_TEXTS: dict[str, tuple[str, str]] = {
    "repaired": (
        "The file was damaged and has been repaired; parts may be missing.",
        "文件有损坏，已修复后读取，内容可能不完整。",
    ),
    "pages_cut": ("Only the first {0} pages were read.", "只读取了前 {0} 页。"),
    "page_failed": ("This page is damaged and could not be read.", "此页已损坏，无法读取。"),
    "page_image_too_large": (
        "The picture on this page is too large for text recognition.",
        "此页图片过大，未进行文字识别。",
    ),
    "hidden_text": (
        "This page holds text that a reader cannot see; it was left out.",
        "此页含有读者看不到的文字，已略去。",
    ),
    "scan_text_layer": (
        "The text comes from the scan's own text layer and was not checked.",
        "文字来自扫描件自带的文本层，未经核对。",
    ),
    "encoding_guessed": ("The text encoding was guessed: {0}.", "文本编码为推测所得：{0}。"),
    "files_skipped": (
        "{0} files inside this file were left out.",
        "此文件内有 {0} 个文件未读取。",
    ),
    "pictures_not_read": (
        "{0} pictures inside this file were not read.",
        "此文件内有 {0} 张图片未识别文字。",
    ),
    "rows_cut": ("Only the first {0} rows were read.", "只读取了前 {0} 行。"),
}


def notice(warning: str, language: Language = "en") -> str:
    """Return the sentence of `warning` in `language`; text that is no known code comes back as it is."""
    code, _, argument = warning.partition(":")
    if code not in _TEXTS:
        return warning
    english, chinese = _TEXTS[code]
    return (chinese if language == "zh" else english).format(argument)
