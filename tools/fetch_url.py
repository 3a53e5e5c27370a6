"""Tool: the text of a web page."""

import asyncio
import re
from typing import Annotated
from urllib.parse import urlsplit

from langchain_core.tools import tool
from langgraph.prebuilt import ToolRuntime
from pydantic import Field

from domain.types import Source
from domain.words import Words
from net.client import Fetched
from net.failures import NothingToRead, NotText
from privacy.outbound import Privacy
from readers.text.encodings import decode_page
from tools.excerpts import fit
from tools.interface import Found, ToolContext, ToolResources, ToolSpec, plain_line
from tools.page_text import PageText

_ACCEPT = "text/html, application/xhtml+xml, text/plain, text/markdown, application/json;q=0.9, */*;q=0.1"
_HTML = ("text/html", "application/xhtml+xml")
_TEXT = re.compile(r"text/.+|application/(.+\+)?(json|xml|yaml|x-yaml|javascript|x-ndjson|toml)")
_AROUND = " \t\n<>\"'“”‘’《》【】（）.,;!?。，；：！？、"
_MORE = Words(
    "Characters {start} to {end} of {total} are shown. Call fetch_url again with start={end} for more.",
    "显示第 {start} 至 {end} 个字符，共 {total} 个。需要更多内容时，请以 start={end} 再次调用 fetch_url。",
)
_DONE = Words("The page {name}:", "网页 {name} 的内容：")
_END = Words("The page {name} ends before character {start}.", "网页 {name} 不足 {start} 个字符。")


@tool(response_format="content_and_artifact", parse_docstring=True)
async def fetch_url(
    url: Annotated[str, Field(min_length=4, max_length=4096)],
    runtime: ToolRuntime[ToolContext],
    start: Annotated[int, Field(ge=0)] = 0,
) -> tuple[str, Found]:
    """Open a public web page and return its main text.

    Use it when the user gives a URL or asks about a certain page (打开网址、总结这个网页、链接里说了什么).

    Args:
        url: Full http or https address, as the user wrote it.
        runtime: Who asks.
        start: Character to start from, to read on in a long page.
    """
    language, resources = runtime.context.language, runtime.context.resources
    Privacy(resources.settings).check_url(_tidy(url))
    fetched = await resources.http.fetch(_tidy(url), accept=_ACCEPT)
    page = await _text_of(fetched, resources)
    if not page.text.strip():
        raise NothingToRead(url=fetched.url)
    name = plain_line(page.title) or fetched.url
    part = await asyncio.to_thread(fit, page.text[start:], resources.settings.context_tokens_for_sources)
    end = start + len(part)
    if not part.strip():
        return Found(_END.text(language).format(name=name, start=start)).answer()
    source = Source(number=0, origin="web", url=fetched.url, name=name, start=start, end=end, text=part)
    lines = [_DONE.text(language).format(name=name)]
    if start or end < len(page.text):
        lines.append(_MORE.text(language).format(start=start, end=end, total=len(page.text)))
    return Found("\n".join(lines), [source]).answer()


async def _text_of(fetched: Fetched, resources: ToolResources) -> PageText:
    media_type = fetched.media_type or "text/html"
    if media_type in _HTML:
        return await resources.pages.read(fetched.body, fetched.url, fetched.encoding)
    if not _TEXT.fullmatch(media_type):
        raise NotText(url=fetched.url, media_type=media_type)
    return PageText("", await asyncio.to_thread(decode_page, fetched.body, fetched.encoding))


def _tidy(url: str) -> str:
    """Undo what surrounds an address in running text: spaces, quotes, brackets, full stops; add a missing scheme."""
    url = url.strip(_AROUND)
    if url.count(")") > url.count("("):
        url = url.removesuffix(")")
    return url if "://" in url else f"https://{url}"


SPEC = ToolSpec(
    tool=fetch_url,
    title=Words("Open a web page", "打开网页"),
    permission="egress",
    examples=(
        "Read this web page and tell me what it says",
        "Open the link and summarise the article",
        "What is on this website?",
        "打开这个网页，看看写了什么",
        "总结一下这个链接的内容",
    ),
    cache_seconds=300,
    repeatable=True,
    target=lambda given: urlsplit(_tidy(str(given["url"]))).netloc,
)
