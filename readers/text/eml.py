"""E-mail messages (EML): headers and body as one page, attachments as files of their own."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from pathlib import Path

from domain.errors import FileTooLarge
from domain.language import language_of
from readers.interface import PARTS, Embedded, Item, Options, Outline, Page
from readers.text.calendar import calendar_text
from readers.text.encodings import decode, decode_page
from readers.text.markup import seen_markdown
from readers.text.tnef import TNEF_TYPES, unpacked
from readers.texts import ATTACHMENTS, MESSAGE_PARTS, filled

MAX_PARTS = 1000
MAX_ATTACHMENTS = 20
_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_BODIES = {"text/plain", "text/html", "text/calendar"}
_SAME_WORDS = 0.5
"""A plain form with less than this share of the words of the HTML form is a stub."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A part without parts, and the number of the choice between forms that it belongs to, if any."""

    part: Message
    choice: int = 0


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline, one page, and the attachments (the first `MAX_ATTACHMENTS`) of the message at `path`.

    Raises:
        FileTooLarge: more than `MAX_PARTS` parts.
    """
    with path.open("rb") as file:
        message = BytesParser(policy=compat32).parse(file)
    bodies, files, unread, hidden = _contents(message, options.name)
    skipped = len(files) - MAX_ATTACHMENTS
    warnings = (*((f"files_skipped:{skipped}",) if skipped > 0 else ()), *((f"{PARTS}:{unread}",) if unread else ()))
    subject = _header(message, "Subject")
    yield Outline(options.media_type, "section", 1, subject, warnings=warnings)
    names = [name for name, _ in files]
    text = "\n\n".join(part for part in (_head(message, names), *bodies) if part.strip())
    yield Page(1, "1", text, hidden=hidden)
    yield from (Embedded(name, data) for name, data in files[:MAX_ATTACHMENTS])


def message_text(data: bytes) -> str:
    """Return the text of a message, or of a web page saved as one (MHTML), without its headers.

    Raises:
        FileTooLarge: more than `MAX_PARTS` parts.
    """
    return "\n\n".join(_contents(BytesParser(policy=compat32).parsebytes(data), "")[0])


def _contents(message: Message, name: str) -> tuple[list[str], list[tuple[str, bytes]], int, str]:
    """Return the bodies as text, the files with their names, how many parts could not be read, and hidden text."""
    leaves = list(_leaves(message, name))
    read = [_seen(part) for part in _chosen([leaf for leaf in leaves if _is_body(leaf.part)])]
    bodies = [text for text, _ in read if text.strip()]
    files: list[tuple[str, bytes]] = []
    unread = 0
    for part in (leaf.part for leaf in leaves if not _is_body(leaf.part)):
        data = _payload(part)
        if part.get_content_type() in TNEF_TYPES:
            text, inside = unpacked(data)
            unread += not (text or inside)
            bodies += [text] if text and not bodies else []
            files += inside
        elif data:
            files.append((_filename(part) or _default_name(part, len(files) + 1), data))
    return bodies, files, unread, "\n".join(filter(None, (text for _, text in read)))


def _leaves(message: Message, name: str) -> Iterator[_Leaf]:
    """Yield the leaves of the MIME tree in order; an attached message is a leaf."""
    queue, seen = [_Leaf(message)], 0
    while queue:
        leaf = queue.pop()
        part = leaf.part
        seen += 1
        if seen > MAX_PARTS:
            raise FileTooLarge(name=name, limit=filled(MESSAGE_PARTS, MAX_PARTS))
        inner = part.get_payload() if part.is_multipart() and part.get_content_type() != "message/rfc822" else None
        if not isinstance(inner, list):
            yield leaf
            continue
        choice = leaf.choice or (seen if part.get_content_type() == "multipart/alternative" else 0)
        queue += [_Leaf(one, choice) for one in reversed(inner) if isinstance(one, Message)]


def _is_body(part: Message) -> bool:
    named = part.get_content_disposition() == "attachment" or part.get_filename()
    return part.get_content_type() in _BODIES and not named


def _chosen(leaves: list[_Leaf]) -> list[Message]:
    """Return the parts to read: where a text comes in several forms HTML only if plain text does not say the same."""
    plain: dict[int, str] = {}
    for leaf in leaves:
        if leaf.choice and leaf.part.get_content_type() == "text/plain":
            plain[leaf.choice] = f"{plain.get(leaf.choice, '')} {_body(leaf.part)}"
    return [
        leaf.part
        for leaf in leaves
        if leaf.part.get_content_type() != "text/html" or _is_stub(plain.get(leaf.choice, ""), _body(leaf.part))
    ]


def _is_stub(plain: str, rich: str) -> bool:
    has, says = set(_words(plain)), set(_words(rich))
    return len(has & says) < _SAME_WORDS * len(says) and len(plain.strip()) < len(rich)


def _words(text: str) -> list[str]:
    """Return words; of scripts without spaces, whose lines are single words, the characters."""
    return [word for word in _WORD.findall(text) if word.isascii()] + [one for one in text if one > "\u2e7f"]


def _default_name(part: Message, number: int) -> str:
    return f"attachment-{number}.eml" if part.get_content_type() == "message/rfc822" else f"attachment-{number}"


def _head(message: Message, names: list[str]) -> str:
    subject = _header(message, "Subject")
    lines = [f"# {subject}\n"] if subject else []
    lines += [f"- {name}: {value}" for name in _HEADERS if (value := _header(message, name))]
    if names:
        lines.append(f"- {ATTACHMENTS.text(language_of(subject, 'en'))}: " + ", ".join(names))
    return "\n".join(lines)


def _header(message: Message, name: str) -> str:
    values = [value for key, value in message.raw_items() if key.lower() == name.lower()]
    return _decoded(str(values[0]), message.get_content_charset()) if values else ""


def _filename(part: Message) -> str:
    try:
        return _decoded(part.get_filename() or "", part.get_content_charset())
    except (ValueError, LookupError, UnicodeError):
        return ""


def _decoded(value: str, charset: str | None = None) -> str:
    """Return the text of a header: encoded words by RFC 2047, and bytes that senders left as they were."""
    if not value.isascii():
        value = decode(value.encode("utf-8", "surrogateescape"), charset)[0]
    try:
        parts = decode_header(re.sub(r"\r?\n[ \t]*", " ", value))
    except (ValueError, binascii.Error):
        parts = [(value, None)]
    text = "".join(part if isinstance(part, str) else decode(part, label)[0] for part, label in parts)
    return " ".join(text.split())


def _body(part: Message) -> str:
    return _seen(part)[0]


def _seen(part: Message) -> tuple[str, str]:
    """Return what is shown of a body, and what is not."""
    data, charset, kind = _payload(part), part.get_content_charset(), part.get_content_type()
    if kind == "text/html":
        try:
            return seen_markdown(decode_page(data, charset))
        except RecursionError:
            return "", ""
    text = decode(data, charset)[0]
    return calendar_text(text) if kind == "text/calendar" else text, ""


def _payload(part: Message) -> bytes:
    """Return the bytes of a leaf; an attached message may, against the standard, be encoded like any file."""
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        message = inner[0].as_bytes() if isinstance(inner, list) and inner and isinstance(inner[0], Message) else b""
        encoding = str(part.get("Content-Transfer-Encoding") or "").strip().lower()
        try:
            message = base64.b64decode(message) if encoding == "base64" else message
        except binascii.Error:
            return message
        return quopri.decodestring(message) if encoding == "quoted-printable" else message
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""
