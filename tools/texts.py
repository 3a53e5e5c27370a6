"""Messages to the model about failed calls."""

from __future__ import annotations

from domain.words import Words

UNKNOWN = Words("There is no tool {name!r} here.", "这里没有工具 {name!r}。")
ABSENT = Words(
    "The tool {name!r} cannot be used now: {reason} Do not make up its result; say that it is missing.",
    "工具 {name!r} 当前无法使用：{reason}请不要编造其结果，并说明该工具不可用。",
)
REFUSED = Words("The tool {name!r} may not be used in this turn.", "本轮对话不允许使用工具 {name!r}。")
BAD_ARGUMENTS = Words(
    "The arguments of {name!r} do not fit: {problems}. Correct them and call it again.",
    "工具 {name!r} 的参数有误：{problems}。请改正后重新调用。",
)
TIMED_OUT = Words(
    "The tool {name!r} took longer than {seconds:g} seconds and was stopped.",
    "工具 {name!r} 超过 {seconds:g} 秒，已停止。",
)
CRASHED = Words(
    "The tool {name!r} failed. Answer without it and say so.",
    "工具 {name!r} 执行失败。请不使用它作答，并如实说明。",
)
