"""The web server that misbehaves on demand."""

from tests.tools.conftest import http, web, web_settings  # noqa: F401
