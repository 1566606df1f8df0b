"""ETags: a thing's version is the digest of what GET answers about it. **Source**: RFC 9110, 13."""

import hashlib

from handbill.http.operations import Answer, Call, Operation, body_in
from handbill.kit.etags import names
from handbill.kit.faults import refused_state
from handbill.wire.queries import Query

_LENGTH = 24  # hex digits of SHA-256, for which processors have instructions
_STALE = (
    "412 precondition failed: the resource has changed since it was read; read it again and "
    "repeat the change"
)


def etag_of(raw: bytes) -> str:
    return f'"{hashlib.sha256(raw).hexdigest()[:_LENGTH]}"'


def tagged(answer: Answer) -> Answer:
    """The answer of a GET, with its ETag and with its body serialised."""
    if answer.status != 200 or answer.chunks is not None:
        return answer
    raw = body_in(answer)
    headers = {**answer.headers, "etag": etag_of(raw)}
    return Answer(None, 200, headers, raw, answer.media_type)


def unless_known(answer: Answer, call: Call) -> Answer:
    """The answer of a GET; 304 without a body if the caller has it already."""
    known = call.headers.get("if-none-match")
    etag = answer.headers.get("etag")
    if not known or etag is None or not names(known, etag):
        return answer
    return Answer(raw=b"", status=304, headers=answer.headers, media_type=answer.media_type)


def require_match(call: Call, reading: Operation | None) -> None:
    """Compare If-Match with what ``reading`` tells, inside the transaction of the change.

    **Refuses** (400, as contract 2 has no 412) when the thing has changed.
    """
    if "if-match" not in call.headers or reading is None or reading.query is not Query:
        return
    if call.maybe_client is None:
        call.desk.doors.hold_owner(call.tx, call.caller)
    current = reading.work(call)
    answer = current if isinstance(current, Answer) else Answer(current)
    raw = body_in(answer)
    if not names(call.headers.get("if-match", ""), etag_of(raw)):
        raise refused_state("/If-Match", _STALE)
