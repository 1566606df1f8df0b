"""People of an office, and their sessions as headers."""

from typing import Any

from contract.office import Office
from handbill.access import service as access
from handbill.clients import service as clients
from handbill.core.persons import Person, PersonRole
from handbill.people import passwords, service, sessions
from handbill.people.service import New

PASSWORD = "korrekt pferd batterie"


def person(
    office: Office,
    role: PersonRole,
    *client_ids: str,
    mail: str = "",
    password: str | None = None,
    family_no: int | None = None,
) -> Person:
    """A person of the office's agency; with a password, if one is given."""
    desk = office.desk
    with desk.records.write() as tx:
        agency_no = access.agency_of(tx, office.agency_id).no
        found = [clients.find_client(tx, agency_no, one) for one in client_ids]
        nos = [one.no for one in found if one is not None]
        mail = mail or f"{role.lower()}@{office.agency_id}.example"
        place = None if role in {"OPERATOR", "PUBLISHER"} else agency_no
        new = New(mail, role, place, family_no, nos)
        made = service.add(tx, desk.ids, desk.clock.now(), new)
        if password is not None:
            kept = passwords.hashed(desk.ids, password)
            service.set_password(tx, desk.clock.now(), made, kept)
    return made


def session(office: Office, of: Person) -> dict[str, str]:
    """The headers of a new session."""
    desk = office.desk
    with desk.records.write() as tx:
        place = access.agency_of(tx, office.agency_id).no
        secret = sessions.begin(tx, desk.ids, desk.clock.now(), of, place)
    return {"authorization": f"Bearer {secret}"}


def asked(office: Office, headers: dict[str, str], verb: str, url: str, body: Any = None) -> Any:
    """An answer to these headers alone."""
    return Office(office.desk, office.agency_id, dict(headers), office.app).ask(verb, url, body)
