"""Texts of ingestion for people, in both languages."""

from __future__ import annotations

from domain.words import Words

PAGE_LABEL = Words("[page {number}]", "[第 {number} 页]")
DISAGREE = Words(
    "OCR and the vision model disagree about the text in {name}; prefer the OCR text where wording matters.",
    "OCR 与视觉模型对 {name} 中文字的识别不一致；涉及原文时请以 OCR 文字为准。",
)
NO_PICTURE = Words("it has no picture of its pages", "它的页面没有图片")
NO_LISTENER = Words("no engine for dictation is set up", "未配置语音识别引擎")

FACTS = Words(
    "{format} picture, {width} x {height} pixels{pages}, mostly {colours}.",
    "{format} 图片，{width}×{height} 像素{pages}，主要颜色：{colours}。",
)
PAGES = Words(", {pages} pages", "，共 {pages} 页")
COMMA = Words(", ", "、")
AND = Words(" and ", "和")
