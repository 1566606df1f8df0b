"""What a batch is made of: events of the journal, and what waited for them or for their time."""

from collections.abc import Iterable, Iterator, Sequence

from handbill.core.attribution import keys_of, late_keys_of
from handbill.core.closing import first_open
from handbill.core.judging import visitor_of
from handbill.core.received import ReceivedClick, ReceivedConversion, ReceivedFetch, decode, encode
from handbill.core.spending import Spending, Used, add_used
from handbill.funnel import service as funnel
from handbill.ledger import counter_rows, hires, purchases, rows
from handbill.ledger.arriving import Arrived, id_of
from handbill.ledger.batches import Batch
from handbill.ledger.classing import ClassingFacts
from handbill.ledger.counting import at_job
from handbill.ledger.runs import Conversion, FormerRecords, RunClick
from handbill.ledger.tills import Tills, place_of
from handbill.postings import spending
from handbill.store import asides
from handbill.store.records import Records, Tx

_MOST_PARKED = 1_000  # parked conversions that one batch looks at again
_MOST_TAKEN_BACK = 10_000  # events of clients that were set aside
_Judgeable = ReceivedClick | ReceivedConversion
_Came = tuple[bytes, _Judgeable]
"""An event, and the id of its entry."""


def gather(tx: Tx, batch: Batch, taken: Sequence[Arrived], key: bytes) -> None:
    """Collect everything that waits, by client: lines of the journal, parked conversions, hires,
    and parts of purchases. Events of a client that is set aside are kept for it.
    """
    judged = list(_taken_back(tx, batch))
    for id_, event in _came(batch, taken):
        assert event.client_no > 0, "an event has a client"
        if event.client_no in batch.aside:
            batch.kept.append((event.client_no, id_ + encode([event])))
        else:
            judged.append((id_, event))
    clicks: dict[int, list[ReceivedClick]] = {}
    for id_, event in judged:
        if isinstance(event, ReceivedClick):
            clicks.setdefault(event.client_no, []).append(event)
        else:
            batch.of_client(event.client_no).conversions.append(Conversion(id_, event))
    for client_no, some in clicks.items():
        some.sort(key=lambda click: click.at)
        batch.of_client(client_no).clicks = visitors_of(some, key)
    _unpark(tx, batch)
    batch.hires = funnel.unbooked_hires(tx, hires.MOST, batch.aside)
    batch.dues = [
        due
        for due in spending.unbooked(tx, batch.now)
        if batch.aside.isdisjoint(share.client_no for share in due.shares)
    ]


def _came(batch: Batch, taken: Sequence[Arrived]) -> Iterator[_Came]:
    for line, received, _ in taken:
        for index, event in enumerate(received):
            if isinstance(event, ReceivedFetch):
                batch.fetches.append(event)
            elif isinstance(event, ReceivedClick):
                yield event.random, event
            else:
                yield id_of(line, index, event), event
        batch.moved[line.source] = line.mark_after


def _taken_back(tx: Tx, batch: Batch) -> Iterator[_Came]:
    """Kept events of clients that are due to be tried again. If a client has more than there is
    room for, its new events are kept behind them.
    """
    room = _MOST_TAKEN_BACK
    for one in asides.every(tx):
        some = asides.kept(tx, one.client_no, room) if one.again_at <= batch.now else []
        if one.again_at > batch.now or len(some) == room:
            batch.aside.add(one.client_no)
        else:
            batch.ended.append(one.client_no)
        assert len(some) <= room, "no more is taken back than there is room for"
        room -= len(some)
        for no, body in some:
            batch.taken_back.append(no)
            yield body[:16], _judgeable(body)


def _judgeable(body: bytes) -> _Judgeable:
    (event,) = decode(body[16:])
    assert isinstance(event, ReceivedClick | ReceivedConversion), "nothing else is kept"
    return event


def _unpark(tx: Tx, batch: Batch) -> None:
    """Look again at conversions whose click is here now, or that waited for a day by the doors'
    stamps: a click would have been judged by now.
    """
    ids = [click.event.random for some in batch.arrivals.values() for click in some.clicks]
    waiting = rows.parked_for(tx, ids, _MOST_PARKED) if ids else []
    waiting += rows.parked_due(tx, batch.judged_at, _MOST_PARKED, batch.aside)
    for row in {row.no: row for row in waiting}.values():
        body = bytes(row.body)
        event = decode(body[16:])[0]
        assert isinstance(event, ReceivedConversion)
        waiting_for = Conversion(body[:16], event, row.no, row.due_at)
        batch.of_client(row.client_no).conversions.append(waiting_for)
    for arrivals in batch.arrivals.values():
        arrivals.conversions.sort(key=lambda conversion: conversion.event.at)


def visitors_of(events: Sequence[ReceivedClick], key: bytes) -> list[RunClick]:
    """Clicks with their visitor and job."""
    return [
        RunClick(event, visitor_of(key, event.job_id, event.ip, event.agent)) for event in events
    ]


def note_places(batch: Batch) -> None:
    """Note the places and jobs whose caps the batch concerns."""
    batch.places.update(hires.places_of(batch.hires), purchases.places_of(batch.dues))
    for client_no, some in batch.arrivals.items():
        batch.places.update(place_of(click.event) for click in some.clicks)
        batch.places.update(place_of(arrived.event) for arrived in some.conversions)
        at = batch.at_jobs[client_no] = {at_job(click.event) for click in some.clicks}
        at.update(
            at_job(arrived.event)
            for arrived in some.conversions
            if arrived.event.click_client_no == client_no
        )
        batch.jobs.update(job_id for _, _, job_id in at)


def look_up_former(tx: Tx, batch: Batch, facts: ClassingFacts) -> None:
    """Look up what was recorded of the batch's visitors and applicants before, by client."""
    tills = _open_tills(tx, batch)
    assert tills.keys() == batch.arrivals.keys(), "every client has its own tills"
    everyone = batch.arrivals.values()
    named = {click.event.random for some in everyone for click in some.clicks}
    named |= {arrived.event.click_random for some in everyone for arrived in some.conversions}
    clicks = rows.known_clicks(tx, sorted(named - {b""}))
    visitors = {click.visitor for some in everyone for click in some.clicks}
    visits = rows.known_visits(tx, sorted(visitors))
    for client_no, some in batch.arrivals.items():
        keys = sorted(identities(some.conversions))
        known_keys = rows.known_keys(tx, client_no, keys) if keys else {}
        batch.known[client_no] = FormerRecords(clicks, visits, known_keys, tills[client_no], facts)


def _open_tills(tx: Tx, batch: Batch) -> dict[int, Tills]:
    """The tills of a batch's events, by client, with what was used before them."""
    used: Used = {}
    opened: dict[int, Tills] = {}
    for client_no, some in batch.arrivals.items():
        terms, zone = batch.terms.get(client_no), batch.zone(client_no)
        of_jobs, open_at = batch.of_jobs.get(client_no, {}), first_open(batch.now, zone)
        tills = opened[client_no] = Tills(terms, of_jobs, zone, open_at, Spending(used=used))
        for click in some.clicks:
            tills.at(click.event, click.event.at)
        for _, event, _, _ in some.conversions:
            if event.click_client_no == client_no:
                tills.at(event, event.click_at)
                tills.at(event, event.at)
    assert all(used.values()), "what is asked for is somebody's"
    counter_rows.read_used(tx, used)
    add_used(used, batch.counting.found)
    for tills in opened.values():
        tills.spending.is_read = True
    return opened


def is_as_read(records: Records, batch: Batch) -> bool:
    """Whether nobody has committed anything since the batch was read. False also if the engine
    cannot tell.
    """
    if batch.seen is None:
        return False
    with records.read() as tx:
        return tx.memory() is batch.seen


def identities(conversions: Iterable[Conversion]) -> set[str]:
    """The keys that may identify these conversions, in time or late."""
    named: set[str | None] = set()
    for _, event, _, _ in conversions:
        what = (event.action, event.click_random, event.application_id)
        named.update(keys_of(*what))
        named.update(late_keys_of(*what, event.at - event.click_at))
    return {key for key in named if key is not None}
