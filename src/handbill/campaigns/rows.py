"""Rows of table campaigns, to nouns and back."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.changes import service as changes
from handbill.core.nouns import Campaign, CampaignBody
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, Row, among
from handbill.store.records.tables import campaigns

_BODY = msgspec.json.Decoder(CampaignBody)
_t = campaigns.c
_COLUMNS = (
    _t.no,
    _t.id,
    _t.client_no,
    _t.status,
    _t.is_default,
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
_COUNT = (
    sa.select(sa.func.count()).select_from(campaigns).where(_t.client_no == b("client_no"), _LIVE)
)

_OF_CLIENTS = sa.select(*_COLUMNS).where(among(_t.client_no, "client_nos"), _LIVE).order_by(_t.no)


def _campaign(row: Row) -> Campaign:
    no, id_, client_no, status, is_default, body, created_at, updated_at = row
    return Campaign(
        no=no,
        id=id_,
        client_no=client_no,
        status=status,
        is_default=bool(is_default),
        body=_BODY.decode(body),
        created_at=created_at,
        updated_at=updated_at,
    )


def find(tx: Tx, client_no: int, campaign_id: str) -> Campaign | None:
    row = tx.one(_ONE, id=campaign_id, client_no=client_no)
    return _campaign(row) if row else None


def number_ever(tx: Tx, client_no: int, campaign_id: str) -> int | None:
    """The number of one that is live or was."""
    no: int | None = tx.value(_NO, id=campaign_id, client_no=client_no)
    return no


def every(tx: Tx, client_no: int) -> list[Campaign]:
    return [_campaign(row) for row in tx.all(_ALL, client_no=client_no)]


def by_numbers(tx: Tx, nos: list[int]) -> list[Campaign]:
    """Deleted ones too: the past still names them."""
    return [_campaign(row) for row in tx.all(_BY_NO, nos=Listed(nos))]


def of_clients(tx: Tx, client_nos: list[int]) -> list[Campaign]:
    """The live ones of these clients, oldest first."""
    return [_campaign(row) for row in tx.all(_OF_CLIENTS, client_nos=Listed(client_nos))]


def page(tx: Tx, client_no: int, skip: int, limit: int) -> list[Campaign]:
    found = tx.all(_PAGE, client_no=client_no, skip=skip, limit=limit)
    return [_campaign(row) for row in found]


def count(tx: Tx, client_no: int) -> int:
    return int(tx.value(_COUNT, client_no=client_no))


def add(tx: Tx, campaign: Campaign) -> int:
    """Insert; the new row's number (``campaign.no`` is not looked at)."""
    return changes.put(
        tx,
        campaign.created_at,
        campaigns,
        id=campaign.id,
        client_no=campaign.client_no,
        status=campaign.status,
        is_default=int(campaign.is_default),
        body=msgspec.json.encode(campaign.body).decode(),
        created_at=campaign.created_at,
        updated_at=campaign.updated_at,
    )


def save(tx: Tx, campaign: Campaign, now: Instant, **columns: Any) -> None:
    """Write what may change back; ``columns`` may set more (deleted_at)."""
    body = msgspec.json.encode(campaign.body).decode()
    changes.change(
        tx, now, campaigns, {"no": campaign.no}, status=campaign.status, body=body,
        updated_at=now, **columns,
    )  # fmt: skip
