"""Rules at their tick, against real records, entries and stats."""

from pathlib import Path
from random import Random
from typing import Any, Final, get_args

import msgspec
import pytest

from handbill.callbacks import rows as callback_rows
from handbill.changes import service as changes
from handbill.control import rule_ticks, ruling
from handbill.core.nouns import Cap, Caps
from handbill.core.rule_conditions import (
    UNITS,
    Action,
    Comparison,
    Condition,
    Duration,
    Guards,
    Parameter,
    RuleBody,
)
from handbill.core.rules.windows import EVERY
from handbill.core.standing.reasons import Code
from handbill.groups import service as groups
from handbill.kit.faults import Refused, Unavailable
from handbill.kit.instants import DAY, HOUR, MINUTE
from handbill.rules import history
from handbill.rules import service as rules
from handbill.stats.answering import Within
from handbill.store.records import Records
from handbill.store.records.tables import rule_acts
from handbill.undoing import service as undoing
from rooms.rule_house import ONE, SPENDS, Answers, House, bids, rule_of

RANDOM_RULES: Final = 200
_due = rule_ticks.due_rules


@pytest.fixture
def house(sqlite_records: Records, tmp_path: Path) -> House:
    return House(sqlite_records, tmp_path)


def test_what_a_rule_pauses_is_held_until_it_is_let_go(house: House) -> None:
    rule_id = house.rule()
    assert house.tick() == 1
    assert house.held() == [f"group {house.first.no}"]
    (run,) = house.runs(rule_id)
    (finding,) = run.body.findings
    assert (run.mode, run.body.evaluated, run.body.matched) == ("ACT", 2, 1)
    assert (finding.id, finding.seen) == (house.first.id, (3 * ONE, 0))
    (why, *_) = (it for it in house.states()["group", f"{house.first.no}"].all_reasons)
    assert (why.code, why.params.rule_id, why.blocking) == (Code.HELD_BY_RULE, rule_id, True)
    placed = house.states()["placement", f"{house.first.no}/{house.listing.publisher_no}"]
    assert placed.is_held
    assert house.groups()[0].status == "A", "the user's switch is another matter"
    with house.market.records.read() as tx:
        told = changes.page(tx, changes.ChangeFilter(entity_id=house.first.id), 9)
    assert [(one.actor, one.actor_id, one.fields[0].field) for one in told] == [
        ("RULE", rule_id, "/heldBy")
    ]
    house.market.clock.forward(EVERY + MINUTE)
    assert house.tick() == 0
    assert house.tick() == 0
    assert len(house.runs(rule_id)) == 2, "that it is left alone since is told once"
    assert house.undo(rule_id, run.id) == [""]
    assert house.held() == []
    house.market.clock.forward(7 * HOUR)
    assert house.tick() == 0, "it acts once for each time that it becomes true"
    with pytest.raises(Refused, match="undone already"):
        house.undo(rule_id, run.id)


def test_a_rule_that_resumes_or_goes_lets_go_and_a_users_pause_stays(house: House) -> None:
    rule_id = house.rule()
    house.tick()
    with house.writing() as (tx, now, client):
        groups.switch(tx, now, client, house.first, "P")
    house.market.clock.forward(7 * HOUR)
    house.rule(Condition("clicks", "equals", 3 * ONE, "#", "today"), admin="resume")
    assert house.tick() == 1
    assert house.held() == []
    assert house.groups()[0].status == "P"
    second = house.rule(name="again")
    house.market.clock.forward(-7 * HOUR)
    assert house.tick() == 0, "a clock set back is waited for, or the cool-down holds"
    house.market.clock.forward(7 * HOUR + EVERY)
    with house.writing() as (tx, now, client):
        rules.delete(tx, now, client, rule_id)
        tx.run_text("DELETE FROM rule_acts", {})
    assert house.tick() == 1
    assert house.held() == [f"group {house.first.no}"]
    with house.writing() as (tx, now, client):
        rules.delete(tx, now, client, second)
    assert house.held() == []


def test_a_rule_that_has_nothing_to_resume_is_in_no_later_rules_way(house: House) -> None:
    clicked = Condition("clicks", "equals", 3 * ONE, "#", "today")
    resumes = house.rule(clicked, name="resumes", admin="resume")
    house.rule(name="pauses")
    assert house.tick() == 1
    assert house.held() == [f"group {house.first.no}"]
    (run,) = house.runs(resumes)
    assert [act.skip for act in run.body.findings[0].acts] == ["ALREADY"]
    house.market.clock.forward(EVERY)
    assert house.tick() == 0, "nor does it lift at its next run what a later one has placed"
    assert house.held() == [f"group {house.first.no}"]


def test_a_hold_goes_with_the_group_that_it_is_on(house: House) -> None:
    """When its job group is deleted: at the next tick, whatever rules may do; an undo says so."""
    rule_id = house.rule()
    assert house.tick() == 1
    (run,) = house.runs(rule_id)
    with house.writing() as (tx, now, client):
        groups.delete(tx, now, client, house.first)
    with pytest.raises(Refused, match="pause first: it is not there any more"):
        house.undo(rule_id, run.id)
    assert house.runs(rule_id)[0].undone_at is None, "nothing was undone"
    house.let("OFF")
    assert house.held() == [f"group {house.first.no}"]
    assert house.tick() == 0
    assert house.held() == []
    with house.market.records.read() as tx:
        told = changes.page(tx, changes.ChangeFilter(entity_id=house.first.id), 9)
    of_hold = [one for one in told if one.fields[0].field == "/heldBy"]
    assert sorted(len(one.fields[0].after or ()) for one in of_hold) == [0, 1]
    assert any(one.actor == "CONTROL" for one in of_hold)


def test_a_hold_is_let_go_by_the_undo_of_its_change(house: House) -> None:
    rule_id = house.rule()
    house.tick()

    def told() -> list[tuple[int, str | None]]:
        asked = changes.ChangeFilter(entity_id=house.first.id)
        with house.market.records.read() as tx:
            found = changes.page(tx, asked, 9)
            bars = undoing.bars(tx, house.market.clock.now(), found, can_locate=False)
        return [(one.no, bar.why) for one, bar in zip(found, bars, strict=True)]

    def undo(no: int, *, only_looks: bool = False) -> Any:
        with house.writing() as (tx, now, _):
            return undoing.undo(tx, now, no, None, can_locate=False, only_looks=only_looks)

    ((placed, why),) = told()
    assert why is None
    for only_looks in (True, False):
        assert house.held() == [f"group {house.first.no}"]
        (one,) = undo(placed, only_looks=only_looks)
        assert (one.field, one.before, one.after) == ("/heldBy", [rule_id], [])
    assert house.held() == []
    ((lifted, why), (_, first)) = told()
    assert (why, first) == ("LIFTED", "UNDONE")
    with pytest.raises(Refused, match="not placed again"):
        undo(lifted)


def test_a_rule_that_is_newer_than_the_clock_waits(house: House) -> None:
    """It was made or changed before the clock was set back; else it would run as of before it."""
    rule_id = house.rule(SPENDS)
    house.market.clock.forward(-2 * EVERY)
    assert house.tick() == 0
    assert house.runs(rule_id) == []
    house.market.clock.forward(2 * EVERY)
    assert house.tick() == 1


def test_who_has_rules_is_found_and_old_runs_are_forgotten(house: House) -> None:
    def found() -> set[int]:
        with house.market.records.read() as tx:
            return rules.clients_with_rules(tx)

    assert found() == set()
    rule_id = house.rule()
    house.tick()
    assert found() == {house.no}
    with house.writing() as (tx, now, client):
        assert history.sweep(tx, now + 399 * DAY, 99) == 0
        assert history.sweep(tx, now + 401 * DAY, 99) == 2, "a run, and its act"
        rules.switch(tx, now, client, [rule_id], "P")
    assert found() == set()


def test_advice_is_told_and_nothing_is_done(house: House) -> None:
    rule_id = house.rule()
    house.let("ADVISE")
    assert house.tick() == 1
    (run,) = house.runs(rule_id)
    assert (run.mode, house.held()) == ("ADVISE", [])
    with pytest.raises(Refused, match="changed nothing"):
        house.undo(rule_id, run.id)
    house.market.clock.forward(EVERY)
    assert house.tick(mode="OFF") == 0
    house.let("ACT")
    assert house.tick(mode="ADVISE") == 0, "the house allows no more"
    house.market.clock.forward(EVERY)
    assert house.tick() == 1
    assert house.held() == [f"group {house.first.no}"]


def test_bids_move_and_go_back_where_nobody_else_moved_them(house: House) -> None:
    raises = house.rule(SPENDS, **bids())
    lowers = house.rule(SPENDS, **bids(more=False))
    assert house.tick() == 1
    assert house.groups()[0].body.cpc_bid_micros == 1_100_000
    (told,) = house.runs(lowers)
    assert [act.skip for act in told.body.findings[0].acts] == ["CONTRADICTED"]
    (run,) = house.runs(raises)
    (first, _) = house.groups()
    with house.writing() as (tx, now, client):
        groups.update(tx, now, client, first, {"cpc_bid_micros": 3 * ONE})
    with pytest.raises(Refused, match="cpc bid first: it was changed since") as refused:
        house.undo(raises, run.id)
    assert [one.message for one in refused.value.faults] == ["cpc bid first: it was changed since"]
    assert house.groups()[0].body.cpc_bid_micros == 3 * ONE
    assert house.runs(raises)[-1].undone_at is None, "the undo is not spent"
    house.market.clock.forward(7 * HOUR)
    assert house.tick() == 1
    assert house.groups()[0].body.cpc_bid_micros == 3_300_000
    assert house.undo(raises, house.runs(raises)[0].id) == [""]
    assert house.groups()[0].body.cpc_bid_micros == 3 * ONE


def test_past_days_are_looked_at_once_when_they_have_settled(house: House) -> None:
    three = Condition("clicks", "equals", 3 * ONE, "#", "yesterday")
    rule_id = house.rule(three, admin="pause")
    house.market.clock.forward(12 * HOUR + 30 * MINUTE)
    assert house.tick() == 0
    house.market.clock.forward(HOUR)
    assert house.tick(judged=False) == 0, "what came until one o'clock is not judged yet"
    assert house.tick() == 1
    house.market.clock.forward(HOUR)
    house.tick()
    assert len(house.runs(rule_id)) == 1


def test_a_run_is_whole_or_not_and_no_act_is_made_twice(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule_id = house.rule(SPENDS, notify=True, call_back_url="https://hear.example.com/x")
    with monkeypatch.context() as patched:
        patched.setattr(ruling, "_notify", _raise)
        assert house.tick() == 0
    assert (house.held(), house.runs(rule_id)) == ([], [])
    house.market.clock.forward(EVERY)
    assert house.tick() == 1
    (run,) = house.runs(rule_id)
    with house.market.records.read() as tx:
        told = callback_rows.about(tx, run.id)
    assert told is not None
    assert told.body is not None
    assert f'"runId":"{run.id}"' in told.body.replace(" ", "")
    with house.writing() as (tx, _, _):
        was = history.state_of(tx, run.rule_no)
        with pytest.raises(Unavailable):
            history.keep(tx, msgspec.structs.replace(was, number=was.number - 1), was)


def test_three_failures_pause_a_rule(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    rule_id = house.rule()
    monkeypatch.setattr(ruling, "_notify", _raise)
    for _ in range(2):
        for left in ("A", "A", "P"):
            house.tick()
            house.market.clock.forward(EVERY)
            with house.writing() as (tx, _, client):
                assert rules.rule_of(tx, client, rule_id).status == left
        with house.writing() as (tx, now, client):
            rules.switch(tx, now, client, [rule_id], "A")


def test_of_a_tick_that_was_cut_the_first_rule_still_wins(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = {"guards": Guards(cooldown_hours=0, share_ppm=ONE)}
    house.rule(SPENDS, **bids() | free)
    lowers = house.rule(SPENDS, **bids(more=False) | free)
    with monkeypatch.context() as patched:
        patched.setattr(ruling, "due_rules", lambda *said: _due(*said)[:1])
        assert house.tick() == 1
    assert house.tick() == 0, "the second is told, at the same instant"
    (told,) = house.runs(lowers)
    assert [act.skip for act in told.body.findings[0].acts] == ["CONTRADICTED"]
    assert house.groups()[0].body.cpc_bid_micros == 1_100_000


def _raise(*_: object) -> None:
    raise RuntimeError("it broke")


def test_a_preview_is_what_a_run_does(house: House) -> None:
    """Random rules, over books of random visitors, bids and budgets."""
    chance = Random(12)
    market, known = house.market, dict[bytes, Any]()
    acted = 0
    for number in range(RANDOM_RULES):
        if number % 50 == 0:
            _turn_over(house, chance)
            known.clear()
        body = _random_rule(chance, house)
        client = house.client
        with market.records.read() as tx:
            answers = Answers(market, known, Within(tx))
            before = ruling.preview(tx, answers, client, market.clock.now(), body)
        with house.writing() as (tx, now, client):
            rule_id = rules.create(tx, market.ids, now, client, body)
        acted += house.tick(Answers(market, known))
        kept = house.runs(rule_id)
        if kept:
            assert kept[0].body == before
            if any(not act.skip for one in before.findings for act in one.acts):
                assert not any(house.undo(rule_id, kept[0].id))
        else:
            assert not before.findings
        with house.writing() as (tx, now, client):
            rules.delete(tx, now, client, rule_id)
            tx.run_text(f"DELETE FROM {rule_acts.name}", {})
    assert acted > RANDOM_RULES // 10


def _turn_over(house: House, chance: Random) -> None:
    """On another day other visitors come, and bids and budgets are others."""
    market = house.market
    market.clock.forward(DAY - EVERY)
    for group in house.groups():
        said = {
            "cpc_bid_micros": chance.randrange(1, 300) * 10_000,
            "caps": Caps(budget=Cap("Daily", chance.randrange(1, 90) * ONE)),
        }
        with house.writing() as (tx, now, client):
            groups.update(tx, now, client, group, said)
    for number in range(chance.randrange(12)):
        listing = msgspec.structs.replace(house.listing, group_no=chance.choice(house.groups()).no)
        click = market.clicked(listing)
        if number % 3 == 0:
            market.converted(click, application=f"{market.clock.now()}-{number}")
    house.judge()
    market.clock.forward(EVERY)


def _random_rule(chance: Random, house: House) -> RuleBody:
    def condition() -> Condition:
        parameter = chance.choice(get_args(Parameter))
        unit = chance.choice(UNITS[parameter])
        comparison = chance.choice(get_args(Comparison))
        days = chance.choice(get_args(Duration))
        return Condition(parameter, comparison, chance.randrange(6) * ONE, unit, days)

    what = chance.choice(["pause", "cpc bid", "budget"])
    more: dict[str, Any] = {"level": chance.choice(["clients", "campaign", "jobgroups"])}
    if what != "pause":
        amount = chance.choice([5, 30, 90]) * ONE
        more |= {
            "action": Action(chance.random() < 0.5, what, amount, chance.choice(["%", "$"])),
            "action_type": "performance" if what == "budget" else "bidStrategy",
        }
    guards = Guards(least_clicks=chance.choice([0, 20]), share_ppm=chance.choice([200_000, ONE]))
    conditions = [condition() for _ in range(chance.randrange(1, 4))]
    return rule_of(
        *conditions,
        all_of=chance.random() < 0.5,
        apply_to_children=chance.random() < 0.5,
        guards=guards,
        **more,
    )
