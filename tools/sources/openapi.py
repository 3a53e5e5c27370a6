"""An OpenAPI 3 document as operations: their schemas, and requests that no argument can bend."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urljoin

import httpx

from domain.words import Words
from tools.interface import Permission
from tools.sources import texts
from tools.sources.config import BadSource

METHODS: Mapping[str, Permission] = {
    "get": "read", "head": "read", "post": "write", "put": "write", "patch": "write", "delete": "write",
}  # fmt: skip
FORBIDDEN = frozenset({"authorization", "proxy-authorization", "cookie", "host", "content-length", "content-type",
                       "transfer-encoding", "connection", "accept", "x-api-key"})  # fmt: skip
"""Headers that come from the configuration or the client, never from a model."""
MOST_OPERATIONS = 500
MOST_NODES = 5000
"""Most parts of one operation's schema, references followed."""
MOST_DEPTH = 40
DESCRIPTION_CHARS = 1000
FORM = "application/x-www-form-urlencoded"
_Pairs = list[tuple[str, str | int | float | bool | None]]
Where = Literal["path", "query", "header", "body"]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an argument goes: its kind, its name there, and how lists and objects are written."""

    where: Where
    name: str
    style: str
    explode: bool


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation: what the model reads, and where its arguments go.

    Attributes:
        name: Its operationId, else method and path.
        base: URL that its path goes behind.
        places: Where each argument goes.
        media_type: Of its body; empty: it has none.
    """

    name: str
    title: str
    description: str
    schema: Mapping[str, Any]
    method: str
    base: str
    path: str
    places: Mapping[str, Place]
    media_type: str = ""

    @property
    def permission(self) -> Permission:
        """What a call may do, by its method."""
        return METHODS[self.method]

    @property
    def definition(self) -> dict[str, Any]:
        """All that an approval covers."""
        places = {name: [it.where, it.name, it.style, it.explode] for name, it in self.places.items()}
        return {
            "name": self.name, "title": self.title, "description": self.description, "schema": self.schema,
            "method": self.method, "url": self.base + self.path, "places": places, "media_type": self.media_type,
        }  # fmt: skip

    def request(self, arguments: Mapping[str, Any], query: Mapping[str, str]) -> Request:
        """Return the request of a call; `query` is added to its query string.

        Raises:
            ValueError: An argument would leave the path of the operation.
        """
        path, body = self.path, None
        headers: dict[str, str] = {}
        pairs: _Pairs = list(query.items())
        for name, value in arguments.items():
            place = self.places[name]
            if place.where == "path":
                path = path.replace("{" + place.name + "}", _segment(name, value))
            elif place.where == "query":
                pairs += _pairs(place, value)
            elif place.where == "header":
                headers[place.name] = re.sub(r"[^\t\x20-\x7e]", " ", _text(value))
            else:
                body, headers["Content-Type"] = _body(value, self.media_type), self.media_type
        url = httpx.URL(self.base + path)
        return Request(self.method.upper(), str(url.copy_merge_params(pairs) if pairs else url), headers, body)


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None


def operations(document: Mapping[str, Any], *, at: str, base: str | None) -> list[Operation]:
    """Return the operations of a document, in its order; those that take only other bodies than JSON and forms are out.

    Args:
        document: The parsed document.
        at: Where it was read: servers may be named relative to it.
        base: Where the operations are, whatever the document says.

    Raises:
        BadSource: It is no OpenAPI 3 document, refers to others, or names no server.
    """
    if not str(document.get("openapi", "")).startswith("3.") or not isinstance(document.get("paths"), dict):
        raise BadSource(name=at, reason=Words("it is not an OpenAPI 3 document", "不是 OpenAPI 3 文档"))
    found: dict[str, Operation] = {}
    try:
        for path, item, method in _methods(document):
            made = _operation(document, path, item, method, base or _server(document, at))
            if made is not None and len(found) < MOST_OPERATIONS:
                found.setdefault(made.name, made)
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        raise BadSource(name=at, reason=Words("it is not well-formed", "格式有误")) from exc
    return list(found.values())


def _methods(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if isinstance(item, dict) and isinstance(item.get(method), dict):
                yield path, item, method


def _server(document: Mapping[str, Any], at: str) -> str:
    server = (document.get("servers") or [{"url": "/"}])[0]
    url = str(server["url"])
    for name, variable in (server.get("variables") or {}).items():
        url = url.replace("{" + name + "}", str(variable["default"]))
    url = urljoin(at, url)
    if not url.startswith(("http://", "https://")):
        raise BadSource(name=at, reason=texts.NO_SERVER)
    return url


def _operation(
    document: Mapping[str, Any], path: str, item: Mapping[str, Any], method: str, base: str
) -> Operation | None:
    spec = item[method]
    reading = _Inliner(document)
    properties: dict[str, Any] = {}
    required: list[str] = []
    places: dict[str, Place] = {}
    for raw in _parameters(document, item, spec):
        parameter = reading.inlined(raw)
        where, real = parameter["in"], str(parameter["name"])
        name = re.sub(r"[^a-zA-Z0-9_-]+", "_", real).strip("_") or where
        name = name if name not in properties else f"{where}_{name}"
        told = {"description": parameter["description"]} if parameter.get("description") else {}
        properties[name] = {**_schema(parameter), **told}
        style = parameter.get("style") or ("form" if where == "query" else "simple")
        places[name] = Place(where=where, name=real, style=style, explode=parameter.get("explode", style == "form"))
        required += [name] if parameter.get("required") or where == "path" else []
    body = reading.inlined(spec.get("requestBody") or {})
    media_type, content = _content(body.get("content") or {})
    if body.get("content") and not media_type:
        return None
    if media_type:
        name = "body" if "body" not in properties else "request_body"
        properties[name] = content
        places[name] = Place(where="body", name="", style="", explode=False)
        required += [name] if body.get("required") else []
    title = str(spec.get("summary") or "")
    text = " ".join(f"{title}. {spec.get('description') or ''}".strip(". ").split())
    return Operation(
        name=str(spec.get("operationId") or f"{method}{path}"), title=title, description=text[:DESCRIPTION_CHARS],
        schema={"type": "object", "properties": properties, "required": required, "additionalProperties": False},
        method=method, base=base.rstrip("/"), path=path, places=places, media_type=media_type,
    )  # fmt: skip


def _parameters(
    document: Mapping[str, Any], item: Mapping[str, Any], spec: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """Return the parameters that a model may fill: of the path, overridden by those of the operation."""
    schemes = (document.get("components") or {}).get("securitySchemes") or {}
    keys = {str(scheme.get("name")).lower() for scheme in schemes.values() if scheme.get("type") == "apiKey"}
    found = {}
    for raw in [*item.get("parameters", ()), *spec.get("parameters", ())]:
        parameter = _resolved(raw, document)
        where, name = parameter["in"], str(parameter["name"]).lower()
        if where in ("path", "query", "header") and name not in keys and not (where == "header" and name in FORBIDDEN):
            found[where, name] = parameter
    return list(found.values())


def _schema(parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    if "schema" in parameter:
        return dict(parameter["schema"])
    return next((dict(it.get("schema") or {}) for it in (parameter.get("content") or {}).values()), {})


def _content(content: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    for media_type, it in content.items():
        if media_type.partition(";")[0].endswith(("/json", "+json")) or media_type == FORM:
            return media_type, it.get("schema") or {}
    return "", {}


def _resolved(node: Any, document: Mapping[str, Any]) -> Any:
    for _ in range(MOST_DEPTH):
        if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
            break
        reference = node["$ref"]
        if not reference.startswith("#/"):
            raise BadSource(name="$ref", reason=Words("it refers to another document", "引用了其他文档"))
        node = document
        for part in reference[2:].split("/"):
            node = node[part.replace("~1", "/").replace("~0", "~")]
    return node


class _Inliner:
    """Follows references inside a document. A schema inside itself, and what is too large, becomes any value."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document, self._left = document, MOST_NODES

    def inlined(self, node: Any, above: tuple[str, ...] = (), depth: int = 0) -> Any:
        """Return `node` with its references followed, in the dialect of JSON schema 2020-12."""
        self._left -= 1
        if isinstance(node, list):
            return [self.inlined(it, above, depth + 1) for it in node[: max(self._left, 0)]]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref")
        if self._left < 0 or depth > MOST_DEPTH or (isinstance(reference, str) and reference in above):
            return {}
        if isinstance(reference, str):
            target = _resolved(node, self._document)
            return self.inlined(target, (*above, reference), depth + 1)
        return _modern({key: self.inlined(value, above, depth + 1) for key, value in node.items()})


def _modern(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema of OpenAPI 3.0 as one of 3.1: `nullable`, and exclusive limits as numbers."""
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        schema = {**schema, "type": [schema["type"], "null"]}
        if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]
    for limit, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(exclusive), bool):
            value = schema.pop(exclusive)
            if value and limit in schema:
                schema[exclusive] = schema.pop(limit)
    return schema


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(_text(it) for it in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def _segment(name: str, value: Any) -> str:
    text = _text(value)
    if text in ("", ".", ".."):  # `quote` leaves dots as they are, and servers walk up
        raise ValueError(f"{name} may not be {text!r}")
    return quote(text, safe="")


def _pairs(place: Place, value: Any) -> _Pairs:
    if isinstance(value, list) and place.explode:
        return [(place.name, _text(it)) for it in value]
    if isinstance(value, dict) and place.style == "deepObject":
        return [(f"{place.name}[{key}]", _text(it)) for key, it in value.items()]
    if isinstance(value, dict) and place.explode:
        return [(str(key), _text(it)) for key, it in value.items()]
    return [(place.name, _text(value))]


def _body(value: Any, media_type: str) -> bytes:
    if media_type != FORM:
        return json.dumps(value, ensure_ascii=False).encode()
    rows = value.items() if isinstance(value, dict) else []
    pairs: _Pairs = [
        (str(key), _text(it)) for key, values in rows for it in (values if isinstance(values, list) else [values])
    ]
    return str(httpx.QueryParams(pairs)).encode()
