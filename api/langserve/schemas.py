"""What LangServe's callers may send, and what they get."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, get_args, get_origin

from langchain_core.messages import AnyMessage, HumanMessage
from langchain_core.runnables.utils import ConfigurableFieldSpec
from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator
from pydantic.json_schema import SkipJsonSchema

from api.runs.client_messages import client_messages
from api.schemas import DisconnectPolicy
from domain.errors import Unfit
from domain.runs import ConcurrencyPolicy
from turn.options import option_fields
from turn.texts import NOT_THE_USERS

Nothing = SkipJsonSchema[None]
"""Null is taken where a field may be left out; LangServe's playground draws no schema that says so."""
_EXAMPLE: Any = {"messages": [{"type": "human", "content": "What does the contract say about notice periods?"}]}


class Drawable(BaseModel):
    """A model whose JSON schema the playground can draw: what may be left out has no default of null."""

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the JSON schema without defaults of null."""
        pending: list[Any] = [schema := super().model_json_schema(*args, **kwargs)]
        while pending:
            part = pending.pop()
            if isinstance(part, dict):
                if "default" in part and part["default"] is None:
                    del part["default"]
                pending.extend(part.values())
        return schema


class TurnInput(Drawable):
    """What a caller sends: messages, or a message with a file, or the answer to an interrupt. No other state key."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    messages: list[Any] | Nothing = Field(
        None,
        description="LangChain messages (`type` or `role`); content is text or blocks (text, image, file, audio).",
    )
    message: str | Nothing = Field(None, description="Short form: the text of one message.")
    file: str | Nothing = Field(
        None,
        description="Short form: one file or picture as base64.",
        json_schema_extra={"extra": {"widget": {"type": "base64file"}}},
    )
    resume: Any | Nothing = Field(None, description="Answer to an interrupt of the graph.")

    @model_validator(mode="after")
    def _one_form(self) -> TurnInput:
        if self.message is not None or self.file is not None:
            self.messages = [*(self.messages or []), _short_form(self.message or "", self.file)]
            self.message = self.file = None
        if (self.messages is None) == (self.resume is None):
            raise Unfit("give either `messages` or `resume`", "请提供 `messages` 或 `resume`，二者选一")
        if self.messages is not None:
            self.messages = _parse(self.messages)
        return self


class TurnOutput(RootModel[dict[str, Any]]):
    """New `messages`, the answer, and what was done for it: the keys of `turn.state.OutputState`, and `message_id`."""


def _short_form(text: str, file: str | None) -> HumanMessage:
    if not file:
        return HumanMessage(text)
    data = file.partition(",")[2] if file.startswith("data:") else file
    return HumanMessage([{"type": "text", "text": text}, {"type": "file", "base64": data, "mime_type": ""}])


def _parse(messages: list[Any]) -> list[AnyMessage]:
    if not messages:
        raise Unfit("messages is empty", "messages 为空")
    if _has_constructor(messages):
        raise Unfit(
            "messages may not hold serialised constructors (key `lc`)", "messages 中不能有序列化的构造器（键 `lc`）"
        )
    parsed = client_messages(messages)
    if not isinstance(parsed[-1], HumanMessage):
        raise Unfit(*NOT_THE_USERS)
    return parsed


def _has_constructor(value: object) -> bool:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, Mapping):
            if "lc" in item:
                return True
            pending.extend(item.values())
        elif isinstance(item, list | tuple):
            pending.extend(item)
        elif isinstance(item, BaseModel):
            pending.append(getattr(item, "content", None))
            pending.append(getattr(item, "additional_kwargs", None))
    return False


def _spec(name: str, annotation: Any, default: object, text: str) -> ConfigurableFieldSpec:
    title = name.replace("_", " ").capitalize()
    kind, *limits = get_args(annotation) if get_origin(annotation) is Annotated else (annotation,)
    if type(None) in get_args(kind):
        kind = reduce(or_, (Nothing if part is type(None) else part for part in get_args(kind)))
        annotation = Annotated[(kind, *limits)] if limits else kind
    return ConfigurableFieldSpec(
        id=name, annotation=annotation, default=default, name=title, description=text, is_shared=True
    )


CONFIG_SPECS = [
    _spec("thread_id", Annotated[str, Field(coerce_numbers_to_str=True)] | None, None,
          "Conversation; without one the turn stands alone and nothing is remembered."),
    _spec("parent_message_id", Annotated[str, Field(coerce_numbers_to_str=True, max_length=20)] | None, None,
          "Message (`message_id` of an output) that this turn follows, `root`: none; empty: the last that is shown."),
    *(_spec(name, hint, field.default, str(field.description)) for name, (hint, field) in option_fields().items()),
    _spec("on_busy", ConcurrencyPolicy, "enqueue", "When the thread is still answering."),
    _spec("on_disconnect", DisconnectPolicy, "continue", "What a dropped connection does to the turn."),
    _spec("output", Literal["state", "document"], "state",
          "`document`: all of it under `metadata`, for @langchain/core, which takes objects with `messages` apart."),
]  # fmt: skip
