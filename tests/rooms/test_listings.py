"""From matched jobs to outbound files: what is listed, at which price, and what is left alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from lxml import etree

from handbill.campaigns import rows as campaign_rows
from handbill.clients import rows as client_rows
from handbill.core.listing_tokens import Listing
from handbill.core.nouns import (
    Client,
    Group,
    JobPlacement,
    JobSettings,
    PublisherSchema,
)
from handbill.groups import service as groups
from handbill.kit.instants import DAY, HOUR
from handbill.listings import service
from handbill.publishers import rows as publisher_rows
from handbill.store.records import Records, Tx
from handbill.store.records.tables import clients, job_bodies, jobs
from handbill.work import kinds
from rooms.listing_market import KEY, Market, open_market, place
from rooms.listing_reader import listed, opened, path_of, rematch, shop

_ID = sa.select(jobs.c.id).where(jobs.c.ref == sa.bindparam("ref"))
_STATES = (
    "client",
    "campaign",
    "group",
    "placement",
    "publisher",
    "excluded",
    "globally excluded",
    "ended client",
    "weekday",
    "job",
    "allow-list",
    "job placement",
    "client type",
)


@pytest.fixture
def quick(sqlite_records: Records, tmp_path: Path) -> Iterator[Market]:
    """One engine, for what does not depend on it."""
    found = open_market(sqlite_records, tmp_path)
    yield found
    found.tools.index.close()


def test_each_link_opens_to_its_listing(market: Market) -> None:
    client, group, publisher = shop(market)
    client.body.markdown_ppm = 200_000
    market.write(lambda tx: client_rows.save(tx, client, market.now()))
    refs = [market.job(client, title=f"Nurse {n} & <b>") for n in range(3)]
    rematch(market, client)
    found = listed(market, publisher)
    assert sorted(found) == sorted(refs)
    for ref, job in found.items():
        with market.records.read() as tx:
            job_id = bytes.fromhex(tx.value(_ID, ref=ref))
        assert opened(job) == Listing(
            client_no=client.no,
            campaign_no=group.campaign_no,
            group_no=group.no,
            publisher_no=publisher.no,
            job_id=job_id,
            bid_type="CPC",
            bid_micros=1_500_000,
            price_micros=1_200_000,
            listed_at=market.now(),
        )
        assert job["cpc"] == "1.20"
        assert market.tools.index.url_of(job_id) == f"https://jobs.example/{ref}".encode()
    assert market.tools.index.keys() == {1: KEY}
    assert market.tools.index.client_of_pixel(client.pixel_id) == (client.no, client.id)


def test_a_part_with_a_flipped_bit_is_rendered_anew_and_never_published(
    quick: Market, caplog: pytest.LogCaptureFixture
) -> None:
    market = quick
    client, _, publisher = shop(market)
    for n in range(5):
        market.job(client, description=f"Text {n}")
    rematch(market, client)
    before = listed(market, publisher)
    other = market.client("Other")
    market.group(market.campaign(other), cpc_bid_micros=1_000_000, placements=[place("Board")])
    market.job(other, "else")
    blobs = market.tools.blobs
    (path,) = blobs.paths("parts")
    sound = blobs.get(path)
    for at in range(0, len(sound), 41):
        blobs.delete(path)
        blobs.put(path, sound[:at] + bytes((sound[at] ^ 64,)) + sound[at + 1 :])
        market.clock.forward(HOUR)
        other_ref = market.job(other)
        rematch(market, other)
        found = listed(market, publisher)
        assert {ref: found[ref] for ref in before} == before, "with the same links and prices"
        assert other_ref in found
        path = next(one for one in blobs.paths("parts") if f"/{client.no}/" in one)
        assert blobs.get(path) == sound
    assert "is missing or damaged, and is rendered again" in caplog.text


@pytest.mark.parametrize("days", [1, 2])
def test_a_clock_that_was_set_back_lists_nothing_that_has_ended(quick: Market, days: int) -> None:
    """One that was further ahead was wrong then: what ended only by it is listed again."""
    client, group, publisher = shop(quick)
    group.body.end_on = "2026-11-23"
    quick.save(group)
    ref = quick.job(client)
    rematch(quick, client)
    for by, refs in ((0, {ref}), (days, set()), (-days, {ref} if days > 1 else set())):
        quick.clock.forward(by * DAY)
        quick.run(kinds.FOLLOW, client.id)
        quick.drain()
        assert set(listed(quick, publisher)) == refs


def test_a_changed_bid_changes_bids_only_and_renders_nothing(market: Market) -> None:
    client, group, publisher = shop(market)
    for n in range(5):
        market.job(client, description=f"Text {n}")
    rematch(market, client)
    before = listed(market, publisher)
    group.body.cpc_bid_micros = 2_000_000
    market.save(group)
    market.write(lambda tx: tx.run(sa.delete(job_bodies)))
    rematch(market, client)
    after = listed(market, publisher)
    assert {job["cpc"] for job in after.values()} == {"2.00"}
    assert {opened(job).price_micros for job in after.values()} == {2_000_000}
    for jobs_now in (before, after):
        for job in jobs_now.values():
            del job["cpc"], job["url"]
    assert after == before


def test_a_changed_job_is_rendered_anew(market: Market) -> None:
    client, _, publisher = shop(market)
    same, other = market.job(client), market.job(client)
    rematch(market, client)
    market.job(client, other, description="Other work", url="https://jobs.example/moved")
    rematch(market, client)
    found = listed(market, publisher)
    assert found[other]["description"] == "Other work"
    assert found[same]["description"] == ""
    assert market.tools.index.url_of(opened(found[other]).job_id) == b"https://jobs.example/moved"


def test_publishing_the_same_again_writes_nothing(market: Market) -> None:
    client, _, publisher = shop(market)
    market.job(client)
    rematch(market, client)
    paths = [path_of(market, publisher), f"{path_of(market, publisher)}.gz"]
    before = [stamp(market, path) for path in paths]
    blobs = market.tools.blobs.paths()
    market.clock.forward(HOUR)
    assert rematch(market, client) == [
        ("groups.rematch", client.id),
        ("control.follow", client.id),
        ("listings.publish", client.id),
    ]
    market.run("listings.assemble", str(publisher.no))
    assert [stamp(market, path) for path in paths] == before
    assert market.tools.blobs.paths() == blobs


def stamp(market: Market, path: str) -> tuple[int, int]:
    local = market.tools.blobs.local(path)
    assert local is not None
    found = local.stat()
    return found.st_mtime_ns, found.st_ino


def test_the_time_in_the_head_is_that_of_the_last_change(quick: Market) -> None:
    client, group, publisher = shop(quick)
    head = {"generationTime": "at", "jobCount": "n"}
    publisher.body.feed_schema = PublisherSchema(head=head)
    quick.write(lambda tx: publisher_rows.save(tx, publisher, quick.now()))
    quick.job(client)

    def read() -> tuple[str | None, str | None]:
        root = etree.fromstring(quick.tools.blobs.get(path_of(quick, publisher)))
        return root.findtext("at"), root.findtext("n")

    rematch(quick, client)
    first = ("2026-11-23 12:00:00.000 UTC", "1")
    assert read() == first
    quick.clock.forward(HOUR)
    rematch(quick, client)
    assert read() == first
    group.body.cpc_bid_micros = 10_000
    quick.save(group)
    quick.job(client)
    rematch(quick, client)
    assert read() == ("2026-11-23 13:00:00.000 UTC", "2")


@pytest.mark.parametrize("what", _STATES)
def test_what_stops_trading_leaves_the_feed_and_comes_back(quick: Market, what: str) -> None:
    client, group, publisher = shop(quick)
    ref, other = quick.job(client), quick.job(client)
    rematch(quick, client)
    assert set(listed(quick, publisher)) == {ref, other}

    def turn(*, on: bool) -> None:
        status = "A" if on else "P"
        body = client.body
        if what == "client":
            client.status = status
        elif what == "excluded":
            body.excluded_publishers = [] if on else ["Board"]
        elif what == "globally excluded":
            body.globally_excluded_publishers = [] if on else ["Board"]
        elif what == "ended client":
            body.end_on = "" if on else "2026-11-22"
        elif what == "campaign":
            campaign = quick.write(lambda tx: campaign_rows.by_numbers(tx, [group.campaign_no]))[0]
            campaign.status = status
            quick.write(lambda tx: campaign_rows.save(tx, campaign, quick.now()))
        elif what == "publisher":
            publisher.status = status
            quick.write(lambda tx: publisher_rows.save(tx, publisher, quick.now()))
        elif what == "client type":
            publisher.body.placement_type = "DirectEmployer" if on else "JobBoard"
            quick.write(lambda tx: publisher_rows.save(tx, publisher, quick.now()))
        elif what == "group":
            group.status = status
        elif what == "placement":
            group.body.placements = [place("Board", active=on)]
        elif what == "weekday":
            group.body.days = (0, 1) if on else (1, 2)
        elif what == "job":
            for one in (ref, other):
                quick.job_columns(client, one, status=status)
        else:
            told = (
                JobSettings(publishers=("Else",))
                if what == "allow-list"
                else JobSettings(placements=(JobPlacement("Board", active=False),))
            )
            text = None if on else msgspec.json.encode(told).decode()
            for one in (ref, other):
                quick.job_columns(client, one, settings=text)
        quick.save(group)
        quick.write(lambda tx: client_rows.save(tx, client, quick.now()))
        rematch(quick, client)

    turn(on=False)
    assert listed(quick, publisher) == {}
    turn(on=True)
    assert set(listed(quick, publisher)) == {ref, other}


def test_each_publisher_by_its_own_kind_of_bid(market: Market) -> None:
    kinds: dict[str, dict[str, Any]] = {
        "Cpc": {"bid_type": "CPC", "min_bid_micros": 1_000_000},
        "Dear": {"bid_type": "CPC", "min_bid_micros": 9_000_000},
        "Cpa": {"bid_type": "CPA"},
        "Flat": {"bid_type": "FLAT_CPC", "flat_bid_micros": 250_000},
        "Free": {"bid_type": "Organic"},
        "Slots": {"bid_type": "PPP"},
    }
    publishers = {id_: market.publisher(id_, **body) for id_, body in kinds.items()}
    client = market.client()
    market.group(
        market.campaign(client),
        cpc_bid_micros=1_500_000,
        cpa_bid_micros=20_000_000,
        placements=[place(id_) for id_ in kinds],
    )
    ref = market.job(client)
    rematch(market, client)
    shown = {
        id_: [(job["cpc"], job["cpa"], opened(job).bid_type) for job in jobs_now.values()]
        for id_, jobs_now in ((id_, listed(market, p)) for id_, p in publishers.items())
    }
    assert shown == {
        "Cpc": [("1.50", "0.00", "CPC")],
        "Dear": [],
        "Cpa": [("0.00", "20.00", "CPA")],
        "Flat": [("0.25", "0.00", "FLAT_CPC")],
        "Free": [("0.00", "0.00", "Organic")],
        "Slots": [],
    }
    assert set(listed(market, publishers["Cpc"])) == {ref}


def test_one_file_of_all_clients_and_one_of_each(market: Market) -> None:
    publisher = market.publisher("Board", per_client=True)
    shops = []
    for name in ("Acme", "Bolt"):
        client = market.client(name, advertiser_name=f"{name} Inc")
        group = market.group(
            market.campaign(client), cpc_bid_micros=1_000_000, placements=[place("Board")]
        )
        shops.append((client, group, market.job(client, f"{name}-1")))
    rematch(market, *(client for client, _, _ in shops))
    everybody = listed(market, publisher)
    assert list(everybody) == ["Acme-1", "Bolt-1"]
    for client, _, ref in shops:
        assert listed(market, publisher, client.no) == {ref: everybody[ref]}
        assert everybody[ref]["advertiser"] == client.body.advertiser_name
    names = {path_of(market, publisher, no) for no in (0, *(client.no for client, _, _ in shops))}
    assert len(names) == 3
    bolt, group, _ = shops[1]
    untouched = stamp(market, path_of(market, publisher, shops[0][0].no))
    group.body.cpc_bid_micros = 2_000_000
    market.save(group)
    rematch(market, bolt)
    assert stamp(market, path_of(market, publisher, shops[0][0].no)) == untouched
    assert listed(market, publisher)["Acme-1"] == everybody["Acme-1"]
    assert listed(market, publisher)["Bolt-1"]["cpc"] == "2.00"
    assert {path_of(market, publisher, c.no) for c, _, _ in shops} < names


def test_a_deleted_client_leaves_every_file_and_a_deleted_publisher_has_an_empty_one(
    market: Market,
) -> None:
    client, _, publisher = shop(market)
    other = market.client("Other")
    market.group(market.campaign(other), cpc_bid_micros=10_000, placements=[place("Board")])
    gone, stays = market.job(client), market.job(other)
    rematch(market, client, other)
    assert set(listed(market, publisher)) == {gone, stays}
    market.write(lambda tx: tx.change(clients, {"no": client.no}, deleted_at=market.now()))
    rematch(market, client)
    assert set(listed(market, publisher)) == {stays}
    publisher.status = "I"
    market.write(
        lambda tx: publisher_rows.save(tx, publisher, market.now(), deleted_at=market.now())
    )
    market.write(lambda tx: service.republish(tx, publisher.no, market.now()))
    market.drain()
    assert listed(market, publisher) == {}
    assert market.tools.blobs.paths("parts") == []


def test_a_publisher_has_a_well_formed_file_from_the_start(market: Market) -> None:
    publisher = market.publisher("Board")
    with market.records.read() as tx:
        assert service.feed_url(tx, market.tools.settings, publisher.no) is None
    for _ in range(2):
        market.write(lambda tx: service.ensure_file(tx, market.ids, publisher.no, market.now()))
    assert market.drain() == [("listings.assemble", str(publisher.no))]
    assert listed(market, publisher) == {}
    with market.records.read() as tx:
        url = service.feed_url(tx, market.tools.settings, publisher.no, gzipped=True)
    assert url is not None
    assert url.endswith(".xml.gz")


def test_a_job_says_some_things_to_one_publisher_only(quick: Market) -> None:
    one, two = quick.publisher("One"), quick.publisher("Two")
    client = quick.client()
    quick.group(
        quick.campaign(client), cpc_bid_micros=10_000, placements=[place("One"), place("Two")]
    )
    nodes = {"One": {"title": "Only here", "tag": "x"}}
    ref, plain = quick.job(client, publisher_nodes=nodes), quick.job(client)
    for _ in range(2):
        rematch(quick, client)
        assert listed(quick, one)[ref]["title"] == "Only here"
        assert listed(quick, one)[ref]["tag"] == "x"
        assert listed(quick, two)[ref]["title"] == "Nurse"
        assert "tag" not in listed(quick, one)[plain] | listed(quick, two)[ref]
        group = quick.write(lambda tx: quick_group(tx, client))
        group.body.cpc_bid_micros += 10_000
        quick.save(group)


def quick_group(tx: Tx, client: Client) -> Group:
    return groups.groups_of(tx, client.no)[-1]


def test_jobs_that_cannot_be_clicked_or_are_worthless_are_not_listed(market: Market) -> None:
    client, _, publisher = shop(market, cpc_bid_micros=0)
    paid = market.job(client, cpc_micros=700_000)
    market.job(client)
    market.job(client, cpc_micros=700_000, url="javascript:alert(1)")
    market.job(client, cpc_micros=700_000, missing=("title",))
    ending = market.job(client, cpc_micros=700_000, end_at=market.now() + HOUR)
    rematch(market, client)
    assert set(listed(market, publisher)) == {paid, ending}
    market.clock.forward(HOUR)
    rematch(market, client)
    found = listed(market, publisher)
    assert set(found) == {paid}
    assert found[paid]["cpc"] == "0.70"
