"""A server without API keys answers its own machine, and no stranger's web page."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from starlette.requests import Request

from api.edge.local_callers import check_local, is_loopback
from domain.errors import ForeignPage
from tests.live_server import LiveServer
from tests.standins.openai_server import OpenAIServer


def own_address() -> str | None:
    """The address of this machine in its network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if is_loopback(address) else address


@pytest.fixture(scope="module")
def exposed(server: LiveServer) -> Iterator[str]:
    """The same app, bound to all interfaces as `uvicorn --host 0.0.0.0` does."""
    address = own_address()
    if address is None:
        pytest.skip("this machine has no network")
    listener = socket.create_server(("0.0.0.0", 0))
    config = uvicorn.Config(server.app, lifespan="off", log_config=None)
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, args=([listener],), daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield f"http://{address}:{listener.getsockname()[1]}"
    running.should_exit = True
    thread.join(10)


def test_loopback() -> None:
    own = ["127.0.0.1", "127.0.0.9", "::1", "localhost", "::ffff:127.0.0.1"]
    assert [is_loopback(host) for host in own] == [True] * 5
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "192.168.1.2", "example.org")] == [False] * 4


def test_over_the_network_keys_are_needed(exposed: str) -> None:
    with httpx.Client(base_url=exposed, trust_env=False, verify=False) as client:
        for path in ("/api/v1/sessions", "/openapi.json", "/v1/models", "/agent/playground/"):
            response = client.get(path)
            assert (response.status_code, response.json()["error"]["code"]) == (403, "keys_needed"), path
        assert client.get("/").status_code == 200
        lied = {"Host": "localhost", "X-Forwarded-For": "127.0.0.1"}
        assert client.get("/api/v1/sessions", headers=lied).status_code == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200), ("localhost:8000", 200), ("[::1]:8000", 200), ("chat.localhost", 200),
        ("evil.example:8000", 403), ("127.0.0.1.evil.example", 403), ("[", 403), ("localhost.", 403),
    ],
)  # fmt: skip
async def test_names_that_lead_here_by_dns_are_refused(client: httpx.AsyncClient, host: str, status: int) -> None:
    response = await client.get("/api/v1/sessions", headers={"Host": host})
    assert response.status_code == status
    assert status == 200 or response.json()["error"]["code"] == "foreign_page"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "{own}"}, 200),
        ({"Origin": "http://127.0.0.1:8000"}, 403),
        ({"Origin": "http://127.0.0.1:3000", "Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://[:3000"}, 403),
        ({"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_forms_of_other_sites_are_refused(
    client: httpx.AsyncClient, model: OpenAIServer, headers: dict[str, str], status: int
) -> None:
    headers = {name: value.format(own=str(client.base_url).rstrip("/")) for name, value in headers.items()}
    response = await client.post("/api/v1/chat", data={"message": "Hi"}, headers=headers)
    assert response.status_code == status
    assert len(model.chats) == (status == 200)


def caller(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw, "server": ("127.0.0.1", 8000)})


@pytest.mark.parametrize("allowed", [["https://chat.example.org"], ["*"]])
def test_named_origins_may_call(allowed: list[str]) -> None:
    behind_proxy = caller(host="chat.example.org", origin="https://chat.example.org")
    elsewhere = caller(host="127.0.0.1:8000", origin="https://chat.example.org", sec_fetch_site="cross-site")
    for request in (behind_proxy, elsewhere):
        check_local(request, allowed)
        with pytest.raises(ForeignPage):
            check_local(request, ["https://other.example.org"])
