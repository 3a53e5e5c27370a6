"""First step: find out what the turn brought, asks and can search, and move every file out of the conversation."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AnyMessage, HumanMessage
from langgraph.runtime import Runtime
from langgraph.types import Overwrite

from domain.errors import BadInput
from domain.language import language_of
from domain.types import Attachment, AttachmentRef
from domain.words import Language, Words
from turn.context import Context
from turn.intake import shorten_paste, store_files, take_apart, transcribe
from turn.material import document_notes
from turn.profile import profile_text
from turn.progress import emit, emit_attachment, owner_of
from turn.prompts import newest_turn
from turn.question import question_of
from turn.state import State, Update, new_turn
from turn.texts import DEFAULT_QUESTION, EMPTY_MESSAGE, NOT_THE_USERS, UNKNOWN_TOOLS

TITLE = Words("Look at the message", "识别内容")


async def detect_modality(state: State, runtime: Runtime[Context]) -> Update:
    """Store every file by content, keep its reference, and start a turn with the question that the message asks.

    Raises:
        BadInput: The newest message is not the user's, or it is empty.
        TooManyFiles: Too many files came with it.
    """
    services, owner, messages = runtime.context.services, owner_of(runtime), state["messages"]
    if not messages or not (isinstance(messages[-1], HumanMessage) or _goes_on(messages, runtime)):
        raise BadInput(reason=NOT_THE_USERS)
    start = newest_turn(messages)
    newest = messages[start]
    taken = await take_apart(messages, services.settings)
    text, before = taken[-1][1], state.get("language", "en")
    language = _language(text, before, runtime)
    handled = runtime.context.handled
    moved: list[AnyMessage] = []
    pending: list[AttachmentRef] = []
    failed: list[Attachment] = []
    for message, said, parts in taken:
        refs, lost = await store_files(parts, services, owner, language)
        if message is newest:
            if not said.strip():
                said, (refs, unheard) = await transcribe(refs, services, language)
                language, lost = _language(said, language, runtime), lost + unheard
            said, paste = await shorten_paste(said, services, owner, language)
            refs += paste
            text = said.strip() or (DEFAULT_QUESTION.text(language) if refs or lost or handled else "")
        pending, failed = pending + refs, failed + lost
        moved.append(HumanMessage(said or text, id=message.id))
    if not text:
        raise BadInput(reason=EMPTY_MESSAGE)
    for attachment in failed:
        emit_attachment(runtime, attachment)
    earlier = [str(message.text) for message in messages[:start] if isinstance(message, HumanMessage)]
    update = new_turn()
    update["messages"], update["pending"], update["cited"] = moved, pending, state.get("citations", [])
    update["attachments"] = Overwrite([*handled, *failed])  # type: ignore[typeddict-item]
    update["language"], update["question"] = language, question_of(text, language, earlier)
    update["profile"] = await profile_text(runtime, language)
    update["remembers"] = (
        runtime.context.memory and update["question"]["kind"] != "social" and await services.memories.any(owner.user_id)
    )
    update["documents"] = await document_notes(services, owner, language)
    update["missing_tools"] = (
        [] if runtime.context.model_options.replaces_ours else services.tools.missing(runtime.context.tools, language)
    )
    update["warnings"] = []
    for code, warning in _warnings(state, update, runtime):
        update["warnings"].append(warning)
        emit(runtime, "warning", {"code": code, "message": warning})
    return update


def _warnings(state: State, update: Update, runtime: Runtime[Context]) -> list[tuple[str, str]]:
    """What the user should know of the tools: those that nobody knows, and those newly missing in this conversation."""
    found = []
    if unknown := runtime.context.services.tools.unknown(runtime.context.tools or ()):
        names = ", ".join(unknown)
        found.append(("unknown_tools", UNKNOWN_TOOLS.text(update["language"]).format(names=names)))
    told = state.get("missing_tools", [])
    return found + [("missing_tools", note) for note in update["missing_tools"] if note not in told]


def _goes_on(messages: Sequence[AnyMessage], runtime: Runtime[Context]) -> bool:
    """Whether the turn goes on behind the user's newest message: with results of the caller's tools, or an answer."""
    return runtime.context.model_options.continues and any(isinstance(message, HumanMessage) for message in messages)


def _language(text: str, default: Language, runtime: Runtime[Context]) -> Language:
    """Return the language that the caller chose, else that of the message."""
    chosen = runtime.context.language
    return language_of(text, default) if chosen == "auto" else chosen
