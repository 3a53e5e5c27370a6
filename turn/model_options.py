"""What a caller of the OpenAI-compatible API asks of the chat model itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable

from domain.tokens import count_tokens


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """How the model is called in one turn.

    Attributes:
        sampling: Call options that go to the model as they are: `temperature`, `seed`, `reasoning_effort`, ...
        tools: The caller's own tools, in OpenAI's form. Calls of them end the turn and are the caller's to run.
        beside_ours: They are offered beside tools of the server; else they replace these.
        tool_choice: `none`, `auto`, `required`, or which tool is to be called; in OpenAI's form.
        response_format: JSON that the answer has to be, in OpenAI's form; None for text.
        continues: The conversation may end with results of tools, or with an answer that is to be continued.
    """

    sampling: Mapping[str, Any] = field(default_factory=dict)
    tools: Sequence[Mapping[str, Any]] = ()
    beside_ours: bool = False
    tool_choice: str | Mapping[str, Any] | None = None
    response_format: Mapping[str, Any] | None = None
    continues: bool = False

    @property
    def tool_tokens(self) -> int:
        """How many tokens of a prompt the caller's tools take."""
        return count_tokens(json.dumps(list(self.tools), ensure_ascii=False)) if self.tools else 0

    @property
    def replaces_ours(self) -> bool:
        """Whether the caller's tools are the only ones."""
        return bool(self.tools) and not self.beside_ours

    def owned(self, message: AIMessage) -> AIMessage:
        """Return `message` with calls of the caller's tools alone where it has any: those of ours can be made again."""
        if not self.beside_ours or not (calls := [call for call in message.tool_calls if self._is_own(call["name"])]):
            return message
        return message.model_copy(update={"tool_calls": calls})

    def ends_turn(self, message: AIMessage) -> bool:
        """Tell whether the calls of `message` are the caller's to run."""
        return any(self.replaces_ours or self._is_own(call["name"]) for call in message.tool_calls)

    def _is_own(self, name: str) -> bool:
        return any(tool["function"]["name"] == name for tool in self.tools)

    def bound(
        self, model: BaseChatModel, tools: Sequence[Mapping[str, Any]], *, chosen: bool = True
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return `model` with the options of the caller, and with `tools` where the caller's do not replace them.

        Args:
            model: The chat model.
            tools: Tools of the server, in OpenAI's form.
            chosen: Whether `tool_choice` counts: for the first call of a turn, not for those behind our tools.
        """
        options = dict(self.sampling)
        if self.response_format is not None:
            options["response_format"] = dict(self.response_format)
        if self.tools or options:
            options["callers_own"] = True
        bound: Runnable[LanguageModelInput, AIMessage] = model
        ours = [] if self.replaces_ours else [tool for tool in tools if not self._is_own(tool["function"]["name"])]
        if offered := [dict(tool) for tool in (*self.tools, *ours)]:
            choice: Any = self.tool_choice if self.tools and chosen else None
            bound = model.bind_tools(offered, tool_choice=choice)
        return bound.bind(**options) if options else bound
