"""How a request to a foreign address fails."""

from __future__ import annotations

from domain.errors import AppError

_REMEDY = "Check the address; a file can be uploaded instead."
_REMEDY_ZH = "请检查网址；也可以直接上传文件。"


class FetchFailure(AppError):
    """A page could not be fetched. Details: `url` in every subclass."""

    status, code = 422, "fetch_failed"
    en = ("{url} could not be fetched.", _REMEDY)
    zh = ("无法访问 {url}。", _REMEDY_ZH)


class UrlRefused(FetchFailure):
    """The URL is not one that may be fetched. Details: `url`, `reason`."""

    code = "bad_url"
    en = ("{url} cannot be fetched: {reason}.", _REMEDY)
    zh = ("无法访问 {url}：{reason}。", _REMEDY_ZH)


class AddressBlocked(FetchFailure):
    """The name leads to an address that is not on the public internet."""

    code = "blocked_address"
    en = ("{url} is not on the public internet; private and local addresses are not fetched.", _REMEDY)
    zh = ("{url} 不在公共互联网上；不允许访问内网或本机地址。", _REMEDY_ZH)


class TooLarge(FetchFailure):
    """More than `limit` bytes."""

    code = "too_large"
    en = ("{url} is larger than the limit of {limit} bytes.", _REMEDY)
    zh = ("{url} 超过 {limit} 字节的上限。", _REMEDY_ZH)


class FetchTimedOut(FetchFailure):
    """It took longer than `seconds`."""

    code = "timeout"
    en = ("{url} did not answer completely within {seconds:g} seconds.", _REMEDY)
    zh = ("{url} 未能在 {seconds:g} 秒内完整响应。", _REMEDY_ZH)


class HttpFailed(FetchFailure):
    """The server answered with `status`, which is not a success."""

    code = "http_error"
    en = ("{url} answered with HTTP status {status}.", _REMEDY)
    zh = ("{url} 返回了 HTTP 状态码 {status}。", _REMEDY_ZH)


class TooManyRedirects(FetchFailure):
    """The page leads on and on."""

    code = "too_many_redirects"
    en = ("{url} redirects too many times.", _REMEDY)
    zh = ("{url} 重定向次数过多。", _REMEDY_ZH)


class Unreachable(FetchFailure):
    """No such name, no connection, or a broken answer."""

    code = "unreachable"
    en = ("{url} could not be reached.", _REMEDY)
    zh = ("无法连接 {url}。", _REMEDY_ZH)


class NotText(FetchFailure):
    """The answer is nothing that can be read as text. Details: `url`, `media_type`."""

    code = "not_text"
    en = ("{url} is {media_type}, not a text page.", "Ask the user to upload the file; then it can be read.")
    zh = ("{url} 的类型是 {media_type}，不是文本网页。", "请让用户上传该文件，上传后即可读取。")


class NothingToRead(FetchFailure):
    """The page has no text of its own."""

    code = "no_text"
    en = ("{url} holds no readable text (it may need JavaScript or a login).", _REMEDY)
    zh = ("{url} 中没有可读取的文字（可能需要 JavaScript 或登录）。", _REMEDY_ZH)
