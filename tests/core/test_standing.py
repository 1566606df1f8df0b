"""How all stand: the first reason of each cause, what else holds, and what would mend it."""

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.standing_tree import EXCHANGE, FULL, NOW, STAMPS, ZONE, G, capped, caps, mark, tree
from handbill.core.bids import JobBids
from handbill.core.nouns import (
    Cap,
    Placement,
    Publisher,
    PublisherBody,
)
from handbill.core.pacing.caps import Days, DeliveryMode, Felt, is_stopped, mark_of
from handbill.core.pacing.copies import ShownCopy, unfetched
from handbill.core.rates import PICOS, DatedRate, Exchange
from handbill.core.standing.capping import CapKey, Capped, enough
from handbill.core.standing.reasons import Code, kept_since
from handbill.core.standing.resolving import resolve
from handbill.core.standing.tree import CappedJob, Let, Locked, StandingTree
from handbill.kit.instants import DAY, HOUR
from handbill.kit.money import PPM
from handbill.kit.zones import start_of

CAUSES: dict[str, tuple[StandingTree, str]] = {
    "client paused": (tree(status="PAAA"), "PARENT_PAUSED CLIENT PARENT_PAUSED enable"),
    "campaign paused": (tree(status="APAA"), "PARENT_PAUSED CAMPAIGN PARENT_PAUSED enable"),
    "group paused": (tree(status="AAPA"), "PAUSED JOBGROUP PAUSED enable"),
    "client ended": (tree(client={"end_on": "2026-11-22"}), "EXPIRED CLIENT EXPIRED extend"),
    "campaign starts": (
        tree(campaign={"start_on": "2026-11-24"}),
        "NOT_STARTED CAMPAIGN NOT_STARTED -",
    ),
    "group ended": (tree(group={"end_on": "2026-11-22"}), "EXPIRED JOBGROUP EXPIRED extend"),
    "off day": (tree(group={"days": (2, 3)}), "OFF_DAY JOBGROUP PAUSED open_day"),
    "client's cap": (
        tree(**caps(("client", "1", "budget"), FULL)),
        "CAP_REACHED CLIENT PARENT_CAPPED raise",
    ),
    "campaign's cap": (
        tree(**caps(("campaign", "2", "clicks"), capped(5 * PPM, 5 * PPM, cheapest=PPM))),
        "CAP_REACHED CAMPAIGN PARENT_CAPPED raise",
    ),
    "group's cap": (tree(**caps(G, FULL)), "CAP_REACHED JOBGROUP CAPPED raise"),
    "in flight": (
        tree(**caps(G, capped(6_000_000, in_flight=4_000_000))),
        "CAP_IN_FLIGHT JOBGROUP CAPPED raise",
    ),
    "cap of 0": (tree(**caps(G, capped(0, 0))), "CAP_ZERO JOBGROUP CAPPED raise"),
    "locked for others": (
        tree(**caps(G, capped(4_000_000)), locked={(3, 7): Locked(6_000_000, 500_000)}),
        "CAP_LOCKED JOBGROUP CAPPED raise",
    ),
    "placement's cap": (
        tree(**caps(("placement", "3/7", "budget"), FULL)),
        "CAP_REACHED PLACEMENT CAPPED raise",
    ),
    "its cap in the campaign": (
        tree(**caps(("campaign_placement", "2/7", "budget"), FULL)),
        "CAP_REACHED CAMPAIGN PARENT_CAPPED raise",
    ),
    "placement off": (
        tree(group={"placements": [Placement("Board", active=False)]}),
        "PLACEMENT_PAUSED PLACEMENT NO_PLACEMENT activate",
    ),
    "no placement": (tree(group={"placements": []}), "NO_PLACEMENT JOBGROUP NO_PLACEMENT -"),
    "publisher paused": (tree(status="AAAP"), "PUBLISHER_PAUSED PUBLISHER NO_PLACEMENT enable"),
    "excluded": (
        tree(client={"excluded_publishers": ["Board"]}),
        "EXCLUDED CLIENT NO_PLACEMENT admit",
    ),
    "type of client": (
        tree(publisher={"placement_type": "JobBoard"}),
        "CLIENT_TYPE PUBLISHER NO_PLACEMENT -",
    ),
    "paid by posting": (tree(publisher={"bid_type": "PPP"}), "NOT_POSTED PUBLISHER NO_PLACEMENT -"),
    "no rate": (tree(publisher={"currency": "EUR"}), "NO_RATE PUBLISHER NO_BID -"),
    "no jobs": (tree(jobs={}), "NO_JOBS JOBGROUP NO_JOBS -"),
    "all jobs paused": (tree(jobs={3: [(JobBids(paused=True), 5)]}), "NO_JOBS PLACEMENT NO_JOBS -"),
    "no bid": (tree(group={"cpc_bid_micros": 0}), "NO_BID PLACEMENT NO_BID bid"),
    "below least bid": (
        tree(publisher={"min_bid_micros": 600_000}),
        "BELOW_MIN_BID PLACEMENT NO_BID bid",
    ),
    "below the cent": (
        tree(client={"markdown_ppm": 990_000}, group={"cpc_bid_micros": 100_000}),
        "BELOW_UNIT PLACEMENT NO_BID bid",
    ),
}


@pytest.mark.parametrize(("found", "expected"), CAUSES.values(), ids=CAUSES)
def test_each_cause_is_the_first_reason_of_the_job_group(
    found: StandingTree, expected: str
) -> None:
    """Its code, its level, the state that it makes, and what mends it."""
    group = resolve(found, NOW)["group", "3"]
    first = group.reasons[0]
    fix = first.fix.kind if first.fix else "-"
    assert f"{first.code} {first.level} {group.status} {fix}" == expected
    assert group.delivery is Felt.STOPPED
    assert group.description == first.words
    assert group.also_holding == (), "one cause, and nothing that follows from it"


@pytest.mark.parametrize(("currency", "told"), [("JPY", "JPY"), ("USD", "")])
def test_a_least_bid_in_another_currency_says_so(currency: str, told: str) -> None:
    day = EXCHANGE.today
    rates = Exchange("USD", day, [DatedRate(day, "JPY", "USD", PICOS // 100)])
    least = {"currency": currency, "min_bid_micros": 60_000_000}
    found = resolve(tree(publisher=least, exchange=rates), NOW)["placement", "3/7"].reasons[0]
    assert (found.code, found.params.min_bid_micros) == ("BELOW_MIN_BID", 60_000_000)
    assert found.params.currency == told


def test_what_is_locked_for_others_leaves_the_rest() -> None:
    """A cap of 10 of which 4 are used and 5 are promised: one more at 0.5 fits."""
    fits = tree(**caps(G, capped(4_000_000)), locked={(3, 7): Locked(5_000_000, 500_000)})
    assert resolve(fits, NOW)["placement", "3/7"].is_plain


def test_listings_follow_caps_alone() -> None:
    """All else they see by themselves, and at once."""
    found = resolve(tree(status="PAAA", **caps(G, FULL)), NOW)
    assert {kind: one.is_capped for (kind, _), one in found.items()} == {
        "client": False,
        "campaign": False,
        "group": True,
        "placement": True,
    }
    assert all(one.delivery is Felt.STOPPED for one in found.values())


def test_nothing_to_tell() -> None:
    found = resolve(tree(), NOW)
    assert len(found) == 4
    assert all(one.is_plain for one in found.values())


def test_what_would_still_stop_it() -> None:
    """Own causes first, then those above, then what there is to sell."""
    found = resolve(
        tree(
            client={"end_on": "2026-11-22"},
            group={"days": (2,), "cpc_bid_micros": 0},
            status="APPA",
            **caps(G, FULL),
        ),
        NOW,
    )["group", "3"]
    assert [one.code for one in found.all_reasons] == [
        Code.PAUSED,
        Code.OFF_DAY,
        Code.CAP_REACHED,
        Code.PARENT_PAUSED,
        Code.EXPIRED,
        Code.NO_BID,
    ]
    assert [one.code for one in found.reasons] == [Code.PAUSED]


def test_a_campaign_of_which_nothing_is_listed() -> None:
    found = resolve(tree(group={"cpc_bid_micros": 0}), NOW)
    for kind, entity in (("campaign", "2"), ("client", "1")):
        above = found[kind, entity]  # type: ignore[index]
        assert (above.status, above.delivery) == ("ACTIVE", Felt.STOPPED)
        assert [one.code for one in above.reasons] == [Code.NONE_BELOW]
    posted = resolve(tree(group={"cpc_bid_micros": 0}, posted=1), NOW)
    assert posted["client", "1"].is_plain, "what is posted is listed"


def test_one_place_of_two_does_not_stop_the_group() -> None:
    both = tree(group={"placements": [Placement("Board"), Placement("Other")]})
    other = Publisher(
        no=8, id="Other", agency_no=1, status="P", body=PublisherBody(name="Other"), **STAMPS
    )
    found = resolve(both._replace(publishers={**both.publishers, "Other": other}), NOW)
    group = found["group", "3"]
    assert (group.status, group.delivery) == ("ACTIVE", Felt.FULL)
    assert [(one.code, one.blocking) for one in group.reasons] == [(Code.PUBLISHER_PAUSED, False)]
    assert found["placement", "3/8"].status == "NO_PLACEMENT"
    assert found["placement", "3/7"].is_plain


def test_when_it_ends_by_itself() -> None:
    starts = resolve(tree(group={"start_on": "2026-11-30"}), NOW)["group", "3"]
    assert starts.until_at == start_of(date(2026, 11, 30), ZONE)
    off = resolve(tree(group={"days": (2,)}), NOW)["group", "3"]
    assert off.until_at == start_of(date(2026, 11, 25), ZONE)
    for period, day in (("Daily", 24), ("Weekly", 30)):
        found = resolve(tree(**caps(G, capped(10_000_000, period=period))), NOW)["group", "3"]
        assert found.until_at == start_of(date(2026, 11, day), ZONE)
    month = resolve(tree(**caps(G, FULL)), NOW)["group", "3"]
    assert month.until_at == start_of(date(2026, 12, 1), ZONE)
    life = resolve(tree(**caps(G, capped(10_000_000, period="Lifetime"))), NOW)["group", "3"]
    assert life.until_at is None


def test_a_day_that_has_reached_its_ceiling_ends_at_midnight() -> None:
    cap = Cap("Monthly", 8_000_000, pacing=True)
    today = Capped(cap, mark(cap, 1_200_000, 1_200_000, days=8), 0, 500_000)
    found = resolve(tree(**caps(G, today)), NOW)["group", "3"]
    assert found.reasons[0].code is Code.CAP_REACHED
    assert found.until_at == start_of(date(2026, 11, 24), ZONE)
    assert found.description == "the job group has reached today's part of its monthly budget"
    assert found.reasons[0].params.share == 1_000_000


def test_a_cap_of_less_than_a_click_is_told_as_that_and_ends_by_nothing() -> None:
    cap = Cap("Daily", 400_000)
    found = resolve(tree(**caps(G, Capped(cap, mark(cap, 0, 0), 0, 500_000))), NOW)["group", "3"]
    told = "the daily budget of the job group is less than one click or apply costs"
    assert (found.description, found.until_at) == (told, None)
    assert found.reasons[0].code is Code.CAP_REACHED
    enough = resolve(tree(**caps(G, Capped(cap, mark(cap, 0, 0), 0, 400_000))), NOW)["group", "3"]
    assert enough.is_plain


def test_brakes_and_paces_without_stopping() -> None:
    braking = resolve(tree(**caps(G, capped(8_000_000))), NOW)
    assert braking["group", "3"].delivery is Felt.BRAKING
    assert braking["placement", "3/7"].delivery is Felt.BRAKING, "what stands below feels it"
    assert braking["client", "1"].delivery is Felt.FULL
    lets = {(3, 7): Let(400_000, G)}
    paced = resolve(tree(**caps(G, capped(1_000_000)), lets=lets), NOW)
    assert {kind: one.delivery for (kind, _), one in paced.items()} == {
        "client": Felt.FULL,
        "campaign": Felt.FULL,
        "group": Felt.PACED,
        "placement": Felt.PACED,
    }
    params = paced["group", "3"].reasons[0].params
    assert (params.cap, params.let_ppm, params.used) == ("budget", 400_000, 1_000_000)


def test_the_brake_line_at_its_ends() -> None:
    """0 brakes from the first bid on; 100 does not brake."""
    first = resolve(tree(**caps(G, capped(0, threshold_ppm=0))), NOW)["group", "3"]
    assert first.delivery is Felt.BRAKING
    late = resolve(tree(**caps(G, capped(9_400_000, threshold_ppm=PPM))), NOW)["group", "3"]
    assert late.is_plain


def test_counts_are_told_as_counts() -> None:
    key: CapKey = ("group", "3", "clicks")
    cap = Cap("Monthly", 10)
    ten = Capped(
        cap, mark_of(cap, 10 * PPM, 10 * PPM, 0, Days((1,), (1,), True), DeliveryMode.ASAP)
    )
    params = resolve(tree(**caps(key, ten)), NOW)["group", "3"].reasons[0].params
    assert (params.value, params.used, params.in_flight) == (10, 10, 0)


def test_who_never_fetches_is_listed_and_told() -> None:
    late = resolve(tree(held={7: unfetched(NOW - 3 * DAY - 1, NOW)}), NOW)
    assert [one.code for one in late["group", "3"].reasons] == [Code.NOT_FETCHED]
    assert late["group", "3"].reasons[0].params.fetched_at is None
    assert late["placement", "3/7"].delivery is Felt.FULL
    early = resolve(tree(held={7: unfetched(NOW - 3 * DAY, NOW)}), NOW)
    assert early["group", "3"].is_plain
    lost = ShownCopy(
        version=1, fetched_at=NOW - 5 * HOUR, rhythm=HOUR, next_at=NOW + HOUR, lost=True
    )
    told = resolve(tree(held={7: lost}), NOW)["placement", "3/7"].reasons[0]
    assert (told.params.rhythm, told.params.fetched_at) == (HOUR, NOW - 5 * HOUR)
    assert resolve(tree(held={7: lost._replace(lost=False)}), NOW)["group", "3"].is_plain


def test_since_when() -> None:
    reached = resolve(tree(**caps(G, FULL)), NOW)["group", "3"]
    first = kept_since(None, reached, NOW)
    assert (first.since_at, first.reasons[0].since_at) == (NOW, NOW)
    paused = resolve(tree(status="AAPA", **caps(G, FULL)), NOW)["group", "3"]
    later = kept_since(first, paused, NOW + HOUR)
    assert later.since_at == NOW + HOUR, "it is another state"
    assert [one.since_at for one in later.all_reasons] == [NOW + HOUR, NOW]
    assert kept_since(later, paused, NOW + DAY) == later, "nothing changed: nothing is written"


def test_jobs_that_have_reached_caps_of_their_own() -> None:
    jobs = [CappedJob("aa", "r1", "Cook", 3), CappedJob("bb", "r2", "Nurse", 3)]
    each: CapKey = ("group_job", "3/aa", "budget")
    some = resolve(tree(capped_jobs=jobs, caps={each: FULL}), NOW)
    assert some["job", "aa"].reasons[0].params.cap == "jobBudget"
    told = some["group", "3"].reasons[0]
    assert (told.code, told.blocking, told.params.capped_jobs) == (Code.JOBS_CAPPED, False, 1)
    every = resolve(
        tree(
            capped_jobs=jobs,
            jobs={3: [(JobBids(), 2)]},
            caps={each: FULL, ("job", "bb", "budget"): FULL},
        ),
        NOW,
    )
    assert every["group", "3"].status == "CAPPED"
    assert every["placement", "3/7"].delivery is Felt.STOPPED
    there = resolve(tree(capped_jobs=jobs, caps={("job_placement", "bb/7", "budget"): FULL}), NOW)
    assert there["job_placement", "bb/7"].reasons[0].params.publisher_id == "Board"
    assert ("job", "bb") not in there


@given(
    used=st.integers(0, 10**10),
    value=st.integers(0, 10**10),
    in_flight=st.integers(0, 10**9),
    cheapest=st.integers(1, 10**8),
    pacing=st.booleans(),
    days=st.integers(1, 8),
    line=st.sampled_from([500_000, 800_000, PPM]),
    part=st.floats(0, 1),
)
def test_the_value_that_is_proposed_is_enough(
    used: int,
    value: int,
    in_flight: int,
    cheapest: int,
    pacing: bool,
    days: int,
    line: int,
    part: float,
) -> None:
    """Of a cap that stops or brakes: with it, it does neither."""
    cap = Cap("Monthly", value, pacing=pacing, threshold_ppm=line)
    used = min(used, value)
    today = int(used * part)
    now = Capped(cap, mark(cap, used, today, days), in_flight, cheapest)
    raised = enough(now, is_count=False)
    assert raised > value or not value
    if pacing and not now.mark.share:
        return  # nothing of the month is left for a day of no weight
    better = mark(msgspec.structs.replace(cap, value=raised), used, today, days)
    assert not is_stopped(better, in_flight, cheapest)
    assert not better.is_braking(in_flight)
