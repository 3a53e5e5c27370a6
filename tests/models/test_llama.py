from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from domain.errors import ModelUnavailable
from models.chat.llama import LlamaEngine, Piece, smollm2_path

MODEL = smollm2_path()
pytestmark = pytest.mark.skipif(MODEL is None, reason="the bundled small model is not installed")
HELLO = [{"role": "user", "content": "Hello!"}]


@pytest.fixture(scope="module")
async def engine() -> AsyncIterator[LlamaEngine]:
    assert MODEL is not None
    made = LlamaEngine(MODEL, threads=1, context_tokens=1024)
    yield made
    await made.close()


async def test_streams_pieces_and_ends_with_token_counts(engine: LlamaEngine) -> None:
    pieces = [piece async for piece in engine.stream(HELLO, max_tokens=12)]
    assert len([piece for piece in pieces if piece.text]) >= 3
    assert pieces[-1].input_tokens > 5 and 3 <= pieces[-1].output_tokens <= 12


async def test_schema_is_enforced(engine: LlamaEngine) -> None:
    schema = {
        "type": "object",
        "properties": {"x": {"enum": ["one", "two"]}},
        "required": ["x"],
        "additionalProperties": False,
    }
    text = "".join([piece.text async for piece in engine.stream(HELLO, max_tokens=30, schema=schema)])
    assert "".join(text.split()) in ('{"x":"one"}', '{"x":"two"}')


async def test_leaving_early_stops_the_generation(engine: LlamaEngine) -> None:
    story = [{"role": "user", "content": "Tell me a very long story."}]
    endless = {"ignore_eos": True}
    started = time.perf_counter()
    pieces = [piece async for piece in engine.stream(HELLO, max_tokens=20, extra=endless)]
    each = (time.perf_counter() - started) / len(pieces)
    async with aclosing(engine.stream(story, max_tokens=900, extra=endless)) as stream:
        async for _ in stream:
            break
    started = time.perf_counter()
    assert [piece async for piece in engine.stream(HELLO, max_tokens=2)]
    assert time.perf_counter() - started < 300 * each


async def test_requests_of_many_callers_are_answered_in_turn(engine: LlamaEngine) -> None:
    async def reply() -> list[Piece]:
        return [piece async for piece in engine.stream(HELLO, max_tokens=4)]

    assert all(pieces[-1].output_tokens for pieces in await asyncio.gather(*(reply() for _ in range(4))))


async def test_a_process_that_died_is_started_again(engine: LlamaEngine) -> None:
    await engine.warm()
    assert engine._process is not None
    engine._process.kill()
    await asyncio.to_thread(engine._process.wait)
    assert not engine.loaded
    assert [piece async for piece in engine.stream(HELLO, max_tokens=2)] and engine.loaded


async def test_a_prompt_longer_than_the_window_is_refused(engine: LlamaEngine) -> None:
    with pytest.raises(ModelUnavailable, match="context"):
        async for _ in engine.stream([{"role": "user", "content": "word " * 3000}], max_tokens=4):
            pass


async def test_missing_and_broken_files(tmp_path: Path) -> None:
    other, cut = tmp_path / "other.gguf", tmp_path / "cut.gguf"
    other.write_bytes(b"not a model")
    assert MODEL is not None
    cut.write_bytes(MODEL.read_bytes()[:200_000])
    for path, reason in ((tmp_path / "none.gguf", "opened"), (other, "GGUF"), (cut, "load")):
        with pytest.raises(ModelUnavailable, match=reason) as failure:
            async for _ in LlamaEngine(path, threads=1, context_tokens=512).stream(HELLO, max_tokens=4):
                pass
        assert str(tmp_path) not in str(failure.value)


SCRIPT = """
import asyncio, sys
from models.chat.llama import LlamaEngine, smollm2_path

async def main():
    engine = LlamaEngine(smollm2_path(), threads=1, context_tokens=1024)
    async def talk():
        story = [{"role": "user", "content": "Tell a story"}]
        async for _ in engine.stream(story, max_tokens=900, extra={"ignore_eos": True}):
            pass
    task = asyncio.create_task(talk())
    while not engine.loaded:
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)
    assert not task.done()

asyncio.run(main())
"""


def test_a_process_ends_cleanly_in_the_middle_of_a_generation() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
