"""What the terminal client says, in the language of the locale."""

from __future__ import annotations

import locale
import os

from domain.words import Language, Words

SERVER = "http://127.0.0.1:8000"

TEXTS = {
    "about": Words("Chat with a running LLM Chat Backend.", "与正在运行的服务对话。"),
    "ask": Words(
        "Ask one question; without one, hold a conversation. Piped input is the question, or a file beside it.",
        "提一个问题；省略问题则进入对话。管道输入作为问题，或作为问题的附件。"),
    "question_help": Words("What to ask.", "问题。"),
    "migrate": Words(
        "Move the documents of this installation to another database (stop the server first).",
        "将本机的文档数据迁移到另一个数据库（请先停止服务）。",
    ),
    "audit": Words(
        "Check the action log of this installation, and name its first entry that is altered or missing.",
        "检查本机的操作日志，指出第一条被改动或缺失的记录。",
    ),
    "rekey": Words(
        "Encrypt DATA_DIR with the first key of ENCRYPTION_KEY, also from another one (stop the server first).",
        "用 ENCRYPTION_KEY 的第一把密钥加密 DATA_DIR，也可从旧密钥改用新密钥（请先停止服务）。",
    ),
    "off_help": Words("Decrypt everything instead.", "改为全部解密。"),
    "to_help": Words("postgresql://user:password@host/name", "postgresql://用户:密码@主机/库名"),
    "file_help": Words("A document to send; repeatable.", "要发送的文档，可重复。"),
    "image_help": Words("A picture to send; repeatable.", "要发送的图片，可重复。"),
    "session_help": Words("The conversation to continue.", "要继续的会话编号。"),
    "system_help": Words("Role or instructions for the assistant.", "系统提示。"),
    "keys": Words("List, make and revoke API keys.", "列出、创建和吊销 API 密钥。"),
    "keys_list": Words("List the keys; only their beginnings are kept.", "列出密钥（只保留开头几位）。"),
    "keys_create": Words("Make a key; it is shown this once.", "创建密钥，仅显示这一次。"),
    "keys_revoke": Words("Revoke a key.", "吊销密钥。"),
    "user_help": Words("Whose keys, by id or name (administrators).", "指定用户的编号或名称（限管理员）。"),
    "key_name_help": Words("What the key is for.", "密钥的用途。"),
    "key_id_help": Words("Its id, from the list.", "列表中的密钥编号。"),
    "days_help": Words("Days after which it stops working; 0: never.", "有效天数；0 表示一直有效。"),
    "calls_help": Words("Calls of models and tools a day with it; 0: no limit.", "此密钥每日调用次数；0 表示不限。"),
    "tokens_help": Words("Tokens a day with it; 0: no limit.", "此密钥每日 token 数；0 表示不限。"),
    "money_help": Words("Cost a day with it; 0: no limit.", "此密钥每日费用；0 表示不限。"),
    "keys_columns": Words("(id, key, made, works until, name)", "（编号、密钥、创建日期、有效期至、名称）"),
    "no_keys": Words("There are no keys of your own making.", "还没有自行创建的密钥。"),
    "key_once": Words("Keep it now: it cannot be shown again.", "请立即保存：之后无法再次显示。"),
    "key_revoked": Words("Revoked.", "已吊销。"),
    "no_user": Words("There is no user {name}.", "没有用户 {name}。"),
    "several_users": Words("Several users have the name {name}.", "有多个用户名为 {name}。"),
    "name_user": Words("Give the id of the user.", "请给出用户编号。"),
    "made": Words("File {name}: {path}", "文件 {name}：{path}"),
    "server_help": Words("Address of the server.", "服务地址。"),
    "key_help": Words("API key.", "API 密钥。"),
    "json_help": Words("Print the whole answer as JSON.", "以 JSON 输出完整回答。"),
    "no_stream_help": Words("Print the answer when it is complete.", "回答完成后再输出。"),
    "commands": Words("Other commands: {names}", "其他命令：{names}"),
    "unreachable": Words("No server answers at {url}.", "{url} 没有服务响应。"),
    "start_it": Words(
        "Start it with make serve, or name it with --server.",
        "请用 make serve 启动，或用 --server 指定。"),
    "untrusted": Words("The certificate of {url} is not trusted.", "{url} 的证书不受信任。"),
    "trust_it": Words("Name its authority's file in SSL_CERT_FILE.", "请用 SSL_CERT_FILE 指定其颁发机构的证书文件。"),
    "bad_url": Words("{url} is not the address of a server.", "{url} 不是有效的服务地址。"),
    "not_ours": Words("{url} answers, but not as this service does.", "{url} 有响应，但不是本服务。"),
    "check_url": Words("Check the address given by --server.", "请检查 --server 给出的地址。"),
    "bad_key": Words("An API key holds only ASCII letters, digits and signs.", "API 密钥只能包含 ASCII 字符。"),
    "give_key": Words("Give a valid key by --key or LLMCHAT_KEY.", "请用 --key 或 LLMCHAT_KEY 提供有效的密钥。"),
    "no_file": Words("There is no file {path}.", "没有文件 {path}。"),
    "unreadable": Words("The file {path} cannot be read.", "无法读取文件 {path}。"),
    "check_path": Words("Check the path.", "请检查路径。"),
    "lost": Words("The connection was lost; reconnecting ...", "连接中断，正在恢复……"),
    "taken_over": Words(
        "The server was stopped; another one goes on with the answer.", "服务器曾中断，现由另一进程继续回答。"),
    "gave_up": Words("The connection could not be restored.", "无法恢复连接。"),
    "kept": Words(
        "The answer continues on the server: look at the session {session} later.",
        "回答仍在服务器上进行：稍后查看会话 {session}。"),
    "gap": Words("(part of the stream is no longer kept)", "（部分流已不再保留）"),
    "stopped": Words("Stopped; what was said is kept.", "已停止，已说的内容会保留。"),
    "nothing_to_stop": Words("Nothing is running.", "没有正在进行的回答。"),
    "asks_for": Words("May this be done? {title}", "是否允许：{title}"),
    "goes_to": Words("It goes to {names}.", "发送给 {names}。"),
    "from_user": Words("your words", "你的原话"),
    "from_document": Words("from {source}", "来自 {source}"),
    "from_web": Words("from {source}", "来自 {source}"),
    "from_tool": Words("result of {source}", "{source} 的结果"),
    "from_model": Words("written by the model", "由模型写成"),
    "covers": Words("Longer approvals cover: {pattern}", "较长的许可涵盖：{pattern}"),
    "answer_keys": Words(
        "[a] approve once  [s] for this session  [p] always for this pattern  [e] edit  [r] refuse: ",
        "[a] 仅此一次  [s] 本会话内  [p] 始终批准此类  [e] 编辑  [r] 拒绝："),
    "why": Words("Reason (may be empty): ", "原因（可留空）："),
    "not_json": Words("That is not a valid value; the old one is kept.", "这不是有效的值，保留原值。"),
    "sources": Words("Sources", "来源"),
    "page": Words("p. {page}", "第 {page} 页"),
    "unchecked": Words("not checked word for word", "未逐字核对"),
    "checked": Words("The answer after its citations were checked:", "核对引用后的回答："),
    "upload": Words("sending {name}", "上传 {name}"),
    "pages": Words("{done}/{total} pages", "{done}/{total} 页"),
    "ready": Words("read", "已读取"),
    "session": Words("Session: {session}", "会话：{session}"),
    "cleared": Words("Forgotten: {count} items of session {session}.", "已清除会话 {session} 的 {count} 项内容。"),
    "no_session": Words("There is no session yet.", "还没有会话。"),
    "no_sessions": Words("There are no sessions.", "没有会话。"),
    "attached": Words("Goes with the next message: {names}", "将随下一条消息发送：{names}"),
    "unknown": Words("There is no command {command}; /help lists them.", "没有命令 {command}；/help 列出全部命令。"),
    "welcome": Words(
        "Ask something; /help lists the commands, Ctrl-C stops an answer.",
        "请提问；/help 列出命令，Ctrl-C 停止回答。"),
    "help": Words(
        "/file PATH, /image PATH  send a file with the next message\n/sessions  list conversations\n"
        "/open N or ID  continue one\n/new  begin another\n/clear  forget this one, its documents too\n"
        "/stop  stop an answer that still runs\n/quit  end (or Ctrl-D)",
        "/file 路径、/image 路径  随下一条消息发送文件\n/sessions  列出会话\n/open 序号或编号  继续某个会话\n"
        "/new  开始新会话\n/clear  清除本会话及其文档\n/stop  停止仍在进行的回答\n/quit  退出（或 Ctrl-D）"),
}  # fmt: skip


def language() -> Language:
    """Return the language of the environment's locale."""
    names = [os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    name = next((name for name in names if name), None) or locale.getlocale()[0] or ""
    return "zh" if name.lower().startswith(("zh", "chinese")) else "en"


def say(name: str, /, **values: object) -> str:
    """Return a text in the language of the locale."""
    return TEXTS[name].text(language()).format(**values)
