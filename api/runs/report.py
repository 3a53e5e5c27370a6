"""What is told of a run that ended or waits: its last event, counters, a line of the log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from api.edge.failures import error_body
from api.edge.instruments import TOKENS, TOOL_CALLS, TURN_SECONDS, TURNS, labelled
from api.edge.logs import request_id_var
from api.runs.attempts import note_turn

if TYPE_CHECKING:
    from api.runs.run import Run
    from turn.context import Services

logger = logging.getLogger(__name__)


def report(run: Run, services: Services) -> None:
    """Report how the run ended: the last event, the counters, a line of the log."""
    if run.error is not None:
        body = error_body(run.error, run.request.language, request_id_var.get())
        run.log.append("error", {**body, **(run.answer or {})})
    else:
        run.log.append("waiting" if run.state == "waiting" else "done", run.answer)
    before = run.request.pause["questions"] if run.request.pause is not None else []
    for question in run.questions:
        if question["id"] not in {asked["id"] for asked in before}:
            services.tools.note_asked(question["tool"])
            services.actions.append(
                "question", run.request.owner, run_id=run.id, question=question["id"], tool=question["tool"],
                content={"arguments": question["arguments"]},
            )  # fmt: skip
    seconds = run.ended - run.created
    labelled(TURNS, run.state).inc()
    TURN_SECONDS.observe(seconds)
    if run.answer is not None:
        counted = run.request.pause["spent"] if run.request.pause is not None else None
        services.usage.add(run.request.owner.user_id, run.answer["spent"], counted)
    if run.answer is not None and run.state != "waiting":  # what goes on is counted at its end
        note_turn(run, services)
        usage = run.answer["usage"]
        labelled(TOKENS, "input", usage["model"]).inc(usage["input_tokens"])
        labelled(TOKENS, "output", usage["model"]).inc(usage["output_tokens"])
        for tool in run.answer["tools"]:
            labelled(TOOL_CALLS, tool["name"], tool["status"]).inc()
    code = run.error.code if run.error else ""
    logger.info("turn", extra={"state": run.state, "seconds": round(seconds, 3), "code": code})
