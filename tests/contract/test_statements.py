"""What is selected: a change, for which others wait, reads nothing twice, and nothing that its body
does not name; jobs are counted once while nothing changes.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from contract.conftest import opened
from contract.office import BUDGET, Body, Office
from handbill.clients import service as clients
from handbill.jobs import service as jobs
from handbill.kit.instants import DAY, HOUR, Instant, iso_of
from handbill.store.records.sqlite import SqliteRecords
from masters import MASTERS

_C = TypeVar("_C", bound=Any)
CLIENT: Body = {"companyName": "Mills", "caps": BUDGET}
CAMPAIGN: Body = {"name": "Autumn"}
JOB: Body = {"title": "Nurse", "description": "care", "url": "https://jobs.example/1"}


class Told(SqliteRecords):
    """SQLite that notes from which tables it selects, in which kind of transaction."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, MASTERS)
        self.selected: list[tuple[str, str]] = []

    def _connection(self, purpose: str, kind: type[_C], query_only: int) -> _C:
        connection = super()._connection(purpose, kind, query_only)
        connection.set_trace_callback(lambda text: self._note(purpose, text))
        return connection

    def _note(self, purpose: str, text: str) -> None:
        if text.startswith("SELECT "):
            self.selected.append((purpose, text.partition("FROM ")[2].split()[0]))


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
    return [table for purpose, table in told.selected if purpose == "writing"]


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


def _counted(told: Told, client_no: int, now: Instant) -> tuple[int, int, int]:
    """Live jobs, expired ones, and how often jobs were looked at to count them."""
    told.selected.clear()
    with told.read() as tx:
        live, expired = jobs.count(tx, client_no, now)
    return live, expired, told.selected.count(("reading", "jobs"))


def test_jobs_are_counted_again_when_one_expires_or_something_is_written(
    told: Told, told_office: Office
) -> None:
    client_id = told_office.new("/clients", CLIENT)
    now, path = told_office.clock.now(), f"/clients/{client_id}/jobs"
    for ref, more in (("r-1", {}), ("r-2", {"endAtDate": iso_of(now + HOUR)}), ("r-3", {})):
        told_office.new(path, JOB | {"refNumber": ref} | more)
    with told.read() as tx:
        client_no = clients.client_of(tx, 1, client_id).no
    for at, found in (
        (now + 1, (3, 0, 1)),
        (now + HOUR - 1, (3, 0, 0)),
        (now, (3, 0, 1)),
        (now + HOUR, (3, 1, 1)),
        (now + HOUR + DAY, (3, 1, 0)),
    ):
        assert _counted(told, client_no, at) == found
    told_office.new(path, JOB | {"refNumber": "r-4"})
    assert _counted(told, client_no, now + HOUR) == (4, 1, 1)
