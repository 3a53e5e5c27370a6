"""Outlook's `winmail.dat` (TNEF, [MS-OXTNEF]): the body of a message and its files in one attachment."""

from __future__ import annotations

import logging

from tnefparse import TNEF

from readers.text.encodings import decode_page
from readers.text.markup import to_markdown

TNEF_TYPES = {"application/ms-tnef", "application/vnd.ms-tnef"}

logging.getLogger("tnef-decode").setLevel(logging.CRITICAL)  # it logs every property that it does not know


def unpacked(data: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """Return the text of the body and the files with their names; nothing of data that is no TNEF."""
    try:
        content = TNEF(data, do_checksum=False)
        files = [(str(file.long_filename() or file.name), bytes(file.data)) for file in content.attachments]
        html, plain = content.htmlbody, content.body
    except Exception:  # noqa: BLE001 - the parser raises whatever its slices and struct formats run into
        return "", []
    if html:
        return to_markdown(html if isinstance(html, str) else decode_page(html.rstrip(b"\0"))), files
    return (plain if isinstance(plain, str) else decode_page((plain or b"").rstrip(b"\0"))), files
