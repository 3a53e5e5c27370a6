"""Decides what to do with a turn: call a tool, quote, tell about a file, give a fixed reply, or say that none knows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from domain.asking import asked_apart, content, files_named
from domain.types import Source
from models.chat.extractive import files, table_questions, texts
from models.chat.extractive.calls import CLOCK, Call, Schema, call_of, comparison, find_url, without_url
from models.chat.extractive.quote import Asked, find, quoted
from models.chat.extractive.texts import KNOWLEDGE, REPLIES, UNRELATED
from models.chat.interface import TurnInput
from models.embeddings.interface import Embedder
from models.embeddings.kept import KeptVectors

SURE, SURE_TOOL, AHEAD, LONGEST_REQUEST = 0.3, 0.5, 0.1, 200
"""Least similarity of a message to what a fixed reply, or a tool, is for, and its lead over the next kind; characters
beyond which a message brings text of its own."""
SOCIAL: Final = ("greeting", "thanks", "farewell")

_OWN = re.compile(r"\b(?:i|i'm|my|me|mine|we|our)\b|我|咱", re.IGNORECASE)
_MINE = re.compile(r"\bmy\b|\b(?:who|where) (?:am|do) i\b|我(?:叫|的|住|姓|是谁)", re.IGNORECASE)


class Answerer:
    """Turns a turn into an outcome."""

    def __init__(self, embedder: Embedder) -> None:
        self._vectors = KeptVectors(embedder)

    async def warm(self, requests: Sequence[str]) -> None:
        """Embed the example requests, those of tools too, so that the first turn does not wait for them."""
        await self._vectors.of("query", [*requests, *KNOWLEDGE, *UNRELATED])
        await self._vectors.of("passage", UNRELATED)

    async def outcome(self, turn: TurnInput, tools: Mapping[str, Schema]) -> str | Call:
        """Return what to do; `tools` are those that may be called."""
        if turn.tells and not turn.attachments:
            return texts.NOTED.text(turn.language)
        if step := comparison(turn, tools) or table_questions.step(turn, tools):
            return step
        if turn.results:
            found = turn.results[-1].data.get("memories") if "forget" in tools else None
            if found and await self._label(turn, tools) == ("forget", True):
                return Call("forget", {"ids": [found[0]["id"]]})
            return await self._after_tools(turn)
        if turn.cited and turn.kind in ("place", "words"):
            return "\n\n".join(files.places(turn) if turn.kind == "place" else files.words(turn))
        label, sure = await self._label(turn, tools)
        if call := _asked_for(label if sure else "", tools, turn):
            return call
        if turn.attachments and not files.usable(turn):
            return texts.NOT_READ.text(turn.language)
        found = await self._from_files(turn, label if sure else "")
        return "\n\n".join(found) or self._otherwise(turn, label, tools, sure)

    async def _label(self, turn: TurnInput, tools: Mapping[str, Schema]) -> tuple[str, bool]:
        """Return the tool or reply that the message is most like, and whether it surely asks for that."""
        if len(turn.question) > LONGEST_REQUEST:
            return "", False
        labels = {"knowledge": KNOWLEDGE, **{name: reply.examples for name, reply in REPLIES.items()}}
        labels |= {name: tuple(turn.examples.get(name, ())) for name in tools}
        scores = await self._vectors.nearest(turn.question, labels)
        if turn.kind == "social":
            return max(SOCIAL, key=lambda name: scores[name]), True
        label, score = next(iter(scores.items()))
        second = max(other for name, other in scores.items() if name != label and not {name, label} <= REPLIES.keys())
        return label, score >= (SURE_TOOL if label in tools else SURE) and score - second >= AHEAD

    async def _from_files(self, turn: TurnInput, label: str) -> list[str]:
        """Answer with a fixed reply, from files and passages, or by what the user said; empty when nothing does."""
        names = [note["name"] for note in turn.documents]
        named = [turn.documents[place] for place in files_named(turn.question, names)]
        if label in REPLIES and label != "small_talk" and not (named or turn.known):
            sent = files.about(turn, ()) if label in SOCIAL and turn.attachments else ()
            return [REPLIES[label].text.text(turn.language), *sent]
        if turn.kind == "page":
            return files.page(turn)
        whole = turn.kind in ("overview", "files") or not turn.question.strip()
        if whole and (turn.attachments or turn.documents):
            return files.about(turn, named)
        parts = files.pictures(turn) if turn.kind == "picture" else []
        told = map(files.unnumbered, turn.told if _OWN.search(turn.question) else ())
        if said := turn.known or await self._quoted(turn, list(told), own=True):
            return [texts.YOU_SAID.text(turn.language).format(text=text) for text in said]
        return parts + await self._quoted(turn, _passages(turn, pictures=not parts))

    async def _quoted(self, turn: TurnInput, passages: Sequence[Source], *, own: bool = False) -> list[str]:
        """Quote what answers each question of a message, no sentence twice."""
        whole = without_url(turn.question)
        if named := [one for one in passages if one["name"] and one["name"].lower() in whole.lower()]:
            whole, passages = re.sub(re.escape(named[0]["name"]), " ", whole, flags=re.IGNORECASE), named
        several = len({one["name"] for one in passages}) > 1
        parts, given = list[str](), set[str]()
        for question, follows in asked_apart(whole, turn.follows) if passages else ():
            found = await find(self._vectors, Asked.of(question, follows, own=own), passages)
            if not found and follows and follows == turn.follows and not own:
                found = await find(self._vectors, Asked.of(question), passages)
            parts.append(quoted([one for one in found if one.unit.text not in given], label=several))
            given.update(one.unit.text for one in found)
        return [part for part in parts if part]

    def _otherwise(self, turn: TurnInput, label: str, tools: Mapping[str, Schema], sure: bool) -> str | Call:
        """Nothing here answers: search elsewhere, talk, or say that nothing is known."""
        web = call_of("web_search", tools, turn.question)
        held = bool(turn.documents or turn.attachments)
        if label == "small_talk" and (sure or not held):
            return REPLIES[label].text.text(turn.language)
        if held:
            search = None if turn.sources else call_of("search_documents", tools, turn.question)
            return search or (web if label == "web_search" else None) or texts.NOT_SAID.text(turn.language)
        if turn.kind in ("overview", "files", "picture", "page"):
            return texts.NO_FILES.text(turn.language)
        return (None if _MINE.search(turn.question) else web) or texts.NO_DOCUMENTS.text(turn.language)

    async def _after_tools(self, turn: TurnInput) -> str:
        """Answer after a round of tools: what they found or said first, what failed last."""
        worked = [result for result in turn.results if not result.failed]
        failed = [result for result in turn.results if result.failed]
        found = [source for result in worked for source in result.sources]
        web = [source for source in found if source["origin"] == "web"]
        silent = {"search_documents", "recall" if turn.results[-1].tool == "forget" else ""}
        parts = [
            str(result.data.get("shown", result.text))
            for result in worked
            if not result.sources and result.tool not in silent
        ]
        if web and (turn.kind == "overview" or not content(without_url(turn.question))):
            parts += [files.summary(one["name"], files.main_sentences([one]), turn) for one in web]
        elif found or not parts:
            parts += await self._quoted(turn, [*turn.sources, *found])
        if not parts and {result.tool for result in failed} <= {"web_search"}:
            nothing = texts.NOT_SAID if turn.documents or turn.attachments else texts.NO_DOCUMENTS
            parts.append((texts.WEB_NOT_SAID if web else nothing).text(turn.language))
        for result in failed:
            words = texts.WEB_FAILED if result.tool == "web_search" else texts.TOOL_FAILED
            parts.append(words.text(turn.language).format(tool=result.tool, text=result.text))
        return "\n\n".join(dict.fromkeys(parts))


def _asked_for(label: str, tools: Mapping[str, Schema], turn: TurnInput) -> Call | None:
    """Return the call that the message itself asks for, by what it holds, else by what it is like (`label`)."""
    question, known = turn.question, {source.get("url") for source in turn.sources}
    held = {
        "fetch_url": find_url(question) not in {"", *known},
        "calculate": True,
        "current_time": len(question) <= LONGEST_REQUEST and CLOCK.search(question),
        "list_documents": turn.kind == "files",
        "search_documents": False,
        "recall": label in ("recall", "forget"),  # what is to be forgotten is looked for first
    }
    wanted = [*(name for name, holds in held.items() if holds), *({label} - held.keys())]
    return next((call for name in wanted if (call := call_of(name, tools, question))), None)


def _passages(turn: TurnInput, *, pictures: bool) -> list[Source]:
    """Return what may be quoted; `pictures` of this turn too, with what is known of them and is no source."""
    shown = [item for item in files.usable(turn) if item["kind"] == "image"]
    ids, held = {item["id"] for item in shown}, {source.get("document_id") for source in turn.sources}
    found = [source for source in turn.sources if pictures or source.get("document_id") not in ids]
    for item in shown if pictures else ():
        known = [item.get("description"), None if item["id"] in held else item.get("ocr")]
        found += [files.unnumbered(one["text"], item["name"]) for one in known if one]
    return found
