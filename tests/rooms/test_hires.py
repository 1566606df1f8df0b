"""Hires from the funnel to the ledger: each once, credited to the click of its application."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from handbill.access.keys import ensure_secrets, secret
from handbill.clients.service import clients_by_number
from handbill.core.funnel_stages import PARKED, SentStage
from handbill.core.listing_tokens import Listing, SealedClick, click_id
from handbill.core.received import ReceivedConversion, conversion_of
from handbill.funnel import service
from handbill.funnel.work import SCHEDULE, TASKS, enqueue_latest, enqueue_waiting
from handbill.kit.instants import DAY, HOUR, Instant, iso_of, moment_of
from handbill.ledger.checking import check
from handbill.ledger.judge import Outrun
from handbill.store.records import Records
from handbill.work.queue import finish, lease
from market import START, Market
from rooms.test_ledger_crash import Cut, CutRecords, cut


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Market:
    return Market(records, tmp_path)


@pytest.fixture
def listing(market: Market) -> Listing:
    return market.listing()


def hired(market: Market, client_no: int, at: Instant = START + HOUR, **key: str) -> str:
    """One HIRED reported; the batch's id."""
    item = SentStage(status="Hired", stamp=moment_of(at), **key)  # type: ignore[arg-type]
    with market.records.write() as tx:
        client = clients_by_number(tx, [client_no])[client_no]
        ids, now = market.ids, max(market.clock.now(), at)
        return service.record(tx, ids, now, client, [item])


def settle(market: Market, client_no: int) -> None:
    with market.records.write() as tx:
        client = clients_by_number(tx, [client_no])[client_no]
        assert service.settle(tx, client, PARKED, 0, market.clock.now()) is None


def hires(market: Market) -> list[dict[str, Any]]:
    return [line for line in market.judged() if line["kind"] == "HIRE"]


def balanced(market: Market) -> None:
    books = check(market.records, market.blobs, market.scratch)
    assert books.faults == []


def test_a_hire_is_booked_where_its_click_was(market: Market, listing: Listing) -> None:
    click = market.clicked(listing)
    market.converted(click, 3, "a1")
    market.judge_all()
    hired(market, listing.client_no, application_id="a1")
    (line,) = hires(market)
    assert line == {
        "id": line["id"],
        "at": iso_of(START + HOUR),
        "agencyId": "ripple",
        "clientId": "c1",
        "campaignId": f"{listing.client_no}-k1",
        "jobGroupId": f"{listing.campaign_no}-g1",
        "jobId": listing.job_id.hex(),
        "publisherId": "Board",
        "kind": "HIRE",
        "disposition": "counted",
        "reason": None,
        "chargeMicros": 0,
        "spendMicros": 0,
        "markedUpMicros": 0,
        "currency": "USD",
        "bidType": "CPC",
        "clickId": click.random.hex(),
        "applicationId": "a1",
        "refNumber": None,
        "postingId": None,
        "agencyMarkupPpm": 0,
        "overrideMarkupPpm": 0,
        "bidMicros": 0,
        "bidCurrency": "USD",
        "bidRate": None,
        "priceMicros": 0,
        "priceCurrency": "USD",
        "priceRate": None,
        "sign": 1,
        "correctedId": None,
        "definitionVersion": None,
    }
    hired(market, listing.client_no, at=START + 2 * HOUR, application_id="a1")
    assert hires(market) == [line], "a second HIRED hires nobody"
    balanced(market)


def test_a_hire_that_came_before_its_apply_was_judged(market: Market, listing: Listing) -> None:
    market.converted(market.clicked(listing), 3, "a1")
    hired(market, listing.client_no, application_id="a1")
    assert hires(market) == []
    settle(market, listing.client_no)
    assert len(hires(market)) == 1
    balanced(market)


def test_by_candidate_and_by_click(market: Market, listing: Listing) -> None:
    with market.records.write() as tx:
        ensure_secrets(tx, market.ids, START)
        kid, key = max(secret(tx, "listing").items())
    market.job(listing.client_no, listing.job_id, ref="r/1")
    first, second = market.clicked(listing), market.clicked(listing)
    event = conversion_of(first, START, listing.client_no, 3, "s2s", "cand", "")
    market.journal.add([event], "api-0")
    market.judge_all()
    hired(market, listing.client_no, candidate_id="cand", job_reference="r/1")
    hired(market, listing.client_no, click_id=click_id(second, kid, key))
    found = hires(market)
    assert [line["publisherId"] for line in found] == ["Board", "Board"]
    assert {line["jobId"] for line in found} == {listing.job_id.hex()}
    balanced(market)


def test_organic_and_late_applies_hire_without_credit(market: Market, listing: Listing) -> None:
    organic = ReceivedConversion(
        at=START, client_no=listing.client_no, action=3, source="pixel", application_id="o1"
    )
    of_job = msgspec.structs.replace(organic, application_id="o2", job_id=listing.job_id)
    market.journal.add([organic, of_job], "api-0")
    click = SealedClick(b"c" * 16, START - 40 * DAY, listing)
    _, event = market.click(listing, at=click.at)
    market.journal.add([event])
    late = SealedClick(event.random, event.at, listing)
    market.converted(late, 3, "l1")
    market.judge_all()
    for application in ("o1", "o2", "l1"):
        hired(market, listing.client_no, application_id=application)
    booked = hires(market)
    assert {(line["disposition"], line["publisherId"]) for line in booked} == {("organic", None)}
    jobs = [line["jobId"] for line in booked]
    assert sorted(jobs, key=str) == [listing.job_id.hex(), None, None]
    balanced(market)


def test_a_credited_apply_beats_a_late_one(market: Market, listing: Listing) -> None:
    _, event = market.click(listing, at=START - 40 * DAY)
    market.journal.add([event])
    market.converted(SealedClick(event.random, event.at, listing), 3, "a1")
    market.judge_all()
    market.converted(market.clicked(listing), 3, "a1")
    market.judge_all()
    hired(market, listing.client_no, application_id="a1")
    assert [line["disposition"] for line in hires(market)] == ["counted"]


@pytest.mark.parametrize("at", [*range(1, 9), -1])
def test_a_judge_that_dies_books_each_hire_once(market: Market, listing: Listing, at: int) -> None:
    for name in ("a1", "a2"):
        market.converted(market.clicked(listing), 3, name)
    market.judge_all()
    for name in ("a1", "a2"):
        hired(market, listing.client_no, application_id=name)
    records = CutRecords(market.records, at, cut)
    judge = market.judge(records=records)
    records.armed = True
    with pytest.raises(Cut):
        judge.step()
    assert len(hires(market)) == 2
    balanced(market)


def test_two_judges_book_each_hire_once(market: Market, listing: Listing) -> None:
    market.converted(market.clicked(listing), 3, "a1")
    market.judge_all()
    hired(market, listing.client_no, application_id="a1")
    other = market.judge()

    batch = other._read()
    assert len(hires(market)) == 1
    added = other._judged(batch)
    written = other._write(batch, added)
    with pytest.raises(Outrun), market.records.write() as tx:
        other._book(tx, batch, added, written)
    other._discard(written)
    assert len(hires(market)) == 1
    balanced(market)


def test_what_waits_is_looked_at_by_the_worker(market: Market, listing: Listing) -> None:
    with market.records.write() as tx:
        enqueue_latest(tx, START)
    with market.records.read() as tx:
        assert tx.run_text("SELECT kind FROM tasks", {})[0] == []
    market.converted(market.clicked(listing), 3, "a1")
    hired(market, listing.client_no, application_id="a1")
    market.judge_all()

    class Bench:
        records, clock = market.records, market.clock

    for enqueue, kind in ((enqueue_waiting, "funnel.settle"), (enqueue_latest, "funnel.latest")):
        with market.records.write() as tx:
            enqueue(tx, START)
        # One task asks for each client; then nothing waits any more.
        for key in ("", "c1") if kind == "funnel.settle" else ():
            with market.records.write() as tx:
                task = lease(tx, [kind], "w", START, 60)
                assert task is not None
                assert task.key == key
            TASKS[kind](Bench, task)  # type: ignore[arg-type]
            with market.records.write() as tx:
                assert finish(tx, task)
        with market.records.write() as tx:
            assert lease(tx, [kind], "w", START, 60) is None
    assert len(hires(market)) == 1
    assert {name for name, _, _ in SCHEDULE} == {"funnel.latest", "funnel.waiting"}
