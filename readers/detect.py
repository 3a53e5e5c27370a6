"""What a file is: by its content, and only where content does not tell, by its name."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import olefile

from readers.formats import BY_NAME, BY_TYPE, FORMATS
from readers.media_types import CSV, DOC, ENCRYPTED, HTML, OCTETS, ODP, ODS, ODT, PDF, PPT, SVG, TEXT, XLS, XLSX
from readers.text.encodings import is_utf16

if TYPE_CHECKING:  # LangGraph, which graph.state imports, has no business in a reading process
    from domain.types import Kind

HEAD_BYTES = 65536
OLE_MAGIC = olefile.MAGIC

_IMAGES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"\xff\x0a", "image/jxl"),
    (b"\x00\x00\x00\x0cJXL ", "image/jxl"),
    (b"\x00\x00\x00\x0cjP  ", "image/jp2"),
)
_AUDIO: tuple[tuple[bytes, str], ...] = (
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"#!AMR", "audio/amr"),
    (b".snd", "audio/basic"),
)

_OTHER: tuple[tuple[bytes, str], ...] = (
    (b"\x7fELF", "application/x-executable"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (b"%!PS", "application/postscript"),
)
_MAGIC = (*_IMAGES, *_AUDIO, *((row.magic, row.media_type) for row in FORMATS if row.magic), *_OTHER)
_BRANDS: dict[bytes, str] = {
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"hevc": "image/heic",
    b"hevx": "image/heic",
    b"heim": "image/heic",
    b"heis": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"F4A ": "audio/mp4",
}
_RIFF: dict[bytes, str] = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_UNREAD_STREAMS: tuple[tuple[str, str], ...] = (
    ("PowerPoint Document", PPT),
    ("__properties_version1.0", "application/vnd.ms-outlook"),
)
_STREAMS = (
    ("EncryptedPackage", ENCRYPTED),
    *((row.stream, row.media_type) for row in FORMATS if row.stream),
    *_UNREAD_STREAMS,
)
"""Streams that tell OLE files apart, and their media types."""
_ZIPPED = {row.media_type for row in FORMATS if row.member} | {ODT, ODP, ODS}
_HTML_START = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_SVG_START = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.{0,2000}?-->\s*|<!doctype[^>]*>\s*)*<svg\b", re.I | re.S)
_MAIL_HEADER = re.compile(
    rb"^(?:from|to|subject|date|received|return-path|message-id|mime-version|delivered-to|dkim-signature|reply-to"
    rb"|x-[\w-]+|content-[\w-]+)[ \t]*:",
    re.I,
)
_MAIL_NEEDS = re.compile(rb"^(?:received|message-id|mime-version|return-path|date|subject):", re.I | re.M)


def detect(head: bytes, name: str, *, path: Path | None = None) -> tuple[Kind, str]:
    """Return the kind and media type of a file.

    Args:
        head: its first bytes, at least 1 KB where it has them; `HEAD_BYTES` is plenty.
        name: what its sender called it.
        path: where the whole file is; zip and OLE containers are then told apart by their directories.

    Returns:
        The kind, and a media type; `application/octet-stream` for binary data of no known form.
    """
    media_type = _by_magic(head) or _by_container(head, name, path) or _by_text(head, name)
    return _kind(media_type), media_type


def _kind(media_type: str) -> Kind:
    family = media_type.partition("/")[0]
    if media_type == SVG:
        return "document"
    return "image" if family == "image" else "audio" if family == "audio" else "document"


def _by_magic(head: bytes) -> str | None:
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return media_type
    at = head[:1024].find(b"%PDF-")
    if at == 0 or (at > 0 and b" obj" in head):
        return PDF
    return _by_media_header(head)


def _by_media_header(head: bytes) -> str | None:
    if head[:4] in (b"RIFF", b"RF64"):
        return _RIFF.get(head[8:12], OCTETS)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "audio/aiff"
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "video/webm" if b"V_" in head else "audio/webm"
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0" and head[14:15] in (b"\x0c", b"(", b"4", b"8", b"l", b"|"):
        return "image/bmp"
    return "audio/mpeg" if _is_mpeg_audio(head) else None


def _by_brand(head: bytes) -> str:
    size = min(int.from_bytes(head[:4], "big"), 256)
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, size, 4))]
    specific = [_BRANDS[brand] for brand in brands if brand in _BRANDS and brand not in (b"mif1", b"msf1")]
    if specific:
        return specific[0]
    return "image/heif" if brands[0] in (b"mif1", b"msf1") else "video/mp4"


def _is_mpeg_audio(head: bytes) -> bool:
    """Whether an MPEG audio or ADTS AAC frame header starts the file (ISO/IEC 11172-3, 13818-7)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    if head[1] & 0xF6 == 0xF0:
        return (head[2] >> 2) & 0x0F <= 12
    version, layer, bitrate, rate = (head[1] >> 3) & 3, (head[1] >> 1) & 3, head[2] >> 4, (head[2] >> 2) & 3
    return version != 1 and layer != 0 and bitrate not in (0, 15) and rate != 3


def _by_container(head: bytes, name: str, path: Path | None) -> str | None:
    """Look into zip and OLE files; one whose directory is broken is what its name says, to be found damaged."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_type(head, name, path)
    if head.startswith(OLE_MAGIC):
        by_name = {".ppt": PPT, **BY_NAME}.get(PurePosixPath(name.lower()).suffix, "")
        return _ole_type(head, path) or (by_name if by_name in (DOC, XLS, PPT) else "application/x-ole-storage")
    return None


def _zip_type(head: bytes, name: str, path: Path | None) -> str:
    mimetype = re.match(rb"PK\x03\x04.{22}\x08\0..mimetype([\w./+-]{5,80}?)(?=PK|\Z)", head, re.S)
    if mimetype and (stated := mimetype[1].decode("ascii", "replace")) in BY_TYPE:
        return stated
    members, whole = _zip_names(head, path)
    for row in FORMATS:
        folder = row.member.endswith("/") and any(member.startswith(row.member) for member in members)
        if folder or row.member in members:
            return row.media_type
    by_name = BY_NAME.get(PurePosixPath(name.lower()).suffix, "")
    return by_name if by_name in _ZIPPED and (not whole or "content.xml" in members) else "application/zip"


def _zip_names(head: bytes, path: Path | None) -> tuple[set[str], bool]:
    """Return member names and whether these are all: from the directory, else from the local headers in `head`."""
    try:
        with zipfile.ZipFile(path or BytesIO(head)) as archive:
            return set(archive.namelist()), True
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        local = re.finditer(rb"PK\x03\x04.{22}(..)..", head, re.S)
        ends = ((match.end(), int.from_bytes(match[1], "little")) for match in local)
        return {head[at : at + length].decode("utf-8", "replace") for at, length in ends}, False


def _ole_type(head: bytes, path: Path | None) -> str | None:
    try:
        with olefile.OleFileIO(path or head) as file:
            names = {entry[-1] for entry in file.listdir()}
    except (OSError, IndexError, ValueError, TypeError):  # a broken directory, or the head of a large file alone
        names = {name for name, _ in _STREAMS if name.encode("utf-16-le") in head}
    for stream, media_type in _STREAMS:
        if any(name == stream or (stream.startswith("__") and name.startswith(stream)) for name in names):
            return media_type
    return None


def _by_text(head: bytes, name: str) -> str:
    suffix = PurePosixPath(name.replace("\\", "/").lower()).suffix
    by_name = BY_NAME.get(suffix) or BY_NAME.get(PurePosixPath(name.lower()).name)
    if not looks_like_text(head):
        return OCTETS
    text = head.removeprefix(b"\xef\xbb\xbf")
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = text.replace(b"\0", b"")[2:]
    if by_name is None or by_name in (HTML, TEXT) or by_name.split("/")[0] in ("image", "audio", "application"):
        sniffed = _sniff_text(text)
        if sniffed:
            return sniffed
    if by_name in (XLS, XLSX):
        return CSV
    readable = by_name is not None and by_name.startswith(("text/", "message/", "application/json", "application/x-"))
    return by_name if readable and by_name else TEXT


def _sniff_text(text: bytes) -> str | None:
    if _HTML_START.match(text[:4096]):
        return HTML
    if _SVG_START.match(text[:4096]):
        return SVG
    block = text.lstrip(b"\r\n")[:8192]
    if block.startswith(b"From ") or _MAIL_HEADER.match(block):
        headers = re.split(rb"\r?\n\r?\n", block, maxsplit=1)[0]
        if len({match[0].lower() for match in _MAIL_NEEDS.finditer(headers)}) >= 2:
            return "message/rfc822"
    return None


def looks_like_text(head: bytes) -> bool:
    """Whether the bytes may be text of some encoding: few control characters, or those of UTF-16."""
    sample = head[:8192]
    if sample.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return True
    controls = sum(sample.count(code) for code in (*range(8), *range(14, 27), *range(28, 32), 127))
    if controls <= len(sample) // 50 and not sample.count(0):
        return True
    return is_utf16(sample)
