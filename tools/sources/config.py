"""How a source of tools is named: an entry of TOOLS_FILE, or a body of the administrators' API. Same fields in both.

Secrets are written as `${NAME}` and taken from the environment, else from `.env`, when the source is opened.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError, model_validator

from domain.errors import AppError, Unfit
from domain.words import Words
from settings import Settings
from tools.interface import Permission
from tools.permissions import Rule
from tools.sources import texts

SourceName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9]+(?:[-_][a-zA-Z0-9]+)*$", max_length=31)]
"""No two underscores side by side and none at the end: `source__tool` can be read in one way only."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Texts = Annotated[dict[Text, Annotated[str, StringConstraints(max_length=8192)]], Field(max_length=100)]
Kind = Literal["mcp", "openapi"]
MOST_SOURCES = 100
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class BadSource(AppError, code="bad_tool_source"):
    """A source is not described as it should be. Details: `name`, `reason`."""


class SourceConfig(BaseModel):
    """One source. Exactly one of `command`, `url` and `openapi` says what it is."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    command: Text | None = Field(
        None, description="MCP over stdio: the program, and its arguments if there are no `args`."
    )
    args: Annotated[tuple[str, ...], Field(max_length=200)] = Field((), description="Arguments of the program.")
    env: Texts = Field({}, description="Its environment, beside PATH, HOME, LANG and the like.")
    cwd: Text | None = Field(None, description="Folder that it runs in.")
    url: Text | None = Field(None, description="MCP over streamable HTTP: the endpoint.")
    openapi: Text | None = Field(None, description="An OpenAPI 3 document: its URL, or a path on the server.")
    base_url: Text | None = Field(None, description="Where its operations are, when the document does not say.")
    headers: Texts = Field({}, description="Headers of every HTTP request, keys for instance.")
    query: Texts = Field({}, description="Query parameters of every request to an OpenAPI service, keys for instance.")
    tools: Annotated[tuple[Text, ...], Field(max_length=200)] = Field(
        ("*",), description="Patterns of the names of the tools that are wanted."
    )
    permissions: Annotated[dict[Text, Permission], Field(max_length=200)] = Field(
        {}, description="What calls may do, by patterns of tool names; the first that fits holds."
    )
    trusted: bool = Field(False, description="Believe the server's own word that a tool only reads.")
    timeout: float | None = Field(None, gt=0, le=3600, description="Longest time of a call, in seconds.")

    @model_validator(mode="after")
    def _one_kind(self) -> SourceConfig:
        given = [name for name in ("command", "url", "openapi") if getattr(self, name)]
        if len(given) != 1:
            raise Unfit(*texts.ONE_KIND)
        unfit = {"command": ("headers", "base_url", "query"), "url": ("args", "env", "cwd", "base_url", "query"),
                 "openapi": ("args", "env", "cwd")}[given[0]]  # fmt: skip
        for name in unfit:
            if getattr(self, name):
                raise Unfit(*texts.FIELD_UNFIT.filled(field=name, kind=given[0]))
        return self

    @classmethod
    def of_plugin(cls) -> SourceConfig:
        """Return the configuration of a source that an installed package names: it is trusted with what it says."""
        return cls.model_construct(trusted=True)

    @property
    def kind(self) -> Kind:
        """The kind of source."""
        return "openapi" if self.openapi else "mcp"

    @property
    def program(self) -> list[str]:
        """The program and its arguments."""
        command = self.command or ""
        return [command, *self.args] if self.args else shlex.split(command)

    def wants(self, tool: str) -> bool:
        """Tell whether the tool of this name is wanted."""
        return any(fnmatchcase(tool, pattern) for pattern in self.tools)

    def permission(self, tool: str, claimed: Permission) -> Permission:
        """Return what calls of a tool may do: what the operator says, else what the source says and is believed in.

        A source that is not trusted is believed in nothing that would make its tools more harmless.
        """
        for pattern, permission in self.permissions.items():
            if fnmatchcase(tool, pattern):
                return permission
        return claimed if self.trusted or self.kind == "openapi" else "write"

    def shown(self) -> dict[str, Any]:
        """Return the fields that are set, for administrators: values that may be secrets are hidden."""
        fields = self.model_dump(mode="json", exclude_defaults=True)
        for name in ("env", "headers", "query"):
            if name in fields:
                fields[name] = {key: value if "${" in value else "***" for key, value in fields[name].items()}
        return fields

    def filled(self, *, own_settings: bool) -> SourceConfig:
        """Return the configuration with the values of its references.

        Args:
            own_settings: Settings of this product may be referred to: its keys among them.

        Raises:
            BadSource: A reference has no value, or may not be used.
        """
        values = {**dotenv_values(str(Settings.model_config.get("env_file") or "")), **os.environ}
        return SourceConfig.model_validate(_filled(self.model_dump(exclude_defaults=True), values, own_settings))


def _filled(value: Any, values: Mapping[str, str | None], own_settings: bool) -> Any:
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: _value(match[1], values, own_settings), value)
    if isinstance(value, dict):
        return {key: _filled(inner, values, own_settings) for key, inner in value.items()}
    return [_filled(inner, values, own_settings) for inner in value] if isinstance(value, list | tuple) else value


def _value(name: str, values: Mapping[str, str | None], own_settings: bool) -> str:
    if not own_settings and name.lower() in Settings.model_fields:
        raise BadSource(name=name, reason=texts.OWN_SETTING.filled(name=name))
    value = values.get(name)
    if not value:
        raise BadSource(name=name, reason=texts.NOT_SET.filled(name=name))
    return value


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    sources: Annotated[dict[SourceName, SourceConfig], Field(max_length=MOST_SOURCES)] = {}
    plugins: bool | tuple[str, ...] = True
    permissions: Annotated[tuple[Rule, ...], Field(max_length=1000)] = ()


class ToolsFile(_File):
    """What TOOLS_FILE says.

    Attributes:
        sources: Sources by name.
        plugins: Entry points that are loaded: all, none, or these.
        permissions: Rules about tools, beside those of PERMISSIONS.
    """

    def plugin_wanted(self, name: str) -> bool:
        """Tell whether the entry point of this name is loaded."""
        return self.plugins if isinstance(self.plugins, bool) else name in self.plugins


def read_tools_file(path: Path) -> ToolsFile:
    """Read TOOLS_FILE; one that is not there is empty.

    Raises:
        BadSource: It cannot be read, is no YAML, or holds what is not known.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return ToolsFile()
    except (OSError, UnicodeDecodeError) as exc:
        raise BadSource(name=path.name, reason=texts.UNREADABLE) from exc
    try:
        return ToolsFile.model_validate(yaml.safe_load(text) or {})
    except yaml.YAMLError as exc:
        line = getattr(getattr(exc, "problem_mark", None), "line", 0) + 1
        raise BadSource(name=path.name, reason=texts.NO_YAML.filled(line=line)) from exc
    except ValidationError as exc:
        raise BadSource(name=path.name, reason=_first_problem(exc)) from exc


def _first_problem(error: ValidationError) -> Words:
    problem = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in problem["loc"]) or "-"
    cause = problem.get("ctx", {}).get("error")
    words = cause.words if isinstance(cause, Unfit) else Words(problem["msg"], "不符合要求")
    return Words(f"{place}: {words.en}", f"{place}：{words.zh}")


SOURCE_NAME: TypeAdapter[str] = TypeAdapter(SourceName)
