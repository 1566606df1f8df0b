"""Days of a whole system with its market: what must hold after each step, and the same bytes again.

The checks themselves are tried too: each of them must find what it is there to find.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from handbill.core.pacing.bids import Inputs, PacedBid, decided
from handbill.kit.instants import DAY, HOUR
from handbill.kit.money import PPM
from handbill.simulate import bid_log
from handbill.simulate.employers import CapSet
from handbill.simulate.facts import OfDay
from handbill.simulate.living import SimulatedLife, Size
from handbill.simulate.truth import Broken
from handbill.store.journal_turns import BUSY
from serving import handbill

SMALL = Size(days=2, publishers=4, clients=1, clicks=300, jobs=8, step=2 * HOUR)
SEED = 5


class Past(NamedTuple):
    """A simulation that is over. ``kept``: what there was at its end."""

    days: list[OfDay]
    kept: dict[str, bytes]
    life: SimulatedLife


@pytest.fixture(scope="module")
def beset(tmp_path_factory: pytest.TempPathFactory) -> Past:
    with closing(SimulatedLife(tmp_path_factory.mktemp("beset"), SMALL, SEED)) as life:
        return Past(list(life.days()), life.house.kept(), life)


def test_the_same_seed_lives_the_same_days(beset: Past, tmp_path: Path) -> None:
    """Both days: judge and worker are cut on the second one, and all starts again."""
    with closing(SimulatedLife(tmp_path, SMALL, SEED)) as life:
        assert list(life.days()) == beset.days
        kept = life.house.kept()
    assert beset.kept.keys() == kept.keys()
    assert [name for name in kept if beset.kept[name] != kept[name]] == []


def test_there_was_something_to_see(beset: Past) -> None:
    """Visitors of each kind, a cap that was reached, a publisher that never fetches."""
    classes = sum((day.classes for day in beset.days), start=Counter[str]())
    assert all(classes[name] for name in ("valid", "over_cap", "bot", "duplicate")), classes
    assert beset.life.truth.bids.count, "bids were published, and decided again"
    public = beset.life.public
    assert public.heard.conversions
    assert [shown.rhythm for shown in public.shown].count(None) == 1
    assert [shown.fetched_at for shown in public.shown if shown.client], "files of one client"


def test_restarts_and_cuts_change_nothing_that_is_charged(beset: Past, tmp_path: Path) -> None:
    """Ids differ, as each part that begins draws some; what became of all events does not."""
    with closing(SimulatedLife(tmp_path, SMALL._replace(steady=True), SEED)) as life:
        assert beset.days == list(life.days())


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[SimulatedLife]:
    size = Size(days=1, publishers=3, clients=1, clicks=300, jobs=8, step=2 * HOUR, steady=True)
    with closing(SimulatedLife(tmp_path, size, SEED)) as life:
        yield life


def test_no_real_time_decides_what_is_written_together(begun: SimulatedLife) -> None:
    """After many records at once, an edge gathers the next ones: not by the machine's clock."""
    _, journal = begun.house._edges[0]

    async def play() -> None:
        for records in (2 * BUSY, 1):
            for _ in range(records):
                journal.append(b"a record")
            for _ in range(3):  # turns of the loop
                await asyncio.sleep(0)
            assert journal.under_way() is None

    begun.house.run(play())


def test_a_cap_that_is_not_held_is_found(begun: SimulatedLife) -> None:
    """The agency's books say less than what the system was asked for."""
    caps = begun.trade.caps
    caps |= {asked: CapSet(cap.period, 0) for asked, cap in caps.items()}
    with pytest.raises(Broken, match=r"2026-10-\d\dT.* used \d+ of 0 "):
        list(begun.days())


@pytest.mark.parametrize(
    "change", ["DELETE FROM evaluations", "UPDATE evaluations SET number = number + 1"]
)
def test_what_a_clock_that_is_set_back_undoes_is_found(
    begun: SimulatedLife, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    def forget() -> None:
        with begun.house.tools.records.write() as tx:
            tx.run_text(change, {})

    for _ in zip(range(4), begun.steps(), strict=False):
        begun.set_back(2 * HOUR)
    monkeypatch.setattr(begun.house, "work", forget)
    with pytest.raises(Broken, match=r"with a clock set back, these changed: \['evaluations'\]"):
        begun.set_back(2 * HOUR)


def test_what_is_not_judged_is_found(begun: SimulatedLife, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handbill.simulate.truth.unknown_fetches", lambda *_: ())
    monkeypatch.setattr(begun.house, "judge", lambda: None)
    with pytest.raises(Broken, match="acknowledged clicks are not judged"):
        list(begun.days())


def test_a_fetch_that_nobody_knows_of_is_found(
    begun: SimulatedLife, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handbill.ledger.judge.copies.note", lambda *_: None)
    with pytest.raises(Broken, match=r"Board\d+ has fetched at \d+, and ShownCopy.* is known"):
        list(begun.days())


def test_another_price_than_was_shown_is_found(begun: SimulatedLife) -> None:
    for _ in zip(range(8), begun.steps(), strict=False):
        pass
    for shown in begun.public.shown:
        shown.offers = [one._replace(cpc_micros=one.cpc_micros + 10_000) for one in shown.offers]
    with pytest.raises(Broken, match="is charged otherwise"):
        list(begun.days())


def test_jobs_of_a_group_that_is_over_are_found(begun: SimulatedLife) -> None:
    for employer in begun.trade.employers:
        employer.groups = [
            replace(one, last=employer.day(begun.clock.now()).replace(year=2025))
            for one in employer.groups
        ]
    with pytest.raises(Broken, match="which is not to be"):
        list(begun.days())


def test_a_job_in_the_file_of_another_client_is_found(
    begun: SimulatedLife, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handbill.simulate.truth.unknown_fetches", lambda *_: ())
    for shown in begun.public.shown:
        shown.outlet.paths["another"] = shown.path
        shown.client = "another"
    with pytest.raises(Broken, match="in the file of another"):
        list(begun.days())


def test_a_price_beyond_what_is_aimed_at_is_found(begun: SimulatedLife) -> None:
    for employer in begun.trade.employers:
        employer.groups = [replace(one, targets={"cpc": 0}) for one in employer.groups]
    with pytest.raises(Broken, match="beyond 0 micros"):
        list(begun.days())


def test_a_price_in_a_currency_without_a_rate_is_found(begun: SimulatedLife) -> None:
    begun.trade.rates_ppm = {"USD": [], "EUR": []}
    with pytest.raises(Broken, match="without a rate"):
        list(begun.days())


def test_a_price_that_is_converted_otherwise_is_found(begun: SimulatedLife) -> None:
    begun.trade.rates_ppm = {"USD": [2 * PPM], "EUR": [2 * PPM]}
    with pytest.raises(Broken, match="is shown"):
        list(begun.days())


def test_a_charge_that_is_converted_otherwise_is_found(
    begun: SimulatedLife, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handbill.simulate.truth.other_prices", lambda *_: set())
    begun.trade.rates_ppm = {"USD": [2 * PPM], "EUR": [2 * PPM]}
    with pytest.raises(Broken, match="is charged otherwise"):
        list(begun.days())


@pytest.mark.parametrize("is_before", [False, True])
def test_another_markup_is_found(begun: SimulatedLife, is_before: bool) -> None:
    """Also of clicks before the market began, when purchases have none."""
    begun.trade.employers[0].markup_percent = 5
    begun.truth._began += DAY * is_before
    with pytest.raises(Broken, match="is marked up otherwise"):
        list(begun.days())


def test_another_bid_than_was_decided_is_found(
    begun: SimulatedLife, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dearer(step: Inputs) -> PacedBid:
        return decided(step)._replace(bid_micros=step.base_micros + 1)

    monkeypatch.setattr(bid_log, "decided", dearer)
    with pytest.raises(Broken, match=r"came .*, and not PacedBid\("):
        list(begun.days())


def test_a_bid_that_was_not_decided_again_is_found(begun: SimulatedLife) -> None:
    for _ in begun.days():
        pass
    begun.truth.bids.count -= 1
    with pytest.raises(Broken, match=r"\d+ bids were decided again, \d+ are logged"):
        begun.truth.end()


@pytest.mark.parametrize(("are_kept", "logged"), [(False, "0"), (True, r"[1-9]\d*")])
def test_logged_bids_that_are_never_told_are_found_and_offers_without_any(
    begun: SimulatedLife, *, are_kept: bool, logged: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object) -> list[object]:
        return []

    monkeypatch.setattr(begun.truth.bids, "_told", nothing)
    for _ in islice(begun.steps(), 6):
        pass
    if not are_kept:
        with begun.house.tools.records.write() as tx:
            tx.run_text("DELETE FROM bid_log", {})
    with pytest.raises(Broken, match=f"0 bids were decided again, {logged} are logged"):
        begun.truth.end()


def test_a_market_that_offers_nothing_needs_no_bids(
    begun: SimulatedLife, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handbill.simulate.living.AILMENTS", ["empty"])
    monkeypatch.setattr(begun._chance, "random", lambda: 0.0)
    (of_day,) = begun.days()
    assert not of_day.classes
    assert begun.truth.bids.count == 0


def test_a_budget_that_is_told_otherwise_is_found(begun: SimulatedLife) -> None:
    for _ in zip(range(11), begun.steps(), strict=False):
        pass
    for used in begun.truth._used.values():
        used[0] -= 1
    with pytest.raises(Broken, match=r"has used \d+ of its budget, and is told "):
        begun.truth.end_day("2026-10-12")


def test_a_purchase_that_acts_otherwise_is_found(tmp_path: Path) -> None:
    """Its terms, its days' costs, and its jobs in the feed."""
    size = Size(days=2, publishers=2, clients=1, clicks=20, jobs=8, step=4 * HOUR, purchases=True)
    with closing(SimulatedLife(tmp_path, size, SEED)) as life:
        for _ in life.days():
            pass
        bought, look = life.purchases, life.purchases.look
        assert bought.counts["shown"], "jobs with a bought slot were shown"
        assert life.house.run(look()) == []
        one = next(one for one in bought.every.values() if one.ended_at is None)
        assert one.booked_micros
        for name, wrong in (("available", "is told as"), ("booked_micros", "micros are booked")):
            setattr(one, name, getattr(one, name) + 10**9)
            assert wrong in "".join(life.house.run(look()))
            setattr(one, name, getattr(one, name) - 10**9)
        bought._feed = "/f/another"
        assert "are posted, and not shown" in "".join(life.house.run(look()))
        life.truth.end()
        for one in bought.every.values():
            one.credits = 0
        with pytest.raises(Broken, match=r"no job was ever posted of \d purchases?: \{'"):
            life.truth.end()
        bought.refused = Counter({"JOB_NOT_FOUND": 9})
        life.truth.end()


def test_a_job_that_a_feed_has_brought_is_found_for_a_purchase(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no other: the first are bought for before any feed was read."""
    size = Size(days=1, publishers=2, clients=1, clicks=0, jobs=8, purchases=True)
    with closing(SimulatedLife(tmp_path, size, SEED)) as life:
        life.house.run(life.purchases.deal())
        assert life.purchases.refused.keys() == {"JOB_NOT_FOUND"}
        assert life.purchases.end() == []
        ask, ads = life.trade.ask, life.trade.employers[0].careers.ads

        async def all_brought(verb: str, url: str, body: Any = None, **headers: str) -> Any:
            if "/jobs?" in url:
                return {"data": [{"refNumber": ref} for ref in ads]}
            return await ask(verb, url, body, **headers)

        monkeypatch.setattr(life.trade, "ask", all_brought)
        with pytest.raises(AssertionError, match="JOB_NOT_FOUND"):
            life.house.run(life.purchases._buy(None))


def test_an_entry_that_is_there_twice_is_found(begun: SimulatedLife) -> None:
    steps = begun.steps()
    while not begun.truth.days:
        next(steps)
    begun.truth._files.clear()
    with pytest.raises(Broken, match="are there twice"):
        next(steps)


def test_the_command_tells_each_day_and_what_does_not_hold(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("mine")
    refused = handbill("simulate", "--days", "1", data=tmp_path)
    assert refused.returncode == 1
    assert "is not empty" in refused.stderr
    told = handbill(
        "simulate",
        "--days",
        "1",
        "--publishers",
        "3",
        "--clients",
        "1",
        "--clicks",
        "100",
        "--step",
        "60",
        "--json",
        "--seed",
        "3",
        data=tmp_path / "new",
    )
    assert told.returncode == 0, told.stderr
    assert '"day":"2026-10-12"' in told.stdout
    assert int(told.stdout.partition('"bids":')[2].partition(",")[0]) > 0
    assert int(told.stdout.partition('"made":')[2].partition(",")[0]) > 0
    assert (tmp_path / "new" / "records.db").exists()
    checked = handbill("ledger", "check", data=tmp_path / "new")
    assert checked.returncode == 0, checked.stderr
