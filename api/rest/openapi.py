"""What `/docs` shows beyond the schemas: its chapters, bodies that are JSON or a form, answers that are none, keys."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.schemas import ChatBody, Failure
from domain.words import Words

TAGS = [
    {"name": name, "description": " ".join(words)}
    for name, words in (
        (
            "chat",
            Words("Ask, with or without files; as JSON or as a stream.", "提问，可附文件；以 JSON 或事件流回答。"),
        ),
        ("runs", Words("Turns that live apart from the connection.", "独立于连接的运行：后台启动、查询、续接、停止。")),
        ("sessions", Words("Conversations and their transcripts.", "会话及其完整记录。")),
        ("sharing", Words("Conversations shown to others by a link.", "通过链接向他人展示会话。")),
        ("documents", Words("Files: uploaded, read, searched, deleted.", "文件：上传、阅读、检索、删除。")),
        ("memories", Words("What is remembered of the caller.", "跨会话记住的、关于用户的内容。")),
        ("feedback", Words("Votes on answers.", "对回答的评价。")),
        ("people", Words("Who calls, users, keys, usage, profiles.", "当前用户、用户、密钥、用量与个人设置。")),
        ("tools", Words("What the model may call, and the roles it can take.", "模型可以调用的工具与可用角色。")),
        (
            "permissions",
            Words("What tools are allowed without asking.", "哪些工具调用无需再询问。"),
        ),
        ("speech", Words("Text to speech and back.", "语音合成与识别。")),
        ("operation", Words("Health and metrics.", "健康状态与指标。")),
        ("openai", Words("The API of OpenAI, for its clients.", "与 OpenAI 客户端兼容的接口。")),
        ("agent", Words("The graph by LangServe, for `RemoteRunnable`.", "由 LangServe 提供的图。")),
        ("agent/tokens", Words("The same, token by token.", "同上，逐词输出。")),
        ("agent/config", Words("The same, with the configuration in the path.", "同上，配置写在路径中。")),
    )
]

_SHARED = "#/components/schemas/{model}"
_SCHEMA = ChatBody.model_json_schema(ref_template=_SHARED)
_PARTS = _SCHEMA.pop("$defs")
_FORM_FIELDS: dict[str, Any] = {
    **_SCHEMA["properties"],
    "password": {"type": "string", "description": "Opens protected files."},
}
CHAT_BODY: dict[str, Any] = {
    "application/json": {
        "schema": _SCHEMA,
        "examples": {
            name: {"value": value} for name, value in zip(("english", "chinese"), _SCHEMA["examples"], strict=True)
        },
    }
}


def form_body(*names: str) -> dict[str, Any]:
    """Return the OpenAPI of a form with files in fields of these names."""
    files = {name: {"type": "array", "items": {"type": "string", "format": "binary"}} for name in names}
    schema = {"type": "object", "properties": {**files, **_FORM_FIELDS}}
    return {"multipart/form-data": {"schema": schema, "example": {"message": "What is this?", "session_id": "s-1"}}}


def request_body(*content: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI of a body that may come in any of these types."""
    merged = {kind: schema for part in content for kind, schema in part.items()}
    return {"requestBody": {"required": True, "content": merged}}


def recording_body(*fields: str) -> dict[str, Any]:
    """Return the OpenAPI of a form with one recording in `file` and text in these fields."""
    properties = {"file": {"type": "string", "format": "binary"}, **{name: {"type": "string"} for name in fields}}
    schema = {"type": "object", "required": ["file"], "properties": properties}
    return request_body({"multipart/form-data": {"schema": schema}})


IMAGE_BODY, FILE_BODY, FILES_BODY = form_body("image"), form_body("file"), form_body("file", "image")


BINARY = {"type": "string", "format": "binary"}


def answers(*kinds: str) -> dict[str, Any]:
    """Return the OpenAPI of an answer in one of these media types: JSON, text or bytes."""
    schemas = {"application": {}, "text": {"type": "string"}}
    return {"content": {kind: {"schema": schemas.get(kind.partition("/")[0], BINARY)} for kind in kinds}}


EVENTS: dict[int | str, dict[str, Any]] = {200: {"description": "Server-Sent Events", **answers("text/event-stream")}}
_FAILURES = {"401": "No valid API key", "403": "Not allowed from there", "429": "Too many requests"}


def described(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI of the application: with its keys, and for every route the errors that it really gives."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            routes=app.routes,
            tags=app.openapi_tags,
            separate_input_output_schemas=False,  # generators make two classes of one name of them
        )
        named = Failure.model_json_schema(ref_template=_SHARED)
        parts = schema["components"]
        parts["schemas"] |= named.pop("$defs") | {"Failure": named} | _PARTS
        parts["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer", "description": "One of API_KEYS, where they are set."}
        }
        schema["security"] = [{"bearer": []}, {}]
        for path, operations in schema["paths"].items():
            for operation in operations.values():
                _describe(path, operation["responses"])
        for name in ("HTTPValidationError", "ValidationError"):
            parts["schemas"].pop(name, None)
        app.openapi_schema = schema
    return app.openapi_schema


def _describe(path: str, responses: dict[str, Any]) -> None:
    """Put the failures of a route to its answers; LangServe declares its streams as JSON."""
    wrong = "400" if path.startswith("/v1/") else "422"
    responses.pop("422", None)
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}}
    for code, text in {wrong: "Not a valid request", **_FAILURES}.items():
        responses[code] = {"description": text, "content": body}
    if "{" in path:
        responses.setdefault("404", {"description": "There is none of this name", "content": body})
    if path.startswith("/agent/") and "stream" in path.rpartition("/")[2]:
        responses["200"] = EVENTS[200]
