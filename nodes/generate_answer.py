"""Ask the model: once for a plain turn, again after each round of tools."""

from __future__ import annotations

from typing import cast

from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.messages.ai import add_ai_message_chunks
from langgraph.runtime import Runtime

from domain.errors import BudgetExceeded, ModelUnavailable
from domain.words import Words
from turn.answer import add_usage, finished_message, tools_only
from turn.budget import Budget
from turn.context import Context
from turn.model_input import turn_input
from turn.progress import emit
from turn.prompts import answer_prompt
from turn.state import State, Update
from turn.texts import ANSWER_CUT, LAST_ROUND, NOTHING_RETURNED

TITLE = Words("Answer", "生成回答")


async def generate_answer(state: State, runtime: Runtime[Context]) -> Update:
    """Stream one model call.

    Raises:
        ModelUnavailable: The model failed after its retries and its fallback, or returned nothing.
        ModelTimedOut: It was silent for too long.
        BudgetExceeded: The caller's budget has no room for an answer.
    """
    services = runtime.context.services
    offered = state["offered_tools"] if state["tool_rounds"] < services.settings.max_tool_rounds else []
    try:
        message = await _ask(state, runtime, offered)
    except BudgetExceeded:
        if not state["tool_rounds"]:
            raise
        message = AIMessage(tools_only(state))
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
        if message.response_metadata.get("finish_reason") == "length":
            warnings.append(ANSWER_CUT.text(state["language"]))
            emit(runtime, "warning", {"code": "answer_cut", "message": warnings[-1]})
    reasoning = str(message.additional_kwargs.get("reasoning_content") or "")
    return Update(messages=[message], answer=text, reasoning=reasoning, usage=usage, warnings=warnings)


async def _ask(state: State, runtime: Runtime[Context], offered: list[str]) -> AIMessage:
    context, services = runtime.context, runtime.context.services
    tools = services.tools.tokens(offered) + context.model_options.tool_tokens
    budget = Budget(services.chat, context.budget, state["usage"])
    prompt = answer_prompt(
        state, system_prompt=context.system_prompt, budget=budget.prompt() - tools,
        as_json=context.model_options.response_format is not None,
    )  # fmt: skip
    if state["tool_rounds"] and not offered:
        prompt = [*prompt, HumanMessage(LAST_ROUND.text(state["language"]))]
    model = context.model_options.bound(services.chat.model, services.tools.schemas(offered))
    if services.chat.takes_turn:
        examples = {spec.name: spec.examples for spec in services.tools.specs() if spec.name in offered}
        model = model.bind(turn=turn_input(state, system_prompt=context.system_prompt, examples=examples))
    lengths = [most for most in (context.answer_tokens, budget.answer(prompt, tools)) if most is not None]
    if lengths:
        model = model.bind(max_tokens=min(lengths))
    chunks = [chunk async for chunk in model.astream(prompt)]
    if not chunks:
        raise ModelUnavailable(reason=NOTHING_RETURNED)
    first, *rest = cast("list[AIMessageChunk]", chunks)
    return finished_message(add_ai_message_chunks(first, *rest))
