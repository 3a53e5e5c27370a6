"""Tool: passages of the user's documents."""

from __future__ import annotations

from pydantic import BaseModel, Field

from tools.interface import ToolContext, ToolResources, ToolResult

_NOTHING = {
    "en": "No passage of the documents fits {query!r}.",
    "zh": "文档中没有与 {query!r} 相符的内容。",
}
_FOUND = {
    "en": "Passages found for {query!r}:",
    "zh": "与 {query!r} 相符的内容：",
}


class SearchDocuments(BaseModel):
    """Arguments of `search_documents`."""

    query: str = Field(
        min_length=1,
        max_length=1000,
        description="What to look for: a question or keywords, in the language of the documents if you know it.",
    )
    document_ids: list[str] = Field(
        [], max_length=100, description="Search these documents only (ids from list_documents). Omit to search all."
    )


async def search_documents(arguments: SearchDocuments, context: ToolContext, resources: ToolResources) -> ToolResult:
    """Search the files that the user uploaded and return the passages that fit, each with document and page.

    Use it for every question about the user's own documents, in Chinese or English (查找用户上传的文档、报告、合同等).
    """
    sources = await resources.documents.sources(
        arguments.query,
        context.owner,
        token_budget=resources.settings.context_tokens_for_sources,
        document_ids=arguments.document_ids or None,
    )
    texts = _FOUND if sources else _NOTHING
    return ToolResult(texts[context.language].format(query=arguments.query), sources)
