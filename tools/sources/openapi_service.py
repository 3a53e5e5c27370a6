"""A service that an OpenAPI document describes, as a source of tools."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from langchain_core.tools import ToolException

from domain.errors import AppError
from domain.words import Words
from net.client import Fetched, GuardedHttp
from net.failures import AddressBlocked, HttpFailed, UrlRefused
from tools.interface import Found, ToolContext
from tools.sources import texts
from tools.sources.config import BadSource, SourceConfig
from tools.sources.interface import Changed, ForeignFailure, Listed, SourceDown, SourceState, ToolChanged
from tools.sources.openapi import Operation, operations

logger = logging.getLogger(__name__)
RETRY_SECONDS = (1.0, 5.0, 30.0)
REREAD_SECONDS = 600.0
"""How often the document is read again."""
ERROR_CHARS = 2000


class OpenApiService:
    """A `Source`: each operation of a document is a tool."""

    kind = "openapi"

    def __init__(
        self, name: str, config: SourceConfig, http: GuardedHttp, changed: Changed, *, own_settings: bool = False
    ) -> None:
        """Prepare it; nothing is read before `start`. The arguments are those of `McpServer`."""
        self.name = name
        self.state: SourceState = "starting"
        self.failure, self.detail = texts.STARTING, ""
        self.listed: Mapping[str, Listed] = {}
        self._config, self._http, self._changed, self._own_settings = config, http, changed, own_settings
        self._operations: Mapping[str, Operation] = {}
        self._filled = config
        self._stirred = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Read the document in the background."""
        self._task = asyncio.create_task(self._keep(), name=f"openapi-{self.name}")

    def relist(self) -> None:
        """Read the document again."""
        self._stirred.set()

    def reopen(self) -> None:
        """Read the document again."""
        self._stirred.set()

    async def call(self, name: str, version: str, arguments: Mapping[str, Any], context: ToolContext) -> Found:
        """Call an operation.

        Raises:
            SourceDown: The document has not been read.
            ToolChanged: The operation is not what was approved.
            ForeignFailure: An argument does not fit into the path.
            FetchFailure: There is no answer.
            ToolException: The service answers with an error.
        """
        listed = self.listed.get(name)
        if listed is None and self.state != "ready":
            raise SourceDown(name=self.name, reason=self.failure) from ConnectionRefusedError()
        if listed is None or listed.version != version:
            raise ToolChanged(name=name)
        try:
            request = self._operations[name].request(arguments, self._filled.query)
        except ValueError as exc:
            raise ForeignFailure(name=self.name, reason=Words(str(exc), str(exc))) from exc
        headers = {"Accept": "application/json, text/*;q=0.5", **request.headers, **self._filled.headers}
        answer = await self._http.send(request.method, request.url, headers=headers, body=request.body)
        if answer.status in (502, 503, 504):
            raise HttpFailed(url=request.url, status=answer.status)
        text, value = _read(answer)
        if not 200 <= answer.status < 300:
            said = texts.HTTP_STATUS.text(context.language)
            raise ToolException(said.format(status=answer.status, body=text[:ERROR_CHARS]))
        data = {"status": answer.status} | ({"json": value} if value is not None else {})
        return Found(text or texts.NO_RESULT.text(context.language), data=data)

    async def aclose(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._http.aclose()

    async def _keep(self) -> None:
        failed = 0
        while True:
            try:
                await self._load()
                failed = 0
            except (AppError, OSError, ValueError, RecursionError) as exc:
                failed += 1
                self._fail(exc)
            seconds = RETRY_SECONDS[min(failed, len(RETRY_SECONDS)) - 1] if failed else REREAD_SECONDS
            self._stirred.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._stirred.wait()

    def _fail(self, exc: Exception) -> None:
        before, self.state, self.detail = self.failure, "failed", f"{type(exc).__name__}: {exc}"[:500]
        if isinstance(exc, BadSource):
            self.failure = texts.NO_DOCUMENT.filled(reason=exc.details["reason"])
        elif isinstance(exc, AddressBlocked | UrlRefused):
            self.failure = texts.NOT_PUBLIC
        else:
            self.failure = texts.NO_DOCUMENT.filled(reason=texts.UNREADABLE)
        if self.failure != before:
            logger.warning("tool source %s failed: %s", self.name, self.detail)
        self._changed()

    async def _load(self) -> None:
        config = await asyncio.to_thread(self._config.filled, own_settings=self._own_settings)
        at = str(config.openapi)
        if at.startswith(("http://", "https://")):
            fetched = await self._http.send("GET", at, headers=config.headers)
            if fetched.status != 200:
                raise BadSource(name=self.name, reason=texts.REFUSES.filled(status=fetched.status))
            content = fetched.body
        else:
            content = await asyncio.to_thread(Path(at).read_bytes)
        found = await asyncio.to_thread(_operations, content, at, config.base_url)
        listed = {operation.name: _listed(operation) for operation in found}
        unchanged = self.state == "ready" and listed == self.listed
        self._operations = {operation.name: operation for operation in found}
        self.listed, self._filled, self.state, self.detail = listed, config, "ready", ""
        if not unchanged:
            self._changed()


def _operations(content: bytes, at: str, base: str | None) -> list[Operation]:
    """Parse a document: YAML, of which JSON is a part; JSON's own parser is a hundred times faster."""
    try:
        document = json.loads(content)
    except ValueError:
        try:
            document = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except yaml.YAMLError as exc:
            raise BadSource(name=at, reason=Words("it is neither JSON nor YAML", "既不是 JSON 也不是 YAML")) from exc
    if not isinstance(document, dict):
        raise BadSource(name=at, reason=Words("it is not an OpenAPI 3 document", "不是 OpenAPI 3 文档"))
    return operations(document, at=at, base=base)


def _listed(operation: Operation) -> Listed:
    return Listed(
        name=operation.name, description=operation.description, schema=operation.schema,
        definition=operation.definition, claimed=operation.permission, title=operation.title,
    )  # fmt: skip


def _read(answer: Fetched) -> tuple[str, Any]:
    """Return the text of an answer, and its value when it is JSON."""
    try:
        text = answer.body.decode(answer.encoding or "utf-8", "replace")
    except LookupError:
        text = answer.body.decode("utf-8", "replace")
    if not answer.media_type.endswith(("/json", "+json")):
        return text, None
    try:
        return text, json.loads(text)
    except ValueError:
        return text, None
