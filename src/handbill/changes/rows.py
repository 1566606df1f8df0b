"""Rows of table changes, to nouns and back; and other tables' rows as they are before a change."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.trail import Act, Actor, Changed, Kind, Occasion, TrailEntity
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, Row, among, sweep_of
from handbill.store.records.tables import agencies, changes, clients


class RecordedChange(msgspec.Struct, frozen=True):
    """One change, as recorded. ``agency_id`` None: of the whole installation."""

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
    undoes: int | None
    agency_no: int | None
    client_no: int | None
    fields: list[Changed]


class ChangeFilter(msgspec.Struct, frozen=True, kw_only=True):
    """The changes asked for: all that is not None must match. ``until_at`` is exclusive."""

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
    undoes=b("of_undone"),
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
        _t.undoes,
        _t.agency_no,
        _t.client_no,
        _t.fields,
    )
    .outerjoin(agencies, agencies.c.no == _t.agency_no)
    .outerjoin(clients, clients.c.no == _t.client_no)
)
_NEWEST = tuple(column.desc() for column in _PLACE)
_SOME = (
    _TOLD.where(sa.tuple_(*_PLACE) < sa.tuple_(b("before_at"), b("before_no")))
    .order_by(*_NEWEST)
    .limit(b("most", type_=sa.Integer))
)
_ONE = _TOLD.where(_t.no == b("no"))
_SINCE = (
    sa.select(_t.no, _t.undoes, _t.fields)
    .where(_t.entity_id == b("entity_id"), _t.kind == b("kind"), _t.no > b("no"))
    .where(_t.agency_no == b("agency_no"))
    .order_by(*_NEWEST)
    .limit(b("most", type_=sa.Integer))
)
_UNDOERS = (
    sa.select(_t.undoes, sa.func.max(_t.no)).where(among(_t.undoes, "nos")).group_by(_t.undoes)
)
_CHOSEN = {
    "entity_id": _t.entity_id,
    "actor_id": _t.actor_id,
    "client_no": _t.client_no,
    "agency_no": _t.agency_no,
}
"""The filters with an index, the one that leaves the fewest rows first."""
_BESIDE = {"actor": _t.actor == b("actor"), "since_at": _t.at >= b("since_at")}


def add(
    tx: Tx,
    now: Instant,
    occasion: Occasion,
    told: Iterable[tuple[TrailEntity, Act, Sequence[Changed]]],
) -> None:
    by, by_id, by_request, why, undone = occasion
    fixed = {"now": now, "by": by, "by_id": by_id, "by_request": by_request, "why": why}
    fixed["of_undone"] = undone
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
    """The column, in a form that uses no index."""
    return sa.func.coalesce(column, column)


@lru_cache(maxsize=128)
def _page(names: frozenset[str]) -> sa.Select[Any]:
    """One index is read, in order, as far as necessary: use of the others is prevented, as an
    engine that does not know how many rows each leaves may choose the worst.
    """
    chosen = [column for name, column in _CHOSEN.items() if name in names]
    where = [condition for name, condition in _BESIDE.items() if name in names]
    where += [column == b(column.name) for column in chosen[:1]]
    where += [_unled(column) == b(column.name) for column in chosen[1:]]
    return _SOME.where(*where)


def page(
    tx: Tx, asked: ChangeFilter, before: tuple[Instant, int], most: int
) -> list[RecordedChange]:
    """Newest first; only those before an instant and number."""
    given = {
        name: value
        for name in ChangeFilter.__struct_fields__
        if (value := getattr(asked, name)) is not None
    }
    until_at = given.pop("until_at", None)
    at, no = before if until_at is None else min(before, (until_at, 0))
    statement = _page(frozenset(given))
    rows = tx.all(statement, **given, before_at=at, before_no=no, most=most)
    return [_change(row) for row in rows]


def _change(row: Row) -> RecordedChange:
    values = dict(zip(RecordedChange.__struct_fields__, row, strict=True))
    return RecordedChange(**values | {"fields": _FIELDS.decode(row[-1])})


def one(tx: Tx, no: int) -> RecordedChange | None:
    row = tx.one(_ONE, no=no)
    return None if row is None else _change(row)


def since(tx: Tx, change: RecordedChange, most: int) -> list[tuple[int, int | None, list[Changed]]]:
    """The newest of the later changes of the same entity: number, what it undoes, and fields."""
    where = {name: getattr(change, name) for name in ("entity_id", "kind", "no", "agency_no")}
    return [
        (no, undoes, _FIELDS.decode(fields))
        for no, undoes, fields in tx.all(_SINCE, **where, most=most)
    ]


def undoers(tx: Tx, nos: Iterable[int]) -> dict[int, int]:
    """The newest change that undoes each of these, if there is one."""
    return dict(tx.all(_UNDOERS, nos=Listed(sorted(nos))))


def forget(tx: Tx, before: Instant, most: int) -> int:
    """Delete some of before an instant, the oldest first; how many."""
    return tx.run(_FORGET, before=before, most=most)


# ── rows of other tables ────────────────────────────────────────────────────────────────────────
@lru_cache(maxsize=256)
def _held(table: sa.Table, columns: tuple[str, ...], where: tuple[str, ...]) -> sa.Select[Any]:
    statement = sa.select(*(table.c[name] for name in columns))
    return statement.where(*(table.c[name] == b(f"is_{name}") for name in where)).with_for_update()


@lru_cache(maxsize=16)
def _bodies(table: sa.Table) -> sa.Select[Any]:
    return sa.select(table.c.id, table.c.body).where(among(table.c.id, "ids"))


def bodies(tx: Tx, table: sa.Table, ids: Sequence[str]) -> list[Row]:
    """Id and body of each of these rows."""
    return tx.all(_bodies(table), ids=Listed(ids)) if ids else []


def held(
    tx: Tx, table: sa.Table, columns: Sequence[str], where: dict[str, Any]
) -> list[dict[str, Any]]:
    """The rows whose columns equal ``where``, locked until the transaction ends."""
    statement = _held(table, tuple(columns), tuple(where))
    rows: list[Row] = tx.all(statement, **{f"is_{name}": value for name, value in where.items()})
    return [dict(zip(columns, row, strict=True)) for row in rows]
