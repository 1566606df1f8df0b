"""Holds: what rules keep from being listed, independent of users' switches."""

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.changes import service as changes
from handbill.clients import service as clients
from handbill.core.nouns import Client
from handbill.core.rules.acts import Act
from handbill.core.standing.tree import HeldByRule
from handbill.core.trail import Kind as Told
from handbill.core.trail import TrailEntity
from handbill.core.undoing import HELD, HELD_AT
from handbill.host.ids import Ids, new_uuid
from handbill.kit.faults import not_found
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Row
from handbill.store.records.mapper import Mapper
from handbill.store.records.tables import rule_holds, rules

_h, _r = rule_holds.c, rules.c
_TOLD: dict[str, Told] = {
    "client": "CLIENT",
    "campaign": "CAMPAIGN",
    "group": "JOB_GROUP",
    "placement": "JOB_GROUP",
    "job": "JOB",
}
_EVERY = (
    sa.select(
        _h.kind,
        _h.entity,
        _h.entity_id,
        _h.publisher_id,
        _h.id,
        _h.run_id,
        _h.since_at,
        _h.rule_no,
        _r.id,
        _r.body,
    )
    .select_from(rule_holds.join(rules, _h.rule_no == _r.no))
    .where(_h.client_no == b("client_no"))
    .order_by(_h.no)
)
_ON_ONE = _EVERY.where(_h.kind == b("kind"), _h.entity == b("entity"))
_DROP = sa.delete(rule_holds).where(_h.id == b("id"), _h.client_no == b("client_no"))


class _Row(msgspec.Struct, kw_only=True):
    id: str
    client_no: int
    rule_no: int
    run_id: str
    kind: str
    entity: str
    entity_id: str
    publisher_id: str
    since_at: Instant


class _Name(msgspec.Struct):
    name: str


_ROWS = Mapper(rule_holds, _Row)
_NAME = msgspec.json.Decoder(_Name)


def holds_of(tx: Tx, client_no: int) -> list[HeldByRule]:
    """All holds of rules at a client, the oldest first."""
    return _read(tx.all(_EVERY, client_no=client_no))


def holds_on(tx: Tx, client_no: int, kind: str, entity: str) -> list[HeldByRule]:
    """The holds on one thing, the oldest first."""
    return _read(tx.all(_ON_ONE, client_no=client_no, kind=kind, entity=entity))


def _read(rows: Iterable[Row]) -> list[HeldByRule]:
    return [HeldByRule._make((*fields, _NAME.decode(body).name)) for *fields, body in rows]


def hold(
    tx: Tx, ids: Ids, now: Instant, client: Client, rule_no: int, run_id: str, act: Act
) -> None:
    """Let a rule hold the target of an act, and record the change."""
    row = _Row(
        id=new_uuid(ids),
        client_no=client.no,
        rule_no=rule_no,
        run_id=run_id,
        kind=act.kind,
        entity=act.entity,
        entity_id=act.id,
        publisher_id=act.publisher_id,
        since_at=now,
    )
    touched = [(row.kind, row.entity, row.entity_id)]
    before = _holders(tx, client, touched)
    _ROWS.add(tx, row)
    _tell(tx, now, client, before)


def lift(tx: Tx, now: Instant, client: Client, some: Iterable[HeldByRule]) -> int:
    """Lift these holds, record it, and have listings follow; how many there were."""
    lifted = list(some)
    before = _holders(tx, client, [(one.kind, one.entity, one.entity_id) for one in lifted])
    for one in lifted:
        tx.run(_DROP, id=one.id, client_no=client.no)
    if lifted:
        _tell(tx, now, client, before)
        clients.wake_listings(tx, client, now)
    return len(lifted)


def lift_one(tx: Tx, now: Instant, client: Client, hold_id: str) -> None:
    """Lift one hold. **Refuses** any other id alike (404)."""
    holds = [one for one in holds_of(tx, client.no) if one.id == hold_id]
    if not holds:
        raise not_found()
    lift(tx, now, client, holds)


def field_of(one: HeldByRule) -> tuple[Told, str, str]:
    """Where changes tell of a hold: the kind and id of the entity, and the field of it."""
    return _TOLD[one.kind], one.entity_id, _field(one.kind, one.entity)


def _field(kind: str, entity: str) -> str:
    return HELD if kind != "placement" else f"{HELD_AT}{entity.partition('/')[2]}"


_Holders = dict[tuple[str, str, str], list[str]]
"""By kind, entity and its id: the ids of the rules that hold it, the oldest hold first."""


def _holders(tx: Tx, client: Client, touched: Iterable[tuple[str, str, str]]) -> _Holders:
    return {
        (kind, entity, id_): [one.rule_id for one in holds_on(tx, client.no, kind, entity)]
        for kind, entity, id_ in dict.fromkeys(touched)
    }


def _tell(tx: Tx, now: Instant, client: Client, before: _Holders) -> None:
    """Record who holds each thing in its field "heldBy"; for a placement, in its job group's."""
    for (kind, entity, entity_id), new in _holders(tx, client, before).items():
        name = _field(kind, entity)
        who = TrailEntity(_TOLD[kind], entity_id, client.agency_no, client.no)
        changes.tell(tx, now, who, {name: before[kind, entity, entity_id]}, {name: new})
