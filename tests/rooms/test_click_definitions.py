"""Clicks classed by the definition of their publisher, from journal to ledger, on both engines."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from handbill.core.click_definitions import Definition, DefinitionBody, Location
from handbill.core.judging import digest_of_agent
from handbill.core.listing_tokens import Listing
from handbill.core.nouns import PublisherBody
from handbill.core.price_ends import Frozen
from handbill.definitions import rows as definition_rows
from handbill.host.settings import Settings
from handbill.kit.instants import DAY, HOUR, MINUTE, SECOND
from handbill.ledger import retiring, tellings
from handbill.ledger.checking import check
from handbill.ledger.runs import Rules
from handbill.listings import end_rows
from handbill.listings import rows as listing_rows
from handbill.listings.end_rows import End
from handbill.listings.rows import Part
from handbill.store.records import Records
from handbill.store.records.tables import publishers
from market import BOT_AGENT, RULES, START, Market, dispositions

PLACES = {"203.0.113.1": Location("US", "Austin"), "203.0.113.2": Location("DE", "Bonn")}
LOCATING = Rules(30, "full", b"k" * 32, lambda ip: PLACES.get(ip, Location()))


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Market:
    return Market(records, tmp_path)


def define(
    market: Market, listing: Listing, client_no: int = 0, *, enabled: bool = True, **rules: Any
) -> int:
    body = DefinitionBody(enabled, Definition(**rules))
    with market.records.write() as tx:
        at = (listing.publisher_no, client_no)
        return definition_rows.add(tx, *at, body, market.clock.now())


def left(market: Market, listing: Listing, at: int) -> None:
    part = Part(listing.publisher_no, listing.client_no, b"", 0, 0, 0)
    frozen = Frozen(listing.group_no, listing.bid_type, listing.bid_micros, listing.price_micros)
    with market.records.write() as tx:
        listing_rows.put_parts(tx, [part], at)
        end_rows.add_ends(tx, [End.of_listing(part, listing.job_id, frozen, at)])


def told(market: Market, rules: Rules = RULES) -> list[tuple[str, str | None, int]]:
    judge = market.judge(rules=rules)
    while judge.step():
        pass
    books = check(market.records, market.blobs, market.scratch)
    assert books.faults == []
    return [(line["disposition"], line["reason"], line["chargeMicros"]) for line in market.ledger()]


def test_without_a_definition_the_installation_s_rules_hold(market: Market) -> None:
    listing = market.listing()
    left(market, listing, START)
    market.clicked(listing, at=START + 48 * HOUR)
    market.clicked(listing, at=START + 48 * HOUR + 1)
    assert told(market) == [("valid", None, 800_000), ("latent", "left_feed", 0)]


def test_a_latent_click_costs_nothing_and_uses_no_cap(market: Market) -> None:
    listing = market.listing()
    define(market, listing, latent_seconds=60)
    left(market, listing, START)
    for after in (60, 61, 3_600):
        market.clicked(listing, at=START + after * SECOND)
    assert told(market) == [
        ("valid", None, 800_000),
        ("latent", "left_feed", 0),
        ("latent", "left_feed", 0),
    ]


def test_what_a_publisher_still_shows_is_not_latent(market: Market) -> None:
    listing = market.listing()
    body = PublisherBody(name="Board", feed_index_latency_minutes=90)
    market.change(publishers, listing.publisher_no, body)
    left(market, listing, START)
    for after in (48 * HOUR + 90 * MINUTE, 48 * HOUR + 90 * MINUTE + 1):
        market.clicked(listing, at=START + after)
    assert [one[0] for one in told(market)] == ["valid", "latent"]


def test_a_job_elsewhere_or_another_job_has_not_left(market: Market) -> None:
    listing = market.listing()
    other = market.publisher("Other")
    define(market, listing, latent_seconds=0)
    left(market, listing, START - DAY)
    market.clicked(msgspec.structs.replace(listing, publisher_no=other))
    market.clicked(msgspec.structs.replace(listing, job_id=b"o" * 16))
    market.clicked(listing)
    assert sorted(one[0] for one in told(market)) == ["latent", "valid", "valid"]


def test_foreign_clicks_by_where_the_address_is(market: Market) -> None:
    listing = market.listing()
    define(market, listing, foreign="COUNTRY")
    market.job(listing.client_no, listing.job_id, country="United States")
    for second, ip in enumerate(("203.0.113.1", "203.0.113.2", "203.0.113.3")):
        market.clicked(listing, at=START + second, ip=ip)
    assert told(market, LOCATING) == [
        ("valid", None, 800_000),
        ("foreign", "country", 0),
        ("valid", None, 800_000),
    ]


def test_bots_count_where_the_definition_lets_them(market: Market) -> None:
    listing = market.listing()
    define(market, listing, bot=False)
    market.clicked(listing, agent=BOT_AGENT)
    assert told(market) == [("valid", None, 800_000)]


def test_a_definition_that_is_off_hides_no_list_of_bots(market: Market) -> None:
    listing = market.listing()
    with market.records.write() as tx:
        at, off = (listing.publisher_no, listing.client_no), DefinitionBody(enabled=False)
        definition_rows.add(tx, *at, off, START)
        body = DefinitionBody(bot_ips_url="https://lists.example/ips.csv")
        no = definition_rows.add(tx, listing.publisher_no, 0, body, START)
        definition_rows.set_list(tx, no, ["203.0.113.0/24"], START)
    market.clicked(listing, ip="203.0.113.9")
    assert told(market) == [("bot", "address_list", 0)]


def test_listed_addresses_are_bots_until_the_list_is_read_anew(market: Market) -> None:
    listing = market.listing()
    body = DefinitionBody(bot_ips_url="https://lists.example/ips.csv")
    with market.records.write() as tx:
        no = definition_rows.add(tx, listing.publisher_no, 0, body, START)
        definition_rows.set_list(tx, no, ["203.0.113.0/24"], START)
    market.clicked(listing, ip="203.0.113.9")
    market.clicked(listing, ip="198.51.100.9", at=START + 1)
    judge = market.judge()
    assert judge.step()
    with market.records.write() as tx:
        definition_rows.set_list(tx, no, ["198.51.100.0/24"], START + 1)
    market.clicked(listing, ip="203.0.113.9", at=START + 2)
    market.clicked(listing, ip="198.51.100.9", at=START + DAY)
    assert judge.step()
    assert [(line["disposition"], line["reason"]) for line in market.ledger()] == [
        ("bot", "address_list"),
        ("valid", None),
        ("valid", None),
        ("bot", "address_list"),
    ]


def test_an_address_that_clicks_too_often_in_a_day_is_a_bot(market: Market) -> None:
    listing = market.listing()
    define(market, listing, most_clicks=2)
    for after in (0, 1, 2):
        market.clicked(
            msgspec.structs.replace(listing, job_id=bytes((after,)) * 16),
            at=START + after,
            ip="198.51.100.9",
        )
        told(market)  # each in a batch of its own: the count is kept
    market.clicked(listing, at=START + 3, ip="198.51.100.10")
    market.clicked(listing, at=START + DAY, ip="198.51.100.9")
    assert [one[:2] for one in told(market)] == [
        ("valid", None),
        ("valid", None),
        ("bot", "address_rate"),
        ("valid", None),
        ("valid", None),
    ]


def test_a_client_s_own_definition_goes_before_the_publisher_s(market: Market) -> None:
    one, two = market.listing(), market.listing(client_no=market.client("c2"), publisher_no=1)
    define(market, one, latent_seconds=0)
    define(market, two, client_no=two.client_no, latent_seconds=None)
    for listing in (one, two):
        left(market, listing, START - DAY)
        market.clicked(listing)
    assert dispositions(market.judged()) == ["latent", "valid"]
    define(market, two, client_no=two.client_no, enabled=False, latent_seconds=None)
    market.clicked(two, at=START + HOUR)
    assert sorted(dispositions(market.judged())) == ["latent", "latent", "valid"]


def test_windows_are_as_long_as_each_definition_says(market: Market) -> None:
    short = market.listing()
    long = msgspec.structs.replace(short, publisher_no=market.publisher("Long"))
    define(market, short, duplicate_seconds=10)
    define(market, long, duplicate_seconds=7 * 86_400)
    for listing, ip in ((short, "198.51.100.1"), (long, "198.51.100.2")):
        market.clicked(listing, ip=ip)
        market.judge_all()
        market.clicked(listing, ip=ip, at=START + 6 * DAY)
    assert [one[0] for one in told(market)] == ["valid", "valid", "valid", "duplicate"]


def test_a_definition_that_changes_while_a_batch_is_judged_has_it_judged_again(
    market: Market,
) -> None:
    listing = market.listing()
    left(market, listing, START - 90 * DAY)
    market.clicked(listing)
    judge = market.judge()
    read = judge._read
    changes = iter([True])

    def meanwhile() -> Any:
        batch = read()
        if next(changes, False):
            define(market, listing, latent_seconds=100 * DAY // SECOND)
        return batch

    judge._read = meanwhile  # type: ignore[method-assign]
    assert judge.step() == 0
    assert judge.step() == 1
    assert dispositions(market.ledger()) == ["valid"]


def test_old_counts_and_departures_are_forgotten(market: Market) -> None:
    listing = market.listing()
    define(market, listing, most_clicks=5)
    left(market, listing, START - DAY)
    market.clicked(listing)
    market.judge_all()
    tools = SimpleNamespace(records=market.records, settings=Settings())

    def kept() -> list[int]:
        tables = ("address_days", "departures")
        with market.records.read() as tx:
            return [len(tx.run_text(f"SELECT 1 FROM {name}", {})[0]) for name in tables]

    retiring.forget(tools, START + DAY)  # type: ignore[arg-type]
    assert kept() == [1, 1]
    retiring.forget(tools, START + 500 * DAY)  # type: ignore[arg-type]
    assert kept() == [0, 0]


@pytest.mark.parametrize("ahead", ["head", "prefetch"])
def test_what_is_no_visit_is_a_bot_s_whatever_the_definition_says(
    market: Market, ahead: str
) -> None:
    listing = market.listing()
    define(market, listing, bot=False, duplicate_seconds=60, most_clicks=1)
    _, event = market.click(listing, ip="203.0.113.9")
    market.journal.add([msgspec.structs.replace(event, ahead=ahead, random=b"p" * 16)])
    market.journal.add([event])
    assert sorted(told(market)) == [("bot", ahead, 0), ("valid", None, 800_000)]


def test_a_test_click_and_its_conversions_count_nowhere(market: Market) -> None:
    """And they stand for no later click or application."""
    listing = market.listing("CPA")
    define(market, listing, bot=False, duplicate_seconds=60)
    real, event = market.click(listing, ip="203.0.113.9")
    tested = real._replace(random=b"t" * 16)
    market.journal.add([msgspec.structs.replace(event, ahead="test", random=tested.random)])
    market.converted(tested, 3, "A-1")
    market.journal.add([event])
    market.converted(real, 3, "A-1")
    assert sorted(told(market))[1:] == [
        ("invalid", "invalid_click", 0),
        ("invalid", "test", 0),
        ("valid", None, 0),
    ]
    applies = [line for line in market.ledger() if line["kind"] == "APPLY"]
    applies.sort(key=lambda line: line["disposition"], reverse=True)
    assert [(one["disposition"], one["reason"]) for one in applies] == [
        ("invalid", "invalid_click"),
        ("counted", None),
    ]
    assert applies[0]["spendMicros"] == 0 < applies[1]["spendMicros"]


def test_an_entry_names_the_version_that_it_was_classed_by(market: Market) -> None:
    listing = market.listing()
    market.clicked(listing)
    told(market)
    no = define(market, listing, latent_seconds=60)
    market.clicked(listing, at=START + SECOND)
    told(market)
    with market.records.write() as tx:
        definition_rows.delete(tx, no)
    market.clicked(listing, at=START + 2 * SECOND)
    told(market)
    versions = [line["definitionVersion"] for line in market.ledger()]
    assert versions[0] == versions[2] != versions[1]
    with market.records.read() as tx:
        known = tellings.in_force(tx, versions)
    assert known[versions[1]].rules == Definition(latent_seconds=60)
    assert known[versions[0]].rules == RULES.otherwise


def test_agents_are_known_by_their_digest_while_their_month_is_open(market: Market) -> None:
    listing = market.listing()
    market.clicked(listing, agent=BOT_AGENT)
    market.clicked(listing, agent="\0 odd")
    told(market)
    digests = [digest_of_agent(BOT_AGENT), digest_of_agent("\0 odd")]
    with market.records.read() as tx:
        assert tellings.texts_of(tx, digests) == {digests[0]: BOT_AGENT}
    with market.records.write() as tx:
        assert tellings.forget_agents(tx, START, 9) == 0
        assert tellings.forget_agents(tx, START + 1, 9) == 1
        assert tellings.texts_of(tx, digests) == {}
