"""A body of twice the size costs twice the CPU and little memory, whatever bodies there are.

JSON, shapes, faults and how they are told. What is grown is the operation's own sample, so that a
new operation is here by itself.
"""

from collections.abc import Callable
from typing import Any

import pytest

from contract.office import OPERATIONS, Office
from growing import Work, grows_by_its_size, most_held
from handbill.http.answers import refusal
from handbill.http.operations import Operation, body_in
from handbill.kit.faults import Fault, bad_request
from handbill.kit.jsons import decode, encode
from handbill.wire.values import MOST_FAULTS, NOT_GIVEN

pytestmark = pytest.mark.no_cover  # it measures CPU itself

_HALF = 500  # items; twice as many are the most that an array may have
_MOST_ANSWER = 400_000
_MB = 1024 * 1024
_BODIES = list({one.body: one for one in OPERATIONS if one.body is not None}.values())
"""One operation of each body."""


def _grown(value: Any, n: int) -> Any:
    """The same with n in each list and each map: like the first, but none twice."""
    if isinstance(value, dict):
        return {key: _grown(one, n) for key, one in value.items()}
    if isinstance(value, list):
        return [_another(value[0] if value else "a", k) for k in range(n)]
    return value


def _another(value: Any, k: int) -> Any:
    if isinstance(value, dict):
        return {key: _another(one, k) for key, one in value.items()}
    return f"{value}{k}" if isinstance(value, str) else value


def _spoilt(value: Any) -> Any:
    """The same with nothing right in it."""
    if isinstance(value, dict):
        return {key: _spoilt(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_spoilt(one) for one in value]
    return {"x": []}


def _wrong(value: Any, n: int) -> Any:
    return _spoilt(_grown(value, n))


def _pumped(value: Any, n: int, pump: str) -> Any:
    if isinstance(value, dict):
        return {key: _pumped(one, n, pump) for key, one in value.items()}
    if isinstance(value, list):
        return [_pumped(one, n, pump) for one in value]
    return value + pump * (n // len(pump)) + "!" if isinstance(value, str) else value


def _item(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


_KINDS: dict[str, Callable[[Any, int], Any]] = {
    "long lists": _grown,
    "long lists of what is wrong": _wrong,
    "many": lambda sample, n: [_another(_item(sample), k) for k in range(n)],
    "many that are wrong": lambda sample, n: [_spoilt(_item(sample))] * n,
    "many of nothing": lambda _, n: [{}] * n,
    "too many": lambda _, n: [0] * (n * 40),
    "unknown keys": lambda sample, n: (
        {f"k{k}": k for k in range(n * 20)} | (sample if isinstance(sample, dict) else {})
    ),
    "spaces": lambda sample, n: _pumped(sample, n * 20, " "),
    "signs": lambda sample, n: _pumped(sample, n * 20, "a@."),
    "accents": lambda sample, n: _pumped(sample, n * 20, "\u0301ﬃ"),
}


@pytest.mark.parametrize("operation", _BODIES, ids=lambda one: one.name)
def test_a_body_costs_what_it_is_long(operation: Operation) -> None:
    for grow in _KINDS.values():
        grows_by_its_size(_asked(operation, grow), _HALF)


def _asked(operation: Operation, grow: Callable[[Any, int], Any]) -> Callable[[int], Work]:
    """The body read as the gates read it, and refused as it is refused."""
    sample = {} if operation.sample is NOT_GIVEN else operation.sample
    shape = operation.body
    assert shape is not None

    def work_of(n: int) -> Work:
        raw = encode(grow(sample, n))

        def work() -> None:
            faults: list[Fault] = []
            shape.read(decode(raw), "", faults)
            told = body_in(refusal(bad_request(faults), ""))
            assert len(decode(told)["errors"]) <= MOST_FAULTS

        return work

    return work_of


def test_no_body_holds_much_memory() -> None:
    """What JSON makes of it, and the faults that are told."""
    for operation in (one for one in _BODIES if one.many):
        work_of = _asked(operation, _KINDS["many that are wrong"])
        assert most_held(work_of(2 * _HALF)) < 32 * _MB, operation.name


def test_of_a_thousand_faults_it_is_told_that_there_may_be_more(sqlite_office: Office) -> None:
    client = sqlite_office.client().rpartition("/")[2]
    reply = sqlite_office.ask("POST", "/funnel", [{}] * 1_000, headers={"x-client-id": client})
    assert (reply.status, len(reply.json["errors"])) == (400, MOST_FAULTS)
    assert "the first 1,000 faults; there may be more" in reply.json["message"]
    assert len(reply.raw) < _MOST_ANSWER
