"""How a request to a foreign address fails."""

from __future__ import annotations

from domain.errors import ToolFailure


class FetchFailure(ToolFailure):
    """A page could not be fetched. Details: `url` in every subclass."""


class UrlRefused(FetchFailure):
    """The URL is not one that may be fetched. Details: `url`, `reason`."""

    code = "bad_url"
    en = "{url} cannot be fetched: {reason}."
    zh = "无法访问 {url}：{reason}。"


class AddressBlocked(FetchFailure):
    """The name leads to an address that is not on the public internet."""

    code = "blocked_address"
    en = "{url} is not on the public internet; private and local addresses are not fetched."
    zh = "{url} 不在公共互联网上；不允许访问内网或本机地址。"


class TooLarge(FetchFailure):
    """More than `limit` bytes."""

    code = "too_large"
    en = "{url} is larger than the limit of {limit} bytes."
    zh = "{url} 超过 {limit} 字节的上限。"


class FetchTimedOut(FetchFailure):
    """It took longer than `seconds`."""

    code = "timeout"
    en = "{url} did not answer completely within {seconds:g} seconds."
    zh = "{url} 未能在 {seconds:g} 秒内完整响应。"


class HttpFailed(FetchFailure):
    """The server answered with `status`, which is not a success."""

    code = "http_error"
    en = "{url} answered with HTTP status {status}."
    zh = "{url} 返回了 HTTP 状态码 {status}。"


class TooManyRedirects(FetchFailure):
    """The page leads on and on."""

    code = "too_many_redirects"
    en = "{url} redirects too many times."
    zh = "{url} 重定向次数过多。"


class Unreachable(FetchFailure):
    """No such name, no connection, or a broken answer."""

    code = "unreachable"
    en = "{url} could not be reached."
    zh = "无法连接 {url}。"


class NotText(FetchFailure):
    """The answer is nothing that can be read as text. Details: `url`, `media_type`."""

    code = "not_text"
    en = "{url} is {media_type}, not a text page. Ask the user to upload the file; then it can be read."
    zh = "{url} 的类型是 {media_type}，不是文本网页。请让用户上传该文件，上传后即可读取。"


class NothingToRead(FetchFailure):
    """The page has no text of its own."""

    code = "no_text"
    en = "{url} holds no readable text (it may need JavaScript or a login)."
    zh = "{url} 中没有可读取的文字（可能需要 JavaScript 或登录）。"
