"""Ask the model: once for a plain turn, again after each round of tools."""

from __future__ import annotations

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.runtime import Runtime

from domain.errors import BudgetExceeded, ModelTimedOut
from domain.limits import Resource
from domain.words import Words
from turn.answer import add_usage, streamed, tools_only
from turn.budget import CallRoom
from turn.calls import ready_answer
from turn.context import Context
from turn.model_input import turn_input
from turn.progress import emit
from turn.prompts import answer_prompt
from turn.state import State, Update
from turn.texts import ANSWER_CUT, BUDGET_SPENT, LAST_ROUND

TITLE = Words("Answer", "生成回答")


async def generate_answer(state: State, runtime: Runtime[Context]) -> Update:
    """Stream one model call; a request whose budget ends closes with what it has, and says so.

    Raises:
        ModelUnavailable: The model failed after its retries and its fallback, or returned nothing.
        ModelTimedOut: It was silent for too long.
        BudgetExceeded: The caller's budget has no room for an answer.
    """
    services, meter, own = runtime.context.services, runtime.context.meter, runtime.context.model_options
    meter.restore(state["spent"])
    message, spent = ready_answer(state, runtime.context), None
    if message is None:
        message, spent = await _answer(state, runtime)
    text = str(message.text)
    if not message.tool_calls and not text.strip() and not own.continues:
        text = tools_only(state)
        message = message.model_copy(update={"content": text})
    usage = add_usage(state["usage"], message, services.chat.name)
    warnings = [*state.get("warnings", [])]
    if not message.tool_calls or own.ends_turn(message):
        emit(runtime, "usage", usage)
        for code, warning in _warnings(message, spent, state):
            warnings.append(warning)
            emit(runtime, "warning", {"code": code, "message": warning})
    reasoning = str(message.additional_kwargs.get("reasoning_content") or "")
    return Update(
        messages=[message], answer=text, reasoning=reasoning, usage=usage, spent=meter.spent(), warnings=warnings
    )


async def _answer(state: State, runtime: Runtime[Context]) -> tuple[AIMessage, Resource | None]:
    """Return what the model says, else what its tools returned; and what of the budget has run out."""
    services, meter = runtime.context.services, runtime.context.meter
    spent = meter.closing()
    calls = state["tool_rounds"] < services.settings.max_tool_rounds and not spent
    try:
        message, cut = await _ask(state, runtime, calls=calls)
    except (BudgetExceeded, TimeoutError) as exc:
        if not state["tool_rounds"]:
            raise exc if isinstance(exc, BudgetExceeded) else ModelTimedOut() from exc
        message, cut = AIMessage(tools_only(state)), "tokens" if isinstance(exc, BudgetExceeded) else "seconds"
    meter.add_answer(message, services.chat.name)
    message = runtime.context.model_options.owned(message)
    if message.tool_calls and not calls and not runtime.context.model_options.ends_turn(message):
        message = message.model_copy(update={"tool_calls": [], "invalid_tool_calls": []})
    return message, cut or (spent if state["tool_rounds"] else None)


def _warnings(message: AIMessage, spent: Resource | None, state: State) -> list[tuple[str, str]]:
    """What the user should know about how the answer ended: code and text."""
    language, found = state["language"], []
    if message.response_metadata.get("finish_reason") == "length":
        found.append(("answer_cut", ANSWER_CUT.text(language)))
    if spent is not None:
        found.append(("budget_spent", BUDGET_SPENT[spent].text(language)))
    return found


async def _ask(state: State, runtime: Runtime[Context], *, calls: bool) -> tuple[AIMessage, Resource | None]:
    """Return the answer, and what ran out before its end; `calls` tells whether the model may call anything.

    Raises:
        TimeoutError: The request's time ended before the first word.
    """
    context, services, meter = runtime.context, runtime.context.services, runtime.context.meter
    offered, functions = (state["offered_tools"], context.functions) if calls else ([], ())
    tools = services.tools.tokens(offered) + context.model_options.tool_tokens + sum(it.tokens for it in functions)
    room = CallRoom(services.chat, meter)
    prompt = answer_prompt(
        state, system_prompt=context.system_prompt, budget=room.prompt() - tools,
        as_json=context.model_options.response_format is not None, fixed_language=context.language != "auto",
    )  # fmt: skip
    if state["tool_rounds"] and not offered and not functions:
        prompt = [*prompt, HumanMessage(LAST_ROUND.text(state["language"]))]
    model = context.model_options.bound(
        services.chat.model,
        [*services.tools.schemas(offered), *(it.schema for it in functions)],
        chosen=not state["tool_rounds"],
    )
    if services.chat.takes_turn:
        examples = {spec.name: spec.examples for spec in services.tools.specs() if spec.name in offered}
        model = model.bind(turn=turn_input(state, system_prompt=context.system_prompt, examples=examples))
    lengths = [most for most in (context.answer_tokens, room.answer(prompt, tools)) if most is not None]
    if lengths:
        model = model.bind(max_tokens=min(lengths))
    message, whole = await streamed(model, prompt, meter.left("seconds"))
    return message, None if whole else "seconds"
