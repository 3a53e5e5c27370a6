"""An MCP server behind a session that one task holds open.

Cancel scopes of the `mcp` client have to be left by the task that entered them: so the keeper opens the session, lists
the tools, notices the end, and opens it again; callers only send requests. A server that has died over HTTP, or hangs,
shows in nothing but calls that take too long: after one it is pinged, and opened anew when it does not answer.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from typing import Any

import anyio
import httpx
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp import ClientSession, McpError, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage

from domain.errors import AppError
from domain.words import Words
from net.client import GuardedHttp
from net.failures import AddressBlocked, UrlRefused
from tools.interface import Found, Permission, ToolContext
from tools.sources import texts
from tools.sources.config import BadSource, SourceConfig
from tools.sources.interface import Changed, ForeignFailure, Listed, SourceDown, SourceState, ToolChanged
from tools.sources.mcp_results import found_in

logger = logging.getLogger(__name__)
logging.getLogger("mcp").setLevel(logging.CRITICAL)  # it logs what servers write
for _name in dir(anyio):  # anyio imports its parts when they are first asked for, which would be on the event loop
    getattr(anyio, _name)

BACKOFF = (0.2, 1.0, 5.0, 30.0)
"""Seconds before the next try to open a server, by how often it failed."""
OPEN_SECONDS = 15.0
START_SECONDS = 120.0
"""Longest time for a program to start; `npx` and `uvx` fetch theirs first."""
LIST_SECONDS = 10.0
RELIST_SECONDS = 60.0
"""How often tools are listed without a word from the server; this finds changes, and the end of an idle server."""
PING_SECONDS = 2.0
CLOSE_SECONDS = 8.0
MOST_TOOLS = 500
TAIL_BYTES = 2000
_INHERITED = ("LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")
"""What a program inherits besides HOME, LOGNAME, PATH, SHELL, TERM and USER."""
_Read = MemoryObjectReceiveStream[SessionMessage | Exception]
_Write = MemoryObjectSendStream[SessionMessage]


class _Held:
    """One session; `lost` is done when it has ended."""

    def __init__(self, session: ClientSession) -> None:
        self.session = session
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class _Tail(asyncio.Protocol):
    """Keeps the end of what a program writes to its standard error."""

    def __init__(self) -> None:
        self.data = b""

    def data_received(self, data: bytes) -> None:
        self.data = (self.data + data)[-TAIL_BYTES:]


class McpServer:
    """A `Source`: an MCP server over stdio or streamable HTTP."""

    kind = "mcp"

    def __init__(
        self, name: str, config: SourceConfig, http: GuardedHttp, changed: Changed, *, own_settings: bool = False
    ) -> None:
        """Prepare it; nothing is opened before `start`.

        Args:
            name: Its name here.
            config: Its program or URL, references not yet filled.
            http: What its URL is asked with.
            changed: Called when its state or its tools have changed.
            own_settings: References to settings of this product are filled too.
        """
        self.name = name
        self.state: SourceState = "starting"
        self.failure, self.detail = texts.STARTING, ""
        self.listed: Mapping[str, Listed] = {}
        self._config, self._http, self._changed, self._own_settings = config, http, changed, own_settings
        self._opened: asyncio.Future[_Held | None] = asyncio.get_running_loop().create_future()
        self._held: _Held | None = None
        self._stirred = asyncio.Event()
        self._retry = asyncio.Event()
        self._tail = _Tail()
        self._opening = self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._probes: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Open it in the background."""
        self._task = asyncio.create_task(self._keep(), name=f"mcp-{self.name}")

    def relist(self) -> None:
        """List the tools again."""
        self._stirred.set()

    def reopen(self) -> None:
        """Open it anew, without waiting for the next try."""
        self._retry.set()
        self.state = "starting"
        if self._held is not None:
            self._lose(self._held)

    async def call(self, name: str, version: str, arguments: Mapping[str, Any], context: ToolContext) -> Found:
        """Run a tool.

        Raises:
            SourceDown: It cannot be reached, or ended during the call.
            ToolChanged: The tool is not what was approved.
            ForeignFailure: It answered with an error of the protocol.
            ToolException: The tool itself reports a failure.
        """
        held = None if self.state == "failed" else await asyncio.shield(self._opened)
        if held is None:
            raise SourceDown(name=self.name, reason=self.failure) from ConnectionRefusedError()
        listed = self.listed.get(name)
        if listed is None or listed.version != version:
            raise ToolChanged(name=name)
        return await found_in(await self._request(held, name, arguments), context)

    async def aclose(self) -> None:
        """End the session and the program.

        The keeper is let go rather than cancelled where that can be: a task group swallows a cancellation when one of
        its tasks fails at the same moment, and one that comes while a program is being ended leaves its children.
        """
        self._closing = True
        self._retry.set()
        if self._held is not None:
            self._lose(self._held)
        for probe in self._probes:
            probe.cancel()
        if self._task is not None:
            if self._opening:
                self._task.cancel()
            while not (await asyncio.wait({self._task}, timeout=CLOSE_SECONDS))[0]:
                self._task.cancel()
        if not self._opened.done():
            self._opened.set_result(None)

    async def _request(self, held: _Held, name: str, arguments: Mapping[str, Any]) -> types.CallToolResult:
        params = types.CallToolRequestParams(name=name, arguments=dict(arguments))
        request = types.ClientRequest(types.CallToolRequest(params=params))
        # Not `call_tool`, which holds results against the server's own schema with patterns that may never end
        call = asyncio.ensure_future(held.session.send_request(request, types.CallToolResult))
        ends: set[asyncio.Future[Any]] = {call, held.lost}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if call.done():
                return call.result()
        except McpError as exc:
            if exc.error.code != types.CONNECTION_CLOSED and "Session terminated" not in exc.error.message:
                said = " ".join(exc.error.message.split())[:500]
                raise ForeignFailure(name=self.name, reason=Words(said, said)) from exc
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            logger.info("tool source %s was closed", self.name)
        finally:
            if not call.done():
                call.cancel()
                self._probe(held)
        self._lose(held)
        raise SourceDown(name=self.name, reason=texts.ENDED)

    def _lose(self, held: _Held) -> None:
        if not held.lost.done():
            held.lost.set_result(None)
        if held is self._held:
            self._held, self._opened = None, asyncio.get_running_loop().create_future()
            self._stirred.set()

    def _probe(self, held: _Held) -> None:
        async def ping() -> None:
            with suppress(McpError, TimeoutError, anyio.ClosedResourceError, anyio.BrokenResourceError):
                async with asyncio.timeout(PING_SECONDS):
                    await held.session.send_ping()
                    return
            self._lose(held)

        if not held.lost.done():
            task = asyncio.create_task(ping())
            self._probes.add(task)
            task.add_done_callback(self._probes.discard)

    async def _keep(self) -> None:
        failed = 0
        while not self._closing:
            try:
                async with AsyncExitStack() as stack:
                    self._opening = True
                    held = await self._open(stack)
                    self._opening = False
                    failed = 0
                    stack.callback(self._lose, held)
                    await self._watch(held)
                reason = texts.ENDED
            except (Exception, BaseExceptionGroup) as exc:  # noqa: BLE001  # task groups hand out anything
                reason, said = told(exc)
                self.detail = f"{said}\n{self._tail.data.decode(errors='replace')}".strip()
                if reason != self.failure:
                    logger.warning("tool source %s failed: %s", self.name, said)
            self._opening = False
            failed += 1
            self._set("starting" if failed == 1 and self.listed else "failed", reason)
            if not self._closing:
                self._retry.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(BACKOFF[min(failed, len(BACKOFF)) - 1]):
                    await self._retry.wait()

    def _set(self, state: SourceState, failure: Words) -> None:
        self.state, self.failure = state, failure
        if state == "failed":
            self._opened.set_result(None)  # whoever waits for it need not wait longer
            self._opened = asyncio.get_running_loop().create_future()
        self._changed()

    async def _watch(self, held: _Held) -> None:
        """List the tools again when they change, until the session is lost."""
        while not held.lost.done():
            with suppress(TimeoutError):
                async with asyncio.timeout(RELIST_SECONDS):
                    await self._stirred.wait()
            self._stirred.clear()
            if not held.lost.done():
                async with asyncio.timeout(LIST_SECONDS):
                    await self._list(held.session)

    async def _open(self, stack: AsyncExitStack) -> _Held:
        config = await asyncio.to_thread(self._config.filled, own_settings=self._own_settings)
        read, write = await (self._start_program(config, stack) if config.command else self._connect(config, stack))
        async with asyncio.timeout(START_SECONDS if config.command else OPEN_SECONDS):
            relay, relayed = anyio.create_memory_object_stream[SessionMessage | Exception](0)
            for stream in (read, relay, relayed):  # none is closed by those who never came to use it
                stack.callback(stream.close)
            session = ClientSession(
                relayed, write, read_timeout_seconds=timedelta(hours=1), message_handler=self._noticed,
                client_info=types.Implementation(name="llm-chat-backend", version="0.1.0"),
            )  # fmt: skip
            group = await stack.enter_async_context(anyio.create_task_group())
            stack.callback(group.cancel_scope.cancel)
            await stack.enter_async_context(session)
            held = _Held(session)
            group.start_soon(self._relay, read, relay, held)
            await session.initialize()
            await self._list(session)
        self._held = held
        self.detail, self.state = "", "ready"
        self._opened.set_result(held)
        self._changed()
        return held

    async def _start_program(self, config: SourceConfig, stack: AsyncExitStack) -> tuple[_Read, _Write]:
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        program, *arguments = config.program
        parameters = StdioServerParameters(
            command=program, args=arguments, env={**inherited, **config.env}, cwd=config.cwd,
            encoding_error_handler="replace",
        )  # fmt: skip
        ours, theirs = os.pipe()
        self._tail = _Tail()
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: self._tail, os.fdopen(ours, "rb", 0))
        stack.callback(pipe.close)
        with os.fdopen(theirs, "w") as errlog:
            return await stack.enter_async_context(stdio_client(parameters, errlog=errlog))

    async def _connect(self, config: SourceConfig, stack: AsyncExitStack) -> tuple[_Read, _Write]:
        url = str(config.url)
        client = self._http.open_client(url, config.headers, httpx.Timeout(30, read=300))
        await stack.enter_async_context(client)
        read, write, _ = await stack.enter_async_context(streamable_http_client(url, http_client=client))
        return read, write

    async def _relay(self, read: _Read, relay: MemoryObjectSendStream[SessionMessage | Exception], held: _Held) -> None:
        """Pass on what comes, and notice the end of it, of which a session tells nobody."""
        async with read, relay:
            async for message in read:
                await relay.send(message)
        self._lose(held)

    async def _noticed(self, message: object) -> None:
        if isinstance(message, types.ServerNotification) and isinstance(
            message.root, types.ToolListChangedNotification
        ):
            self._stirred.set()  # not listed here: this runs in the loop that reads, and would wait for itself

    async def _list(self, session: ClientSession) -> None:
        found: dict[str, Listed] = {}
        cursor: str | None = None
        while len(found) < MOST_TOOLS:
            page = await session.list_tools(params=types.PaginatedRequestParams(cursor=cursor))
            found |= {tool.name: _listed(tool) for tool in page.tools[: MOST_TOOLS - len(found)]}
            cursor = page.nextCursor
            if not cursor or not page.tools:
                break
        if found != self.listed:
            self.listed = found
            self._changed()


def told(error: BaseException) -> tuple[Words, str]:
    """Return why a server could not be opened or was lost: for everybody, and with details for administrators."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    said = f"{type(error).__name__}: {error}".splitlines()[0][:500]
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, BadSource):
        return error.details["reason"], said
    if isinstance(error, AddressBlocked | UrlRefused):
        return texts.NOT_PUBLIC, said
    if status is not None:
        return texts.REFUSES.filled(status=status), said
    if isinstance(error, TimeoutError | httpx.TransportError | AppError):
        return texts.NO_ANSWER, said
    if isinstance(error, OSError):
        return texts.NO_PROGRAM, said
    ended = isinstance(error, McpError) and error.error.code == types.CONNECTION_CLOSED
    return (texts.NO_MCP if isinstance(error, McpError | ValueError) and not ended else texts.ENDED), said


def _listed(tool: types.Tool) -> Listed:
    kept = ("name", "title", "description", "inputSchema", "annotations")
    fields = tool.model_dump(mode="json", by_alias=True, exclude_none=True)
    return Listed(
        name=tool.name,
        description=tool.description or "",
        schema=tool.inputSchema,
        definition={name: fields[name] for name in kept if name in fields},
        claimed=_claimed(tool.annotations),
        title=tool.title or (tool.annotations.title if tool.annotations else None) or "",
    )


def _claimed(hints: types.ToolAnnotations | None) -> Permission:
    """Return what a tool says that it may do; by the protocol it writes and reaches out unless it says otherwise."""
    if hints is None or not hints.readOnlyHint:
        return "write"
    return "read" if hints.openWorldHint is False else "egress"
