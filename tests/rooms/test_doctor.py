"""What ails an installation: each ailment is made, and is named with what to do."""

import json
import os
import re
import shutil
import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from engines.test_backup import add_client, entry
from handbill.__main__ import app
from handbill.config import BadSettings
from handbill.host.clock import SystemClock
from handbill.host.folders import UNFINISHED
from handbill.host.ids import SystemIds
from handbill.host.outside import of_this_machine
from handbill.host.settings import Settings
from handbill.keeping.doctor import CHECKS
from handbill.kit.instants import HOUR
from handbill.opening import opened, prepare
from handbill.store import asides, segments
from handbill.store.index import EdgeIndex
from handbill.store.journal import JournalWriter
from handbill.store.records.tables import agencies, clients
from handbill.work.queue import enqueue
from handbill.worker import schedule
from market import put_job

NOW = SystemClock().now()


@pytest.fixture
def house(tmp_path: Path) -> Settings:
    """An installation on which all is well."""
    settings = Settings(data=str(tmp_path / "data"))
    prepare(settings, of_this_machine(settings))
    return settings


def examined(house: Settings, **environment: str) -> tuple[int, dict[str, Any]]:
    asked = ["doctor", "--data", house.data, "--json"]
    result = CliRunner().invoke(app, asked, env=environment)
    assert result.stdout, result.exception
    return result.exit_code, json.loads(result.stdout)


def finding(house: Settings, **environment: str) -> tuple[str, str, str]:
    """The one thing that is wrong: where, what, and what to do."""
    status, told = examined(house, **environment)
    assert (status, told["healthy"]) == (1, False)
    (only,) = told["findings"]
    return only["check"], only["what"], only["do"]


def in_records(house: Settings, *texts: str) -> None:
    with opened(house, of_this_machine(house)) as it, it.records.write() as tx:
        for text in texts:
            tx.run_text(text, {})


def with_index(house: Settings, deed: Callable[[EdgeIndex], None]) -> None:
    with closing(EdgeIndex(house.index_folder, writable=True)) as index:
        deed(index)


def test_all_is_well(house: Settings) -> None:
    assert examined(house) == (0, {"healthy": True, "findings": []})
    told = CliRunner().invoke(app, ["doctor", "--data", house.data]).stdout.splitlines()
    assert told == [f"{name}: well" for name in CHECKS]


def test_an_index_with_a_flipped_bit_is_told_and_made_anew(house: Settings) -> None:
    file = house.index_folder / "data.mdb"
    with opened(house, of_this_machine(house)) as it, it.records.write() as tx:
        agency_no = tx.put(agencies, id="a", name="A", currency="USD", created_at=1)
        client_no = add_client(tx, agency_no, "c")
        put_job(tx, client_no, b"\n" * 16, url="https://example.com/a")
    with_index(house, lambda index: index.put_urls([(b"\n" * 16, b"https://example.com/a")]))
    assert examined(house)[0] == 0
    sound = file.read_bytes()
    file.write_bytes(sound.replace(b"https://example.com/a", b"https://example.com/q"))
    assert "visitors of 1 job to a wrong address" in finding(house)[1]
    for page in range(len(sound) // 4096):  # the pages' own marks
        raw = bytearray(sound)
        raw[page * 4096 + 10] ^= 0x55
        file.write_bytes(raw)
        status, told = examined(house)
        assert status == 0 or told["findings"][0]["check"] == "index"
    file.write_bytes(b"\0" * len(sound))
    where, what, do = finding(house)
    assert (where, "is damaged" in what, "index rebuild" in do) == ("index", True, True)
    os.truncate(file, 2 * 4096)  # who reads behind the end is killed: not we
    assert finding(house)[1] == what
    prepare(house, of_this_machine(house))
    assert "is being filled" in finding(house)[1]
    assert CliRunner().invoke(app, ["index", "rebuild", "--data", house.data]).exit_code == 0
    assert examined(house)[0] == 0


def test_an_open_folder_is_told_and_left_as_it_is(house: Settings) -> None:
    house.data_folder.chmod(0o755)
    where, what, do = finding(house)
    assert (where, what) == ("folder", f"{house.data_folder} is open to other users")
    assert do == f"chmod -R go-rwx {house.data_folder}"
    assert house.data_folder.stat().st_mode & 0o777 == 0o755, "nothing is changed"


@pytest.mark.parametrize("records", ["there", "not there"])
def test_a_restore_that_was_broken_off(house: Settings, records: str) -> None:
    (house.data_folder / UNFINISHED).touch()
    if records == "not there":
        (house.data_folder / "records.db").unlink()
    where, what, _ = finding(house)
    assert where == "folder"
    assert "is incomplete: a restore" in what
    assert "delete the folder and restore again" in what


def test_too_little_space(house: Settings) -> None:
    where, what, do = finding(house, HANDBILL_LEAST_FREE_BYTES=str(2**50))
    assert (where, "MiB free" in what, do[:15]) == ("disk", True, "free disk space")


def test_too_few_files_to_make(house: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"f_bavail": 2**30, "f_frsize": 4096, "f_files": 10**4, "f_favail": 999}
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(**told))
    where, what, do = finding(house)
    assert (where, "999 more files (inodes)" in what, do[:12]) == ("disk", True, "delete files")


def test_records_that_are_away(house: Settings) -> None:
    where, _, do = finding(house, HANDBILL_RECORDS_URL="postgresql://nobody@127.0.0.1:1/none")
    assert (where, do) == ("records", "start the database, or correct HANDBILL_RECORDS_URL")


@pytest.mark.parametrize(
    ("revision", "what", "do"),
    [
        ("0001.000000000000", "an earlier development version", "run the version that made them"),
        ("9999.000000000000", "a newer release", "run the version that made them"),
        ("0000.000000000000", "of revision 0000", "`handbill migrate` brings them up to date"),
        (None, "no tables", "restore a backup"),
    ],
)
def test_records_of_another_version(
    house: Settings, revision: str | None, what: str, do: str
) -> None:
    is_none = revision is None
    in_records(
        house,
        "DROP TABLE alembic_version"
        if is_none
        else f"UPDATE alembic_version SET version_num = '{revision}'",
    )
    found = finding(house)
    assert found[0] == "records"
    assert what in found[1]
    assert do in found[2]
    assert ("migrate" in found[2]) is (revision == "0000.000000000000"), "which could not help"


@pytest.mark.parametrize(
    ("revision", "whose"),
    [
        ("0001.000000000000", "made by an earlier development version"),
        ("9999.000000000000", "written by a newer release"),
    ],
)
def test_how_records_of_another_version_run_is_not_told(
    house: Settings, revision: str, whose: str
) -> None:
    """They may lack any table that would be asked."""
    in_records(house, f"UPDATE alembic_version SET version_num = '{revision}'", "DROP TABLE hosts")
    result = CliRunner().invoke(app, ["doctor", "--running", "--data", house.data])
    assert isinstance(result.exception, BadSettings)
    assert whose in str(result.exception)


def test_keys_that_are_lost(house: Settings) -> None:
    in_records(house, "DELETE FROM secrets WHERE name = 'listing'")
    where, what, do = finding(house)
    assert (where, what) == ("keys", "keys are missing: listing")
    assert do.startswith("restore a backup before any other command creates new keys")


@pytest.mark.parametrize(
    ("deed", "what"),
    [
        (lambda house: shutil.rmtree(house.index_folder), "is not there"),
        (
            lambda house: with_index(house, lambda index: index.put_keys({1: bytes(32)})),
            "lacks keys",
        ),
        (lambda house: with_index(house, EdgeIndex.replace), "belongs to other or older records"),
    ],
    ids=["missing", "keys", "strange"],
)
def test_an_index_that_is_not_ours(
    house: Settings, deed: Callable[[Settings], None], what: str
) -> None:
    deed(house)
    found = finding(house)
    assert found[0] == "index"
    assert what in found[1]
    assert "`handbill index rebuild`" in found[2]
    rebuilt = CliRunner().invoke(app, ["index", "rebuild", "--data", house.data])
    assert rebuilt.exit_code == 0
    assert examined(house)[0] == 0, "what was to be done helped"


def test_a_damaged_journal(house: Settings) -> None:
    writer = JournalWriter(house.journal_folder, "edge-0", SystemIds())
    for _ in range(3):
        writer.append_now(b"received " * 9)
    writer.close()
    (log,) = house.journal_folder.rglob("*.log")
    raw = bytearray(log.read_bytes())
    raw[len(raw) // 2] ^= 1
    log.write_bytes(raw)
    where, what, do = finding(house)
    assert where == "journal"
    assert what.startswith("the journal of edge-0")
    assert "handbill journal quarantine" in do


def test_a_client_that_is_set_aside(house: Settings) -> None:
    with opened(house, of_this_machine(house)) as it, it.records.write() as tx:
        agency = tx.put(agencies, id="a", name="A", currency="USD", created_at=NOW)
        no = add_client(tx, agency, "c")
        body = '{"company_name": "C", "exported_name": "C"}'
        tx.change(clients, {"no": no}, body=body, updated_at=NOW)
        asides.put(tx, asides.Aside(no, NOW, NOW + HOUR, "a counter is never negative"))
        asides.keep(tx, [(no, b"received")] * 2)
    where, what, do = finding(house)
    assert where == "set aside"
    assert what.startswith("2 events of client c are set aside")
    assert what.endswith("a counter is never negative")
    assert "nothing is lost or charged" in do


def test_judged_entries_that_are_cut_or_gone(house: Settings) -> None:
    with opened(house, of_this_machine(house)) as it:
        path = segments.path_of("2026-11", NOW, SystemIds())
        written = segments.write(it.blobs, path, [entry(1)])
        with it.records.write() as tx:
            agency = tx.put(agencies, id="a", name="A", currency="USD", created_at=NOW)
            assert add_client(tx, agency, "c") == 1
            segments.register(tx, [written], NOW)
        assert examined(house)[0] == 0
        raw = it.blobs.get(path)
        it.blobs.put(path, raw[:-1])
        assert finding(house)[:2] == (
            "judged entries",
            f"judged entries {path} were cut or changed",
        )
        it.blobs.delete(path)
        where, what, do = finding(house)
    assert (where, what) == ("judged entries", f"judged entries {path} are not there")
    assert do.startswith("restore it from a backup; `handbill ledger check`")


def test_a_blob_store_that_does_not_answer(house: Settings) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # nobody listens there
        settings = {
            "HANDBILL_BLOBS_URL": "s3://bucket/prefix",
            "AWS_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
        }
        where, what, do = finding(house, **settings)
    assert where == "judged entries"
    assert what.startswith("the blob store failed: ")
    assert "\n" not in what
    assert "that the bucket exists" in do


def test_dead_tasks_and_a_late_schedule(house: Settings) -> None:
    with opened(house, of_this_machine(house)) as it, it.records.write() as tx:
        enqueue(tx, "feeds.import", "f1", NOW)
        tx.run_text(f"UPDATE tasks SET dead_at = {NOW}, failure = 'no such host'", {})
    where, what, do = finding(house)
    assert (where, what[:29]) == ("tasks", "task feeds.import f1 failed f")
    assert what.endswith(": no such host")
    assert do.startswith("remove the cause")
    in_records(house, "DELETE FROM tasks")
    name, _, _ = schedule()[0]
    in_records(
        house,
        "INSERT INTO schedule (name, due_at, ran_at, failures, failure) "
        f"VALUES ('{name}', {NOW - HOUR}, {NOW - 2 * HOUR}, 1, 'the disk is full')",
    )
    where, what, do = finding(house)
    assert where == "schedule"
    # By the clock of the machine: the suite may have run for a while.
    assert re.fullmatch(rf"{re.escape(name)} is late by \d{{2,3}} minutes: the disk is full", what)
    assert "its workers run" in do
