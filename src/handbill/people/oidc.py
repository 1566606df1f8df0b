"""OpenID Connect with an agency's provider: authorization code, PKCE, and a checked ID token.

Nothing is stored of a sign-in under way: its state, nonce and verifier follow from one secret that
only the person's browser keeps. **Source**: OpenID Connect Core 1.0, 3.1; RFC 7636, 9207, 9700.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote_plus, urlencode

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from handbill.access.keys import digested, secret
from handbill.core.oidc import ALGORITHMS, Expected, ProviderBody, wrong_with
from handbill.host.documents import LIMITS, Documents
from handbill.host.egress import Egress, EgressRefused
from handbill.host.ids import Ids, new_name
from handbill.host.settings import Settings
from handbill.kit.faults import Refused
from handbill.kit.instants import MINUTE, Instant
from handbill.kit.jsons import NotJson, decode
from handbill.kit.signing import same
from handbill.people.providers import Provider, faults_of_place
from handbill.store.records import Tx

LASTS: Final = 10 * MINUTE
"""So long a person may take at the provider."""
_WELL_KNOWN: Final = "/.well-known/openid-configuration"
_MARKED_BY, _MARKED = "session", "oidc"
_SECRET_LENGTH: Final = 40
_FLOW = re.compile(r"([\w-]{1,200})\.(\d{1,19})\.([a-z0-9]{40})\.(\d{1,3})\.([0-9a-f]{64})", re.A)
_ERROR = re.compile(r"[a-z_]{1,60}")
_MOST_TOKEN: Final = 16_384
_MOST_KEYS: Final = 100
_LEAST_RSA_BYTES: Final = 256
_Key = RSAKey | ECKey | OKPKey
_KINDS: Final[Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]]] = {
    "RS": RSAKey,
    "PS": RSAKey,
    "ES": ECKey,
    "Ed": OKPKey,
}
_PUBLIC: Final = ("kty", "n", "e", "crv", "x", "y")


class Failed(Refused):
    """401: nobody is let in by this sign-in. ``why``: for the log only."""

    def __init__(self, why: str) -> None:
        super().__init__(401, "Unauthorized", gate="provider")
        self.why = why


class _UnknownKey(Exception):
    """The provider's keys, as they are kept, have none for this token."""


class SignInFlow(NamedTuple):
    """A sign-in under way. ``secret``: in the person's browser only, and in no address."""

    agency_id: str
    since: Instant
    secret: str

    @property
    def state(self) -> str:
        return self._derived(b"state")

    @property
    def nonce(self) -> str:
        return self._derived(b"nonce")

    @property
    def verifier(self) -> str:
        return self._derived(b"verifier")

    @property
    def digest(self) -> bytes:
        """By what a finished sign-in is kept."""
        return hashlib.sha256(self.secret.encode()).digest()

    def _derived(self, purpose: bytes) -> str:
        return _text(hashlib.blake2b(purpose, key=self.secret.encode(), digest_size=32).digest())


class Discovered(NamedTuple):
    """What the provider says of itself. ``by_form``: it takes our secret in the form only.

    ``tells_issuer``: it names itself as it sends people back.
    """

    authorization: str
    token: str
    keys: str
    by_form: bool
    tells_issuer: bool


class ProviderWorld(NamedTuple):
    """By what a provider is asked."""

    egress: Egress
    documents: Documents
    settings: Settings


def begun(tx: Tx, ids: Ids, now: Instant, agency_id: str) -> tuple[SignInFlow, str]:
    """A new sign-in, and its text for the browser, which nobody else can make."""
    flow = SignInFlow(agency_id, now, new_name(ids, _SECRET_LENGTH))
    kid, key = max(secret(tx, _MARKED_BY).items())
    return flow, ".".join((*_parts(flow), str(kid), _mark(key, flow)))


def opened(tx: Tx, now: Instant, text: str) -> SignInFlow:
    """The sign-in of that text. **Refuses** (Failed) another's, and one that took too long."""
    parts = _FLOW.fullmatch(text)
    if parts is None:
        raise Failed("the browser has no sign-in under way")
    flow = SignInFlow(parts[1], int(parts[2]), parts[3])
    key = secret(tx, _MARKED_BY).get(int(parts[4]), b"")
    if not key or not same(_mark(key, flow).encode(), parts[5].encode()):
        raise Failed("the sign-in is not ours")
    if not flow.since <= now < flow.since + LASTS:
        raise Failed("the sign-in took too long")
    return flow


def discovered(world: ProviderWorld, now: Instant, provider: Provider) -> Discovered:
    """What the provider says of itself. **Refuses** (Failed) what does not hold together."""
    url = provider.body.issuer.rstrip("/") + _WELL_KNOWN
    document = _document(world, now, provider, "discovery", url)
    if document.get("issuer") != provider.body.issuer:
        raise Failed("the discovery document is of another issuer")
    places = []
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        place = document.get(name)
        if not isinstance(place, str) or faults_of_place(world.settings, place):
            raise Failed(f"the discovery document has no sound {name}")
        places.append(place)
    methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    is_listed = isinstance(methods, list) and "client_secret_post" in methods
    authorization, token, keys = places
    return Discovered(
        authorization,
        token,
        keys,
        by_form=is_listed and "client_secret_basic" not in methods,
        tells_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def address_of(found: Discovered, body: ProviderBody, flow: SignInFlow, back: str) -> str:
    """Where the person signs in. ``back``: where the provider sends it afterwards."""
    asked = {
        "response_type": "code",
        "client_id": body.client_id,
        "redirect_uri": back,
        "scope": body.scopes,
        "state": flow.state,
        "nonce": flow.nonce,
        "code_challenge": _text(hashlib.sha256(flow.verifier.encode()).digest()),
        "code_challenge_method": "S256",
    }
    mark = "&" if "?" in found.authorization else "?"
    return f"{found.authorization}{mark}{urlencode(asked)}"


def check_answer(flow: SignInFlow, body: ProviderBody, answer: Any) -> None:
    """That the provider has answered this sign-in, and with a code. **Refuses** (Failed)."""
    if not same(answer.state.encode(), flow.state.encode()):
        raise Failed("the state is another sign-in's")
    if answer.issuer and answer.issuer != body.issuer:
        raise Failed("another issuer has answered")
    if answer.error or not answer.code:
        raise Failed(f"the provider said {_word(answer.error) or 'no code'}")


def claims_of(
    world: ProviderWorld,
    now: Instant,
    provider: Provider,
    client_secret: str,
    flow: SignInFlow,
    answer: Any,
    back: str,
) -> dict[str, Any]:
    """The checked claims of the person who has signed in. **Refuses** (Failed) all others."""
    server = discovered(world, now, provider)
    if server.tells_issuer and not answer.issuer:
        raise Failed("the provider did not name itself")
    token = _exchanged(world.egress, server, provider.body, client_secret, flow, answer.code, back)
    claims: dict[str, Any] = {}
    for anew in (False, True):
        keys = _document(world, now, provider, "keys", server.keys, anew=anew)
        try:
            claims = _verified(token, keys)
            break
        except _UnknownKey:
            if anew:
                raise Failed("the token is signed by an unknown key") from None
    body = provider.body
    expected = Expected(body.issuer, body.client_id, flow.nonce, flow.since)
    if name := wrong_with(claims, expected, now):
        raise Failed(f"the token's {name} is not right")
    return claims


def _exchanged(
    egress: Egress,
    found: Discovered,
    body: ProviderBody,
    client_secret: str,
    flow: SignInFlow,
    code: str,
    back: str,
) -> str:
    """The ID token for a code."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back,
        "code_verifier": flow.verifier,
    }
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "User-Agent": "Handbill",
    }
    if found.by_form:
        form |= {"client_id": body.client_id, "client_secret": client_secret}
    else:  # RFC 6749, 2.3.1: both are encoded as in a form
        pair = f"{quote_plus(body.client_id)}:{quote_plus(client_secret)}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    try:
        status, raw = egress.ask(found.token, urlencode(form).encode(), headers, LIMITS)
        answer = decode(raw)
    except EgressRefused as refused:
        raise Failed(f"token endpoint: {refused}") from refused
    except NotJson:
        raise Failed("the token endpoint did not answer in JSON") from None
    answer = answer if isinstance(answer, dict) else {}
    token = answer.get("id_token")
    if status != 200 or not isinstance(token, str):
        raise Failed(f"the token endpoint answered {status} {_word(answer.get('error'))}".rstrip())
    return token


def _verified(token: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of a token that one of these keys has signed."""
    if len(token) > _MOST_TOKEN:
        raise Failed("the token is too long")
    try:
        head = decode(base64.urlsafe_b64decode(token.partition(".")[0] + "=="))
    except (NotJson, binascii.Error, ValueError):
        raise Failed("the token cannot be read") from None
    algorithm = head.get("alg") if isinstance(head, dict) else None
    if algorithm not in ALGORITHMS:
        raise Failed("the token is signed in a way that is not accepted")
    key = _key_for(algorithm, head.get("kid"), keys)
    try:
        claims = decode(jws.deserialize_compact(token, key, [algorithm]).payload or b"")
    except (JoseError, ValueError, TypeError, RecursionError):
        raise Failed("the token's signature is not right") from None
    if not isinstance(claims, dict):
        raise Failed("the token has no claims")
    return claims


def _key_for(algorithm: str, kid: Any, keys: Mapping[str, Any]) -> _Key:
    """The one key that may have signed. **Refuses** (_UnknownKey) none, and (Failed) a bad one."""
    kind = _KINDS[algorithm[:2]]
    some = keys.get("keys")
    fitting = [
        one
        for one in (some[:_MOST_KEYS] if isinstance(some, list) else [])
        if isinstance(one, dict)
        and one.get("kty") == kind.key_type
        and one.get("use", "sig") == "sig"
        and one.get("alg", algorithm) == algorithm
        and kid in (None, one.get("kid"))
    ]
    if len(fitting) != 1:
        raise _UnknownKey
    public = {name: fitting[0][name] for name in _PUBLIC if name in fitting[0]}
    try:
        if kind is RSAKey and len(_bytes(public["n"])) < _LEAST_RSA_BYTES:
            raise Failed("the provider's key is too short")
        return kind.import_key(public)
    except (JoseError, ValueError, TypeError, KeyError):
        raise Failed("the provider's key cannot be read") from None


def _document(
    world: ProviderWorld,
    now: Instant,
    provider: Provider,
    what: str,
    url: str,
    *,
    anew: bool = False,
) -> dict[str, Any]:
    name = f"{provider.agency_no} {what}"
    try:
        document = world.documents.get(world.egress, name, url, now, anew=anew)
    except EgressRefused as refused:
        raise Failed(f"{what}: {refused}") from refused
    if not isinstance(document, dict):
        raise Failed(f"{what}: is no object")
    return document


def _parts(flow: SignInFlow) -> tuple[str, str, str]:
    return flow.agency_id, str(flow.since), flow.secret


def _mark(key: bytes, flow: SignInFlow) -> str:
    return digested(key, _MARKED, ".".join(_parts(flow))).hex()


def _word(said: Any) -> str:
    """An error's name, as it may stand in a log."""
    return said if isinstance(said, str) and _ERROR.fullmatch(said) else ""


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==").lstrip(b"\0")
