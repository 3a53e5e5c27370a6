"""Failures of requests to foreign addresses. Details: `url`."""

from __future__ import annotations

from domain.errors import AppError


# fmt: off
class FetchFailure(AppError, code="fetch_failed"): ...
class UrlRefused(FetchFailure, code="bad_url"): ...
class AddressBlocked(FetchFailure, code="blocked_address"): ...
class TooLarge(FetchFailure, code="too_large"): ...
class FetchTimedOut(FetchFailure, code="timeout"):
    transient = True
class TooManyRedirects(FetchFailure, code="too_many_redirects"): ...
class Unreachable(FetchFailure, code="unreachable"):
    transient = True
class NotText(FetchFailure, code="not_text"): ...
class NothingToRead(FetchFailure, code="no_text"): ...
# fmt: on


class HttpFailed(FetchFailure, code="http_error"):
    """The answer was an error. Details: `status` too."""

    def __init__(self, *, url: str, status: int) -> None:
        super().__init__(url=url, status=status)
        self.transient = status in (502, 503, 504)
