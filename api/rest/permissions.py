"""What the user has allowed tools by answers that hold for longer than one call."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.backend import BackendDep, UserDep
from api.edge.responses import json_response
from api.schemas import ERRORS, MOST_ITEMS, PermissionList, SessionId
from domain.errors import UnknownRule
from domain.owner import Owner

router = APIRouter(prefix="/api/v1/permissions", tags=["permissions"])


@router.get("", response_model=PermissionList, responses=ERRORS)
async def list_rules(
    backend: BackendDep, user: UserDep, session_id: Annotated[SessionId | None, Query()] = None
) -> Response:
    """List the lasting rules of the user, and those of the session that is named."""
    rules = await backend.services.permissions.grants.of(Owner(user, session_id))
    return json_response({"rules": rules})


@router.delete("/{rule_id}", status_code=204, responses=ERRORS)
async def remove_rule(
    rule_id: Annotated[int, Path(ge=0, le=MOST_ITEMS)], backend: BackendDep, user: UserDep
) -> Response:
    """Take a rule back: such calls are asked for again."""
    if not await backend.services.permissions.grants.remove(user, rule_id):
        raise UnknownRule(id=rule_id)
    backend.services.actions.append("policy", Owner(user), change="taken back", rule=rule_id)
    return Response(status_code=204)
