"""The bid log as it is told: every answer can be worked out again by whoever reads it."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contract.office import BUDGET, US, Office
from contract.test_explain import at, explained, sqlite_tools
from contract.test_resolved_status import Market as Advertised
from handbill.contract.bids.models import change_told
from handbill.core.pacing import bids, caps, plans
from handbill.core.pacing.bids import BidLine, decided
from handbill.core.pacing.targets import TargetRate
from handbill.kit.jsons import decode, encode
from handbill.kit.money import PPM
from handbill.simulate.bid_log import line_of
from handbill.simulate.playing import Market
from handbill.simulate.tables import PACED
from handbill.wire.models import spelled
from handbill.work.tools import Tools

__all__ = ["sqlite_tools"]


def answered(line: BidLine) -> Any:
    """Through JSON, as a client has it."""
    return decode(encode(spelled(change_told(line, "Board", 0, None))))


def test_logged_bids_are_worked_out_again_from_their_answers() -> None:
    """As many as a test can wait for; ten thousand of twelve days were, to the last."""
    lines = Market(PACED._replace(days=6), 6, 7, log=True).play().lines[:600]
    assert len(lines) == 600
    assert any(line.bid.binding for line in lines)
    for line in lines:
        read = line_of(answered(line))
        assert read == line
        assert read.is_true


MONEY = st.integers(0, 10**11)


@settings(max_examples=100)
@given(
    base=st.integers(1, 10**8),
    left=st.integers(-(10**10), 10**10),
    value=MONEY,
    share=MONEY,
    life=st.integers(0, 10**10),
    flight=MONEY,
    target=st.none() | st.integers(1, 10**8),
    rule=st.integers(1, 2 * PPM),
    brake=st.none() | MONEY,
    markdown=st.integers(0, PPM),
    jobs=st.integers(0, 1_000),
    kind=st.sampled_from(["cpa", "cpc"]),
)
def test_so_is_any_other(**of: Any) -> None:
    """With targets, rules, markdowns, brakes, and caps that have passed their share."""
    mark = caps.CapMark(
        value=of["value"],
        used=of["value"],
        used_today=of["share"],
        share=of["share"],
        most=of["share"],
        tomorrow=of["left"],
        brake=of["brake"],
        even=True,
        paced=True,
        renews=False,
    )
    step = bids.Inputs(
        base_micros=of["base"],
        source="MIXED",
        min_bid_micros=0,
        whole_micros=10_000,
        markdown_ppm=of["markdown"],
        unit_micros=10_000,
        former_micros=of["base"] // 2,
        rule_ppm=of["rule"],
        elasticity_ppm=1_200_000,
        matching_jobs=of["jobs"],
        start_ppm=of["jobs"] * PPM // 3,
        life=plans.CopyDemand(of["life"], of["life"] // 2),
        target=of["target"]
        and TargetRate(of["target"], 30_000, PPM, of["base"], is_prior=True, kind=of["kind"]),
        views=(plans.CapInputs("client/c/budget", mark, plans.Ahead(of["flight"], 1, 2, 3)),),
    )
    line = BidLine(step, decided(step))
    assert line_of(answered(line)) == line


def test_the_log_of_a_job_group(sqlite_office: Office, sqlite_tools: Tools) -> None:
    market = Advertised(sqlite_office, sqlite_tools).open()
    office, where = market.office, f"{market.group}/bids?page=0&limit=10"
    (first,) = office.get(where)["data"]
    assert (first["publisherId"], first["bidSource"]) == (market.publisher, "JOBGROUP")
    assert line_of(first).is_true, "what is answered is all that it takes"
    office.put(market.group, {"cpcBid": 0.7})
    market.tick()
    newest, *rest = office.get(where)["data"]
    assert rest == [first]
    assert office.get(f"{market.group}/bids?page=1&limit=1")["data"] == [first]
    assert office.get(f"{where}&to=0001-01-01")["data"] == []
    assert len(office.get(f"{where}&to=9999-12-31&from=0001-01-01")["data"]) == 2
    assert newest["baseBid"] == Decimal("0.7")
    assert line_of(newest).is_true
    assert office.get(f"{where}&publisherId=TestExp1")["data"] == []
    assert office.get(f"{where}&from=11/01/2026&to=11/02/2026")["data"] == []
    assert office.ask("GET", f"{where}&from=soon").status == 400
    assert office.another().ask("GET", where).status == 404


def test_a_bid_said_in_the_publishers_currency_is_logged_at_the_price_that_is_shown(
    sqlite_office: Office, sqlite_tools: Tools
) -> None:
    """Converted to and fro, and rounded down both times, 0.33 EUR would be 0.32 EUR."""
    office = sqlite_office
    rate = {"date": "11/01/2026", "from": "EUR", "to": "USD", "rate": 1.0825}
    assert office.ask("POST", "/rates", [rate, rate | {"date": "11/18/2026"}]).status == 200
    market = Advertised(office, sqlite_tools).open()
    euro = office.new("/publishers", {"id": "Euro", "bidType": "CPC", "currency": "EUR"})
    placed = {"value": euro, "bid": 0.33, "currency": "EUR"}
    office.put(market.group, {"placements": [market.placed(), placed]})
    market.tick()
    where = f"{market.group}/bids?page=0&limit=10&publisherId={euro}"
    (first,) = office.get(where)["data"]
    shown = at(explained(office, market.client), euro)["published"]
    assert shown["price"] == Decimal("0.33")
    assert (first["price"], first["saidBid"]) == (shown["price"], Decimal("0.33"))
    assert first["bid"] == shown["bid"]
    assert line_of(first).is_true
    lowered = line_of(first).inputs._replace(former_micros=0, rule_ppm=PPM // 2)
    assert decided(lowered).price_micros < 165_000 + 1, "what is lowered is converted as it is"


def test_a_bid_that_no_placement_accepts_is_refused(sqlite_office: Office) -> None:
    office = sqlite_office
    office.new("/publishers", {"id": "Dear", "bidType": "CPC", "minBid": 0.6})
    campaign, dear = office.campaign(office.client()), [{"value": "Dear"}]
    group = office.group(campaign, cpcBid=0.6, placements=dear)
    new = {"name": "g", "cpcBid": 0.59, "filters": US, "caps": BUDGET, "placements": dear}
    assert set(office.faults("POST", f"{campaign}/jobgroups", new)) == {"/cpcBid"}
    assert set(office.faults("PUT", group, {"cpcBid": 0.59})) == {"/cpcBid"}
