"""A run that waits for a person: what is kept of it with the thread's memory, and how it goes on from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, NotRequired, cast

from langchain_core.runnables import RunnableConfig
from typing_extensions import TypedDict

from api.runs.request import TurnRequest
from domain.approvals import Approval, ApprovalAnswer, answer_of
from domain.errors import BadInput, UnknownQuestion
from domain.limits import Spent
from domain.words import Language, Words
from privacy.outbound import wanted_privacy
from stores.memories.items import GENERAL, MemoryScope
from tools.calling import BadArguments, checked
from turn.model_options import ModelOptions
from turn.options import OPTIONS
from turn.texts import NO_ANSWER

if TYPE_CHECKING:
    from api.runs.progress import Stand
    from api.runs.run import Run
    from domain.owner import Owner
    from stores.conversations.entries import Spot
    from tools.registry import ToolRegistry

ALL = "*"
"""Instead of the id of a question: the answer to all of them."""
WAITS = Words("Waiting for your approval before this is done:", "以下操作需要你批准后才会执行：")
CALL = Words("- {title}: {arguments}{recipients}", "- {title}：{arguments}{recipients}")
GOES_TO = Words(" (goes to {names})", "（发送给 {names}）")
HOW = Words(
    'Answer with the one word "approve" or "refuse"; to change or allow more, use POST /api/v1/runs/{id}/answers.',
    "请只回复“同意”或“拒绝”；如需修改内容或放宽许可，请使用 POST /api/v1/runs/{id}/answers。",
)


SEVERAL = Words(
    "several questions wait: resume with an object of answers by the ids {ids}",
    "有多个问题在等待：请用以下编号为键的对象来恢复：{ids}",
)


class Choices(TypedDict):
    """What a caller chose for a run; JSON-native."""

    language: Language
    options: dict[str, Any]
    model_options: dict[str, Any]
    memory_scope: NotRequired[dict[str, Any]]
    detailed: bool
    callback_url: str | None


class Pause(Choices):
    """What another process needs to go on with a run; JSON-native.

    `messages` are the ids of the user's messages, `place` is where the answer goes in the conversation, `stand` is how
    far the turn had come.
    """

    run_id: str
    questions: list[Approval]
    messages: list[str]
    place: dict[str, Any]
    stand: NotRequired[Stand]
    spent: Spent


def choices_of(request: TurnRequest) -> Choices:
    """Return what is kept of the choices of a request."""
    return Choices(
        language=request.language,
        # A process that goes on by itself has no caller whose profile says what may leave.
        options=asdict(replace(request.decided_options, language=request.language, pii=wanted_privacy.get())),
        model_options=asdict(request.model_options),
        memory_scope=asdict(request.memory_scope),
        detailed=request.detailed,
        callback_url=request.callback_url,
    )


def chosen(choices: Choices, request: TurnRequest) -> TurnRequest:
    """Return the request with what was kept of an earlier one's choices."""
    options = {name: value for name, value in choices["options"].items() if value is not None}
    return replace(
        request,
        options=OPTIONS.validate_python(options),
        model_options=ModelOptions(**choices["model_options"]),
        memory_scope=_scope(choices),
        detailed=choices["detailed"],
        callback_url=choices["callback_url"],
    )


def pause_of(run: Run, place: Spot) -> Pause:
    """Return what is kept of a run that waits."""
    request = run.request
    return Pause(
        run_id=run.id,
        questions=run.questions,
        messages=run.message_ids,
        place=asdict(place),
        stand=run.progress.stand(),
        spent=run.spent,
        **choices_of(request),
    )


def continued(
    pause: Pause, owner: Owner, answers: Mapping[str, ApprovalAnswer], *, like: TurnRequest | None = None
) -> TurnRequest:
    """Return the request that goes on with a run.

    Args:
        pause: What was kept of it.
        owner: Whose it is.
        answers: Answers by question; without any, the turn is only brought to an end.
        like: A call whose connection the run is to serve: its tap, modes and config.
    """
    served = like or TurnRequest(owner=owner, messages=())
    request = TurnRequest(
        owner=owner,
        messages=(),
        resume={name: answer.model_dump() for name, answer in answers.items()},
        pause=pause,
        config=cast("RunnableConfig", {**served.config}),
        modes=served.modes,
        tap=served.tap,
    )
    return chosen(pause, request)


def _scope(choices: Choices) -> MemoryScope:
    kept = choices.get("memory_scope")
    return MemoryScope(kept["keeps"], tuple(kept["sees"])) if kept else GENERAL


def answers_in(given: object, questions: Sequence[Approval]) -> dict[str, ApprovalAnswer]:
    """Return the answers in what a client resumes with: by question, or one answer where one question waits.

    Raises:
        BadInput: It is neither.
    """
    known = {ALL, *(question["id"] for question in questions)}
    try:
        if isinstance(given, Mapping) and given and known.issuperset(given):
            return {str(name): answer_of(answer) for name, answer in given.items()}
        if len(questions) == 1:
            return {questions[0]["id"]: answer_of(given)}
    except ValueError as exc:
        raise BadInput(reason=NO_ANSWER) from exc
    raise BadInput(reason=Words(*(text.format(ids=", ".join(sorted(known))) for text in SEVERAL)))


def checked_answers(
    given: Mapping[str, ApprovalAnswer], questions: Sequence[Approval], tools: ToolRegistry
) -> dict[str, ApprovalAnswer]:
    """Return the answers by question; one that holds for longer also answers the other questions of its pattern.

    Raises:
        UnknownQuestion: No such question waits.
        BadInput: Arguments that were changed do not fit the tool.
    """
    waiting = {question["id"]: question for question in questions}
    answers = dict.fromkeys(waiting, given[ALL]) if ALL in given else {}
    for name, answer in given.items():
        if name != ALL:
            if name not in waiting:
                raise UnknownQuestion(id=name)
            answers[name] = answer
    for name, answer in list(answers.items()):
        question = waiting[name]
        _check_arguments(question, answer, tools)
        if answer.decision == "approve" and answer.scope != "once" and answer.arguments is None:
            for other, like in waiting.items():
                if (like["tool"], like["pattern"]) == (question["tool"], question["pattern"]):
                    answers.setdefault(other, ApprovalAnswer(decision="approve"))
    return answers


def _check_arguments(question: Approval, answer: ApprovalAnswer, tools: ToolRegistry) -> None:
    spec = tools.spec(question["tool"])
    if answer.arguments is None or spec is None:
        return
    try:
        checked(spec, answer.arguments)
    except BadArguments as exc:
        raise BadInput(reason=Words(f"arguments: {exc}", f"参数有误：{exc}")) from exc


def waiting_text(run_id: str, questions: Sequence[Approval], language: Language) -> str:
    """Return what waits and how to answer, for clients that show nothing but text."""
    lines = [WAITS.text(language)]
    for question in questions:
        names = ", ".join(question["recipients"])
        arguments = "; ".join(f"{name} = {value}" for name, value in question["arguments"].items())
        exact = f"{question['preview']} ({arguments})" if question.get("preview") else arguments
        lines.append(
            CALL.text(language).format(
                title=question["titles"][language],
                arguments=exact,
                recipients=GOES_TO.text(language).format(names=names) if names else "",
            )
        )
    return "\n".join([*lines, HOW.text(language).format(id=run_id)])
