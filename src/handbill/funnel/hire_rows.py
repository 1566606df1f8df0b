"""Rows of table hires: the first HIRED of each application, until it is booked."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.funnel.rows import ITEM_BODY, FunnelItem
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among, among_ids
from handbill.store.records.tables import funnel_items, hires


class Hire(NamedTuple):
    """The first HIRED of an application, not booked yet. ``click_id`` empty: organic. ``facts``:
    the apply, or the facts in its click id, as the judge encodes them; empty: nothing is known.
    """

    no: int
    client_no: int
    application: str
    click_id: bytes
    at: Instant
    received_at: Instant
    facts: bytes
    application_id: str
    candidate_id: str


_i, _h = funnel_items.c, hires.c
_HIRED = sa.select(_h.application, _h.click_id).where(
    _h.client_no == b("client_no"), among(_h.application, "applications")
)
_HIRED_BY_CLICK = sa.select(_h.application, _h.click_id).where(
    _h.client_no == b("client_no"), among_ids(_h.click_id, "clicks")
)
_UNBOOKED = (
    sa.select(
        _h.no,
        _h.client_no,
        _h.application,
        _h.click_id,
        _h.at,
        _h.received_at,
        _h.facts,
        _i.body,
    )
    .join(funnel_items, _i.no == _h.item_no)
    .where(_h.booked_at.is_(None), sa.not_(among(_h.client_no, "but")))
    .order_by(_h.no)
    .limit(b("limit", type_=sa.Integer))
)
_BOOK = (
    sa.update(hires).where(among(_h.no, "nos"), _h.booked_at.is_(None)).values(booked_at=b("now"))
)


def hired(
    tx: Tx, client_no: int, applications: Iterable[str], clicks: Iterable[bytes]
) -> tuple[set[str], set[tuple[bytes, bool]]]:
    """The applications that have a hire already, and the clicks that have one, each with whether it
    was named by the click or the candidate only.
    """
    rows = tx.all(_HIRED, client_no=client_no, applications=Listed(applications))
    clicks = Listed(clicks)
    by_click = tx.all(_HIRED_BY_CLICK, client_no=client_no, clicks=clicks) if clicks else []
    names = {application for application, _ in rows}
    return names, {(bytes(click), not name.startswith("application/")) for name, click in by_click}


def add_hires(tx: Tx, client_no: int, items: Sequence[FunnelItem]) -> None:
    tx.put_many(
        hires,
        [
            {
                "client_no": client_no,
                "application": item.application,
                "click_id": item.click_id,
                "facts": item.facts,
                "item_no": item.no,
                "at": item.event_at,
                "received_at": item.received_at,
            }
            for item in items
        ],
    )


def unbooked(tx: Tx, limit: int, but: Iterable[int]) -> list[Hire]:
    due = []
    for *head, body in tx.all(_UNBOOKED, limit=limit, but=Listed(but)):
        ids = ITEM_BODY.decode(body)
        no, client_no, application, click_id, at, received_at, facts = head
        due.append(
            Hire(
                no,
                client_no,
                application,
                bytes(click_id),
                at,
                received_at,
                bytes(facts),
                ids.application_id,
                ids.candidate_id,
            )
        )
    return due


def book(tx: Tx, nos: Sequence[int], now: Instant) -> int:
    return tx.run(_BOOK, nos=Listed(nos), now=now)
