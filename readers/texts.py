"""Texts of the readers for people, in both languages: limits and warnings.

A warning travels as a code with an optional argument (`"pages_cut:2000"`), because what was read is stored once and
shown to people of either language.
"""

from __future__ import annotations

from domain.words import Language, Words

ATTACHMENTS = Words("Attachments", "附件")
NOTES = Words("Notes", "备注")

CELLS = Words("{0}: {1} × {2} > {3} cells", "{0}：{1} × {2} > {3} 个单元格")
CHARACTERS = Words("> {0} characters", "> {0} 个字符")
FILES = Words("{0} > {1} files", "{0} > {1} 个文件")
PAGES = Words("{0} > {1} pages", "{0} > {1} 页")
PARTS = Words("> {0} parts", "> {0} 个部分")
PIXELS = Words("> {0:,} pixels", "> {0:,} 像素")
SHEETS = Words("{0} > {1} sheets", "{0} > {1} 个工作表")
SLIDES = Words("{0} > {1} slides", "{0} > {1} 张幻灯片")

_NOTICES: dict[str, Words] = {
    "repaired": Words(
        "The file was damaged and has been repaired; parts may be missing.",
        "文件有损坏，已修复后读取，内容可能不完整。",
    ),
    "pages_cut": Words("Only the first {0} pages were read.", "只读取了前 {0} 页。"),
    "page_failed": Words("This page is damaged and could not be read.", "此页已损坏，无法读取。"),
    "page_image_too_large": Words(
        "The picture on this page is too large for text recognition.", "此页图片过大，未进行文字识别。"
    ),
    "hidden_text": Words(
        "This page holds text that a reader cannot see; it was left out.", "此页含有读者看不到的文字，已略去。"
    ),
    "scan_text_layer": Words(
        "The text comes from the scan's own text layer and was not checked.", "文字来自扫描件自带的文本层，未经核对。"
    ),
    "encoding_guessed": Words("The text encoding was guessed: {0}.", "文本编码为推测所得：{0}。"),
    "files_skipped": Words("{0} files inside this file were left out.", "此文件内有 {0} 个文件未读取。"),
    "pictures_not_read": Words("{0} pictures inside this file were not read.", "此文件内有 {0} 张图片未识别文字。"),
    "rows_cut": Words("Only the first {0} rows were read.", "只读取了前 {0} 行。"),
}


def filled(text: Words, *values: object) -> Words:
    """Return `text` with its placeholders filled in both languages."""
    return Words(text.en.format(*values), text.zh.format(*values))


def notice(warning: str, language: Language = "en") -> str:
    """Return the sentence of `warning` in `language`; text that is no known code comes back as it is."""
    code, _, argument = warning.partition(":")
    return filled(_NOTICES[code], argument).text(language) if code in _NOTICES else warning
