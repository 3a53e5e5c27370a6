"""A tool that runs elsewhere, as a LangChain tool and its `ToolSpec`; and the name that models know it by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel, ConfigDict, create_model

from domain.words import Words
from privacy.outbound import Privacy
from tools.interface import Found, Permission, ToolContext, ToolSpec, plain_line
from tools.sources.interface import Call, Listed

MOST_NAME = 64
"""Longest name of a function that providers take."""
DESCRIPTION_CHARS = 2000
_UNFIT = re.compile(r"[^a-zA-Z0-9_-]")
_RUNTIME = "runtime_of_caller"


def offered_name(source: str, tool: str) -> str:
    """Return `source__tool`, with letters that providers take; a hash keeps apart what is changed or cut for that.

    >>> offered_name("github", "create_issue"), offered_name("shop", "get/things")
    ('github__create_issue', 'shop__get_things_e81db1d6')
    """
    name = f"{source}__{tool}"
    plain = _UNFIT.sub("_", name)
    if plain == name and len(name) <= MOST_NAME:
        return name
    return f"{plain[: MOST_NAME - 9]}_{blake2b(name.encode(), digest_size=4).hexdigest()}"


class RemoteTool(BaseTool):
    """Hands its arguments, checked by the JSON schema, to the source that listed it."""

    remote_name: str
    version: str
    remote_call: Any
    response_format: Any = "content_and_artifact"

    def get_input_schema(self, config: RunnableConfig | None = None) -> Any:
        """Return what a caller has to inject; the arguments themselves are in `args_schema`."""
        return _Injected

    def _run(self, **arguments: Any) -> Any:
        raise NotImplementedError("a remote tool is awaited")

    async def _arun(self, **arguments: Any) -> tuple[str, Found]:
        runtime: ToolRuntime[ToolContext] = arguments.pop(_RUNTIME)
        call: Call = self.remote_call
        sent, masker = await Privacy(runtime.context.resources.settings).arguments(arguments)
        found = await call(self.remote_name, self.version, sent, runtime.context)
        return (replace(found, text=masker.restore(found.text)) if masker else found).answer()


_Injected: type[BaseModel] = create_model(
    "Injected",
    __config__=ConfigDict(arbitrary_types_allowed=True),
    **{_RUNTIME: (ToolRuntime, ...)},  # type: ignore[call-overload]
)


def spec_of(
    listed: Listed, *, source: str, kind: str, permission: Permission, call: Call, timeout: float | None
) -> ToolSpec:
    """Return the declaration of a foreign tool."""
    name = offered_name(source, listed.name)
    address = f"{kind}:{source}"
    if listed.ready is not None:
        tool = listed.ready.tool.model_copy(update={"name": name})
        return replace(
            listed.ready, tool=tool, permission=permission, source=address, own_name=listed.name,
            definition=listed.definition,
        )  # fmt: skip
    title = plain_line(listed.title or listed.name, 80)
    return ToolSpec(
        tool=RemoteTool(
            name=name, description=listed.description[:DESCRIPTION_CHARS] or title, args_schema=_object(listed.schema),
            remote_name=listed.name, version=listed.version, remote_call=call,
        ),
        title=Words(f"{title} ({source})", f"{title}（{source}）"),
        permission=permission,
        repeatable=True if permission == listed.claimed == "egress" else None,  # its source says that it only reads
        timeout=timeout if timeout is not None else float("inf"),
        source=address,
        own_name=listed.name,
        definition=listed.definition,
    )  # fmt: skip


def _object(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema that providers take: of an object, with properties."""
    return {**schema, "type": "object", "properties": schema.get("properties") or {}}
