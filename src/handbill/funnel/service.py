"""Use cases of the funnel.

Every item is judged by ``core.funnel_stages``; one that waits (for its application, or for a
mapping of its text) is judged again when that may have come. Whoever judges locks the client.
"""

from collections.abc import Iterable, Sequence

from handbill.access.keys import secret
from handbill.changes import service as changes
from handbill.clients import service as clients
from handbill.core.attribution import APPLY
from handbill.core.closing import is_closed
from handbill.core.funnel_stages import (
    COUNTED,
    HIRED,
    PARKED,
    UNMAPPED,
    SentStage,
    dated,
    disposition_of,
    event_of,
    stage_of,
)
from handbill.core.listing_tokens import SealedClick, open_click
from handbill.core.nouns import Client
from handbill.core.received import conversion_of, encode
from handbill.core.spelled_tokens import ForeignToken
from handbill.core.spellings import folded
from handbill.core.trail import TrailEntity
from handbill.funnel import hire_rows, rows
from handbill.funnel.hire_rows import Hire
from handbill.funnel.rows import FunnelItem, ItemBody, Origin
from handbill.host.ids import Ids, new_uuid
from handbill.kit.faults import Fault, bad_request, not_found
from handbill.kit.instants import Instant
from handbill.kit.zones import zone_of
from handbill.store import marks
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import enqueue

__all__ = [
    "BATCH",
    "FunnelItem",
    "Hire",
    "batch_of",
    "clients_waiting",
    "hires_booked",
    "lately",
    "record",
    "set_stage_map",
    "settle",
    "stage_map",
    "unbooked_hires",
]

BATCH = 1_000
_AT_ONCE = 10  # batches that are judged when a map is set; a task judges the rest
_MOST_TEXTS = 1_000
_LATEST = 5 * BATCH
_NOWHERE: Origin = (b"", b"")
_NAMED, _BY_CLICK, _BY_CANDIDATE = "application/", "click/", "candidate/"


# ── taking in ───────────────────────────────────────────────────────────────────────────────────
def record(tx: Tx, ids: Ids, now: Instant, client: Client, events: Sequence[SentStage]) -> str:
    """Store a batch, judged; its id.

    **Refuses** all of it (400) when an item is more than 10 minutes in the future, or has an
    invalid click id.
    """
    items = _read(tx, now, client, events)
    hires = _judge(tx, client, items, now)
    batch_id = new_uuid(ids)
    rows.add_batch(tx, client.no, batch_id, items, now)
    hire_rows.add_hires(tx, client.no, hires)
    return batch_id


def batch_of(tx: Tx, client: Client, batch_id: str) -> tuple[Instant, list[FunnelItem]]:
    """When a batch was received, and its items. **Refuses** any but the client's own (404)."""
    batch = rows.batch(tx, client.no, batch_id)
    if batch is None:
        raise not_found()
    return batch


def _read(tx: Tx, now: Instant, client: Client, events: Sequence[SentStage]) -> list[FunnelItem]:
    zone, faults, items = zone_of(client.zone), list[Fault](), []
    clicks = _Clicks(tx)
    for place, given in enumerate(events):
        at = dated(given.at(zone), now)
        if at is None:
            faults.append(Fault(f"{place}.stamp", "is more than 10 minutes in the future"))
        try:
            application, (click_id, facts) = _named(given, client, clicks)
        except ForeignToken:
            faults.append(Fault(f"{place}.click_id", "is not a valid click id"))
            continue
        body = ItemBody(
            given.application_id, given.candidate_id, given.job_reference, facts, given.details
        )
        items.append(
            FunnelItem(
                place=place,
                application=application,
                status=given.status,
                event_at=at or 0,
                click_id=click_id,
                body=body,
                received_at=now,
            )
        )
    if faults:
        raise bad_request(faults)
    return items


class _Clicks:
    """Opens click ids; reads our keys when the first one comes."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._keys: dict[int, bytes] = {}

    def open(self, text: str) -> SealedClick:
        self._keys = self._keys or secret(self._tx, "listing")
        return open_click(text, self._keys)


def _named(given: SentStage, client: Client, clicks: _Clicks) -> tuple[str, Origin]:
    """The name of the application, and its click if the item itself proves it.

    The application's own id goes before candidate and job, and these before the click. Beside one
    of these, a click id that cannot be ours is not used.
    """
    name = ""
    if given.application_id:
        name = _NAMED + given.application_id
    elif given.candidate_id and given.job_reference:
        name = f"{_BY_CANDIDATE}{given.candidate_id}/{given.job_reference}"
    if name and not given.click_id:
        return name, _NOWHERE
    try:
        click = clicks.open(given.click_id)
    except ForeignToken:
        if name:
            return name, _NOWHERE
        raise
    click_id = click.random
    name = name or _BY_CLICK + click_id.hex()
    if click.listing.client_no != client.no:
        return name, _NOWHERE
    facts = encode([conversion_of(click, click.at, client.no, APPLY, "funnel")])
    return name, (click_id, facts)


# ── judging ─────────────────────────────────────────────────────────────────────────────────────
def _judge(tx: Tx, client: Client, items: Sequence[FunnelItem], now: Instant) -> list[FunnelItem]:
    """Decide what each item counts as, in order; returns the hires among them."""
    zone = zone_of(client.zone)
    stages = {folded(text): stage for text, stage in rows.stage_map(tx, client.no).items()}
    # Asked first: whatever is judged by then is among the known ones.
    judged_at = min(now, marks.judged_at(tx, client.no))
    known = _known(tx, client, items)
    history = _history(tx, client, items)
    passed: list[FunnelItem] = []
    for item in items:
        item.stage = stage_of(item.status, stages)
        item.click_id, item.facts = known.get(item.application, (item.click_id, b""))
        event = event_of(item.status, item.stage, item.event_at, item.received_at)
        said_by = history.setdefault(item.application, {}).setdefault(event[:2], item)
        item.disposition, item.reason = disposition_of(
            event,
            repeated=said_by is not item and said_by != item.no,
            judged_at=judged_at,
            # An item that only lacks a stage has a known application already.
            known=item.application in known or item.disposition == UNMAPPED,
            frozen=is_closed(item.event_at, now, zone),
        )
        if item.disposition == COUNTED and item.stage == HIRED:
            passed.append(item)
    return _first_hires(tx, client, passed)


def _known(tx: Tx, client: Client, items: Sequence[FunnelItem]) -> dict[str, Origin]:
    """The known applications among these, each with its origin: by the first key that is known.

    An id that no event has told yet may be the ATS's alone, as where the page of thanks has none. A
    click id of the client's own proves itself: it was issued for a durable click.
    """
    bodies = [item.body for item in items]
    named = [body.application_id for body in bodies if body.application_id]
    pairs = [
        (body.candidate_id, body.job_reference)
        for body in bodies
        if body.candidate_id and body.job_reference
    ]
    by_id = rows.by_application_id(tx, client.no, named)
    by_pair = rows.by_candidate(tx, client.no, pairs)
    known: dict[str, Origin] = {}
    for item in items:
        body = item.body
        origin = by_id.get(body.application_id) or by_pair.get(
            (body.candidate_id, body.job_reference)
        )
        if origin is None and body.click_facts:
            origin = (item.click_id, body.click_facts)
        if origin is not None:
            known.setdefault(item.application, origin)
    return known


def _history(
    tx: Tx, client: Client, items: Sequence[FunnelItem]
) -> dict[str, dict[tuple[str, Instant], object]]:
    """By application: what happened to it at these instants, and the number of the item that says
    so.
    """
    history: dict[str, dict[tuple[str, Instant], object]] = {}
    for no, application, status, stage, at in rows.history(tx, client.no, items):
        event = event_of(status, stage, at, at)
        history.setdefault(application, {}).setdefault(event[:2], no)
    return history


def _first_hires(tx: Tx, client: Client, passed: Sequence[FunnelItem]) -> list[FunnelItem]:
    """The counted HIRED items that are hires: one per application, and only one per click if either
    was named by the click or the candidate only.
    """
    if not passed:
        return []
    clicks = sorted({item.click_id for item in passed if item.click_id})
    names = sorted({item.application for item in passed})
    hired, by_click = hire_rows.hired(tx, client.no, names, clicks)
    first = []
    for item in passed:
        bare = not item.application.startswith(_NAMED)
        taken = bool(item.click_id) and (
            (item.click_id, True) in by_click or (bare and (item.click_id, False) in by_click)
        )
        if item.application in hired or taken:
            item.reason = "hired_before"
            continue
        hired.add(item.application)
        by_click.add((item.click_id, bare))
        first.append(item)
    return first


# ── what waits ──────────────────────────────────────────────────────────────────────────────────
def settle(tx: Tx, client: Client, disposition: str, after: int, now: Instant) -> int | None:
    """Judge the next waiting items of a client, after a number; returns the last number looked at,
    or None when no more wait.
    """
    clients.lock(tx, client.no)
    items = rows.waiting(tx, client.no, disposition, after, BATCH)
    hires = _judge(tx, client, items, now) if items else []
    rows.save(tx, [item for item in items if item.disposition != disposition])
    hire_rows.add_hires(tx, client.no, hires)
    return items[-1].no if len(items) == BATCH else None


def lately(tx: Tx, client: Client) -> int:
    """The number after which a client's latest parked items are."""
    return rows.parked_before(tx, client.no, _LATEST)


def clients_waiting(tx: Tx) -> list[str]:
    """The ids of clients with items that wait for their application."""
    return rows.clients_with(tx, PARKED)


# ── stage maps ──────────────────────────────────────────────────────────────────────────────────
def stage_map(tx: Tx, client: Client) -> tuple[dict[str, str], dict[str, int]]:
    """The client's own map, and the texts without a stage, each with its number of items."""
    return rows.stage_map(tx, client.no), rows.unmapped_texts(tx, client.no, _MOST_TEXTS)


def set_stage_map(tx: Tx, now: Instant, client: Client, stages: dict[str, str]) -> None:
    """Replace the map, and apply it to items without a stage; those that have one keep it."""
    entity = TrailEntity("STAGE_MAP", client.id, client.agency_no, client.no)
    before = rows.stage_map(tx, client.no)
    changes.tell(tx, now, entity, {"stages": before}, {"stages": stages})
    rows.set_stage_map(tx, client.no, stages, now)
    after: int | None = 0
    for _ in range(_AT_ONCE):
        assert after is not None, "asked again only when there may be more"
        after = settle(tx, client, UNMAPPED, after, now)
        if after is None:
            return
    enqueue(tx, kinds.SETTLE, client.id, now)


# ── hires ───────────────────────────────────────────────────────────────────────────────────────
def unbooked_hires(tx: Tx, most: int, but: Iterable[int] = ()) -> list[Hire]:
    """Hires that the ledger has not booked, oldest first, without those of some clients.

    The ledger books each exactly once: it calls ``hires_booked`` in the transaction that registers
    the entries, and rolls it back when fewer were left to book than it took.
    """
    return hire_rows.unbooked(tx, most, but)


def hires_booked(tx: Tx, nos: Sequence[int], now: Instant) -> int:
    """Mark hires as booked; returns how many were not before."""
    return hire_rows.book(tx, nos, now) if nos else 0
