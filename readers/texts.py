"""Texts of the readers for people, in both languages: headings, and limits that a file goes beyond."""

from __future__ import annotations

from domain.words import Words

ATTACHMENTS = Words("Attachments", "附件")
COMMENT = Words("Comment", "批注")
FOOTNOTES = Words("Footnotes and endnotes", "脚注和尾注")
HEADERS = Words("Headers and footers", "页眉和页脚")
HIDDEN = Words("(Hidden slide)", "（隐藏的幻灯片）")
HIDDEN_SHEET = Words("(hidden sheet)", "（隐藏的工作表）")
HIDDEN_ROW = Words("(hidden row)", "（隐藏的行）")
HIDDEN_COLUMN = Words("(hidden column)", "（隐藏的列）")
PICTURE = Words("[picture: {0}]", "[图片：{0}]")
NOTES = Words("Notes", "备注")

CELLS = Words("{0}: {1} × {2} > {3} cells", "{0}：{1} × {2} > {3} 个单元格")
CHARACTERS = Words("> {0} characters", "> {0} 个字符")
FILES = Words("{0} > {1} files", "{0} > {1} 个文件")
PAGES = Words("{0} > {1} pages", "{0} > {1} 页")
MESSAGE_PARTS = Words("> {0} parts", "> {0} 个部分")
NO_PAGE = Words("there is no page {0}", "没有第 {0} 页")
PIXELS = Words("> {0:,} pixels", "> {0:,} 像素")
SHEETS = Words("{0} > {1} sheets", "{0} > {1} 个工作表")
SLIDES = Words("{0} > {1} slides", "{0} > {1} 张幻灯片")


def filled(text: Words, *values: object) -> Words:
    """Return `text` with its placeholders filled in both languages."""
    return Words(text.en.format(*values), text.zh.format(*values))
