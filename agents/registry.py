"""Which specialists there are: those of the product, and what the operator's file adds or changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from agents import analyst, coder, researcher, writer
from agents.interface import Agent
from domain.words import Words
from tools.interface import Permission

BUILT_IN: Sequence[Agent] = (researcher.AGENT, analyst.AGENT, writer.AGENT, coder.AGENT)

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Definition(BaseModel):
    """One specialist in the file; of one of ours, what it names replaces what is there."""

    model_config = ConfigDict(extra="forbid")

    title: str | dict[str, str] | None = None
    description: Annotated[str, Field(max_length=500)] | None = None
    prompt: str | dict[str, str] | None = None
    tools: list[str] | None = None
    permissions: set[Permission] | None = None
    model: str | None = None
    context_tokens: Annotated[int, Field(ge=1024)] | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None


_FILE = TypeAdapter(dict[Name, Definition])


def load_agents(path: Path | None) -> list[Agent]:
    """Return all specialists, ours first.

    Args:
        path: A YAML file that maps names to definitions; None: ours alone.

    Raises:
        ValueError: The file is not there, is no YAML, or defines a specialist that cannot be one.
    """
    agents = {agent.name: agent for agent in BUILT_IN}
    if path is None:
        return list(agents.values())
    try:
        defined = _FILE.validate_python(yaml.safe_load(path.read_text("utf-8")) or {})
    except (OSError, yaml.YAMLError, ValidationError) as exc:
        raise ValueError(f"AGENTS_FILE cannot be used: {exc}") from exc
    for name, definition in defined.items():
        agents[name] = _changed(agents.get(name) or _new(name, definition), definition)
    return list(agents.values())


def _new(name: str, definition: Definition) -> Agent:
    if not definition.prompt or not definition.description:
        raise ValueError(f"AGENTS_FILE cannot be used: {name} needs a description and a prompt")
    title = name.replace("_", " ").capitalize()
    return Agent(name=name, title=Words(title, title), description="", prompt=Words("", ""))


def _changed(agent: Agent, definition: Definition) -> Agent:
    given = definition.model_dump(exclude_none=True)
    for key in ("title", "prompt"):
        if key in given:
            given[key] = _words(given[key])
    if "permissions" in given:
        given["permissions"] = frozenset(given["permissions"])
    return replace(agent, **given)


def _words(text: str | dict[str, str]) -> Words:
    """Return a text of the file in both languages; one that has a single language is said in that."""
    if isinstance(text, str):
        return Words(text, text)
    first = next(iter(text.values()), "")
    return Words(text.get("en", first), text.get("zh", first))
