"""The application over each records engine, and an agency that may use it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.office import NOON, ApiDoors, Office
from handbill.host.clock import SetClock
from handbill.host.egress import Egress
from handbill.host.ids import SeededIds, SystemIds
from handbill.host.settings import Settings
from handbill.http.operations import Desk
from handbill.store.blobs import open_blobs
from handbill.store.journal import JournalWriter
from handbill.store.records import Records, open_records
from masters import MASTERS


def opened(records: Records, folder: Path) -> Iterator[Office]:
    journal = JournalWriter(folder / "journal", "api-0", SystemIds())
    blobs = open_blobs(str(folder / "blobs"))
    settings = Settings(data=str(folder))
    egress = Egress(resolve=lambda *_: [])  # no name is known here
    desk = Desk(
        records, blobs, journal, SetClock(NOON), SeededIds(1), settings, ApiDoors(settings), egress
    )
    yield Office(desk).open()
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
