"""One run of a rule: which entities it holds for and with which numbers, which it leaves alone and
why, and what it changes. **Source**: domain 11.3, docs/decisions/0056.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from handbill.core.rule_conditions import Condition, Guards, RuleBody
from handbill.core.rules import figures as seeing
from handbill.core.rules.acts import Act, Found, Skip, act_on
from handbill.core.rules.figures import NONE, RATIOS, Asked, Figures
from handbill.core.rules.memory import Memory, Of
from handbill.core.rules.sights import Sight, met_by
from handbill.core.rules.subjects import RuleSubject
from handbill.core.rules.windows import is_past, maturity_ppm, window_of
from handbill.kit.figures import counted
from handbill.kit.instants import Instant
from handbill.kit.money import PPM
from handbill.kit.zones import day_of, start_of

MOST_TOLD: Final = 1_000
_NAMED: Final = ("level", "id", "name", "publishers")


class RuleFinding(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A rule's result for one entity. ``seen``: the number of each condition, in their order."""

    level: str
    id: str
    name: str
    publishers: tuple[str, ...] = ()
    seen: tuple[int | None, ...] = ()
    matched: bool = False
    skip: str = ""
    words: str = ""
    acts: tuple[Act, ...] = ()

    @property
    def key(self) -> str:
        return key_of(self)


def key_of(one: RuleFinding | RuleSubject) -> str:
    """What an entity is remembered by, with the publishers there."""
    return f"{one.level} {one.id} {' '.join(one.publishers)}"


class RuleEvaluation(NamedTuple):
    """``findings``: the entities that it holds for or that could not be evaluated; at most 1,000,
    and all that are acted on. ``truths``: to be remembered.
    """

    evaluated: int
    matched: int
    findings: tuple[RuleFinding, ...]
    truths: frozenset[str]

    @property
    def acts(self) -> list[Act]:
        return [act for one in self.findings for act in one.acts if not act.skip]


def asked_of(rule: RuleBody, subjects: Iterable[RuleSubject], today: date) -> set[Asked]:
    """The queries to stats that a rule needs."""
    durations = {one.duration for one in rule.conditions}
    places = {one.publishers for one in subjects if not one.gone}
    return {(window_of(duration, today), at) for duration in durations for at in places}


def run(
    rule: RuleBody,
    subjects: Sequence[RuleSubject],
    sight: Sight,
    memory: Memory,
    whole: int | None = None,
) -> RuleEvaluation:
    """Decide on a run; nothing is changed here. ``whole``: the number of entities that the rule
    looks at, if these are only the ones that it may hold for.
    """
    chosen = _worth_telling(rule, subjects, sight)
    of = len(subjects) if whole is None else whole
    most = min(max(1, of * rule.guards.share_ppm // PPM), MOST_TOLD)
    findings: list[RuleFinding] = []
    heard: set[str] = set()
    own: set[Of] = set()
    acting = others = matched = 0
    for subject, is_met in chosen.worth:
        is_full = acting >= most and others >= MOST_TOLD - most
        if is_full or (others >= MOST_TOLD and _is_taken(rule, subject, memory)):
            is_young = subject.since_at >= chosen.young
            if not _may_be_heard(rule, subject, memory):
                matched += (
                    is_met
                    and not subject.gone
                    and not (is_young and _too_short(rule, subject, sight))
                )
                continue
        one = _finding(rule, subject, sight, memory, young=chosen.young)
        if does(one) and not own.isdisjoint(_acted_on(one)):
            one = _once(one, own)
        if does(one):
            acting += 1
            if acting > most:
                one = _left(one, "SHARE_OF_RUN", f"{most} of {of} entities a run")
            own |= _acted_on(one)
        matched += one.matched
        if rule.admin and _is_heard(one, memory):
            heard.add(one.key)
        if one.matched or one.skip:
            others += not does(one)
            findings.append(one)
    return RuleEvaluation(of, matched, tuple(_bounded_to(findings)), frozenset(heard))


def _is_taken(rule: RuleBody, one: RuleSubject, memory: Memory) -> bool:
    """Whether earlier rules of this run have acted on all that its action would change."""
    what = "switch" if rule.action is None else rule.action.parameter
    return all((it.kind, it.entity, what) in memory.now for it in one.targets)


def _may_be_heard(rule: RuleBody, one: RuleSubject, memory: Memory) -> bool:
    """Whether it must be remembered of an entity, on which the rule does not act, that it holds."""
    if not rule.admin:
        return False
    if memory.truths and key_of(one) in memory.truths:
        return True
    if rule.admin == "pause":
        return any((it.kind, it.entity) in memory.held for it in one.targets)
    return any((it.kind, it.entity) not in memory.any_held for it in one.targets)


class _Worth(NamedTuple):
    """Entities, and whether the conditions hold. Only those since ``young`` can be too young."""

    worth: list[tuple[RuleSubject, bool]]
    young: Instant


def _worth_telling(rule: RuleBody, subjects: Sequence[RuleSubject], sight: Sight) -> _Worth:
    """The entities about which there is something to report: few, if there are very many. Figures
    are compared column by column.
    """
    columns = [met_by(it, subjects, sight) for it in rule.conditions]
    met = map(all if rule.all_of else any, zip(*columns, strict=True))
    asks = any(it.parameter == "spent" and it.unit == "%" for it in rule.conditions)
    first = min(window_of(it.duration, sight.today)[0] for it in rule.conditions)
    young = start_of(date.fromisoformat(first) + timedelta(days=1), sight.zone)
    worth = [
        (one, holds)
        for one, holds in zip(subjects, met, strict=True)
        if holds or one.gone or one.since_at >= young or (asks and not one.budget)
    ]
    return _Worth(worth, young)


def does(one: RuleFinding) -> bool:
    """Whether it changes anything."""
    return any(not act.skip for act in one.acts)


def _bounded_to(told: Sequence[RuleFinding], most: int = MOST_TOLD) -> Iterator[RuleFinding]:
    """The first ones, and in any case those that are acted on."""
    room = most - sum(map(does, told))
    for one in told:
        if not does(one):
            room -= 1
        if does(one) or room >= 0:
            yield one


def _is_heard(one: RuleFinding, memory: Memory) -> bool:
    """Whether a rule that pauses or resumes has acted on an entity that it holds for. It acts once,
    until it has ceased to hold.
    """
    if not one.matched:
        return False
    return one.key in memory.truths or any(act.skip in {"", "ALREADY"} for act in one.acts)


def _acted_on(one: RuleFinding) -> set[Of]:
    return {act.of for act in one.acts if not act.skip}


def _once(one: RuleFinding, own: AbstractSet[Of]) -> RuleFinding:
    """A finding without what this run has done already: a rule may name an entity twice, with
    publishers of which some are the same.
    """
    words = "this run has acted on it already"
    acts = tuple(
        msgspec.structs.replace(act, skip="ALREADY", words=words)
        if not act.skip and act.of in own
        else act
        for act in one.acts
    )
    return msgspec.structs.replace(one, acts=acts)


def _left(one: RuleFinding, skip: Skip, words: str) -> RuleFinding:
    acts = tuple(
        act if act.skip else msgspec.structs.replace(act, skip=skip, words=words)
        for act in one.acts
    )
    return msgspec.structs.replace(one, skip=skip, words=words, acts=acts)


def _finding(
    rule: RuleBody, one: RuleSubject, sight: Sight, memory: Memory, young: Instant = 0
) -> RuleFinding:
    """``young``: an entity that was there before cannot be too young for a window."""

    def found(skip: str = "", words: str = "", **more: Any) -> RuleFinding:
        subject: Any = {
            "level": one.level,
            "id": one.id,
            "name": one.name,
            "publishers": one.publishers,
        }
        return RuleFinding(**subject, skip=skip, words=words, **more)

    if one.gone:
        return found("GONE", "it is not there any more, or is elsewhere")
    if one.since_at >= young and (why := _too_short(rule, one, sight)):
        return found("WINDOW_TOO_LONG", why)
    figures = [
        sight.answers[window_of(it.duration, sight.today), one.publishers].get(one.id, NONE)
        for it in rule.conditions
    ]
    seen, met = looked_at(rule, one, figures)
    if not met:
        asks = any(it.parameter == "spent" and it.unit == "%" for it in rule.conditions)
        if asks and not one.budget:
            return found("NO_BUDGET", "it has no budget of its own", seen=seen)
        return found(seen=seen)
    unsure = [
        _unsure(rule.guards, it, its, sight)
        for it, its, value in zip(rule.conditions, figures, seen, strict=True)
        if seeing.holds(it, value)
    ]
    skip, words = next((why for why in unsure if why[0]), ("", ""))
    if skip and (rule.all_of or all(why[0] for why in unsure)):
        return found(skip, words, seen=seen, matched=True)
    if memory.truths and key_of(one) in memory.truths:
        return found("UNCHANGED", "it has acted since this became true", seen=seen, matched=True)
    if not one.targets:
        why = "it has nothing that the action could change"
        return found("NO_BASE", why, seen=seen, matched=True)
    acts = tuple(act_on(rule, target, sight, memory) for target in one.targets)
    return found(seen=seen, matched=True, acts=acts)


def looked_at(
    rule: RuleBody, one: RuleSubject, figures: Sequence[Figures]
) -> tuple[tuple[int | None, ...], bool]:
    """The number of each condition, and whether the rule holds for the entity."""
    seen = tuple(
        seeing.seen(it, its, one.budget) for it, its in zip(rule.conditions, figures, strict=True)
    )
    truths = (seeing.holds(it, value) for it, value in zip(rule.conditions, seen, strict=True))
    return seen, all(truths) if rule.all_of else any(truths)


def _unsure(guards: Guards, it: Condition, figures: Figures, sight: Sight) -> Found:
    """Whether a ratio is based on too little to act on."""
    if it.parameter in RATIOS and figures.clicks < guards.least_clicks * PPM:
        return "FEW_EVENTS", f"fewer than {counted(guards.least_clicks, 'click')}"
    if it.parameter in RATIOS and figures.spent < guards.least_spend_micros:
        return "FEW_EVENTS", "less spend than a ratio needs"
    ripe = PPM
    if it.parameter in {"cpa", "cta"}:
        ripe = maturity_ppm(sight.curve, it.duration, sight.today)
    if ripe < guards.maturity_ppm:
        return "IMMATURE", f"{ripe // 10_000} % of the applies of its days are in by now"
    return "", ""


def _too_short(rule: RuleBody, one: RuleSubject, sight: Sight) -> str:
    """Why a window begins before its entity did; empty if it does not."""
    for it in rule.conditions:
        if is_past(it.duration) and it.duration != "yesterday":
            first, _ = window_of(it.duration, sight.today)
            since_on = day_of(one.since_at, sight.zone).isoformat()
            if first < since_on:
                return f"{it.duration} begins on {first}, and it exists since {since_on}"
    return ""
