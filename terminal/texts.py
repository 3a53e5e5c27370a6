"""What the terminal client says, in the language of the locale."""

from __future__ import annotations

import locale
import os

TEXTS = {
    "unreachable": ("No server answers at {url}.", "{url} 没有服务响应。"),
    "start_it": ("Start it with make serve, or name it with --server.", "请用 make serve 启动，或用 --server 指定。"),
    "not_ours": ("{url} answers, but not as this service does.", "{url} 有响应，但不是本服务。"),
    "check_url": ("Check the address given by --server.", "请检查 --server 给出的地址。"),
    "no_file": ("There is no file {path}.", "没有文件 {path}。"),
    "check_path": ("Check the path.", "请检查路径。"),
    "lost": ("The connection was lost; taking it up again ...", "连接中断，正在恢复……"),
    "gave_up": ("The connection could not be taken up again.", "无法恢复连接。"),
    "kept": (
        "The answer goes on at the server: look at the session {session} later.",
        "回答仍在服务器上进行：稍后查看会话 {session}。"),
    "gap": ("(part of the stream is no longer kept)", "（部分流已不再保留）"),
    "stopped": ("Stopped; what was said is kept.", "已停止，已说的内容会保留。"),
    "nothing_to_stop": ("Nothing is running.", "没有正在进行的回答。"),
    "sources": ("Sources", "来源"),
    "page": ("p. {page}", "第 {page} 页"),
    "unchecked": ("not checked word for word", "未逐字核对"),
    "checked": ("The answer after its citations were checked:", "核对引用后的回答："),
    "upload": ("sending", "上传"),
    "pages": ("{done}/{total} pages", "{done}/{total} 页"),
    "ready": ("read", "已读取"),
    "session": ("Session: {session}", "会话：{session}"),
    "cleared": ("Forgotten: {count} items of session {session}.", "已清除会话 {session} 的 {count} 项内容。"),
    "no_session": ("There is no session yet.", "还没有会话。"),
    "no_sessions": ("There are no sessions.", "没有会话。"),
    "attached": ("Goes with the next message: {names}", "将随下一条消息发送：{names}"),
    "unknown": ("There is no command {command}; /help lists them.", "没有命令 {command}；/help 列出全部命令。"),
    "welcome": (
        "Ask something; /help lists the commands, Ctrl-C stops an answer.",
        "请提问；/help 列出命令，Ctrl-C 停止回答。"),
    "help": (
        "/file PATH, /image PATH  send a file with the next message\n/sessions  list conversations\n"
        "/open N or ID  go on with one\n/new  begin another\n/clear  forget this one, its documents too\n"
        "/stop  stop an answer that still runs\n/quit  end (or Ctrl-D)",
        "/file 路径、/image 路径  随下一条消息发送文件\n/sessions  列出会话\n/open 序号或编号  继续某个会话\n"
        "/new  开始新会话\n/clear  清除本会话及其文档\n/stop  停止仍在进行的回答\n/quit  退出（或 Ctrl-D）",
    ),
}  # fmt: skip


def is_chinese() -> bool:
    """Tell whether the locale of the environment is Chinese."""
    names = [os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    name = next((name for name in names if name), None) or locale.getlocale()[0] or ""
    return name.lower().startswith(("zh", "chinese"))


def say(name: str, /, **values: object) -> str:
    """Return a text in the language of the locale."""
    return TEXTS[name][is_chinese()].format(**values)
