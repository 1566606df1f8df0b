"""Rows of the funnel's tables, and the ledger's keys by which an application is found."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.funnel_stages import FORGOTTEN, PARKED, UNMAPPED, application_key, candidate_key
from handbill.kit.digests import digest_of
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among, among_ids
from handbill.store.records.tables import (
    applied,
    clients,
    funnel_batches,
    funnel_items,
    jobs,
    stage_maps,
)


class ItemBody(msgspec.Struct, omit_defaults=True):
    """The parts of an item that only people read."""

    application_id: str = ""
    candidate_id: str = ""
    job_reference: str = ""
    click_facts: bytes = b""
    """The facts in a click id, if the item has one of the client's own."""
    details: dict[str, Any] = {}


class FunnelItem(msgspec.Struct, kw_only=True):
    """One event. ``application`` names it, however it was keyed; ``click_id`` is the click that the
    application came from, empty while unknown or if organic. ``facts`` are not stored.
    """

    no: int = 0
    place: int
    application: str
    status: str
    stage: str = ""
    event_at: Instant
    disposition: str = ""
    reason: str = ""
    click_id: bytes = b""
    facts: bytes = b""
    body: ItemBody
    received_at: Instant


ITEM_BODY = msgspec.json.Decoder(ItemBody)
"""Reads the body of an item."""
_i, _k = funnel_items.c, applied.c
_COLUMNS = (
    _i.no,
    _i.place,
    _i.application,
    _i.status,
    _i.stage,
    _i.event_at,
    _i.disposition,
    _i.reason,
    _i.click_id,
    _i.body,
    _i.received_at,
)
_BATCH = sa.select(funnel_batches.c.no, funnel_batches.c.received_at).where(
    funnel_batches.c.id == b("id"), funnel_batches.c.client_no == b("client_no")
)
_OF_BATCH = sa.select(*_COLUMNS).where(_i.batch_no == b("batch_no")).order_by(_i.place)
_NUMBERS = sa.select(_i.place, _i.no).where(_i.batch_no == b("batch_no"))
_HISTORY = sa.select(_i.no, _i.application, _i.status, _i.stage, _i.event_at).where(
    _i.client_no == b("client_no"), among_ids(_i.moment, "moments")
)
_WAITING = (
    sa.select(*_COLUMNS)
    .where(
        _i.disposition == b("disposition"),
        _i.client_no == b("client_no"),
        _i.no > b("after"),
    )
    .order_by(_i.no)
    .limit(b("limit", type_=sa.Integer))
)
_BEFORE = (
    sa.select(_i.no)
    .where(_i.disposition == b("disposition"), _i.client_no == b("client_no"))
    .order_by(_i.no.desc())
    .limit(sa.literal_column("1", sa.Integer))
    .offset(b("latest", type_=sa.Integer))
)
_NO_STAGE = (
    sa.select(_i.status, sa.func.count())
    .where(_i.disposition == b("disposition"), _i.client_no == b("client_no"))
    .group_by(_i.status)
    .order_by(sa.func.count().desc(), _i.status)
    .limit(b("limit", type_=sa.Integer))
)
_CLIENTS = (
    sa.select(clients.c.id)
    .where(
        sa.select(sa.literal_column("1"))
        .where(_i.disposition == b("disposition"), _i.client_no == clients.c.no)
        .exists()
    )
    .order_by(clients.c.no)
)
_MAP = sa.select(stage_maps.c.body).where(stage_maps.c.client_no == b("client_no"))
_KEYS = sa.select(_k.key, _k.click_id, _k.facts).where(
    _k.client_no == b("client_no"), among(_k.key, "keys")
)
_JOB_IDS = sa.select(jobs.c.ref, jobs.c.id).where(
    jobs.c.client_no == b("client_no"), among(jobs.c.ref, "refs")
)


# ── items ───────────────────────────────────────────────────────────────────────────────────────
def _item(row: Sequence[Any]) -> FunnelItem:
    no, place, application, status, stage, event_at, disposition, reason, click, body, at = row
    return FunnelItem(
        no=no,
        place=place,
        application=application,
        status=status,
        stage=stage,
        event_at=event_at,
        disposition=disposition,
        reason=reason,
        click_id=bytes(click),
        body=ITEM_BODY.decode(body),
        received_at=at,
    )


def _judged(item: FunnelItem) -> dict[str, Any]:
    return {
        "stage": item.stage,
        "disposition": item.disposition,
        "reason": item.reason,
        "click_id": item.click_id,
        "moment": b"" if item.disposition in FORGOTTEN else _moment(item),
    }


def _moment(item: FunnelItem) -> bytes:
    return digest_of(item.application, item.event_at)


def add_batch(
    tx: Tx, client_no: int, batch_id: str, items: Sequence[FunnelItem], now: Instant
) -> None:
    """Store a batch with its items, and set their numbers."""
    no = tx.put(
        funnel_batches, id=batch_id, client_no=client_no, item_count=len(items), received_at=now
    )
    tx.put_many(
        funnel_items,
        [
            {
                "batch_no": no,
                "client_no": client_no,
                "place": item.place,
                "application": item.application,
                "status": item.status,
                "event_at": item.event_at,
                "body": msgspec.json.encode(item.body).decode(),
                "received_at": item.received_at,
            }
            | _judged(item)
            for item in items
        ],
    )
    numbers: dict[int, int] = dict(tx.all(_NUMBERS, batch_no=no))
    for item in items:
        item.no = numbers[item.place]


def save(tx: Tx, items: Sequence[FunnelItem]) -> None:
    """Save what was judged."""
    if items:
        columns = ("stage", "disposition", "reason", "click_id", "moment")
        text = tx.dialect.update_text(funnel_items, columns, ("no",))
        tx.run_text_many(text, [_judged(item) | {"key_no": item.no} for item in items])


def batch(tx: Tx, client_no: int, batch_id: str) -> tuple[Instant, list[FunnelItem]] | None:
    """When a batch was received, and its items in their order."""
    head = tx.one(_BATCH, id=batch_id, client_no=client_no)
    if head is None:
        return None
    return head[1], [_item(row) for row in tx.all(_OF_BATCH, batch_no=head[0])]


def history(
    tx: Tx, client_no: int, items: Iterable[FunnelItem]
) -> list[tuple[int, str, str, str, Instant]]:
    """(number, application, status, stage, instant) of every item in a history that shares
    application and instant with one of these.
    """
    moments = Listed({_moment(item) for item in items})
    return [(*row,) for row in tx.all(_HISTORY, client_no=client_no, moments=moments)]


def waiting(tx: Tx, client_no: int, disposition: str, after: int, limit: int) -> list[FunnelItem]:
    """Waiting items of a disposition, in order, after a number."""
    assert disposition in {PARKED, UNMAPPED}, "nothing else waits"
    rows = tx.all(_WAITING, client_no=client_no, disposition=disposition, after=after, limit=limit)
    return [_item(row) for row in rows]


def parked_before(tx: Tx, client_no: int, latest: int) -> int:
    """The number of the item before the latest ``latest`` parked ones; 0 when there are fewer."""
    return tx.value(_BEFORE, disposition=PARKED, client_no=client_no, latest=latest) or 0


def unmapped_texts(tx: Tx, client_no: int, limit: int) -> dict[str, int]:
    """Texts that name no stage, the most frequent first."""
    counts = tx.all(_NO_STAGE, client_no=client_no, disposition=UNMAPPED, limit=limit)
    return dict(counts)


def clients_with(tx: Tx, disposition: str) -> list[str]:
    """The ids of clients with items of a disposition."""
    return [id_ for (id_,) in tx.all(_CLIENTS, disposition=disposition)]


# ── stage maps ──────────────────────────────────────────────────────────────────────────────────
def stage_map(tx: Tx, client_no: int) -> dict[str, str]:
    """The client's own texts and their stages, as given."""
    text = tx.value(_MAP, client_no=client_no)
    return msgspec.json.decode(text, type=dict[str, str]) if text is not None else {}


def set_stage_map(tx: Tx, client_no: int, stages: dict[str, str], now: Instant) -> None:
    row = {"client_no": client_no, "body": msgspec.json.encode(stages).decode(), "updated_at": now}
    tx.upsert_many(stage_maps, ["client_no"], [row])


# ── applications ────────────────────────────────────────────────────────────────────────────────
Origin = tuple[bytes, bytes]
"""The click that an application came from, and the apply as received; empty where organic."""


def by_application_id(tx: Tx, client_no: int, ids: Iterable[str]) -> dict[str, Origin]:
    """Those of these applications that the ledger knows."""
    return _origins(tx, client_no, {application_key(one): one for one in ids})


def by_candidate(
    tx: Tx, client_no: int, pairs: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], Origin]:
    """The same by candidate and job reference."""
    pairs = set(pairs)
    refs = Listed(sorted({ref for _, ref in pairs}))
    job_ids: dict[str, str] = dict(tx.all(_JOB_IDS, client_no=client_no, refs=refs))
    keys = {candidate_key(who, job_ids[ref]): (who, ref) for who, ref in pairs if ref in job_ids}
    return _origins(tx, client_no, keys)


_Name = TypeVar("_Name")


def _origins(tx: Tx, client_no: int, keys: Mapping[str, _Name]) -> dict[_Name, Origin]:
    rows = tx.all(_KEYS, client_no=client_no, keys=Listed(keys)) if keys else []
    return {keys[key]: (bytes(click), bytes(facts)) for key, click, facts in rows}
