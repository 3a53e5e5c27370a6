"""E-mail messages (EML): headers and body as one page, attachments as files of their own."""

from __future__ import annotations

from collections.abc import Iterator
from email import policy
from email.message import EmailMessage, Message
from email.parser import BytesParser
from pathlib import Path

from domain.errors import FileTooLarge
from domain.language import language_of
from readers.interface import Embedded, Item, Options, Outline, Page
from readers.text.encodings import decode
from readers.text.markup import to_markdown
from readers.texts import ATTACHMENTS, PARTS, filled

MAX_PARTS = 1000
MAX_ATTACHMENTS = 20
_HEADERS = ("From", "To", "Cc", "Date", "Subject")


def read(path: Path, options: Options) -> Iterator[Item]:
    """Yield the outline, one page, and the attachments (the first `MAX_ATTACHMENTS`) of the message at `path`.

    Raises:
        FileTooLarge: more than `MAX_PARTS` parts.
    """
    with path.open("rb") as file:
        message = BytesParser(_class=EmailMessage, policy=policy.default).parse(file)
    parts = _parts(message, options.name)
    bodies, files = _sort(parts)
    warnings = (f"files_skipped:{len(files) - MAX_ATTACHMENTS}",) if len(files) > MAX_ATTACHMENTS else ()
    subject = _header(message, "Subject")
    yield Outline(options.media_type, "section", 1, subject, warnings=warnings)
    yield Page(1, "1", "\n\n".join(part for part in (_head(message, files), *map(_body, bodies)) if part.strip()))
    for name, part in files[:MAX_ATTACHMENTS]:
        data = _payload(part)
        if data:
            yield Embedded(name, data)


def _parts(message: Message, name: str) -> list[Message]:
    """Return the leaves of the MIME tree in order; an attached message is a leaf."""
    leaves, queue, seen = [], [message], 0
    while queue:
        part = queue.pop()
        seen += 1
        if seen > MAX_PARTS:
            raise FileTooLarge(name=name, limit=filled(PARTS, MAX_PARTS))
        inner = part.get_payload() if part.is_multipart() and part.get_content_type() != "message/rfc822" else None
        if isinstance(inner, list):
            queue += [one for one in reversed(inner) if isinstance(one, Message)]
        else:
            leaves.append(part)
    return leaves


def _sort(parts: list[Message]) -> tuple[list[Message], list[tuple[str, Message]]]:
    """Split parts into bodies (plain text where there is some, else HTML) and named files."""
    plain: list[Message] = []
    rich: list[Message] = []
    files: list[tuple[str, Message]] = []
    for part in parts:
        kind, filename = part.get_content_type(), part.get_filename()
        if part.get_content_disposition() == "attachment" or filename or kind not in ("text/plain", "text/html"):
            files.append((filename or _default_name(part, len(files) + 1), part))
        else:
            (plain if kind == "text/plain" else rich).append(part)
    return ([part for part in plain if _text(part).strip()] or rich), files


def _default_name(part: Message, number: int) -> str:
    return f"attachment-{number}.eml" if part.get_content_type() == "message/rfc822" else f"attachment-{number}"


def _head(message: EmailMessage, files: list[tuple[str, Message]]) -> str:
    subject = _header(message, "Subject")
    lines = [f"# {subject}\n"] if subject else []
    lines += [f"- {name}: {value}" for name in _HEADERS if (value := _header(message, name))]
    if files:
        lines.append(f"- {ATTACHMENTS.text(language_of(subject, 'en'))}: " + ", ".join(name for name, _ in files))
    return "\n".join(lines)


def _header(message: Message, name: str) -> str:
    try:
        return " ".join(str(message.get(name, "")).split())
    except (ValueError, IndexError, AttributeError, LookupError):
        return ""


def _body(part: Message) -> str:
    text = _text(part)
    if part.get_content_type() != "text/html":
        return text
    try:
        return to_markdown(text)
    except RecursionError:
        return ""


def _text(part: Message) -> str:
    return decode(_payload(part), part.get_content_charset())[0]


def _payload(part: Message) -> bytes:
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        return inner[0].as_bytes() if isinstance(inner, list) and inner and isinstance(inner[0], Message) else b""
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""
