"""Rows of table campaigns, to nouns and back."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.changes import service as changes
from handbill.core.nouns import Campaign
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.mapper import Mapper
from handbill.store.records.tables import campaigns

_t = campaigns.c
_CAMPAIGNS = Mapper(campaigns, Campaign)
_ONE = _CAMPAIGNS.live("id", "client_no")
_OF_CLIENT = _CAMPAIGNS.live("client_no")
_OF_CLIENTS = _CAMPAIGNS.live(among(_t.client_no, "client_nos"))
_BY_NO = _CAMPAIGNS.ever(among(_t.no, "nos"))
_NO = sa.select(_t.no).where(_t.id == b("id"), _t.client_no == b("client_no"))


def find(tx: Tx, client_no: int, campaign_id: str) -> Campaign | None:
    return _ONE.first(tx, id=campaign_id, client_no=client_no)


def number_ever(tx: Tx, client_no: int, campaign_id: str) -> int | None:
    """The number of a campaign that is live or was."""
    no: int | None = tx.value(_NO, id=campaign_id, client_no=client_no)
    return no


def every(tx: Tx, client_no: int) -> list[Campaign]:
    return _OF_CLIENT.all(tx, client_no=client_no)


def by_numbers(tx: Tx, nos: list[int]) -> list[Campaign]:
    """By number, deleted ones included: the past still names them."""
    return _BY_NO.all(tx, nos=Listed(nos))


def of_clients(tx: Tx, client_nos: list[int]) -> list[Campaign]:
    """The live ones of these clients, oldest first."""
    return _OF_CLIENTS.all(tx, client_nos=Listed(client_nos))


def page(tx: Tx, client_no: int, skip: int, limit: int) -> list[Campaign]:
    return _OF_CLIENT.page(tx, skip, limit, client_no=client_no)


def count(tx: Tx, client_no: int) -> int:
    return _OF_CLIENT.count(tx, client_no=client_no)


def add(tx: Tx, campaign: Campaign) -> int:
    """Insert a campaign; returns the new row's number (``campaign.no`` is ignored)."""
    return changes.put(tx, campaign.created_at, campaigns, **_CAMPAIGNS.values(campaign))


def save(tx: Tx, campaign: Campaign, now: Instant, **columns: Any) -> None:
    """Save what may change; ``columns`` may set more (deleted_at)."""
    kept = _CAMPAIGNS.values(campaign, "status", "body")
    changes.change(tx, now, campaigns, {"no": campaign.no}, **kept, updated_at=now, **columns)
