"""A tool that changes something, so that a person is asked before it is called."""

from __future__ import annotations

from langchain_core.tools import tool

from domain.words import Words
from tools.interface import ToolSpec

SENT: list[tuple[str, str]] = []
"""What was sent: to whom, and which text."""


@tool
async def send_note(to: str, text: str) -> str:
    """Send a note to a person."""
    SENT.append((to, text))
    return "sent"


SPEC = ToolSpec(tool=send_note, title=Words("Send a note", "发送便条"), permission="write")
