"""What OpenAI's clients send to `/v1/responses`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from api.openai.schemas import (
    Function,
    FunctionTool,
    Metadata,
    OpenAIBody,
    ResponseFormat,
    SessionName,
    check_tool_choice,
)

SERVER_TOOLS = {
    "web_search": "web_search",
    "web_search_preview": "web_search",
    "web_search_preview_2025_03_11": "web_search",
    "web_search_2025_08_26": "web_search",
    "file_search": "search_documents",
}
"""OpenAI's built-in tools, and ours that do the same."""

ResponseId = Annotated[str, StringConstraints(pattern=r"^resp_[\w-]{1,64}$")]


class Tool(OpenAIBody):
    """A tool: a function of the caller's, or one of the server's."""

    type: str
    name: str | None = None
    description: str = ""
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class TextFormat(OpenAIBody):
    """What the answer has to be."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    name: str | None = None
    description: str | None = None
    json_schema: dict[str, Any] | None = Field(None, alias="schema")
    strict: bool | None = None


class TextOptions(OpenAIBody):
    """How the answer is written."""

    format: TextFormat = TextFormat()
    verbosity: str | None = None


class Reasoning(OpenAIBody):
    """How hard the model thinks."""

    effort: str | None = None


class Conversation(OpenAIBody):
    """A thread by its name."""

    id: SessionName


class ResponseBody(OpenAIBody):
    """A response to be made."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"model": "agent", "input": "Hello"}]})

    model: str = Field("agent", description="Any name; the answer tells which model was really used.")
    input: str | Annotated[list[dict[str, Any]], Field(min_length=1, fail_fast=True)]
    instructions: str = ""
    previous_response_id: ResponseId | None = Field(None, description="Goes on from this response, in its thread.")
    conversation: SessionName | Conversation | None = Field(None, description="Thread to go on with.")
    metadata: Metadata = Metadata()
    store: bool = Field(True, description="Remember the thread, and keep the response for later calls.")
    stream: bool = False
    background: bool = Field(False, description="Return at once; the response is retrieved, followed or cancelled.")
    tools: Annotated[list[Tool], Field(fail_fast=True)] = Field([])
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    text: TextOptions = TextOptions()
    reasoning: Reasoning = Reasoning()
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    top_logprobs: int | None = Field(None, ge=0, le=20)
    max_output_tokens: int | None = Field(None, ge=1)
    user: str = ""

    @property
    def thread(self) -> str | None:
        """The thread that the body names itself."""
        named = self.conversation.id if isinstance(self.conversation, Conversation) else self.conversation
        return named or self.metadata.session_id

    @property
    def sampling(self) -> dict[str, Any]:
        """What goes to the chat model as it is."""
        given = {
            "temperature": self.temperature, "top_p": self.top_p, "verbosity": self.text.verbosity,
            "reasoning_effort": self.reasoning.effort,
        }  # fmt: skip
        return {name: value for name, value in given.items() if value is not None}

    @property
    def functions(self) -> list[FunctionTool]:
        """The caller's own tools.

        Raises:
            ValueError: One has no proper name.
        """
        fields = {"name", "description", "parameters", "strict"}
        given = [tool.model_dump(include=fields, exclude_none=True) for tool in self.tools if tool.type == "function"]
        return [FunctionTool(type="function", function=Function.model_validate(tool)) for tool in given]

    @property
    def server_tools(self) -> tuple[str, ...] | None:
        """The names of the server's tools that may be used; None for all of them.

        Raises:
            ValueError: One is asked for that the server does not have.
        """
        asked = [tool.type for tool in self.tools if tool.type != "function"]
        if unknown := [name for name in asked if name not in SERVER_TOOLS]:
            raise ValueError(f"there is no tool of the type {unknown[0]!r} here")
        return tuple(dict.fromkeys(SERVER_TOOLS[name] for name in asked)) or None

    def is_callers(self, name: str) -> bool:
        """Tell whether a call is the caller's to answer: of one of its functions, or any where it gives these alone."""
        functions = [tool.name for tool in self.tools if tool.type == "function"]
        return name in functions or (bool(functions) and len(functions) == len(self.tools))

    @property
    def chosen_tool(self) -> str | dict[str, Any] | None:
        """Which of the caller's tools is to be called, as chat completions say it.

        Raises:
            ValueError: It names none of them.
        """
        choice, functions = self.tool_choice, self.functions
        if choice is None or not functions:
            return None
        if isinstance(choice, dict) and choice.get("type") == "function" and "name" in choice:
            choice = {"type": "function", "function": {"name": choice["name"]}}
        check_tool_choice(choice, [tool.function.name for tool in functions])
        return choice

    @property
    def response_format(self) -> ResponseFormat:
        """What the answer has to be, as chat completions say it.

        Raises:
            ValueError: A schema has no proper name.
        """
        form = self.text.format
        if form.type != "json_schema":
            return ResponseFormat(type=form.type)
        named = {"name": form.name, "description": form.description, "schema": form.json_schema, "strict": form.strict}
        return ResponseFormat.model_validate({"type": form.type, "json_schema": named})
