"""What MCP clients may call: tools of the agent that read, the agent itself, and the list of sessions."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

from langchain_core.messages import HumanMessage
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from api.edge.failures import validation_reason
from api.runs.request import TurnRequest
from api.schemas import MOST_ITEMS, SessionId
from domain.approvals import Evidence
from domain.errors import BadInput
from domain.language import language_of
from domain.owner import Owner
from domain.words import Language, Words
from stores.conversations.entries import Listing
from tools.interface import Caller, ToolOutcome
from tools.outcomes import not_done
from tools.texts import CANNOT_ASK, NOT_PERMITTED
from turn.material import place, sources_text
from turn.options import TurnOptions

if TYPE_CHECKING:
    from api.backend import Backend
    from domain.runs import Event
    from domain.types import Source
    from stores.people.users import Role
    from tools.registry import ToolRegistry

SHARED: Final = ("search_documents", "list_documents", "read_document", "query_table")
"""Tools of the agent that are called directly, with its limits; `session_id` adds the documents of a session."""
NO_SUCH_TOOL = Words("there is no tool {name!r}", "没有工具 {name!r}")
NO_SUCH_ARGUMENT = Words("{name} has no argument {unknown}", "{name} 没有参数 {unknown}")
MOST_UNKNOWN, MOST_NAME = 10, 100
"""So many unknown arguments are named, each by so many characters."""
SESSION = "Session whose documents count too; omit for the user's lasting library alone (会话 id)."
Arguments = TypeVar("Arguments", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Ask(_Strict):
    """Ask the agent a question; it searches documents, uses its tools and answers with checked sources (向助手提问).

    The answer comes with the id of its session: give it again to go on in the same conversation.
    """

    question: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        description="The question, in English or Chinese."
    )
    session_id: SessionId | None = Field(None, description="Session to go on in; omit to begin one.")
    temporary: bool = Field(False, description="Begin a session of which nothing is kept.")


class ListSessions(_Strict):
    """List the user's conversations, last active first (列出会话)."""

    query: str | None = Field(None, max_length=200, description="Words in title, messages or names of files.")
    offset: int = Field(0, ge=0, le=MOST_ITEMS, description="How many to pass over.")
    limit: int = Field(20, ge=1, le=200, description="Most that are returned.")


@dataclass(frozen=True, kw_only=True, slots=True)
class McpTool:
    """A tool as clients see it; one that `reads` changes nothing."""

    name: str
    title: Words
    description: str
    schema: dict[str, Any]
    reads: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """Who calls, in which language, and what is told before the result is there."""

    backend: Backend
    user: str
    role: Role
    language: Language
    progress: Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Result:
    """What a call gave: for a model, and as values."""

    text: str
    data: dict[str, Any]
    failed: bool = False


def listed(tools: ToolRegistry) -> list[McpTool]:
    """Return the tools, in a stable order."""
    specs = {spec.name: spec for spec in tools.specs()}
    shared = [
        McpTool(name=name, title=spec.title, description=spec.tool.description, schema=_with_session(spec.schema))
        for name in SHARED
        if (spec := specs.get(name)) is not None
    ]
    return [
        *shared,
        _own("ask", Words("Ask the agent", "向助手提问"), Ask, reads=False),
        _own("list_sessions", Words("List sessions", "列出会话"), ListSessions),
    ]


async def called(call: Call, name: str, arguments: Mapping[str, Any]) -> Result:
    """Run one call.

    Raises:
        BadInput: There is no such tool, or the arguments do not fit.
        AppError: It failed.
    """
    if name == "ask":
        return await _ask(call, _checked(Ask, arguments))
    if name == "list_sessions":
        return await _sessions(call, _checked(ListSessions, arguments))
    if name in SHARED:
        return await _shared(call, name, dict(arguments))
    raise BadInput(reason=Words(*(text.format(name=name) for text in NO_SUCH_TOOL)))


def _own(name: str, title: Words, arguments: type[BaseModel], *, reads: bool = True) -> McpTool:
    description = " ".join((arguments.__doc__ or "").split())
    return McpTool(
        name=name, title=title, description=description, schema=arguments.model_json_schema(), reads=reads
    )  # fmt: skip


def _with_session(schema: Mapping[str, Any]) -> dict[str, Any]:
    parameters = schema["function"]["parameters"]
    session = {"type": "string", "description": SESSION}
    return {**parameters, "properties": {**parameters["properties"], "session_id": session}}


def _checked(kind: type[Arguments], arguments: Mapping[str, Any]) -> Arguments:
    try:
        return kind.model_validate(arguments)
    except ValidationError as exc:
        raise BadInput(reason=validation_reason(exc.errors(include_url=False))) from exc


async def _shared(call: Call, name: str, arguments: dict[str, Any]) -> Result:
    session = arguments.pop("session_id", None)
    try:
        TypeAdapter(SessionId | None).validate_python(session)
    except ValidationError as exc:
        problems = [{**problem, "loc": ("session_id",)} for problem in exc.errors(include_url=False)[:1]]
        raise BadInput(reason=validation_reason(problems)) from exc
    services = call.backend.services
    spec = services.tools.spec(name)
    if unknown := arguments.keys() - spec.schema["function"]["parameters"]["properties"].keys() if spec else ():
        given = {"name": name, "unknown": ", ".join(repr(one[:MOST_NAME]) for one in sorted(unknown)[:MOST_UNKNOWN])}
        raise BadInput(reason=Words(*(text.format(**given) for text in NO_SUCH_ARGUMENT)))
    await services.usage.count_call(call.user)
    words = " ".join(value for value in arguments.values() if isinstance(value, str))
    language = language_of(words, call.language)
    caller = Caller(owner=Owner(call.user, session), language=language)
    outcome = await _refusal(call, name, arguments, caller)
    if outcome is None:
        outcome = await services.tools.call(name, arguments, caller)
    sources: list[Source] = [{**source, "number": number} for number, source in enumerate(outcome.sources, 1)]
    text = "\n\n".join(filter(None, (outcome.text, sources_text(sources))))
    data = (
        {**outcome.data, "sources": sources}
        if not outcome.code
        else {"error": {"code": outcome.code, "message": outcome.text}}
    )
    return Result(text, data, failed=outcome.run["status"] != "ok")


async def _refusal(call: Call, name: str, arguments: Mapping[str, object], caller: Caller) -> ToolOutcome | None:
    """Return why a call is not made where a rule says so: there is nobody whom a call from outside could ask."""
    services = call.backend.services
    spec = services.tools.spec(name)
    if spec is None:
        return None
    own = Evidence(own=True, doubts=[], origins=[])
    verdict = await services.permissions.judge(spec, arguments, caller.owner, own, role=call.role)
    if verdict.decision == "allow":
        return None
    denied = verdict.decision == "deny"
    reasons = " ".join(reason.text(caller.language) for reason in verdict.reasons)
    words = (NOT_PERMITTED if denied else CANNOT_ASK).text(caller.language).format(name=name, reasons=f"{reasons} ")
    code = "not_permitted" if denied else "needs_approval"
    return await services.tools.not_permitted(not_done(words, name, arguments, "refused", code), caller)


async def _ask(call: Call, asked: Ask) -> Result:
    """Run a turn that the connection does not end: its answer stands in the session in any case."""
    language = language_of(asked.question, call.language)
    run = await call.backend.runner.begin(
        TurnRequest(
            owner=Owner(call.user, asked.session_id or uuid.uuid4().hex),
            messages=[HumanMessage(content=asked.question, id=f"user-{uuid.uuid4().hex}")],
            options=TurnOptions(temporary=asked.temporary),
            reads=language,
        )
    )
    titles = {spec.name: spec.title.text(language) for spec in call.backend.services.tools.specs()}
    async for batch in run.log.read():
        if told := _told(batch, titles):
            await call.progress(told)
    answer = await run.result()
    cited = [f"[{citation['number']}] {place(citation)}" for citation in answer["citations"]]
    text = "\n\n".join(filter(None, (answer["answer"], "\n".join(cited), *answer["warnings"])))
    kept = ("session_id", "run_id", "state", "answer", "citations", "tools", "warnings", "questions")
    return Result(text, {key: answer[key] for key in kept if key in answer})  # type: ignore[literal-required]


def _told(batch: Sequence[Event], titles: Mapping[str, str]) -> str:
    """Return what the events of a moment tell: tools that begin, and the next words of the answer."""
    began = [
        f"{titles.get(event.data['name'], event.data['name'])}…\n"
        for event in batch
        if event.name == "tool" and event.data["status"] == "running"
    ]
    return "".join([*began, *(event.data["text"] for event in batch if event.name == "token")])


async def _sessions(call: Call, asked: ListSessions) -> Result:
    wanted = Listing(asked.query or "", False, offset=asked.offset, limit=asked.limit)
    threads, total, _ = await call.backend.services.conversations.find(call.user, wanted)
    rows = [
        {"session_id": thread["thread_id"], "title": thread["title"], "last_activity": thread["last_activity"]}
        for thread in threads
    ]
    lines = [f"- {row['title'] or row['session_id']} (id {row['session_id']}), {row['last_activity']}" for row in rows]
    return Result("\n".join(lines), {"sessions": rows, "total": total, "offset": asked.offset})
