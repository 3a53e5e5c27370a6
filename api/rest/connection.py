"""Which language model answers, which others there are, and how another one is connected."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field, SecretStr, StringConstraints
from typing_extensions import TypedDict

from api.backend import AdminDep, BackendDep, UserDep
from api.edge.responses import json_response
from api.schemas import ERRORS, Body
from domain.errors import ForOneUser, SettingsNotWritten
from models.chat.connection import list_models, local_servers, try_model, write_env
from settings import Settings

router = APIRouter(prefix="/api/v1/connection", tags=["operation"])

_LINE = StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*$")
Line = Annotated[str, _LINE]
SETTINGS = ("LLM_BASE_URL", "LLM_API_KEY", "LLM_MODEL")


class ConnectionBody(Body):
    """An OpenAI-compatible address, and a model at it."""

    base_url: Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://[^\s/?#'\"\\]+[^\s?#'\"\\]*$")]
    api_key: SecretStr | None = Field(None, max_length=2000)
    model: Line = Field("", description="Empty: the models there are listed, and none is asked.")


class WriteBody(ConnectionBody):
    """What is to be written to `.env`."""

    model: Annotated[str, StringConstraints(min_length=1), _LINE]


class Connection(TypedDict):
    """The model in use, and what chooses another."""

    kind: str
    model: str
    models: list[str]
    writable: bool
    settings: tuple[str, ...]


class LocalServer(TypedDict):
    """A server of models on this machine."""

    name: str
    base_url: str
    models: list[str]


class LocalServers(TypedDict):
    """Those that answered."""

    servers: list[LocalServer]


class Tried(TypedDict):
    """What an address said: its models, or the word of the one that was asked."""

    models: list[str]
    said: str


class WrittenSettings(TypedDict):
    """Where they were written; they count from the next start on.

    Those of `overridden` are set in the environment of the server as well, which wins over the file.
    """

    path: str
    restart: bool
    overridden: list[str]


@router.get("", response_model=Connection)
async def get_connection(backend: BackendDep, user: UserDep) -> Response:
    """Return the model in use, the models that a turn may name (`model`), and the settings that choose another.

    `writable`: the one local user may have them written to `.env` here; they count from the next start on.
    """
    chat, settings = backend.services.chat, backend.settings
    models = list(dict.fromkeys([chat.name, *settings.llm_models])) if chat.named else [chat.name]
    body: dict[str, Any] = {
        "kind": chat.kind, "model": chat.name, "models": models, "writable": _is_local(settings), "settings": SETTINGS,
    }  # fmt: skip
    return json_response(body)


@router.get("/local", response_model=LocalServers, responses=ERRORS)
async def find_local(request: Request, backend: BackendDep, admin: AdminDep) -> Response:
    """Look for Ollama, LM Studio, vLLM and llama.cpp on their usual ports of this machine; none of them is used."""
    _check_local(backend.settings)
    found = await local_servers((request.scope.get("server") or ("", 0))[1])
    return json_response({"servers": [{"name": it.name, "base_url": it.base_url, "models": it.models} for it in found]})


@router.post("/test", response_model=Tried, responses=ERRORS)
async def test_connection(body: ConnectionBody, backend: BackendDep, admin: AdminDep) -> Response:
    """Try an address: list its models, and ask the one that is named for a word."""
    _check_local(backend.settings)
    if body.model:
        return json_response({"models": [], "said": await try_model(body.base_url, body.api_key, body.model)})
    return json_response({"models": await list_models(body.base_url, body.api_key), "said": ""})


@router.put("", response_model=WrittenSettings, responses=ERRORS)
async def write_connection(body: WriteBody, backend: BackendDep, admin: AdminDep) -> Response:
    """Write the settings to `.env`, from where the next start reads them."""
    _check_local(backend.settings)
    key = body.api_key.get_secret_value() if body.api_key else ""
    values = dict(zip(SETTINGS, (body.base_url, key, body.model), strict=True))
    path = await asyncio.to_thread(Path(str(backend.settings.model_config["env_file"])).resolve)
    try:
        await asyncio.to_thread(write_env, path, values)
    except OSError as exc:
        raise SettingsNotWritten(path=str(path), problem=exc.strerror or type(exc).__name__) from exc
    around = {name.upper() for name, value in os.environ.items() if value}
    overridden = [name for name in SETTINGS if name in around]
    return json_response({"path": str(path), "restart": True, "overridden": overridden})


def _is_local(settings: Settings) -> bool:
    """Whether whoever may call is the one user of this machine: without keys nobody else is let in."""
    return not settings.has_users


def _check_local(settings: Settings) -> None:
    if not _is_local(settings):
        raise ForOneUser()
