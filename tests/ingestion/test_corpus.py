"""Real files through the real readers: questions are found on their page, bad files fail as they should."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from ingestion.pipeline import Ingestion
from readers.formats import MODULES
from readers.reader import Readers
from settings import Settings
from tests.library import ANN, Library, open_library
from workers.sandbox import Sandbox

pytestmark = pytest.mark.corpus


@pytest_asyncio.fixture
async def reading(settings: Settings) -> AsyncIterator[Library]:
    async with Sandbox(settings, MODULES) as sandbox, open_library(settings) as library:
        library.ingestion = Ingestion(
            settings, readers=Readers(settings, sandbox), ocr=library.ocr, pictures=library.pictures,
            attachments=library.documents.attachments, documents=library.documents, embedder=library.embedder,
            summarizer=library.summarizer, listener=None, sandbox=sandbox,
        )  # fmt: skip
        yield library
        await library.ingestion.aclose()


@pytest.mark.parametrize("name", ["qa_en_civil_disobedience.pdf", "qa_zh_encyclopedia.pdf"])
async def test_questions_are_found_on_their_page(
    reading: Library, corpus: Path, manifest: dict[str, dict[str, object]], name: str
) -> None:
    document = await reading.add((corpus / name).read_bytes(), name=name)
    assert document["status"] == "ready"
    questions = manifest[name]["expect"]["qa"]  # type: ignore[index]
    right = 0
    for question in questions:
        hits = await reading.documents.search(question["question"], ANN, top_k=5, mode="keyword")
        right += question["page"] in [hit["page"] for hit in hits]
    assert right >= 0.7 * len(questions), "keywords alone, in a document whose pages are all about one thing"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("encrypted_openpassword.pdf", "password_required"),
        ("bomb_400mb.docx", "file_too_large"),
        ("corrupt_fuzzed.pdf", "file_corrupt"),
    ],
)
async def test_bad_files_fail_with_their_code(reading: Library, corpus: Path, name: str, code: str) -> None:
    document = await reading.add((corpus / name).read_bytes(), name=name)
    assert (document["status"], document["error"]["code"]) == ("failed", code)


async def test_password_opens_an_encrypted_pdf(
    reading: Library, corpus: Path, manifest: dict[str, dict[str, object]]
) -> None:
    name = "encrypted_openpassword.pdf"
    password = manifest[name]["expect"]["password"]  # type: ignore[index]
    document = await reading.add((corpus / name).read_bytes(), name=name, password=password)
    assert document["status"] == "ready"


async def test_attachment_of_a_mail_is_a_document(reading: Library, corpus: Path) -> None:
    await reading.add((corpus / "mail_attachment.eml").read_bytes(), name="mail.eml")
    names = [document["name"] for document in await reading.documents.list(ANN)]
    assert names[0] == "mail.eml"
    assert len(names) > 1
    assert all(name.startswith("mail.eml › ") for name in names[1:])
