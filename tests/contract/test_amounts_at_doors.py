"""Amounts and currencies at every door that takes one: the doors are found in the operations' own
schemas, so that a new one is tried too.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from contract.office import OPERATIONS, Office
from contract.world import FEED, World, build
from handbill.http.operations import Operation
from handbill.kit.jsons import encode
from handbill.wire.bodies import Array, OneOrMany
from handbill.wire.models import Model

BAD = (
    b"-1",
    b"-0.01",
    b"NaN",
    b"Infinity",
    b"1e13",
    b"1e-7",
    b"1e999",
    b"1234567890123456789",
    b"0.0000001",
    b'".50"',
    b'"1"',
    b'"US$ 1.00"',
    b'"1.234,50"',
    b'"1e3"',
    b"true",
    b"[1]",
    b"{}",
)
"""A body's amounts are JSON numbers; texts are read where people write them, in feeds."""
GOOD = (b"1e3", b"0.50", b"1000.000000")
MARK = "the amount"
PAY = "/salary"
"""What a hire earns is paid by the employer: in whatever currency, and nothing of it is ours."""
Path = tuple[str | int, ...]


def amounts_in(schema: Any, defs: dict[str, Any], at: Path = ()) -> Iterator[Path]:
    """Where a schema takes an amount of money."""
    if "$ref" in schema:
        schema = defs[schema["$ref"].rsplit("/", 1)[1]]
    if "number" in schema.get("type", ()) and schema.get("maximum") == 10**12:
        yield at
    for every in ("anyOf", "oneOf", "allOf"):
        for one in schema.get(every, ()):
            yield from amounts_in(one, defs, at)
    for name, one in schema.get("properties", {}).items():
        if len(at) < 8:
            yield from amounts_in(one, defs, (*at, name))
    if isinstance(schema.get("items"), dict):
        yield from amounts_in(schema["items"], defs, (*at, 0))


def schema_of(body: type[Model] | OneOrMany | Array) -> dict[str, Any]:
    if isinstance(body, Array):
        return body.schema()
    if isinstance(body, OneOrMany):
        one = schema_of(body.one)
        return body.schema(one) | {"$defs": one.get("$defs", {})}
    return body.model_json_schema(mode="validation")


def doors() -> list[tuple[Operation, Path]]:
    found: list[tuple[Operation, Path]] = []
    for operation in OPERATIONS:
        body = operation.body
        if body is not None and operation.role == "agency":
            schema = schema_of(body)
            paths = dict.fromkeys(amounts_in(schema, schema.get("$defs", {})))
            found += [(operation, path) for path in paths]
    return found


def placed(body: Any, path: Path, value: Any) -> Any:
    """The body with a value at a place, and no more than is needed on the way."""
    if not path:
        return value
    head, *rest = path
    if isinstance(head, int):
        return [placed(body[0] if isinstance(body, list) and body else {}, tuple(rest), value)]
    known = body if isinstance(body, dict) else {}
    return known | {head: placed(known.get(head), tuple(rest), value)}


def pointer(path: Path) -> str:
    return "".join(f"/{part}" for part in path)


@pytest.fixture(scope="module")
def world(module_office: Office) -> World:
    return build(module_office)


def asked(world: World, operation: Operation, raw: bytes) -> tuple[int, dict[str, str]]:
    reply = world.office.ask(
        operation.verb, world.url(operation), headers=world.headers(operation), raw=raw
    )
    told = reply.json if reply.raw else {}
    return reply.status, {one["field"]: one["message"] for one in told.get("errors", ())}


def test_the_doors_are_found() -> None:
    names = {operation.name for operation, _ in doors()}
    assert {
        "create_client",
        "update_client",
        "create_campaign",
        "update_campaign",
        "create_jobgroup",
        "update_jobgroup",
        "create_publisher",
        "update_publisher",
        "update_job",
        "add_job",
        "create_rule",
        "create_posting_config",
    } <= names
    assert len(doors()) > 40


@pytest.mark.parametrize("door", doors(), ids=lambda door: f"{door[0].name}{pointer(door[1])}")
def test_no_door_takes_what_is_no_amount_or_another_currency(
    world: World, door: tuple[Operation, Path]
) -> None:
    operation, path = door
    sample = FEED if operation.name == "create_feed" else operation.sample
    body = encode(placed(sample, path, MARK))
    mark = encode(MARK)
    assert body.count(mark) == 1
    for bad in BAD:
        status, faults = asked(world, operation, body.replace(mark, bad))
        assert status == 400, (bad, faults)
        assert pointer(path) in faults or "" in faults, (bad, faults)
    for good in GOOD:
        _, faults = asked(world, operation, body.replace(mark, good))
        assert pointer(path) not in faults or "must be a number" not in faults[pointer(path)], good
    if PAY in pointer(path):
        return
    beside = path[:-1]
    # A new publisher may be in any currency; that is what its amounts are in.
    asked_for = operation.name == "create_publisher" and not beside
    for name in ("currencyCode",) if asked_for else ("currency", "currencyCode"):
        foreign = placed(placed(sample, path, 1), (*beside, name), "EUR")
        if beside[:1] in {("placements",), ("placementSettings",)}:
            foreign = placed(foreign, (*beside[:2], "value"), "TestExp1")
        foreign = encode(foreign)
        status, faults = asked(world, operation, foreign)
        assert status == 400, (name, faults)
        assert "USD" in faults[pointer((*beside, name))], faults
