"""All that is kept of the caller: handed out, or forgotten, with one call."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from api.backend import BackendDep, UserDep
from api.edge.failures import asked_language
from api.edge.responses import json_response
from api.rest.openapi import answers
from api.rest.receipts import receipt
from api.runs.deletion import delete_user
from api.runs.personal_data import personal_archive
from api.schemas import ERRORS, Receipt

router = APIRouter(prefix="/api/v1/user", tags=["sessions"])


@router.get("/export", response_class=Response, responses={**ERRORS, 200: answers("application/zip")})
async def export_user(request: Request, backend: BackendDep, user: UserDep) -> Response:
    """Return everything that is kept of the caller as a ZIP archive: conversations, files, and all else.

    Its last file, `manifest.json`, names the others with size and SHA-256.
    """
    name = time.strftime("llmchat-%Y-%m-%d.zip", time.gmtime())
    return StreamingResponse(
        personal_archive(backend.services, user, asked_language(request)),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


@router.delete("", response_model=Receipt, responses=ERRORS)
async def forget_user(backend: BackendDep, user: UserDep) -> Response:
    """Forget the caller: every session, every document, the lasting library, all else. The receipt counts what went."""
    return json_response(receipt(await delete_user(backend, user)))
