"""Deletes a document in a process of its own, which is killed at a chosen step.

Arguments: the data folder, the document, the step, and DATABASE_URL if it is not SQLite.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from settings import Settings
from stores.library.attachments import Attachments
from stores.library.documents import Documents
from stores.library.vectors import VectorStore
from stores.sql.database import Database
from tests.library import ANN, BagEmbedder


async def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def main(folder: str, document_id: str, step: str, url: str | None = None) -> None:
    settings = Settings(data_dir=Path(folder), database_url=url, _env_file=None)
    documents = await Documents.open(settings, await Database.open(settings), BagEmbedder())
    where = {"vectors": (VectorStore, "delete"), "files": (Attachments, "release"), "log": (Database, "scrub")}[step]
    setattr(*where, die)
    await documents.delete(document_id, ANN)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
