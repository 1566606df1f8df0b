"""The application over each records engine, and an agency that may use it."""

import shutil
from collections.abc import Callable, Iterator
from copy import copy, deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from contract.office import NOON, OPERATIONS, ApiDoors, Office
from contract.world import World, build
from handbill.host.clock import SetClock
from handbill.host.egress import Egress
from handbill.host.ids import Ids, SeededIds, SystemIds
from handbill.host.settings import Settings
from handbill.http.app import Application
from handbill.http.operations import Desk
from handbill.store.blobs import open_blobs
from handbill.store.journal import JournalWriter
from handbill.store.records import Records, open_records
from handbill.store.records.spelling import Dialect
from handbill.store.records.tables import metadata
from masters import MASTERS


class _Kept(NamedTuple):
    """A world as it is when it has begun. ``next_ids``: those that come next."""

    rows: list[tuple[sa.Table, list[dict[str, Any]]]]
    next_ids: Ids
    world: World


_Worlds = dict[Dialect, _Kept]
"""Of each engine: all begin alike, and to ask for one costs more than most tests do."""
_OFFICES: _Worlds = {}
_WHOLE: _Worlds = {}


def _kept(world: World) -> _Kept:
    desk, rows = world.office.desk, []
    with desk.records.read() as tx:
        for table in metadata.sorted_tables:
            names = table.columns.keys()
            found = tx.all(sa.select(*table.columns))
            rows.append((table, [dict(zip(names, row, strict=True)) for row in found]))
    filled = [(table, found) for table, found in rows if found]
    return _Kept(filled, deepcopy(desk.ids), world)


def _alike(desk: Desk, kept: _Kept) -> World:
    with desk.records.write() as tx:
        for table, rows in kept.rows:
            tx.put_many(table, rows)
            if "no" in table.c and table.c.no.autoincrement is True:
                tx.set_next_no(table, 1 + max(row["no"] for row in rows))
    first, app = kept.world.office, Application(OPERATIONS, desk)
    office = Office(desk, headers=dict(first.headers), app=app)
    office.api_client_id = first.api_client_id
    return World(office, kept.world.client, dict(kept.world.ids))


def _begun(
    records: Records, folder: Path, worlds: _Worlds, first: Callable[[Office], World]
) -> Iterator[World]:
    journal = JournalWriter(folder / "journal", "api-0", SystemIds())
    blobs = open_blobs(str(folder / "blobs"))
    settings = Settings(data=str(folder))
    egress = Egress(resolve=lambda *_: [])  # no name is known here
    kept = worlds.get(records.dialect)
    ids = deepcopy(kept.next_ids) if kept else SeededIds(1)
    desk = Desk(records, blobs, journal, SetClock(NOON), ids, settings, ApiDoors(settings), egress)
    if kept is None:
        world = first(Office(desk).open())
        office = copy(world.office)  # the first test may change its own: a later token, another id
        office.headers = dict(office.headers)
        worlds[records.dialect] = _kept(replace(world, ids=dict(world.ids), office=office))
    else:
        world = _alike(desk, kept)
    app = world.office.app
    yield world
    app.close()  # else its threads, and what each has held, stay until somebody looks for them
    journal.close()
    egress.close()


def opened(records: Records, folder: Path) -> Iterator[Office]:
    for world in _begun(records, folder, _OFFICES, lambda office: World(office, "")):
        yield world.office


@pytest.fixture
def world_anywhere(records: Records, tmp_path: Path) -> Iterator[World]:
    """One of everything in an office, on each engine."""
    yield from _begun(records, tmp_path, _WHOLE, build)


@pytest.fixture
def sqlite_world(sqlite_records: Records, tmp_path: Path) -> Iterator[World]:
    """The same on SQLite only."""
    yield from _begun(sqlite_records, tmp_path, _WHOLE, build)


@pytest.fixture
def office(records: Records, tmp_path: Path) -> Iterator[Office]:
    """An agency "acme" with key, token and the publisher TestExp1, on each engine."""
    yield from opened(records, tmp_path)


@pytest.fixture
def sqlite_office(sqlite_records: Records, tmp_path: Path) -> Iterator[Office]:
    """The same on SQLite only, for suites that try a great many requests."""
    yield from opened(sqlite_records, tmp_path)


@pytest.fixture(scope="module")
def module_office(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """One on SQLite for all tests of a module that ask and answer one after another."""
    folder = tmp_path_factory.mktemp("office")
    shutil.copyfile(sqlite_template, folder / "records.db")
    records = open_records(f"sqlite:///{folder / 'records.db'}", MASTERS)
    yield from opened(records, folder)
    records.close()
