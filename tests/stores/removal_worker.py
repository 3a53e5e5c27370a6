"""Deletes a document in a process of its own and is killed at a chosen step: `removal_worker.py FOLDER ID STEP`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from settings import Settings
from stores.library.attachments import Attachments
from stores.library.catalog import Catalog
from stores.library.documents import Documents
from stores.library.vectors import VectorStore
from tests.library import ANN, BagEmbedder


async def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def main(folder: str, document_id: str, step: str) -> None:
    settings = Settings(data_dir=Path(folder), _env_file=None)  # type: ignore[call-arg]
    documents = await Documents.open(settings, BagEmbedder())
    where = {"vectors": (VectorStore, "delete"), "files": (Attachments, "release"), "log": (Catalog, "scrub")}[step]
    setattr(*where, die)
    await documents.delete(document_id, ANN)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
