"""The persona of a turn: the one that it names, else the one that its conversation is held with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from langchain_core.messages import SystemMessage

from turn.personas import role_named
from turn.variables import variable_values

if TYPE_CHECKING:
    from api.runs.request import TurnRequest
    from turn.context import Services


async def with_role(request: TurnRequest, services: Services, name: str | None) -> TurnRequest:
    """Return the same request, with what a persona brings: instructions, tools, model, and which memories it sees.

    What the request says itself holds: its own instructions where they differ, its model, and tools only get fewer.

    Raises:
        UnknownPersona: There is no persona of this name for the user, or no longer.
        Unavailable: The database does not answer.
    """
    options, user_id = request.options, request.owner.user_id
    if not name:
        return request
    role = await role_named(services, user_id, name)
    language = request.language
    values = await variable_values(services, user_id, language, profile=options.profile, device=options.time_zone)
    own = options.system_prompt or "\n".join(
        str(message.text) for message in request.messages if isinstance(message, SystemMessage)
    )
    changed = replace(
        options,
        persona=role.key,
        system_prompt=role.text(language, values, own),
        tools=role.allowed(options.tools, [spec.name for spec in services.tools.specs()]),
        model=options.model or role.model or None,
    )
    return replace(request, options=changed, memory_scope=role.scope)
