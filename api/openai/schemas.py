"""What OpenAI's clients send."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from domain.surrogates import cleaned


class StreamOptions(BaseModel):
    """Options of a stream."""

    include_usage: bool = False


class CompletionBody(BaseModel):
    """A chat completion; sampling options that are not listed are accepted and have no effect."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={"examples": [{"model": "agent", "messages": [{"role": "user", "content": "Hello"}]}]},
    )

    model: str = Field("agent", description="Any name; the answer tells which model was really used.")
    messages: Annotated[list[dict[str, Any]], Field(min_length=1, fail_fast=True)]
    stream: bool = False
    stream_options: StreamOptions | None = None
    stop: str | Annotated[list[str], Field(max_length=1000)] | None = None
    n: Literal[1] | None = None
    user: str | None = Field(None, max_length=128, description="Selects the thread, like the header X-Session-Id.")
    tools: Annotated[list[dict[str, Any]], Field(fail_fast=True)] | None = Field(
        None, description="The caller's own tools: calls are returned, not run."
    )
    tool_choice: str | dict[str, Any] | None = None
    temperature: float | None = None
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _clean(cls, value: object) -> object:
        try:
            return cleaned(value)
        except RecursionError as exc:
            raise ValueError("the body is nested too deeply") from exc

    @property
    def most_tokens(self) -> int | None:
        """Most tokens of the answer."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def stop_sequences(self) -> list[str]:
        """The stop sequences as a list."""
        return [self.stop] if isinstance(self.stop, str) else self.stop or []


class EmbeddingsBody(BaseModel):
    """Texts to be turned into vectors."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"examples": [{"model": "default", "input": "Hello"}]})

    model: str = "default"
    input: str | Annotated[list[str], Field(min_length=1, max_length=2048)]
    encoding_format: Literal["float", "base64"] = "float"


class AudioSpeechBody(BaseModel):
    """A text to be spoken."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"examples": [{"model": "default", "input": "Hello"}]})

    model: str = "default"
    input: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
    voice: str | None = None
    response_format: Literal["mp3", "wav", "opus"] = "mp3"
    speed: float = Field(1.0, ge=0.25, le=4.0)
