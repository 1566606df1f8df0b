"""What a change reads in the transaction in which others wait for it: nothing twice, and nothing
that its body does not name.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from contract.conftest import opened
from contract.office import BUDGET, Body, Office
from handbill.store.records.sqlite import SqliteRecords
from masters import MASTERS

_C = TypeVar("_C", bound=Any)
CLIENT: Body = {"companyName": "Mills", "caps": BUDGET}
CAMPAIGN: Body = {"name": "Autumn"}


class Told(SqliteRecords):
    """SQLite that notes what its writers select."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, MASTERS)
        self.selected: list[str] = []

    def _connection(self, purpose: str, kind: type[_C], query_only: int) -> _C:
        connection = super()._connection(purpose, kind, query_only)
        if not query_only:
            connection.set_trace_callback(self._note)
        return connection

    def _note(self, text: str) -> None:
        if text.startswith("SELECT "):
            self.selected.append(text.partition("FROM ")[2].split()[0])


@pytest.fixture
def told(sqlite_template: Path, tmp_path: Path) -> Iterator[Told]:
    shutil.copyfile(sqlite_template, tmp_path / "told.db")
    records = Told(tmp_path / "told.db")
    yield records
    records.close()


@pytest.fixture
def told_office(told: Told, tmp_path: Path) -> Iterator[Office]:
    yield from opened(told, tmp_path)


def _selected(told: Told, office: Office, verb: str, path: str, body: Body) -> list[str]:
    told.selected.clear()
    reply = office.ask(verb, path, body)
    assert reply.status == 200, reply.raw
    return told.selected


def test_the_client_is_read_once_and_publishers_only_if_they_are_named(
    told: Told, told_office: Office
) -> None:
    assert _selected(told, told_office, "POST", "/clients", CLIENT) == []
    excluding = CLIENT | {"excludedPublishers": ["TestExp1"]}
    assert _selected(told, told_office, "POST", "/clients", excluding) == ["publishers"]
    client = f"/clients/{told_office.new('/clients', CLIENT)}"
    assert _selected(told, told_office, "PUT", client, {"caps": BUDGET}) == ["clients"]
    campaigns = f"{client}/campaigns"
    assert _selected(told, told_office, "POST", campaigns, CAMPAIGN) == ["clients"]
    capping = CAMPAIGN | {"placementCaps": {"TestExp1": BUDGET}}
    both = ["clients", "publishers"]
    assert _selected(told, told_office, "POST", campaigns, capping) == both
