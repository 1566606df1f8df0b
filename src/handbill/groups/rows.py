"""Rows of table groups, to nouns and back."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.changes import service as changes
from handbill.core.nouns import Group
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.mapper import Mapper
from handbill.store.records.tables import campaigns, groups

_t = groups.c
_GROUPS = Mapper(groups, Group)
# A deleted campaign's job groups are gone at once; their own rows are deleted a little later.
_IN_CAMPAIGN = (
    sa.select(campaigns.c.no)
    .where(campaigns.c.no == _t.campaign_no, campaigns.c.deleted_at.is_(None))
    .exists()
)
_ONE = _GROUPS.live("id", "client_no", _IN_CAMPAIGN)
_OF_CLIENT = _GROUPS.live("client_no", _IN_CAMPAIGN)
_OF_CAMPAIGN = _GROUPS.live("campaign_no", _IN_CAMPAIGN)
_OF_CAMPAIGNS = _GROUPS.live(among(_t.campaign_no, "campaign_nos"), _IN_CAMPAIGN)
_REST = (
    sa.select(_t.no)
    .where(_t.campaign_no == b("campaign_no"), _t.deleted_at.is_(None))
    .order_by(_t.no)
    .limit(b("most", type_=sa.Integer))
)
_EVER_OF_CLIENT = _GROUPS.ever("client_no")
_BY_NO = _GROUPS.ever(among(_t.no, "nos"))
_NO = sa.select(_t.no).where(_t.id == b("id"), _t.client_no == b("client_no"))


def find(tx: Tx, client_no: int, group_id: str) -> Group | None:
    return _ONE.first(tx, id=group_id, client_no=client_no)


def number_ever(tx: Tx, client_no: int, group_id: str) -> int | None:
    """The number of a group that is live or was."""
    no: int | None = tx.value(_NO, id=group_id, client_no=client_no)
    return no


def every(tx: Tx, client_no: int) -> list[Group]:
    return _OF_CLIENT.all(tx, client_no=client_no)


def by_numbers(tx: Tx, nos: list[int]) -> list[Group]:
    """Groups by number, deleted ones included: the past still names them."""
    return _BY_NO.all(tx, nos=Listed(nos))


def page(tx: Tx, client_no: int, skip: int, limit: int) -> list[Group]:
    return _OF_CLIENT.page(tx, skip, limit, client_no=client_no)


def count(tx: Tx, client_no: int) -> int:
    return _OF_CLIENT.count(tx, client_no=client_no)


def page_of_campaign(tx: Tx, campaign_no: int, skip: int, limit: int) -> list[Group]:
    return _OF_CAMPAIGN.page(tx, skip, limit, campaign_no=campaign_no)


def count_of_campaign(tx: Tx, campaign_no: int) -> int:
    return _OF_CAMPAIGN.count(tx, campaign_no=campaign_no)


def count_ever(tx: Tx, client_no: int) -> int:
    """How many groups the client ever had, deleted ones included."""
    return _EVER_OF_CLIENT.count(tx, client_no=client_no)


def of_campaigns(tx: Tx, campaign_nos: list[int]) -> list[Group]:
    """The live ones of these campaigns, oldest first."""
    return _OF_CAMPAIGNS.all(tx, campaign_nos=Listed(campaign_nos))


def add(tx: Tx, group: Group) -> int:
    """Insert a group; returns the new row's number (``group.no`` is ignored)."""
    return changes.put(tx, group.created_at, groups, **_GROUPS.values(group))


def save(tx: Tx, group: Group, now: Instant, **columns: Any) -> None:
    """Save what may change; ``columns`` may set more (deleted_at)."""
    kept = _GROUPS.values(group, "status", "priority", "body")
    changes.change(tx, now, groups, {"no": group.no}, **kept, updated_at=now, **columns)


def delete_of_campaign(tx: Tx, campaign_no: int, now: Instant, most: int) -> bool:
    """Delete some of the job groups of a campaign; returns whether there may be more."""
    nos = [no for (no,) in tx.all(_REST, campaign_no=campaign_no, most=most)]
    for no in nos:
        gone = {"status": "I", "updated_at": now, "deleted_at": now}
        changes.change(tx, now, groups, {"no": no}, **gone)
    return len(nos) == most
