"""Use cases of postings: the purchases; ``slots`` handles their jobs."""

from collections.abc import Iterable, Mapping
from typing import Any

from handbill.clients import service as clients
from handbill.core.changes import with_changes
from handbill.core.nouns import Client, Publisher
from handbill.core.postings import Posting, PostingBody, PostingJob
from handbill.host.ids import Ids, new_uuid
from handbill.kit.faults import Fault, bad_request, not_found, refused_state
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of, zone_of
from handbill.postings import rows, slots, telling, turning_rows
from handbill.store.records import Tx
from handbill.wire.date_patterns import NotDate, Read, instant_in, read_date

MOST_CLIENTS = 100
_NEVER_CLEARED = ("cost_micros", "end", "available")


# ── reading ─────────────────────────────────────────────────────────────────────────────────────
def posting_of(tx: Tx, client: Client, config_id: str, publisher: Publisher | None) -> Posting:
    """The client's live purchase of that id, at that publisher if one is named. **Refuses** any
    other alike (404).
    """
    posting = rows.find(tx, client.no, config_id)
    if posting is None or (publisher is not None and posting.publisher_no != publisher.no):
        raise not_found()
    return posting


def page(tx: Tx, client: Client, skip: int, limit: int) -> tuple[list[Posting], int]:
    """Some of the client's purchases at all publishers, oldest first; and how many in all."""
    return rows.page(tx, client.no, skip, limit), rows.count(tx, client.no)


def page_at(
    tx: Tx, client: Client, publisher: Publisher, skip: int, limit: int
) -> tuple[list[Posting], int]:
    """Some of the client's purchases at one publisher."""
    postings = rows.page_at(tx, client.no, publisher.no, skip, limit)
    return postings, rows.count_at(tx, client.no, publisher.no)


def newest_at(tx: Tx, client: Client, publisher: Publisher) -> Posting | None:
    return rows.newest_at(tx, client.no, publisher.no)


def jobs_of(tx: Tx, posting: Posting, client: Client) -> list[PostingJob]:
    """The client's own jobs of a purchase, oldest first; other clients' jobs in it are not
    shown.
    """
    every = rows.jobs_of(tx, posting.no)
    return [job for job in every if job.client_no == client.no and job.is_there]


def job_of(tx: Tx, posting: Posting, client: Client, ref: str) -> PostingJob:
    """The posting of a reference. **Refuses** one that the purchase does not have (404)."""
    job = rows.by_refs(tx, posting.no, client.no, [ref]).get(ref)
    if job is None or not job.is_there:
        raise not_found()
    return job


def posted_page(
    tx: Tx, client: Client, publisher: Publisher, pinned: bool | None, skip: int, limit: int
) -> tuple[list[tuple[PostingJob, str]], int]:
    """Posted jobs of a client at a publisher, each with its purchase's id; and how many in all."""
    posted = rows.posted_page(tx, client.no, publisher.no, pinned, skip, limit)
    return posted, rows.posted_count(tx, client.no, publisher.no, pinned)


def posted_jobs(tx: Tx, client_no: int) -> dict[int, list[int]]:
    """By publisher, the numbers of the jobs that hold a slot there and are not paused in it: they
    are in its outbound feed, without a bid. Whether a job can be shown at all is decided by
    listings.
    """
    return rows.posted_numbers(tx, client_no)


# ── purchases ───────────────────────────────────────────────────────────────────────────────────
def create(
    tx: Tx,
    ids: Ids,
    now: Instant,
    client: Client,
    publisher: Publisher,
    *,
    start: Read,
    end: Read,
    client_ids: Iterable[str] = (),
    **terms: Any,
) -> str:
    """Create a purchase on these terms (``PostingBody``); its id.

    **Refuses** an end on a day before the start's (400), clients that are not the agency's (404).
    """
    zone = zone_of(client.zone)
    start_at, end_at = instant_in(start, zone, last=False), instant_in(end, zone, last=True)
    body = PostingBody(**terms)
    _require_sound(start_at, end_at, client, body)
    client_nos = _served(tx, client, client_ids)
    posting = Posting(
        no=0,
        id=new_uuid(ids),
        agency_no=client.agency_no,
        publisher_no=publisher.no,
        body=body,
        start_at=start_at,
        end_at=end_at,
        credits_used=0,
        turned_at=now,
        created_at=now,
        updated_at=now,
    )
    no = rows.add(tx, posting)
    rows.serve(tx, no, client_nos)
    made = rows.by_number(tx, no)
    assert made is not None, "it was put just now"
    whose = {"publisher": publisher.id}
    telling.purchase(tx, now, client, made, {}, telling.state_of(made) | whose)
    return posting.id


def update(
    tx: Tx, now: Instant, client: Client, posting: Posting, changes: Mapping[str, Any]
) -> None:
    """Change a purchase: its terms, its ``client_ids``, its ``end``, a text in its pattern.

    **Refuses** (400) fewer slots than are in use, a change between slots and durations, and
    clearing what is required; clients that are not the agency's (404).
    """
    posting = slots.locked(tx, client, posting)
    before = telling.state_of(posting)
    terms = {name: one for name, one in changes.items() if name not in {"end", "client_ids"}}
    faults = [
        Fault(name, "cannot be cleared")
        for name in _NEVER_CLEARED
        if name in changes and changes[name] is None
    ]
    end: Read | None = None
    if changes.get("end") is not None:
        pattern = changes.get("date_format") or posting.body.date_format
        try:
            end = read_date(changes["end"], pattern)
        except NotDate as bad:
            faults.append(Fault("end", str(bad)))
    if faults:
        raise bad_request(faults)
    if end is not None:
        posting.end_at = instant_in(end, zone_of(client.zone), last=True)
    of_slots = slots.is_slots(posting)
    posting.body = with_changes(posting.body, terms)
    _require_sound(posting.start_at, posting.end_at, client, posting.body)
    if slots.is_slots(posting) != of_slots:
        rule = "cannot be 0 where slots" if of_slots else "must be 0 where durations"
        raise refused_state("rotate_days", f"{rule} were bought")
    _check_use(tx, posting)
    if "client_ids" in changes:
        _serve_others(tx, now, posting, _served(tx, client, changes["client_ids"] or []))
    posting.updated_at = now
    rows.save(tx, posting, spend_at=now)
    stands = rows.by_number(tx, posting.no)
    assert stands is not None, "it was found just now"
    telling.purchase(tx, now, client, stands, before, telling.state_of(stands))
    slots.settle(tx, posting, now)


def delete(tx: Tx, now: Instant, client: Client, posting: Posting) -> None:
    """Delete the purchase and its jobs for readers and feeds; their rows are kept."""
    posting = slots.locked(tx, client, posting)
    served = turning_rows.end_posted(tx, posting.no, now)
    posting.posted, posting.updated_at = 0, now
    rows.save(tx, posting, deleted_at=now, due_at=None, spend_at=now)
    slots.publish(tx, served, now)
    telling.purchase(tx, now, client, posting, telling.state_of(posting), {})


def _require_sound(start_at: Instant, end_at: Instant, client: Client, body: PostingBody) -> None:
    """**Refuses** (400) an end before the start, and a longest stay below the shortest.

    Start ≤ end holds for days: the reference's own sample ends minutes before it starts
    (docs/contract-notes.md).
    """
    zone = zone_of(client.zone)
    faults = []
    if day_of(end_at, zone) < day_of(start_at, zone):
        faults.append(Fault("end", "must not be before startDate"))
    if body.stay_days and body.least_stay_days > body.stay_days:
        faults.append(Fault("least_stay_days", "must not be more than jobDuration"))
    if faults:
        raise bad_request(faults)


def _check_use(tx: Tx, posting: Posting) -> None:
    least = max(slots.used(posting), len(turning_rows.pinned(tx, posting.no)))
    if posting.body.available < least:
        raise refused_state("available", f"must be at least the {least} in use")


def _served(tx: Tx, client: Client, client_ids: Iterable[str]) -> list[int]:
    """The numbers of the clients that a purchase serves, the path's client first."""
    others = [clients.client_of(tx, client.agency_no, client_id).no for client_id in client_ids]
    nos = list(dict.fromkeys([client.no, *others]))
    if len(nos) > MOST_CLIENTS:
        raise bad_request([Fault("client_ids", f"must have at most {MOST_CLIENTS} clients")])
    return nos


def _serve_others(tx: Tx, now: Instant, posting: Posting, client_nos: list[int]) -> None:
    gone = [job for job in rows.jobs_of(tx, posting.no) if job.client_no not in client_nos]
    slots.delete_jobs(tx, posting, gone, now)
    rows.serve(tx, posting.no, client_nos)
