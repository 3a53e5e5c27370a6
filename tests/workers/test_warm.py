"""A worker that stays warm: answers, replacement, hanging, death; and what every child gives up."""

from __future__ import annotations

import pytest

from domain.errors import FileEncrypted
from tests.workers import jobs
from tests.workers.test_sandbox import alive, gone
from workers.child import Limits
from workers.process import ChildFailed
from workers.sandbox import Sandbox
from workers.warm import WarmWorker


def warm(sandbox: Sandbox, most_requests: int = 100) -> WarmWorker:
    return WarmWorker(
        sandbox.zygote, "greeter", jobs.answer, "hello",
        limits=Limits(), start_seconds=30, most_requests=most_requests,
    )  # fmt: skip


async def test_one_process_answers_until_it_is_replaced(sandbox: Sandbox) -> None:
    worker = warm(sandbox, most_requests=2)
    answers = [await worker.ask(name, 20) for name in ("a", "b", "c")]
    assert [text for text, _ in answers] == ["hello a", "hello b", "hello c"]
    first, second, third = (pid for _, pid in answers)
    assert first == second != third
    assert await gone(first) and alive(third)
    worker.close()
    assert await gone(third)


@pytest.mark.parametrize(("request_", "cause"), [("hang", "time"), ("die", "death")])
async def test_a_request_that_ends_the_worker_fails_alone(sandbox: Sandbox, request_: str, cause: str) -> None:
    worker = warm(sandbox)
    _, before = await worker.ask("a", 20)
    with pytest.raises(ChildFailed) as caught:
        await worker.ask(request_, 0.5)
    assert caught.value.cause == cause
    assert await gone(before)
    text, after = await worker.ask("b", 20)
    assert text == "hello b" and after != before
    worker.close()


async def test_why_it_cannot_start_crosses_the_border(sandbox: Sandbox) -> None:
    worker = WarmWorker(
        sandbox.zygote, "idle", jobs.never_ready, limits=Limits(), start_seconds=30, most_requests=1
    )  # fmt: skip
    with pytest.raises(FileEncrypted):
        await worker.start()


async def test_a_child_can_gain_no_privileges_and_yields_to_the_server(sandbox: Sandbox) -> None:
    status = await sandbox.run(jobs.privileges, name="x")
    assert status["NoNewPrivs"] == "1"
    assert status["Name"] == "reader"
