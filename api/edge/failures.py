"""Every error a client sees, in one shape: `{"error": {"code", "message", "remedy", "request_id"}}`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, cast

from babel import negotiate_locale
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from redis.exceptions import RedisError
from redisvl.exceptions import RedisVLError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from api.edge.attempts import note_failure
from domain.errors import (
    AppError,
    BadInput,
    DiskFull,
    MethodNotAllowed,
    ModelKeyRefused,
    ModelNotFound,
    ModelSpent,
    RateLimited,
    Unauthorized,
    Unfit,
    UnknownPath,
)
from domain.words import Language, Words
from stores.disk import is_disk_full
from stores.redis.server import memory_error

logger = logging.getLogger(__name__)

_REASONS: dict[str, Words] = {
    "missing": Words("is required", "为必填项"),
    "extra_forbidden": Words("is not a known field", "不是已知字段"),
    "string_type": Words("must be text", "必须是文本"),
    "int_type": Words("must be a whole number", "必须是整数"),
    "int_parsing": Words("must be a whole number", "必须是整数"),
    "bool_type": Words("must be true or false", "必须是 true 或 false"),
    "list_type": Words("must be a list", "必须是列表"),
    "dict_type": Words("must be an object", "必须是对象"),
    "model_attributes_type": Words("must be an object", "必须是对象"),
    "string_too_short": Words("is empty", "不能为空"),
    "string_too_long": Words("is too long", "过长"),
    "string_pattern_mismatch": Words("has a form or characters that are not allowed", "的格式或字符不符合要求"),
    "json_invalid": Words("is not valid JSON", "不是有效的 JSON"),
}


def asked_language(request: Request, default: Language = "en") -> Language:
    """Return the language that the client reads: of the message it sent, else by `Accept-Language`, else `default`."""
    if spoken := getattr(request.state, "language", None):
        return cast("Language", spoken)
    ranges = [part.partition(";q=") for part in request.headers.get("accept-language", "").replace(" ", "").split(",")]
    preferred = [tag for tag, _, weight in sorted(ranges, key=lambda part: -_weight(part[2]))]
    return cast("Language", negotiate_locale(preferred, ["en", "zh"], sep="-") or default)


def _weight(text: str) -> float:
    try:
        return float(text or 1)
    except ValueError:
        return 0.0


def error_body(error: AppError, language: Language, request_id: str) -> dict[str, dict[str, Any]]:
    """Return the body of a failed request."""
    return {"error": {**error.body(language), "request_id": request_id}}


def error_response(request: Request, error: AppError) -> JSONResponse:
    """Return the response for a failed request, in the language of the message that failed, else the client's."""
    status = error.status
    body = error_body(error, error.language or asked_language(request), getattr(request.state, "request_id", ""))
    if request.url.path.startswith("/v1/"):
        status = 400 if status == 422 else status
        body["error"] |= {"type": openai_type(status), "param": None}
    headers: dict[str, str] = {}
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(error.details.get("seconds", 60))
    elif "retry_after" in error.details:
        headers["Retry-After"] = str(error.details["retry_after"])
    if isinstance(error, ModelKeyRefused | ModelNotFound | ModelSpent):
        headers["X-Should-Retry"] = "false"  # OpenAI's clients ask the same again otherwise
    return JSONResponse(body, status_code=status, headers=headers)


def openai_type(status: int) -> str:
    """Return the kind of an error of this status, in OpenAI's words."""
    return {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}.get(
        status, "invalid_request_error" if status < 500 else "server_error"
    )


def as_app_error(error: BaseException) -> AppError:
    """Return the error that a client may see; anything unexpected is logged and becomes `internal_error`."""
    if isinstance(error, AppError):
        return error
    if isinstance(error, RedisError | RedisVLError):
        return memory_error(error)
    if is_disk_full(error):
        logger.error("the disk is full", extra={"error": type(error).__name__})
        return DiskFull()
    if isinstance(error, HTTPException) and error.status_code < 500:
        return BadInput(reason=Words(str(error.detail), "格式有误"))
    logger.error("unforeseen error", exc_info=error)
    return AppError()


def validation_reason(problems: Sequence[object]) -> Words:
    """Return what is wrong with a request, as one readable sentence in each language."""
    told = [_problem(problem) for problem in problems[:5]]
    return Words("; ".join(problem.en for problem in told), "；".join(problem.zh for problem in told))


def _problem(problem: object) -> Words:
    if not isinstance(problem, Mapping):
        return Words(str(problem), "格式有误")
    kind = str(problem.get("type"))
    where = problem.get("loc", ())
    named = where[1:] if len(where) > 1 and where[0] in ("body", "query", "path", "header") else where
    places = [str(part) for part in named if part != "body"]
    place = "body" if kind == "json_invalid" else ".".join(places)
    cause = (problem.get("ctx") or {}).get("error")
    message = str(problem.get("msg", "is not valid")).removeprefix("Value error, ")
    words = cause.words if isinstance(cause, Unfit) else _REASONS.get(kind, Words(message, "不符合要求"))
    return Words(f"{place} {words.en}".strip(), f"{place} {words.zh}".strip())


def _allowed_methods(request: Request) -> list[str]:
    """Return the methods that the path of a request knows."""

    def known(method: str) -> bool:
        return any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes)

    found = {method for method in ("DELETE", "GET", "PATCH", "POST", "PUT") if known(method)}
    return sorted(found | {"HEAD"} if "GET" in found else found)


def install_error_handlers(app: FastAPI) -> None:
    """Map every exception of a route to the one shape."""

    async def on_app_error(request: Request, exc: Exception) -> JSONResponse:
        error = as_app_error(exc)
        note_failure(request, error)
        return error_response(request, error)

    async def on_validation_error(request: Request, exc: Exception) -> JSONResponse:
        problems = cast("RequestValidationError", exc).errors()
        return error_response(request, BadInput(reason=validation_reason(problems)))

    async def on_http_error(request: Request, exc: Exception) -> JSONResponse:
        status, path = cast("HTTPException", exc).status_code, request.url.path
        if status == 405:
            response = error_response(request, MethodNotAllowed(method=request.method, path=path))
            response.headers["Allow"] = ", ".join(_allowed_methods(request))
            return response
        return error_response(request, UnknownPath(path=path) if status == 404 else as_app_error(exc))

    async def on_client_left(request: Request, exc: Exception) -> Response:
        return Response(status_code=499)

    app.add_exception_handler(ClientDisconnect, on_client_left)
    app.add_exception_handler(AppError, on_app_error)
    app.add_exception_handler(RedisError, on_app_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(ValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_error)
