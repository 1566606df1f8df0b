"""Rows of what is in force."""

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.in_force import Ceiling, Evaluation, Key, Paced, Standing, Thing
from handbill.kit.instants import Instant
from handbill.kit.money import PPM
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.tables import ceilings, evaluations, paced, standings

_e, _s, _p, _c = evaluations.c, standings.c, paced.c, ceilings.c
_OF_CLIENT = b("client_no", type_=sa.BigInteger)
_EVALUATION = sa.select(_e.number, _e.evaluated_at, _e.day_on).where(_e.client_no == _OF_CLIENT)
_MOVE_ON = (
    sa.update(evaluations)
    .where(_e.client_no == _OF_CLIENT, _e.number == b("was"))
    .values(number=b("is"), evaluated_at=b("now"), day_on=b("day"))
)
_EVALUATIONS = sa.select(_e.client_no, _e.number, _e.evaluated_at, _e.day_on)
_STANDINGS = sa.select(*(_s[name] for name in Standing._fields)).where(_s.client_no == _OF_CLIENT)
_OF_CLIENTS = sa.select(_s.client_no, *(_s[name] for name in Standing._fields)).where(
    among(_s.client_no, "clients"), _s.kind == sa.literal_column("'client'")
)
_IN_STATES = (
    sa.select(_s.client_no, *(_s[name] for name in Standing._fields))
    .where(
        among(_s.client_no, "clients"),
        _s.kind.in_([sa.literal_column(f"'{kind}'") for kind in ("client", "campaign", "group")]),
        among(_s.status, "statuses"),
    )
    .order_by(_s.since_at.desc(), _s.client_no, _s.kind, _s.entity)
    .limit(b("most", type_=sa.Integer))
)
_PACED = sa.select(*(_p[name] for name in Paced._fields)).where(_p.client_no == _OF_CLIENT)
_AIMED = sa.select(_p.group_no, _p.publisher_no).where(
    _p.client_no == _OF_CLIENT,
    _p.cap == sa.literal_column("''"),
    _p.factor_ppm < sa.literal_column(str(PPM)),
)
_DECIDED = (
    sa.select(_p.client_no)
    .where(_p.publisher_no == b("publisher_no"), _p.decided_at < b("before"))
    .distinct()
)
_CEILINGS = sa.select(*(_c[name] for name in Ceiling._fields)).where(_c.client_no == _OF_CLIENT)
_CEILINGS_OF = sa.select(_c.client_no, *(_c[name] for name in Ceiling._fields)).where(
    among(_c.client_no, "clients"), _c.day_on >= b("since_on")
)
_DROP_STANDING = sa.delete(standings).where(
    _s.client_no == _OF_CLIENT, _s.kind == b("kind"), _s.entity == b("entity")
)
_DROP_PACED = sa.delete(paced).where(
    _p.group_no == b("group_no"), _p.publisher_no == b("publisher_no")
)
_DROP_CEILING = sa.delete(ceilings).where(
    _c.client_no == _OF_CLIENT,
    _c.scope == b("scope"),
    _c.entity == b("entity"),
    _c.measure == b("measure"),
    _c.day_on == b("day_on"),
)
_OLD = (
    sa.select(_c.client_no, _c.scope, _c.entity, _c.measure, _c.day_on)
    .where(_c.day_on < b("before_on"))
    .limit(b("most", type_=sa.Integer))
)


def evaluation(tx: Tx, client_no: int) -> Evaluation | None:
    row = tx.one(_EVALUATION, client_no=client_no)
    return None if row is None else Evaluation(*row)


def evaluations_of_all(tx: Tx) -> dict[int, Evaluation]:
    return {client_no: Evaluation(*rest) for client_no, *rest in tx.all(_EVALUATIONS)}


def move_on(tx: Tx, client_no: int, was: int, now: Instant, day_on: str) -> bool:
    """Set the next number; False if another process has, since it was read."""
    first = {"client_no": client_no, "evaluated_at": now, "number": 0, "day_on": day_on}
    tx.upsert_many(evaluations, ["client_no"], [first], keep=True)
    row = {"client_no": client_no, "was": was, "is": was + 1, "now": now, "day": day_on}
    return tx.run(_MOVE_ON, **row) == 1


def standings_of(tx: Tx, client_no: int) -> dict[Thing, Standing]:
    every = (Standing(*row) for row in tx.all(_STANDINGS, client_no=client_no))
    return {(one.kind, one.entity): one for one in every}


def paced_of(tx: Tx, client_no: int) -> dict[Key, Paced]:
    every = (Paced(*row) for row in tx.all(_PACED, client_no=client_no))
    return {(one.group_no, one.publisher_no): one for one in every}


def aimed_at(tx: Tx, client_no: int) -> set[Key]:
    return {
        (group_no, publisher_no) for group_no, publisher_no in tx.all(_AIMED, client_no=client_no)
    }


def clients_decided(tx: Tx, publisher_no: int, before: Instant) -> set[int]:
    return {no for (no,) in tx.all(_DECIDED, publisher_no=publisher_no, before=before)}


def ceilings_of(tx: Tx, client_no: int) -> list[Ceiling]:
    return [Ceiling(*row) for row in tx.all(_CEILINGS, client_no=client_no)]


def ceilings_since(tx: Tx, client_nos: Sequence[int], since_on: str) -> list[tuple[int, Ceiling]]:
    rows = tx.all(_CEILINGS_OF, clients=Listed(client_nos), since_on=since_on)
    return [(client_no, Ceiling(*rest)) for client_no, *rest in rows]


def standings_of_clients(tx: Tx, client_nos: Iterable[int]) -> dict[int, Standing]:
    """The standings of clients themselves."""
    rows = tx.all(_OF_CLIENTS, clients=Listed(sorted(client_nos)))
    return {row[0]: Standing(*row[1:]) for row in rows}


def in_states(
    tx: Tx, client_nos: Iterable[int], statuses: Iterable[str], most: int
) -> list[tuple[int, Standing]]:
    """Clients, campaigns and job groups in these states, with their clients; the latest first."""
    rows = tx.all(
        _IN_STATES,
        clients=Listed(sorted(client_nos)),
        statuses=Listed(statuses),
        most=most,
    )
    return [(row[0], Standing(*row[1:])) for row in rows]


def put_standings(tx: Tx, client_no: int, some: Iterable[Standing]) -> None:
    rows = [{"client_no": client_no, **one._asdict()} for one in some]
    tx.upsert_many(standings, ["client_no", "kind", "entity"], rows)


def drop_standings(tx: Tx, client_no: int, some: Iterable[Thing]) -> None:
    _drop(
        tx,
        _DROP_STANDING,
        [{"client_no": client_no, "kind": kind, "entity": entity} for kind, entity in some],
    )


def put_paced(tx: Tx, client_no: int, some: Iterable[Paced]) -> None:
    rows = [{"client_no": client_no, **one._asdict()} for one in some]
    tx.upsert_many(paced, ["group_no", "publisher_no"], rows)


def drop_paced(tx: Tx, some: Iterable[Key]) -> None:
    _drop(
        tx,
        _DROP_PACED,
        [{"group_no": group_no, "publisher_no": publisher_no} for group_no, publisher_no in some],
    )


def put_ceilings(tx: Tx, client_no: int, some: Iterable[Ceiling]) -> None:
    rows = [{"client_no": client_no, **one._asdict()} for one in some]
    tx.upsert_many(ceilings, ["client_no", "scope", "entity", "measure", "day_on"], rows)


def drop_ceilings(tx: Tx, client_no: int, some: Iterable[Ceiling]) -> None:
    names = ("scope", "entity", "measure", "day_on")
    _drop(
        tx,
        _DROP_CEILING,
        [{"client_no": client_no, **{name: getattr(one, name) for name in names}} for one in some],
    )


def sweep_ceilings(tx: Tx, before_on: str, most: int) -> int:
    """Delete up to so many ceilings of earlier days; how many there were."""
    names = ("client_no", "scope", "entity", "measure", "day_on")
    rows = [
        dict(zip(names, row, strict=True)) for row in tx.all(_OLD, before_on=before_on, most=most)
    ]
    _drop(tx, _DROP_CEILING, rows)
    return len(rows)


def _drop(tx: Tx, statement: sa.Delete, rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        tx.run_text_many(tx.dialect.text_of(statement), [dict(row) for row in rows])
