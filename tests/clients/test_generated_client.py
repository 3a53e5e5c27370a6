"""Clients that `openapi-python-client` and `openapi-typescript` generate from the server's own description."""

from __future__ import annotations

import builtins
import importlib
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.clients.conftest import _run
from tests.live_server import LiveServer
from tests.standins.openai_server import OpenAIServer

GENERATOR = "openapi-python-client==0.29.1"
"""Installed apart: it asks for an older typer."""
SPOKEN = ("audio", "tts", "stt")
"""Routes of sound: the client knows no media type for it, and voices take seconds to load."""


@pytest.fixture
def description(server: LiveServer, tmp_path: Path) -> Path:
    path = tmp_path / "openapi.json"
    path.write_bytes(httpx.get(f"{server.url}/openapi.json", timeout=60).content)
    return path


@pytest.fixture
def generated(description: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """The folder of the generated package, and what the generator said."""
    folder = description.parent / "llm_chat_client"
    apart = description.parent / "generator"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(apart), GENERATOR]
    if (done := _run(install, description.parent, 100)).returncode:
        pytest.skip(f"{GENERATOR} could not be installed: {done.stderr.strip().splitlines()[-1:]}")
    config = description.parent / "config.yaml"
    config.write_text("post_hooks: []\n")  # they only format
    command = [sys.executable, "-c", "from openapi_python_client.cli import app; app()", "generate"]
    command += ["--path", str(description), "--config", str(config), "--output-path", str(folder), "--meta", "none"]
    env = os.environ | {"PYTHONPATH": str(apart)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=90, check=True)
    monkeypatch.syspath_prepend(str(folder.parent))
    types = importlib.import_module(f"{folder.name}.types")
    for name in ("Unset", "UNSET"):  # the generator forgets to import them where a body may come in two media types
        monkeypatch.setattr(builtins, name, getattr(types, name), raising=False)
    yield folder, done.stdout + done.stderr
    for name in [name for name in sys.modules if name.partition(".")[0] == folder.name]:
        del sys.modules[name]


def calls(folder: Path) -> list[ModuleType]:
    """The module of each route, what deletes behind all else."""
    names = sorted(f"{folder.name}.api.{path.parent.name}.{path.stem}" for path in (folder / "api").glob("*/[!_]*.py"))
    names = [name for name in names if not any(f"_{word}_" in name for word in SPOKEN)]
    return [importlib.import_module(name) for name in sorted(names, key=lambda name: "delete" in name)]


def kind_of(module: ModuleType, parameter: inspect.Parameter) -> Any:
    kind = parameter.annotation
    return getattr(module, kind, str) if isinstance(kind, str) else kind


def example(kind: Any, required: dict[str, Any]) -> Any:
    """A value of a parameter's type: a text for most; for a body the fields that it must have."""
    if kind is int:
        return 1
    if kind is float:
        return 0.5
    if hasattr(kind, "from_dict"):
        return kind.from_dict(required)
    return "nothing"


def required_of(schema: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    schema = parts[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    samples: dict[str, Any] = {"integer": 1, "number": 0.5, "array": [], "object": {}, "boolean": True}
    fields = schema.get("properties", {})
    wanted = {name: fields.get(name, {}) for name in schema.get("required", ())}
    return {name: sample(field, parts, samples) for name, field in wanted.items()}


def sample(field: dict[str, Any], parts: dict[str, Any], samples: dict[str, Any]) -> Any:
    if "$ref" in field:
        return required_of(field, parts)
    if field.get("format") == "binary" or "contentMediaType" in field:
        return b"hello"
    return field.get("const", samples.get(field.get("type", ""), "hello"))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_python_client_calls_every_route(
    server: LiveServer, model: OpenAIServer, description: Path, generated: tuple[Path, str]
) -> None:
    folder, said = generated
    assert "will not be generated" not in said and "Unable to" not in said, said
    told = json.loads(description.read_text("utf-8"))
    client = importlib.import_module(f"{folder.name}.client").Client(base_url=server.url, timeout=httpx.Timeout(60))
    failed = []
    for module in calls(folder):
        function = module.sync_detailed
        given = {}
        for name, parameter in inspect.signature(function).parameters.items():
            if name != "client" and parameter.default is inspect.Parameter.empty:
                given[name] = example(kind_of(module, parameter), body_of(module, told))
        answer = function(client=client, **given)
        is_json = "application/json" in answer.headers.get("content-type", "")
        if answer.status_code >= 500 or answer.status_code == 405 or (is_json and answer.parsed is None):
            failed.append((module.__name__, int(answer.status_code), answer.content[:200]))
    assert not failed, "\n".join(map(str, failed))
    chat = importlib.import_module(f"{folder.name}.api.chat.chat_api_v1_chat_post")
    body = kind_of(chat, inspect.signature(chat.sync).parameters["body"]).from_dict(
        {"message": "I am Odile", "session_id": "generated"}
    )
    assert chat.sync(client=client, body=body).answer == "You said: I am Odile"


def body_of(module: ModuleType, told: dict[str, Any]) -> dict[str, Any]:
    """The fields that the body of a route must have; of the JSON body where it may come as one."""
    name = module.__name__.rpartition(".")[2].replace("_", "")  # the generator sets underscores of its own
    operations = [operation for path in told["paths"].values() for operation in path.values()]
    (operation,) = (it for it in operations if it["operationId"].replace("_", "").lower() == name)
    content = operation.get("requestBody", {}).get("content", {})
    schemas = [content[kind]["schema"] for kind in sorted(content, key=lambda kind: "json" not in kind)]
    return required_of(schemas[0], told["components"]["schemas"]) if schemas else {}


@pytest.mark.slow
def test_typescript_has_a_type_for_every_route(clients: Path, description: Path) -> None:
    made = clients / "api.ts"
    done = _run(["npx", "--no-install", "openapi-typescript", str(description), "--output", str(made)], clients, 90)
    assert done.returncode == 0, done.stderr
    text = made.read_text("utf-8")
    told = json.loads(description.read_text("utf-8"))
    assert not [path for path in told["paths"] if f'"{path}": {{' not in text]
    checked = _run(["npx", "--no-install", "tsc", "--noEmit", "--strict", str(made)], clients, 90)
    assert checked.returncode == 0, checked.stdout
