"""The application over each records engine, and an agency that may use it."""

import shutil
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from contract.office import NOON, OPERATIONS, ApiDoors, Office
from handbill.host.clock import SetClock
from handbill.host.egress import Egress
from handbill.host.ids import Ids, SeededIds, SystemIds
from handbill.host.settings import Settings
from handbill.http.app import Application
from handbill.http.operations import Desk
from handbill.store.blobs import open_blobs
from handbill.store.journal import JournalWriter
from handbill.store.records import Records, open_records
from handbill.store.records.base import Dialect
from handbill.store.records.tables import metadata
from masters import MASTERS


class _Opened(NamedTuple):
    """An office as it is when it has opened. ``ids``: those that come next."""

    rows: list[tuple[sa.Table, list[dict[str, Any]]]]
    headers: dict[str, str]
    api_client_id: str
    ids: Ids


_OPENED: dict[Dialect, _Opened] = {}
"""Of each engine: offices open all alike, and to ask for it costs more than most tests do."""


def _opened_alike(desk: Desk, alike: _Opened) -> Office:
    with desk.records.write() as tx:
        for table, rows in alike.rows:
            tx.put_many(table, rows)
            if "no" in table.c and table.c.no.autoincrement is True:
                tx.set_next_no(table, 1 + max(row["no"] for row in rows))
    office = Office(desk, headers=dict(alike.headers), app=Application(OPERATIONS, desk))
    office.api_client_id = alike.api_client_id
    return office


def _opened_first(desk: Desk) -> Office:
    office, rows = Office(desk).open(), []
    with desk.records.read() as tx:
        for table in metadata.sorted_tables:
            names = table.columns.keys()
            found = tx.all(sa.select(*table.columns))
            rows.append((table, [dict(zip(names, row, strict=True)) for row in found]))
    _OPENED[desk.records.dialect] = _Opened(
        [(table, found) for table, found in rows if found],
        dict(office.headers),
        office.api_client_id,
        deepcopy(desk.ids),
    )
    return office


def opened(records: Records, folder: Path) -> Iterator[Office]:
    journal = JournalWriter(folder / "journal", "api-0", SystemIds())
    blobs = open_blobs(str(folder / "blobs"))
    settings = Settings(data=str(folder))
    egress = Egress(resolve=lambda *_: [])  # no name is known here
    alike = _OPENED.get(records.dialect)
    ids = deepcopy(alike.ids) if alike else SeededIds(1)
    desk = Desk(records, blobs, journal, SetClock(NOON), ids, settings, ApiDoors(settings), egress)
    yield _opened_alike(desk, alike) if alike else _opened_first(desk)
    journal.close()
    egress.close()


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
