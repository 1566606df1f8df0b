"""Does the work of an operation: its answer, its faults by JSON pointers, and each once."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from handbill.core.trail import Occasion
from handbill.http import idempotency
from handbill.http.etags import tagged
from handbill.http.operations import Answer, Call, Operation, body_in
from handbill.kit.faults import Refused
from handbill.wire.pointers import pointed_out

_T = TypeVar("_T")


class Passed(NamedTuple):
    """A call that has passed its gates. ``key``: the Idempotency-Key; ``raw``: the body as it was
    sent.
    """

    operation: Operation
    call: Call
    key: str | None
    raw: bytes


def occasion_of(operation: Operation, call: Call) -> Occasion:
    """The occasion of what a call changes: who has called, with which request and operation."""
    actor, by = call.maybe_caller.who if call.maybe_caller else ("PERSON", "")
    return Occasion(actor, by, call.request_id, operation.name)


def once(operation: Operation, call: Call, key: str, raw: bytes) -> Answer:
    """The stored answer, if the request was answered before; else the work's, which is stored."""
    former = idempotency.replayed(call, operation, key, raw)
    if former is not None:
        return former
    answer = answered(operation, call)
    idempotency.remember(call, operation, key, answer, body_in(answer))
    return answer


def answered(operation: Operation, call: Call) -> Answer:
    """The work's answer, with an ETag for a GET. Faults are reported by JSON pointers."""
    return answer_of(operation, pointed(lambda: operation.work(call), call))


def pointed(work: Callable[[], _T], call: Call) -> _T:
    """What the work returns; its faults are reported by JSON pointers of the body."""
    try:
        return work()
    except Refused as refused:
        raise pointed_out(refused, call.body) from None


def answer_of(operation: Operation, worked: Any) -> Answer:
    """What the work returned, as an answer."""
    answer = worked if isinstance(worked, Answer) else Answer(worked, operation.success)
    return tagged(answer) if operation.verb == "GET" else answer
