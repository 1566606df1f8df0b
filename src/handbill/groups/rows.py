"""Rows of table groups, to nouns and back."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.changes import service as changes
from handbill.core.nouns import Group, GroupBody
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, Row, among
from handbill.store.records.tables import groups

_BODY = msgspec.json.Decoder(GroupBody)
_t = groups.c
_COLUMNS = (
    _t.no,
    _t.id,
    _t.client_no,
    _t.campaign_no,
    _t.status,
    _t.is_default,
    _t.priority,
    _t.body,
    _t.created_at,
    _t.updated_at,
)
_LIVE = _t.deleted_at.is_(None)
_ONE = sa.select(*_COLUMNS).where(_t.id == b("id"), _t.client_no == b("client_no"), _LIVE)
_NO = sa.select(_t.no).where(_t.id == b("id"), _t.client_no == b("client_no"))
_ALL = sa.select(*_COLUMNS).where(_t.client_no == b("client_no"), _LIVE).order_by(_t.no)
_BY_NO = sa.select(*_COLUMNS).where(among(_t.no, "nos"))
_PAGE = _ALL.limit(b("limit", type_=sa.Integer)).offset(b("skip", type_=sa.Integer))
_COUNT = sa.select(sa.func.count()).select_from(groups).where(_t.client_no == b("client_no"), _LIVE)

_OF_CAMPAIGN = sa.select(*_COLUMNS).where(_t.campaign_no == b("campaign_no"), _LIVE)
_PAGE_OF_CAMPAIGN = (
    _OF_CAMPAIGN.order_by(_t.no)
    .limit(b("limit", type_=sa.Integer))
    .offset(b("skip", type_=sa.Integer))
)
_COUNT_OF_CAMPAIGN = (
    sa.select(sa.func.count()).select_from(groups).where(_t.campaign_no == b("campaign_no"), _LIVE)
)
_COUNT_EVER = sa.select(sa.func.count()).select_from(groups).where(_t.client_no == b("client_no"))
_CHILDREN = sa.select(*_COLUMNS).where(among(_t.campaign_no, "campaign_nos"), _LIVE).order_by(_t.no)


def _group(row: Row) -> Group:
    no, id_, client_no, campaign_no, status, is_default, priority, body, created_at, updated_at = (
        row
    )
    return Group(
        no=no,
        id=id_,
        client_no=client_no,
        campaign_no=campaign_no,
        status=status,
        is_default=bool(is_default),
        priority=priority,
        body=_BODY.decode(body),
        created_at=created_at,
        updated_at=updated_at,
    )


def find(tx: Tx, client_no: int, group_id: str) -> Group | None:
    row = tx.one(_ONE, id=group_id, client_no=client_no)
    return _group(row) if row else None


def number_ever(tx: Tx, client_no: int, group_id: str) -> int | None:
    """The number of one that is live or was."""
    no: int | None = tx.value(_NO, id=group_id, client_no=client_no)
    return no


def every(tx: Tx, client_no: int) -> list[Group]:
    return [_group(row) for row in tx.all(_ALL, client_no=client_no)]


def by_numbers(tx: Tx, nos: list[int]) -> list[Group]:
    """Deleted ones too: the past still names them."""
    return [_group(row) for row in tx.all(_BY_NO, nos=Listed(nos))]


def page(tx: Tx, client_no: int, skip: int, limit: int) -> list[Group]:
    found = tx.all(_PAGE, client_no=client_no, skip=skip, limit=limit)
    return [_group(row) for row in found]


def count(tx: Tx, client_no: int) -> int:
    return int(tx.value(_COUNT, client_no=client_no))


def page_of_campaign(tx: Tx, campaign_no: int, skip: int, limit: int) -> list[Group]:
    found = tx.all(_PAGE_OF_CAMPAIGN, campaign_no=campaign_no, skip=skip, limit=limit)
    return [_group(row) for row in found]


def count_of_campaign(tx: Tx, campaign_no: int) -> int:
    return int(tx.value(_COUNT_OF_CAMPAIGN, campaign_no=campaign_no))


def count_ever(tx: Tx, client_no: int) -> int:
    """How many the client ever had, deleted ones too."""
    return int(tx.value(_COUNT_EVER, client_no=client_no))


def of_campaigns(tx: Tx, campaign_nos: list[int]) -> list[Group]:
    """The live ones of these campaigns, oldest first."""
    return [_group(row) for row in tx.all(_CHILDREN, campaign_nos=Listed(campaign_nos))]


def add(tx: Tx, group: Group) -> int:
    """Insert; the new row's number (``group.no`` is not looked at)."""
    return changes.put(
        tx,
        group.created_at,
        groups,
        id=group.id,
        client_no=group.client_no,
        campaign_no=group.campaign_no,
        status=group.status,
        is_default=int(group.is_default),
        priority=group.priority,
        body=msgspec.json.encode(group.body).decode(),
        created_at=group.created_at,
        updated_at=group.updated_at,
    )


def save(tx: Tx, group: Group, now: Instant, **columns: Any) -> None:
    """Write what may change back; ``columns`` may set more (deleted_at)."""
    body = msgspec.json.encode(group.body).decode()
    changes.change(
        tx,
        now,
        groups,
        {"no": group.no},
        status=group.status,
        priority=group.priority,
        body=body,
        updated_at=now,
        **columns,
    )


def delete_of_campaign(tx: Tx, campaign_no: int, now: Instant) -> None:
    """Delete the live job groups of a campaign, of which there may be thousands."""
    for status in ("A", "P"):
        where = {"campaign_no": campaign_no, "status": status}
        gone = {"status": "I", "updated_at": now, "deleted_at": now}
        changes.change(tx, now, groups, where, **gone)
