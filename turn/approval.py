"""The moment before a tool is called: may it be, and if only a person can say so, ask and wait."""

from __future__ import annotations

from typing import Any, cast

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from domain.approvals import Approval, ApprovalAnswer, Evidence, answer_of
from domain.errors import BadInput
from domain.types import ApprovalScope
from domain.words import Words
from tools import texts
from tools.calling import BadArguments, checked
from tools.interface import Caller, ToolOutcome, ToolSpec
from tools.outcomes import not_done
from tools.permissions import Verdict, pattern_of
from turn.context import Context
from turn.progress import owner_of
from turn.provenance import Provenance, recipients_of
from turn.state import CallInput, CallReview, State
from turn.texts import NO_ANSWER

MOST_CHOICES = 100
"""Width of a range of numbers in which one says no more than an amount of results."""


def review(call: Any, state: State, context: Context) -> CallReview:
    """Return what the state of the turn says of a call: it is judged in a task that sees nothing but the call."""
    spec = context.services.tools.spec(call["name"])
    verdict = context.services.permissions.guarded(call, spec, state) if spec is not None else Verdict("allow")
    return CallReview(
        evidence=_evidence(call["args"], spec, state, context),
        decision=verdict.decision,
        reasons=[[*reason] for reason in verdict.reasons],
    )


def _evidence(arguments: dict[str, Any], spec: ToolSpec | None, state: State, context: Context) -> Evidence:
    provenance = Provenance(state, context)
    if spec is None:
        return provenance.evidence(arguments)
    properties: dict[str, Any] = spec.schema["function"]["parameters"].get("properties", {})
    chosen = [name for name, schema in properties.items() if _is_choice(schema, arguments.get(name))]
    return provenance.evidence(arguments, spec, chosen=chosen, free=spec.permission != "write")


def _is_choice(schema: dict[str, Any], value: object) -> bool:
    """Tell whether a value is one of few that the tool names, or the one that holds when nothing is said."""
    if "enum" in schema or "const" in schema or (value is not None and schema.get("default") == value):
        return True
    least, most = schema.get("minimum"), schema.get("maximum")
    return least is not None and most is not None and most - least <= MOST_CHOICES


async def permitted(
    state: CallInput, runtime: Runtime[Context], caller: Caller
) -> tuple[dict[str, Any], ApprovalScope | None] | ToolOutcome:
    """Return the arguments that a call may be made with and what a person approved for it, or why it is not made.

    A call that needs a person's approval interrupts the graph here, before anything has happened, and is judged again
    when it goes on. What the turn does not offer, and arguments that do not fit, are left to the call itself.

    Raises:
        BadInput: It goes on with something that is no answer.
    """
    call, context = state["call"], runtime.context
    arguments: dict[str, Any] = call["args"]
    spec = context.services.tools.spec(call["name"]) if state["offered"] else None
    approved: ApprovalScope | None = None
    if spec is None or not _fit(spec, arguments):
        return arguments, approved
    verdict = await _judged(spec, arguments, state, runtime)
    if verdict.decision == "ask":
        if not context.can_ask:
            return _refused(state, texts.CANNOT_ASK, "needs_approval")
        try:
            answer = answer_of(interrupt(await _question(spec, verdict, state, runtime, caller)))
        except ValueError as exc:
            raise BadInput(reason=NO_ANSWER) from exc
        context.services.actions.append(
            "answer", owner_of(runtime), run_id=context.run_id, call_id=call["id"], tool=spec.name,
            decision=answer.decision, scope=answer.scope, edited=answer.arguments is not None,
        )  # fmt: skip
        if answer.decision == "refuse":
            words = texts.ANSWERED_NO_BECAUSE if answer.reason else texts.ANSWERED_NO
            return _refused(state, words, "refused_by_user", reason=answer.reason)
        approved = answer.scope
        arguments, verdict = await _approved(answer, spec, state, runtime)
    if verdict.decision == "deny":
        reasons = "".join(f"{reason.text(state['language'])} " for reason in verdict.reasons)
        return _refused(state, texts.NOT_PERMITTED, "not_permitted", reasons=reasons)
    return arguments, approved


async def _approved(
    answer: ApprovalAnswer, spec: ToolSpec, state: CallInput, runtime: Runtime[Context]
) -> tuple[dict[str, Any], Verdict]:
    """Return what the call is made with, and the verdict on it: arguments that a person changed are judged again."""
    arguments: dict[str, Any] = state["call"]["args"]
    verdict = Verdict("allow")
    if answer.arguments is not None and answer.arguments != arguments:
        arguments = answer.arguments
        judged = await _judged(spec, arguments, state, runtime)
        verdict = judged if judged.decision == "deny" else verdict
    if answer.scope != "once" and verdict.decision == "allow":
        lasting = answer.scope == "pattern" and not runtime.context.temporary
        await runtime.context.services.permissions.allow(
            spec, pattern_of(spec, arguments), owner_of(runtime), lasting=lasting
        )
        runtime.context.services.actions.append(
            "policy",
            owner_of(runtime),
            run_id=runtime.context.run_id,
            change="allowed",
            tool=spec.name,
            lasting=lasting,
        )
    return arguments, verdict


async def _judged(spec: ToolSpec, arguments: dict[str, Any], state: CallInput, runtime: Runtime[Context]) -> Verdict:
    context, seen = runtime.context, state["review"]
    permissions = context.services.permissions
    guarded = Verdict(seen["decision"], tuple(Words(*reason) for reason in seen["reasons"]))
    return await permissions.judge(
        spec, arguments, owner_of(runtime), seen["evidence"], role=context.role,
        tightened=(guarded, permissions.requested(spec, context.permissions or {})),
    )  # fmt: skip


def _fit(spec: ToolSpec, arguments: dict[str, Any]) -> bool:
    try:
        checked(spec, arguments)
    except BadArguments:
        return False
    return True


async def _question(
    spec: ToolSpec, verdict: Verdict, state: CallInput, runtime: Runtime[Context], caller: Caller
) -> Approval:
    call, language = state["call"], state["language"]
    evidence: Evidence = state["review"]["evidence"]
    question = Approval(
        id="",
        call_id=str(call["id"]),
        place=state["index"],
        tool=spec.name,
        titles=cast("Any", spec.title._asdict()),
        permission=spec.permission,
        arguments=call["args"],
        origins=evidence["origins"],
        recipients=recipients_of(call["args"]) or runtime.context.services.tools.receivers(spec),
        reasons=[reason.text(language) for reason in verdict.reasons],
        pattern=pattern_of(spec, call["args"]),
    )
    if preview := await runtime.context.services.tools.preview(spec, call["args"], caller):
        question["preview"] = preview
    return question


def _refused(state: CallInput, words: Words, code: str, **details: str) -> ToolOutcome:
    call = state["call"]
    text = words.text(state["language"]).format(name=call["name"], **details)
    return not_done(text, call["name"], call["args"], "refused", code)
