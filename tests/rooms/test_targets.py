"""Targets of job groups: from clicks and late applies, as the judge books them, to what is bid."""

from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from handbill.control import targets
from handbill.control.rows import logged
from handbill.control.service import tick
from handbill.control.target_rows import ClickDay, corrections_of
from handbill.control.targets import PRIOR_PPM, Aims, aimed, aims_of
from handbill.control.tree import CapTree, tree_of
from handbill.core.nouns import PerformanceTarget
from handbill.core.pacing.bids import Binding
from handbill.core.pacing.targets import target_bid
from handbill.kit.instants import DAY, HOUR, MINUTE
from handbill.kit.money import PPM
from handbill.ledger import apply_ages
from handbill.ledger.apply_ages import ApplyAge
from handbill.standing.service import paced_of
from handbill.store.records import Records
from handbill.work.queue import enqueue
from market import START, Market
from rooms.listing_market import open_market, place

GOAL = 20_000_000
TODAY = date(2026, 11, 23)
MOST = 10**9


def on(back: int) -> str:
    return (TODAY - timedelta(days=back)).isoformat()


def market_of(records: Records, folder: Path) -> tuple[CapTree, dict[str, int]]:
    """A client with a goal of 20.00 an apply at two publishers that are paid by the click."""
    market = open_market(records, folder)
    nos = {
        name: market.publisher(name, bid_type=kind).no
        for name, kind in (("Good", "CPC"), ("Poor", "CPC"), ("Applies", "CPA"))
    }
    client = market.client()
    goals = [PerformanceTarget("cpa", GOAL), PerformanceTarget("cpc", 1_500_000)]
    nos["group"] = market.group(
        market.campaign(client),
        cpc_bid_micros=5_000_000,
        cpa_bid_micros=50_000_000,
        placements=tuple(map(place, ("Good", "Poor", "Applies"))),
        performance_targets=goals,
    ).no
    market.job(client)
    market.write(partial(enqueue, kind="groups.rematch", key=client.id, now=market.now()))
    market.drain()
    with records.read() as tx:
        return tree_of(tx, client, market.now()), nos


def test_bids_follow_what_comes_of_clicks(records: Records, tmp_path: Path) -> None:
    tree, nos = market_of(records, tmp_path)
    group, good, poor, by_apply = nos["group"], nos["Good"], nos["Poor"], nos["Applies"]

    def bids(found: Aims) -> dict[int, int]:
        return {no: target_bid(one, MOST)[0] for (_, no), one in found.targets.items()}

    first = aimed(tree, [], {}, {}, {})
    assert first.targets[group, good].is_prior, "no apply yet"
    assert 0.89 * GOAL * PRIOR_PPM / PPM <= bids(first)[good] == bids(first)[poor] < 1_000_000
    assert bids(first)[by_apply] == GOAL, "an apply is bid for: at most the goal"
    days = [
        ClickDay(group, no, on(back), 100, 50_000_000) for no in (good, poor) for back in range(40)
    ]
    came = {ApplyAge(group, good, on(back), 0): 7 for back in range(40)}
    came |= {ApplyAge(group, poor, on(back), back % 5): 2 for back in range(1, 40)}
    found = aimed(tree, days, came, {}, {})
    assert 1_100_000 < bids(found)[good] < 1_500_000
    assert 350_000 < bids(found)[poor] < 500_000
    assert not found.targets[group, good].is_prior
    former = {(group, good): 500_000}
    assert bids(aimed(tree, days, came, former, {}))[good] == 600_000, "a fifth at most"
    many = came | {ApplyAge(group, good, on(back), 0): 30 for back in range(40)}
    capped = aimed(tree, days, many, {}, {})
    assert bids(capped)[good] == 1_500_000, "a click costs no more than its own target"
    assert capped.targets[group, good].kind == "cpc"


def test_bids_are_corrected_once_a_day_by_what_applies_cost(
    records: Records, tmp_path: Path
) -> None:
    tree, nos = market_of(records, tmp_path)
    group, good = nos["group"], nos["Good"]
    dear = [ClickDay(group, good, on(back), 100, 300_000_000) for back in range(40)]
    came = {ApplyAge(group, good, on(back), 0): 7 for back in range(40)}
    start = aimed(tree, dear, came, {}, {}).corrections[group]
    assert (start.value_ppm, start.since_on) == (PPM, on(0))
    tomorrow = replace(tree, today=TODAY + timedelta(days=1))
    long_ago = {group: start._replace(since_on=on(30))}
    moved = aimed(tomorrow, dear, came, {}, long_ago)
    assert moved.corrections[group].value_ppm == 985_000
    again = aimed(tomorrow, dear, came, {}, moved.corrections)
    assert not again.corrections, "once a day"
    other = {group: start._replace(target_micros=1, value_ppm=700_000, since_on=on(30))}
    anew = aimed(tomorrow, dear, came, {}, other).corrections[group]
    assert (anew.value_ppm, anew.since_on) == (PPM, on(-1)), "another target begins anew"
    bids = {(group, no): 900_000 for no in (nos["Good"], nos["Poor"], nos["Applies"])}
    with records.write() as tx:
        targets.keep(tx, tree.client.no, moved, bids)
    with records.read() as tx:
        kept = aims_of(tx, tomorrow)
        assert corrections_of(tx, tree.client.no) == moved.corrections
    assert kept.former == {(group, nos["Good"]): 900_000, (group, nos["Poor"]): 900_000}
    assert not kept.corrections


def test_a_tick_bids_for_targets(records: Records, tmp_path: Path) -> None:
    """The first time by the prior; the bid log says what bound, and can be worked out again."""
    tree, nos = market_of(records, tmp_path)
    group, client = nos["group"], tree.client
    with records.read() as tx:
        bids = {no: one.bid_micros for (_, no), one in paced_of(tx, client.no).items()}
        lines = {
            name: logged(tx, group, [nos[name]], 0, tree.now + 1)[0][1].line
            for name in ("Good", "Poor", "Applies")
        }
        former = aims_of(tx, tree).former
    assert bids[nos["Good"]] == bids[nos["Poor"]] == lines["Good"].bid.bid_micros
    assert 0.89 * GOAL * PRIOR_PPM / PPM <= bids[nos["Good"]] < GOAL * PRIOR_PPM / PPM
    assert bids[nos["Applies"]] == GOAL
    assert all(Binding.CPA in line.bid.binding and line.is_true for line in lines.values())
    assert lines["Good"].inputs.target is not None
    assert lines["Good"].inputs.target.is_prior
    assert former.keys() == {(group, nos["Good"]), (group, nos["Poor"])}
    assert not tick(records, client, tree.now + MINUTE, 1_200_000), "nothing has come"


def test_the_judge_tells_how_late_applies_come(records: Records, tmp_path: Path) -> None:
    """In days of the client's zone; a repeat is none, nor is one by a bot's click."""
    market = Market(records, tmp_path)
    client_no = market.client(zone="America/New_York")
    listing = market.listing(client_no=client_no)
    clicks = [market.clicked(listing, at=START - 5 * DAY + n * MINUTE) for n in range(4)]
    market.converted(clicks[0], at=clicks[0].at + HOUR, application="a")
    market.converted(clicks[1], at=clicks[1].at + 3 * DAY, application="b")
    market.converted(clicks[2], at=clicks[2].at + 3 * DAY, application="b")
    bot = market.clicked(listing, at=START - 5 * DAY, agent="Googlebot/2.1")
    market.converted(bot, at=START - 4 * DAY, application="c")
    market.judge_all()
    market.judge_all()
    with records.read() as tx:
        told = apply_ages.since(tx, client_no, date(2000, 1, 1))
        clicked_on = next(iter(told)).click_on
        day = date.fromisoformat(clicked_on)
        delays = apply_ages.delays_since(tx, client_no, day)
        assert apply_ages.delays_since(tx, client_no, day + timedelta(days=1)) == {}
    at = (listing.group_no, listing.publisher_no, clicked_on)
    assert told == {ApplyAge(*at, 0): 1, ApplyAge(*at, 3): 1}
    assert delays == {(clicked_on, 0): 1, (clicked_on, 3): 1}
    with records.write() as tx:
        assert apply_ages.forget(tx, START + DAY, 10) == 2
