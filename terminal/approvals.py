"""Questions for approval at the terminal: what would be done is shown, and one key answers."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from terminal.screen import Screen, safe
from terminal.texts import language, say

SCOPES = {"a": "once", "s": "session", "p": "pattern"}


def can_ask(screen: Screen) -> bool:
    """Tell whether somebody sits at the terminal."""
    return sys.stdin.isatty() and not screen.as_json


def answers_to(questions: Sequence[dict[str, Any]], screen: Screen) -> dict[str, Any]:
    """Ask about each call; return the answers by question. At the end of input the rest stay open."""
    answers: dict[str, Any] = {}
    for question in questions:
        _show(question, screen)
        try:
            answers[question["id"]] = _answer(question, screen)
        except EOFError:
            break
    return answers


def _show(question: dict[str, Any], screen: Screen) -> None:
    screen.note(f"\n? {say('asks_for', title=question['titles'][language()])}")
    for line in (*question["reasons"], question.get("preview")):
        if line:
            screen.note(f"  {line}")
    if question["recipients"]:
        screen.note(f"  {say('goes_to', names=', '.join(question['recipients']))}")
    origins = {origin["argument"]: origin for origin in question["origins"]}
    for name, value in question["arguments"].items():
        origin = origins.get(name)
        where = say(f"from_{origin['kind']}", source=origin["source"]) if origin else ""
        screen.note(f"  {name}: {_text(value)}" + (f"  ({where})" if where else ""))
    pattern = ", ".join(f"{name} = {glob}" for name, glob in question["pattern"].items())
    screen.note(f"  {say('covers', pattern=pattern or '*')}")


def _answer(question: dict[str, Any], screen: Screen) -> dict[str, Any]:
    arguments: dict[str, Any] | None = None
    while True:
        key = _read(say("answer_keys")).lower()
        if key in SCOPES:
            edited = {"arguments": arguments} if arguments is not None else {}
            return {"decision": "approve", "scope": SCOPES[key], **edited}
        if key == "r":
            return {"decision": "refuse", "reason": _read(say("why"))}
        if key == "e":
            arguments = _edited(arguments or question["arguments"], screen)


def _edited(arguments: dict[str, Any], screen: Screen) -> dict[str, Any]:
    """Ask for each value anew; an empty line keeps it, and one that is no text is written as JSON."""
    changed = dict(arguments)
    for name, value in arguments.items():
        line = _read(f"  {safe(name)} [{safe(_text(value))}]: ")
        try:
            changed[name] = (line if isinstance(value, str) else json.loads(line)) if line else value
        except ValueError:
            screen.note(say("not_json"))
    return changed


def _read(prompt: str) -> str:
    return input(prompt).strip()


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
