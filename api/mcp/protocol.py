"""What MCP says on the wire: the list of tools, their calls, and documents as resources."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, cast

import anyio
from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.streamable_http import StreamableHTTPServerTransport
from mcp.shared.exceptions import McpError
from pydantic import AnyUrl
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.backend import backend_of, user_of
from api.edge.failures import as_app_error, asked_language
from api.mcp.calls import Call, called, listed
from domain.errors import AppError, UnknownDocument
from domain.owner import Owner
from domain.words import Words

SCHEME = "document"
INSTRUCTIONS = Words(
    "Documents of one user: search them, read them page by page, query their tables, or ask the agent, which answers "
    "with checked sources.",
    "用户文档：可搜索、逐页阅读、查询表格，或向助手提问并获得带有已核对来源的回答。",
)
NOT_FOUND = -32002
"""JSON-RPC code of the protocol for a resource that is not there."""

logging.getLogger("mcp").setLevel(logging.WARNING)  # a line or two at INFO for every request otherwise

server: Server[Any, Request] = Server(
    "llm-chat-backend", version="0.1.0", instructions=f"{INSTRUCTIONS.en} {INSTRUCTIONS.zh}"
)


def exchange(*, stream: bool) -> ASGIApp:
    """Return what answers one request: by events as they come, or by JSON at the end."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        transport = StreamableHTTPServerTransport(mcp_session_id=None, is_json_response_enabled=not stream)
        async with anyio.create_task_group() as group, transport.connect() as (incoming, outgoing):
            group.start_soon(_serve, incoming, outgoing)
            await transport.handle_request(scope, receive, send)
            await transport.terminate()

    return answer


async def _serve(incoming: Any, outgoing: Any) -> None:
    await server.run(incoming, outgoing, server.create_initialization_options(), stateless=True)


def _request() -> Request:
    return cast("Request", server.request_context.request)


@server.list_tools()  # type: ignore[no-untyped-call,untyped-decorator]  # mcp leaves these untyped
async def _tools() -> list[types.Tool]:
    return [
        types.Tool(
            name=tool.name,
            title=tool.title.text(asked_language(_request())),
            description=tool.description,
            inputSchema=tool.schema,
            annotations=types.ToolAnnotations(
                readOnlyHint=tool.reads, destructiveHint=False, idempotentHint=tool.reads, openWorldHint=not tool.reads
            ),
        )
        for tool in listed(backend_of(_request()).services.tools)
    ]


@server.call_tool(validate_input=False)  # type: ignore[untyped-decorator]  # arguments are checked in api.mcp.calls
async def _call(name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    request, context = _request(), server.request_context
    token = context.meta.progressToken if context.meta else None
    steps = 0

    async def progress(text: str) -> None:
        nonlocal steps
        steps += 1
        if token is not None:
            await context.session.send_progress_notification(
                token, steps, message=text, related_request_id=str(context.request_id)
            )

    call = Call(
        backend=backend_of(request), user=user_of(request), role=request.state.role,
        language=asked_language(request), progress=progress,
    )  # fmt: skip
    try:
        result = await called(call, name, arguments)
    except Exception as exc:  # noqa: BLE001  # the client gets its error in the product's words, the log the trace
        error = as_app_error(exc)
        body = error.body(error.language or call.language)
        text = " ".join(filter(None, (body["message"], body["remedy"])))
        return _result(text, {"error": body}, failed=True)
    return _result(result.text, result.data, failed=result.failed)


def _result(text: str, data: dict[str, Any], *, failed: bool) -> types.CallToolResult:
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], structuredContent=data, isError=failed
    )


@server.list_resources()  # type: ignore[no-untyped-call,untyped-decorator]
async def _resources() -> list[types.Resource]:
    documents = await backend_of(_request()).services.documents.list(Owner(user_of(_request())))
    return [
        types.Resource(
            uri=AnyUrl(f"{SCHEME}://{note['id']}"), name=note["name"], mimeType="text/markdown",
            description=note.get("summary") or None,
        )
        for note in documents
        if note["status"] != "failed"
    ]  # fmt: skip


@server.read_resource()  # type: ignore[no-untyped-call,untyped-decorator]
async def _resource(uri: AnyUrl) -> Iterable[ReadResourceContents]:
    request = _request()
    documents, owner = backend_of(request).services.documents, Owner(user_of(request))
    try:
        if uri.scheme != SCHEME:
            raise UnknownDocument(id=str(uri))
        pages = await documents.pages(uri.host or "", owner)
    except AppError as exc:
        message = exc.body(asked_language(request))["message"]
        raise McpError(types.ErrorData(code=NOT_FOUND, message=message)) from exc
    text = "\n\n".join(page["markdown"] for page in pages)
    return [ReadResourceContents(content=text, mime_type="text/markdown")]
