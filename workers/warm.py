"""A child that loads once and then answers one request after another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from workers.child import Job, Limits
from workers.clock import within
from workers.process import Child, ChildFailed, Zygote


class WarmWorker:
    """Runs `function(*args, requests)` in a child, started when it is needed and replaced when it failed.

    The function, a generator, yields once when it is ready, then an answer to each of `requests`.
    """

    def __init__(
        self, zygote: Zygote, name: str, function: Callable[..., Any], *args: object,
        limits: Limits, start_seconds: float, most_requests: int,
    ) -> None:  # fmt: skip
        """Keep what to run; nothing starts yet.

        Args:
            zygote: Whose child it becomes.
            name: Shown for the process by `ps`.
            function: Importable by name.
            args: Picklable.
            limits: Of the process over its whole life.
            start_seconds: Longest working time (`workers.clock`) until it is ready.
            most_requests: The child is replaced after this many, so that slow growth of a native library never adds up.
        """
        self._zygote = zygote
        self._job = Job(name, function, args, limits, warm=True)
        self._start_seconds, self._most_requests = start_seconds, most_requests
        self._child: Child | None = None
        self._requests = 0

    async def start(self) -> None:
        """Start the child, unless it runs, and wait until it is ready.

        Raises:
            AppError: As the function raised it.
            ChildFailed: It did not get ready.
        """
        if self._child is not None and self._requests < self._most_requests:
            return
        self.close()
        self._requests = 0
        async with self._or_close():
            self._child = await self._zygote.fork(self._job)
            await within(self._start_seconds, self._child.pid, self._child.receive())

    async def ask(self, request: object, seconds: float) -> Any:
        """Return the answer to one request. After a failure the next request meets a new child.

        Raises:
            ChildFailed: No answer within `seconds` of work, or the process died.
        """
        await self.start()
        assert self._child is not None
        self._requests += 1
        async with self._or_close():
            self._child.send(request)
            (kind, answer), _ = await within(seconds, self._child.pid, self._child.receive())
        if kind == "end":
            self.close()
            raise ChildFailed("death")
        return answer

    @asynccontextmanager
    async def _or_close(self) -> AsyncIterator[None]:
        """Kill the child unless what is done with it ends well and in time."""
        try:
            yield
        except TimeoutError as exc:
            self.close()
            raise ChildFailed("time") from exc
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Kill the child."""
        if self._child is not None:
            self._child.close()
            self._child = None
