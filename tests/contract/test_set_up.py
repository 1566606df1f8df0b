"""Setting up an installation in which there is nothing yet."""

import shutil
from dataclasses import replace
from pathlib import Path

from contract.office import OPERATIONS, Office
from contract.signed_in import PASSWORD
from handbill.access.service import agency_of
from handbill.http.app import Application
from handbill.people import invitations
from handbill.store.records import open_records
from masters import MASTERS, put_key

MAIL = "owner@acme.example"


def test_what_is_wrong_with_the_first_agency_is_told_by_the_names_of_the_body(
    sqlite_office: Office, sqlite_template: Path, tmp_path: Path
) -> None:
    """Where there is nothing yet; its ``name`` is the person's."""
    shutil.copyfile(sqlite_template, tmp_path / "empty.db")
    records = open_records(f"sqlite:///{tmp_path / 'empty.db'}", MASTERS)
    desk = replace(sqlite_office.desk, records=records)
    with records.write() as tx:
        put_key(tx, "session", b"k" * 32, desk.clock.now())
        link = invitations.set_up_link(tx, desk.ids, desk.clock.now(), "http://api")
    new = Office(desk, app=Application(OPERATIONS, desk), headers={})
    body = {"password": PASSWORD, "mail": MAIL, "link": str(link).rpartition("/")[2]}
    wrong = body | {"agencyId": "my agency", "agencyName": "   ", "currency": "xyz"}
    assert {*new.faults("POST", "/set-up", wrong)} == {"/agencyId", "/agencyName", "/currency"}
    right = body | {"agencyId": "acme", "currency": "eur"}
    assert new.ask("POST", "/set-up", right).status == 200
    with records.read() as tx:
        assert agency_of(tx, "acme").currency == "EUR"
    records.close()
