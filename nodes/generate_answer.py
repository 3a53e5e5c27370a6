"""Ask the model: once for a plain turn, again after each round of tools."""

from __future__ import annotations

import asyncio
from typing import cast

from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.messages.ai import add_ai_message_chunks
from langgraph.runtime import Runtime

from domain.errors import BudgetExceeded, ModelTimedOut, ModelUnavailable
from domain.limits import Resource
from domain.words import Words
from turn.answer import add_usage, finished_message, tools_only
from turn.budget import CallRoom
from turn.context import Context
from turn.model_input import turn_input
from turn.progress import emit
from turn.prompts import answer_prompt
from turn.state import State, Update
from turn.texts import ANSWER_CUT, BUDGET_SPENT, LAST_ROUND, NOTHING_RETURNED

TITLE = Words("Answer", "生成回答")


async def generate_answer(state: State, runtime: Runtime[Context]) -> Update:
    """Stream one model call; a request whose budget ends closes with what it has, and says so.

    Raises:
        ModelUnavailable: The model failed after its retries and its fallback, or returned nothing.
        ModelTimedOut: It was silent for too long.
        BudgetExceeded: The caller's budget has no room for an answer.
    """
    services, meter = runtime.context.services, runtime.context.meter
    meter.restore(state["spent"])
    spent = meter.closing() if state["tool_rounds"] else None
    offers = state["tool_rounds"] < services.settings.max_tool_rounds and not meter.closing()
    offered = state["offered_tools"] if offers else []
    try:
        message, cut = await _ask(state, runtime, offered)
    except (BudgetExceeded, TimeoutError) as exc:
        if not state["tool_rounds"]:
            raise exc if isinstance(exc, BudgetExceeded) else ModelTimedOut() from exc
        message, cut = AIMessage(tools_only(state)), "tokens" if isinstance(exc, BudgetExceeded) else "seconds"
    meter.add_answer(message, services.chat.name)
    own = runtime.context.model_options
    if message.tool_calls and not offered and not own.tools:
        message = message.model_copy(update={"tool_calls": [], "invalid_tool_calls": []})
    text = str(message.text)
    if not message.tool_calls and not text.strip() and not own.continues:
        text = tools_only(state)
        message = message.model_copy(update={"content": text})
    usage = add_usage(state["usage"], message, services.chat.name)
    warnings = [*state.get("warnings", [])]
    if not message.tool_calls or own.tools:
        emit(runtime, "usage", usage)
        for code, warning in _warnings(message, cut or spent, state):
            warnings.append(warning)
            emit(runtime, "warning", {"code": code, "message": warning})
    reasoning = str(message.additional_kwargs.get("reasoning_content") or "")
    return Update(
        messages=[message], answer=text, reasoning=reasoning, usage=usage, spent=meter.spent(), warnings=warnings
    )


def _warnings(message: AIMessage, spent: Resource | None, state: State) -> list[tuple[str, str]]:
    """What the user should know about how the answer ended: code and text."""
    language, found = state["language"], []
    if message.response_metadata.get("finish_reason") == "length":
        found.append(("answer_cut", ANSWER_CUT.text(language)))
    if spent is not None:
        found.append(("budget_spent", BUDGET_SPENT[spent].text(language)))
    return found


async def _ask(state: State, runtime: Runtime[Context], offered: list[str]) -> tuple[AIMessage, Resource | None]:
    """Return the answer, and what ran out before its end.

    Raises:
        TimeoutError: The request's time ended before the first word.
    """
    context, services, meter = runtime.context, runtime.context.services, runtime.context.meter
    tools = services.tools.tokens(offered) + context.model_options.tool_tokens
    room = CallRoom(services.chat, meter)
    prompt = answer_prompt(
        state, system_prompt=context.system_prompt, budget=room.prompt() - tools,
        as_json=context.model_options.response_format is not None,
    )  # fmt: skip
    if state["tool_rounds"] and not offered:
        prompt = [*prompt, HumanMessage(LAST_ROUND.text(state["language"]))]
    model = context.model_options.bound(services.chat.model, services.tools.schemas(offered))
    if services.chat.takes_turn:
        examples = {spec.name: spec.examples for spec in services.tools.specs() if spec.name in offered}
        model = model.bind(turn=turn_input(state, system_prompt=context.system_prompt, examples=examples))
    lengths = [most for most in (context.answer_tokens, room.answer(prompt, tools)) if most is not None]
    if lengths:
        model = model.bind(max_tokens=min(lengths))
    chunks: list[AIMessageChunk] = []
    cut: Resource | None = None
    try:
        async with asyncio.timeout(meter.left("seconds")):
            async for chunk in model.astream(prompt):
                chunks.append(cast("AIMessageChunk", chunk))
    except TimeoutError:
        if not any(str(chunk.text).strip() for chunk in chunks):
            raise
        chunks, cut = [AIMessageChunk(content="".join(str(chunk.text) for chunk in chunks))], "seconds"
    if not chunks:
        raise ModelUnavailable(reason=NOTHING_RETURNED)
    first, *rest = chunks
    return finished_message(add_ai_message_chunks(first, *rest)), cut
