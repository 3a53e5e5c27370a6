"""Tool: passages of the user's documents."""

from typing import Annotated

from langchain_core.tools import tool
from langgraph.prebuilt import ToolRuntime
from pydantic import Field

from domain.words import Words
from tools.interface import Found, ToolContext, ToolSpec

NOTHING = Words("No passage of the documents fits {query!r}.", "文档中没有与 {query!r} 相符的内容。")
FOUND = Words("Passages found for {query!r}:", "与 {query!r} 相符的内容：")


@tool(response_format="content_and_artifact", parse_docstring=True)
async def search_documents(
    query: Annotated[str, Field(min_length=1, max_length=1000)],
    runtime: ToolRuntime[ToolContext],
    document_ids: Annotated[list[str], Field(max_length=100)] = [],  # noqa: B006
) -> tuple[str, Found]:
    """Search the files that the user uploaded and return the passages that fit, each with document and page.

    Use it for every question about the user's own documents, in Chinese or English (查找用户上传的文档、报告、合同等).

    Args:
        query: What to look for: a question or keywords, in the language of the documents if you know it.
        runtime: Who asks.
        document_ids: Search these documents only (ids from list_documents). Omit to search all.
    """
    context = runtime.context
    sources = await context.resources.documents.sources(
        query,
        context.owner,
        token_budget=context.resources.settings.context_tokens_for_sources,
        document_ids=document_ids or None,
    )
    text = (FOUND if sources else NOTHING).text(context.language).format(query=query)
    return Found(text, sources).answer()


SPEC = ToolSpec(
    tool=search_documents,
    title=Words("Search documents", "搜索文档"),
    permission="read",
    examples=(
        "What does my uploaded contract say about termination?",
        "Find the section about refunds in the handbook",
        "合同里关于违约金是怎么说的？",
        "手册中保修期是多久？",
    ),
    fits=lambda turn: turn.documents,
    needs=Words("The conversation needs a document.", "会话中要有文档。"),
    cache_seconds=600,
    reads_documents=True,
)
