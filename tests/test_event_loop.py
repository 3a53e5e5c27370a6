from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from blockbuster import BlockingError

from readers.detect import detect
from tests.readers import samples


async def test_a_file_that_our_code_reads_on_the_event_loop_fails_the_test(
    tmp_path: Path, _blocking_calls: list[str]
) -> None:
    data, path = samples.word(), tmp_path / "a.docx"
    path.write_bytes(data)
    with pytest.raises(BlockingError):
        detect(data, "a.docx", path=path)
    assert "detect" in _blocking_calls[0]
    _blocking_calls.clear()
    assert (await asyncio.to_thread(detect, data, "a.docx", path=path))[0] == "document"
    assert not _blocking_calls
