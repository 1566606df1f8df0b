"""An OpenID Connect provider on loopback, which behaves as a test wants it to."""

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

CLIENT, SECRET = "handbill", "s e:c%ret"
Claims = dict[str, Any]


@cache
def _rsa_keys() -> dict[str, RSAKey]:
    """Made together: of those made apart, two may be the same in tests."""
    return {kid: RSAKey.generate_key(2048, {"kid": kid}) for kid in ("one", "two")}


@cache
def key_of(kid: str) -> RSAKey | ECKey:
    """A key that signs; ``ec…``: an elliptic one."""
    return ECKey.generate_key("P-256", {"kid": kid}) if kid.startswith("ec") else _rsa_keys()[kid]


@dataclass
class IdentityProvider:
    """``claims``: what its tokens say besides what the standard demands. ``kid``: of the key that
    signs; ``shown``: the keys in its document. ``answers``: by path, what it says instead of what
    it should. ``forge``: makes the token. ``hits``: of each path.
    """

    port: int = 0
    claims: Claims = field(default_factory=dict)
    kid: str = "one"
    shown: list[str] = field(default_factory=lambda: ["one"])
    says: Claims = field(default_factory=dict)
    answers: dict[str, Callable[[], tuple[int, dict[str, str], bytes]]] = field(
        default_factory=dict
    )
    forge: Callable[["IdentityProvider", Claims], str] | None = None
    reuses_codes: bool = False
    hits: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    now: Callable[[], int] = lambda: 0
    secret: str = SECRET

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def authorize(self, address: str) -> dict[str, str]:
        """A person signs in at this address; what its browser brings back."""
        place = urlsplit(address)
        assert (place.netloc, place.path) == (f"127.0.0.1:{self.port}", "/authorize")
        asked = dict(parse_qsl(place.query, strict_parsing=True))
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["client_id"] == CLIENT
        code = f"code-{len(self.codes)}-{asked['state'][:8]}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def token_for(self, asked: dict[str, str]) -> str:
        at = self.now()
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "subject-1",
            "nonce": asked["nonce"],
            "iat": at,
            "exp": at + 300,
            "email": "ada@acme.example",
            "email_verified": True,
            "name": "Ada",
        } | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        return self.forge(self, claims) if self.forge else self.signed(claims)

    def signed(self, claims: Claims, **head: Any) -> str:
        key = key_of(self.kid)
        algorithm = "ES256" if self.kid.startswith("ec") else "RS256"
        made = {"alg": algorithm, "kid": self.kid} | head
        made = {name: value for name, value in made.items() if value is not None}
        return jws.serialize_compact(made, json.dumps(claims), key, [made["alg"]])

    def answer(self, path: str, headers: Any, body: bytes) -> tuple[int, dict[str, str], bytes]:
        self.hits.append(path)
        if path in self.answers:
            return self.answers[path]()
        if path == "/.well-known/openid-configuration":
            return _said(200, self._document())
        if path == "/keys":
            return _said(200, {"keys": [key_of(one).as_dict(private=False) for one in self.shown]})
        if path == "/token":
            return self._token(headers, dict(parse_qsl(body.decode())))
        return _said(404, {})

    def _document(self) -> Claims:
        at = self.issuer
        return {
            "issuer": at,
            "authorization_endpoint": f"{at}/authorize",
            "token_endpoint": f"{at}/token",
            "jwks_uri": f"{at}/keys",
        } | self.says

    def _token(self, headers: Any, form: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        pair = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode()
        client, secret = (parse_qs(f"x={one}")["x"][0] for one in pair.split(":"))
        if (client, secret) != (CLIENT, self.secret):
            return _said(401, {"error": "invalid_client"})
        asked = self.codes.get(form["code"])
        if asked is None:
            return _said(400, {"error": "invalid_grant"})
        if not self.reuses_codes:
            del self.codes[form["code"]]
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        proved = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if proved != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return _said(400, {"error": "invalid_grant"})
        return _said(200, {"id_token": self.token_for(asked), "access_token": "not for us"})


def unsigned(_: IdentityProvider, claims: Claims) -> str:
    """A token that says that it needs no signature."""
    parts = [json.dumps({"alg": "none"}).encode(), json.dumps(claims).encode(), b""]
    return ".".join(base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in parts)


def signed_with_the_public_key(provider: IdentityProvider, claims: Claims) -> str:
    """A token whose secret is the text of the provider's public key."""
    pem = key_of(provider.kid).as_pem(private=False)
    raw = json.dumps(claims)
    head = {"alg": "HS256", "kid": provider.kid}
    key = OctKey.import_key(base64.b64encode(pem))
    return jws.serialize_compact(head, raw, key, ["HS256"])


def _said(status: int, value: Any) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


@contextmanager
def providing() -> Iterator[IdentityProvider]:
    provider = IdentityProvider()

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            path = urlsplit(self.path).path
            status, headers, body = provider.answer(path, self.headers, self.rfile.read(length))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    provider.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
