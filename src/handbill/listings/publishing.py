"""Publishes a client: decides its listings, tells the edge, renders the parts that changed.

The order makes links safe: jobs are read first, then every URL that is marked by then goes into the
edge's index, and only then can a file show a link.
"""

from collections.abc import Iterable

from handbill.clients import service as clients
from handbill.core.nouns import Client, Publisher
from handbill.dialects.outbound import shape_of
from handbill.jobs import service as jobs
from handbill.jobs import taking_over
from handbill.kit.faults import Unavailable
from handbill.kit.instants import DAY, HOUR
from handbill.listings import end_rows, fragments, parts, rosters, rows
from handbill.listings.indexing import index_client
from handbill.listings.offers import Offers, offers_of
from handbill.listings.parts import Stall
from handbill.listings.rows import Part
from handbill.listings.service import ALL_CLIENTS, ensure_file
from handbill.standing import service as standing
from handbill.store import holds
from handbill.store.records import Tx
from handbill.store.records.base import STEP
from handbill.work import kinds
from handbill.work.queue import enqueue
from handbill.work.tools import Tools

NO_JOBS = bytes(16)


def publish(tools: Tools, client: Client, *, live: bool) -> None:
    """Bring the client's part of every publisher's files up to date; equal parts stay.

    A deleted client's parts become empty. ``listings.assemble`` then writes the files of publishers
    whose parts changed.
    """
    taking_over.settle(tools.records, client)
    with tools.records.read() as tx:
        if taking_over.is_amid(tx, client.no):
            raise Unavailable("a feed of the client is being imported now")
        # A clock that was set back lists nothing again that has ended since. Where that was by more
        # than a day, it was wrong before.
        now, was = tools.clock.now(), standing.evaluation_of(tx, client.no).evaluated_at
        at = was if now < was <= now + DAY else now
        offers = offers_of(tx, client, at) if live else Offers([])
        places = clients.custom_places(tx, client.no)
        former = rows.parts_of_client(tx, client.no)
        wanted = {
            (publisher.no, no) for publisher in offers.slots for no in _files(publisher, client)
        }
        held = rows.files_held(tx, (p.no for p in offers.slots), (ALL_CLIENTS, client.no))
    _ensure_files(tools, sorted(wanted - held))
    secrets = index_client(tools, client)
    with fragments.opened(tools.scratch / "fragments") as kept:
        for slot, publisher in enumerate(offers.slots):
            body = publisher.body
            shape = shape_of(body.feed_schema, body.currency, client.body.advertiser_name, places)
            kid = max(secrets)
            stall = Stall(
                tools.records,
                tools.blobs,
                kept,
                tools.own_scratch,
                client,
                publisher,
                shape,
                f"{tools.settings.public_edge}/c/",
                kid,
                secrets[kid],
            )
            _bring_up(tools, stall, offers, slot, former.pop(publisher.no, None))
    for publisher_no, part in former.items():
        if part.job_count:
            _empty(tools, client, publisher_no, part)
    _clear(tools, client)


def _bring_up(tools: Tools, stall: Stall, offers: Offers, slot: int, former: Part | None) -> None:
    publisher, count = stall.publisher, offers.counts[slot]
    digest = parts.digest_of(stall, offers.digests[slot]) if count else NO_JOBS
    if former is not None and former.digest == digest:
        return
    if not count:
        _empty(tools, stall.client, publisher.no, former)
        return
    past = rosters.history(tools.blobs, former, tools.clock.now())
    part, ended, left = parts.write_part(stall, digest, offers.of(slot), past)
    _mark_delisted(tools, stall.client, left)
    _commit(tools, former, part, rosters.ends(past, part, ended))


def _empty(tools: Tools, client: Client, publisher_no: int, former: Part | None) -> None:
    past = rosters.history(tools.blobs, former, tools.clock.now())
    part = Part(
        publisher_no=publisher_no,
        client_no=client.no,
        digest=NO_JOBS,
        job_count=0,
        plain_bytes=0,
        crc=0,
    )
    _mark_delisted(tools, client, past.lines)
    _commit(tools, former, part, rosters.ends(past, part, past.lines))


def _mark_delisted(tools: Tools, client: Client, left: Iterable[bytes]) -> None:
    """Note which jobs a file lists no longer, in steps, before the part without them is on record.
    If this run ends in between, what it has noted is true all the same: the file has listed them.
    """
    with tools.records.read() as tx:
        nos = jobs.never_delisted(tx, client.no, left)
    tools.records.in_parts(nos, lambda tx, some: jobs.mark_delisted(tx, client.no, some))


def _files(publisher: Publisher, client: Client) -> tuple[int, ...]:
    """Whose files a publisher gets: that of all clients and, if it wants, one of each."""
    return (ALL_CLIENTS, client.no) if publisher.body.per_client else (ALL_CLIENTS,)


def _ensure_files(tools: Tools, missing: list[tuple[int, int]]) -> None:
    if missing:
        now = tools.clock.now()
        with tools.records.write() as tx:
            for publisher_no, client_no in missing:
                ensure_file(tx, tools.ids, publisher_no, now, client_no)


def _commit(tools: Tools, former: Part | None, part: Part, ends: list[end_rows.End]) -> None:
    """Put a part on record with the ends that it brings, and have the publisher's files written.
    **Refuses** (Unavailable) to replace another part than the one that it was compared with.
    """
    now, before = tools.clock.now(), former
    if former is not None and former.noting_at is not None:
        _forget_noted(tools, former)
    if former is not None and len(ends) > STEP:
        before = _noted(tools, former, ends)
        ends = []
    with tools.records.write() as tx:
        _require(tx, part, before)
        if former == before:
            _forget_last(tx, former)
        is_held = holds.stand(tx, now)
        if former is not None and (is_held or not part.job_count):
            part = part._replace(clear_at=now + holds.LEASE)
        rows.put_parts(tx, [part], now)
        end_rows.add_ends(tx, ends)
        enqueue(tx, kinds.ASSEMBLE, str(part.publisher_no), now)
    if not is_held:
        _drop_former(tools, part, former)


def _clear(tools: Tools, client: Client) -> None:
    """Delete the blobs that no later part will: of what is empty now, or was replaced while a
    backup held them. If it is too early for any, the client is published again.
    """
    with tools.records.read() as tx:
        every = [one for one in rows.parts_of_client(tx, client.no).values() if one.clear_at]
    if not every:
        return
    now = tools.clock.now()
    with tools.records.write() as tx:
        is_held = holds.stand(tx, now)
        due = [] if is_held else [one for one in every if (one.clear_at or now) <= now]
        if len(due) < len(every):
            # It decides all of the client's listings again: seldom, while a long backup runs.
            due_at = now + (HOUR if is_held else holds.LEASE)
            enqueue(tx, kinds.PUBLISH, client.id, now, due_at=due_at)
    for part in due:
        _drop_former(tools, part, None)


def _drop_former(tools: Tools, part: Part, former: Part | None) -> None:
    """Delete what no part on record has, unless this part is on record no longer: a run that comes
    back to life after its lease would delete what another has written since. The store may be
    slow, so nobody is kept from writing meanwhile.
    """
    gone = parts.formers(tools.blobs, part, former)
    with tools.records.read() as tx:
        if rows.part_of(tx, part.publisher_no, part.client_no) != part:
            return
    for path in gone:
        tools.blobs.delete(path)
    if former is None:
        with tools.records.write() as tx:
            if rows.hold_part(tx, part.publisher_no, part.client_no) == part:
                rows.set_cleared(tx, part)


def _noted(tools: Tools, former: Part, ends: list[end_rows.End]) -> Part:
    """Store many ends in steps: they take effect together, when the next part is put. Returns what
    is on record meanwhile.
    """
    claimed = former._replace(noting_at=ends[0].left_at)
    with tools.records.write() as tx:
        _require(tx, former, former)
        _forget_last(tx, former)
        rows.put_parts(tx, [claimed], tools.clock.now())

    def note(tx: Tx, some: list[end_rows.End]) -> None:
        _require(tx, claimed, claimed)
        end_rows.add_ends(tx, some)

    tools.records.in_parts(ends, note)
    return claimed


def _forget_noted(tools: Tools, former: Part) -> None:
    """Delete the ends that a dead run had stored."""
    tools.records.in_steps(lambda tx, most: end_rows.forget_noted(tx, former, most))


def _forget_last(tx: Tx, former: Part | None) -> None:
    """Delete the last ends of such a run, if it is alive after all: from here on it is refused."""
    if former is not None and former.noting_at is not None:
        end_rows.forget_noted(tx, former, STEP)


def _require(tx: Tx, part: Part, stands: Part | None) -> None:
    if rows.hold_part(tx, part.publisher_no, part.client_no) != stands:
        raise Unavailable("another worker has already published this client")
