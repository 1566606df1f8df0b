"""Suites that grow with the table of operations: tenants, order of faults, malformed bodies."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from starlette.datastructures import Headers

from contract import world as worlds
from contract.asgi import Reply, call
from contract.office import Body, Office
from contract.world import OF_THE_AGENCY, World, build, fingerprint, unknown_id
from handbill.api import operations
from handbill.http.answers import refusal
from handbill.http.gates import Arrival, read_shapes
from handbill.http.openapi import document
from handbill.http.operations import Operation, body_in
from handbill.kit.faults import Refused
from handbill.kit.jsons import decode, encode
from handbill.wire.bodies import OneOrMany
from handbill.wire.queries import parameters
from handbill.wire.values import NOT_GIVEN
from handbill.wire.wrong import UNSAID

OPERATIONS = operations()
OURS = [operation for operation in OPERATIONS if operation.role == "agency"]
SLOT = re.compile(r"{(\w+)}")
SOUND = {"create_feed": worlds.FEED}
"""Bodies for the operations whose sample in the reference is refused (contract 3)."""
CODES = {200, 202, 304, 400, 401, 403, 404}


def _body(operation: Operation) -> bytes | None:
    if operation.body is None:
        return None
    assert operation.sample is not NOT_GIVEN, f"{operation.name} needs a sample"
    return encode(SOUND.get(operation.name, operation.sample))


def _send(world: World, operation: Operation, url: str, **more: Any) -> Reply:
    headers = world.office.headers | world.headers(operation) | more.pop("headers", {})
    raw = more.pop("raw", _body(operation))
    return call(world.office.app, operation.verb, url, headers=headers, raw=raw)


def _said(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.json.get("message", "") if reply.raw else ""


# ── tenants ─────────────────────────────────────────────────────────────────────────────────────


def _strangers(
    operation: Operation, slot: str, sister: World, foreign: World
) -> Iterator[tuple[str, str]]:
    yield "unknown", unknown_id(slot)
    yield "foreign", foreign.ids[slot]
    slots = SLOT.findall(operation.path)
    # Another client is a wrong parent only where something below it is named too.
    if (
        slots != ["click_id"]
        and slot not in OF_THE_AGENCY
        and not (slot == "client_id" and _only_the_client(slots))
    ):
        yield "of another client", sister.ids[slot]


def _only_the_client(slots: list[str]) -> bool:
    return all(slot in OF_THE_AGENCY | {"client_id"} for slot in slots)


def test_nobody_sees_or_touches_what_is_not_theirs(world_anywhere: World) -> None:
    own, whole = world_anywhere, world_anywhere.office
    sister, foreign = build(whole), build(whole.another())
    before = fingerprint(whole.desk.records)
    wrong = []
    tried = 0
    for operation in OURS:
        for slot in SLOT.findall(operation.path):
            for kind, stranger in _strangers(operation, slot, sister, foreign):
                url = own.url(operation, **{slot: stranger})
                said = _said(_send(own, operation, url))
                tried += 1
                if said != (404, "Not found"):
                    wrong.append(f"{operation.name}: {kind} {slot}: {said}")
        if operation.client_header:
            for kind, client_id in (("foreign", foreign.ids["client_id"]), ("unknown", "x")):
                named = dict.fromkeys(own.headers(operation), client_id)
                said = _said(_send(own, operation, own.url(operation), headers=named))
                tried += 1
                if said != (403, "Forbidden"):
                    wrong.append(f"{operation.name}: {kind} client in a header: {said}")
    assert not wrong, "\n".join(wrong)
    assert tried > 150
    assert fingerprint(whole.desk.records) == before


def test_deleted_things_are_as_unknown_ones(sqlite_office: Office) -> None:
    deletes = {
        SLOT.findall(row.path)[-1]: row
        for row in OURS
        if row.verb == "DELETE" and row.path.endswith("}")
    }
    wrong = []
    for slot, delete in deletes.items():
        own = build(sqlite_office)
        assert _send(own, delete, own.url(delete)).status == 200, delete.name
        for operation in OURS:
            if slot in SLOT.findall(operation.path) and slot not in {"prefix", "api_client_id"}:
                said = _said(_send(own, operation, own.url(operation)))
                if said != (404, "Not found"):
                    wrong.append(f"{operation.name} of a deleted {slot}: {said}")
    assert not wrong, "\n".join(wrong)


def test_credentials_of_two_owners_do_not_mix(sqlite_world: World) -> None:
    own, foreign = sqlite_world, build(sqlite_world.office.another())
    records = own.office.desk.records
    before = fingerprint(records)
    for operation in OURS:
        for key, token in ((own, foreign), (foreign, own)):
            mixed = key.office.headers | {
                "x-authorization-key": token.office.headers["x-authorization-key"]
            }
            for target in (own, foreign):
                reply = _send(target, operation, target.url(operation), headers=mixed)
                assert _said(reply) == (403, "Forbidden"), operation.name
    assert fingerprint(records) == before


# ── scopes ──────────────────────────────────────────────────────────────────────────────────────
READ_BY_POST = {
    "make_test_link",
    "get_jobs_in_bulk",
    "preview_jobgroup",
    "preview_feed",
    "backtest_rule",
    "preview_rule",
    "submit_stats_report",
    "stream_stats_report",
    "generate_stats_report",
    "generate_ip_report",
    "request_publisher_report",
}
WRITE_BY_GET = {"list_api_clients", "get_callback_secret"} | {
    row.name for row in OPERATIONS if row.path.endswith("/changes")
}
"""What they answer would let a reader write, or sign as we do."""


def _needs(operation: Operation) -> str:
    """Said again here, so that a new row that is let through by mistake is found."""
    if operation.verb == "GET":
        return "write" if operation.name in WRITE_BY_GET else "read"
    return "read" if operation.name in READ_BY_POST else "write"


def _token_of(world: World, scope: str) -> dict[str, str]:
    made = world.office.ask("POST", "/api-clients", {"scope": scope}).json["result"]
    token = world.office.ask("POST", "/token", {"client_id": made}).json["access_token"]
    return {"x-authorization-key": token}


@pytest.mark.parametrize(("may", "other"), [("read", "write"), ("write", "read")])
def test_a_token_does_what_its_scope_says_and_no_more(
    sqlite_world: World, may: str, other: str
) -> None:
    """The refused ones first, on a world that they must leave as it is."""
    own, records = sqlite_world, sqlite_world.office.desk.records
    token = _token_of(own, f"handbill/{may}")
    before = fingerprint(records)
    wrong = []
    for operation in (row for row in OURS if _needs(row) == other):
        for raw in (_body(operation), b"{"):
            said = _said(_send(own, operation, own.url(operation), headers=token, raw=raw))
            if said != (403, "Forbidden"):
                wrong.append(f"{operation.name}: {said}")
    assert not wrong, "\n".join(wrong)
    assert fingerprint(records) == before
    for operation in (row for row in OURS if _needs(row) == may and row.verb != "DELETE"):
        reply = _send(own, operation, own.url(operation), headers=token)
        fine = {200, 202, 400} | ({404} if operation.body_names else set())
        if reply.status in {401, 403} or (may == "read" and reply.status not in fine):
            wrong.append(f"{operation.name}: {reply.status}")
    assert not wrong, "\n".join(wrong)


def test_the_document_says_what_each_operation_needs() -> None:
    verbs = document(OPERATIONS, "0")["paths"]
    for operation in OPERATIONS:
        if operation.role in {"agency", "partner"}:
            said = verbs[operation.path][operation.verb.lower()]["security"]
            assert said == [{"apiKey": [], "token": [_needs(operation)]}, {"session": []}], (
                operation.name
            )


# ── order of faults ─────────────────────────────────────────────────────────────────────────────


def _spoilers(operation: Operation) -> list[tuple[str, int]]:
    """The faults that a call of this operation can have, in the order of the gates."""
    found = [("key", 401), ("token", 403)]
    if operation.client_header:
        found.append(("header", 403))
    if operation.body is not None or any(
        one.required for one in parameters(operation.query).values()
    ):
        found.append(("shape", 400))
    if SLOT.search(operation.path):
        found.append(("id", 404))
    return found


def _spoilt(world: World, operation: Operation, faults: set[str]) -> Reply:
    headers = world.office.headers | world.headers(operation)
    if "key" in faults:
        headers["x-api-key"] = "bad"
    if "token" in faults:
        headers["x-authorization-key"] = "bad"
    if "header" in faults:
        headers |= dict.fromkeys(world.headers(operation), "bad")
    instead = {slot: unknown_id(slot) for slot in SLOT.findall(operation.path)}
    url = world.url(operation, **(instead if "id" in faults else {}))
    raw = _body(operation)
    if "shape" in faults:
        raw = b"{" if operation.body is not None else raw
        url = url.partition("?")[0]
    return call(world.office.app, operation.verb, url, headers=headers, raw=raw)


def test_the_first_gate_that_refuses_answers(sqlite_world: World) -> None:
    own, records = sqlite_world, sqlite_world.office.desk.records
    before = fingerprint(records)
    wrong = []
    for operation in OURS:
        spoilers = _spoilers(operation)
        for place, (name, code) in enumerate(spoilers):
            later = {fault for fault, _ in spoilers[place:]}
            reply = _spoilt(own, operation, later)
            if reply.status != code:
                wrong.append(f"{operation.name}: {name} and all after it: {reply.status}")
    assert not wrong, "\n".join(wrong)
    assert fingerprint(records) == before


def test_wrong_verbs_are_told_the_right_ones(sqlite_world: World) -> None:
    own = sqlite_world
    for operation in OURS:
        reply = call(own.office.app, "TRACE", own.url(operation).partition("?")[0])
        assert reply.status == 405
        assert operation.verb in reply.headers["allow"].split(", ")


# ── malformed bodies ────────────────────────────────────────────────────────────────────────────

RAWS = [
    b"",
    b"null",
    b"true",
    b"0",
    b'"x"',
    b"[]",
    b"{",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"\xff\xfe",
    b"9" * 5_000,
    b"36893488147419103232",
    b"[" * 100 + b"]" * 100,
    b'{"a":1,"a":2}',
    b'{"a":"\\ud800"}',
    b'{"a":"\\u0000"}',
    b"[1" + b",1" * 1_001 + b"]",
    b"[[]]",
    b"[{}]",
]
VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    2**63,
    10**18,
    "",
    "x",
    "x" * 5_000,
    "\u202e",
    "13/45/2020",
    "null",
    [],
    {},
    [None],
    [1],
    ["x"],
    [[]],
    [{}],
    {"": None},
    {"x": {"x": {"x": []}}},
    [0] * 1_001,
]


def test_malformed_bodies_are_refused_and_nothing_more(sqlite_world: World) -> None:
    own = sqlite_world
    with_body = [operation for operation in OURS if operation.body is not None]
    wrong = []
    for operation in with_body:
        for raw in RAWS:
            reply = _send(own, operation, own.url(operation), raw=raw)
            if reply.status not in CODES:
                wrong.append(f"{operation.name}: {raw[:40]!r}: {reply.status}")
    assert not wrong, "\n".join(wrong)


def _known(body: Any) -> Iterable[str]:
    """The first level's names, those that the sample leaves out too."""
    if isinstance(body, OneOrMany):
        return _known(body.one)
    return [row.alias or name for name, row in getattr(body, "model_fields", {}).items()]


def _mutants(operation: Operation) -> Iterator[Any]:
    """The sample with each of its keys, known or nested, holding each odd value."""
    sample = operation.sample
    yield from VALUES
    one = sample[0] if isinstance(sample, list) and sample else sample
    wrap: Callable[[Any], Any] = (
        (lambda item: [item]) if isinstance(sample, list) else (lambda x: x)
    )
    if not isinstance(one, dict):
        yield from ([value] for value in VALUES)
        return
    for key in dict.fromkeys([*one, *_known(operation.body)]):
        for value in VALUES:
            yield wrap({**one, key: value})
        if isinstance(one.get(key), dict):
            for inner in one[key]:
                for value in VALUES:
                    yield wrap({**one, key: {**one[key], inner: value}})


@pytest.mark.parametrize("operation", [row for row in OURS if row.body], ids=lambda row: row.name)
def test_odd_values_never_break_an_operation(operation: Operation, sqlite_world: World) -> None:
    """What its shape refuses goes no further than that gate, which is asked alone: nine in ten."""
    wrong = []
    for mutant in _mutants(operation):
        raw, url = encode(mutant), sqlite_world.url(operation)
        faults = _refused_by_shape(operation, url, raw)
        if not faults:
            reply = _send(sqlite_world, operation, url, raw=raw)
            if reply.status not in CODES:
                wrong.append(f"{raw[:200]!r}: {reply.status}")
            if reply.status != 400:
                continue
            faults = reply.json["errors"]
            assert faults
        assert UNSAID not in {fault["message"] for fault in faults}, (mutant, faults)
    assert not wrong, "\n".join(wrong[:20])


def _refused_by_shape(operation: Operation, url: str, raw: bytes) -> list[Body]:
    """The faults that the gate of shapes answers with."""
    query = url.partition("?")[2].encode()
    try:
        read_shapes(operation, Arrival({}, query, Headers(), raw, "", url), lambda: "USD")
    except Refused as refused:
        found: list[Body] = decode(body_in(refusal(refused, "")))["errors"]
        assert found
        return found
    return []


def test_the_world_names_every_slot(sqlite_world: World) -> None:
    slots = {slot for operation in OURS for slot in SLOT.findall(operation.path)}
    assert slots <= set(sqlite_world.ids), "put the new room's ids into contract/world.py"
    assert slots >= worlds.OF_THE_AGENCY
