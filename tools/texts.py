"""Messages to the model about calls."""

from __future__ import annotations

from domain.approvals import Doubt
from domain.words import Words

NOTHING_KEPT = Words(
    "this conversation is temporary: nothing of it is remembered, and nothing that is remembered is used in it",
    "这是临时对话：其中的内容不会被记住，也不会用到已记住的内容",
)
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
RESTING = Words(
    "{name!r} has failed {failures} times in a row and is left alone for {seconds:.0f} more seconds. Answer without it "
    "and say so.",
    "{name!r} 已连续失败 {failures} 次，{seconds:.0f} 秒内不再调用。请不使用它作答，并如实说明。",
)
FETCHED = Words("(Fetched {age} ago.)", "（{age}前获取）")
MAY_HAVE = Words(
    "It may have taken effect all the same, and is not tried again: ask the user to check.",
    "但它可能已经生效，因此不会重试：请让用户核实。",
)
OPEN_END = Words(
    "A call of {name!r} with these arguments began at {time} and was cut off: whether it took effect is unknown, and "
    "it was not made again. Ask the user to check before it is made once more.",
    "以相同参数对 {name!r} 的调用始于 {time}，中途中断：是否已生效无法确定，因此没有再次调用。"
    "请先让用户核实，再决定是否重试。",
)
DONE_BEFORE = Words(
    "This was done at {time} already, by a turn that was cut off before its answer; it was not done again. Its result:",
    "此操作已于 {time} 由一轮未及作答即中断的对话完成，没有再次执行。当时的结果：",
)
NOT_PERMITTED = Words(
    "The call of {name!r} is not permitted: {reasons} Do not try it again; say that it was not done.",
    "调用 {name!r} 未获许可：{reasons}请不要再次尝试，并说明该操作没有执行。",
)
ANSWERED_NO = Words(
    "The user refused the call of {name!r}. Do not try it again; say that it was not done.",
    "用户拒绝了对 {name!r} 的调用。请不要再次尝试，并说明该操作没有执行。",
)
ANSWERED_NO_BECAUSE = Words(
    "The user refused the call of {name!r} and says: {reason}", "用户拒绝了对 {name!r} 的调用，并表示：{reason}"
)
CANNOT_ASK = Words(
    "The call of {name!r} needs the user's approval, which this request cannot ask for. It was not done; say so.",
    "调用 {name!r} 需要用户批准，而本次请求无法询问。该操作没有执行，请如实说明。",
)
WRITES = Words("It changes something outside this conversation.", "该操作会更改本会话之外的内容。")
DOUBTS: dict[Doubt, Words] = {
    "unasked": Words("Nothing in your request speaks of it.", "你的请求没有提到这一操作。"),
    "unknown": Words(
        "An address, number or id in it is neither in your words nor in a record that you named.",
        "其中的地址、数字或编号既不在你的话里，也不在你提到的记录里。",
    ),
    "foreign": Words(
        "Its text is not in your own words, or holds what was read.", "其中的文字并非出自你的原话，或含有读到的内容。"
    ),
}
RULE_SAYS = Words("A rule of this server says so.", "本服务器的规则如此要求。")
YOU_SAID = Words("You said so.", "你作过这样的设定。")
