"""How a callback is signed: Standard Webhooks, version 1. **Source**: standardwebhooks.com."""

import base64
import hashlib
import hmac

from handbill.kit.instants import SECOND, Instant

_PREFIX = "whsec_"


def spelled(key: bytes) -> str:
    """A secret in the form that receivers' libraries take."""
    return _PREFIX + base64.b64encode(key).decode("ascii")


def headers_of(callback_id: str, body: bytes, keys: list[bytes], now: Instant) -> dict[str, str]:
    """The headers of one try; the signature is valid for its time only."""
    seconds = str(now // SECOND)
    signed = b".".join((callback_id.encode(), seconds.encode(), body))
    marks = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    return {
        "content-type": "application/json",
        "user-agent": "Handbill",
        "webhook-id": callback_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(
            "v1," + base64.b64encode(mark).decode("ascii") for mark in marks
        ),
    }
