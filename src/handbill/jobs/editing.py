"""Changes of single jobs by an API caller. The rows are written the same way as a feed's."""

from collections.abc import Collection, Mapping
from typing import Any

from handbill.changes import service as changes
from handbill.clients import service as clients
from handbill.core.changes import settled
from handbill.core.nouns import (
    Client,
    Job,
    JobBody,
    JobPlacement,
    JobSettings,
    Publisher,
    PublisherFields,
)
from handbill.core.rates import Exchange
from handbill.core.trail import TrailEntity, fields_of
from handbill.dialects.outbound import kept_nodes
from handbill.jobs import carried, mark_rows, rows, service, taking_over
from handbill.kit.faults import Fault, bad_request, refused_state, step_of
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of, zone_of
from handbill.publishers import service as publishers
from handbill.rates import service as rates
from handbill.store.records import Tx
from handbill.wire.date_patterns import Read, instant_in
from handbill.work import kinds
from handbill.work.queue import enqueue

_MANDATORY = ("title", "description", "url")
_SETTINGS = frozenset(("publisher_fields", "setting", "placements"))


def job_to_change(tx: Tx, client: Client, ref: str) -> Job:
    """The client's live job of that reference, its rows settled. **Refuses** any other (404)."""
    job = service.job_of(tx, client.no, ref)
    taking_over.settle_job(tx, client, job.no)
    return service.job_of(tx, client.no, ref)


def add(tx: Tx, now: Instant, client: Client, given: Mapping[str, Any]) -> Job:
    """Create a job from rows of its body and settings by their own names, and ``publisher_fields``.
    A job without title, description or any URL is kept, but not valid (domain 5.2).

    **Refuses** (400) a reference in use, by API or feed, and settings for unknown publishers. The
    reference of an expired job is free: that job counts as deleted since (domain 1.7).
    """
    given = _dated(client, given)
    ref = given["ref"]
    stands = rows.standing(tx, client.no, [ref]).get(ref)
    if stands is not None:
        taking_over.settle_job(tx, client, stands.no)
    before = rows.find(tx, client.no, ref)
    if before is not None:
        if not before.expired(now):
            raise refused_state("ref", "already exists")
        delete(tx, now, client, before)
    blank = JobBody(ref=ref, published_at=now)
    faults: list[Fault] = []
    body = settled(blank, _of_body(given), faults)
    settings = _settings(tx, now, client, JobSettings(), body, given, faults)
    if faults:
        raise bad_request(faults)
    body.posted_at = body.published_at
    body.modified_at = body.published_at
    body.missing = _missing(body)
    if stands is not None:
        taking_over.keep_out(tx, client, stands.no, is_carried=True)
    _write(tx, now, client, None, body, None)
    job = service.job_of(tx, client.no, ref)
    rows.set_settings(tx, job.no, settings, now)
    rows.set_status(tx, job.no, "A", now)
    changes.tell(tx, now, _entity(client, job), {}, state_of(body, settings, whole=False))
    return job


def update(tx: Tx, now: Instant, client: Client, job: Job, given: Mapping[str, Any]) -> None:
    """Change what is given, in the form of ``add``; nothing given changes nothing. A feed's job
    keeps the change until its feed says something new about it.

    **Refuses** (400) a job that is not valid or would not be, and settings for unknown publishers.
    """
    _refuse_invalid(job)
    given = _dated(client, given)
    faults: list[Fault] = []
    before = job.body.settings or JobSettings()
    job.body.settings = None
    body = settled(job.body, _of_body(given), faults)
    settings = _settings(tx, now, client, before, body, given, faults)
    faults += [Fault(name, "must not be empty") for name in _missing(body)]
    if faults:
        raise bad_request(faults)
    if body == job.body and settings == before:
        return
    if body != job.body:
        body.modified_at = now
        if "published_at" in given and "posted_at" not in given:
            body.posted_at = body.published_at
        stands = rows.standing(tx, client.no, [body.ref])[body.ref]
        _write(tx, now, client, job.feed_no, body, stands.raw_digest)
    rows.set_settings(tx, job.no, settings, now)
    states = state_of(job.body, before, whole=True), state_of(body, settings, whole=True)
    changes.tell(tx, now, _entity(client, job), *states)
    clients.wake_listings(tx, client, now)


def switch(tx: Tx, now: Instant, client: Client, job: Job, status: str) -> None:
    """Pause (P) or enable (A); already so: nothing changes. **Refuses** an invalid job (400)."""
    _refuse_invalid(job)
    if job.status != status:
        rows.set_status(tx, job.no, status, now)
        changes.tell(tx, now, _entity(client, job), {"status": job.status}, {"status": status})
        clients.wake_listings(tx, client, now)


def delete(tx: Tx, now: Instant, client: Client, job: Job) -> None:
    """Delete it from every feed. Its number and URL stay, so that late clicks find their way.

    While a feed carries it, it stays deleted; before that ends only ``add`` brings it back.
    """
    taking_over.keep_out(tx, client, job.no, is_carried=False)
    carrier = carried.carrier_of(tx, job.no) if job.feed_no is None else job.feed_no
    if carrier is None:
        rows.leave_one(tx, job.no, now)
    else:
        rows.delete_in_feed(tx, job, carrier, now)
    mark_rows.mark_unmatched(tx, client.no, [job.no])
    enqueue(tx, kinds.REMATCH, client.id, now)
    before = state_of(job.body, job.body.settings or JobSettings(), whole=False)
    changes.tell(tx, now, _entity(client, job), before | {"status": job.status}, {})


def _entity(client: Client, job: Job) -> TrailEntity:
    return TrailEntity("JOB", job.id, client.agency_no, client.no)


def state_of(body: JobBody, settings: JobSettings, *, whole: bool) -> dict[str, Any]:
    """The state of a job in its changes, without the time at which it was changed."""
    fields = fields_of(body, whole=whole) | {"settings": settings}
    fields.pop("modified_at", None)
    return fields


def _refuse_invalid(job: Job) -> None:
    if not job.valid:
        raise refused_state("", "The job is not valid: " + ", ".join(job.body.missing))


def _write(
    tx: Tx, now: Instant, client: Client, feed_no: int | None, body: JobBody, raw: bytes | None
) -> None:
    posted = body.posted_at
    posted_on = None if posted is None else day_of(posted, zone_of(client.zone)).isoformat()
    clients.learn_custom_fields(tx, client.no, body.additional)
    service.apply(tx, client, feed_no, [service.written(body, posted_on, raw)], now)
    enqueue(tx, kinds.REMATCH, client.id, now)


def _dated(client: Client, given: Mapping[str, Any]) -> dict[str, Any]:
    """Days of the client's zone as instants: a publication's first moment, an end's last."""
    zone = zone_of(client.zone)
    return dict(given) | {
        name: instant_in(given[name], zone, last=name == "end_at")
        for name in ("published_at", "end_at")
        if isinstance(given.get(name), Read)
    }


def _of_body(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in _SETTINGS}


def _missing(body: JobBody) -> tuple[str, ...]:
    """The mandatory fields that are empty (domain 5.2)."""
    texts = {"title": body.title, "description": body.description}
    texts["url"] = body.url or body.alternate_url
    return tuple(name for name in _MANDATORY if not texts[name].strip())


def _settings(
    tx: Tx,
    now: Instant,
    client: Client,
    settings: JobSettings,
    body: JobBody,
    given: Mapping[str, Any],
    faults: list[Fault],
) -> JobSettings:
    """The settings after a change; the publishers' nodes go into the body. A publisher that stood
    there may stay, although it was deleted since.
    """
    stood = {*(settings.publishers or ()), *body.publisher_nodes}
    changes = {name: given[name] for name in ("setting", "placements") if name in given}
    known: dict[str, Publisher] = {}
    if given.keys() & {"publisher_fields", "placements"}:
        known = {one.id: one for one in publishers.publishers_of(tx, client.agency_no)}
    if "publisher_fields" in given:
        fields = given["publisher_fields"] or PublisherFields(None, {})
        faults += [
            Fault(f"publisher_fields.{one.field}", one.message)
            for one in _publisher_faults(fields, known, stood)
        ]
        changes |= {"publishers": fields.publishers, "publishers_of_feed": fields.of_feed}
        body.publisher_nodes = fields.nodes
    if "placements" in changes:
        changes["placements"] = tuple(changes["placements"] or ())
        exchange = rates.exchange_of(tx, client, now)
        for n, placement in enumerate(changes["placements"]):
            if placement.publisher_id not in known and placement in settings.placements:
                continue
            faults += [
                Fault(f"placements.{n}.{one.field}", one.message)
                for one in _placement_faults(placement, known.get(placement.publisher_id), exchange)
            ]
    after = settled(settings, changes, faults)
    start_on, end_on = after.setting.start_on, after.setting.end_on
    if start_on and end_on and end_on < start_on:
        faults.append(Fault("setting.end_on", "must not be before startDate"))
    return after


def _publisher_faults(
    said: PublisherFields, known: Mapping[str, Publisher], stood: Collection[str]
) -> list[Fault]:
    named = {f"publishers.{n}": id_ for n, id_ in enumerate(said.publishers or ())}
    named |= {step_of(id_): id_ for id_ in said.nodes}
    faults = [
        Fault(at, "is not a publisher of the agency")
        for at, id_ in named.items()
        if id_ not in known and id_ not in stood
    ]
    faults += [
        Fault(f"{step_of(id_)}.{step_of(name)}", "is a reserved node")
        for id_, nodes in said.nodes.items()
        if id_ in known
        for name in sorted(kept_nodes(known[id_].body.feed_schema) & nodes.keys())
    ]
    return faults


def _placement_faults(
    placement: JobPlacement, publisher: Publisher | None, exchange: Exchange
) -> list[Fault]:
    if publisher is None:
        return [Fault("publisher_id", "is not a publisher of the agency")]
    bid = "cpa_bid_micros" if publisher.body.bid_type == "CPA" else "cpc_bid_micros"
    return [
        Fault(bid if fault.field == "bid_micros" else fault.field, fault.message)
        for fault in publishers.asked_faults(
            publisher, exchange, placement.currency, getattr(placement, bid)
        )
    ]
