"""People of an office, and their sessions as headers."""

import base64
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from contract.office import Office
from handbill.access import service as access
from handbill.clients import service as clients
from handbill.core.persons import Person, PersonRole
from handbill.kit.instants import SECOND, Instant
from handbill.people import factors, service, sessions
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
            service.set_password(tx, desk.clock.now(), made, _hashed(password))
    return made


def _hashed(password: str) -> str:
    """A hash that is proved in no time: one says itself what it costs. The application makes its
    own where a person sets a password.
    """
    kdf = Argon2id(salt=bytes(16), length=32, iterations=1, lanes=1, memory_cost=8)
    return kdf.derive_phc_encoded(password.encode())


def session(office: Office, of: Person) -> dict[str, str]:
    """The headers of a new session."""
    desk = office.desk
    with desk.records.write() as tx:
        place = access.agency_of(tx, office.agency_id).no
        secret = sessions.begin(tx, desk.ids, desk.clock.now(), of, place)
    return {"authorization": f"Bearer {secret}"}


class Factor(NamedTuple):
    """A second factor: what codes are made from, and the recovery codes."""

    secret: bytes
    recoveries: list[str]


def second_factor(office: Office, of: Person, *, spared: int = 0) -> Factor:
    """A new one in force, in place of a former one."""
    desk = office.desk
    with desk.records.write() as tx:
        now = desk.clock.now()
        factors.end(tx, now, of)
        secret = base64.b32decode(factors.offer(tx, desk.ids, of).secret)
        code = code_of(secret, now)
        return Factor(secret, factors.put_in_force(tx, desk.ids, now, of, code, spared))


def code_of(secret: bytes, at: Instant) -> str:
    """What an app shows at that instant."""
    return TOTP(secret, 6, SHA1(), 30).generate(at // SECOND).decode()


def asked(office: Office, headers: dict[str, str], verb: str, url: str, body: Any = None) -> Any:
    """An answer to these headers alone."""
    return Office(office.desk, office.agency_id, dict(headers), office.app).ask(verb, url, body)


def guard(office: Office, person_id: str) -> None:
    """Let a person of the office's agency sign in with codes."""
    with office.desk.records.read() as tx:
        found = service.person_of(tx, access.agency_of(tx, office.agency_id).no, person_id)
    second_factor(office, found)
