"""An OpenID Connect provider played at protocol level, with real signatures, on a real uvicorn on a loopback port.

    with OidcServer() as provider:
        provider.claims = {"sub": "ann", "email": "ann@example.org"}
        ...  # OIDC_ISSUER=provider.issuer, OIDC_CLIENT_ID="chat", OIDC_CLIENT_SECRET="secret"

Whoever comes to `/authorize` is signed in as `claims` say and sent back at once. Codes are used once, and only with the
redirect URI and the verifier that they were given for. Tests make it lie: `change` gets the claims of the next ID
tokens, `sign` makes the token of them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlencode

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.standins.listening import Listening

CLIENT, SECRET = "chat", "secret of the client"


class OidcServer(Listening):
    """The stand-in. Attributes may be set from any thread.

    Attributes:
        issuer: For `OIDC_ISSUER`, while it listens.
        claims: Of whoever signs in next.
        change: Changes the claims of an ID token in place before it is signed.
        sign: Makes an ID token of claims.
        asked: Parameters of the requests to `/authorize`, in order.
        ended: Parameters of the requests to `/logout`, in order.
        ends: Whether it says that sessions can be ended.
    """

    def __init__(self) -> None:
        """Make a key; nothing listens yet."""
        routes = [
            Route("/.well-known/openid-configuration", self._discovery),
            Route("/jwks", self._jwks),
            Route("/authorize", self._authorize),
            Route("/token", self._token, methods=["POST"]),
            Route("/logout", self._logout),
        ]
        super().__init__(Starlette(routes=routes))
        self.rotate()
        self.reset()

    @property
    def issuer(self) -> str:
        return f"http://{self.address}"

    def reset(self) -> None:
        """Be honest again."""
        self.claims: dict[str, Any] = {"sub": "ann"}
        self.change: Callable[[dict[str, Any]], object] = lambda claims: None
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.asked: list[dict[str, str]] = []
        self.ended: list[dict[str, str]] = []
        self.ends = True
        self._codes: dict[str, tuple[dict[str, str], dict[str, Any]]] = {}

    def rotate(self) -> None:
        """Sign with another key from now on."""
        self.key = RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig", "alg": "RS256"})

    def signed(self, claims: dict[str, Any], key: RSAKey | None = None) -> str:
        """Return an ID token with a real signature."""
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, key or self.key)

    def unsigned(self, claims: dict[str, Any]) -> str:
        """Return an ID token of the algorithm `none`."""
        parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
        return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."

    async def _discovery(self, request: Request) -> Response:
        endpoints = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        endpoints |= {"end_session_endpoint": "logout?realm=1"} if self.ends else {}
        urls = {name: f"{self.issuer}/{path}" for name, path in endpoints.items()}
        return JSONResponse({"issuer": self.issuer, **urls})

    async def _jwks(self, request: Request) -> Response:
        return JSONResponse(KeySet([self.key]).as_dict(private=False))

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        self.asked.append(asked)
        assert asked["client_id"] == CLIENT and asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256" and "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self._codes[code] = (asked, dict(self.claims))
        back = urlencode({"code": code, "state": asked["state"], "iss": self.issuer})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 302)

    async def _logout(self, request: Request) -> Response:
        """End the session at the provider; without a hint of who it is, it would ask first."""
        self.ended.append(dict(request.query_params))
        assert self.ended[-1]["client_id"] == CLIENT
        return RedirectResponse(self.ended[-1]["post_logout_redirect_uri"], 302)

    async def _token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        sent = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        asked, claims = self._codes.pop(form["code"], ({}, {}))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode()
        right = (
            [unquote(part) for part in sent.split(":")] == [CLIENT, SECRET]
            and form["redirect_uri"] == asked.get("redirect_uri")
            and challenge.rstrip("=") == asked.get("code_challenge")
        )
        if not right:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        token = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"], **claims}
        self.change(token)
        return JSONResponse({"access_token": "at", "token_type": "Bearer", "id_token": self.sign(token)})
