"""Check every citation of the answer against the stored text before anyone is told that the answer is final."""

from __future__ import annotations

from langgraph.runtime import Runtime

from domain.words import Words
from turn.citation_check import UNSUPPORTED, CitationCheck
from turn.context import Context
from turn.progress import emit, owner_of
from turn.state import State, Update

TITLE = Words("Check citations", "核对引用")
UNUSED = Words("{name} could not be used: {message} {remedy}", "{name} 无法使用：{message}{remedy}")
REMOVED = Words(
    "{n} citation(s) were removed: the quoted words are not in the source.",
    "已删除 {n} 处引用：来源中没有所引的原文。",
)


async def verify_citations(state: State, runtime: Runtime[Context]) -> Update:
    """Turn `[n "quote"]` into `[n]` plus checked citation data.

    A quote that is not in the stored text is removed and its sentence marked as unsupported. A bare `[n]` is tied to
    the sentence of the passage that carries the claim, or removed and marked likewise when there is none. A number in
    brackets that cites nothing, as in `a[0]`, is left as it is. A file that could not be used, and of which the model
    says nothing, is told of behind its answer.
    """
    language, warnings = state["language"], [*state.get("warnings", [])]
    documents = runtime.context.services.documents
    check = CitationCheck(state.get("sources", []), documents, owner_of(runtime), UNSUPPORTED.text(language))
    text = await check.checked(state["answer"])
    lost = [file for file in state.get("attachments", []) if file["status"] == "failed" and file["name"] not in text]
    told = [UNUSED.text(language).format(name=file["name"], **file["error"]) for file in lost]
    text = "\n\n".join([*filter(str.strip, [text]), *told])
    for item in check.citations:
        emit(runtime, "citation", item)
    found = [("file_unused", sentence) for sentence in told]
    sent = state.get("attachments", [])
    found += [("picture", warning) for warning in await check.warnings_of_pictures(sent)]
    found += [("hidden_text", warning) for warning in check.warnings_of_hidden(sent, state.get("documents", []))]
    if check.removed:
        found.append(("unsupported_citation", REMOVED.text(language).format(n=check.removed)))
    for code, message in found:
        warnings.append(message)
        emit(runtime, "warning", {"code": code, "message": message})
    update = Update(citations=check.citations, warnings=warnings)
    if text != state["answer"]:
        update["answer"] = text
        update["messages"] = [state["messages"][-1].model_copy(update={"content": text})]
    return update
