"""Forms: fields and files; of an oversized file only enough to see that it is one."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from api.edge.file_names import file_name
from domain.errors import BadInput, TooManyFiles
from domain.words import Words

_FILE_NAME = re.compile(rb""";\s*filename[*\d]*\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)""", re.S | re.I)
_FIELD_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """Files without a message."""

    files: Sequence[UploadFile]
    fields: Mapping[str, Any]
    session_id: str | None


async def read_upload(request: Request, lists: Collection[str] = ()) -> Upload:
    """Parse an upload without a message; fields named in `lists` are lists.

    Raises:
        BadInput: It is not a form.
        TooManyFiles: There are more files than a turn may have.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise BadInput(reason=Words("send the files as multipart/form-data", "请以 multipart/form-data 上传文件"))
    fields, files = await read_form(request, lists)
    session_id = fields.get("session_id")
    if session_id is not None and not 0 < len(session_id) <= 128:
        raise BadInput(reason=Words("session_id must have 1 to 128 characters", "session_id 长度须为 1 到 128 个字符"))
    return Upload(files, fields, session_id)


async def read_form(request: Request, lists: Collection[str] = ()) -> tuple[dict[str, Any], list[UploadFile]]:
    """Return the fields and the files of a form; fields named in `lists` may repeat or hold values between commas.

    Raises:
        BadInput: It is not a valid form.
        TooManyFiles: There are more files than a turn may have.
    """
    limit = request.app.state.settings.max_files
    try:
        form = await _parsed(request)
    except (HTTPException, MultiPartException) as exc:
        reason = exc.detail if isinstance(exc, HTTPException) else exc.message
        if "files" in reason:
            raise TooManyFiles(limit=limit) from exc
        raise BadInput(reason=Words(reason, "表单格式有误")) from exc
    fields: dict[str, Any] = {}
    files: list[UploadFile] = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            files.append(value)
        elif name in lists:
            fields.setdefault(name, []).extend(part.strip() for part in value.split(",") if part.strip())
        elif value or name == "message":
            fields[name] = value
    if len(files) > limit:
        raise TooManyFiles(limit=limit)
    return fields, files


async def _parsed(request: Request) -> FormData:
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return await request.form()
    settings = request.app.state.settings
    # One file more than allowed, so that our own error speaks and not the parser's.
    return await LimitedParser(
        request.headers, request.stream(), max_file_bytes=settings.max_file_bytes, max_files=settings.max_files + 1,
        max_fields=100, max_part_size=_FIELD_BYTES,
    ).parse()  # fmt: skip


class LimitedParser(MultiPartParser):
    """Reads every form of a file's name, and discards content beyond `max_file_bytes` while it streams in.

    `size` still counts all of it. One byte more than allowed is kept, so that whoever stores the file finds it too
    large, and the other files of the form are not lost with it.
    """

    def __init__(
        self, headers: Headers, stream: AsyncGenerator[bytes, None], *, max_file_bytes: int, max_files: int,
        max_fields: int, max_part_size: int,
    ) -> None:  # fmt: skip
        """Keep the limits."""
        super().__init__(headers, stream, max_files=max_files, max_fields=max_fields, max_part_size=max_part_size)
        self._most = max_file_bytes + 1
        self._taken = 0

    def on_part_begin(self) -> None:
        """Start counting again."""
        super().on_part_begin()
        self._taken = 0

    def on_headers_finished(self) -> None:
        """Read the file's name in whatever form it comes; Starlette knows one."""
        part = self._current_part
        stated = part.content_disposition or b""
        name = file_name(stated)
        if name is not None:
            part.content_disposition = _FILE_NAME.sub(b"", stated) + b"; filename=file"
        super().on_headers_finished()
        if part.file is not None:
            part.file.filename = name

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Keep what the limit leaves room for."""
        file = self._current_part.file
        if file is None:
            return super().on_part_data(data, start, end)
        kept = max(0, min(end - start, self._most - self._taken))
        self._taken += kept
        if kept:
            super().on_part_data(data, start, start + kept)
        if kept < end - start:
            file.size = (file.size or 0) + end - start - kept
        return None
