"""Takes message content apart: what was said, and what came with it.

Understands LangChain's standard blocks (`text`, `image`, `file`, `audio`, `text-plain`), their older `source_type`
form, OpenAI's parts (`image_url`, `file`, `input_audio`), and references to uploaded attachments (`file_id`, or a block
of type `attachment`).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote_to_bytes

from domain.errors import BadInput
from domain.words import Words
from turn.texts import (
    BLOCK_BASE64,
    BLOCK_DATA_URL,
    BLOCK_EMPTY,
    BLOCK_NO_BASE64,
    BLOCK_NO_OBJECT,
    BLOCK_UNKNOWN,
    BLOCK_URL,
)  # fmt: skip

_DATA_URL = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+)?(?P<params>(?:;[\w.=+-]+)*?)(?P<b64>;base64)?,")
_MAX_NAME = 200
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class InlinePart:
    """One file inside a message, the block `number` of it: exactly one of the last four fields is set."""

    name: str
    media_type: str = ""
    number: int = 0
    data: bytes | None = None
    base64: str | None = None
    url: str | None = None
    attachment_id: str | None = None

    def decoded(self) -> InlinePart:
        """Return the part with its `base64` as `data`; it takes a second for the largest body that is taken.

        Raises:
            BadInput: It is not valid base64.
        """
        if self.base64 is None:
            return self
        try:
            # In pieces, so that other threads have their turn between them; line breaks are rare and cost a copy.
            text = "".join(self.base64.split()) if any(blank in self.base64 for blank in " \r\n") else self.base64
            data = b"".join(
                base64.b64decode(text[start : start + _PIECE], validate=True) for start in range(0, len(text), _PIECE)
            )
        except (binascii.Error, ValueError) as exc:
            raise _bad_block(BLOCK_BASE64, self.number) from exc
        return replace(self, data=data, base64=None)


def split_content(content: str | Sequence[object]) -> tuple[str, list[InlinePart]]:
    """Return the text of a message and the files in it, base64 as it was sent.

    Raises:
        BadInput: A block is of no known form.
    """
    if isinstance(content, str):
        return content, []
    texts: list[str] = []
    parts: list[InlinePart] = []
    for number, block in enumerate(content, 1):
        if isinstance(block, str):
            texts.append(block)
        elif not isinstance(block, Mapping):
            raise _bad_block(BLOCK_NO_OBJECT, number)
        elif block.get("type") in ("text", "input_text"):
            texts.append(str(block.get("text") or ""))
        else:
            parts.append(_part(block, number))
    return "\n".join(text for text in texts if text), parts


def _part(block: Mapping[str, object], number: int) -> InlinePart:
    kind = str(block.get("type") or "")
    if kind not in _PARSERS:
        raise _bad_block(BLOCK_UNKNOWN, number, kind)
    part = _PARSERS[kind](block, number)
    if part.data is None and part.base64 is None and part.url is None and part.attachment_id is None:
        raise _bad_block(BLOCK_EMPTY, number, kind)
    return part


def _openai_image(block: Mapping[str, object], number: int) -> InlinePart:
    value = block.get("image_url")
    url = value.get("url") if isinstance(value, Mapping) else value
    return _from_url(str(url or ""), _name(block, f"image-{number}"), number)


def _openai_audio(block: Mapping[str, object], number: int) -> InlinePart:
    value = _mapping(block.get("input_audio"))
    form = str(value.get("format") or "wav")
    return _encoded(f"audio-{number}.{form}", f"audio/{form}", value.get("data"), number)


def _plain_text(block: Mapping[str, object], number: int) -> InlinePart:
    return InlinePart(_name(block, f"text-{number}.txt"), "text/plain", data=str(block.get("text") or "").encode())


def _reference(block: Mapping[str, object], number: int) -> InlinePart:
    return InlinePart(_name(block, ""), attachment_id=str(block.get("id") or "") or None)


def _standard(block: Mapping[str, object], number: int) -> InlinePart:
    nested = _mapping(block.get("file"))
    if nested:
        return _openai_file(nested, number)
    kind = str(block["type"])
    name, media_type = _name(block, f"{kind}-{number}"), str(block.get("mime_type") or "")
    reference = block.get("file_id") or (block.get("id") if block.get("source_type") == "id" else None)
    data = block.get("base64") or block.get("data")
    if data:
        return _encoded(name, media_type, data, number)
    if block.get("source_type") == "text":
        return InlinePart(name, media_type or "text/plain", data=str(block.get("text") or "").encode())
    if block.get("url"):
        return _from_url(str(block["url"]), name, number)
    return InlinePart(name, media_type, attachment_id=str(reference) if reference else None)


def _openai_file(value: Mapping[str, object], number: int) -> InlinePart:
    name = str(value.get("filename") or f"file-{number}")[:_MAX_NAME]
    data = value.get("file_data")
    if isinstance(data, str) and data.startswith("data:"):
        return _from_url(data, name, number)
    if data:
        return _encoded(name, "", data, number)
    reference = value.get("file_id")
    return InlinePart(name, attachment_id=str(reference) if reference else None)


_PARSERS = {
    "image": _standard,
    "file": _standard,
    "audio": _standard,
    "text-plain": _plain_text,
    "image_url": _openai_image,
    "input_image": _openai_image,
    "input_audio": _openai_audio,
    "attachment": _reference,
}


def _from_url(url: str, name: str, number: int) -> InlinePart:
    if url.startswith("data:"):
        match = _DATA_URL.match(url)
        if match is None:
            raise _bad_block(BLOCK_DATA_URL, number)
        if match["b64"]:
            return InlinePart(name, match["type"] or "", number, base64=url[match.end() :])
        return InlinePart(name, match["type"] or "", number, data=unquote_to_bytes(url[match.end() :]))
    if url.startswith(("http://", "https://")):
        return InlinePart(url.split("?")[0].rstrip("/").rsplit("/", 1)[-1][:_MAX_NAME] or name, url=url)
    raise _bad_block(BLOCK_URL, number)


def _encoded(name: str, media_type: str, data: object, number: int) -> InlinePart:
    if not isinstance(data, str):
        raise _bad_block(BLOCK_NO_BASE64, number)
    if data.startswith("data:"):
        return replace(_from_url(data, name, number), media_type=media_type)
    return InlinePart(name, media_type, number, base64=data)


def _bad_block(reason: Words, number: int, kind: str = "") -> BadInput:
    return BadInput(reason=Words(*(text.format(n=number, kind=kind) for text in reason)))


def _name(block: Mapping[str, object], default: str) -> str:
    extras = {**_mapping(block.get("metadata")), **_mapping(block.get("extras"))}
    for value in (block.get("filename"), block.get("name"), extras.get("filename"), extras.get("name")):
        if isinstance(value, str) and value.strip():
            return value.strip()[:_MAX_NAME]
    return default


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
