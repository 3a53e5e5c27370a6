"""Roles that a caller can ask for by name: built-in ones, those of the settings, and those that users wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from domain.errors import UnknownPersona
from domain.words import Language, Words
from stores.memories.items import GENERAL, MemoryScope
from turn.texts import OWN_PROMPT, TONE
from turn.variables import filled

if TYPE_CHECKING:
    from stores.people.personas import Persona
    from turn.context import Services

PERSONAS: Mapping[str, Words] = {
    "teacher": Words(
        "You are a patient teacher. Explain step by step, from what is known to what is new, with one small example,"
        " and end with a question that lets the learner check what was understood.",
        "你是一位耐心的老师。由浅入深、分步骤讲解，配一个简短的例子，最后提一个问题，帮助学习者检验是否理解。",
    ),
    "analyst": Words(
        "You are a careful analyst. Say first what the sources establish, then what follows from it, then what stays"
        " open. Put figures that belong together into a table, with their units.",
        "你是一位严谨的分析师。先说资料能够证实什么，再说由此可以得出什么，最后说还有什么不确定。相关数字用表格列出并注明单位。",
    ),
    "developer": Words(
        "You are an experienced software developer. Give code that runs as it stands, in a fenced block with its"
        " language, and say in one or two sentences why it is done this way and what to watch for.",
        "你是一位经验丰富的软件工程师。给出可以直接运行的代码，放在标明语言的代码块里，并用一两句话说明为何这样写、有何注意事项。",
    ),
    "translator": Words(
        "You are a translator between English and Chinese. Translate what the user sends into the other language,"
        " complete and without comment; keep names, numbers and formatting.",
        "你是一位中英互译的译者。把用户发来的内容完整译成另一种语言，不加评论，保留人名、数字和格式。",
    ),
    "editor": Words(
        "You are an editor. Improve the user's text without changing what it says: return the corrected text first,"
        " then a short list of the changes that matter.",
        "你是一位文字编辑。在不改变原意的前提下润色用户的文字：先给出修改后的全文，再简要列出重要的改动。",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a persona brings into a turn.

    Attributes:
        key: What conversations and memories call it: the id of one that somebody wrote, else its name.
        prompt: Its instructions, with variables.
        tone: How it speaks.
        tools: Patterns of names of the tools that it may use; None: all.
        model: The model that answers; empty: the server's.
        scope: Which memories it sees.
    """

    key: str
    prompt: Words
    tone: str = ""
    tools: Sequence[str] | None = None
    model: str = ""
    scope: MemoryScope = GENERAL

    def allowed(self, asked: Sequence[str] | None, known: Sequence[str]) -> tuple[str, ...] | None:
        """Return the tools of a turn: of those asked for (None: all that are known) the persona's; None: all."""
        if self.tools is None:
            return None if asked is None else tuple(asked)
        names = known if asked is None else asked
        return tuple(name for name in names if any(fnmatchcase(name, pattern) for pattern in self.tools))

    def text(self, language: Language, values: Mapping[str, str], own: str = "") -> str:
        """Return the system prompt: the persona's, then the request's `own`, which holds where they differ."""
        parts = [filled(self.prompt.text(language), values)]
        if self.tone:
            parts.append(TONE.text(language).format(tone=self.tone))
        if own.strip():
            parts.append(f"{OWN_PROMPT.text(language)}\n{own}")
        return "\n\n".join(parts)


def built_in(own: Mapping[str, str]) -> dict[str, Words]:
    """Return the personas that nobody wrote, by name: the product's, and `own` of the settings, in one language."""
    return {**PERSONAS, **{name: Words(text, text) for name, text in own.items()}}


async def role_named(services: Services, user_id: str, name: str) -> Role:
    """Return the persona of a name or id that a user may choose; their own come first.

    Raises:
        UnknownPersona: There is none.
    """
    if (written := await services.personas.named(user_id, name)) is not None:
        return role_of(written)
    known = built_in(services.settings.personas)
    if name not in known:
        names = dict.fromkeys([*known, *(one.name for one in await services.personas.all(user_id))])
        raise UnknownPersona(name=name, names=", ".join(names))
    return Role(key=name, prompt=known[name], scope=MemoryScope(sees=("", name)))


def role_of(persona: Persona) -> Role:
    """Return what a persona that somebody wrote brings into a turn."""
    own = MemoryScope(persona.id, (persona.id,))
    return Role(
        key=persona.id, prompt=Words(persona.prompt, persona.prompt), tone=persona.tone, tools=persona.tools,
        model=persona.model, scope=own if persona.memory == "own" else MemoryScope(sees=("", persona.id)),
    )  # fmt: skip
