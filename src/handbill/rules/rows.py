"""Rows of table rules, to nouns and back."""

from collections.abc import Iterable, Mapping

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.changes import service as changes
from handbill.core.rule_conditions import Rule, RuleBody
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, Row, among
from handbill.store.records.tables import rules

_BODY = msgspec.json.Decoder(RuleBody)
_t = rules.c
_COLUMNS = (
    _t.no, _t.id, _t.client_no, _t.place, _t.status, _t.body, _t.created_at, _t.updated_at,
)  # fmt: skip
_LIVE = (_t.client_no == b("client_no"), _t.deleted_at.is_(None))
_SOME = sa.select(*_COLUMNS).where(*_LIVE, among(_t.id, "ids"))
_ALL = sa.select(*_COLUMNS).where(*_LIVE).order_by(_t.place, _t.no)
_PAGE = _ALL.limit(b("limit", type_=sa.Integer)).offset(b("skip", type_=sa.Integer))
_COUNT = sa.select(sa.func.count()).select_from(rules).where(*_LIVE)
_LAST = sa.select(sa.func.max(_t.place)).where(*_LIVE)


def _rule(row: Row) -> Rule:
    no, id_, client_no, place, status, body, created_at, updated_at = row
    return Rule(
        no=no, id=id_, client_no=client_no, place=place, status=status, body=_BODY.decode(body),
        created_at=created_at, updated_at=updated_at,
    )  # fmt: skip


def some(tx: Tx, client_no: int, ids: Iterable[str]) -> dict[str, Rule]:
    found = map(_rule, tx.all(_SOME, client_no=client_no, ids=Listed(ids)))
    return {rule.id: rule for rule in found}


def page(tx: Tx, client_no: int, skip: int, limit: int) -> list[Rule]:
    return [_rule(row) for row in tx.all(_PAGE, client_no=client_no, skip=skip, limit=limit)]


def every(tx: Tx, client_no: int) -> list[Rule]:
    return [_rule(row) for row in tx.all(_ALL, client_no=client_no)]


def count(tx: Tx, client_no: int) -> int:
    return int(tx.value(_COUNT, client_no=client_no))


def last_place(tx: Tx, client_no: int) -> int:
    return tx.value(_LAST, client_no=client_no) or 0


def add(tx: Tx, rule: Rule) -> None:
    """Insert (``rule.no`` is not looked at)."""
    changes.put(
        tx, rule.created_at, rules, id=rule.id, client_no=rule.client_no, place=rule.place,
        status=rule.status,
        body=msgspec.json.encode(rule.body).decode(), created_at=rule.created_at,
        updated_at=rule.updated_at,
    )  # fmt: skip


def set_status(tx: Tx, nos: Iterable[int], status: str, now: Instant) -> None:
    for no in nos:
        changes.change(tx, now, rules, {"no": no}, status=status, updated_at=now)


def set_places(tx: Tx, places: Mapping[int, int], now: Instant) -> None:
    """Give rules, by number, other places."""
    for no, place in places.items():
        changes.change(tx, now, rules, {"no": no}, place=place)


def delete(tx: Tx, no: int, now: Instant) -> None:
    changes.change(tx, now, rules, {"no": no}, deleted_at=now)
