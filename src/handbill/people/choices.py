"""What people have chosen to be mailed, and what each was mailed last."""

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.changes import service as changes
from handbill.core.mailings import MAILINGS, Choices, Mailing, MailMarks, begun, without
from handbill.core.persons import Person
from handbill.core.trail import TrailEntity
from handbill.kit.instants import Instant
from handbill.mail import service as mail
from handbill.people import rows
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.mapper import Mapper
from handbill.store.records.tables import person_alerts, person_mails, persons


class PersonChoices(msgspec.Struct, frozen=True, kw_only=True):
    """Of one person."""

    no: int
    person_no: int
    choices: Choices
    marks: MailMarks


_c = person_mails.c
_CHOSEN = Mapper(person_mails, PersonChoices)
_OF = _CHOSEN.ever("person_no")
_EVERY = (
    sa.select(*_CHOSEN.columns, persons.c.id, persons.c.agency_no)
    .join(persons, persons.c.no == _c.person_no)
    .where(persons.c.deleted_at.is_(None))
    .order_by(_c.no)
)
_OF_AGENCY = _EVERY.where(persons.c.agency_no == b("agency_no"))
_FORGET = sa.delete(person_mails).where(_c.person_no == b("person_no"))
_a = person_alerts.c
_TOLD = sa.select(_a.cause).where(_a.person_no == b("person_no"))
_FORGET_ALERTS = sa.delete(person_alerts).where(_a.person_no == b("person_no"))
_GONE = sa.delete(person_alerts).where(_a.person_no == b("person_no"), among(_a.cause, "causes"))


def of(tx: Tx, person_no: int) -> Choices:
    """What a person has chosen; by default nothing."""
    row = _OF.first(tx, person_no=person_no)
    return Choices() if row is None else row.choices


class Whose(NamedTuple):
    """What a live person has chosen, by its id. ``agency_no``: None: it works in none."""

    id: str
    agency_no: int | None
    chosen: PersonChoices


def every(tx: Tx) -> list[Whose]:
    """What each live person has chosen."""
    return _whose(tx.all(_EVERY))


def of_agency(tx: Tx, agency_no: int) -> list[Whose]:
    """What each live person of an agency has chosen."""
    return _whose(tx.all(_OF_AGENCY, agency_no=agency_no))


def _whose(found: Iterable[Sequence[Any]]) -> list[Whose]:
    return [Whose(str(one), agency_no, _CHOSEN.read(tuple(row))) for *row, one, agency_no in found]


def chosen(tx: Tx, person_id: str) -> tuple[Person, PersonChoices] | None:
    """A live person who has ever chosen something."""
    person = rows.person(tx, person_id)
    row = None if person is None else _OF.first(tx, person_no=person.no)
    return None if person is None or row is None else (person, row)


def held(tx: Tx, person_id: str) -> tuple[Person, PersonChoices] | None:
    """``chosen``, with the person locked: neither its rights nor its choices change until this
    transaction ends.
    """
    person = rows.person(tx, person_id)
    if person is None:
        return None
    rows.lock(tx, person.no)
    return chosen(tx, person_id)


def change(tx: Tx, now: Instant, person: Person, given: Mapping[str, Any]) -> None:
    """Change some of what a person wants, and leave the rest as it is."""
    rows.lock(tx, person.no)
    choose(tx, now, person, msgspec.structs.replace(of(tx, person.no), **given))


def choose(tx: Tx, now: Instant, person: Person, after: Choices) -> None:
    """Set what a person wants; mails of which this may not be true any more are not sent."""
    rows.lock(tx, person.no)
    former = _OF.first(tx, person_no=person.no)
    before = Choices() if former is None else former.choices
    if after == before:
        return
    marks = begun(MailMarks() if former is None else former.marks, before, after, now)
    row = PersonChoices(no=0, person_no=person.no, choices=after, marks=marks)
    tx.upsert_many(person_mails, ["person_no"], [_CHOSEN.values(row)])
    gone = MAILINGS if after.clients != before.clients else before.mailings - after.mailings
    for mailing in gone:
        mail.drop(tx, now, person.no, kind=mailing)
    entity = TrailEntity("PERSON", person.id, person.agency_no)
    changes.tell(tx, now, entity, _told(before), _told(after))


def whose(tx: Tx, person_no: int) -> Person | None:
    """The live person with this row number."""
    return rows.person_numbered(tx, person_no)


def end(tx: Tx, now: Instant, person: Person, *mailings: Mailing) -> None:
    """Mail a person no more of these kinds; ended twice, nothing happens."""
    rows.lock(tx, person.no)
    choose(tx, now, person, reduce(without, mailings, of(tx, person.no)))


def mark(tx: Tx, found: PersonChoices, marks: MailMarks) -> None:
    """Note what was mailed."""
    values = _CHOSEN.values(msgspec.structs.replace(found, marks=marks), "marks")
    tx.change(person_mails, {"person_no": found.person_no}, **values)


def alerted(tx: Tx, person_no: int) -> frozenset[str]:
    """The causes that a person was alerted of, and that had not gone since."""
    return frozenset(str(cause) for (cause,) in tx.all(_TOLD, person_no=person_no))


def note_alerts(
    tx: Tx, now: Instant, person_no: int, new: Iterable[str], gone: Iterable[str]
) -> None:
    """Note what a person is alerted of, and what has gone."""
    tx.put_many(
        person_alerts, [{"person_no": person_no, "cause": one, "told_at": now} for one in new]
    )
    tx.run(_GONE, person_no=person_no, causes=Listed(gone))


def withdraw(tx: Tx, now: Instant, person_no: int) -> None:
    """Do not send what waits: the person's rights have changed since it was written."""
    for mailing in MAILINGS:
        mail.drop(tx, now, person_no, kind=mailing)


def forget(tx: Tx, person_no: int) -> None:
    """Delete what a person has chosen, as it is removed."""
    tx.run(_FORGET, person_no=person_no)
    tx.run(_FORGET_ALERTS, person_no=person_no)


def _told(choices: Choices) -> dict[str, Any]:
    whole = {name: getattr(choices, name) for name in choices.__struct_fields__}
    return {"mails": whole | {"clients": choices.clients and list(choices.clients)}}
