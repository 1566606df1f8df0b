"""How the installation runs, as its operator is told: figures, verdicts, and for nobody else."""

import itertools
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract.office import Office, plain
from contract.signed_in import asked, person, session
from contract.world import build
from handbill.api import operations
from handbill.core.persons import ROLES, PersonRole
from handbill.host.beats import Beat
from handbill.host.identity import source_of
from handbill.host.ids import SystemIds
from handbill.host.settings import Settings
from handbill.http.app import Application
from handbill.keeping import manifest
from handbill.keeping.manifest import FinishedBackup
from handbill.kit.instants import DAY, HOUR, SECOND, iso_of
from handbill.store.journal import JournalWriter
from handbill.work.queue import MOST_ATTEMPTS, enqueue, fail, lease

_NUMBERS = itertools.count(1)


@pytest.fixture
def office(sqlite_office: Office, tmp_path: Path) -> Office:
    settings = Settings(data=str(tmp_path / "data"))
    settings.data_folder.mkdir()
    sqlite_office.desk = replace(sqlite_office.desk, settings=settings)
    sqlite_office.app = Application(operations(), sqlite_office.desk)
    return sqlite_office


def told(office: Office) -> Any:
    operator = session(office, person(office, "OPERATOR", mail=f"o{next(_NUMBERS)}@x.example"))
    reply = asked(office, operator, "GET", "/health")
    assert reply.status == 200, reply.raw
    return plain(reply.json)


def verdicts(found: Any) -> dict[str, bool]:
    return {check["name"]: check["ok"] for check in found["checks"]}


@pytest.mark.parametrize("role", sorted({*ROLES} - {"OPERATOR", "PUBLISHER"}))
def test_only_an_operator_is_told(office: Office, role: PersonRole) -> None:
    clients = [office.client().rsplit("/", 1)[1]] if role == "EMPLOYER" else []
    headers = session(office, person(office, role, *clients))
    assert asked(office, headers, "GET", "/health").status == 403
    assert office.ask("GET", "/health").status == 401, "a key is nobody's"


def test_where_nothing_runs_it_says_what_to_do(office: Office) -> None:
    found = told(office)
    seen = verdicts(found)
    assert not found["ok"]
    assert {name for name, ok in seen.items() if not ok} == {"processes", "judge", "backup"}
    says = {check["name"]: check["description"] for check in found["checks"]}
    assert "handbill serve" in says["processes"]
    assert "handbill backup" in says["backup"]
    assert (found["processes"], found["backup"]) == ([], None)


def test_where_all_runs_all_is_well(office: Office) -> None:
    data = office.desk.settings.data_folder
    beats = [Beat(office.desk.settings.beats_folder, name) for name in ("api-0", "judge-0")]
    (data / "some").write_bytes(bytes(1_000))
    made = FinishedBackup(
        folder="/backups/1", taken_at=iso_of(office.clock.now() - HOUR), bytes=5, verified=True
    )
    manifest.note_made(data, made)
    found = told(office)
    assert found["ok"], found["checks"]
    assert [one["name"] for one in found["processes"]] == ["api-0", "judge-0"]
    assert {one["version"] for one in found["processes"]} == {found["version"]}
    assert found["backup"]["where"] == "/backups/1"
    assert found["backup"]["verified"]
    assert found["disk"]["dataBytes"] >= 1_000
    assert found["records"]["revision"] == found["records"]["needed"] != ""
    for beat in beats:
        beat.close()


@pytest.mark.parametrize(
    ("revision", "says"),
    [
        ("0000", "Use `handbill migrate`"),
        ("0001.000000000000", "made by an earlier development version"),
        ("9999", "written by a newer release"),
    ],
)
def test_records_of_another_revision_are_told(office: Office, revision: str, says: str) -> None:
    with office.desk.records.write() as tx:
        tx.run_text(f"UPDATE alembic_version SET version_num = '{revision}'", {})
    (schema,) = (check for check in told(office)["checks"] if check["name"] == "schema")
    assert not schema["ok"]
    assert says in schema["description"]
    assert ("migrate" in schema["description"]) is (revision == "0000"), "which could not help"


def test_an_old_backup_is_told(office: Office) -> None:
    old = FinishedBackup(
        folder="/backups/1", taken_at=iso_of(office.clock.now() - 3 * DAY), bytes=5, verified=False
    )
    manifest.note_made(office.desk.settings.data_folder, old)
    found = told(office)
    assert not verdicts(found)["backup"]
    assert found["backup"]["bytes"] == 5


def test_tasks_that_fail_and_wait_are_told(office: Office) -> None:
    now = office.clock.now()
    with office.desk.records.write() as tx:
        tx.run_text("DELETE FROM tasks", {})
        enqueue(tx, "stats.report", "broken", now - HOUR)
        for _ in range(MOST_ATTEMPTS):
            task = lease(tx, ["stats.report"], "w", now + 90 * DAY, 60)
            assert task is not None
            fail(tx, task, now, "it does not work")
        enqueue(tx, "groups.rematch", "waiting", now - HOUR)
    queue = told(office)["queue"]
    assert (queue["due"], queue["failed"], queue["running"]) == (1, 1, 0)
    (failing,) = queue["failing"]
    assert (failing["key"], failing["failure"]) == ("broken", "it does not work")
    assert failing["failedOn"] is not None
    assert not verdicts(told(office))["queue"]


def test_events_that_are_not_judged_are_told(office: Office) -> None:
    settings, ids = office.desk.settings, SystemIds()
    source = source_of(settings.data_folder, ids, "api-0")
    with closing(JournalWriter(settings.journal_folder, source, ids)) as journal:
        office.desk = replace(office.desk, journal=journal)
        office.app = Application(operations(), office.desk)
        client = office.client().rsplit("/", 1)[1]
        click = build(office).ids["click_id"]
        event: Any = {"clickId": click, "a": "3", "candidateId": "c-1"}
        sent = office.ask("POST", "/s2s/events", event, headers={"client_id": client})
        assert sent.status == 200, sent.raw
        office.clock.forward(HOUR)
        judge = told(office)["judge"]
    assert judge["unjudgedBytes"] > 0
    assert judge["lagSeconds"] == HOUR // SECOND
    assert judge["oldestOn"] is not None
