"""An OpenAI-compatible endpoint played at protocol level, on a real uvicorn on a free loopback port.

    with OpenAIServer() as server:
        server.script([Answer("Hello"), Failure(429), Answer(tool_calls=[ToolCall("search", {"query": "x"})])])
        ...  # point LLM_BASE_URL at server.base_url, any key and model name
        server.assert_done()

Three ways to say what the chat endpoint answers:

* `script(steps)`: one step a call, in order. A call beyond the script is answered with 418 (no client retries that) and
  remembered; `assert_done()` fails on it, and on steps left over. `script(steps, model="m")` is for calls of that model
  alone, for products that call two models side by side.
* `respond = function`: called with every `Recorded` request that no script covers; returns a step, or a text.
* neither: the last user text is repeated.

Every request is recorded in `requests` (body, headers, images), every client that hung up early in `disconnects`.
`/embeddings` gives deterministic bag-of-words vectors, so that like texts are near each other.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.standins.listening import Listening
from tests.standins.openai_wire import Answer, Drip, Failure, Garbled, Hang, Recorded, Step, ToolCall, Wire, vectors

__all__ = ["Answer", "Drip", "Failure", "Garbled", "Hang", "OpenAIServer", "Recorded", "Step", "ToolCall"]

Responder = Callable[[Recorded], Step | str]
DASHSCOPE_BATCH = 10


def echo(request: Recorded) -> str:
    """Repeat what the user said."""
    return f"You said: {request.user_text}"


class OpenAIServer(Listening):
    """The stand-in. Use it as a context manager; all attributes may be read from any thread.

    Attributes:
        base_url: For `LLM_BASE_URL` and the like; ends in `/v1`.
        requests: Every request so far, in order of arrival.
        disconnects: `time.monotonic()` of every client that left before its answer was complete.
        respond: Answers chat calls that no script covers.
    """

    def __init__(
        self, *, dashscope: bool = False, api_key: str | None = None, models: Sequence[str] = (), dimensions: int = 64,
        port: int = 0,
    ) -> None:  # fmt: skip
        """Keep the settings; nothing listens yet.

        Args:
            dashscope: Refuse more than 10 embedding inputs and inputs that are not text, as DashScope does.
            api_key: The only key that is accepted; None accepts any.
            models: The only models that exist (others: 404); empty accepts any.
            dimensions: Length of embeddings where the caller asks for none.
            port: Where it listens; 0: on a free port.
        """
        self.dashscope = dashscope
        self.api_key = api_key
        self.models = tuple(models)
        self.dimensions = dimensions
        routes = [
            Route("/v1/chat/completions", self._chat, methods=["POST"]),
            Route("/v1/embeddings", self._embed, methods=["POST"]),
            Route("/v1/models", self._list_models),
        ]
        super().__init__(Starlette(routes=routes), port)
        self.reset()

    @property
    def base_url(self) -> str:
        return f"http://{self.address}/v1"

    def reset(self) -> None:
        """Forget scripts, responder and records."""
        self.respond: Responder = echo
        self.requests: list[Recorded] = []
        self.disconnects: list[float] = []
        self.unexpected: list[Recorded] = []
        self._scripts: dict[str | None, list[Step | Responder]] = {}
        self._embedding_failures: list[Step] = []

    def script(self, steps: Iterable[Step | str | Responder], *, model: str | None = None) -> None:
        """Answer the next chat calls (of `model` alone, where given) with `steps`; replaces the script before."""
        self._scripts[model] = [Answer(step) if isinstance(step, str) else step for step in steps]

    def fail_embeddings(self, steps: Iterable[Step]) -> None:
        """Answer the next embedding calls with `steps` (failures), then work again."""
        self._embedding_failures = list(steps)

    def assert_done(self) -> None:
        """Fail unless every scripted step was used and no call went beyond a script."""
        assert not self.unexpected, f"{len(self.unexpected)} unexpected calls, first: {self.unexpected[0].body}"
        left = [step for steps in self._scripts.values() for step in steps] + self._embedding_failures
        assert not left, f"{len(left)} scripted steps were not used, first: {left[0]}"

    @property
    def chats(self) -> list[Recorded]:
        """Chat requests alone."""
        return [request for request in self.requests if request.path.endswith("/chat/completions")]

    @property
    def embeddings(self) -> list[Recorded]:
        """Embedding requests alone."""
        return [request for request in self.requests if request.path.endswith("/embeddings")]

    async def disconnected(self, count: int = 1, timeout: float = 2.0) -> list[float]:
        """Wait until `count` clients hung up early; returns their times.

        Raises:
            TimeoutError: Fewer did so within `timeout` seconds.
        """
        async with asyncio.timeout(timeout):
            while len(self.disconnects) < count:
                await asyncio.sleep(0.01)
        return self.disconnects

    async def _record(self, request: Request) -> tuple[Recorded, Failure | None]:
        body = json.loads(await request.body())
        record = Recorded(request.url.path, dict(request.headers), body, time.monotonic())
        self.requests.append(record)
        if self.api_key is not None and record.key != self.api_key:
            return record, Failure(401, code="invalid_api_key", message=f"Incorrect API key provided: {record.key}.")
        if self.models and record.model not in self.models:
            return record, Failure(404, code="model_not_found", message=f"The model `{record.model}` does not exist.")
        return record, None

    async def _chat(self, request: Request) -> Response:
        record, refusal = await self._record(request)
        step = refusal or self._next_step(record)
        return Wire(step, record, self.disconnects)

    def _next_step(self, record: Recorded) -> Step:
        name = record.model if record.model in self._scripts else None
        if name not in self._scripts:
            step: Step | str | Responder = self.respond
        elif self._scripts[name]:
            step = self._scripts[name].pop(0)
        else:
            self.unexpected.append(record)
            return Failure(418, code="unexpected_call", message="This call is not in the script.")
        said = step(record) if callable(step) else step
        return Answer(said) if isinstance(said, str) else said

    async def _embed(self, request: Request) -> Response:
        record, refusal = await self._record(request)
        if refusal or self._embedding_failures:
            return Wire(refusal or self._embedding_failures.pop(0), record, self.disconnects)
        given = record.body["input"]
        inputs = given if isinstance(given, list) else [given]
        if problem := self._input_problem(inputs):
            return Wire(Failure(400, code="InvalidParameter", message=problem), record, self.disconnects)
        return JSONResponse(vectors(inputs, record.body, self.dimensions))

    def _input_problem(self, inputs: list[object]) -> str | None:
        if any(not text for text in inputs):
            return "Input must not be empty."
        if self.dashscope and len(inputs) > DASHSCOPE_BATCH:
            return f"Value error, batch size is invalid, it should not be larger than {DASHSCOPE_BATCH}."
        if self.dashscope and any(not isinstance(text, str) for text in inputs):
            return "Value error, contents is neither str nor list of str."
        return None

    async def _list_models(self, request: Request) -> Response:
        names = self.models or ("stand-in",)
        return JSONResponse({"object": "list", "data": [{"id": name, "object": "model"} for name in names]})
