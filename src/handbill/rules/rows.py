"""Rows of table rules, to nouns and back."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.changes import service as changes
from handbill.core.rule_conditions import Rule
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.mapper import Mapper
from handbill.store.records.tables import rules

_t = rules.c
_LIVE = (_t.client_no == b("client_no"), _t.deleted_at.is_(None))
_RULES = Mapper(rules, Rule)
_SOME = _RULES.live("client_no", among(_t.id, "ids"))
_OF_CLIENT = _RULES.live("client_no", order=(_t.place, _t.no))
_BY_NUMBER = _RULES.ever("client_no", among(_t.no, "nos"))
_PAUSED = _RULES.live(
    among(_t.client_no, "client_nos"),
    _t.status == sa.literal_column("'P'"),
    order=(_t.updated_at.desc(), _t.no),
)
_LAST = sa.select(sa.func.max(_t.place)).where(*_LIVE)

_CLIENTS = (
    sa.select(_t.client_no)
    .where(_t.deleted_at.is_(None), _t.status == sa.literal_column("'A'"))
    .distinct()
)


def clients_with_rules(tx: Tx) -> set[int]:
    """The clients that have any active rule."""
    return {no for (no,) in tx.all(_CLIENTS)}


def some(tx: Tx, client_no: int, ids: Iterable[str]) -> dict[str, Rule]:
    return {rule.id: rule for rule in _SOME.all(tx, client_no=client_no, ids=Listed(ids))}


def by_number(tx: Tx, client_no: int, nos: Iterable[int]) -> dict[int, Rule]:
    """Also those that were deleted."""
    numbered = _BY_NUMBER.all(tx, client_no=client_no, nos=Listed(sorted(nos)))
    return {rule.no: rule for rule in numbered}


def every(tx: Tx, client_no: int) -> list[Rule]:
    return _OF_CLIENT.all(tx, client_no=client_no)


def paused(tx: Tx, client_nos: Iterable[int], most: int) -> list[Rule]:
    """Paused ones of these clients, the latest first."""
    return _PAUSED.page(tx, 0, most, client_nos=Listed(sorted(client_nos)))


def count(tx: Tx, client_no: int) -> int:
    return _OF_CLIENT.count(tx, client_no=client_no)


def last_place(tx: Tx, client_no: int) -> int:
    return tx.value(_LAST, client_no=client_no) or 0


def add(tx: Tx, rule: Rule) -> None:
    """Insert a rule (``rule.no`` is ignored)."""
    changes.put(tx, rule.created_at, rules, **_RULES.values(rule))


def set_status(tx: Tx, nos: Iterable[int], status: str, now: Instant) -> None:
    for no in nos:
        changes.change(tx, now, rules, {"no": no}, status=status, updated_at=now)


def set_body(tx: Tx, rule: Rule, now: Instant) -> None:
    kept = _RULES.values(rule, "body")
    changes.change(tx, now, rules, {"no": rule.no}, **kept, updated_at=now)


def set_places(tx: Tx, places: Mapping[int, int], now: Instant) -> None:
    """Set the places of rules, by number."""
    for no, place in places.items():
        changes.change(tx, now, rules, {"no": no}, place=place)


def delete(tx: Tx, no: int, now: Instant) -> None:
    changes.change(tx, now, rules, {"no": no}, deleted_at=now)
