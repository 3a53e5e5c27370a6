"""An MCP server with a result of every kind, run as a program: over stdio, or with a port over streamable HTTP.

What `word` says of itself stands in the file that WORD_FILE names, so that a test can change it.
"""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from pathlib import Path

from mcp.server.fastmcp import Context, FastMCP
from mcp.types import (
    AudioContent,
    BlobResourceContents,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)
from pydantic import AnyUrl

PNG = base64.b64encode(
    base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
).decode()
WAV = base64.b64encode(b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00" + b"\0" * 40).decode()

server = FastMCP("stand-in", log_level="ERROR", stateless_http=False)


@server.tool(annotations=ToolAnnotations(readOnlyHint=True, openWorldHint=False))
def echo(text: str, times: int = 1) -> str:
    """Say it again."""
    return text * times


@server.tool(annotations=ToolAnnotations(readOnlyHint=True))
async def wait(seconds: float) -> str:
    """Take some time."""
    await asyncio.sleep(seconds)
    return "waited"


@server.tool()
def pid() -> str:
    """Return the number of the process."""
    return str(os.getpid())


@server.tool()
def environment() -> str:
    """Return the names of the variables of its environment."""
    return " ".join(sorted(os.environ))


@server.tool(structured_output=False)
def everything() -> list[TextContent | ImageContent | AudioContent | EmbeddedResource | ResourceLink]:
    """Return one of each kind."""
    return [
        TextContent(type="text", text="first"),
        ImageContent(type="image", data=PNG, mimeType="image/png"),
        AudioContent(type="audio", data=WAV, mimeType="audio/wav"),
        EmbeddedResource(
            type="resource", resource=TextResourceContents(uri=AnyUrl("memo://one"), text="a memo")
        ),
        EmbeddedResource(
            type="resource",
            resource=BlobResourceContents(uri=AnyUrl("memo://x/two.bin"), blob="!!", mimeType="image/gif"),
        ),
        ResourceLink(type="resource_link", name="report <x>", uri=AnyUrl("http://10.0.0.1/report")),
    ]  # fmt: skip


@server.tool()
def weigh(item: str) -> dict[str, float]:
    """Return values."""
    return {item: 1.5}


@server.tool()
def fail() -> str:
    """Report a failure."""
    raise ValueError("no paper in the printer")


def word() -> str:
    return "word"


def _add_word() -> None:
    file = Path(os.environ.get("WORD_FILE", ""))
    server.add_tool(word, description=file.read_text("utf-8") if file.is_file() else "A word.")


@server.tool()
async def change(ctx: Context) -> str:  # type: ignore[type-arg]
    """Read the definition of `word` again, and say that the list has changed."""
    server.remove_tool("word")
    _add_word()
    server.add_tool(late)
    await ctx.session.send_tool_list_changed()
    return "changed"


def late() -> str:
    """Come later."""
    return "late"


if __name__ == "__main__":
    _add_word()
    if len(sys.argv) > 1:
        server.settings.port = int(sys.argv[1])
        server.run("streamable-http")
    else:
        server.run()
