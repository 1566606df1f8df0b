"""What publishers still hold of a job group that has nothing to offer any more, or has again."""

import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from handbill.campaigns import rows as campaign_rows
from handbill.clients import rows as client_rows
from handbill.control import cap_rows, rows
from handbill.control.rows import KnownDemand
from handbill.core.in_force import Paced
from handbill.core.nouns import Cap, Caps, Placement
from handbill.core.pacing.demand import Demand
from handbill.core.received import ReceivedFetch
from handbill.kit.instants import DAY, HOUR, MINUTE, Instant
from handbill.kit.zones import start_of, zone_of
from handbill.listings import copies
from handbill.listings.rows import file_of
from handbill.publishers import rows as publisher_rows
from handbill.standing import service as standing
from handbill.store.records import Records, open_records
from handbill.store.records.tables import groups
from masters import MASTERS
from rooms.listing_market import Market, open_market
from rooms.test_control import MICROS, Shop, tick

RHYTHM = 4 * HOUR


class Trading(Shop):
    """A shop whose publishers bring many clicks and fetch every four hours."""

    def __init__(self, market: Market) -> None:
        super().__init__(market, caps=Caps(budget=Cap("Daily", 40 * MICROS)))
        self.client.body.caps = Caps(budget=Cap("Daily", 60 * MICROS))
        self.save()
        market.run("control.follow", self.client.id)
        market.drain()
        known = KnownDemand(Demand(200.0, 1.0), 0.0, market.now())
        nos = (self.one.no, self.two.no)
        pairs = [((self.group.no, no), known) for no in nos]
        market.write(lambda tx: rows.put_demand(tx, self.client.no, pairs))
        market.clock.forward(MINUTE)
        for no in nos:
            self.fetch(no, *(market.now() - back * RHYTHM for back in (3, 2, 1, 0)))
        market.clock.forward(MINUTE)
        for _ in range(2):  # what is known is stored in whole millionths
            self.tick()

    def fetch(self, publisher_no: int, *times: Instant) -> None:
        """The publisher fetches the file as it is now."""
        with self.market.records.write() as tx:
            file = file_of(tx, publisher_no, 0)
            assert file is not None
            assert file.written_at is not None
            said: dict[str, Any] = {"name": file.name, "version": file.written_at, "status": 200}
            found = [ReceivedFetch(at=at, reader="board/1", **said) for at in times]
            copies.note(tx, found)

    def save(self) -> None:
        market, now = self.market, self.market.now()
        market.save(self.group)
        market.write(lambda tx: client_rows.save(tx, self.client, now))
        market.write(lambda tx: campaign_rows.save(tx, self.campaign, now))
        market.write(lambda tx: publisher_rows.save(tx, self.one, now))

    def tick(self) -> None:
        tick(self.market, self.client, anew=True)

    def in_flight(self) -> dict[str, int]:
        with self.market.records.read() as tx:
            notes = cap_rows.notes_of(tx, self.client.no)
        return {scope: one.in_flight for (scope, _, _), one in notes.items()}

    def decided(self) -> dict[int, Paced]:
        with self.market.records.read() as tx:
            found = standing.paced_of(tx, self.client.no)
        return {publisher_no: one for (_, publisher_no), one in found.items()}


@pytest.fixture
def market(sqlite_records: Records, tmp_path: Path) -> Iterator[Market]:
    found = open_market(sqlite_records, tmp_path)
    yield found
    found.tools.index.close()


def _switch(of: str) -> Callable[[Trading, bool], None]:
    def switch(shop: Trading, on: bool) -> None:
        getattr(shop, of).status = "A" if on else "P"

    return switch


def _place(shop: Trading, on: bool) -> None:
    shop.group.body.placements = [Placement("one")] * on + [Placement("two")]


def _activate(shop: Trading, on: bool) -> None:
    shop.group.body.placements = [Placement("one", active=on), Placement("two")]


def _weekday(shop: Trading, on: bool) -> None:
    shop.group.body.days = tuple(range(7)) if on else ()


def _stock(shop: Trading, on: bool) -> None:
    for ref in shop.jobs:
        shop.market.job_columns(shop.client, ref, status="A" if on else "P")


WAYS: dict[str, tuple[Callable[[Trading, bool], None], bool]] = {
    "group": (_switch("group"), True),
    "campaign": (_switch("campaign"), True),
    "client": (_switch("client"), True),
    "publisher": (_switch("one"), False),
    "placement removed": (_place, False),
    "placement paused": (_activate, False),
    "weekday": (_weekday, True),
    "jobs": (_stock, True),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_in_flight_stays_so_when_listings_end_and_begin_again(
    market: Market, way: str
) -> None:
    """And the bids are those that would have been decided without the interruption."""
    shop = Trading(market)
    switch, ends_all = WAYS[way]
    flight, decided = shop.in_flight(), shop.decided()
    assert flight["client"] == flight["group"] > 10 * MICROS
    assert all(one.factor_ppm < 1_000_000 for one in decided.values())
    switch(shop, False)
    shop.save()
    shop.tick()
    assert shop.in_flight()["client"] == flight["client"]
    ended = shop.decided()
    assert ended[shop.one.no].is_ended
    assert ended[shop.two.no].is_ended is ends_all
    for _ in range(2):
        shop.tick()
        assert shop.in_flight()["client"] == flight["client"], "a tick later too"
    switch(shop, True)
    shop.save()
    shop.tick()
    assert shop.in_flight() == flight
    assert shop.decided() == decided


def test_what_is_in_flight_may_be_worth_more_than_any_cap(market: Market) -> None:
    """At the largest bid and the largest cap that are accepted."""
    shop = Trading(market)
    shop.group.body.cpc_bid_micros = 10**18
    shop.group.body.caps = shop.client.body.caps = Caps(budget=Cap("Daily", 10**18))
    shop.save()
    market.run("control.follow", shop.client.id)
    market.drain()
    market.clock.forward(MINUTE)
    shop.fetch(shop.one.no, market.now())
    shop.tick()
    assert shop.in_flight() == {"client": 2**63 - 1, "group": 2**63 - 1}


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_without_the_listings_brings_nothing(market: Market, way: str) -> None:
    shop = Trading(market)
    switch, ends_all = WAYS[way]
    both = shop.in_flight()["client"]
    switch(shop, False)
    shop.save()
    shop.tick()
    market.clock.forward(MINUTE)
    market.drain()
    market.run("listings.publish", shop.client.id)
    market.drain()
    market.clock.forward(MINUTE)
    for no in (shop.one.no, shop.two.no) if ends_all else (shop.one.no,):
        shop.fetch(no, market.now())
    market.clock.forward(MINUTE)
    shop.tick()
    assert shop.one.no not in shop.decided()
    after = shop.in_flight()["client"]
    assert after == 0 if ends_all else 0 < after < both
    switch(shop, True)
    shop.save()
    shop.tick()
    again = shop.in_flight()["client"]
    assert again == 0 if ends_all else again < both
    assert shop.decided()[shop.one.no].held_let_ppm == 0


def test_a_file_that_does_not_follow_had_left_them_out_before(market: Market) -> None:
    """It was written between the change and the tick; ten minutes later that is certain."""
    shop = Trading(market)
    shop.group.status = "P"
    shop.save()
    shop.tick()
    for later, left in ((9 * MINUTE, True), (11 * MINUTE, False)):
        market.clock.forward(later)
        for no in (shop.one.no, shop.two.no):
            shop.fetch(no, market.now())
        shop.tick()
        assert bool(shop.decided()) is left
        assert (shop.in_flight()["client"] > 0) is left


def test_what_a_deleted_group_left_out_there_counts_for_the_caps_above(market: Market) -> None:
    shop = Trading(market)
    flight = shop.in_flight()["client"]
    now = market.now()
    market.write(lambda tx: tx.change(groups, {"no": shop.group.no}, deleted_at=now))
    shop.tick()
    assert shop.in_flight() == {"client": flight}


def test_a_pause_is_no_lack_of_demand(market: Market) -> None:
    """Nothing comes where nothing is shown: a week of that does not change what is expected."""
    shop = Trading(market)

    def usual() -> Any:
        with market.records.read() as tx:
            known = rows.demand_of(tx, shop.client.no)
        return {key: round(one.demand.usual) for key, one in known.items()}

    before = usual()
    shop.group.status = "P"
    shop.save()
    shop.tick()
    market.run("listings.publish", shop.client.id)
    market.drain()
    market.clock.forward(MINUTE)
    for no in (shop.one.no, shop.two.no):
        shop.fetch(no, market.now())
    for _ in range(7):
        market.clock.forward(DAY)
        shop.tick()
    assert usual() == before


def _lived(market: Market, zone: str, midnight: Instant, *, pauses: bool) -> list[int]:
    """A day around midnight in a zone, hour by hour: what is in flight for the client's cap. Nobody
    fetches; the job group is paused before midnight, and enabled eleven hours after it.
    """
    market.clock.forward(midnight - 13 * HOUR - market.now())
    shop = Trading(market)
    with market.records.write() as tx:
        tx.run_text("UPDATE clients SET zone = :zone", {"zone": zone})
    shop.client.zone = zone
    found = []
    for hour in range(-12, 14):
        market.clock.forward(midnight + hour * HOUR + MINUTE - market.now())
        if pauses and hour in (-1, 11):
            shop.group.status = "P" if hour < 0 else "A"
            shop.save()
        tick(market, shop.client)
        found.append(shop.in_flight()["client"])
        assert any(one.is_ended for one in shop.decided().values()) is (pauses and -1 <= hour < 11)
    return found


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/New_York", date(2027, 3, 14)),
        ("America/New_York", date(2027, 11, 7)),
        ("Pacific/Kiritimati", date(2027, 6, 9)),
    ],
    ids=["23 hours", "25 hours", "24 hours"],
)
def test_a_pause_over_midnight_changes_nothing_that_is_in_flight(
    sqlite_template: Path, tmp_path: Path, zone: str, day: date
) -> None:
    """Hour by hour as without it, on days of any length; the zone changes before."""
    told = []
    for pauses in (False, True):
        folder = tmp_path / str(pauses)
        folder.mkdir()
        shutil.copyfile(sqlite_template, folder / "records.db")
        records = open_records(f"sqlite:///{folder / 'records.db'}", MASTERS)
        market = open_market(records, folder)
        told.append(_lived(market, zone, start_of(day, zone_of(zone)), pauses=pauses))
        market.tools.index.close()
        records.close()
    plain, paused = told
    assert min(plain) > 0
    assert [round(one / MICROS, 3) for one in paused] == [round(one / MICROS, 3) for one in plain]
