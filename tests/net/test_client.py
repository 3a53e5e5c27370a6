"""What may be fetched, and what a hostile server can do."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import time
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from net.client import GuardedHttp
from net.failures import (
    AddressBlocked,
    FetchFailure,
    FetchTimedOut,
    HttpFailed,
    TooLarge,
    TooManyRedirects,
    Unreachable,
    UrlRefused,
)
from settings import Settings
from tests.tools.conftest import HOST, Web, packed, resolve_test_names

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://localhost./",
        "http://LOCALHOST:8080/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://0/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[64:ff9b::127.0.0.1]/",
        "http://[fd00:ec2::254]/latest/meta-data/",
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/",
        "http://10.0.0.1/",
        "http://192.168.0.1:8443/",
        "http://100.64.0.1/",
        "http://１２７.０.０.１/",
        "http://evil.test/",
    ],
)
async def test_private_addresses_are_refused(http: GuardedHttp, url: str) -> None:
    with pytest.raises((AddressBlocked, UrlRefused)):
        await http.fetch(url)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/",
        "gopher://example.com/",
        "data:text/plain,x",
        "http://",
        "//example.com/",
        "not a url",
        "http://user:secret@example.com/",
        "http://example.com:22/",
        "http://example.com:6379/",
        "http://example.com:99999/",
        "http://[::1/",
        "http://exa mple.com/",
        "http://xn--a.com/",
        "http://example.com/" + "a" * 5000,
        "http://example.com/\r\nX-Injected: 1",
    ],
)
async def test_bad_urls_are_refused_before_anything_is_sent(http: GuardedHttp, url: str) -> None:
    with pytest.raises(UrlRefused) as caught:
        await http.fetch(url)
    assert "secret" not in caught.value.body("en")["message"]


async def test_an_allowed_host_is_fetched_with_its_own_name(http: GuardedHttp, web: Web) -> None:
    url = web.add("/a", "你好".encode(), "text/plain; charset=UTF-8", "Set-Cookie: a=b\r\n")
    fetched = await http.fetch(url, accept="text/plain")
    await http.fetch(url)
    assert (fetched.status, fetched.media_type, fetched.encoding) == (200, "text/plain", "utf-8")
    assert fetched.body.decode() == "你好"
    assert f"host: {HOST}:{web.port}" in web.requests[0].lower()
    assert "accept: text/plain" in web.requests[0].lower()
    assert "cookie" not in web.requests[1].lower()


async def test_other_names_of_an_allowed_address_stay_refused(http: GuardedHttp, web: Web) -> None:
    web.add("/a", b"secret")
    for host in ("other.test", "127.0.0.1"):
        with pytest.raises((AddressBlocked, UrlRefused)):
            await http.fetch(web.url("/a", host))
    assert not web.requests


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:8080/", "http://evil.test/", "file:///etc/passwd", "http://[::1]/"]
)
async def test_redirects_are_checked_again(http: GuardedHttp, web: Web, target: str) -> None:
    with pytest.raises((AddressBlocked, UrlRefused)):
        await http.fetch(web.redirect("/r", target))


async def test_redirects_are_followed_and_counted(http: GuardedHttp, web: Web) -> None:
    web.add("/end", b"found")
    for step in range(5):
        web.redirect(f"/{step}", "/end" if step == 4 else f"/{step + 1}")
    fetched = await http.fetch(web.url("/0"))
    assert fetched.url == web.url("/end") and fetched.body == b"found"
    with pytest.raises(TooManyRedirects):
        await http.fetch(web.redirect("/loop", "/loop"))


async def test_a_name_that_changes_between_check_and_connection_gains_nothing(web: Web) -> None:
    """The resolver answers with a public address first and this machine afterwards."""
    answers = iter([["192.0.43.8"], ["127.0.0.1"], ["127.0.0.1"]])

    async def rebinding(host: str, port: int) -> list[str]:
        return next(answers)

    settings = Settings(tool_timeout=1, _env_file=None)
    http = GuardedHttp(settings, resolver=rebinding)
    with pytest.raises((Unreachable, FetchTimedOut, FetchFailure)):
        await http.fetch("http://rebind.example:8080/", seconds=0.3)
    with pytest.raises(AddressBlocked):
        await http.fetch("http://rebind.example:8080/")
    await http.aclose()
    assert not web.requests


async def test_one_private_address_among_public_ones_is_refused() -> None:
    async def mixed(host: str, port: int) -> list[str]:
        return ["93.184.216.34", "10.0.0.1"]

    http = GuardedHttp(Settings(_env_file=None), resolver=mixed)
    with pytest.raises(AddressBlocked):
        await http.fetch("http://mixed.example/")


async def test_a_slow_drip_ends_by_the_clock(http: GuardedHttp, web: Web) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"Content-Length: 100000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    web.pages["/drip"] = drip
    started = time.monotonic()
    with pytest.raises(FetchTimedOut):
        await http.fetch(web.url("/drip"), seconds=0.4)
    assert time.monotonic() - started < 10


async def test_an_endless_body_is_cut_off(http: GuardedHttp, web: Web) -> None:
    sent = 0

    async def endless(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(HEAD + b"\r\n")
        while not writer.is_closing():
            writer.write(b"x" * 65536)
            sent += 65536
            await writer.drain()

    web.pages["/endless"] = endless
    with pytest.raises(TooLarge):
        await http.fetch(web.url("/endless"))
    assert sent < 20_000_000


async def test_a_large_announced_body_is_refused_unread(http: GuardedHttp, web: Web) -> None:
    web.pages["/big"] = HEAD + b"Content-Length: 999999999\r\n\r\n"
    with pytest.raises(TooLarge):
        await http.fetch(web.url("/big"))


async def test_a_gzip_bomb_is_never_unpacked(http: GuardedHttp, web: Web) -> None:
    import tracemalloc

    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(100)) + packer.flush()
    assert len(bomb) < 150_000
    url = web.add("/bomb", bomb, "text/plain", "Content-Encoding: gzip\r\n")
    tracemalloc.start()
    with pytest.raises(TooLarge):
        await http.fetch(url)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


async def test_gzip_is_unpacked(http: GuardedHttp, web: Web) -> None:
    text = "压缩的网页 ".encode() * 1000
    assert (await http.fetch(web.add("/gz", packed(text), extra="Content-Encoding: gzip\r\n"))).body == text


async def test_broken_answers_are_named(http: GuardedHttp, web: Web) -> None:
    web.pages["/garbage"] = b"\x00\x01 no http at all\r\n\r\n"
    web.pages["/short"] = HEAD + b"Content-Length: 50\r\n\r\nabc"
    web.pages["/empty"] = b""
    web.add("/not-gzip", b"plain", extra="Content-Encoding: gzip\r\n")
    web.add("/brotli", b"x", extra="Content-Encoding: br\r\n")
    half = gzip.compress(b"abc" * 1000)
    web.pages["/half"] = HEAD + f"Content-Encoding: gzip\r\nContent-Length: {len(half)}\r\n\r\n".encode() + half[:20]
    for path in ("/garbage", "/short", "/empty", "/not-gzip", "/brotli", "/half"):
        with pytest.raises(Unreachable):
            await http.fetch(web.url(path))
    with pytest.raises(HttpFailed) as caught:
        await http.fetch(web.url("/missing"))
    assert caught.value.details["status"] == 404


async def test_unknown_names_and_closed_ports(web_settings: Settings) -> None:
    http = GuardedHttp(web_settings)
    with pytest.raises(Unreachable):
        await http.fetch("https://no-such-name.invalid/")
    await http.aclose()


async def test_post_for_callbacks(http: GuardedHttp, web: Web) -> None:
    web.pages["/hook"] = b"HTTP/1.1 204 No Content\r\n\r\n"
    status = await http.post(web.url("/hook"), b'{"a": 1}', {"X-Signature": "abc", "Content-Type": "application/json"})
    assert status == 204 and "x-signature: abc" in web.requests[0].lower()
    with pytest.raises(AddressBlocked):
        await http.post("http://evil.test/hook", b"{}", {})


async def test_cancelling_a_fetch_closes_the_connection(http: GuardedHttp, web: Web) -> None:
    closed = asyncio.Event()

    async def hang(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"\r\n")
        try:
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        finally:
            closed.set()

    web.pages["/hang"] = hang
    task = asyncio.create_task(http.fetch(web.url("/hang")))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(10):
        await closed.wait()


async def test_tls_is_checked_against_the_name_of_the_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes to a numeric address, yet server name and certificate are those of the host name."""
    pytest.importorskip("cryptography")
    names: list[str | None] = []
    certificate = self_signed(HOST, tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda socket, name, _: names.append(name)
    site = Web()
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0, ssl=context)
    site.port = server.sockets[0].getsockname()[1]
    site.add("/", b"secure")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    allowed = f"{HOST}:{site.port},other.test:{site.port}"
    http = GuardedHttp(Settings(fetch_allow_hosts=allowed, _env_file=None), resolver=resolve_test_names)
    fetched = await http.fetch(f"https://{HOST}:{site.port}/")
    assert fetched.body == b"secure" and names == [HOST]
    with pytest.raises(Unreachable):
        await http.fetch(f"https://other.test:{site.port}/")
    await http.aclose()
    server.close()


def self_signed(name: str, folder: Path) -> Path:
    """Write a certificate for `name` with its key into one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
    return path


async def test_a_request_is_sent_and_answered_whatever_its_status(http: GuardedHttp, web: Web) -> None:
    url = web.redirect("/moved", web.url("/elsewhere"))
    answer = await http.send("POST", url, headers={"X-Key": "k"}, body=b'{"a": 1}')
    assert (answer.status, answer.url) == (302, url), "no key is carried to where a service points"
    assert web.requests[-1].startswith("POST /moved") and "x-key: k" in web.requests[-1].lower()
    assert (await http.send("GET", web.url("/nothing"))).status == 404
    with pytest.raises(AddressBlocked):
        await http.send(
            "GET", f"http://127.0.0.1:{web.port}/" if web.port in range(8000, 9000) else "http://127.0.0.1/"
        )
    near = http.reaching(f"http://127.0.0.1:{web.port}/")
    assert (await near.send("GET", web.url("/nothing", "127.0.0.1"))).status == 404
    await near.aclose()


async def test_a_client_of_a_service_ends_what_has_no_end(
    http: GuardedHttp, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("net.client.MOST_ANSWER", 1000)
    async with http.open_client(web.url("/"), {"X-Key": "k"}, httpx.Timeout(5)) as client:
        assert (await client.get(web.add("/small", b"x" * 1000))).content == b"x" * 1000
        with pytest.raises(httpx.ReadError):
            await client.get(web.add("/large", b"x" * 1001))
        with pytest.raises(httpx.DecodingError):
            await client.get(web.add("/packed", packed(b"x" * 100_000), extra="Content-Encoding: gzip\r\n"))
        with pytest.raises(AddressBlocked):
            await client.get("http://127.0.0.1:1/")
