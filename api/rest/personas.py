"""Personas: listed, written, changed, copied between servers, deleted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from typing_extensions import TypedDict

from api.backend import Backend, BackendDep, UserDep
from api.edge.failures import asked_language
from api.edge.responses import json_response
from api.rest.receipts import receipt
from api.schemas import ERRORS, Receipt
from domain.errors import AdminNeeded, BadInput, PersonaExists, PersonaOfOthers, Unfit, UnknownModel
from domain.owner import Owner
from domain.times import iso_time
from domain.words import Language, Words
from models.chat.connection import chosen_chat
from stores.memories.items import MemoryScope
from stores.people.personas import NAME_CHARS, MemoryUse, Persona, free_name
from turn.personas import built_in
from turn.texts import UNKNOWN_PERSONA_MODEL
from turn.variables import GUEST, VARIABLES, check_variables, filled, variable_values

router = APIRouter(prefix="/api/v1/personas", tags=["tools"])
PROMPT_CHARS = 20_000
FORMAT = "llmchat-persona"


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise Unfit("is no single line of text", "不是单行文字")
    return text


Line = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_one_line)]
Name = Annotated[Line, Field(min_length=1, max_length=NAME_CHARS)]
Prompt = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=PROMPT_CHARS),
    Field(description=f"Instructions; may hold {', '.join(f'{{{{{name}}}}}' for name in VARIABLES)}."),
]
Tone = Annotated[Line, Field(max_length=200, description="How it speaks: `warm and brief`.")]
Tools = Annotated[
    list[Annotated[Line, Field(min_length=1, max_length=100)]] | None,
    Field(max_length=100, description="Tools that it may use, by patterns of names: `web_*`; null: all."),
]
Model = Annotated[Line, Field(max_length=200, description="A model that is offered; empty: the server's.")]
Memory = Annotated[
    MemoryUse, Field(description="`own`: it alone recalls what is said to it, and it recalls nothing else.")
]
Opening = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=2000),
    Field(description="Shown where a conversation begins; may hold variables."),
]


class PersonaFields(BaseModel):
    """What a persona is."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "Coach", "prompt": "You coach {{user_name}}. Today is {{date}}."}]},
    )

    name: Name
    prompt: Prompt
    tone: Tone = ""
    tools: Tools = None
    model: Model = ""
    memory: Memory = "shared"
    opening: Opening = ""


class NewPersona(PersonaFields):
    """A persona to be written."""

    shared: bool = Field(False, description="Everybody on this server may use it; administrators alone may say so.")


class ChangedPersona(BaseModel):
    """What is to change of a persona; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: Name = ""
    prompt: Prompt = ""
    tone: Tone = ""
    tools: Tools = None
    model: Model = ""
    memory: Memory = "shared"
    opening: Opening = ""
    shared: bool = False


class PersonaFile(BaseModel):
    """A persona as a file: what one server exports, another one imports."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["llmchat-persona"]
    version: Literal[1]
    persona: PersonaFields


class ShownPersona(TypedDict):
    """A persona; `greeting` is its opening with the variables of the caller."""

    id: str
    name: str
    prompt: str
    tone: str
    tools: list[str] | None
    model: str
    memory: MemoryUse
    opening: str
    greeting: str
    shared: bool
    mine: bool
    created_at: str
    changed_at: str


class ImportedPersona(ShownPersona):
    """An imported persona, and what of the file does not hold here."""

    warnings: list[str]


class BothLanguages(TypedDict):
    """A text in both languages."""

    en: str
    zh: str


class PersonaList(TypedDict):
    """What the caller may choose: built-in personas by name, their own, those that others share."""

    personas: dict[str, BothLanguages]
    own: list[ShownPersona]
    shared: list[ShownPersona]
    variables: dict[str, BothLanguages]
    may_share: bool


@router.get("", response_model=PersonaList, responses=ERRORS)
async def list_personas(request: Request, backend: BackendDep, user: UserDep) -> Response:
    """List the personas that the caller may choose; `personas` are the built-in ones with their instructions."""
    shown = await _shown(request, backend, user, await backend.services.personas.all(user))
    listed = PersonaList(
        personas=_texts(built_in(backend.settings.personas)),
        own=[one for one in shown if one["mine"]],
        shared=[one for one in shown if not one["mine"]],
        variables=_texts(VARIABLES),
        may_share=request.state.role == "admin",
    )
    return json_response(listed)


@router.post("", status_code=201, response_model=ShownPersona, responses=ERRORS)
async def add_persona(body: NewPersona, request: Request, backend: BackendDep, user: UserDep) -> Response:
    """Write a persona."""
    values = body.model_dump()
    _check(values, request, backend)
    made = await backend.services.personas.add(Persona(user_id=user, **values))
    if made.shared:
        _log(backend, user, made, "persona shared")
    return json_response((await _shown(request, backend, user, [made]))[0], 201)


@router.post("/import", status_code=201, response_model=ImportedPersona, responses=ERRORS)
async def import_persona(body: PersonaFile, request: Request, backend: BackendDep, user: UserDep) -> Response:
    """Make a persona of a file that a server exported. Where the name is taken it gets a number behind it."""
    values, language, warnings = body.persona.model_dump(), asked_language(request), []
    try:
        _check_model(values["model"], backend)
    except UnknownModel:
        warnings.append(UNKNOWN_PERSONA_MODEL.text(language).format(name=values["model"]))
        values["model"] = ""
    taken = set(built_in(backend.settings.personas))
    if values["name"] in taken:
        values["name"] = free_name(values["name"], taken)
    _check(values, request, backend)
    made = await backend.services.personas.add(Persona(user_id=user, **values), renamed=True)
    shown = (await _shown(request, backend, user, [made]))[0]
    return json_response(ImportedPersona(**shown, warnings=warnings), 201)


@router.get("/{persona_id}", response_model=ShownPersona, responses=ERRORS)
async def get_persona(persona_id: str, request: Request, backend: BackendDep, user: UserDep) -> Response:
    """Return a persona of the caller's, or a shared one."""
    found = await backend.services.personas.get(user, persona_id)
    return json_response((await _shown(request, backend, user, [found]))[0])


@router.get("/{persona_id}/export", response_model=PersonaFile, responses=ERRORS)
async def export_persona(persona_id: str, backend: BackendDep, user: UserDep) -> Response:
    """Return a persona as a file that any server imports."""
    found = await backend.services.personas.get(user, persona_id)
    fields = {name: value for name, value in asdict(found).items() if name in PersonaFields.model_fields}
    response = json_response({"format": FORMAT, "version": 1, "persona": fields})
    name = quote(f"{found.name}.persona.json", safe="")
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    return response


@router.patch("/{persona_id}", response_model=ShownPersona, responses=ERRORS)
async def change_persona(
    persona_id: str, body: ChangedPersona, request: Request, backend: BackendDep, user: UserDep
) -> Response:
    """Change a persona of the caller's own."""
    before = await _own(backend, user, persona_id)
    changes: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    _check(changes, request, backend, before)
    if not changes:
        raise BadInput(reason=Words("nothing is to change", "没有要修改的内容"))
    changed = await backend.services.personas.change(user, persona_id, **changes)
    if changed.shared != before.shared:
        _log(backend, user, changed, "persona shared" if changed.shared else "persona no longer shared")
    return json_response((await _shown(request, backend, user, [changed]))[0])


@router.delete("/{persona_id}", response_model=Receipt, responses=ERRORS)
async def delete_persona(persona_id: str, backend: BackendDep, user: UserDep) -> Response:
    """Delete a persona of the caller's own, with what it alone remembered of them. Conversations stay."""
    gone = await _own(backend, user, persona_id)
    await backend.services.personas.remove(user, persona_id)
    memories, scope = backend.services.memories, MemoryScope(sees=(persona_id,))
    kept = [item.id for item in await memories.items(user, past=True, scope=scope)]
    if kept:
        await memories.remove(user, kept)
    _log(backend, user, gone, "persona deleted")
    counts = {"personas": 1, "memories": len(kept)}
    return json_response(receipt({name: {"before": held, "after": 0} for name, held in counts.items()}))


async def _own(backend: Backend, user: str, persona_id: str) -> Persona:
    found = await backend.services.personas.get(user, persona_id)
    if found.user_id != user:
        raise PersonaOfOthers(name=found.name)
    return found


def _check(values: dict[str, Any], request: Request, backend: Backend, before: Persona | None = None) -> None:
    """Hold what is to be kept against the server.

    Raises:
        AdminNeeded: It is to be shared, or stops being it, by somebody who is no administrator.
        PersonaExists: A built-in persona has its name.
        UnknownModel: Its model is not offered.
        UnknownVariable: A text names a variable that there is not.
    """
    if values.get("shared", False) != (before.shared if before else False) and "shared" in values:
        if request.state.role != "admin":
            raise AdminNeeded
    if values.get("name") in built_in(backend.settings.personas):
        raise PersonaExists(name=values["name"])
    for name in ("prompt", "opening"):
        check_variables(values.get(name, ""))
    if values.get("model") and (before is None or values["model"] != before.model):
        _check_model(values["model"], backend)


def _check_model(name: str, backend: Backend) -> None:
    chosen_chat(backend.services.chat, backend.settings.llm_models, name or None)


def _log(backend: Backend, user: str, persona: Persona, change: str) -> None:
    backend.services.actions.append("policy", Owner(user), content={"name": persona.name}, id=persona.id, change=change)


async def _shown(request: Request, backend: Backend, user: str, found: Iterable[Persona]) -> list[ShownPersona]:
    language: Language = asked_language(request)
    values = await variable_values(backend.services, user, language, nameless=GUEST)
    return [
        ShownPersona(
            id=one.id, name=one.name, prompt=one.prompt, tone=one.tone, tools=one.tools, model=one.model,
            memory=one.memory, opening=one.opening, greeting=filled(one.opening, values), shared=one.shared,
            mine=one.user_id == user, created_at=iso_time(one.created), changed_at=iso_time(one.changed),
        )
        for one in found
    ]  # fmt: skip


def _texts(words: Any) -> dict[str, BothLanguages]:
    return {name: BothLanguages(en=text.en, zh=text.zh) for name, text in words.items()}
