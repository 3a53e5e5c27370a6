"""Tool: the text of a web page, or of a file on the web."""

import asyncio
import re
from typing import Annotated
from urllib.parse import unquote, urlsplit

from langchain_core.tools import tool
from langgraph.prebuilt import ToolRuntime
from pydantic import Field

from domain.types import Source
from domain.words import Words
from net.client import Fetched
from net.failures import NothingToRead
from privacy.outbound import Privacy
from readers.text.encodings import decode_page
from stores.library.attachments import display_name
from tools.excerpts import fit
from tools.file_pages import Window
from tools.interface import Found, ToolContext, ToolSpec, plain_line
from tools.page_text import PageText, seen_page

_ACCEPT = "text/html, application/xhtml+xml, text/plain, text/markdown, application/json;q=0.9, */*;q=0.1"
_HTML = ("text/html", "application/xhtml+xml")
_TEXT = re.compile(r"text/.+|application/(.+\+)?(json|xml|yaml|x-yaml|javascript|x-ndjson|toml)")
_AROUND = " \t\n<>\"'“”‘’《》【】（）.,;!?。，；：！？、"
_MORE = Words(
    "Characters {start} to {end} of {total} are shown. Call fetch_url again with start={end} for more.",
    "显示第 {start} 至 {end} 个字符，共 {total} 个。需要更多内容时，请以 start={end} 再次调用 fetch_url。",
)
_DONE = Words("The page {name}:", "网页 {name} 的内容：")
_PAGES = Words(
    "The file {name}, pages {first} to {last} of {total}:", "文件 {name}，第 {first} 至 {last} 页，共 {total} 页："
)
_MORE_PAGES = Words(
    "Call fetch_url again with page={page} for more.", "需要更多内容时，请以 page={page} 再次调用 fetch_url。"
)
_MORE_OF_PAGE = Words(
    "Page {page} goes on: call fetch_url again with page={page} and start={start}.",
    "第 {page} 页未完：请以 page={page}、start={start} 再次调用 fetch_url。",
)
_HIDDEN = Words(
    "It holds {n} characters of text that its readers cannot see; they are left out here. Tell the user.",
    "其中有 {n} 个字符的文字读者看不到，此处已略去，请告知用户。",
)
_NO_PAGE = Words("The file {name} has no page {page}; it has {total}.", "文件 {name} 没有第 {page} 页；共 {total} 页。")
_END = Words("The page {name} ends before character {start}.", "网页 {name} 不足 {start} 个字符。")


@tool(response_format="content_and_artifact", parse_docstring=True)
async def fetch_url(
    url: Annotated[str, Field(min_length=4, max_length=4096)],
    runtime: ToolRuntime[ToolContext],
    start: Annotated[int, Field(ge=0)] = 0,
    page: Annotated[int, Field(ge=1)] = 1,
) -> tuple[str, Found]:
    """Open a public web page, or a PDF, Office file or picture on the web, and return its text.

    Use it when the user gives a URL or asks about a certain page (打开网址、总结这个网页或在线 PDF、链接里说了什么).

    Args:
        url: Full http or https address, as the user wrote it.
        runtime: Who asks.
        start: Character to start from, to read on in a long page.
        page: Page of a file to start from, to read on in a long file.
    """
    resources = runtime.context.resources
    Privacy(resources.settings).check_url(_tidy(url))
    fetched = await resources.http.fetch(_tidy(url), accept=_ACCEPT)
    media_type = fetched.media_type or "text/html"
    if media_type in _HTML:
        text = await resources.pages.read(fetched.body, fetched.url, fetched.encoding)
    elif _TEXT.fullmatch(media_type):
        text = seen_page("", await asyncio.to_thread(decode_page, fetched.body, fetched.encoding))
    else:
        return (await _file(fetched, runtime.context, page, start)).answer()
    return (await _web_page(fetched.url, text, runtime.context, start)).answer()


async def _web_page(url: str, page: PageText, context: ToolContext, start: int) -> Found:
    if not page.text.strip():
        raise NothingToRead(url=url)
    name = plain_line(page.title) or url
    part = await asyncio.to_thread(fit, page.text[start:], context.resources.settings.context_tokens_for_sources)
    end = start + len(part)
    if not part.strip():
        return Found(_END.text(context.language).format(name=name, start=start))
    source = Source(number=0, origin="web", url=url, name=name, start=start, end=end, text=part)
    lines = [_DONE.text(context.language).format(name=name)]
    if page.hidden:
        lines.append(_HIDDEN.text(context.language).format(n=page.hidden))
    if start or end < len(page.text):
        lines.append(_MORE.text(context.language).format(start=start, end=end, total=len(page.text)))
    return Found("\n".join(lines), [source])


async def _file(fetched: Fetched, context: ToolContext, first: int, start: int) -> Found:
    """Return pages of a file, each a passage that is cited by its page."""
    resources, language = context.resources, context.language
    name = display_name(unquote(urlsplit(fetched.url).path)) or urlsplit(fetched.url).netloc
    window = Window(first, start, resources.settings.context_tokens_for_sources)
    read = await resources.files.read(fetched.body, name, window, url=fetched.url, language=language)
    if not read.parts:
        return Found(_NO_PAGE.text(language).format(name=name, page=first, total=read.total))
    if not any(part.text.strip() for part in read.parts):
        raise NothingToRead(url=fetched.url)
    sources = []
    for part in read.parts:
        source = Source(
            number=0, origin="web", url=fetched.url, name=name, page=part.number, start=part.start,
            end=part.start + len(part.text), text=part.text,
        )  # fmt: skip
        if part.label:
            source["label"] = part.label
        sources.append(source)
    last = read.parts[-1]
    shown = {"name": name, "first": first, "last": last.number, "total": read.total}
    lines = [_PAGES.text(language).format(**shown)]
    if hidden := sum(part.hidden for part in read.parts):
        lines.append(_HIDDEN.text(language).format(n=hidden))
    if last.cut:
        lines.append(_MORE_OF_PAGE.text(language).format(page=last.number, start=last.start + len(last.text)))
    elif last.number < read.total:
        lines.append(_MORE_PAGES.text(language).format(page=last.number + 1))
    return Found("\n".join(lines), sources)


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
        "Summarise the PDF behind this link",
        "打开这个网页，看看写了什么",
        "总结一下这个链接的内容",
    ),
    cache_seconds=300,
    repeatable=True,
    target=lambda given: urlsplit(_tidy(str(given["url"]))).netloc,
)
