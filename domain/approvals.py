"""Asking a person before a tool is called: the question, where its arguments come from, and the answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from typing_extensions import TypedDict

from domain.labels import Label
from domain.types import ApprovalScope
from domain.words import Language

Permission = Literal["read", "egress", "write"]
"""Reads what is the user's own; sends something out; changes something outside or in lasting memory."""
Decision = Literal["allow", "ask", "deny"]
OriginKind = Literal["user", "document", "web", "tool", "model"]
Doubt = Literal["unasked", "unknown", "foreign"]
"""What speaks against a call: the request has nothing to do with the tool; an id, address or amount is not known; a
text holds what was read."""


class Origin(TypedDict):
    """Where one argument of a call comes from: the user's words, something that was read, or the model itself.

    `argument` is its path (`to`, `items[0].id`); `source` names the document, page or tool, else it is empty.
    """

    argument: str
    kind: OriginKind
    source: str
    label: Label


class Evidence(TypedDict):
    """What the turn shows of a call; `own` tells whether there is no doubt that it is the user's own."""

    own: bool
    doubts: list[Doubt]
    origins: list[Origin]


class Approval(TypedDict):
    """A question that waits for a person: what would be done, with which arguments, and what would go to whom.

    `place` is that of the call among those of its round. `pattern` is what an answer "for this session" or "for this
    pattern" allows: for each argument a glob that it has to fit. `preview` says in words what would be done, where the
    arguments are ids.
    """

    id: str
    call_id: str
    place: int
    tool: str
    titles: dict[Language, str]
    permission: Permission
    arguments: dict[str, Any]
    origins: list[Origin]
    recipients: list[str]
    reasons: list[str]
    pattern: dict[str, str]
    preview: NotRequired[str]


class ApprovalAnswer(BaseModel):
    """A person's answer to an `Approval`."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["approve", "refuse"]
    scope: ApprovalScope = Field(
        "once",
        description="How long an approval holds: this call, this session, or lastingly for calls of the pattern.",
    )
    arguments: dict[str, Any] | None = Field(None, description="Arguments to be used instead.")
    reason: Annotated[str, StringConstraints(max_length=1000)] = Field("", description="Told to the model.")


APPROVE = ("approve", "同意")
REFUSE = ("refuse", "拒绝")
"""Answers of one word, for who can only send a text."""


def one_word_answer(text: str) -> ApprovalAnswer | None:
    """Return the answer that a text of one word is; None for any other text.

    >>> one_word_answer(" Approve. ").decision
    'approve'
    """
    word = text.strip().strip(".!。！").strip().lower()
    decision: dict[str, Literal["approve", "refuse"]] = {
        **dict.fromkeys(APPROVE, "approve"), **dict.fromkeys(REFUSE, "refuse"),
    }  # fmt: skip
    return ApprovalAnswer(decision=decision[word]) if word in decision else None


def answer_of(given: object) -> ApprovalAnswer:
    """Return an answer as a person or a program may have written it: its fields, or one word.

    Raises:
        ValueError: It is no answer.
    """
    if isinstance(given, str) and (word := one_word_answer(given)) is not None:
        return word
    return ApprovalAnswer.model_validate(given)
