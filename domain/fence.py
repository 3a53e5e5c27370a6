"""The fence around what is data to a model and never an instruction."""

from __future__ import annotations

import re

from domain.invisible import marked, seen

OPEN, CLOSE = "<material>\n", "\n</material>"
_LIVE = re.compile(
    r"[<＜](?=[\s/／]*material)"  # the fence itself
    r"|<(?=[|｜])"  # <|im_start|>, <|eot_id|>, <｜User｜>
    r"|<(?=/?(?:s|bos|eos|pad|unk|think|tools?|tool_(?:call|response)|function(?:_call)?)>)"
    r"|<(?=(?:start|end)_of_turn>)|<(?=<?/?SYS>)"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS)\])",
    re.I,
)
"""Where a tag of the fence, or a token that chat templates of models are made of, begins."""


def defused(text: str) -> str:
    """Return `text` with a character of no width inside whatever could end the fence or begin another role's words."""
    return _LIVE.sub("\\g<0>\u200b", text)


def fenced(body: str) -> str:
    """Put `body` inside the fence of material; whatever in it looks like the fence is defused.

    What invisible characters in it spell stands at its end, marked as such.
    """
    found = seen(body)
    shown = f"{found.text}\n\n{marked(found.spelt)}" if found.spelt else found.text
    return f"{OPEN}{defused(shown)}{CLOSE}"


def unfenced(text: str) -> str:
    """Return the body of fenced text."""
    return text.removeprefix(OPEN).removesuffix(CLOSE)
