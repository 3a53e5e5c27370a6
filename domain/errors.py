"""The errors of the service, each with an HTTP status, a stable code, and a message and remedy in both languages.

AppError
├── BadInput (422)
│   ├── UnknownAttachment (404), UnknownSession (404), UnknownRun (404), UnknownDocument (404)
│   ├── UnknownPersona, BudgetExceeded, TooMuchText (413), TooManyFiles (413), BodyTooLarge (413)
│   └── SessionExists (409), BodyTimedOut (408)
├── AttachmentError (422): one file could not be used; in a turn it becomes a note and the turn goes on
│   ├── FileEmpty, FileCorrupt, FileEncrypted, UnsupportedType, ReadingTimedOut
│   └── FileTooLarge (413)
├── Unauthorized (401), KeysNeeded, ForeignPage (403), RateLimited (429)
├── UnknownPath (404), MethodNotAllowed (405)
├── ThreadBusy (409)
└── Unavailable (503): MemoryUnavailable, RunLost, ModelUnavailable, OcrUnavailable, SpeechUnavailable
    ├── MemoryNotStarted
    └── ModelTimedOut (504)
"""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import TypedDict

from domain.words import Language, Words


class ErrorBody(TypedDict):
    """What a client gets inside `error` of every 4xx and 5xx, and what a failed attachment carries."""

    code: str
    message: str
    remedy: str


class AppError(Exception):
    """Base of all errors a client may see.

    Subclasses set `status`, `code` and the two texts; `details` fills the placeholders of the texts. Texts are safe to
    show: they never hold a path, a key or a trace.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    en: ClassVar[tuple[str, str]] = (
        "Something went wrong on the server.",
        "Try again; tell the operator the request id.",
    )
    zh: ClassVar[tuple[str, str]] = ("服务器内部出错。", "请重试；若仍失败，请把请求编号告诉管理员。")

    def __init__(self, **details: object) -> None:
        """Keep `details` for the texts."""
        self.details = details
        self.language: Language | None = None
        super().__init__(self.body("en")["message"])

    def body(self, language: Language = "en") -> ErrorBody:
        """Return code, message and remedy in `language`."""
        message, remedy = self.zh if language == "zh" else self.en
        details = {key: it.text(language) if isinstance(it, Words) else it for key, it in self.details.items()}
        return {"code": self.code, "message": message.format(**details), "remedy": remedy.format(**details)}

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by details, so that errors cross process borders."""
        return _rebuild, (type(self), self.details)


def _rebuild(kind: type[AppError], details: dict[str, object]) -> AppError:
    return kind(**details)


class BadInput(AppError):
    """The request cannot be understood. Details: `reason`."""

    status, code = 422, "bad_input"
    en = ("The request is not valid: {reason}", "Correct the request; /docs shows the fields.")
    zh = ("请求无效：{reason}", "请改正后重试；字段说明见 /docs。")


class UnknownAttachment(BadInput):
    """No such attachment for this user. Details: `id`."""

    status, code = 404, "unknown_attachment"
    en = ("There is no attachment {id!r}.", "Upload the file again and use the id that you get.")
    zh = ("没有编号为 {id!r} 的附件。", "请重新上传文件，并使用返回的编号。")


class UnknownDocument(BadInput):
    """No such document for this user. Details: `id`."""

    status, code = 404, "unknown_document"
    en = ("There is no document {id!r}.", "List the documents with GET /api/v1/documents.")
    zh = ("没有编号为 {id!r} 的文档。", "可用 GET /api/v1/documents 列出文档。")


class UnknownSession(BadInput):
    """No such session for this user. Details: `id`."""

    status, code = 404, "unknown_session"
    en = ("There is no session {id!r}; it may have expired.", "Start a new session.")
    zh = ("没有会话 {id!r}，可能已过期。", "请开始新的会话。")


class SessionExists(BadInput):
    """A new session was to get an id that is taken. Details: `id`."""

    status, code = 409, "session_exists"
    en = ("There is a session {id!r} already.", "Choose another id, or give none: one is made.")
    zh = ("会话 {id!r} 已存在。", "请换一个编号，或不填写以自动生成。")


class BodyTimedOut(BadInput):
    """The client stopped sending in the middle of a request body. Details: `seconds`."""

    status, code = 408, "body_timed_out"
    en = ("Nothing of the request came for {seconds} seconds.", "Send it again; check the connection.")
    zh = ("{seconds} 秒内没有收到请求的后续内容。", "请检查网络后重新发送。")


class UnknownRun(BadInput):
    """No such run for this user. Details: `id`."""

    status, code = 404, "unknown_run"
    en = ("There is no run {id!r}; it may have expired.", "Look at the session for its answer.")
    zh = ("没有运行 {id!r}，可能已过期。", "请到会话中查看回答。")


class UnknownPersona(BadInput):
    """No such role. Details: `name`, `names`."""

    code = "unknown_persona"
    en = ("There is no persona {name!r}.", "Use one of: {names}; or describe the role in system_prompt.")
    zh = ("没有名为 {name!r} 的角色。", "可用角色：{names}；也可以在 system_prompt 中自行描述。")


class BudgetExceeded(BadInput):
    """The turn needs more tokens than its caller allows. Details: `budget`, `needed`."""

    code = "budget_exceeded"
    en = ("The turn needs about {needed} tokens; its budget is {budget}.", "Raise the budget, or send less text.")
    zh = ("本轮约需 {needed} 个 token，超出预算 {budget}。", "请提高预算，或减少发送的内容。")


class TooMuchText(BadInput):
    """The message is too long. Details: `limit`."""

    status, code = 413, "message_too_long"
    en = ("The message is longer than {limit} characters.", "Send long text as a file.")
    zh = ("消息超过 {limit} 个字符。", "长文本请以文件形式上传。")


class TooManyFiles(BadInput):
    """Too many files in one turn. Details: `limit`."""

    status, code = 413, "too_many_files"
    en = ("A turn may have at most {limit} files and pictures.", "Send the rest in a further message.")
    zh = ("一次最多发送 {limit} 个文件和图片。", "其余的请在下一条消息中发送。")


class BodyTooLarge(BadInput):
    """The request body is too large. Details: `limit` in bytes."""

    status, code = 413, "body_too_large"
    en = ("The request is larger than {limit} bytes.", "Send fewer or smaller files.")
    zh = ("请求超过 {limit} 字节。", "请减少文件数量或大小。")


class AttachmentError(AppError):
    """One file or picture could not be used. Details: `name`."""

    status, code = 422, "attachment_failed"
    en = ("{name} could not be used.", "Check the file and send it again.")
    zh = ("无法使用 {name}。", "请检查文件后重新发送。")


class FileEmpty(AttachmentError):
    """The file holds nothing. Details: `name`."""

    code = "file_empty"
    en = ("{name} is empty.", "Send a file that has content.")
    zh = ("{name} 是空文件。", "请发送有内容的文件。")


class FileCorrupt(AttachmentError):
    """The file is damaged. Details: `name`."""

    code = "file_corrupt"
    en = ("{name} is damaged and cannot be read.", "Open it in its own program, save it anew, and send that.")
    zh = ("{name} 已损坏，无法读取。", "请用对应软件打开并另存后重新发送。")


class FileEncrypted(AttachmentError):
    """A password is needed, or the one given is wrong. Details: `name`."""

    code = "password_required"
    en = ("{name} is protected by a password.", "Send it again with the right `password`, or without protection.")
    zh = ("{name} 有密码保护。", "请附上正确的 `password` 重新发送，或先去除保护。")


class FileTooLarge(AttachmentError):
    """The file or what it unpacks to is over a limit. Details: `name`, `limit` (words)."""

    status, code = 413, "file_too_large"
    en = ("{name} is too large: {limit}.", "Send a smaller file, or a part of it.")
    zh = ("{name} 过大：{limit}。", "请发送较小的文件，或只发送其中一部分。")


class UnsupportedType(AttachmentError):
    """No reader for this kind of file. Details: `name`, `reason`."""

    code = "unsupported_type"
    en = ("{name} cannot be read here: {reason}.", "Save it as PDF, DOCX, text or a picture and send that.")
    zh = ("此处无法读取 {name}：{reason}。", "请另存为 PDF、DOCX、文本或图片后发送。")


class ReadingTimedOut(AttachmentError):
    """Reading took longer than allowed. Details: `name`."""

    code = "reading_timed_out"
    en = ("{name} took too long to read.", "Send a smaller part of it.")
    zh = ("读取 {name} 超时。", "请只发送其中一部分。")


class Unauthorized(AppError):
    """No valid API key."""

    status, code = 401, "unauthorized"
    en = ("A valid API key is needed.", "Send `Authorization: Bearer <key>`.")
    zh = ("需要有效的 API 密钥。", "请发送 `Authorization: Bearer <key>`。")


class KeysNeeded(AppError):
    """Called over a network while no API keys are set."""

    status, code = 403, "keys_needed"
    en = ("Without API keys this server answers its own machine only.", "The operator should set API_KEYS.")
    zh = ("未设置 API 密钥时，本服务只接受本机访问。", "请管理员设置 API_KEYS。")


class ForeignPage(AppError):
    """A web page of another site called a server without API keys. Details: `host`."""

    status, code = 403, "foreign_page"
    en = (
        "Pages of {host} may not call this server.",
        "The operator should set API_KEYS, or name the page's origin in CORS_ORIGINS.",
    )
    zh = ("不允许 {host} 的网页访问本服务。", "请管理员设置 API_KEYS，或在 CORS_ORIGINS 中加入该网页的来源。")


class UnknownPath(AppError):
    """No route there. Details: `path`."""

    status, code = 404, "not_found"
    en = ("There is nothing at {path}.", "/docs lists what there is.")
    zh = ("{path} 不存在。", "可用的接口见 /docs。")


class MethodNotAllowed(AppError):
    """The route does not take this method. Details: `method`, `path`."""

    status, code = 405, "method_not_allowed"
    en = ("{path} does not take {method}.", "/docs lists the methods of each path.")
    zh = ("{path} 不支持 {method}。", "各接口支持的方法见 /docs。")


class RateLimited(AppError):
    """Too many requests for this key. Details: `seconds`."""

    status, code = 429, "rate_limited"
    en = ("Too many requests.", "Try again in {seconds} seconds.")
    zh = ("请求过于频繁。", "请在 {seconds} 秒后重试。")


class ThreadBusy(AppError):
    """Another turn of this thread is still running."""

    status, code = 409, "thread_busy"
    en = ("This conversation is still answering.", "Wait for the answer, or stop it first.")
    zh = ("该会话正在回答上一条消息。", "请等待回答结束，或先停止它。")


class Unavailable(AppError):
    """A part that the request needs is not there now. Details: `reason`."""

    status, code = 503, "unavailable"
    en = ("A part of the service is not available: {reason}", "Try again shortly; GET /api/v1/health tells more.")
    zh = ("服务的一部分暂时不可用：{reason}", "请稍后重试；详情见 GET /api/v1/health。")


class MemoryUnavailable(Unavailable):
    """Redis does not answer."""

    code = "memory_unavailable"
    en = ("The conversation memory does not answer.", "Try again shortly; nothing of the conversation is lost.")
    zh = ("会话存储没有响应。", "请稍后重试；会话内容不会丢失。")


class MemoryNotStarted(MemoryUnavailable):
    """Redis cannot be started or reached when the server starts. Details: `reason`, `fix` (both in words)."""

    en = ("The conversation memory cannot start: {reason}.", "{fix}")
    zh = ("会话存储无法启动：{reason}。", "{fix}")


class RunLost(Unavailable):
    """The process that was answering is gone."""

    code = "run_lost"
    en = ("The server stopped while it was answering.", "Send the message again.")
    zh = ("服务器在回答过程中停止了。", "请重新发送该消息。")


class ModelUnavailable(Unavailable):
    """The model endpoint failed. Details: `reason`."""

    code = "model_unavailable"
    en = ("The language model does not answer: {reason}", "Try again; the operator should check LLM_* settings.")
    zh = ("语言模型没有响应：{reason}", "请重试；管理员应检查 LLM_* 配置。")


class ModelTimedOut(Unavailable):
    """The model was silent for too long."""

    status, code = 504, "model_timed_out"
    en = ("The language model took too long.", "Try again, or ask something shorter.")
    zh = ("语言模型响应超时。", "请重试，或缩短问题。")


class OcrUnavailable(Unavailable):
    """Text in pictures cannot be read here. Details: `reason`."""

    code = "ocr_unavailable"
    en = ("Text in pictures cannot be read: {reason}", "Install the OCR packages: make install.")
    zh = ("无法识别图片中的文字：{reason}", "请安装 OCR 组件：make install。")


class OcrBusy(OcrUnavailable):
    """Too many pictures are waiting."""

    code = "ocr_busy"
    en = ("Too many pictures are waiting to be read.", "Try again shortly.")
    zh = ("等待识别的图片过多。", "请稍后重试。")


class OcrFailed(OcrUnavailable):
    """The engine could not be started, ended in the middle, or could not take this picture."""

    code = "ocr_failed"
    en = ("The engine that reads text in pictures failed.", "Try again; the server's log tells the operator why.")
    zh = ("图片文字识别引擎出错。", "请重试；管理员可在服务器日志中查看原因。")


class SpeechUnavailable(Unavailable):
    """No speech engine for this. Details: `reason`."""

    code = "speech_unavailable"
    en = ("Speech is not available: {reason}", "Set DASHSCOPE_API_KEY, or install the speech packages: make install.")
    zh = ("语音不可用：{reason}", "请设置 DASHSCOPE_API_KEY，或安装语音组件：make install。")


class ToolFailure(Exception):
    """A failure that the model should see. `details` fills the placeholders of the texts."""

    code: ClassVar[str] = "tool_failed"
    en: ClassVar[str] = "The tool failed: {reason}"
    zh: ClassVar[str] = "工具执行失败：{reason}"

    def __init__(self, **details: object) -> None:
        """Keep `details` for the texts."""
        self.details = details
        self.language: Language | None = None
        super().__init__(self.message("en"))

    def message(self, language: Language) -> str:
        """Return the text for the model, in `language`."""
        details = {key: getattr(it, language) if isinstance(it, Words) else it for key, it in self.details.items()}
        return (self.zh if language == "zh" else self.en).format(**details)
