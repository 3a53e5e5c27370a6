"""What a caller may choose for one turn, named once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import Field, TypeAdapter
from pydantic.fields import FieldInfo

MOST = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class TurnOptions:
    """The choices of one turn.

    REST bodies, forms, LangServe's `configurable` and the nodes' `Context` have these fields because they are here.
    """

    system_prompt: Annotated[str, Field(max_length=20_000, description="Role or instructions for the assistant.")] = ""
    persona: Annotated[
        str | None,
        Field(max_length=100, description="Name of a role (GET /api/v1/personas); system_prompt adds to it."),
    ] = None
    budget: Annotated[
        int | None,
        Field(ge=1, le=MOST, description="Most tokens, read and written, that the chat model may use for this turn."),
    ] = None
    answer_tokens: Annotated[int | None, Field(ge=1, le=MOST, description="Most tokens of the answer.")] = None
    language: Annotated[
        Literal["auto", "en", "zh"], Field(description="Language of the answer; auto: that of the message.")
    ] = "auto"
    tools: Annotated[
        tuple[str, ...] | None,
        Field(max_length=1000, description="Names of the tools that may be used; empty list: none."),
    ] = None


@cache
def option_fields() -> dict[str, Any]:
    """Return (annotation, pydantic field) of each option, by name: what `pydantic.create_model` takes."""
    return {
        name: (hint, FieldInfo.from_annotated_attribute(hint, getattr(TurnOptions, name)))
        for name, hint in get_type_hints(TurnOptions, include_extras=True).items()
    }


OPTIONS = TypeAdapter(TurnOptions)
"""Checks options that come from outside, as `OPTIONS.validate_python({"budget": 10})`."""
