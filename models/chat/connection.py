"""Finding and trying an endpoint before it is set, and writing it down as settings."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import openai
from pydantic import SecretStr

from domain.errors import AppError, UnknownModel
from models.chat.interface import Chat
from models.endpoint import FAILURES, NO_KEY, http_client, model_error

LOCAL: Final = (("Ollama", 11434), ("LM Studio", 1234), ("vLLM", 8000), ("llama.cpp", 8080))
"""Programs that serve models on this machine, and their usual ports."""
LOOK_SECONDS: Final = 1.5
TRY_SECONDS: Final = 30.0
MOST_MODELS: Final = 500


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A program on this machine that lists models."""

    name: str
    base_url: str
    models: list[str]


def chosen_chat(chat: Chat, models: Sequence[str], name: str | None) -> Chat:
    """Return the chat model that a turn asks for: another of the same endpoint, if `models` has it.

    Raises:
        UnknownModel: It is not offered.
    """
    if name is None or name == chat.name:
        return chat
    if name not in models or chat.named is None:
        raise UnknownModel(name=name)
    return replace(chat, model=chat.named(name), name=name)


async def local_servers(own_port: int) -> list[LocalServer]:
    """Return the programs that answer on their usual ports of this machine, but for this server itself."""

    async def look(name: str, port: int) -> LocalServer | None:
        base_url = f"http://127.0.0.1:{port}/v1"
        try:
            return LocalServer(name, base_url, await list_models(base_url, None, LOOK_SECONDS))
        except AppError:
            return None

    found = await asyncio.gather(*(look(name, port) for name, port in LOCAL if port != own_port))
    return [server for server in found if server is not None]


async def list_models(base_url: str, key: SecretStr | None, seconds: float = TRY_SECONDS) -> list[str]:
    """Return the names of the models at an OpenAI-compatible address.

    Raises:
        ModelUnavailable: Or one of its kinds: it does not answer, refuses the key, or is no such address.
    """
    async with _client(base_url, key) as client:
        try:
            async with asyncio.timeout(seconds):
                page = await client.models.list()
                return [str(model.id) for model in page.data[:MOST_MODELS]]
        except FAILURES as exc:
            raise model_error(exc) from exc


async def try_model(base_url: str, key: SecretStr | None, model: str) -> str:
    """Ask a model for a word, and return what it says.

    Raises:
        ModelUnavailable: Or one of its kinds, as `list_models`; ModelRefused, ModelNotFound, ModelSpent.
    """
    async with _client(base_url, key) as client:
        try:
            async with asyncio.timeout(TRY_SECONDS):
                answer = await client.chat.completions.create(
                    model=model, messages=[{"role": "user", "content": "Say OK."}], max_tokens=16
                )
                return str(answer.choices[0].message.content or "")
        except FAILURES as exc:
            raise model_error(exc) from exc


def _client(base_url: str, key: SecretStr | None) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        base_url=base_url, api_key=key.get_secret_value() if key else NO_KEY, max_retries=0,
        http_client=http_client(TRY_SECONDS),
    )  # fmt: skip


def env_lines(values: Mapping[str, str]) -> list[str]:
    """Return settings as lines of a `.env` file."""
    return [f"{name}={_quoted(value)}" for name, value in values.items()]


def write_env(path: Path, values: Mapping[str, str]) -> None:
    """Set `values` in the `.env` file at `path`, which is made if it is missing; all else in it stays as it is.

    Raises:
        OSError: It cannot be written.
    """
    kept = path.read_text("utf-8").splitlines() if path.exists() else []
    kept = [line for line in kept if line.partition("=")[0].removeprefix("export ").strip().upper() not in values]
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".env.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write("\n".join([*kept, *env_lines(values)]) + "\n")
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'" if not value.isalnum() else value
