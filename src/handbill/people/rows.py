"""Rows of people, their clients, sessions and links."""

from typing import Any

import sqlalchemy as sa
from msgspec import structs
from sqlalchemy import bindparam as b

from handbill.core.persons import LiveSession, Person, PersonRole
from handbill.kit.instants import Instant
from handbill.store import sealed
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among, sweep_of
from handbill.store.records.tables import (
    agencies,
    clients,
    person_clients,
    person_links,
    person_recoveries,
    person_secrets,
    person_sessions,
    persons,
    publisher_families,
)

_p, _s, _l, _c = persons.c, person_sessions.c, person_links.c, person_clients.c
_PERSONS = sa.select(
    _p.no,
    _p.id,
    _p.role,
    _p.agency_no,
    _p.family_no,
    _p.mail,
    _p.name,
    _p.password,
    _p.code_step,
    _p.created_at,
    _p.updated_at,
).where(_p.deleted_at.is_(None))
_BY_ID = _PERSONS.where(_p.id == b("id"))
_BY_NO = _PERSONS.where(_p.no == b("no"))
_BY_MAIL = _PERSONS.where(_p.mail == b("mail")).order_by(_p.no)
_OF_AGENCY = _PERSONS.where(_p.agency_no == b("agency_no")).order_by(_p.no)
_ALL = _PERSONS.order_by(_p.no)
_NAMES = sa.select(_p.id, _p.agency_no, _p.name, _p.mail).where(
    among(_p.id, "ids"), _p.deleted_at.is_(None)
)
_STANDINGS = (
    sa.select(
        _s.no,
        _s.digest,
        _s.agency_no,
        _s.created_at,
        _s.expires_at,
        _s.ends_at,
        _p.no,
        _p.id,
        _p.role,
        _p.family_no,
        sa.func.coalesce(agencies.c.id, publisher_families.c.id),
    )
    .join(persons, _p.no == _s.person_no)
    .outerjoin(agencies, agencies.c.no == _s.agency_no)
    .outerjoin(
        publisher_families,
        sa.and_(publisher_families.c.no == _p.family_no, publisher_families.c.deleted_at.is_(None)),
    )
    .where(_p.deleted_at.is_(None))
)
_STANDING = _STANDINGS.where(_s.prefix == b("prefix"))
_STANDING_NUMBERED = _STANDINGS.where(_s.no == b("no"))
_PLACE = (
    sa.select(sa.func.coalesce(publisher_families.c.id, agencies.c.id))
    .select_from(persons)
    .outerjoin(agencies, agencies.c.no == _p.agency_no)
    .outerjoin(publisher_families, publisher_families.c.no == _p.family_no)
    .where(_p.no == b("no"))
)
_CLIENTS = sa.select(_c.client_no).where(_c.person_no == b("person_no"))
_CLIENT_IDS = (
    sa.select(clients.c.id)
    .join(person_clients, _c.client_no == clients.c.no)
    .where(_c.person_no == b("person_no"), clients.c.deleted_at.is_(None))
    .order_by(clients.c.no)
)
_LEAVE_CLIENTS = sa.delete(person_clients).where(_c.person_no == b("person_no"))
_END = sa.delete(person_sessions).where(_s.no == b("no"))
_END_ALL = sa.delete(person_sessions).where(_s.person_no == b("person_no"), _s.no != b("spared"))
_END_EVERY = sa.delete(person_sessions)
_END_CODES = (
    sa.update(persons).where(_p.code_step < b("step")).values(code_step=sa.bindparam("step"))
)
_DROP_EVERY = sa.delete(person_links)
_LINK = sa.select(_l.no, _l.person_no, _l.digest, _l.expires_at).where(_l.prefix == b("prefix"))
_LINKS_OF = sa.select(_l.expires_at).where(_l.person_no == b("person_no"))
_DROP_LINK = sa.delete(person_links).where(_l.prefix == b("prefix"))
_DROP_LINKS = sa.delete(person_links).where(_l.person_no == b("person_no"))
_DROP_SET_UP = sa.delete(person_links).where(_l.person_no.is_(None))
_ANYBODY = sa.select(_p.no).where(_p.deleted_at.is_(None)).limit(sa.literal_column("1"))
_k, _r = person_secrets.c, person_recoveries.c
_SECRET = sa.select(_k.value).where(_k.person_no == b("person_no"), _k.name == b("name"))
_DROP_SECRET = sa.delete(person_secrets).where(_k.person_no == b("person_no"), _k.name == b("name"))
_RECOVERY = sa.select(_r.no).where(_r.person_no == b("person_no"), _r.digest == b("digest"))
_DROP_RECOVERY = sa.delete(person_recoveries).where(
    _r.person_no == b("person_no"), _r.digest == b("digest")
)
_DROP_RECOVERIES = sa.delete(person_recoveries).where(_r.person_no == b("person_no"))
_COUNT_RECOVERIES = (
    sa.select(sa.func.count()).select_from(person_recoveries).where(_r.person_no == b("person_no"))
)
_SWEEP_SESSIONS = sweep_of(person_sessions, _s.expires_at)
_SWEEP_LINKS = sweep_of(person_links, _l.expires_at)


def _person(row: Any) -> Person | None:
    return None if row is None else Person(*row)


def person(tx: Tx, person_id: str) -> Person | None:
    return _person(tx.one(_BY_ID, id=person_id))


def person_numbered(tx: Tx, no: int) -> Person | None:
    return _person(tx.one(_BY_NO, no=no))


def with_mail(tx: Tx, mail: str) -> list[Person]:
    """The live people of that address, in any agency; the oldest first."""
    return [Person(*row) for row in tx.all(_BY_MAIL, mail=mail)]


def people_of(tx: Tx, agency_no: int) -> list[Person]:
    return [Person(*row) for row in tx.all(_OF_AGENCY, agency_no=agency_no)]


def everyone(tx: Tx) -> list[Person]:
    return [Person(*row) for row in tx.all(_ALL)]


def names(tx: Tx, ids: list[str]) -> list[tuple[str, int | None, str]]:
    """Id, agency and name of each of these people; the mail address of who has no name."""
    return [(id_, of, name or mail) for id_, of, name, mail in tx.all(_NAMES, ids=Listed(ids))]


def place_id(tx: Tx, no: int) -> str | None:
    """The id of the family or agency that a person works in."""
    id_ = tx.value(_PLACE, no=no)
    return None if id_ is None else str(id_)


def add_person(tx: Tx, now: Instant, **values: Any) -> int:
    return tx.put(persons, **values, created_at=now, updated_at=now)


def change_person(tx: Tx, now: Instant, no: int, **values: Any) -> None:
    tx.change(persons, {"no": no}, **values, updated_at=now)


def lock(tx: Tx, no: int) -> None:
    tx.lock_row(persons, no)


def clients_of(tx: Tx, person_no: int) -> frozenset[int]:
    """The numbers of the clients that an employer's person may see."""
    return frozenset(no for (no,) in tx.all(_CLIENTS, person_no=person_no))


def client_ids_of(tx: Tx, person_no: int) -> list[str]:
    """The ids of those that are live, the oldest first."""
    return [str(one) for (one,) in tx.all(_CLIENT_IDS, person_no=person_no)]


def set_clients(tx: Tx, person_no: int, client_nos: list[int]) -> None:
    tx.run(_LEAVE_CLIENTS, person_no=person_no)
    tx.put_many(person_clients, [{"person_no": person_no, "client_no": no} for no in client_nos])


def add_session(tx: Tx, **values: Any) -> None:
    tx.put(person_sessions, **values)


def standing(tx: Tx, prefix: str) -> LiveSession | None:
    """The session with this prefix, of a live person in a live agency or family."""
    return _standing(tx, tx.one(_STANDING, prefix=prefix))


def standing_numbered(tx: Tx, no: int) -> LiveSession | None:
    return _standing(tx, tx.one(_STANDING_NUMBERED, no=no))


def _standing(tx: Tx, row: Any) -> LiveSession | None:
    if row is None or row[-1] is None:
        return None
    session = LiveSession(**dict(zip(LiveSession.__struct_fields__, row, strict=False)))
    return structs.replace(session, clients=seen_by(tx, session.person_no, session.role))


def seen_by(tx: Tx, person_no: int, role: PersonRole) -> frozenset[int] | None:
    """The only clients that a person may see; None: all of where it works."""
    return clients_of(tx, person_no) if role == "EMPLOYER" else None


def change_session(tx: Tx, no: int, **values: Any) -> None:
    tx.change(person_sessions, {"no": no}, **values)


def end_session(tx: Tx, no: int) -> None:
    tx.run(_END, no=no)


def end_sessions(tx: Tx, person_no: int, spared: int = 0) -> int:
    """End all sessions of a person but one; how many there were."""
    return tx.run(_END_ALL, person_no=person_no, spared=spared)


def end_every(tx: Tx, step: int) -> None:
    """End all sessions and links of everybody, and their codes up to a time step."""
    tx.run(_END_EVERY)
    tx.run(_END_CODES, step=step)
    tx.run(_DROP_EVERY)


def add_link(tx: Tx, **values: Any) -> None:
    tx.put(person_links, **values)


def link(tx: Tx, prefix: str) -> tuple[int, int | None, bytes, Instant] | None:
    """Number, person, digest and end of a link."""
    row = tx.one(_LINK, prefix=prefix)
    return None if row is None else (int(row[0]), row[1], bytes(row[2]), int(row[3]))


def link_until(tx: Tx, person_no: int) -> Instant | None:
    """When a person's link ends."""
    until = tx.value(_LINKS_OF, person_no=person_no)
    return None if until is None else int(until)


def drop_link(tx: Tx, prefix: str) -> bool:
    """End a link; False: it has ended already, maybe in a transaction that this one waited for."""
    return tx.run(_DROP_LINK, prefix=prefix) == 1


def drop_links(tx: Tx, person_no: int) -> None:
    tx.run(_DROP_LINKS, person_no=person_no)


def drop_set_up(tx: Tx) -> None:
    """End the link by which the installation is set up."""
    tx.run(_DROP_SET_UP)


def secret(tx: Tx, person_no: int, name: str) -> bytes | None:
    stored = tx.value(_SECRET, person_no=person_no, name=name)
    if stored is None:
        return None
    return sealed.opened(tx, person_secrets, {"person_no": person_no, "name": name}, stored)


def add_secret(tx: Tx, person_no: int, name: str, value: bytes) -> None:
    row: dict[str, object] = {"person_no": person_no, "name": name}
    tx.put(person_secrets, **row, value=sealed.seal(tx, person_secrets, row, value))


def drop_secrets(tx: Tx, person_no: int, names: tuple[str, ...]) -> None:
    for name in names:
        tx.run(_DROP_SECRET, person_no=person_no, name=name)


def use_step(tx: Tx, person_no: int, step: int) -> None:
    """The last time step of a code that was accepted; signing in is no change of the person."""
    tx.change(persons, {"no": person_no}, code_step=step)


def add_recoveries(tx: Tx, person_no: int, digests: list[bytes]) -> None:
    tx.put_many(person_recoveries, [{"person_no": person_no, "digest": one} for one in digests])


def has_recovery(tx: Tx, person_no: int, digest: bytes) -> bool:
    return tx.one(_RECOVERY, person_no=person_no, digest=digest) is not None


def drop_recovery(tx: Tx, person_no: int, digest: bytes) -> bool:
    """Whether there was one."""
    return tx.run(_DROP_RECOVERY, person_no=person_no, digest=digest) == 1


def drop_recoveries(tx: Tx, person_no: int) -> None:
    tx.run(_DROP_RECOVERIES, person_no=person_no)


def count_recoveries(tx: Tx, person_no: int) -> int:
    return int(tx.value(_COUNT_RECOVERIES, person_no=person_no))


def is_anybody(tx: Tx) -> bool:
    return tx.one(_ANYBODY) is not None


def sweep_sessions(tx: Tx, now: Instant, most: int) -> int:
    return tx.run(_SWEEP_SESSIONS, before=now, most=most)


def sweep_links(tx: Tx, now: Instant, most: int) -> int:
    return tx.run(_SWEEP_LINKS, before=now, most=most)
