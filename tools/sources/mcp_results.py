"""What an MCP tool returned, as a result of ours: text for the model, files kept as files, links as text."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import mimetypes
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from langchain_core.tools import ToolException
from mcp import types

from domain.errors import AppError
from domain.words import Words
from tools.interface import Found, ToolContext, plain_line
from tools.sources import texts

NOT_BASE64 = Words("it is not base64", "不是有效的 base64")


async def found_in(result: types.CallToolResult, context: ToolContext) -> Found:
    """Return a result in full.

    Pictures, sound and other files are kept as files of the conversation and named in the text; links are named and
    never followed.

    Raises:
        ToolException: The tool reports a failure; the text is its own.
    """
    parts: list[str] = []
    files: list[dict[str, Any]] = []
    for block in result.content:
        text, file = await _part(block, context)
        parts.append(text)
        files += [file] if file else []
    text = "\n\n".join(part for part in parts if part.strip())
    if result.structuredContent is not None and not any(isinstance(it, types.TextContent) for it in result.content):
        text = "\n\n".join(filter(None, (text, json.dumps(result.structuredContent, ensure_ascii=False, indent=1))))
    text = text or texts.NO_RESULT.text(context.language)
    if result.isError:
        raise ToolException(text)
    data: dict[str, Any] = {"files": files} if files else {}
    if result.structuredContent is not None:
        data["structured"] = result.structuredContent
    return Found(text, data=data)


async def _part(block: types.ContentBlock, context: ToolContext) -> tuple[str, dict[str, Any] | None]:
    if isinstance(block, types.TextContent):
        return block.text, None
    if isinstance(block, types.ImageContent | types.AudioContent):
        return await _kept(block.data, block.mimeType, block.type, "", context)
    if isinstance(block, types.ResourceLink):
        named = {"name": block.name, "uri": block.uri, "description": block.description or ""}
        line = {key: plain_line(str(value), 500) for key, value in named.items()}
        return texts.LINK.text(context.language).format(**line), None
    resource, uri = block.resource, str(block.resource.uri)
    if isinstance(resource, types.TextResourceContents):
        return f"{plain_line(uri, 500)}\n{resource.text}", None
    return await _kept(resource.blob, resource.mimeType or "", "file", uri, context)


async def _kept(
    data: str, media_type: str, kind: str, uri: str, context: ToolContext
) -> tuple[str, dict[str, Any] | None]:
    """Keep a file for the user, and say so; one that cannot be kept does not fail the call."""
    said = {"kind": kind, "media_type": plain_line(media_type, 100), "size": len(data) * 3 // 4}
    suffix = await asyncio.to_thread(mimetypes.guess_extension, media_type)  # the first time it reads files
    name = PurePosixPath(urlsplit(uri).path).name or f"{kind}{suffix or ''}"
    try:
        content = base64.b64decode(data, validate=True)
        ref = await context.resources.documents.attachments.put(content, name=name, owner=context.owner)
    except binascii.Error:
        return texts.FILE_LOST.filled(**said, reason=NOT_BASE64).text(context.language), None
    except AppError as exc:
        reason = exc.body(context.language)["message"]
        return texts.FILE_LOST.text(context.language).format(**said, reason=reason), None
    text = texts.FILE_KEPT.text(context.language).format(**{**said, "size": ref["size"], "id": ref["id"]})
    return text, {"id": ref["id"], "name": ref["name"], "media_type": ref["media_type"], "size": ref["size"]}
