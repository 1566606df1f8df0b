"""Makes changes and records them at once; and finds recorded ones.

Rooms write what people set by ``put`` and ``change``, which record it; what is in several tables,
or is written many rows at a time, they record themselves, by ``tell``. A change without effect is
not recorded.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from handbill.changes import rows
from handbill.changes.rows import ChangeFilter, RecordedChange
from handbill.core.feeds import FeedBody
from handbill.core.nouns import CampaignBody, ClientBody, GroupBody, PublisherBody
from handbill.core.rule_conditions import RuleBody
from handbill.core.trail import Changed, Kind, TrailEntity, act_of, changed, fields_of
from handbill.core.undoing import State, before_all, standing
from handbill.kit.faults import not_found, pointed
from handbill.kit.instants import DAY, Instant
from handbill.store.records import Tx, tables

__all__ = [
    "ChangeFilter",
    "RecordedChange",
    "TrailEntity",
    "change",
    "change_of",
    "forget",
    "moved_since",
    "page",
    "put",
    "same_since",
    "secret",
    "state_at",
    "tell",
    "tell_many",
    "undone",
]

KEPT_FOR = 400 * DAY
_MOST_LATER = 1_000
_NEVER_TOLD = frozenset(
    ("no", "id", "agency_no", "client_no", "created_at", "updated_at", "deleted_at", "body")
)
_PLACES = ("no", "id", "agency_no", "client_no")
CursorPlace = tuple[Instant, int]
"""The place of a change in the list of all: its instant and number."""
_NEWEST: CursorPlace = (2**62, 2**62)
_State = dict[str, Any]


class TableTrail(NamedTuple):
    """How rows of a table are recorded. ``body``: the type of column ``body``. ``quiet``: columns
    that only Handbill itself sets.
    """

    kind: Kind
    body: type[msgspec.Struct]
    quiet: frozenset[str] = frozenset()


TOLD: Mapping[sa.Table, TableTrail] = {
    tables.publishers: TableTrail("PUBLISHER", PublisherBody),
    tables.clients: TableTrail("CLIENT", ClientBody),
    tables.campaigns: TableTrail("CAMPAIGN", CampaignBody),
    tables.groups: TableTrail("JOB_GROUP", GroupBody, frozenset(("campaign_no",))),
    tables.feeds: TableTrail("FEED", FeedBody, frozenset(("next_run_at", "former_digest"))),
    tables.rules: TableTrail("RULE", RuleBody),
}
"""Tables that are written only by ``put`` and ``change``, so that no change of them is missed; each
row is an entity, with an id and an agency or a client.
"""


# ── making and telling ──────────────────────────────────────────────────────────────────────────
def put(tx: Tx, now: Instant, table: sa.Table, **values: Any) -> int:
    """Insert a row, and record it; its number."""
    no = tx.put(table, **values)
    trail, row = TOLD[table], {**values, "no": no}
    tell(tx, now, _entity(trail, row), {}, _state(trail, row, whole=False))
    return no


def change(tx: Tx, now: Instant, table: sa.Table, where: dict[str, Any], **values: Any) -> None:
    """Update the rows whose columns equal ``where``, and record what that changes. A row that gets
    a deleted_at is recorded as deleted; one that loses it, as created.
    """
    trail = TOLD[table]
    if values.keys() - trail.quiet - {"updated_at"}:
        held = rows.held(tx, table, _columns(table, values), where)
        states = ((_entity(trail, row), *_states(trail, row, row | values)) for row in held)
        tell_many(tx, now, states)
    tx.change(table, where, **values)


def _columns(table: sa.Table, values: Iterable[str]) -> list[str]:
    """The columns needed of a row that is changed: all of it, if it is deleted or comes back."""
    if "deleted_at" in values:
        return [column.name for column in table.columns]
    return list(dict.fromkeys((*(name for name in _PLACES if name in table.c), *values)))


def _states(told: TableTrail, row: _State, after: _State) -> tuple[_State, _State]:
    was, now_is = (one.get("deleted_at") is None for one in (row, after))
    if was and now_is:
        if row.get("body") == after.get("body"):  # decoding it takes time
            row, after = ({k: v for k, v in one.items() if k != "body"} for one in (row, after))
        return _state(told, row, whole=True), _state(told, after, whole=True)
    return (
        _state(told, row, whole=False) if was else {},
        _state(told, after, whole=False) if now_is else {},
    )


def tell(
    tx: Tx, now: Instant, entity: TrailEntity, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """Record a change that was made in another way. ``before``, ``after``: the entity as a noun's
    fields; empty where it did not exist, or does not any more.
    """
    tell_many(tx, now, [(entity, before, after)])


def tell_many(
    tx: Tx, now: Instant, told: Iterable[tuple[TrailEntity, Mapping[str, Any], Mapping[str, Any]]]
) -> None:
    """``tell`` for many entities."""
    changes = [
        (entity, act_of(before, after), fields)
        for entity, before, after in told
        if (fields := changed(before, after))
    ]
    if changes:
        rows.add(tx, now, tx.occasion, changes)


def secret(tx: Tx, now: Instant, entity: TrailEntity, *steps: str) -> None:
    """Record that a secret of an entity, at this path, has changed or is gone: never its value."""
    field = "".join(f"/{pointed(name)}" for name in steps)
    rows.add(tx, now, tx.occasion, [(entity, "CHANGE", [Changed(field, secret=True)])])


def _entity(told: TableTrail, row: Mapping[str, Any]) -> TrailEntity:
    client_no = row["no"] if told.kind == "CLIENT" else row.get("client_no")
    return TrailEntity(told.kind, row["id"], row.get("agency_no"), client_no)


def _state(told: TableTrail, row: Mapping[str, Any], *, whole: bool) -> _State:
    """The settings of an entity, from its row."""
    state = {
        name: value
        for name, value in row.items()
        if name not in _NEVER_TOLD and name not in told.quiet
    }
    if "body" in row:
        state |= fields_of(msgspec.json.decode(row["body"], type=told.body), whole=whole)
    return state


# ── reading and forgetting ──────────────────────────────────────────────────────────────────────
def page(
    tx: Tx, asked: ChangeFilter, most: int, before: CursorPlace | None = None
) -> list[RecordedChange]:
    """Some of the changes that are asked for, newest first; the next page is before the last one's
    instant and number.
    """
    return rows.page(tx, asked, before or _NEWEST, most)


def change_of(tx: Tx, no: int, agency_no: int | None) -> RecordedChange:
    """The change of that number; ``agency_no``: only if it is that agency's. **Refuses** any other
    alike (404).
    """
    recorded = rows.one(tx, no)
    if recorded is None or (agency_no is not None and recorded.agency_no != agency_no):
        raise not_found()
    return recorded


def undone(tx: Tx, nos: Iterable[int]) -> set[int]:
    """Those of these changes that are undone, by a change that is not undone itself."""
    chains = {no: no for no in nos}
    undone: set[int] = set()
    while chains:
        by = rows.undoers(tx, chains.values())
        chains = {no: by[last] for no, last in chains.items() if last in by}
        undone ^= chains.keys()
    return undone


def moved_since(tx: Tx, one: RecordedChange) -> list[Sequence[Changed]] | None:
    """The fields of each later change of the same entity that is still in effect; None: there are
    too many to look at.
    """
    later = rows.since(tx, one, _MOST_LATER + 1)
    return None if len(later) > _MOST_LATER else standing(later)


def state_at(tx: Tx, entity: TrailEntity, state: State, at: Instant, now: Instant) -> State | None:
    """The state of an entity at an instant. ``state``: the part of it that is asked for, as it is
    now. None: not known any more.
    """
    later = _own(tx, entity, at + 1)
    if at < now - KEPT_FOR or later is None:
        return None
    return before_all([one.fields for one in later if one.act == "CHANGE"], state)


def same_since(
    tx: Tx, entity: TrailEntity, state: State, part: Callable[[State], Any]
) -> Instant | None:
    """Since when a part of an entity's state is as it is now; None: not known any more."""
    former = state
    for one in _own(tx, entity, None) or ():
        before = before_all([one.fields], former) if one.act == "CHANGE" else former
        if before is None:
            return None
        if one.act == "CREATE" or part(before) != part(state):
            return one.at
        former = before
    return None


def _own(tx: Tx, entity: TrailEntity, since_at: Instant | None) -> list[RecordedChange] | None:
    """The changes of an entity, newest first; None: there are too many to look at."""
    asked = ChangeFilter(entity_id=entity.id, client_no=entity.client_no, since_at=since_at)
    changes = page(tx, asked, _MOST_LATER + 1)
    if len(changes) > _MOST_LATER:
        return None
    return [one for one in changes if one.kind == entity.kind]


def forget(tx: Tx, now: Instant, most: int) -> int:
    """Delete some of what is older than 400 days; how many."""
    return rows.forget(tx, now - KEPT_FOR, most)
