"""Caps of jobs, budgets of placements and what is locked, beside a fold that knows no counters."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from typing import NamedTuple

import msgspec
import pytest

from handbill.core.listing_tokens import Listing
from handbill.core.nouns import (
    BidType,
    Cap,
    Caps,
    GroupBody,
    JobPlacement,
    JobSetting,
    JobSettings,
    Placement,
)
from handbill.kit.instants import DAY, HOUR, MINUTE, moment_of
from handbill.ledger import counter_rows, counting
from handbill.ledger.checking import check
from handbill.store import segment_files, segments
from handbill.store.records import Records
from handbill.store.records.tables import groups, jobs
from market import Market, dispositions

MARKETS, STEPS = 50, 5
MICROS = 1_000_000
PERIODS = ("Weekly", "Monthly", "Lifetime")
KINDS: dict[str, BidType] = {"A": "CPC", "B": "CPC", "C": "CPA"}


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Market:
    return Market(records, tmp_path)


def set_job(market: Market, job_id: bytes, settings: JobSettings | None) -> None:
    said = None if settings is None else msgspec.json.encode(settings).decode()
    with market.records.write() as tx:
        tx.change(jobs, {"id": job_id.hex()}, settings=said, updated_at=market.clock.now())


class Took(NamedTuple):
    """What one event took; ``amounts``: micros, clicks, applies."""

    publisher: str
    job: bytes
    day: date
    amounts: tuple[int, int, int]


def within(cap: Cap, one: date, other: date) -> bool:
    if cap.period == "Weekly":
        return one.isocalendar()[:2] == other.isocalendar()[:2]
    return cap.period == "Lifetime" or (one.year, one.month) == (other.year, other.month)


@dataclass
class Trial:
    """One job group, three publishers, three jobs; caps are changed between the batches."""

    market: Market
    chance: Random
    name: str
    publishers: dict[str, int]
    took: list[Took] = field(default_factory=list)
    settings: dict[bytes, JobSettings] = field(default_factory=dict)
    expected: dict[str, tuple[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client_no = self.market.client(self.name)
        self.campaign_no = self.market.campaign(self.client_no, self.name)
        self.body = GroupBody("g1")
        self.group_no = self.market.group(self.client_no, self.campaign_no)
        self.jobs = [self.chance.randbytes(16) for _ in range(3)]
        for job in self.jobs:
            self.market.job(self.client_no, job)
        self.change()

    def cap(self, unit: int, most: int, odds: float = 0.4) -> Cap | None:
        if self.chance.random() > odds:
            return None
        return Cap(self.chance.choice(PERIODS), self.chance.randint(0, most) * unit)  # type: ignore[arg-type]

    def caps(self) -> tuple[Cap | None, ...]:
        return self.cap(MICROS // 2, 8), self.cap(1, 5, 0.2), self.cap(1, 3, 0.2)

    def change(self) -> None:
        """Set, raise, lower or lift any cap of the group, its placements and its jobs."""
        total = self.chance.randint(3, 12) * MICROS
        each = self.caps()
        budget = Cap("Monthly", total)
        locked = total
        placements = []
        for name in KINDS:
            value = self.chance.randint(0, 6) * MICROS // 2
            is_locked = value <= locked and self.chance.random() < 0.5
            locked -= value if is_locked else 0
            has = is_locked or self.chance.random() < 0.5
            own = Cap("Monthly", value, locked=is_locked) if has else None
            active = self.chance.random() < 0.9
            placements.append(Placement(name, budget=own, active=active))
        self.body = GroupBody(
            "g1",
            placements=placements,
            caps=Caps(budget=budget, job_budget=each[0], job_clicks=each[1], job_applies=each[2]),
        )
        self.market.change(groups, self.group_no, self.body)
        for job in self.jobs:
            at = [JobPlacement(name, budget=cap) for name in KINDS if (cap := self.cap(MICROS, 3))]
            self.settings[job] = JobSettings(
                JobSetting(
                    caps=Caps(**dict(zip(Caps.__struct_fields__, self.caps(), strict=False)))
                ),
                tuple(at),
            )
            set_job(self.market, job, self.settings[job])

    def happen(self) -> None:
        for _ in range(self.chance.randint(0, 6)):
            publisher, job = self.chance.choice(sorted(KINDS)), self.chance.choice(self.jobs)
            kind = KINDS[publisher]
            listing = Listing(
                client_no=self.client_no,
                campaign_no=self.campaign_no,
                group_no=self.group_no,
                publisher_no=self.publishers[publisher],
                job_id=job,
                bid_type=kind,
                bid_micros=MICROS,
                price_micros=MICROS,
                listed_at=self.market.clock.now() // 1_000 * 1_000,
            )
            click = self.market.clicked(listing)
            paid = MICROS if kind == "CPC" else 0
            self.book(click.random.hex(), publisher, job, (paid, 1, 0), "valid")
            if self.chance.random() < 0.6:
                self.market.converted(click)
                self.converted.append((click.random.hex(), publisher, job, MICROS - paid))

    converted: list[tuple[str, str, bytes, int]] = field(default_factory=list)

    def settle(self) -> None:
        """Clicks of a batch go before the applies that they led to."""
        for click_id, publisher, job, paid in self.converted:
            self.book(f"{click_id}/apply", publisher, job, (paid, 0, 1), "counted")
        self.converted.clear()

    def book(
        self, name: str, publisher: str, job: bytes, amounts: tuple[int, int, int], good: str
    ) -> None:
        day = moment_of(self.market.clock.now()).date()
        one = Took(publisher, job, day, amounts)
        has_room = self.has_room(one)
        if has_room:
            self.took.append(one)
        self.expected[name] = (good, amounts[0]) if has_room else ("over_cap", 0)

    def has_room(self, one: Took) -> bool:
        caps, own = self.body.caps, self.settings[one.job]
        of_job = [took for took in self.took if took.job == one.job]
        at = [took for took in self.took if took.publisher == one.publisher]
        held: list[tuple[Cap | None, int, list[Took]]] = [
            (caps.job_budget, 0, of_job),
            (caps.job_clicks, 1, of_job),
            (caps.job_applies, 2, of_job),
            (own.setting.caps.budget, 0, of_job),
            (own.setting.caps.clicks, 1, of_job),
            (own.setting.caps.applies, 2, of_job),
        ]
        held += [
            (placement.budget, 0, [took for took in at if took.job == one.job])
            for placement in own.placements
            if placement.publisher_id == one.publisher
        ]
        held += [
            (placement.budget, 0, at)
            for placement in self.body.placements
            if placement.publisher_id == one.publisher
        ]
        assert caps.budget is not None
        promised = sum(
            max(
                0,
                other.budget.value
                - self.used(
                    other.budget,
                    0,
                    [took for took in self.took if took.publisher == other.publisher_id],
                    one.day,
                ),
            )
            for other in self.body.placements
            if other.active
            and other.budget
            and other.budget.locked
            and other.publisher_id != one.publisher
        )
        held.append((Cap("Monthly", caps.budget.value - promised), 0, self.took))
        return all(
            cap is None
            or not one.amounts[measure]
            or self.used(cap, measure, took, one.day) + one.amounts[measure] <= cap.value
            for cap, measure, took in held
        )

    @staticmethod
    def used(cap: Cap, measure: int, took: list[Took], day: date) -> int:
        return sum(one.amounts[measure] for one in took if within(cap, one.day, day))


def booked(market: Market) -> Iterator[tuple[str, tuple[str, int]]]:
    for line in market.judged():
        suffix = "" if line["kind"] == "CLICK" else "/apply"
        yield line["clickId"] + suffix, (line["disposition"], line["chargeMicros"])


@pytest.mark.parametrize("seed", [11])
def test_every_cap_is_held_as_a_fold_of_all_events_says(
    sqlite_records: Records, tmp_path: Path, seed: int
) -> None:
    """In fifty markets, whose caps are set, raised, lowered and lifted in mid-period."""
    market, chance = Market(sqlite_records, tmp_path), Random(seed)
    publishers = {name: market.publisher(name, kind) for name, kind in KINDS.items()}
    trials = [Trial(market, chance, f"c{n}", publishers) for n in range(MARKETS)]
    for _ in range(STEPS):
        market.clock.forward(chance.choice((HOUR, DAY, 9 * DAY)))
        for trial in trials:
            if chance.random() < 0.6:
                trial.change()
            trial.happen()
            trial.settle()
        market.judge_all()
    found = dict(booked(market))
    expected = {name: said for trial in trials for name, said in trial.expected.items()}
    wrong = {
        name: (found.get(name), said) for name, said in expected.items() if found.get(name) != said
    }
    assert wrong == {}
    assert {said for said, _ in found.values()} == {"valid", "counted", "over_cap"}
    assert check(market.records, market.blobs, market.scratch).faults == []


def budget_of_job(market: Market, **caps: Cap) -> Listing:
    listing = market.listing()
    market.job(listing.client_no, listing.job_id)
    market.change(groups, listing.group_no, GroupBody("g1", caps=Caps(**caps)))
    return listing


def test_a_jobs_cap_knows_what_was_spent_before_it_was_set(market: Market) -> None:
    """Also when it was lifted meanwhile, and after the judge has come again."""
    listing = market.listing()
    market.job(listing.client_no, listing.job_id)
    market.clicked(listing)
    market.judge_all()
    cap = JobSettings(JobSetting(caps=Caps(budget=Cap("Monthly", 3 * MICROS))))
    set_job(market, listing.job_id, cap)
    market.clicked(listing)
    market.judge_all()
    set_job(market, listing.job_id, None)
    market.clicked(listing)
    market.judge_all()
    with market.records.read() as tx:
        assert counting.counts_of(tx, listing.client_no) == set()
        scopes = {key.scope for key in counter_rows.counters_of(tx, listing.client_no)}
    assert "job" not in scopes, "what is capped no more is counted no more"
    set_job(market, listing.job_id, cap)
    market.clock.forward(MINUTE)
    market.clicked(listing)
    assert dispositions(market.judged()) == ["valid", "valid", "valid", "over_cap"]
    assert [line["reason"] for line in market.ledger() if line["reason"]] == ["job_budget_monthly"]
    assert check(market.records, market.blobs, market.scratch).faults == []


def test_a_lowered_cap_stops_at_once_and_refunds_nothing(market: Market) -> None:
    listing = budget_of_job(market, job_budget=Cap("Lifetime", 5 * MICROS))
    for _ in range(2):
        market.clicked(listing)
    market.judge_all()
    market.change(
        groups, listing.group_no, GroupBody("g1", caps=Caps(job_budget=Cap("Lifetime", MICROS)))
    )
    market.clicked(listing)
    other = msgspec.structs.replace(listing, job_id=b"another job here")
    market.clicked(other)
    assert sorted(dispositions(market.judged())) == ["over_cap", "valid", "valid", "valid"]
    assert sum(line["spendMicros"] for line in market.ledger()) == 3 * MICROS
    assert {line["reason"] for line in market.ledger()} == {None, "group_job_budget_lifetime"}


def test_a_damaged_file_holds_up_neither_judge_nor_caps(
    market: Market, caplog: pytest.LogCaptureFixture
) -> None:
    """What was spent before a cap was set is in files; one of them cannot be read for a while."""
    listing = market.listing()
    market.job(listing.client_no, listing.job_id)
    for _ in range(2):
        market.clicked(listing)
        market.judge_all()
    with market.records.read() as tx:
        path = segments.segments_of_any(tx, [listing.client_no])[0].path
    sound = market.blobs.get(path)
    market.blobs.put(path, sound[:60] + bytes((sound[60] ^ 4,)) + sound[61:])
    cap = JobSettings(JobSetting(caps=Caps(budget=Cap("Lifetime", 4 * MICROS))))
    set_job(market, listing.job_id, cap)
    other = market.listing(client_no=market.client("c2"), publisher_no=listing.publisher_no)
    judge = market.judge()
    for _ in range(4):
        market.clicked(listing)
        market.clicked(other)
        while judge.step():
            pass
    with pytest.raises(segment_files.Damaged, match=f"{path} is damaged"):
        market.ledger()
    assert caplog.text.count(path) == 1, "one alarm"
    market.blobs.put(path, sound)
    market.clicked(listing)
    while judge.step():
        pass
    found = market.ledger()
    assert len([line for line in found if line["clientId"] == "c2"]) == 4
    said = [line["disposition"] for line in found if line["clientId"] == "c1"]
    assert sorted(said) == ["over_cap"] * 2 + ["valid"] * 5, "one more than fits, and no other"
    assert check(market.records, market.blobs, market.scratch).faults == []


def test_the_check_finds_a_cap_of_a_job_that_was_passed(market: Market) -> None:
    """As if more had been booked than the caps allow that stood all the time."""
    listing = market.listing()
    market.job(listing.client_no, listing.job_id)
    own, each = Cap("Lifetime", 3 * MICROS), Cap("Monthly", 3 * MICROS)
    set_job(
        market,
        listing.job_id,
        JobSettings(JobSetting(caps=Caps(budget=own)), (JobPlacement("Board", budget=own),)),
    )
    market.change(groups, listing.group_no, GroupBody("g1", caps=Caps(job_budget=each)))
    for _ in range(3):
        market.clicked(listing)
    market.judge_all()
    assert check(market.records, market.blobs, market.scratch).faults == []
    with market.records.write() as tx:
        for table in ("groups", "jobs"):
            low = f"UPDATE {table} SET updated_at = 1, "
            column = "body" if table == "groups" else "settings"
            tx.run_text(f"{low} {column} = replace({column}, '3000000', '2000000')", {})
    faults = check(market.records, market.blobs, market.scratch).faults
    assert len(faults) == 3, faults
    for scope in ("group_job", "job", "job_placement"):
        assert any(f": {scope} " in fault and "used 3000000 of its" in fault for fault in faults)


def test_what_is_locked_is_left_to_its_placement(market: Market) -> None:
    """Zero is a stop for everybody else, and a lock alone does not open the wall."""
    listing = market.listing()
    locked = market.publisher("Locked")
    market.change(
        groups,
        listing.group_no,
        GroupBody(
            "g1",
            caps=Caps(budget=Cap("Monthly", 3 * MICROS)),
            placements=[
                Placement("Board"),
                Placement("Locked", budget=Cap("Monthly", 2 * MICROS, locked=True)),
            ],
        ),
    )
    for publisher_no in (listing.publisher_no,) * 3 + (locked,) * 3:
        market.clicked(
            msgspec.structs.replace(listing, publisher_no=publisher_no), at=market.clock.now()
        )
    found = market.judged()
    by_publisher = {
        name: sum(line["spendMicros"] for line in found if line["publisherId"] == name)
        for name in ("Board", "Locked")
    }
    assert by_publisher == {"Board": MICROS, "Locked": 2 * MICROS}
    reasons = {line["reason"] for line in found} - {None}
    assert reasons == {"group_budget_monthly"}
