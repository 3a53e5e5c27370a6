"""One call of a specialist's model beside its conversation: for one part of its work."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langgraph.runtime import Runtime

from domain.errors import BudgetExceeded
from domain.fence import fenced
from domain.tokens import count_message_tokens
from domain.types import Source
from domain.words import Language
from models.chat.interface import TurnInput
from turn.answer import streamed
from turn.budget import CallRoom
from turn.context import Context
from turn.material import shortened, sources_text


async def asked(
    runtime: Runtime[Context], instructions: str, sources: Sequence[Source], task: str, language: Language
) -> str:
    """Return what the model says to `task`; `sources` are the material, numbered.

    Raises:
        AppError: The model failed, or the budget has no room for it.
        TimeoutError: The time of the specialist is over.
    """
    chat, meter = runtime.context.services.chat, runtime.context.meter
    if meter.ended():
        raise BudgetExceeded(budget=meter.spent()["tokens"], needed=meter.spent()["tokens"] + 1)
    room = CallRoom(chat, meter)
    material = fenced(sources_text(sources)) if sources else ""
    prompt: list[AnyMessage] = [
        SystemMessage(instructions),
        HumanMessage("\n\n".join(part for part in (material, task) if part)),
    ]
    excess = count_message_tokens(prompt) - room.prompt()
    if material and excess > 0:
        prompt[1] = HumanMessage(f"{shortened(material, excess)}\n\n{task}")
    model = chat.model
    if chat.takes_turn:
        turn = TurnInput(language, question=task, sources=list(sources))
        bound = model.bind(turn=turn)
    else:
        most = room.answer(prompt, 0)
        bound = model.bind() if most is None else model.bind(max_tokens=most)
    answer, _ = await streamed(bound, prompt, meter.left("seconds"))
    meter.add_answer(answer, chat.name)
    return str(answer.text)
