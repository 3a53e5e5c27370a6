"""What OpenAI's clients send."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from domain.errors import Unfit
from domain.surrogates import cleaned
from models.speech.interface import AudioFormat

SAMPLING = (
    "temperature", "top_p", "seed", "presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs",
    "reasoning_effort", "verbosity", "top_k", "min_p", "repetition_penalty",
)  # fmt: skip
"""Parameters that go to the chat model as they are; the last three are those of vLLM and others."""
SESSION = "X-Session-Id"
"""The header that names the thread in which a call is remembered; `metadata.session_id` does the same."""

Name = Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,64}$")]
SessionName = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class OpenAIBody(BaseModel):
    """A body of OpenAI's clients: `null` means the same as a field that is left out."""

    model_config = ConfigDict(extra="allow")

    @model_validator(mode="before")
    @classmethod
    def _clean(cls, value: object) -> object:
        try:
            value = cleaned(value)
        except RecursionError as exc:
            raise Unfit("the body is nested too deeply", "请求体嵌套过深") from exc
        return {name: item for name, item in value.items() if item is not None} if isinstance(value, dict) else value


class StreamOptions(OpenAIBody):
    """Options of a stream."""

    include_usage: bool = False


class Function(OpenAIBody):
    """What a tool of the caller does."""

    name: Name
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})
    strict: bool | None = None


class FunctionTool(OpenAIBody):
    """A tool of the caller: its calls are returned, not run."""

    type: Literal["function"]
    function: Function


class JsonSchema(OpenAIBody):
    """A schema by name."""

    name: Name
    description: str = ""
    json_schema: dict[str, Any] = Field(alias="schema", default_factory=dict)
    strict: bool | None = None


class ResponseFormat(OpenAIBody):
    """What the answer has to be."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    json_schema: JsonSchema | None = None

    @model_validator(mode="after")
    def _has_its_schema(self) -> ResponseFormat:
        if self.type == "json_schema" and self.json_schema is None:
            raise Unfit("json_schema is missing", "缺少 json_schema")
        return self


def _as_text(value: object) -> object:
    """Values of metadata are texts."""
    return str(value).lower() if isinstance(value, bool) else value


class Metadata(OpenAIBody):
    """What the caller notes; `session_id` names the thread in which the call is remembered, `persona` the role.

    With `temporary`, nothing is kept of a thread that begins with it.
    """

    session_id: SessionName | None = None
    persona: Annotated[str, Field(max_length=100)] | None = None
    temporary: Annotated[Literal["true", "false"], BeforeValidator(_as_text)] | None = None


class Sampling(OpenAIBody):
    """How the model chooses its words; what the model does not know it refuses."""

    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    seed: int | None = None
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=20)
    reasoning_effort: str | None = None
    verbosity: str | None = None
    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None

    @property
    def sampling(self) -> dict[str, Any]:
        """The parameters that are given."""
        given = {name: getattr(self, name) for name in SAMPLING}
        return {name: value for name, value in given.items() if value is not None}


class CompletionBody(Sampling):
    """A chat completion."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": "agent", "messages": [{"role": "user", "content": "Hello"}]}]},
    )

    model: str = Field("agent", description="Any name; the answer tells which model was really used.")
    messages: Annotated[list[dict[str, Any]], Field(min_length=1, fail_fast=True)]
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    stop: str | Annotated[list[str], Field(max_length=1000)] = []
    n: int = Field(1, ge=1, le=1)
    user: str = Field("", description="An end user's id of the caller's; it selects nothing here.")
    metadata: Metadata = Metadata()
    tools: Annotated[list[FunctionTool], Field(fail_fast=True)] = Field(
        [], description="The caller's own tools: calls are returned, not run."
    )
    tool_choice: str | dict[str, Any] | None = None
    functions: Annotated[list[Function], Field(fail_fast=True)] = Field([], description="The older form of tools.")
    function_call: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat = ResponseFormat()
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _chooses_a_tool_that_is_there(self) -> CompletionBody:
        self.tools += [FunctionTool(type="function", function=function) for function in self.functions]
        choice = self.tool_choice or self.function_call
        if isinstance(choice, dict) and "function" not in choice and "name" in choice:
            choice = {"type": "function", "function": choice}
        if choice is not None:
            check_tool_choice(choice, [tool.function.name for tool in self.tools])
        self.tool_choice = choice
        return self

    @property
    def most_tokens(self) -> int | None:
        """Most tokens of the answer."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def stop_sequences(self) -> list[str]:
        """The stop sequences as a list."""
        return [self.stop] if isinstance(self.stop, str) else self.stop


def check_tool_choice(choice: str | dict[str, Any], names: list[str]) -> None:
    """Refuse a choice that means nothing among the tools in `names`.

    Raises:
        Unfit: It is of no known form, or names a tool that is not there.
    """
    if isinstance(choice, str):
        if choice not in ("none", "auto", "required", "any"):
            raise Unfit(f"tool_choice {choice!r} is not known", f"tool_choice 的值 {choice!r} 未知")
        return
    function = choice.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    if choice.get("type") != "function" or name not in names:
        raise Unfit(
            f"tool_choice names no tool of this request: {name!r}", f"tool_choice 所指的工具 {name!r} 不在本请求中"
        )


Tokens = Annotated[list[int], Field(min_length=1, max_length=8192, fail_fast=True)]
Text = Annotated[str, StringConstraints(min_length=1)]


class EmbeddingsBody(OpenAIBody):
    """Texts to be turned into vectors; lists of numbers are tokens of cl100k_base, as LangChain sends them."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"examples": [{"model": "default", "input": "Hello"}]})

    model: str = "default"
    input: (
        Text
        | Annotated[list[Text], Field(min_length=1, max_length=2048, fail_fast=True)]
        | Tokens
        | Annotated[list[Tokens], Field(min_length=1, max_length=2048, fail_fast=True)]
    )
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = Field(None, ge=1, description="Shorter vectors: the first values, again of length 1.")


class Voice(OpenAIBody):
    """A voice by its id."""

    id: str


class AudioSpeechBody(OpenAIBody):
    """A text to be spoken."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"examples": [{"model": "default", "input": "Hello"}]})

    model: str = "default"
    input: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
    voice: str | Voice | None = None
    response_format: AudioFormat = "mp3"
    stream_format: Literal["audio", "sse"] = "audio"
    speed: float = Field(1.0, ge=0.25, le=4.0)

    @property
    def voice_name(self) -> str | None:
        """The name of the voice."""
        return self.voice.id if isinstance(self.voice, Voice) else self.voice
