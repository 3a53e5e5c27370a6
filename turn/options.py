"""What a caller may choose for one turn, named once."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final, Literal, get_type_hints

from pydantic import BeforeValidator, Field, TypeAdapter
from pydantic.fields import FieldInfo

from domain.errors import Unfit
from domain.limits import Limits

MOST = 2**31 - 1
MOST_ENTRIES: Final = 100
"""Of an object among the options."""


def _object(value: object) -> object:
    """Return the object that a field of a form holds as JSON; anything else as it is.

    Raises:
        Unfit: It has more than `MOST_ENTRIES`: each would be a problem of its own.
    """
    if isinstance(value, str) and value.lstrip().startswith("{"):
        with suppress(ValueError):
            value = json.loads(value)
    if isinstance(value, dict) and len(value) > MOST_ENTRIES:
        raise Unfit(f"holds more than {MOST_ENTRIES} entries", f"超过 {MOST_ENTRIES} 项")
    return value


@dataclass(frozen=True, kw_only=True)
class TurnOptions:
    """The choices of one turn.

    REST bodies, forms, LangServe's `configurable` and the nodes' `Context` have these fields because they are here.
    """

    system_prompt: Annotated[str, Field(max_length=20_000, description="Role or instructions for the assistant.")] = ""
    persona: Annotated[
        str | None,
        Field(
            max_length=100,
            description="Name or id of a persona (GET /api/v1/personas); empty: none; left out: that of the session."
            " system_prompt adds to it, and holds where they differ.",
        ),
    ] = None
    model: Annotated[
        str | None, Field(max_length=200, description="Name of a model that is offered (GET /api/v1/connection).")
    ] = None
    budget: Annotated[
        Annotated[int, Field(ge=1, le=MOST)] | Limits | None,
        BeforeValidator(_object),
        Field(
            description="Most that this turn may use, its tools and agents included: `tokens`, `seconds`, `calls`,"
            " `money`, `agents`; a number counts tokens. When it ends, the turn closes with what it has."
        ),
    ] = None
    agent: Annotated[
        str | None,
        Field(max_length=100, description="Specialist that answers (GET /api/v1/graph names them); empty: as it fits."),
    ] = None
    answer_tokens: Annotated[int | None, Field(ge=1, le=MOST, description="Most tokens of the answer.")] = None
    language: Annotated[
        Literal["auto", "en", "zh"], Field(description="Language of the answer; auto: that of the message.")
    ] = "auto"
    pii: Annotated[
        Literal["off", "mask", "block"],
        Field(description="Mask personal data on its way to hosted services, or refuse it; never less than PII says."),
    ] = "off"
    profile: Annotated[
        bool, Field(description="Answer as the user's profile says, and learn of the message how they want answers.")
    ] = True
    time_zone: Annotated[
        str,
        Field(max_length=60, description="IANA time zone of the user's device, for today; that of the profile wins."),
    ] = ""
    memory: Annotated[
        bool, Field(description="Use what the user said in other conversations, and keep what they say of themselves.")
    ] = True
    temporary: Annotated[
        bool,
        Field(
            description="Keep nothing of this conversation, from its first message on: no transcript, title or memory, "
            "and none of what is remembered is used. It ends with its files when it is deleted or its memory expires."
        ),
    ] = False
    tools: Annotated[
        Annotated[tuple[str, ...], Field(fail_fast=True)] | None,
        Field(max_length=1000, description="Names of the tools that may be used; empty list: none."),
    ] = None
    permissions: Annotated[
        dict[str, Literal["ask", "deny"]] | None,
        BeforeValidator(_object),
        Field(
            max_length=MOST_ENTRIES,
            description='Tools that are asked for or denied in this turn, by patterns of names: `{"web_*": "ask"}`.',
        ),
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
