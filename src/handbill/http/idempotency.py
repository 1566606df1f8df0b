"""Idempotency-Key: a retried POST gets the answer stored in the same transaction as its effect.

**Source**: contract 3, retries; safety.md section 2.
"""

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.http.operations import Answer, Call, Operation
from handbill.kit.digests import digest_of
from handbill.kit.faults import Fault, bad_request
from handbill.kit.instants import DAY, Instant
from handbill.store.records import Tx
from handbill.store.records.base import sweep_of
from handbill.store.records.tables import idempotency

_MOST_KEY = 255
_SHOWN = "was already used: the request was completed, and its secret was shown once and not stored"
_t = idempotency.c
_FIND = sa.select(_t.request_digest, _t.status, _t.answer, _t.created_at).where(
    _t.scope == b("scope"), _t.key == b("key")
)
_DROP = sa.delete(idempotency).where(_t.scope == b("scope"), _t.key == b("key"))
_SWEEP = sweep_of(idempotency, _t.created_at)


class KeptAnswer(msgspec.Struct, array_like=True):
    body: bytes
    headers: dict[str, str]
    media_type: str


def key_of(keys: list[str]) -> str | None:
    """The request's key, if it has one and the operation uses it. **Refuses** a bad one (400)."""
    if not keys:
        return None
    if len(keys) > 1 or not 0 < len(keys[0]) <= _MOST_KEY:
        raise bad_request([Fault("/Idempotency-Key", f"must have 1 to {_MOST_KEY} characters")])
    return keys[0]


def replayed(call: Call, operation: Operation, key: str, raw: bytes) -> Answer | None:
    """The stored answer, or None when the work is still to do. Waits for the same request that is
    under way. **Refuses** (400) the same key with another request, and a retry for a secret.
    """
    scope, digest = _scope(call, operation), _digest(call, raw)
    row = {"scope": scope, "key": key, "request_digest": digest, "status": 0, "answer": b""}
    call.tx.upsert_many(
        idempotency, ["scope", "key"], [row | {"created_at": call.now}], keep=True
    )  # waits for the other request's transaction, on both engines
    stored = call.tx.one(_FIND, scope=scope, key=key)
    assert stored is not None, "the row was put just now"
    former, status, answer, created_at = stored
    if status and created_at < call.now - DAY:
        call.tx.run(_DROP, scope=scope, key=key)
        return replayed(call, operation, key, raw)
    if status == 0:
        return None
    if bytes(former) != digest:
        raise bad_request([Fault("/Idempotency-Key", "was used with another request")])
    if operation.shows_once:
        raise bad_request([Fault("/Idempotency-Key", _SHOWN)])
    kept = msgspec.msgpack.decode(bytes(answer), type=KeptAnswer)
    headers = kept.headers | {"idempotency-replayed": "true"}
    return Answer(None, status, headers, kept.body, kept.media_type)


def remember(call: Call, operation: Operation, key: str, answer: Answer, body: bytes) -> None:
    """Store the answer in the transaction of the work, unless it is a secret."""
    if operation.shows_once:
        body = b""
    kept = KeptAnswer(body, dict(answer.headers), answer.media_type)
    call.tx.change(
        idempotency,
        {"scope": _scope(call, operation), "key": key},
        status=answer.status,
        answer=msgspec.msgpack.encode(kept),
    )


def sweep(tx: Tx, now: Instant, most: int) -> int:
    """Delete up to so many answers older than a day; how many were deleted."""
    return tx.run(_SWEEP, before=now - DAY, most=most)


def _scope(call: Call, operation: Operation) -> str:
    return f"{call.caller.name}:{operation.name}"


def _digest(call: Call, raw: bytes) -> bytes:
    client = call.maybe_client.id if call.maybe_client else ""
    try:
        canonical = msgspec.json.encode(msgspec.json.decode(raw), order="sorted")
    except msgspec.DecodeError:
        canonical = raw
    return digest_of(call.url, client, sorted(call.query.told().items()), canonical)
