"""Rows of tables markups and markup_entities, to nouns and back."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.charging import Place
from handbill.core.markups import DatedMarkup, Markup
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, Row, among
from handbill.store.records.tables import markup_entities, markups

_t, _e = markups.c, markup_entities.c
_COLUMNS = (
    _t.no,
    _t.id,
    _t.agency_no,
    _t.name,
    _t.from_at,
    _t.ppm,
    _t.created_at,
    _t.updated_at,
)
_PLACE = (_e.client_no, _e.campaign_no, _e.group_no, _e.publisher_no)
_LIVE = _t.deleted_at.is_(None)
_OWN = (_t.agency_no == b("agency_no"), _LIVE)
_TOUCHING = (
    _LIVE,
    _t.no.in_(sa.select(_e.markup_no).where(_e.client_no == b("client_no"))),
)
_ONE = sa.select(*_COLUMNS).where(_t.id == b("id"), *_OWN)


def _paged(*where: sa.ColumnElement[bool]) -> tuple[sa.Select[Any], sa.Select[Any]]:
    """One page of the markups, oldest first; and how many there are."""
    page = sa.select(*_COLUMNS).where(*where).order_by(_t.no)
    page = page.limit(b("limit", type_=sa.Integer)).offset(b("skip", type_=sa.Integer))
    return page, sa.select(sa.func.count()).select_from(markups).where(*where)


_PAGE, _COUNT = _paged(*_OWN)
_CLIENTS_PAGE, _CLIENTS_COUNT = _paged(*_TOUCHING)
_ENTITIES = (
    sa.select(_e.markup_no, *_PLACE).where(among(_e.markup_no, "markup_nos")).order_by(_e.no)
)
_DATED = (
    sa.select(_t.from_at, _t.no, _t.ppm, *_PLACE)
    .join(markups, _t.no == _e.markup_no)
    .where(
        _LIVE,
        among(_e.client_no, "client_nos"),
        among(_e.campaign_no, "campaign_nos"),
        among(_e.group_no, "group_nos"),
        among(_e.publisher_no, "publisher_nos"),
    )
)
_DROP_ENTITIES = sa.delete(markup_entities).where(_e.markup_no == b("markup_no"))


def _markups(tx: Tx, rows: Sequence[Row]) -> list[Markup]:
    entities: dict[int, list[Place]] = {row[0]: [] for row in rows}
    for markup_no, *place in tx.all(_ENTITIES, markup_nos=Listed(entities)):
        entities[markup_no].append(Place(*place))
    return [
        Markup(
            no=no,
            id=id_,
            agency_no=agency_no,
            name=name,
            from_at=from_at,
            ppm=ppm,
            entities=tuple(entities[no]),
            created_at=created_at,
            updated_at=updated_at,
        )
        for no, id_, agency_no, name, from_at, ppm, created_at, updated_at in rows
    ]


def find(tx: Tx, agency_no: int, markup_id: str) -> Markup | None:
    some = _markups(tx, tx.all(_ONE, id=markup_id, agency_no=agency_no))
    return some[0] if some else None


def page(tx: Tx, agency_no: int, skip: int, limit: int) -> list[Markup]:
    return _markups(tx, tx.all(_PAGE, agency_no=agency_no, skip=skip, limit=limit))


def count(tx: Tx, agency_no: int) -> int:
    return int(tx.value(_COUNT, agency_no=agency_no))


def page_of_client(tx: Tx, client_no: int, skip: int, limit: int) -> list[Markup]:
    return _markups(tx, tx.all(_CLIENTS_PAGE, client_no=client_no, skip=skip, limit=limit))


def count_of_client(tx: Tx, client_no: int) -> int:
    return int(tx.value(_CLIENTS_COUNT, client_no=client_no))


def dated(tx: Tx, places: Iterable[Place]) -> list[DatedMarkup]:
    """Every live markup that may concern these places, once for each entity."""
    client_nos, campaign_nos, group_nos, publisher_nos = map(set, zip(*places, strict=True))
    rows = tx.all(
        _DATED,
        client_nos=Listed(sorted(client_nos)),
        campaign_nos=Listed(sorted(campaign_nos | {0})),
        group_nos=Listed(sorted(group_nos | {0})),
        publisher_nos=Listed(sorted(publisher_nos | {0})),
    )
    return [DatedMarkup(Place(*place), from_at, no, ppm) for from_at, no, ppm, *place in rows]


def add(tx: Tx, markup: Markup) -> None:
    """Insert a markup (``markup.no`` is ignored)."""
    markup.no = tx.put(
        markups,
        id=markup.id,
        agency_no=markup.agency_no,
        name=markup.name,
        from_at=markup.from_at,
        ppm=markup.ppm,
        created_at=markup.created_at,
        updated_at=markup.updated_at,
    )
    _put_entities(tx, markup)


def save(tx: Tx, markup: Markup, now: Instant) -> None:
    """Save what may change."""
    tx.change(
        markups,
        {"no": markup.no},
        name=markup.name,
        from_at=markup.from_at,
        ppm=markup.ppm,
        updated_at=now,
    )
    tx.run(_DROP_ENTITIES, markup_no=markup.no)
    _put_entities(tx, markup)


def _put_entities(tx: Tx, markup: Markup) -> None:
    tx.put_many(
        markup_entities, [{"markup_no": markup.no} | one._asdict() for one in markup.entities]
    )


def delete(tx: Tx, no: int, now: Instant) -> None:
    tx.change(markups, {"no": no}, deleted_at=now)
