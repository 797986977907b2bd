"""An OpenID provider with real keys that lies where a test tells it to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

__all__ = ["Liar"]

SECRET = "the client's secret: + and %"


def _plain(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


class Liar:
    """A provider on this machine. Its attributes are what it says; tests change them.

    Attributes:
        claims: what an ID token holds beside what it has to, or instead of it; ``None`` leaves a claim out.
        algorithm, kid, header: how it is signed.
        keys: what is published.
        pages: path -> what is answered instead: status, headers, body.
        asked: path -> how often.
        forge: takes what would be the token, and gives another.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.claims: dict[str, Any] = {"sub": "s-1", "preferred_username": "zoe", "name": "Zoe Adams"}
        self.userinfo: dict[str, Any] | None = None
        self.document: dict[str, Any] = {}
        self.private: dict[str, Any] = {
            "RS256": rsa.generate_private_key(65537, 2048),
            "ES256": ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        }
        self.algorithm = "RS256"
        self.kid: str | None = "RS256"
        self.header: dict[str, Any] = {}
        self.keys = [self.published(each) for each in self.private]
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.drip = False
        self.asked: dict[str, int] = {}
        self.sent: list[str] = []
        self.forge: Callable[[str], str] = lambda token: token
        self._codes: dict[str, dict[str, str]] = {}
        liar = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                liar._answer(self, b"")

            def do_POST(self) -> None:
                liar._answer(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def published(self, algorithm: str) -> dict[str, Any]:
        kinds = {
            "RS256": jwt.algorithms.RSAAlgorithm,
            "ES256": jwt.algorithms.ECAlgorithm,
            "EdDSA": jwt.algorithms.OKPAlgorithm,
        }
        found: dict[str, Any] = kinds[algorithm].to_jwk(self.private[algorithm].public_key(), as_dict=True)  # type: ignore[attr-defined]
        return {**found, "kid": algorithm, "use": "sig"}

    def consent(self, url: str, **changed: str) -> str:
        """What the browser is sent back to after somebody logged in here: the way there is ``url``."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert url.startswith(f"{self.issuer}/authorize?")
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self._codes)}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"
        self._codes[code] = asked
        self.sent += [code, asked["state"], asked["nonce"]]
        query = {"code": code, "state": asked["state"], **changed}
        return (
            f"{urlsplit(asked['redirect_uri']).path}?{urlencode({name: each for name, each in query.items() if each})}"
        )

    def _answer(self, request: http.server.BaseHTTPRequestHandler, body: bytes) -> None:
        path = urlsplit(request.path).path
        self.asked[path] = self.asked.get(path, 0) + 1
        status, headers, said = self.pages.get(path) or self._said(path, request, body)
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(said)))
        request.end_headers()
        try:
            for at in range(len(said) if self.drip else 1):
                request.wfile.write(said[at : at + 1] if self.drip else said)
                if self.drip:
                    time.sleep(0.2)
        except OSError:
            pass

    def _said(
        self, path: str, request: http.server.BaseHTTPRequestHandler, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        said: Any = {"error": "not_found"}
        if path == "/.well-known/openid-configuration":
            said = {
                "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize", "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys", "userinfo_endpoint": f"{self.issuer}/userinfo", **self.document,
            }  # fmt: skip
        elif path == "/keys":
            said = {"keys": self.keys}
        elif path == "/userinfo":
            assert request.headers["Authorization"] == "Bearer access-token"
            said = {"sub": self.claims["sub"]} if self.userinfo is None else self.userinfo
        elif path == "/token":
            return self._token(request, {name: values[0] for name, values in parse_qs(body.decode()).items()})
        return 404 if said == {"error": "not_found"} else 200, {}, json.dumps(said).encode()

    def _token(
        self, request: http.server.BaseHTTPRequestHandler, sent: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        asked = self._codes.pop(sent["code"], None)
        self.sent.append(sent["code_verifier"])
        good = (
            asked is not None
            and asked["redirect_uri"] == sent["redirect_uri"]
            and _plain(hashlib.sha256(sent["code_verifier"].encode()).digest()) == asked["code_challenge"]
            and request.headers["Authorization"].startswith("Basic ")
        )
        if asked is None or not good:
            return 400, {}, b'{"error": "invalid_grant"}'
        now = self.now() // 1000
        base = {"iss": self.issuer, "aud": asked["client_id"], "exp": now + 300, "iat": now, "nonce": asked["nonce"]}
        claims = {name: value for name, value in {**base, **self.claims}.items() if value is not None}
        token = self.signed(claims)
        self.sent.append(token)
        return 200, {}, json.dumps({"id_token": token, "access_token": "access-token", "token_type": "Bearer"}).encode()

    def signed(self, claims: dict[str, Any]) -> str:
        head = {"alg": self.algorithm, "typ": "JWT", **({"kid": self.kid} if self.kid else {}), **self.header}
        if self.algorithm in self.private:
            plain = {name: value for name, value in head.items() if name != "alg"}
            with warnings.catch_warnings():  # a key may be too short on purpose
                warnings.simplefilter("ignore")
                return self.forge(jwt.encode(claims, self.private[self.algorithm], self.algorithm, plain))
        text = ".".join(_plain(json.dumps(each).encode()) for each in (head, claims))
        key = json.dumps(self.published("RS256")).encode() if self.algorithm == "HS256" else None
        return self.forge(f"{text}.{_plain(hmac.digest(key, text.encode(), 'sha256')) if key else ''}")
