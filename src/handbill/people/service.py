"""People of an agency, a publisher family or the installation: who they are, what they may do."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from handbill.changes import service as changes
from handbill.core.persons import (
    OF_AGENCIES,
    ROLES,
    Person,
    PersonRole,
    mail_of,
    wrong_with,
)
from handbill.core.trail import TrailEntity
from handbill.host.ids import Ids, new_person_id
from handbill.kit.faults import Fault, bad_request, not_found, refused_state
from handbill.kit.instants import Instant
from handbill.kit.mails import WANTED, is_mail
from handbill.mail import service as mail
from handbill.people import choices, entrants, factors, provider_rows, providers, rows
from handbill.store.records import Tx

__all__ = [
    "MOST_ALIKE",
    "MOST_PEOPLE",
    "New",
    "Person",
    "add",
    "candidates",
    "change",
    "check_password",
    "client_ids_of",
    "everyone",
    "names_of",
    "people_of",
    "person_numbered",
    "person_of",
    "person_with_mail",
    "place_of",
    "remove",
    "role_of",
    "seen_by",
    "set_password",
]

MOST_PEOPLE = 1_000
MOST_ALIKE = 3
"""How many people of one address, of different agencies, are tried when none is named."""
_MOST_NAME = 200


class New(NamedTuple):
    """A person to be added. ``agency_no``, ``family_no``: where; both None: an operator.

    ``id``: its id, if it has one already.
    """

    mail: str
    role: PersonRole
    agency_no: int | None = None
    family_no: int | None = None
    client_nos: Sequence[int] = ()
    name: str = ""
    id: str = ""


def add(tx: Tx, ids: Ids, now: Instant, new: New) -> Person:
    """Add a person, who has no password yet.

    **Refuses** (400) what is no mail address, or is a person's of the same agency or family
    already; clients for another role than EMPLOYER, and none for that one; the 1001st person.
    """
    mail = mail_of(new.mail)
    faults = _faults_of(mail, new.name)
    faults += _faults_of_clients(new.role, new.client_nos)
    if person_with_mail(tx, mail, new.agency_no, new.family_no) is not None:
        faults.append(Fault("mail", "is a person's already"))
    if faults:
        raise bad_request(faults)
    if new.agency_no is not None and len(rows.people_of(tx, new.agency_no)) >= MOST_PEOPLE:
        raise refused_state("", f"there are {MOST_PEOPLE} people already; remove one first")
    no = rows.add_person(
        tx,
        now,
        id=new.id or new_person_id(ids),
        role=new.role,
        agency_no=new.agency_no,
        family_no=new.family_no,
        mail=mail,
        name=new.name.strip(),
        password=None,
    )
    rows.set_clients(tx, no, sorted(set(new.client_nos)))
    made = person_numbered(tx, no)
    changes.tell(tx, now, _entity(made), {}, _state(tx, made))
    return made


def change(tx: Tx, now: Instant, person: Person, given: Mapping[str, Any]) -> None:
    """Change role, clients (``client_nos``) or name; nothing given changes nothing.

    **Refuses** (400) what ``add`` refuses, and another role for the last owner of an agency.
    """
    person = _held(tx, person)
    role = given.get("role", person.role)
    name = given.get("name", person.name)
    nos = given.get("client_nos")
    if nos is None:
        nos = sorted(rows.clients_of(tx, person.no)) if role == "EMPLOYER" else []
    faults = _faults_of(person.mail, name) + _faults_of_clients(role, nos)
    if faults:
        raise bad_request(faults)
    if role != person.role:
        _keep_an_owner(tx, person)
    before = _state(tx, person)
    rows.change_person(tx, now, person.no, role=role, name=name.strip())
    rows.set_clients(tx, person.no, nos)
    after = _state(tx, person_numbered(tx, person.no))
    if any(before[name] != after[name] for name in ("role", "clients")):
        choices.withdraw(tx, now, person.no)
    changes.tell(tx, now, _entity(person), before, after)


def remove(tx: Tx, now: Instant, person: Person) -> None:
    """Remove a person: sessions and links end at once. **Refuses** (400) an agency's last owner."""
    person = _held(tx, person)
    _keep_an_owner(tx, person)
    before = _state(tx, person)
    rows.end_sessions(tx, person.no)
    rows.drop_links(tx, person.no)
    factors.forget(tx, person)
    choices.forget(tx, person.no)
    provider_rows.forget(tx, person.no)
    mail.drop(tx, now, person.no)
    rows.change_person(tx, now, person.no, deleted_at=now, password=None, code_step=None)
    changes.tell(tx, now, _entity(person), before, {})


def set_password(tx: Tx, now: Instant, person: Person, kept: str, spared: int = 0) -> None:
    """Give a person the password of this hash; all sessions but the spared one end."""
    rows.change_person(tx, now, person.no, password=kept)
    rows.drop_links(tx, person.no)
    rows.end_sessions(tx, person.no, spared)
    changes.secret(tx, now, _entity(person), "password")


def check_password(password: str, mail: str, field: str = "password") -> None:
    """**Refuses** (400) one that is too short, too common, or contains the mail address."""
    if (why := wrong_with(password, mail)) is not None:
        raise bad_request([Fault(field, why)])


def candidates(tx: Tx, mail: str, agency_no: int | None) -> list[Person]:
    """Who may sign in with this address, the oldest first: people who have a password, at most
    three; with an agency, only its own people and operators. Nobody of an agency whose people sign
    in by its provider only.
    """
    alike = [
        one
        for one in rows.with_mail(tx, mail_of(mail))
        if one.password is not None
        and (agency_no is None or one.role == "OPERATOR" or one.agency_no == agency_no)
        and not providers.is_only(tx, one.agency_no)
    ]
    return alike[:MOST_ALIKE]


def person_numbered(tx: Tx, no: int) -> Person:
    """The live person with this row number. **Refuses** one that was removed (404)."""
    person = rows.person_numbered(tx, no)
    if person is None:
        raise not_found()
    return person


def person_of(tx: Tx, agency_no: int, person_id: str) -> Person:
    """The agency's own live person. **Refuses** any other id alike (404)."""
    person = rows.person(tx, person_id)
    if person is None or person.agency_no != agency_no or person.role not in OF_AGENCIES:
        raise not_found()
    return person


def people_of(tx: Tx, agency_no: int) -> list[Person]:
    """An agency's people, the oldest first."""
    return [one for one in rows.people_of(tx, agency_no) if one.role in OF_AGENCIES]


def names_of(tx: Tx, ids: Iterable[str], agency_no: int | None) -> dict[str, str]:
    """Id → name of those of these people who are of the agency; None: of all of them. Who has no
    name is named by the mail address.
    """
    people = rows.names(tx, sorted(set(ids)))
    return {id_: name for id_, of, name in people if agency_no in (None, of)}


def everyone(tx: Tx) -> list[Person]:
    """All people of the installation: for the operator."""
    return rows.everyone(tx)


def person_with_mail(
    tx: Tx, mail: str, agency_no: int | None, family_no: int | None
) -> Person | None:
    """The live person of that address in one place; of neither: an operator."""
    place = (agency_no, family_no)
    alike = rows.with_mail(tx, mail_of(mail))
    return next((one for one in alike if (one.agency_no, one.family_no) == place), None)


def place_of(tx: Tx, person: Person) -> str | None:
    """The id of the agency or family that a person works in; None for an operator."""
    return rows.place_id(tx, person.no)


def role_of(word: str) -> PersonRole:
    """The role of that name, in any case. **Refuses** another word (ValueError)."""
    for role in ROLES:
        if role == word.upper():
            return role
    raise ValueError(f"there is no role {word!r}")


def client_ids_of(tx: Tx, person: Person) -> list[str] | None:
    """The only clients that a person may see; None: all of the agency."""
    return rows.client_ids_of(tx, person.no) if person.role == "EMPLOYER" else None


def seen_by(tx: Tx, person: Person) -> frozenset[int] | None:
    """The numbers of the only clients that a person may see; None: all of the agency."""
    return rows.seen_by(tx, person.no, person.role)


def _held(tx: Tx, person: Person) -> Person:
    """The person as it is now, locked, and an owner with all owners of the agency."""
    if person.role == "OWNER" and person.agency_no is not None:
        entrants.hold_owners(tx, person.agency_no, person.no)  # who may be none any more
    else:
        rows.lock(tx, person.no)
    return person_numbered(tx, person.no)


def _keep_an_owner(tx: Tx, person: Person) -> None:
    """**Refuses** (400) the last owner who can sign in: an invited one cannot yet."""
    if person.role != "OWNER" or person.agency_no is None:
        return
    others = [one for one in entrants.hold_owners(tx, person.agency_no) if one.no != person.no]
    if not entrants.able(tx, person.agency_no, others):
        raise refused_state("", "it is the last owner of the agency; make another one first")


def _faults_of(mail: str, name: str) -> list[Fault]:
    faults = []
    if not is_mail(mail):
        faults.append(Fault("mail", WANTED))
    if len(name.strip()) > _MOST_NAME or not name.isprintable():
        faults.append(Fault("name", f"must have at most {_MOST_NAME} printable characters"))
    return faults


def _faults_of_clients(role: PersonRole, client_nos: Sequence[int]) -> list[Fault]:
    if role == "EMPLOYER" and not client_nos:
        return [Fault("clients", "must name at least one client for an EMPLOYER")]
    if role != "EMPLOYER" and client_nos:
        return [Fault("clients", "only an EMPLOYER has named clients")]
    return []


def _entity(person: Person) -> TrailEntity:
    return TrailEntity("PERSON", person.id, person.agency_no)


def _state(tx: Tx, person: Person) -> dict[str, Any]:
    return {
        "mail": person.mail,
        "name": person.name,
        "role": person.role,
        "clients": rows.client_ids_of(tx, person.no),
    }
