"""The worlds that tests begin with."""

import shutil
from dataclasses import replace
from pathlib import Path

from contract.office import Office
from contract.world import World, fingerprint
from handbill.host.ids import SeededIds
from handbill.store.records import open_records
from masters import MASTERS


def test_an_office_that_is_put_down_is_as_one_that_was_asked_for(
    module_office: Office, sqlite_office: Office, sqlite_template: Path, tmp_path: Path
) -> None:
    """``module_office`` is there so that the other one is not the first of this process."""
    shutil.copyfile(sqlite_template, tmp_path / "another.db")
    records = open_records(f"sqlite:///{tmp_path / 'another.db'}", MASTERS)
    asked = Office(replace(sqlite_office.desk, records=records, ids=SeededIds(1))).open()
    assert fingerprint(records) == fingerprint(sqlite_office.desk.records)
    assert (asked.headers, asked.api_client_id) == (
        sqlite_office.headers,
        sqlite_office.api_client_id,
    )
    assert asked.client() == sqlite_office.client(), "the same ids come next"
    asked.app.close()
    records.close()


def test_a_world_is_all_in_its_records(world_anywhere: World, tmp_path: Path) -> None:
    """So that the rows of one are another one."""
    assert world_anywhere.office.get(world_anywhere.client)["exportedName"].startswith("client of")
    files = {path.name for path in (tmp_path / "blobs").rglob("*") if path.is_file()}
    assert not files
