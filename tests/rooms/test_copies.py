"""Who has which copy: from the edge's journal and from deliveries, told twice and out of order."""

from functools import partial
from pathlib import Path

from handbill.core.pacing.copies import UNKNOWN_RHYTHM, ShownCopy
from handbill.core.received import ReceivedFetch
from handbill.kit.instants import DAY, HOUR, MINUTE, SECOND, Instant
from handbill.listings import copies, rows, service
from handbill.listings.work import hurry
from handbill.store.records import Records
from handbill.work import kinds
from handbill.work.queue import enqueue, lease, put_back
from market import Market
from rooms.listing_market import open_market, place


def fetched(
    name: str, at: Instant, version: Instant, reader: str = "fetcher", status: int = 200
) -> ReceivedFetch:
    return ReceivedFetch(at=at, name=name, version=version, status=status, reader=reader)


def test_what_is_held_follows_fetches(records: Records, tmp_path: Path) -> None:
    market = open_market(records, tmp_path)
    start = market.now()
    one, two = market.publisher("One"), market.publisher("Two", per_client=True)
    client = market.client()
    for publisher_no, client_no in [(one.no, 0), (two.no, 0), (two.no, client.no)]:
        with records.write() as tx:
            service.ensure_file(tx, market.ids, publisher_no, start, client_no)

    def name(publisher_no: int, client_no: int = 0) -> str:
        with records.read() as tx:
            url = service.feed_url(tx, market.tools.settings, publisher_no, client_no)
        assert url is not None
        return url.rpartition("/")[2].removesuffix(".xml")

    def held(at: int, client_no: int = 0) -> dict[int, ShownCopy]:
        with records.read() as tx:
            return copies.held(tx, [one.no, two.no, 99], at, client_no)

    def note(*some: ReceivedFetch) -> None:
        market.write(lambda tx: copies.note(tx, some))

    never = held(start + HOUR)
    assert never.keys() == {one.no, two.no}
    assert (never[one.no].version, never[one.no].fetched_at, never[one.no].lost) == (0, 0, False)
    assert held(start + 3 * UNKNOWN_RHYTHM + 1)[one.no].lost
    each = [fetched(name(one.no), start + n * 4 * HOUR, start + n) for n in range(6)]
    note(*each[3:], fetched("nobody", start, start))
    note(*each, *each)
    last = each[-1].at
    found = held(last + HOUR)[one.no]
    assert (found.version, found.fetched_at, found.rhythm) == (start + 5, last, 4 * HOUR)
    assert (found.next_at, found.lost) == (last + 4 * HOUR, False)
    with records.read() as tx:
        assert copies.awaited(tx, last, last + 4 * HOUR - 1) == [], "nor who never fetched"
        (awaited,) = copies.awaited(tx, last + HOUR, last + 4 * HOUR)
        assert (awaited.publisher_no, awaited.held) == (one.no, found)
    note(*(fetched(name(one.no), last + n * SECOND, start + 9, "curl") for n in range(1, 60)))
    assert held(last + HOUR)[one.no] == found, "an operator's curl"
    note(fetched(name(one.no), last + 4 * HOUR, start + 9, status=304))
    assert held(last + 5 * HOUR)[one.no].version == start + 9
    assert held(last + 17 * HOUR)[one.no].lost
    note(fetched(name(two.no), start + HOUR, start + 1))
    note(fetched(name(two.no, client.no), start + 2 * HOUR, start + 2))
    assert held(start + 3 * HOUR)[two.no].version == start + 1
    assert held(start + 3 * HOUR, client.no)[two.no].version == start + 2
    with records.read() as tx:
        assert [copy.client_no for copy in copies.copies_of(tx, [two.no], start)] == [0, client.no]


def test_what_is_delivered_is_not_lost(records: Records, tmp_path: Path) -> None:
    market = open_market(records, tmp_path)
    start, one = market.now(), market.publisher("One")
    market.write(lambda tx: service.ensure_file(tx, market.ids, one.no, start))
    with records.read() as tx:
        ((file_no, *_),) = rows.files_of(tx, one.no)
    for n in range(3):
        with records.write() as tx:
            copies.note_delivery(tx, file_no, start + n, start + n * HOUR)
    with records.read() as tx:
        found = copies.held(tx, [one.no], start + 30 * DAY)[one.no]
    assert (found.version, found.reader, found.lost) == (start + 2, "ftp", False)


def test_few_fetches_are_kept(records: Records, tmp_path: Path) -> None:
    market = open_market(records, tmp_path)
    start, one = market.now(), market.publisher("One")
    market.write(lambda tx: service.ensure_file(tx, market.ids, one.no, start))
    with records.read() as tx:
        ((file_no, *_),) = rows.files_of(tx, one.no)
    for n in range(copies.KEPT + 7):
        with records.write() as tx:
            copies.note_delivery(tx, file_no, start + n, start + n * HOUR)
    assert market.write(lambda tx: copies.forget(tx, 5)) == 5
    assert market.write(lambda tx: copies.forget(tx, 5)) == 2
    assert market.write(lambda tx: copies.forget(tx, 5)) == 0
    with records.read() as tx:
        found = copies.held(tx, [one.no], start + 27 * HOUR)[one.no]
    assert (found.rhythm, found.version) == (HOUR, start + copies.KEPT + 6)


def test_the_judge_hands_fetches_on(records: Records, tmp_path: Path) -> None:
    """Among clicks, and a fetch that is read again after the records were brought back is one."""
    market = Market(records, tmp_path)
    publisher_no = market.publisher()
    with records.write() as tx:
        service.ensure_file(tx, market.ids, publisher_no, market.clock.now())
        (file,) = rows.files_of(tx, publisher_no)
    at = market.clock.now() - MINUTE
    market.journal.add([fetched(file.name, at, at - HOUR)])
    market.journal.add([fetched("nobody", at, at)])
    judge = market.judge()
    assert judge.step() == 2
    with records.read() as tx:
        assert (
            copies.held(tx, [publisher_no], market.clock.now())[publisher_no].version == at - HOUR
        )
    assert judge.step() == 0


def test_what_is_soon_fetched_goes_first(records: Records, tmp_path: Path) -> None:
    """Two files wait to be written; that of the publisher that comes in minutes is, first, and so
    are the listings of a client whose jobs it shows.
    """
    market = open_market(records, tmp_path)
    start = market.now()
    soon, later = (
        market.publisher("Soon", bid_type="CPC"),
        market.publisher("Later", bid_type="CPC"),
    )
    shown, other = market.client("Shown"), market.client("Other")
    for client, publisher in ((shown, "Soon"), (other, "Later")):
        market.group(
            market.campaign(client), cpc_bid_micros=500_000, placements=(place(publisher),)
        )
        market.job(client)
        market.write(partial(enqueue, kind="groups.rematch", key=client.id, now=start))
    market.drain()
    with records.read() as tx:
        files = [rows.files_of(tx, one.no)[0] for one in (soon, later)]
    for n, file in enumerate(files):
        version = file.written_at or 0
        some = [
            fetched(file.name, start - back * HOUR - n * 30 * MINUTE, version) for back in (2, 1)
        ]
        market.write(partial(copies.note, handed=some))
    with records.write() as tx:
        for kind, keys in (
            (kinds.PUBLISH, [other.id, shown.id]),
            (kinds.ASSEMBLE, [str(later.no), str(soon.no)]),
        ):
            for key in keys:
                enqueue(tx, kind, key, start)

    def first(kind: str) -> str:
        with records.write() as tx:
            task = lease(tx, (kind,), "test", market.now() + 1, 60)
            assert task is not None
            put_back(tx, task, market.now())
        return task.key

    market.clock.at = start + 30 * SECOND
    market.write(partial(hurry, now=market.now()))
    assert first(kinds.PUBLISH) == other.id, "nothing has waited for long"
    market.clock.at = start + 2 * MINUTE
    market.write(partial(hurry, now=market.now()))
    assert (first(kinds.PUBLISH), first(kinds.ASSEMBLE)) == (shown.id, str(soon.no))
