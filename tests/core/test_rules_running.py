"""Runs of rules: what they see, what they leave alone, and what they would change."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.core.rates import PICOS
from handbill.core.rule_conditions import Action, Condition, Guards, RuleBody
from handbill.core.rules.acts import Act
from handbill.core.rules.figures import Figures, figures_of, holds, seen
from handbill.core.rules.memory import EarlierAct, Memory, done_to, reach_of
from handbill.core.rules.running import RuleEvaluation, RuleFinding, asked_of, run
from handbill.core.rules.sights import Sight
from handbill.core.rules.subjects import ActTarget, RuleSubject
from handbill.core.rules.windows import curve_of, maturity_ppm, reads_once, waits_for_yesterday
from handbill.kit.instants import DAY, HOUR, instant_of_iso

ONE = 1_000_000
TODAY = date(2026, 11, 18)
NOON = 20_000 * DAY + 12 * HOUR
FULL = Figures(100 * ONE, 100 * ONE, 4 * ONE, 4 * ONE, 50 * ONE, ONE // 2, 12_500_000, 4 * ONE)


def condition(
    parameter: str = "clicks",
    comparison: str = "greater than",
    value: float = 0,
    unit: str = "#",
    duration: str = "today",
) -> Condition:
    return Condition(parameter, comparison, round(value * ONE), unit, duration)


def rule(*conditions: Condition, **more: Any) -> RuleBody:
    known: dict[str, Any] = {"name": "r", "level": "jobgroups", "action_type": "administration"}
    if "action" not in more:
        known["admin"] = "pause"
    return RuleBody(conditions=conditions or (condition(),), **(known | more))


def subject(name: str = "g", **more: Any) -> RuleSubject:
    target = ActTarget("group", name, name, name, before=more.pop("before", None))
    target = target._replace(least=more.pop("least", 0))
    return RuleSubject("JOBGROUP", name, name, targets=(target,))._replace(**more)


def sight(body: RuleBody, figures: Figures = FULL, **more: Any) -> Sight:
    asked = asked_of(body, [subject()], TODAY)
    every = {f"{name}": figures for name in ("g", *range(1_500))}
    return Sight(NOON, TODAY, NOON - 12 * HOUR, dict.fromkeys(asked, every))._replace(**more)


def only(found: RuleEvaluation) -> tuple[RuleFinding, Act]:
    (finding,) = found.findings
    (act,) = finding.acts
    return finding, act


def changed(more: bool = True, value: float = 10, unit: str = "%", what: str = "cpc bid") -> Action:
    return Action(more, what, round(value * ONE), unit)


@pytest.mark.parametrize(
    ("said", "value", "expected"),
    [
        (condition("clicks", "equals", 100), 100 * ONE, True),
        (condition("applies", "less than", 4), 4 * ONE, False),
        (condition("applies", "less than equal to", 4), 4 * ONE, True),
        (condition("cpc", "greater than equal to", 0.5, "$"), ONE // 2, True),
        (condition("cta", "not equals", 4, "%"), 4 * ONE, False),
        (condition("spent", "greater than", 25, "%"), 25 * ONE, False),
    ],
)
def test_a_condition_looks_at_its_figure(said: Condition, value: int, expected: bool) -> None:
    assert seen(said, FULL, 200 * ONE) == value
    assert holds(said, value) is expected


@pytest.mark.parametrize("comparison", ["equals", "not equals", "less than", "greater than"])
def test_what_nothing_divides_never_satisfies(comparison: str) -> None:
    none = figures_of(dict.fromkeys(Figures._fields, 0))
    for parameter in ("cpc", "cpa", "cta"):
        said = condition(parameter, comparison, 1, "$")
        assert not holds(said, seen(said, none, None))
    share = condition("spent", comparison, 1, "%")
    assert not holds(share, seen(share, FULL, None))


def test_a_pause_and_what_it_saw() -> None:
    said = condition("spent", "greater than", 40, "$"), condition("clicks", "less than", 5)
    both, either = rule(*said), rule(*said, all_of=False)
    assert run(both, [subject()], sight(both), Memory()).findings == (), "one of both holds"
    finding, act = only(run(either, [subject()], sight(either), Memory()))
    assert (finding.seen, act.what, act.skip) == ((50 * ONE, 100 * ONE), "pause", "")


@pytest.mark.parametrize(
    ("body", "one", "figures", "skip"),
    [
        (rule(), subject(gone=True), FULL, "GONE"),
        (
            rule(condition(duration="last_7_days")),
            subject(since_at=instant_of_iso("2026-11-15T09:00:00Z")),
            FULL,
            "WINDOW_TOO_LONG",
        ),
        (rule(condition("spent", "less than", 9, "%")), subject(), FULL, "NO_BUDGET"),
        (
            rule(condition("cpc", "less than", 9, "$")),
            subject(),
            FULL._replace(clicks=19 * ONE),
            "FEW_EVENTS",
        ),
        (
            rule(condition("cpc", "less than", 9, "$")),
            subject(),
            FULL._replace(spent=ONE - 1),
            "FEW_EVENTS",
        ),
        (rule(condition("cta", "less than", 9, "%")), subject(), FULL, "IMMATURE"),
        (rule(), subject(targets=()), FULL, "NO_BASE"),
    ],
)
def test_what_is_not_sure_is_left_alone(
    body: RuleBody, one: RuleSubject, figures: Figures, skip: str
) -> None:
    curve = curve_of({0: 5, 3: 5})
    (finding,) = run(body, [one], sight(body, figures, curve=curve), Memory()).findings
    assert (finding.skip, finding.acts) == (skip, ())
    assert finding.words


def test_of_alternatives_one_that_is_sure_is_enough() -> None:
    few = FULL._replace(clicks=9 * ONE)
    unsure, sure = condition("cta", "less than", 9, "%"), condition("spent", value=1, unit="$")
    for all_of, skip in ((True, "FEW_EVENTS"), (False, "")):
        body = rule(unsure, sure, all_of=all_of)
        (finding,) = run(body, [subject()], sight(body, few), Memory()).findings
        assert (finding.skip, bool(finding.acts)) == (skip, not skip)
    body = rule(unsure, condition("spent", value=99, unit="$"), all_of=False)
    (finding,) = run(body, [subject()], sight(body, few), Memory()).findings
    assert finding.skip == "FEW_EVENTS"


@pytest.mark.parametrize(
    ("action", "guards", "before", "least", "after", "clamped", "skip"),
    [
        (changed(), Guards(), 1_000_000, 0, 1_100_000, False, ""),
        (changed(value=80), Guards(), 1_000_000, 0, 1_500_000, True, ""),
        (changed(False, 80), Guards(), 1_000_000, 0, 500_000, True, ""),
        (changed(False, 30), Guards(), 1_000_000, 900_000, 900_000, True, ""),
        (
            changed(value=0.2, unit="$"),
            Guards(max_bid_micros=1_100_000),
            1_000_000,
            0,
            1_100_000,
            True,
            "",
        ),
        (changed(), Guards(max_bid_micros=900_000), 1_000_000, 0, 900_000, True, "AT_BOUND"),
        (changed(), Guards(), None, 0, None, False, "NO_BASE"),
        (changed(what="budget"), Guards(max_budget_micros=5), 1_000_000, 0, 5, True, "AT_BOUND"),
        (changed(value=5), Guards(), 1_050_000, 0, 1_100_000, False, ""),  # whole cents
        (changed(False, 50), Guards(), 300_000, 255_000, 255_000, True, ""),
        (changed(False, 60), Guards(), 30_000, 0, 15_000, True, ""),  # half of it, and no more
        (changed(), Guards(), 15_000, 0, 16_500, False, ""),
        (changed(False, 50), Guards(min_bid_micros=125), 200, 0, 125, True, ""),
    ],
)
def test_an_amount_moves_within_its_bounds(
    action: Action,
    guards: Guards,
    before: int | None,
    least: int,
    after: int | None,
    clamped: bool,
    skip: str,
) -> None:
    kind = "performance" if action.parameter == "budget" else "bidStrategy"
    body = rule(action=action, action_type=kind, guards=guards)
    one = subject(before=before, least=least)
    _, act = only(run(body, [one], sight(body), Memory()))
    assert (act.after, act.clamped, act.skip) == (after, clamped, skip)


@pytest.mark.parametrize(
    ("action", "guards", "after", "skip"),
    [
        (changed(value=0.10, unit="$"), Guards(), 75_000_000, ""),  # 0.10 USD are 15 JPY
        (changed(False, 0.10, "$"), Guards(), 45_000_000, ""),
        (changed(value=7), Guards(), 64_000_000, ""),  # whole yen
        (changed(), Guards(max_bid_micros=420_000), 63_000_000, ""),
        (changed(), Guards(max_bid_micros=300_000), 45_000_000, "AT_BOUND"),
        (changed(False, 50), Guards(min_bid_micros=350_001), 52_500_151, ""),
        (changed(False, 50), Guards(), 40_000_000, ""),  # the least is in yen
    ],
)
def test_a_bid_in_another_currency_moves_by_its_own_measure(
    action: Action, guards: Guards, after: int, skip: str
) -> None:
    body = rule(action=action, action_type="bidStrategy", guards=guards)
    yen: dict[str, Any] = {"currency": "JPY", "rate_picos": PICOS // 150, "unit_micros": ONE}
    (target,) = subject(before=60 * ONE, least=40 * ONE).targets
    one = subject(targets=(target._replace(**yen),))
    _, act = only(run(body, [one], sight(body), Memory()))
    assert (act.after, act.skip, act.currency) == (after, skip, "JPY")
    unknown = subject(targets=(target._replace(**yen | {"rate_picos": None}),))
    _, act = only(run(body, [unknown], sight(body), Memory()))
    assert (act.after, act.skip) == (None, "NO_RATE")


@pytest.mark.parametrize(
    ("memory", "more", "skip"),
    [
        (
            Memory(done=done_to([EarlierAct(9, "group", "g", "budget", 1, NOON - 5 * HOUR)])),
            {},
            "COOL_DOWN",
        ),
        (Memory(done=done_to([EarlierAct(9, "group", "g", "budget", 1, NOON - 7 * HOUR)])), {}, ""),
        (Memory(done=done_to([EarlierAct(9, "group", "other", "budget", 1, NOON)])), {}, ""),
        (
            Memory(
                done=done_to(
                    EarlierAct(9, "group", "g", "cpc bid", 1, NOON - at * HOUR) for at in (7, 8, 9)
                )
            ),
            {},
            "DAILY_LIMIT",
        ),
        (
            Memory(
                rule_no=3,
                done=done_to([EarlierAct(3, "group", "g", "cpc bid", 1, NOON - 36 * HOUR)]),
            ),
            {"repeat_days": 2},
            "REPEAT",
        ),
        (
            Memory(
                rule_no=3,
                done=done_to([EarlierAct(3, "group", "g", "cpc bid", 1, NOON - 47 * HOUR)]),
            ),
            {"repeat_days": 2},
            "",
        ),
        (Memory(now={("group", "g", "cpc bid"): ("first", -1)}), {}, "CONTRADICTED"),
        (Memory(now={("group", "g", "cpc bid"): ("first", 1)}), {}, "COOL_DOWN"),
    ],
)
def test_what_was_done_before_holds_back(memory: Memory, more: dict[str, Any], skip: str) -> None:
    body = rule(action=changed(), action_type="bidStrategy", **more)
    _, act = only(run(body, [subject(before=ONE)], sight(body), memory))
    assert act.skip == skip


def test_no_cool_down_of_no_hours_is_told() -> None:
    body = rule(action=changed(), action_type="bidStrategy", guards=Guards(cooldown_hours=0))
    memory = Memory(now={("group", "g", "cpc bid"): ("first", 1)})
    _, act = only(run(body, [subject(before=ONE)], sight(body), memory))
    assert (act.skip, act.words) == ("COOL_DOWN", "another rule acted on it in this run")


def test_a_pause_is_made_once_until_it_ceases_to_be_true() -> None:
    body = rule()
    first = run(body, [subject()], sight(body), Memory())
    again = run(body, [subject()], sight(body), Memory(truths=first.truths))
    assert (again.findings[0].skip, again.truths) == ("UNCHANGED", first.truths)
    ceased = run(body, [subject()], sight(body, Figures()), Memory(truths=again.truths))
    assert (ceased.findings, ceased.truths) == ((), frozenset())
    assert run(body, [subject()], sight(body), Memory(truths=ceased.truths)).acts
    held = frozenset({("group", "g")})
    _, act = only(run(body, [subject()], sight(body), Memory(held=held, any_held=held)))
    assert act.skip == "ALREADY"
    lifts = rule(admin="resume")
    assert only(run(lifts, [subject()], sight(lifts), Memory()))[1].skip == "ALREADY"
    assert run(lifts, [subject()], sight(lifts), Memory(any_held=held)).acts


@given(many=st.integers(1, 60), share=st.integers(0, ONE))
def test_a_run_acts_on_a_share_at_most(many: int, share: int) -> None:
    body = rule(guards=Guards(share_ppm=share))
    found = run(body, [subject(f"{n}") for n in range(many)], sight(body), Memory())
    most = max(1, many * share // ONE)
    assert (len(found.acts), len(found.truths)) == (min(many, most), min(many, most))
    left = [one for one in found.findings if one.skip == "SHARE_OF_RUN"]
    assert len(left) == max(0, many - most)


def test_what_is_acted_on_is_told_however_much_there_is() -> None:
    """Of many, those come first that are left alone: all that is acted on is told, and heard."""
    body = rule(guards=Guards(share_ppm=ONE))
    many = [subject(f"{n % 100}", targets=()) for n in range(1_500)]
    many += [subject(f"{n}") for n in range(100)]
    found = run(body, many, sight(body), Memory())
    assert (len(found.findings), len(found.acts), len(found.truths)) == (1_000, 100, 100)
    more = run(body, [subject(f"{n}") for n in range(1_500)], sight(body), Memory())
    assert (len(more.acts), len(more.findings)) == (1_000, 1_000)


def test_a_run_acts_once_on_what_it_is_told_of_twice() -> None:
    body = rule(action=changed(), action_type="bidStrategy", guards=Guards(share_ppm=ONE))
    here, there = (ActTarget("placement", one, one, one, before=ONE) for one in "AB")
    twice = [
        subject(publishers=("A",), targets=(here,)),
        subject(publishers=("A", "B"), targets=(here, there)),
    ]
    seeing = sight(body)
    figures = next(iter(seeing.answers.values()))
    answers = dict.fromkeys(asked_of(body, twice, TODAY), figures)
    found = run(body, twice, seeing._replace(answers=answers), Memory())
    assert [act.entity for act in found.acts] == ["A", "B"]
    assert [act.skip for act in found.findings[1].acts] == ["ALREADY", ""]
    pause = rule(guards=Guards(share_ppm=ONE))
    held = run(pause, twice, sight(pause)._replace(answers=answers), Memory())
    assert [act.entity for act in held.acts] == ["A", "B"]


def test_acts_are_remembered_as_long_as_any_rule_heeds_them() -> None:
    assert reach_of([rule()]) == 2 * DAY
    assert reach_of([rule(), rule(guards=Guards(cooldown_hours=720))]) == 30 * DAY
    assert reach_of([rule(action=changed(), repeat_days=3), rule()]) == 3 * DAY + HOUR


def test_applies_are_in_by_the_curve() -> None:
    curve = curve_of({0: 5, 2: 3, 4: 2})
    assert curve == (500_000, 500_000, 800_000, 800_000, ONE)
    assert curve_of({0: 9}) == (), "too few to know"
    assert maturity_ppm((), "today", TODAY) == ONE
    assert maturity_ppm(curve, "today", TODAY) == 500_000
    assert maturity_ppm(curve, "last_3_days", TODAY) == (500_000 + 800_000 + 800_000) // 3
    assert maturity_ppm(curve, "last_30_days", TODAY) > 900_000


def test_past_days_are_read_once_they_have_settled() -> None:
    past, now = condition(duration="last_3_days"), condition(duration="this_month")
    assert reads_once(rule(past))
    assert waits_for_yesterday(rule(past))
    assert waits_for_yesterday(rule(past, now))
    assert not reads_once(rule(past, now))
    assert not waits_for_yesterday(rule(now))
    assert asked_of(rule(past), [subject()], TODAY) == {(("2026-11-15", "2026-11-17"), ())}
