from __future__ import annotations

import contextvars
import io
import json
import logging
import re
from typing import Any

from api.edge.logs import JsonLines, request_id_var, run_id_var
from privacy.outbound import ask_for_privacy


def logged(level: int, message: str, *args: object, **options: Any) -> dict[str, Any]:
    """Return the line that a logger of its own writes."""
    out, logger = io.StringIO(), logging.Logger("api.somewhere")
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    logger.log(level, message, *args, **options)
    (line,) = out.getvalue().splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_line_has_time_level_logger_message_and_extras() -> None:
    extra = {"seconds": 1.5, "where": {"a"}, "color_message": "no", "name_zh": "合同"}
    line = logged(logging.WARNING, "%d of %s", 3, "五", extra=extra)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "level": "warning", "logger": "api.somewhere", "message": "3 of 五", "seconds": 1.5, "where": "{'a'}",
        "name_zh": "合同",
    }  # fmt: skip


def test_a_line_has_the_ids_of_what_is_going_on_and_its_own_win() -> None:
    request, run = request_id_var.set("r1"), run_id_var.set("run1")
    try:
        line = logged(logging.INFO, "x", extra={"run_id": "run2"})
    finally:
        request_id_var.reset(request)
        run_id_var.reset(run)
    assert (line["request_id"], line["run_id"], "thread_id" in line) == ("r1", "run2", False)


def test_no_password_of_a_url_is_logged() -> None:
    found = logged(logging.INFO, "HTTP Request: POST http://user:s3cret@llm.example:8000/v1 and mail@a.example: 1@2")
    assert found["message"] == "HTTP Request: POST http://***@llm.example:8000/v1 and mail@a.example: 1@2"


def test_an_exception_is_a_trace_in_the_same_line() -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        line = logged(logging.ERROR, "failed", exc_info=True)
    assert line["trace"].splitlines()[-1] == "ValueError: broken" and "exc_info" not in line


def test_a_line_of_a_request_that_asks_for_privacy_holds_no_personal_data_of_a_known_form() -> None:
    def private() -> dict[str, Any]:
        ask_for_privacy("mask")
        return logged(logging.WARNING, "mail to li@example.cn", extra={"cause": "13812345678"})

    line = contextvars.copy_context().run(private)
    assert (line["message"], line["cause"]) == ("mail to <EMAIL>", "<PHONE>")
    assert logged(logging.WARNING, "mail to li@example.cn")["message"] == "mail to li@example.cn"
