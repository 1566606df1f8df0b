"""An open month judged again: corrections, on both engines; run twice, cut, at once, at borders."""

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from handbill.clients.service import clients_by_number
from handbill.core.click_definitions import Definition, DefinitionBody
from handbill.core.listing_tokens import Listing
from handbill.core.nouns import Cap, Caps, ClientBody
from handbill.definitions import rows as definition_rows
from handbill.kit.faults import Refused
from handbill.kit.instants import DAY, MINUTE, SECOND, instant_of_iso
from handbill.ledger import agents, rejudging, tellings
from handbill.ledger.checking import check
from handbill.ledger.planning import RejudgingTools, month_of, planned
from handbill.ledger.rejudging import RejudgingTally
from handbill.store.records import Records
from handbill.store.records.tables import clients
from market import BOT_AGENT, HUMAN, RULES, START, Market
from rooms.test_ledger_crash import Cut, CutRecords, cut

MONTH = "2026-11"


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Market:
    return Market(records, tmp_path)


def define(market: Market, listing: Listing, **rules: Any) -> None:
    body = DefinitionBody(True, Definition(**rules))
    with market.records.write() as tx:
        definition_rows.add(tx, listing.publisher_no, 0, body, market.clock.now())


def desk_of(market: Market, **instead: Any) -> RejudgingTools:
    desk = RejudgingTools(
        market.records, market.blobs, market.clock, market.ids, RULES, market.scratch
    )
    return desk._replace(**instead)


def again(
    market: Market,
    listing: Listing,
    month: str = MONTH,
    *,
    only_looks: bool = False,
    **instead: Any,
) -> RejudgingTally:
    with market.records.read() as tx:
        client = clients_by_number(tx, [listing.client_no])[listing.client_no]
    told = rejudging.rejudge(desk_of(market, **instead), client, month, only_looks=only_looks)
    assert check(market.records, market.blobs, market.scratch).faults == []
    return told


def standing(market: Market) -> list[tuple[str, str, str | None, int]]:
    """What stands of each event now, in order of time."""
    lines = market.ledger()
    gone = {line["correctedId"] for line in lines if line["sign"] < 0}
    return [
        (line["kind"], line["disposition"], line["reason"], line["chargeMicros"])
        for line in lines
        if line["sign"] > 0 and line["id"] not in gone
    ]


def net(market: Market) -> Counter[str]:
    """How many clicks are what, and what is charged, as sums over all entries tell."""
    sums: Counter[str] = Counter()
    for line in market.ledger():
        sums[line["disposition"]] += line["sign"]
        sums["charge"] += line["chargeMicros"]
    return Counter({name: value for name, value in sums.items() if value})


def files(market: Market) -> list[Any]:
    """The files that hold all entries; each is written once."""
    with market.records.read() as tx:
        return tx.run_text("SELECT path, digest FROM segments ORDER BY path", {})[0]


def test_bots_that_were_let_through_are_taken_back_and_the_other_way_round(market: Market) -> None:
    listing = market.listing()
    define(market, listing, bot=False)
    market.clicked(listing, agent=BOT_AGENT)
    market.clicked(listing, at=START + SECOND)
    market.judge_all()
    assert net(market) == {"valid": 2, "charge": 1_600_000}
    define(market, listing)
    looked = again(market, listing, only_looks=True)
    assert net(market) == {"valid": 2, "charge": 1_600_000}
    told = again(market, listing)
    assert looked.became == told.became == {("valid", "bot", "agent_list"): 1}
    assert (looked.charge_micros, told.charge_micros) == (-800_000, -800_000)
    assert (told.looked_at, told.unknown) == (2, {})
    assert standing(market) == [
        ("CLICK", "bot", "agent_list", 0),
        ("CLICK", "valid", None, 800_000),
    ]
    taken, now = (line for line in market.ledger() if line["correctedId"])
    if taken["sign"] > 0:
        taken, now = now, taken
    assert (taken["disposition"], taken["markedUpMicros"], taken["sign"]) == ("valid", -(10**6), -1)
    assert taken["correctedId"] == now["correctedId"]
    assert again(market, listing).became == {}
    assert len(market.ledger()) == 4
    define(market, listing, bot=False)
    assert again(market, listing).became == {("bot", "valid", ""): 1}
    assert net(market) == {"valid": 2, "charge": 1_600_000}
    assert again(market, listing).became == {}


def test_a_correction_makes_no_cap_pass(market: Market) -> None:
    caps = Caps(budget=Cap("Daily", 2_000_000))
    listing = market.listing(caps=caps)
    market.clicked(listing, agent=BOT_AGENT)
    market.clicked(listing, agent=BOT_AGENT + " ", at=START + 1)
    market.clicked(listing, at=START + 2)
    market.judge_all()
    define(market, listing, bot=False)
    told = again(market, listing)
    assert told.became == {("bot", "valid", ""): 1, ("bot", "over_cap", "client_budget_daily"): 1}
    assert net(market) == {"valid": 2, "over_cap": 1, "charge": 1_600_000}
    # What had no room has none later: neither by room that is given back, nor by a higher cap.
    define(market, listing)
    assert again(market, listing).became == {
        ("valid", "bot", "agent_list"): 1,
        ("over_cap", "bot", "agent_list"): 1,
    }
    define(market, listing, bot=False)
    body = ClientBody(company_name="c1", exported_name="c1", caps=Caps())
    market.change(clients, listing.client_no, body)
    again(market, listing)
    assert net(market) == {"valid": 3, "charge": 2_400_000}


def test_what_is_given_back_makes_room_for_what_comes_later(market: Market) -> None:
    listing = market.listing(caps=Caps(clicks=Cap("Monthly", 1)))
    define(market, listing, bot=False)
    market.clicked(listing, agent=BOT_AGENT)
    market.clicked(listing, at=START + 1)
    market.judge_all()
    assert net(market) == {"valid": 1, "over_cap": 1, "charge": 800_000}
    define(market, listing)
    assert again(market, listing).became == {("valid", "bot", "agent_list"): 1}
    market.clicked(listing, at=START + 2)
    market.judge_all()
    assert net(market) == {"bot": 1, "over_cap": 1, "valid": 1, "charge": 800_000}
    assert check(market.records, market.blobs, market.scratch).faults == []


def test_applies_follow_their_click(market: Market) -> None:
    listing = market.listing("CPA")
    define(market, listing, bot=False)
    click = market.clicked(listing, agent=BOT_AGENT)
    market.clock.forward(25 * DAY)  # the apply is of the next month
    market.converted(click, application="a1")
    market.judge_all()
    assert net(market) == {"valid": 1, "counted": 1, "charge": 800_000}
    define(market, listing)
    told = again(market, listing)
    assert (told.became, told.applies) == ({("valid", "bot", "agent_list"): 1}, 1)
    assert standing(market) == [
        ("CLICK", "bot", "agent_list", 0),
        ("APPLY", "counted", "bot_click", 0),
    ]
    # A later one by the same click is free as well: the click is known as what it is now.
    market.converted(click, application="a2")
    market.judge_all()
    assert net(market)["charge"] == 0
    define(market, listing, bot=False)
    assert again(market, listing).applies >= 1
    assert net(market)["charge"] == 800_000
    assert again(market, listing).became == {}


def test_duplicates_are_told_by_their_visitor(market: Market) -> None:
    listing = market.listing()
    for after in (0, 20, 100, 200):
        market.clicked(listing, at=START + after * SECOND, ip="203.0.113.9")
    market.judge_all()
    assert net(market) == {"valid": 3, "duplicate": 1, "charge": 2_400_000}
    define(market, listing, duplicate_seconds=100)
    assert again(market, listing).became == {("valid", "duplicate", "same_visitor"): 1}
    define(market, listing)
    assert again(market, listing).became == {("duplicate", "valid", ""): 2}
    assert net(market) == {"valid": 4, "charge": 3_200_000}


def test_what_came_out_of_order_is_not_corrected_for_that(market: Market) -> None:
    listing = market.listing()
    for after in (20, 0, 40):
        market.clicked(listing, at=START + after * SECOND, ip="203.0.113.9")
        market.judge_all()
    assert net(market) == {"valid": 1, "duplicate": 2, "charge": 800_000}
    assert again(market, listing).became == {}


def test_what_cannot_be_known_is_told_and_not_guessed(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = market.listing()
    market.clicked(listing)
    market.judge_all()
    define(market, listing, most_clicks=1)
    assert again(market, listing).unknown == {"address_rate": 1}
    define(market, listing, foreign="COUNTRY")
    assert again(market, listing).unknown == {"foreign": 1}
    body = DefinitionBody(bot_ips_url="https://lists.example/ips.csv")
    with market.records.write() as tx:
        no = definition_rows.add(tx, listing.publisher_no, 0, body, START)
        definition_rows.set_list(tx, no, ["203.0.113.0/24"], START)
    assert again(market, listing).unknown == {"address_list": 1}
    define(market, listing)
    assert again(market, listing).unknown == {}
    monkeypatch.setattr(agents, "VERSION", "other")  # another version of the lists is in force
    assert again(market, listing).unknown == {}, "the agent is known by its digest"
    with market.records.write() as tx:
        rows_left = tellings.forget_agents(tx, START + DAY, 9)
    assert rows_left == 1
    assert again(market, listing).unknown == {"agent": 1}
    assert net(market) == {"valid": 1, "charge": 800_000}


def test_a_month_is_the_client_s_own_and_open(market: Market) -> None:
    client_no = market.client(zone="UTC+10:00")
    listing = market.listing(client_no=client_no)
    define(market, listing, bot=False)
    border = instant_of_iso("2026-10-31T14:00:00Z")  # November begins there
    for at in (border - 1_000, border):
        market.clicked(listing, at=at, agent=BOT_AGENT)
    market.clock.forward(instant_of_iso("2026-11-07T13:59:00Z") - START)
    market.judge_all()
    define(market, listing)
    assert again(market, listing).became == {("valid", "bot", "agent_list"): 1}
    assert again(market, listing, "2026-10").became == {("valid", "bot", "agent_list"): 1}
    market.clock.forward(MINUTE)
    with pytest.raises(Refused, match="is closed"):
        again(market, listing, "2026-10")
    with pytest.raises(Refused, match="still to come"):
        again(market, listing, "2026-12")


def test_two_at_once_correct_each_click_once(market: Market) -> None:
    listing = market.listing()
    define(market, listing, bot=False)
    for n in range(3):
        market.clicked(listing, at=START + n, agent=BOT_AGENT + " " * n)
    market.judge_all()
    define(market, listing)
    assert again(market, listing, only_looks=True).became.total() == 3
    with market.records.read() as tx:
        client = clients_by_number(tx, [listing.client_no])[listing.client_no]
    desk = desk_of(market)
    month = month_of(client, MONTH, START)
    plan = planned(desk, client, month)
    assert again(market, listing).became == {("valid", "bot", "agent_list"): 3}
    late = RejudgingTally(only_looked=False)
    with pytest.raises(rejudging.Stale):
        rejudging._correct(desk, client, month, plan, late)
    assert again(market, listing).became == {}
    assert net(market) == {"bot": 3}


def test_a_judge_that_read_before_books_nothing_stale(market: Market) -> None:
    listing = market.listing(caps=Caps(clicks=Cap("Monthly", 2)))
    market.clicked(listing, agent=BOT_AGENT)
    market.judge_all()
    define(market, listing, bot=False)
    market.clicked(listing, at=START + 1)
    market.clicked(listing, at=START + 2)
    judge = market.judge()
    batch = judge._read()
    assert again(market, listing).became == {("bot", "valid", ""): 1}
    judge._read = iter([batch]).__next__  # type: ignore[method-assign]
    assert judge.step() == 0
    market.judge_all()
    assert net(market) == {"valid": 2, "over_cap": 1, "charge": 1_600_000}
    assert check(market.records, market.blobs, market.scratch).faults == []


def test_cut_at_any_statement_it_is_whole_or_not_at_all(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = market.listing("CPA")
    define(market, listing, bot=False)
    for n in range(3):
        click = market.clicked(listing, at=START + n, agent=BOT_AGENT + " " * n)
        market.converted(click, application=f"a{n}", at=START + MINUTE)
    market.judge_all()
    define(market, listing)
    monkeypatch.setattr(rejudging, "_AT_ONCE", 2)  # parts of two clicks
    with market.records.read() as tx:
        client = clients_by_number(tx, [listing.client_no])[listing.client_no]
    before, at = files(market), 0
    while True:
        at += 1
        cutting = CutRecords(market.records, at, cut)
        cutting.armed = True
        desk = desk_of(market, records=cutting)
        try:
            rejudging.rejudge(desk, client, MONTH)
        except Cut:
            assert files(market) == before, "what is cut short leaves nothing"
            continue
        break
    assert at > 10
    assert check(market.records, market.blobs, market.scratch).faults == []
    assert net(market) == {"bot": 3, "counted": 3}
    # Killed between two parts: what is corrected stays so, and the next run finds the rest.
    define(market, listing, bot=False)
    cutting = CutRecords(market.records, -1, cut)
    cutting.armed = True
    with pytest.raises(Cut):
        rejudging.rejudge(desk_of(market, records=cutting), client, MONTH)
    assert net(market) == {"bot": 1, "valid": 2, "counted": 3, "charge": 1_600_000}
    assert again(market, listing).became == {("bot", "valid", ""): 1}
    assert net(market) == {"valid": 3, "counted": 3, "charge": 2_400_000}


@pytest.mark.parametrize(
    ("records", "seed"),
    [("sqlite", 0), ("postgresql", 1), ("sqlite", 2)],
    indirect=["records"],
)
def test_judged_again_is_as_judged_so_at_once(market: Market, seed: int) -> None:
    """Two clients have the same visits; one of them was judged by other definitions before."""
    chance = Random(seed)
    one = market.listing(client_no=market.client("c1"), publisher_no=market.publisher("A"))
    other = market.listing(client_no=market.client("c2"), publisher_no=market.publisher("B"))
    windows, limits = (None, 30, 600, 3_600), (None, 2, 4)

    def rules() -> dict[str, Any]:
        return {
            "bot": chance.random() < 0.7,
            "duplicate_seconds": chance.choice(windows),
            "most_clicks": chance.choice(limits[1:]),
        }

    last = rules()
    define(market, one, **rules())
    define(market, other, **last)
    for n in range(60):
        ip, agent = f"203.0.113.{chance.randrange(5)}", chance.choice((HUMAN, BOT_AGENT))
        at = START + n * MINUTE + chance.randrange(MINUTE)
        for listing in (one, other):
            market.clicked(listing, at=at, ip=ip, agent=agent)
    market.judge_all()
    for _ in range(2):
        define(market, one, **rules())
        again(market, one)
    define(market, one, **last)
    assert again(market, one).unknown == {}
    lines = market.ledger()
    gone = {line["correctedId"] for line in lines if line["sign"] < 0}
    told: dict[str, list[tuple[str, str | None, int]]] = {"c1": [], "c2": []}
    for line in lines:
        if line["sign"] > 0 and line["id"] not in gone:
            what = line["at"], line["disposition"], line["chargeMicros"]
            told[line["clientId"]].append(what)
    assert sorted(told["c1"]) == sorted(told["c2"])
