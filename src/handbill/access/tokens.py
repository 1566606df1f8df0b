"""Access tokens: JWTs signed RS256, valid for a day. **Source**: contract 2, domain 13."""

import hashlib
from collections import OrderedDict
from functools import lru_cache
from threading import Lock
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from handbill.access.rows import ApiClient
from handbill.host.ids import Ids, new_uuid
from handbill.kit.instants import SECOND, Instant

_ALGORITHM = "RS256"
_MOST_LENGTH = 4_096
_MOST_VERIFIED = 4_096
_VERSION = 2


class Proof(msgspec.Struct, frozen=True):
    """What a valid token says: whose it is, until when."""

    api_client_id: str
    expires_at: Instant


@lru_cache(maxsize=16)
def _key(pem: bytes) -> RSAKey:
    bare = RSAKey.import_key(pem)
    return RSAKey.import_key(pem, {"kid": bare.thumbprint(), "use": "sig", "alg": _ALGORITHM})


def issue(
    pem: bytes, ids: Ids, now: Instant, api_client: ApiClient, issuer: str, seconds: int
) -> str:
    """A token for an API client, valid for so many seconds."""
    key, at = _key(pem), now // SECOND
    claims = {
        "iss": issuer,
        "sub": api_client.id,
        "client_id": api_client.id,
        "token_use": "access",
        "scope": api_client.scope,
        "auth_time": at,
        "iat": at,
        "exp": at + seconds,
        "jti": new_uuid(ids),
        "version": _VERSION,
    }
    return jwt.encode({"kid": key.kid, "alg": _ALGORITHM}, claims, key, [_ALGORITHM])


def public_keys(pems: list[bytes]) -> list[dict[str, Any]]:
    """The public keys in the form of a JWKS document (RFC 7517)."""
    return [dict(_key(pem).as_dict(private=False)) for pem in pems]


def verify(pems: list[bytes], token: str, issuer: str, now: Instant) -> Proof | None:
    """The contents of the token if it is ours, unaltered and in time; None for any bad token."""
    if len(token) > _MOST_LENGTH:
        return None
    try:
        keys = KeySet([_key(pem) for pem in pems])
        read = jwt.decode(token, keys, [_ALGORITHM])
    except (JoseError, ValueError, TypeError):
        return None
    claims = read.claims
    expires, api_client_id = claims.get("exp"), claims.get("client_id")
    if (claims.get("iss"), claims.get("token_use")) != (issuer, "access"):
        return None
    if not isinstance(expires, int) or not isinstance(api_client_id, str):
        return None
    proof = Proof(api_client_id, expires * SECOND)
    return proof if now < proof.expires_at else None


class Verified:
    """Tokens that were verified before, by digest: a signature is checked once. Bounded; shared by
    threads. It holds no token or credential, and does not know revocations.
    """

    def __init__(self, most: int = _MOST_VERIFIED) -> None:
        self._most = most
        self._proofs: OrderedDict[bytes, Proof] = OrderedDict()
        self._lock = Lock()

    @staticmethod
    def digest(token: str) -> bytes:
        return hashlib.blake2b(token.encode(), digest_size=20).digest()

    def find(self, digest: bytes, now: Instant) -> Proof | None:
        with self._lock:
            proof = self._proofs.get(digest)
            if proof is None:
                return None
            if now >= proof.expires_at:
                del self._proofs[digest]
                return None
            self._proofs.move_to_end(digest)
            return proof

    def keep(self, digest: bytes, proof: Proof) -> None:
        with self._lock:
            self._proofs[digest] = proof
            if len(self._proofs) > self._most:
                self._proofs.popitem(last=False)
