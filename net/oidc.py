"""Sign-in by OpenID Connect: this server as the relying party of one provider, by authorization code with PKCE.

The provider is found by its discovery document; it and the provider's keys are known for an hour. What comes back is
the checked ID token's claims and nothing else: no token of the provider is kept.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ValidationError

from domain.errors import SignInFailed, SignInRefused, SignInUnavailable
from domain.words import Words
from net.client import GuardedHttp
from net.failures import FetchFailure
from settings import Settings

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key that only the provider has: no `none`, and none whose key would be the client's secret."""
KNOWN_SECONDS: Final = 3600
LEAST_SECONDS: Final = 60
"""Keys that are younger are not asked for again, whatever token comes."""
LEEWAY: Final = 60
NO_TOKEN: Final = Words("the provider gave no valid ID token", "身份提供方未返回有效的 ID 令牌")


class _Provider(BaseModel):
    """What of a discovery document is used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str = ""
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that has begun; only who began it may see it."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who has signed in: `subject` is unique at `issuer`. `admin` is None where the provider does not decide."""

    issuer: str
    subject: str
    name: str
    admin: bool | None


class OpenIdConnect:
    """One provider, as the settings name it."""

    def __init__(self, settings: Settings, http: GuardedHttp) -> None:
        """Reach the issuer wherever it is: an operator has named it. Nothing is asked before the first sign-in."""
        self._settings = settings
        self.issuer = settings.oidc_issuer or ""
        self._http = http.reaching(self.issuer) if self.issuer else http
        self._provider: tuple[float, _Provider] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def begin(self, redirect_uri: str) -> tuple[Attempt, str]:
        """Return a new attempt, and the address at the provider that the browser is sent to.

        Raises:
            SignInUnavailable: The provider does not answer, or not as one.
        """
        provider = await self._discover()
        attempt = Attempt(*(secrets.token_urlsafe(32) for _ in range(3)))
        url = prepare_grant_uri(
            provider.authorization_endpoint, self._settings.oidc_client_id, "code", redirect_uri,
            scope=self._settings.oidc_scopes, state=attempt.state, nonce=attempt.nonce, code_challenge_method="S256",
            code_challenge=create_s256_code_challenge(attempt.verifier),
        )  # fmt: skip
        return attempt, str(url)

    async def finish(self, attempt: Attempt, code: str, redirect_uri: str) -> Identity:
        """Exchange the code for an ID token and return who it names.

        Raises:
            SignInFailed: The provider refuses the code, or its token is not for this attempt.
            SignInRefused: The settings do not let them in.
            SignInUnavailable: The provider does not answer.
        """
        provider = await self._discover()
        tokens = await self._tokens(provider, attempt, code, redirect_uri)
        claims = await self._checked(provider, tokens, attempt.nonce)
        return self._identity(provider.issuer, claims)

    async def end(self, back: str) -> str:
        """Return the address at the provider where a browser ends its session there; empty for a provider without one.

        Args:
            back: Where the browser comes back to; the provider must have been told of it beforehand.

        Raises:
            SignInUnavailable: The provider does not answer, or not as one.
        """
        there = (await self._discover()).end_session_endpoint
        given = [("client_id", self._settings.oidc_client_id), ("post_logout_redirect_uri", back)]
        return add_params_to_uri(there, given) if there else ""

    async def aclose(self) -> None:
        """Close the connections to the provider."""
        await self._http.aclose()

    async def _discover(self) -> _Provider:
        if self._provider is None or self._provider[0] < time.monotonic():
            found = await self._json(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            try:
                provider = _Provider.model_validate(found)
            except ValidationError as exc:
                raise SignInUnavailable() from exc
            used = (provider.authorization_endpoint, provider.token_endpoint, provider.jwks_uri,
                    *filter(None, (provider.end_session_endpoint,)))  # fmt: skip
            scheme = self.issuer.partition("://")[0]
            if provider.issuer.rstrip("/") != self.issuer.rstrip("/") or not all(
                url.startswith(("https://", f"{scheme}://")) for url in used
            ):
                raise SignInUnavailable()
            self._provider = (time.monotonic() + KNOWN_SECONDS, provider)
        return self._provider[1]

    async def _json(self, url: str) -> Any:
        try:
            return json.loads((await self._http.fetch(url, accept="application/json")).body)
        except (FetchFailure, ValueError) as exc:
            raise SignInUnavailable() from exc

    async def _tokens(self, provider: _Provider, attempt: Attempt, code: str, redirect_uri: str) -> dict[str, Any]:
        secret = self._settings.oidc_client_secret
        basic = "client_secret_basic" in provider.token_endpoint_auth_methods_supported
        method = "none" if secret is None else "client_secret_basic" if basic else "client_secret_post"
        client = ClientAuth(self._settings.oidc_client_id, secret.get_secret_value() if secret else "", method)
        body = prepare_token_request("authorization_code", "", redirect_uri, code=code, code_verifier=attempt.verifier)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        url, headers, body = client.prepare("POST", provider.token_endpoint, headers, body)
        try:
            answer = await self._http.send("POST", url, headers=headers, body=body.encode())
            tokens = json.loads(answer.body)
        except (FetchFailure, ValueError) as exc:
            raise SignInUnavailable() from exc
        if answer.status >= 500:
            raise SignInUnavailable()
        if answer.status != 200 or not isinstance(tokens, dict) or not isinstance(tokens.get("id_token"), str):
            raise SignInFailed(reason=NO_TOKEN)
        return tokens

    async def _checked(self, provider: _Provider, tokens: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        try:
            token = await self._verified(provider, tokens["id_token"])
            options = {
                "iss": {"essential": True, "value": provider.issuer},
                "aud": {"essential": True, "value": self._settings.oidc_client_id},
            }
            expected = {"nonce": nonce, "client_id": self._settings.oidc_client_id,
                        "access_token": tokens.get("access_token")}  # fmt: skip
            claims = CodeIDToken(token.claims, token.header, options, expected)
            claims.validate(leeway=LEEWAY)
        except (JoseError, ValueError, TypeError) as exc:
            raise SignInFailed(reason=NO_TOKEN) from exc
        return dict(claims)

    async def _verified(self, provider: _Provider, token: str) -> jwt.Token:
        """Return the token if its signature is right; where it is not, the provider may have changed its keys."""
        asked, keys = await self._key_set(provider, least=KNOWN_SECONDS)
        try:
            return jwt.decode(token, keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            if time.monotonic() - asked < LEAST_SECONDS:
                raise
            _, keys = await self._key_set(provider, least=LEAST_SECONDS)
            return jwt.decode(token, keys, algorithms=ALGORITHMS)

    async def _key_set(self, provider: _Provider, *, least: float) -> tuple[float, KeySet]:
        now = time.monotonic()
        if self._keys is None or now - self._keys[0] >= least:
            found = await self._json(provider.jwks_uri)
            try:
                self._keys = (now, KeySet.import_key_set(found))
            except (JoseError, ValueError, TypeError, KeyError) as exc:
                raise SignInUnavailable() from exc
        return self._keys

    def _identity(self, issuer: str, claims: Mapping[str, Any]) -> Identity:
        settings = self._settings
        subject = claim(claims, settings.oidc_user_claim)
        if not isinstance(subject, str) or not subject:
            raise SignInFailed(reason=Words(f"the claim {settings.oidc_user_claim} is missing",
                                            f"缺少声明 {settings.oidc_user_claim}"))  # fmt: skip
        email = str(claims.get("email") or "")
        domains = {domain.lower() for domain in settings.oidc_allowed_domains}
        if domains and not (claims.get("email_verified") is True and email.rpartition("@")[2].lower() in domains):
            raise SignInRefused()
        groups = set(settings.oidc_allowed_groups)
        if groups and not groups & _values(claims, settings.oidc_groups_claim):
            raise SignInRefused()
        name, _, value = settings.oidc_admin.partition("=")
        admin = value in _values(claims, name) if name else None
        called = next((one for key in ("name", "preferred_username") if isinstance(one := claims.get(key), str)), email)
        return Identity(issuer, subject, called.strip()[:100], admin)


def claim(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim by its name, or by the path to it.

    >>> claim({"realm_access": {"roles": ["admin"]}, "a.b": 1}, "realm_access.roles")
    ['admin']
    """
    if name in claims:
        return claims[name]
    here: Any = claims
    for part in name.split("."):
        here = here.get(part) if isinstance(here, Mapping) else None
    return here


def _values(claims: Mapping[str, Any], name: str) -> set[str]:
    found = claim(claims, name)
    return {str(one) for one in (found if isinstance(found, list) else [found]) if one is not None}
