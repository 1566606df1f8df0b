"""Answers that are kept while the records stand are what would be answered anew, to the byte."""

from dataclasses import replace

import pytest

from contract.asgi import Reply, call
from contract.office import ApiDoors
from contract.world import World
from handbill.api import operations
from handbill.host.clock import SetClock
from handbill.host.settings import Settings
from handbill.http.app import Application
from handbill.http.operations import Operation
from handbill.kit.instants import HOUR
from handbill.store.records import open_records
from handbill.store.records.tables import api_clients, api_keys, clients
from handbill.wire.queries import Query
from masters import MASTERS

OPERATIONS = operations()
TIMELESS = [operation for operation in OPERATIONS if operation.timeless]
EACH = pytest.mark.parametrize("operation", TIMELESS, ids=lambda operation: operation.name)


@pytest.fixture
def world(world_anywhere: World) -> World:
    return world_anywhere


def _ask(world: World, operation: Operation, **headers: str) -> Reply:
    return call(
        world.office.app, "GET", world.url(operation), headers=world.office.headers | headers
    )


def _said(reply: Reply) -> tuple[int, bytes, str | None]:
    return reply.status, reply.raw, reply.headers.get("etag")


def test_only_what_names_all_by_its_path_is_timeless() -> None:
    assert len(TIMELESS) >= 6
    for operation in TIMELESS:
        assert (operation.verb, operation.role) == ("GET", "agency"), operation.name
        assert operation.query is Query, operation.name
        assert not operation.client_header, operation.name
        assert not operation.writes, operation.name
        assert not operation.slow, operation.name


@EACH
def test_neither_clock_nor_settings_are_in_it(world: World, operation: Operation) -> None:
    first = _said(_ask(world, operation))
    assert first[0] == 200
    assert _said(_ask(world, operation)) == first, "kept"
    desk = world.office.desk
    settings = Settings(api_port=1, edge_port=2, retention_days=1)
    elsewhere = replace(
        desk,
        records=open_records(desk.records.url.replace("+psycopg", ""), MASTERS),
        clock=SetClock(desk.clock.now() + 20 * HOUR),
        settings=settings,
        doors=ApiDoors(Settings()),
    )
    world.office.app = Application(OPERATIONS, elsewhere)
    assert _said(_ask(world, operation)) == first, "made anew, elsewhere and later"
    elsewhere.records.close()


@EACH
def test_it_ends_with_the_next_commit_of_anybody(world: World, operation: Operation) -> None:
    office = world.office
    assert [_ask(world, operation).status for _ in range(2)] == [200, 200]
    etag = _ask(world, operation).headers["etag"]
    assert _ask(world, operation, **{"if-none-match": etag}).status == 304
    elsewhere = open_records(office.desk.records.url.replace("+psycopg", ""), MASTERS)
    with elsewhere.write() as tx:
        tx.change(clients, {"id": world.ids["client_id"]}, deleted_at=1)
    assert _ask(world, operation).status == 404
    with elsewhere.write() as tx:
        tx.change(clients, {"id": world.ids["client_id"]}, deleted_at=None)
    assert _ask(world, operation).status == 200
    elsewhere.close()


@EACH
def test_it_is_kept_for_nobody_else(world: World, operation: Operation) -> None:
    assert _ask(world, operation).status == 200
    stranger = World(world.office.another(), world.client, world.ids)
    for _ in range(2):
        assert _ask(world, operation).status == 200
        assert _ask(stranger, operation).status == 404


@pytest.mark.parametrize(
    ("table", "column", "slot", "status"),
    [(api_keys, "revoked_at", "prefix", 401), (api_clients, "revoked_at", "id", 403)],
)
def test_a_dead_credential_opens_nothing_that_is_kept(
    world: World, table: object, column: str, slot: str, status: int
) -> None:
    office, operation = world.office, TIMELESS[0]
    own = {"prefix": office.headers["x-api-key"].split("_")[1], "id": office.api_client_id}
    assert [_ask(world, operation).status for _ in range(2)] == [200, 200]
    elsewhere = open_records(office.desk.records.url.replace("+psycopg", ""), MASTERS)
    with elsewhere.write() as tx:
        assert tx.change(table, {slot: own[slot]}, **{column: 1}) == 1  # type: ignore[arg-type]
    elsewhere.close()
    assert _ask(world, operation).status == status


def test_a_changed_key_opens_nothing_that_is_kept(world: World) -> None:
    key = world.office.headers["x-api-key"]
    assert _ask(world, TIMELESS[0]).status == 200
    other = key[:-1] + ("a" if key[-1] != "a" else "b")
    assert _ask(world, TIMELESS[0], **{"x-api-key": other}).status == 401
    token = world.office.headers["x-authorization-key"]
    another = {"x-authorization-key": token[:-4] + "AAAA"}
    assert _ask(world, TIMELESS[0], **another).status == 403
