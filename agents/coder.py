"""The coder: writes code as text. Nothing that it writes is run."""

from __future__ import annotations

from agents import texts
from agents.interface import Agent
from domain.words import Words

AGENT = Agent(
    name="coder",
    title=Words("Coder", "程序员"),
    description="writes complete code as text, in any language; runs nothing",
    prompt=texts.CODER,
    tools=("search_documents", "read_document", "read_result"),
    permissions=frozenset({"read"}),
    writes=True,
)
