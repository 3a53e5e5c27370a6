"""Sign-in with a provider beside keys: who is let in as whom, and what attackers try."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from api.startup import StartFault, check_start
from settings import Settings
from tests.live_server import LiveServer
from tests.standins.oidc_server import CLIENT, SECRET, OidcServer
from tests.standins.openai_server import OpenAIServer

ROOT = {"authorization": "Bearer root-key"}
BROWSERS: list[httpx.Client] = []


@pytest.fixture(scope="module")
def _provider() -> Iterator[OidcServer]:
    with OidcServer() as server:
        yield server


@pytest.fixture
def provider(_provider: OidcServer) -> OidcServer:
    _provider.reset()
    return _provider


def settings_for(provider: OidcServer, model: OpenAIServer, **more: Any) -> Settings:
    given = {
        "oidc_issuer": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET, "ocr_engine": "off",
        "tts_engine": "off", "web_search": "off", "llm_base_url": model.base_url, "llm_model": "stand-in",
        "memory_extraction": "rules",
    }  # fmt: skip
    return Settings(**{**given, **more}, _env_file=None)


@pytest.fixture(scope="module")
def live(
    _provider: OidcServer, _model_server: OpenAIServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("sign-in")
    with LiveServer(settings_for(_provider, _model_server, data_dir=folder, api_keys=("root-key",))) as server:
        yield server
        for http in BROWSERS:
            http.close()


@pytest.fixture(scope="module")
def strict(
    _provider: OidcServer, _model_server: OpenAIServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """Without keys; only some are let in, and the provider names administrators."""
    settings = settings_for(
        _provider, _model_server, data_dir=tmp_path_factory.mktemp("strict"), oidc_allowed_domains="example.org",
        oidc_groups_claim="realm.groups", oidc_allowed_groups="staff,boss", oidc_admin="realm.groups=boss",
        public_url="https://chat.example.org",
    )  # fmt: skip
    with LiveServer(settings) as server:
        yield server


def browser(live: LiveServer) -> httpx.Client:
    BROWSERS.append(httpx.Client(base_url=live.url, timeout=30, trust_env=False, verify=False))
    return BROWSERS[-1]


def to_provider(http: httpx.Client, next: str = "/") -> str:
    """Begin a sign-in and return the address at this server that the provider sends the browser back to."""
    there = http.get("/api/v1/auth/login", params={"next": next})
    assert there.status_code == 303, there.text
    back = httpx.get(there.headers["location"], trust_env=False, verify=False)
    return str(back.headers["location"])


def signed_in(live: LiveServer, next: str = "/") -> tuple[httpx.Client, httpx.Response]:
    http = browser(live)
    return http, http.get(to_provider(http, next))


def own(live: LiveServer) -> dict[str, str]:
    return {"origin": live.url}


def test_a_browser_signs_in_works_and_signs_out(live: LiveServer, provider: OidcServer, model: OpenAIServer) -> None:
    provider.claims = {"sub": "ann", "name": "Ann"}
    http, back = signed_in(live, "/?s=1")
    assert (back.status_code, back.headers["location"]) == (303, "/?s=1")
    cookie = next(line for line in back.headers.get_list("set-cookie") if line.startswith("llmchat_session="))
    assert "HttpOnly" in cookie and "samesite=lax" in cookie.lower() and "Secure" not in cookie
    me = http.get("/api/v1/me").json()
    assert (me["name"], me["role"], me["signed_in"]) == ("Ann", "user", True) and me["user_id"].startswith("oidc-")
    answer = http.post("/api/v1/chat", json={"message": "Hello", "session_id": "a"}, headers=own(live))
    assert answer.status_code == 200, answer.text
    session = http.cookies["llmchat_session"]
    raw = b"".join(path.read_bytes() for path in live.settings.data_dir.glob("catalog.sqlite3*"))
    assert session.encode() not in raw
    assert http.get("/api/v1/keys").json() == []
    key = http.post("/api/v1/keys", json={"name": "cli"}, headers=own(live)).json()["key"]
    bearer = {"authorization": f"Bearer {key}"}
    assert httpx.get(f"{live.url}/api/v1/me", headers=bearer).json()["user_id"] == me["user_id"]
    again, _ = signed_in(live)
    assert again.get("/api/v1/me").json()["user_id"] == me["user_id"]
    assert again.get("/api/v1/sessions/a").status_code == 200
    gone = http.post("/api/v1/auth/logout", headers=own(live))
    assert gone.status_code == 200 and "llmchat_session" not in http.cookies
    there = urlsplit(gone.json()["provider"])
    assert f"{there.scheme}://{there.netloc}{there.path}" == f"{provider.issuer}/logout"
    ending = {"realm": ["1"], "client_id": [CLIENT], "post_logout_redirect_uri": [f"{live.url}/"]}
    assert parse_qs(there.query) == ending
    assert httpx.post(f"{live.url}/api/v1/auth/logout", headers=bearer).json() == {"provider": ""}, "a key stays"
    stolen = {"cookie": f"llmchat_session={session}"}
    assert httpx.get(f"{live.url}/api/v1/me", headers=stolen).status_code == 401
    assert httpx.get(f"{live.url}/api/v1/me", headers={"authorization": f"Bearer {session}"}).status_code == 401
    assert httpx.get(f"{live.url}/api/v1/me", headers={"cookie": f"llmchat_session={key}"}).status_code == 401
    assert again.get("/api/v1/me").status_code == 200


def lie(**claims: Any) -> Callable[[dict[str, Any]], None]:
    return lambda token: token.update(claims)


LIES: dict[str, Callable[[OidcServer], object]] = {
    "wrong nonce": lambda it: setattr(it, "change", lie(nonce="other")),
    "no nonce": lambda it: setattr(it, "change", lambda token: token.pop("nonce")),
    "wrong audience": lambda it: setattr(it, "change", lie(aud="other")),
    "for another party too": lambda it: setattr(it, "change", lie(aud=[CLIENT, "other"], azp="other")),
    "other issuer": lambda it: setattr(it, "change", lie(iss="https://evil.example")),
    "expired": lambda it: setattr(it, "change", lie(exp=int(time.time()) - 3600)),
    "no end": lambda it: setattr(it, "change", lambda token: token.pop("exp")),
    "no subject": lambda it: setattr(it, "change", lie(sub="")),
    "algorithm none": lambda it: setattr(it, "sign", it.unsigned),
    "signed by the client's secret": lambda it: setattr(
        it, "sign", lambda token: jwt.encode({"alg": "HS256"}, token, OctKey.import_key(SECRET), algorithms=["HS256"])
    ),
    "signed by a stranger": lambda it: setattr(
        it, "sign", lambda token: it.signed(token, RSAKey.generate_key(2048, {"kid": str(it.key.kid)}))
    ),
    "no token": lambda it: setattr(it, "sign", lambda token: "a.b.c"),
}


@pytest.mark.parametrize("what", LIES)
def test_a_false_token_signs_nobody_in(live: LiveServer, provider: OidcServer, what: str) -> None:
    LIES[what](provider)
    http, back = signed_in(live)
    assert (back.status_code, back.json()["error"]["code"]) == (401, "sign_in_failed"), what
    assert "llmchat_session" not in http.cookies and http.get("/api/v1/me").status_code == 401


def test_a_way_back_is_gone_once_and_only_by_the_browser_that_began_it(live: LiveServer, provider: OidcServer) -> None:
    http = browser(live)
    back = to_provider(http)
    with browser(live) as victim:  # led to a link that would sign it in as the attacker
        assert victim.get(back).status_code == 401
    assert http.get(back).status_code == 401, "the state was used up"
    back = to_provider(http)
    assert http.get(back).status_code == 303
    assert http.get(back).json()["error"]["code"] == "sign_in_failed"
    begun = to_provider(http)
    state = parse_qs(urlsplit(begun).query)["state"][0]
    code = parse_qs(urlsplit(back).query)["code"][0]
    used = http.get("/api/v1/auth/callback", params={"state": state, "code": code})
    assert used.status_code == 401, "a code that was used"
    for more in ({}, {"state": "x", "code": "y"}):
        assert http.get("/api/v1/auth/callback", params=more).status_code == 401
    begun = to_provider(http)
    assert http.get(begun.replace("iss=http", "iss=https")).status_code == 401, "another provider's answer"
    page = http.get("/api/v1/auth/callback", headers={"accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/?sign_in=sign_in_failed")


@pytest.mark.parametrize("next", ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil", "evil"])
def test_nobody_is_led_elsewhere(live: LiveServer, provider: OidcServer, next: str) -> None:
    _, back = signed_in(live, next)
    assert back.headers["location"] == "/"


def test_pages_of_other_sites_change_nothing(live: LiveServer, provider: OidcServer) -> None:
    http, _ = signed_in(live)
    foreign: list[dict[str, str]] = [
        {"origin": "https://evil.example"}, {"origin": "null"}, {}, {"sec-fetch-site": "cross-site"},
        {"origin": live.url, "sec-fetch-site": "same-site"}, {"origin": "http://127.0.0.1:1"},
    ]  # fmt: skip
    for headers in foreign:
        refused = http.put("/api/v1/profile", json={"name": "Eve"}, headers=headers)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "foreign_page"), headers
        assert http.post("/api/v1/auth/logout", headers=headers).status_code == 403
    assert http.get("/api/v1/profile").json() == {}
    assert http.put("/api/v1/profile", json={"name": "A"}, headers={"sec-fetch-site": "same-origin"}).status_code == 200


def test_an_equal_name_is_not_the_same_person(live: LiveServer, provider: OidcServer) -> None:
    with httpx.Client(base_url=live.url, headers=ROOT) as root:
        ann = root.post("/api/v1/admin/users", json={"name": "Ann"}).json()
        ids = set()
        for claims in ({"sub": ann["id"], "name": "Ann"}, {"sub": "other", "name": "Ann", "email": "a@example.org"}):
            provider.claims = claims
            http, _ = signed_in(live)
            ids.add(http.get("/api/v1/me").json()["user_id"])
        assert len(ids) == 2 and ann["id"] not in ids
        out = ids.pop()
        assert root.patch(f"/api/v1/admin/users/{out}", json={"disabled": True}).status_code == 200
        assert root.delete(f"/api/v1/admin/users/{ids.pop()}").status_code == 200
    assert http.get("/api/v1/me").status_code == 401, "deleted, or kept out"
    provider.claims = {"sub": "late", "name": "Late"}
    late, _ = signed_in(live)
    with httpx.Client(base_url=live.url, headers=ROOT) as root:
        kept_out = late.get("/api/v1/me").json()["user_id"]
        root.patch(f"/api/v1/admin/users/{kept_out}", json={"disabled": True})
    assert late.get("/api/v1/me").status_code == 401
    _, refused = signed_in(live)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "sign_in_refused")


def test_keys_of_the_provider_may_change(live: LiveServer, provider: OidcServer) -> None:
    signed_in(live)
    oidc = live.app.state.backend.oidc
    provider.rotate()
    oidc._keys = (oidc._keys[0] - 120, oidc._keys[1])
    _, back = signed_in(live)
    assert back.status_code == 303


def test_groups_domains_and_administrators_are_the_providers(strict: LiveServer, provider: OidcServer) -> None:
    public = {"host": "chat.example.org", "x-forwarded-proto": "https"}

    def come(**claims: Any) -> httpx.Response:
        provider.claims = claims
        with browser(strict) as http:
            there = http.get("/api/v1/auth/login", headers=public)
            begun = there.cookies["llmchat_sign_in"]
            back = httpx.get(there.headers["location"]).headers["location"]
            assert back.startswith("https://chat.example.org/api/v1/auth/callback?")
            return http.get(back.replace("https://chat.example.org", ""),
                            headers={**public, "cookie": f"llmchat_sign_in={begun}"})  # fmt: skip

    right = {"sub": "b", "email": "b@Example.org", "email_verified": True, "realm": {"groups": ["staff"]}}
    for wrong in ({"email_verified": False}, {"email": "b@evil.example"}, {"email": "b@example.org.evil"},
                  {"realm": {"groups": ["others"]}}, {"realm": "staff"}):  # fmt: skip
        assert come(**{**right, **wrong}).json()["error"]["code"] == "sign_in_refused", wrong

    def role(back: httpx.Response) -> str:
        assert back.headers["location"] == "https://chat.example.org/"
        line = next(line for line in back.headers.get_list("set-cookie") if line.startswith("__Host-llmchat="))
        assert "Secure" in line and "Path=/" in line
        cookie = {"cookie": line.partition(";")[0]}
        plain = {"cookie": cookie["cookie"].replace("__Host-llmchat", "llmchat_session")}
        assert httpx.get(f"{strict.url}/api/v1/me", headers={**public, **plain}).status_code == 401
        return str(httpx.get(f"{strict.url}/api/v1/me", headers={**public, **cookie}).json()["role"])

    assert role(come(**right)) == "user"
    assert role(come(**{**right, "realm": {"groups": ["boss"]}})) == "admin"
    assert role(come(**right)) == "user", "no longer in the group"
    assert httpx.get(f"{strict.url}/api/v1/me").status_code == 401, "no key is needed, but somebody is"


def test_without_a_provider_there_is_no_sign_in_and_a_bad_one_is_told(
    provider: OidcServer, model: OpenAIServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pytest.raises(StartFault, match="OIDC_CLIENT_ID"):
        check_start(settings_for(provider, model, data_dir=tmp_path_factory.mktemp("a"), oidc_client_id="", port=0))
    elsewhere = provider.issuer + "/elsewhere"
    folder = tmp_path_factory.mktemp("b")
    with LiveServer(settings_for(provider, model, data_dir=folder, oidc_issuer=elsewhere)) as live:
        away = httpx.get(f"{live.url}/api/v1/auth/login")
        assert (away.status_code, away.json()["error"]["code"]) == (503, "sign_in_unavailable")
