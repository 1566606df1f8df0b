"""Rules at each level and at placements: what they hold and change there, and that it goes back."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from handbill.control import rulebooks, ruling
from handbill.core.nouns import Cap, JobSetting, Placement
from handbill.core.rule_conditions import Action, Condition, Guards, RuleFilter
from handbill.core.rules.windows import EVERY
from handbill.groups import service as groups
from handbill.jobs import editing
from handbill.jobs import service as jobs
from handbill.kit.instants import HOUR
from handbill.rules import service as rules
from handbill.stats.answering import Answering, Within
from handbill.store.records import Records
from handbill.store.records.tables import matches
from rooms.rule_house import ONE, SPENDS, House, rule_of

NO_CLICK = Condition("clicks", "equals", 0, "#", "today")
WHOLE = Guards(share_ppm=ONE)
TEXTS = {"title": "Nurse", "description": "Cares.", "url": "https://jobs.example.com/1"}


@pytest.fixture
def house(sqlite_records: Records, tmp_path: Path) -> House:
    return House(sqlite_records, tmp_path)


def lowers(what: str, by: int = 10) -> dict[str, Any]:
    kind = "performance" if what == "budget" else "bidStrategy"
    return {"action": Action(False, what, by * ONE, "%"), "action_type": kind, "guards": WHOLE}


def add_jobs(house: House) -> list[str]:
    """A job in each job group; three visitors come to the first one."""
    found = []
    for number, group in enumerate((house.first, house.second)):
        with house.writing() as (tx, now, client):
            job = editing.add(tx, now, client, TEXTS | {"ref": f"job-{number}"})
            tx.put(matches, job_no=job.no, client_no=house.no, group_no=group.no)
        found.append(job.id)
    listing = msgspec.structs.replace(house.listing, job_id=bytes.fromhex(found[0]))
    for _ in range(3):
        house.market.clicked(listing)
    house.market.clock.forward(EVERY)
    return found


def of_jobs(*names: str, level: str = "jobgroups") -> dict[str, Any]:
    filters = tuple(RuleFilter(name) for name in names)
    return {"level": "jobs", "job_level": level, "filters": filters}


def test_jobs_are_held_and_let_go(house: House) -> None:
    seen, other = add_jobs(house)
    rule_id = house.rule(SPENDS, guards=WHOLE, **of_jobs(level="clients"))
    assert house.tick() == 1
    assert house.held() == [f"job {seen}"]
    (run,) = house.runs(rule_id)
    assert (run.body.evaluated, run.body.cut) == (2, False)
    assert house.undo(rule_id, run.id) == [""]
    assert house.held() == []
    house.rule(NO_CLICK, guards=WHOLE, **of_jobs(house.first.id, house.second.id))
    house.market.clock.forward(EVERY)
    assert house.tick() == 1
    assert house.held() == [f"job {other}"]
    with house.market.records.read() as tx:
        assert jobs.job_of(tx, house.no, "job-1").status == "A"


@pytest.mark.parametrize(("what", "name"), [("cpc bid", "cpc_bid_micros"), ("budget", "caps")])
def test_bids_and_budgets_of_jobs_move_and_go_back(house: House, what: str, name: str) -> None:
    add_jobs(house)
    with house.writing() as (tx, now, client):
        job = editing.job_to_change(tx, client, "job-0")
        given = {"cpc_bid_micros": ONE, "caps": {"budget": Cap("Monthly", 100 * ONE)}}
        editing.update(tx, now, client, job, {"setting": given})

    def stands() -> JobSetting:
        with house.market.records.read() as tx:
            settings = jobs.job_of(tx, house.no, "job-0").body.settings
        assert settings is not None
        return settings.setting

    before = getattr(stands(), name)
    rule_id = house.rule(SPENDS, **lowers(what), **of_jobs(house.first.id))
    assert house.tick() == 1
    (run,) = house.runs(rule_id)
    (act,) = run.body.findings[0].acts
    assert act.before is not None
    assert act.after == act.before * 9 // 10
    after = getattr(stands(), name)
    moved = after if what == "cpc bid" else after.budget.value
    assert moved == act.after
    assert house.undo(rule_id, run.id) == [""]
    assert getattr(stands(), name) == before


def test_of_too_many_jobs_the_oldest_are_looked_at_and_it_is_told(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_jobs(house)
    monkeypatch.setattr(rulebooks, "MOST_JOBS", 1)
    house.judge()
    house.market.clock.forward(EVERY)
    rule_id = house.rule(SPENDS, guards=WHOLE, **of_jobs(level="clients"))
    market, client = house.market, house.client
    with market.records.read() as tx:
        answering = Answering(Within(tx), market.blobs, market.ids, market.scratch)
        body = rules.rule_of(tx, client, rule_id).body
        seen = ruling.preview(tx, answering, client, market.clock.now(), body)
    assert (seen.evaluated, seen.matched, seen.cut) == (1, 1, True)
    assert house.tick() == 1
    assert house.runs(rule_id)[0].body == seen


def test_placements_are_held_and_let_go(house: House) -> None:
    said = RuleFilter(house.first.id, placement_ids=("Board",)), RuleFilter(house.second.id)
    rule_id = house.rule(SPENDS, guards=WHOLE, filters=said)
    with house.writing() as (tx, now, client):
        groups.delete(tx, now, client, house.second)
    assert house.tick() == 1
    placement = f"{house.first.no}/{house.listing.publisher_no}"
    assert house.held() == [f"placement {placement}"]
    assert house.states()["placement", placement].is_held
    (run,) = house.runs(rule_id)
    assert [one.skip for one in run.body.findings] == ["", "GONE"], "the others run"
    house.rule(
        SPENDS, admin="resume", guards=Guards(share_ppm=ONE, cooldown_hours=0), filters=said[:1]
    )
    house.market.clock.forward(EVERY)
    assert house.tick() == 1
    assert house.held() == []


@pytest.mark.parametrize("what", ["cpc bid", "budget"])
def test_bids_and_budgets_of_placements_move_and_go_back(house: House, what: str) -> None:
    placed = [Placement("Board", bid_micros=2 * ONE, budget=Cap("Monthly", 50 * ONE))]
    with house.writing() as (tx, now, client):
        groups.update(tx, now, client, house.second, {"placements": placed})
    said = (RuleFilter(house.second.id, all_placements=True),)
    rule_id = house.rule(NO_CLICK, **lowers(what), filters=said)
    assert house.tick() == 1
    (_, second) = house.groups()
    (one,) = second.body.placements
    assert one.budget is not None
    found = (one.bid_micros, one.budget.value)
    assert found == ((1_800_000, 50 * ONE) if what == "cpc bid" else (2 * ONE, 45 * ONE))
    assert house.undo(rule_id, house.runs(rule_id)[0].id) == [""]
    assert house.groups()[1].body.placements == placed


def test_a_bid_of_another_kind_than_the_publishers_has_no_base(house: House) -> None:
    said = (RuleFilter(house.second.id, all_placements=True),)
    rule_id = house.rule(NO_CLICK, **lowers("cpa bid"), filters=said)
    assert house.tick() == 0
    assert [one.skip for one in house.runs(rule_id)[0].body.findings] == ["NO_BASE"]


@pytest.mark.parametrize("level", ["clients", "campaign"])
def test_what_is_above_moves_what_is_below(house: House, level: str) -> None:
    alone = house.rule(SPENDS, level=level, apply_to_children=False, **lowers("budget"))
    assert house.tick() == 1
    (run,) = house.runs(alone)
    assert len(run.body.findings[0].acts) == 1
    assert house.undo(alone, run.id) == [""]
    house.market.clock.forward(8 * HOUR)
    with house.writing() as (tx, now, client):
        rules.delete(tx, now, client, alone)
    every = house.rule(rule_of().conditions[0], level=level, **lowers("budget"))
    assert house.tick() == (4 if level == "clients" else 3), "itself, and all below that has one"
    assert not any(house.undo(every, house.runs(every)[0].id))


def test_a_scope_narrows_the_level_above_it_and_all_ids_name_everything(house: House) -> None:
    add_jobs(house)
    every = rule_of(NO_CLICK, all_ids=True, **of_jobs(house.first.id))
    market, client = house.market, house.client
    with market.records.read() as tx:
        book, now = rulebooks.book_of(tx, client, market.clock.now()), market.clock.now()
        assert len(rulebooks.sheet_of(tx, book, every, now).subjects) == 2
        scoped = rule_of(NO_CLICK, level="campaign", group_id=house.first.id)
        (campaign,) = book.campaigns.values()
        other = msgspec.structs.replace(campaign, no=campaign.no + 1, id="other")
        book = book._replace(campaigns={other.no: other, campaign.no: campaign})
        (one,) = rulebooks.sheet_of(tx, book, scoped, now).subjects
        assert one.id == campaign.id


def test_what_limits_a_rule_and_is_gone_is_told_and_the_rest_runs(house: House) -> None:
    add_jobs(house)
    both = of_jobs(house.first.id, house.second.id)
    of_both = house.rule(SPENDS, guards=WHOLE, **both)
    scoped = house.rule(SPENDS, guards=WHOLE, group_id=house.second.id)
    with house.writing() as (tx, now, client):
        groups.delete(tx, now, client, house.second)
    assert house.tick() == 1
    told = [
        [(one.level, one.id, one.skip) for one in house.runs(rule)[0].body.findings]
        for rule in (of_both, scoped)
    ]
    gone = ("JOBGROUP", house.second.id, "GONE")
    assert (told[0][0], told[1], len(told[0])) == (gone, [gone], 2)
    assert told[0][1][2] == ""
