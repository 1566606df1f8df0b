"""Rows of table changes, to nouns and back; and how rows of other tables stand before a change."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.trail import Act, Actor, Changed, Entity, Kind, Occasion
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Row, sweep_of
from handbill.store.records.tables import agencies, changes, clients


class Change(msgspec.Struct, frozen=True):
    """One change, as it is told. ``agency_id`` None: of the whole installation."""

    no: int
    at: Instant
    agency_id: str | None
    client_id: str | None
    kind: Kind
    entity_id: str
    act: Act
    actor: Actor
    actor_id: str
    request_id: str | None
    cause: str
    fields: list[Changed]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which changes are meant: all that is not None must hold. ``until_at`` is not in it."""

    agency_no: int | None = None
    client_no: int | None = None
    entity_id: str | None = None
    actor: Actor | None = None
    actor_id: str | None = None
    since_at: Instant | None = None
    until_at: Instant | None = None


_FIELDS = msgspec.json.Decoder(list[Changed])
_t = changes.c
_CLIENTS_AGENCY = sa.select(clients.c.agency_no).where(clients.c.no == b("of_client"))
_ADD = sa.insert(changes).values(
    at=b("now"),
    agency_no=sa.func.coalesce(b("of_agency"), _CLIENTS_AGENCY.scalar_subquery()),
    client_no=b("of_client"),
    kind=b("of_kind"),
    entity_id=b("of_id"),
    act=b("of_act"),
    actor=b("by"),
    actor_id=b("by_id"),
    request_id=b("by_request"),
    cause=b("why"),
    fields=b("told"),
)
_FORGET = sweep_of(changes, _t.at)
_PLACE = (_t.at, _t.no)
_TOLD = (
    sa.select(
        _t.no,
        _t.at,
        agencies.c.id,
        clients.c.id,
        _t.kind,
        _t.entity_id,
        _t.act,
        _t.actor,
        _t.actor_id,
        _t.request_id,
        _t.cause,
        _t.fields,
    )
    .outerjoin(agencies, agencies.c.no == _t.agency_no)
    .outerjoin(clients, clients.c.no == _t.client_no)
    .where(sa.tuple_(*_PLACE) < sa.tuple_(b("before_at"), b("before_no")))
    .order_by(*(column.desc() for column in _PLACE))
    .limit(b("most", type_=sa.Integer))
)
_CHOSEN = {
    "entity_id": _t.entity_id,
    "actor_id": _t.actor_id,
    "client_no": _t.client_no,
    "agency_no": _t.agency_no,
}
"""What has an index, that which leaves the fewest first."""
_BESIDE = {"actor": _t.actor == b("actor"), "since_at": _t.at >= b("since_at")}


def add(
    tx: Tx,
    now: Instant,
    occasion: Occasion,
    told: Iterable[tuple[Entity, Act, Sequence[Changed]]],
) -> None:
    by, by_id, by_request, why = occasion
    fixed = {"now": now, "by": by, "by_id": by_id, "by_request": by_request, "why": why}
    rows = [
        fixed
        | {
            "of_agency": entity.agency_no,
            "of_client": entity.client_no,
            "of_kind": entity.kind,
            "of_id": entity.id,
            "of_act": act,
            "told": msgspec.json.encode(fields).decode(),
        }
        for entity, act, fields in told
    ]
    tx.run_text_many(tx.dialect.text_of(_ADD), rows)


def _unled(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """The column, in a form that no index is walked by."""
    return sa.func.coalesce(column, column)


@lru_cache(maxsize=128)
def _page(names: frozenset[str]) -> sa.Select[Any]:
    """One index is walked, in order, as far as need be: the others are kept from being chosen, as
    an engine that does not know how many rows each leaves may choose the longest.
    """
    chosen = [column for name, column in _CHOSEN.items() if name in names]
    where = [condition for name, condition in _BESIDE.items() if name in names]
    where += [column == b(column.name) for column in chosen[:1]]
    where += [_unled(column) == b(column.name) for column in chosen[1:]]
    return _TOLD.where(*where)


def page(tx: Tx, asked: Asked, before: tuple[Instant, int], most: int) -> list[Change]:
    """Newest first; only those before an instant and number."""
    given = {
        name: value
        for name in Asked.__struct_fields__
        if (value := getattr(asked, name)) is not None
    }
    until_at = given.pop("until_at", None)
    at, no = before if until_at is None else min(before, (until_at, 0))
    statement = _page(frozenset(given))
    found = tx.all(statement, **given, before_at=at, before_no=no, most=most)
    return [_change(row) for row in found]


def _change(row: Row) -> Change:
    told = dict(zip(Change.__struct_fields__, row, strict=True))
    return Change(**told | {"fields": _FIELDS.decode(row[-1])})


def forget(tx: Tx, before: Instant, most: int) -> int:
    """Forget some of before an instant, the oldest first; how many."""
    return tx.run(_FORGET, before=before, most=most)


# ── rows of other tables ────────────────────────────────────────────────────────────────────────
@lru_cache(maxsize=256)
def _held(table: sa.Table, columns: tuple[str, ...], where: tuple[str, ...]) -> sa.Select[Any]:
    found = sa.select(*(table.c[name] for name in columns))
    return found.where(*(table.c[name] == b(f"is_{name}") for name in where)).with_for_update()


def held(
    tx: Tx, table: sa.Table, columns: Sequence[str], where: dict[str, Any]
) -> list[dict[str, Any]]:
    """The rows whose columns equal ``where``, held until the transaction ends."""
    statement = _held(table, tuple(columns), tuple(where))
    found: list[Row] = tx.all(statement, **{f"is_{name}": value for name, value in where.items()})
    return [dict(zip(columns, row, strict=True)) for row in found]
