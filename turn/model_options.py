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
        tools: The caller's own tools, in OpenAI's form. They replace ours; calls of them end the turn and are the
            caller's to run.
        tool_choice: `none`, `auto`, `required`, or which tool is to be called; in OpenAI's form.
        response_format: JSON that the answer has to be, in OpenAI's form; None for text.
        continues: The conversation may end with results of tools, or with an answer that is to be continued.
    """

    sampling: Mapping[str, Any] = field(default_factory=dict)
    tools: Sequence[Mapping[str, Any]] = ()
    tool_choice: str | Mapping[str, Any] | None = None
    response_format: Mapping[str, Any] | None = None
    continues: bool = False

    @property
    def tool_tokens(self) -> int:
        """How many tokens of a prompt the caller's tools take."""
        return count_tokens(json.dumps(list(self.tools), ensure_ascii=False)) if self.tools else 0

    def bound(
        self, model: BaseChatModel, tools: Sequence[Mapping[str, Any]]
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return `model` with the options of the caller, and with `tools` where the caller brings none."""
        options = dict(self.sampling)
        if self.response_format is not None:
            options["response_format"] = dict(self.response_format)
        if self.tools or options:
            options["callers_own"] = True
        bound: Runnable[LanguageModelInput, AIMessage] = model
        if offered := [dict(tool) for tool in self.tools or tools]:
            choice: Any = self.tool_choice if self.tools else None
            bound = model.bind_tools(offered, tool_choice=choice)
        return bound.bind(**options) if options else bound
