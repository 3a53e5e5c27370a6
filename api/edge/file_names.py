"""Names of uploaded files, in every form in which clients send them."""

from __future__ import annotations

import binascii
import re
from email.header import decode_header
from urllib.parse import unquote_to_bytes

from readers.text.encodings import decode

_PARAMETER = re.compile(rb""";\s*([^\s=;"]+?)(\*\d{1,2})?(\*)?\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)""", re.S)
_MOST_PARTS = 100


def file_name(disposition: bytes) -> str | None:
    r"""Return the name of the file that a part of a form brings; `None` for one that is no file.

    `filename*` (RFC 5987, in parts by RFC 2231) goes before `filename`, which browsers write in UTF-8, old programs in
    an encoding of their own, and .NET as encoded words (RFC 2047).

    Args:
        disposition: The value of its `Content-Disposition`.

    Example:
        >>> file_name(b'form-data; name="file"; filename="=?utf-8?B?5oql5Lu35Y2VLmNzdg==?="')
        '报价单.csv'
        >>> file_name(b"form-data; name=file; filename*=UTF-8''%E6%8A%A5%E4%BB%B7.csv")
        '报价.csv'
        >>> file_name(b'form-data; name="message"') is None
        True
    """
    plain: bytes | None = None
    extended: dict[int, bytes] = {}
    for match in list(_PARAMETER.finditer(disposition))[:_MOST_PARTS]:
        if match[1].lower() != b"filename":
            continue
        value = match[4].strip()
        if value[:1] == b'"':
            value = value[1:-1].replace(b'\\"', b'"')
        if match[2] or match[3]:
            part = int(match[2][1:]) if match[2] else 0
            extended[part] = unquote_to_bytes(value) if match[3] else value
        else:
            plain = value
    if extended:
        return _extended(b"".join(extended[part] for part in sorted(extended)))
    return None if plain is None else _decoded(plain)


def _extended(value: bytes) -> str:
    """Decode `charset'language'text`; without its two marks it is text."""
    charset, mark, rest = value.partition(b"'")
    _, second, text = rest.partition(b"'")
    if not (mark and second):
        return _decoded(value)
    return decode(text, charset.decode("ascii", "replace") or "utf-8")[0]


def _decoded(value: bytes) -> str:
    text = decode(value)[0]
    if "=?" not in text:
        return text
    try:
        parts = decode_header(text)
    except (ValueError, binascii.Error):
        return text
    return "".join(part if isinstance(part, str) else decode(part, charset)[0] for part, charset in parts)
