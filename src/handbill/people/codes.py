"""One-time codes by time, and recovery codes: what they are made from, and which one is right.

**Source**: RFC 6238 (30 seconds, SHA-1, 6 digits, as all apps know it), RFC 4226.
"""

import base64
import hashlib
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from handbill.host.ids import Ids
from handbill.kit.instants import SECOND, Instant
from handbill.kit.signing import same

RECOVERIES: Final = 10
"""How many recovery codes there are; each is good once."""
_SECRET_BYTES, _DIGITS, _STEP_SECONDS, _APART = 20, 6, 30, 1
_RECOVERY_BYTES, _PART = 10, 4
_PURPOSE = b"handbill recovery code\0"
_ISSUER = "Handbill"


def new_secret(ids: Ids) -> bytes:
    """What one person's codes are made from."""
    return ids.bytes(_SECRET_BYTES)


def text_of(secret: bytes) -> str:
    """The secret as apps take it: base 32."""
    return base64.b32encode(secret).decode()


def uri_of(secret: bytes, account: str) -> str:
    """The otpauth address of the secret, for a QR code."""
    return _totp(secret).get_provisioning_uri(account, _ISSUER)


def step_of(secret: bytes, code: str, now: Instant, after: int) -> int | None:
    """The time step that the code belongs to: the present one, or the one before or behind it.
    None: no step later than ``after`` has this code.
    """
    typed = _plain(code).encode()
    present = now // SECOND // _STEP_SECONDS
    totp, matched = _totp(secret), None
    for step in range(present - _APART, present + _APART + 1):
        if same(totp.generate(step * _STEP_SECONDS), typed) and step > after:
            matched = step
    return matched


def newest_step(now: Instant) -> int:
    """The last time step whose code is good now."""
    return now // SECOND // _STEP_SECONDS + _APART


def new_recovery(ids: Ids) -> str:
    """A recovery code: 80 random bits, in letters and digits that are hard to confuse."""
    text = base64.b32encode(ids.bytes(_RECOVERY_BYTES)).decode().lower()
    return "-".join(text[at : at + _PART] for at in range(0, len(text), _PART))


def digest_of(secret: bytes, recovery: str) -> bytes:
    """By what a recovery code is kept: keyed by the secret, so that both end together."""
    keyed = hashlib.blake2b(key=secret, digest_size=32)
    keyed.update(_PURPOSE + _plain(recovery).encode())
    return keyed.digest()


def _plain(code: str) -> str:
    """A code as it is compared: people type blanks, hyphens and capitals."""
    return "".join(code.replace("-", "").split()).lower()


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, _DIGITS, SHA1(), _STEP_SECONDS)  # noqa: S303 - what all apps know
