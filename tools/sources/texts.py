"""Why a source or one of its tools is not there: for the model, for people, and for administrators."""

from __future__ import annotations

from domain.words import Words

ONE_KIND = Words("must have exactly one of command, url and openapi", "必须且只能包含 command、url、openapi 三者之一")
FIELD_UNFIT = Words("cannot have {field} beside {kind}", "不能在使用 {kind} 时设置 {field}")
OWN_SETTING = Words(
    "${{{name}}} is a setting of this service; only TOOLS_FILE may use it",
    "${{{name}}} 是本服务的配置项，只能在 TOOLS_FILE 中引用",
)
NOT_SET = Words("${{{name}}} is not set in the environment", "环境变量 ${{{name}}} 未设置")
UNREADABLE = Words("it cannot be read", "无法读取")
NO_YAML = Words("line {line} is not valid YAML", "第 {line} 行不是有效的 YAML")

STARTING = Words("it is starting", "正在启动")
NO_ANSWER = Words("it does not answer", "没有响应")
NO_PROGRAM = Words("its program cannot be started", "无法启动其程序")
ENDED = Words("its connection ended", "连接已断开")
REFUSES = Words("it answers HTTP {status}", "返回 HTTP {status}")
NO_MCP = Words("it does not speak MCP as expected", "其 MCP 响应不符合协议")
NOT_PUBLIC = Words(
    "its address is not on the public internet; only TOOLS_FILE may name such a server",
    "其地址不在公共互联网上；只有 TOOLS_FILE 可以指定此类服务器",
)
NO_DOCUMENT = Words("its OpenAPI document cannot be used: {reason}", "无法使用其 OpenAPI 文档：{reason}")
NO_SERVER = Words("it names no server; set base_url", "未指定服务器，请设置 base_url")
NOT_LOADED = Words("its code cannot be loaded", "无法加载其代码")

SOURCE_DOWN = Words("{source} is not available: {reason}.", "{source} 不可用：{reason}。")
WAITS = Words("it is new and waits for an administrator's approval.", "该工具是新增的，等待管理员批准。")
CHANGED = Words(
    "its definition has changed and waits for an administrator's approval.", "其定义已更改，等待管理员批准。"
)
GONE = Words("{source} offers it no more.", "{source} 已不再提供该工具。")
UNUSABLE = Words("its definition cannot be used: {reason}.", "其定义无法使用：{reason}。")
SOME_WAIT = Words(
    "{source}: {count} new or changed tools wait for an administrator's approval.",
    "{source}：有 {count} 个新增或更改的工具等待管理员批准。",
)
BAD_SCHEMA = Words("the schema of its arguments is not valid", "其参数的 schema 无效")
TOO_LARGE = Words("it is larger than {limit} bytes", "超过 {limit} 字节")
BAD_NAME = Words(
    "a name is letters and digits, with single hyphens or underscores between, at most 31 characters",
    "名称只能包含字母和数字，中间可用单个连字符或下划线，最多 31 个字符",
)
NO_COMMANDS = Words(
    "sources that run a program may only be named by TOOLS_FILE here; ADMIN_COMMANDS changes that",
    "此处只有 TOOLS_FILE 可以指定运行程序的来源；可通过 ADMIN_COMMANDS 更改",
)

FILE_KEPT = Words(
    "[{kind} {media_type}, {size} bytes, kept as file {id}]", "[{kind} {media_type}，{size} 字节，已存为文件 {id}]"
)
FILE_LOST = Words(
    "[{kind} {media_type}, {size} bytes, not kept: {reason}]", "[{kind} {media_type}，{size} 字节，未保存：{reason}]"
)
LINK = Words("[link {name}: {uri} {description}]", "[链接 {name}：{uri} {description}]")
NO_RESULT = Words("The tool returned nothing.", "该工具没有返回内容。")
HTTP_STATUS = Words("The service answered HTTP {status}: {body}", "服务返回 HTTP {status}：{body}")
