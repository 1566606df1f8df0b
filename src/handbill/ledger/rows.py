"""Rows of the ledger's tables: tallies, clicks, visits, keys, parked conversions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.kit.instants import Instant
from handbill.store.records import Tx, tables
from handbill.store.records.base import Listed, Row, among, among_ids
from handbill.store.records.tables import (
    agencies,
    applied,
    clicks,
    conversion_keys,
    parked,
    tallies,
    visits,
)

_AT_ONCE = 5_000

_CLICKS = sa.select(
    clicks.c.id,
    clicks.c.client_no,
    clicks.c.disposition,
    clicks.c.bid_micros,
    clicks.c.price_micros,
).where(among_ids(clicks.c.id, "ids"))
_CLICKED = sa.select(clicks.c.client_no, clicks.c.at).where(clicks.c.id == b("id"))
_VISITS = sa.select(visits.c.visitor, visits.c.at).where(among_ids(visits.c.visitor, "ids"))
_OLD_VISITS = (
    sa.select(visits.c.visitor)
    .where(visits.c.until_at < b("before"))
    .limit(b("most", type_=sa.Integer))
)
_FORGET_OLD_VISITS = sa.delete(visits).where(visits.c.visitor.in_(_OLD_VISITS))
_k = conversion_keys.c
_OLD_KEYS = (
    sa.select(_k.client_no, _k.key).where(_k.at < b("before")).limit(b("most", type_=sa.Integer))
)
_FORGET_KEYS = sa.delete(conversion_keys).where(sa.tuple_(_k.client_no, _k.key).in_(_OLD_KEYS))
_OLD_CLICKS = (
    sa.select(clicks.c.id).where(clicks.c.at < b("before")).limit(b("most", type_=sa.Integer))
)
_FORGET_CLICKS = sa.delete(clicks).where(clicks.c.id.in_(_OLD_CLICKS))
_KEYS = sa.select(conversion_keys.c.key, conversion_keys.c.click_id).where(
    conversion_keys.c.client_no == b("client_no"), among(conversion_keys.c.key, "keys")
)
_p = parked.c
_PARKED = (_p.no, _p.client_no, _p.kind, _p.click_id, _p.body, _p.received_at, _p.due_at)
_DUE = (
    sa.select(*_PARKED)
    .where(_p.due_at <= b("now"), sa.not_(among(_p.client_no, "but")))
    .order_by(_p.due_at)
    .limit(b("most", type_=sa.Integer))
)
_WAITING = (
    sa.select(*_PARKED)
    .where(among_ids(_p.click_id, "ids"))
    .order_by(_p.no)
    .limit(b("most", type_=sa.Integer))
)
_PARKED_OF = (
    sa.select(*_PARKED)
    .where(_p.client_no == b("client_no"))
    .order_by(_p.received_at.desc())
    .limit(b("most", type_=sa.Integer))
)
_UNPARK = sa.delete(parked).where(among(_p.no, "nos"))
_PARKED_COUNTS = (
    sa.select(_p.kind, sa.func.count()).where(_p.client_no == b("client_no")).group_by(_p.kind)
)
_TALLIES = sa.select(tallies.c.kind, tallies.c.disposition, tallies.c.value).where(
    tallies.c.client_no == b("client_no")
)
_rt = tables.retired_tallies.c
_RETIRED_TALLIES = sa.select(_rt.kind, _rt.disposition, _rt.value).where(
    _rt.client_no == b("client_no")
)
_TALLIED = sa.select(tallies.c.client_no).distinct().order_by(tallies.c.client_no)
_CURRENCIES = sa.select(agencies.c.no, agencies.c.currency).where(among(agencies.c.no, "nos"))
_AGENCIES = sa.select(agencies.c.no, agencies.c.id).where(among(agencies.c.no, "nos"))


class JudgedClick(NamedTuple):
    """The result of a click. ``bid_micros``, ``price_micros``: the amounts for an apply by it;
    None: those that its link froze.
    """

    client_no: int
    disposition: str
    bid_micros: int | None = None
    price_micros: int | None = None


_OF_CLICK: Final = ("id", *JudgedClick._fields, "at")


class Clicked(NamedTuple):
    client_no: int
    at: Instant


class Parked(NamedTuple):
    no: int
    client_no: int
    kind: str
    click_id: bytes
    body: bytes
    received_at: Instant
    due_at: Instant


# ── tallies ────────────────────────────────────────────────────────────────────────────────────


def add_tallies(tx: Tx, added: Mapping[tuple[int, str, str], int]) -> None:
    keys = ("client_no", "kind", "disposition")
    some = [(*of, value) for of, value in sorted(added.items())]
    tx.upsert_rows(tallies, (*keys, "value"), keys, some, adds=["value"])


def tallies_of(tx: Tx, client_no: int) -> dict[tuple[str, str], int]:
    return {(kind, what): value for kind, what, value in tx.all(_TALLIES, client_no=client_no)}


def tallied_clients(tx: Tx) -> list[int]:
    return [client_no for (client_no,) in tx.all(_TALLIED)]


def add_retired_tallies(tx: Tx, client_no: int, told: Mapping[tuple[str, str], int]) -> None:
    """Keep how many of one client's entries leave the ledger."""
    tx.upsert_many(
        tables.retired_tallies,
        ["client_no", "kind", "disposition"],
        [
            {"client_no": client_no, "kind": kind, "disposition": disposition, "value": value}
            for (kind, disposition), value in sorted(told.items())
        ],
        adds=["value"],
    )


def retired_tallies(tx: Tx, client_no: int) -> dict[tuple[str, str], int]:
    rows = tx.all(_RETIRED_TALLIES, client_no=client_no)
    return {(kind, what): value for kind, what, value in rows}


# ── clicks, visits, identities ──────────────────────────────────────────────────────────────────


def known_clicks(tx: Tx, ids: Sequence[bytes]) -> dict[bytes, JudgedClick]:
    """The result of each known click."""
    by_id: dict[bytes, JudgedClick] = {}
    for at in range(0, len(ids), _AT_ONCE):
        for id_, *judged in tx.all(_CLICKS, ids=Listed(ids[at : at + _AT_ONCE])):
            by_id[bytes(id_)] = JudgedClick(*judged)
    return by_id


def clicked(tx: Tx, id_: bytes) -> Clicked | None:
    """The client of a known click, and when it came."""
    return next((Clicked(*row) for row in tx.all(_CLICKED, id=id_)), None)


def put_clicks(tx: Tx, rows: Sequence[tuple[bytes, JudgedClick, Instant]]) -> None:
    assert all(len(id_) == 16 for id_, _, _ in rows), "a click is known by its id"
    tx.put_rows(clicks, _OF_CLICK, _columns(rows))


def change_clicks(tx: Tx, rows: Sequence[tuple[bytes, JudgedClick, Instant]]) -> None:
    """Change clicks that have another result now."""
    tx.upsert_rows(clicks, _OF_CLICK, ["id"], _columns(rows))


def _columns(rows: Sequence[tuple[bytes, JudgedClick, Instant]]) -> list[Row]:
    return [(id_, *judged, at) for id_, judged, at in rows]


def forget_clicks(tx: Tx, before: Instant, most: int) -> int:
    """Delete at most so many clicks that no window reaches any more; returns how many."""
    return tx.run(_FORGET_CLICKS, before=before, most=most)


def forget_visits(tx: Tx, before: Instant, most: int) -> int:
    """Delete at most so many visits whose duplicate window is over; returns how many."""
    return tx.run(_FORGET_OLD_VISITS, before=before, most=most)


def forget_keys(tx: Tx, before: Instant, most: int) -> int:
    """Delete at most so many old identities of conversions; returns how many."""
    return tx.run(_FORGET_KEYS, before=before, most=most)


def known_visits(tx: Tx, visitors: Sequence[bytes]) -> dict[bytes, Instant]:
    opened: dict[bytes, Instant] = {}
    for at in range(0, len(visitors), _AT_ONCE):
        for visitor, opened_at in tx.all(_VISITS, ids=Listed(visitors[at : at + _AT_ONCE])):
            opened[bytes(visitor)] = opened_at
    return opened


def put_visits(
    tx: Tx, opened: Mapping[bytes, tuple[int, Instant, Instant]], forget: Instant
) -> None:
    """Keep who opened a window, from when to when it is open; delete closed ones."""
    assert all(at <= until_at for _, at, until_at in opened.values()), "a window opens first"
    some = [(visitor, *window) for visitor, window in opened.items()]
    tx.upsert_rows(visits, ("visitor", "client_no", "at", "until_at"), ["visitor"], some)
    # Twice what came: none pile up, and a backlog after a pause delays nobody.
    forget_visits(tx, forget, 2 * len(opened))


def known_keys(tx: Tx, client_no: int, keys: Sequence[str]) -> dict[str, bytes]:
    """Which of a client's conversions have already counted, and under which click."""
    by_key: dict[str, bytes] = {}
    for at in range(0, len(keys), _AT_ONCE):
        some = Listed(keys[at : at + _AT_ONCE])
        for key, click_id in tx.all(_KEYS, client_no=client_no, keys=some):
            by_key[key] = bytes(click_id)
    return by_key


def put_keys(tx: Tx, rows: Sequence[tuple[int, str, bytes, Instant]]) -> None:
    tx.put_many(
        conversion_keys,
        [
            {"client_no": client_no, "key": key, "click_id": click_id, "at": at}
            for client_no, key, click_id, at in rows
        ],
    )


def put_applied(tx: Tx, rows: Sequence[tuple[int, str, bytes, bytes]]) -> None:
    """Note the identity of applications: client, key, click, facts. One that is credited to a click
    replaces one that is not.
    """
    named = [
        {"client_no": client_no, "key": key, "click_id": click_id, "facts": facts}
        for client_no, key, click_id, facts in rows
    ]
    for credited in (False, True):
        some = [row for row in named if bool(row["click_id"]) is credited]
        tx.upsert_many(applied, ["client_no", "key"], some, keep=not credited)


# ── parked ──────────────────────────────────────────────────────────────────────────────────────


def parked_due(tx: Tx, now: Instant, most: int, but: Iterable[int]) -> list[Parked]:
    """Parked conversions whose time is over, except those of some clients."""
    return [Parked(*row) for row in tx.all(_DUE, now=now, most=most, but=Listed(but))]


def parked_for(tx: Tx, click_ids: Sequence[bytes], most: int) -> list[Parked]:
    """What waits for these clicks; the rest beyond ``most`` is found when it is due."""
    waiting: list[Parked] = []
    for at in range(0, len(click_ids), _AT_ONCE):
        ids = Listed(click_ids[at : at + _AT_ONCE])
        waiting += [Parked(*row) for row in tx.all(_WAITING, ids=ids, most=most - len(waiting))]
    return waiting


def parked_of(tx: Tx, client_no: int, most: int) -> list[Parked]:
    """A client's conversions that wait for their clicks, newest first."""
    return [Parked(*row) for row in tx.all(_PARKED_OF, client_no=client_no, most=most)]


def park(tx: Tx, rows: Sequence[Parked]) -> None:
    assert all(row.received_at < row.due_at for row in rows), "what is parked waits"
    tx.put_many(
        parked,
        [
            {
                "client_no": row.client_no,
                "kind": row.kind,
                "click_id": row.click_id,
                "body": row.body,
                "received_at": row.received_at,
                "due_at": row.due_at,
            }
            for row in rows
        ],
    )


def unpark(tx: Tx, nos: Sequence[int]) -> None:
    if nos:
        tx.run(_UNPARK, nos=Listed(nos))


def parked_counts(tx: Tx, client_no: int) -> dict[str, int]:
    return dict(tx.all(_PARKED_COUNTS, client_no=client_no))


# ── agencies, as the export names them ──────────────────────────────────────────────────────────


def currencies(tx: Tx, nos: Iterable[int]) -> dict[int, str]:
    return dict(tx.all(_CURRENCIES, nos=Listed(sorted(nos))))


def agency_ids(tx: Tx, nos: Iterable[int]) -> dict[int, str]:
    return dict(tx.all(_AGENCIES, nos=Listed(sorted(nos))))
