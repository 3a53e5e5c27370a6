"""Everything that stands in a turn beside the user's words, each text with its label.

The label of a text follows from where the state keeps it: passages, files and memories have that of their kind; a
result keeps the one that its tool had when it found it, also in the cache and in checkpoints; what the model wrote in
a thread where something was read, its running summary included, has the lowest of all.
"""

from __future__ import annotations

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from domain.fence import unfenced
from domain.labels import OF_DOCUMENT, OF_MEMORY, OF_WEB, Label, lowest
from turn.context import Context
from turn.material import findings
from turn.state import State
from turn.wording import Wording


def texts_read(state: State, context: Context) -> list[Wording]:
    """Return what was read, and what the model said in a thread where something was."""
    texts = [
        Wording("web", source.get("url") or source["name"], source["text"], OF_WEB)
        if source["origin"] == "web"
        else Wording("document", source["name"], source["text"], OF_DOCUMENT)
        for source in state.get("sources", [])
    ]
    for attachment in state.get("attachments", []):
        ocr, description = attachment.get("ocr"), attachment.get("description")
        parts = (
            attachment["name"],
            attachment.get("summary"),
            ocr and ocr["text"],
            description and description["text"],
        )
        texts.append(Wording("document", attachment["name"], "\n".join(filter(None, parts)), OF_DOCUMENT))
    texts += [
        Wording("document", note["name"], f"{note['name']}\n{note['summary']}", OF_DOCUMENT)
        for note in state.get("documents", [])
    ]
    told: list[str] = []
    for message in state["messages"]:
        if isinstance(message, ToolMessage):
            name = str(message.name or "")
            label = findings(message).get("label") or _of_tool(name, context)
            texts.append(Wording("tool", name, unfenced(str(message.text)), label))
        elif context.agent_run and isinstance(message, HumanMessage):
            told.append(unfenced(str(message.text)))
        elif isinstance(message, HumanMessage) and message.additional_kwargs.get("notes"):
            texts.append(Wording("document", "", str(message.additional_kwargs["notes"]), OF_DOCUMENT))
    texts += [Wording("tool", "recall", memory["text"], OF_MEMORY) for memory in state.get("memories", [])]
    if state.get("summary"):
        told.append(state["summary"])
    if texts or told:
        told += [str(one.text) for one in state["messages"] if isinstance(one, AIMessage)]
    # of what has left the window, and of what another model was told, the sources are not known: they may be the lowest
    sources = [OF_DOCUMENT] if state.get("summary") or context.agent_run else [text.label for text in texts]
    return [*texts, *(Wording("model", "", text, lowest(sources)) for text in told if text)]


def users_words(state: State, context: Context) -> str:
    """Return what the user said in the thread. What a specialist is told was written by the model that asks it."""
    if context.agent_run:
        return context.said
    return "\n".join(str(message.text) for message in state["messages"] if isinstance(message, HumanMessage))


def _of_tool(name: str, context: Context) -> Label:
    """Return the label of what a tool returned whose result keeps none: the lowest for one that is no longer there."""
    spec = context.services.tools.spec(name)
    return OF_DOCUMENT if spec is None else spec.label
