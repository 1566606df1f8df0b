"""A world of one client behind the whole application, as it is served: API, pages and front."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract import conftest as offices
from contract.signed_in import person, session
from contract.world import World, build
from handbill.api import fronted
from handbill.store.records import open_records
from masters import MASTERS
from pages.browsing import EVIL, Browser


@pytest.fixture(scope="module")
def world(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One for all tests of a module that only look."""
    folder = tmp_path_factory.mktemp("pages")
    shutil.copyfile(sqlite_template, folder / "records.db")
    records = open_records(f"sqlite:///{folder / 'records.db'}", MASTERS)
    for office in offices.opened(records, folder):
        yield build(office, EVIL)
    records.close()


@pytest.fixture(scope="module")
def browser(world: World) -> Browser:
    """Somebody who looks at that world's pages."""
    return Browser(fronted(world.office.desk, world.office.app), world.office.headers)


@pytest.fixture(scope="module")
def operator(world: World) -> Browser:
    """Who runs the installation, signed in."""
    office = world.office
    return Browser(
        fronted(office.desk, office.app),
        session(office, person(office, "OPERATOR", mail="ops@x.example")),
    )
