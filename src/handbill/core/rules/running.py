"""One run of a rule: which entities it holds for and with which numbers, which it leaves alone and
why, and what it changes. **Source**: domain 11.3, docs/decisions/0056.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, timedelta, tzinfo
from operator import attrgetter
from typing import Any, Final, Literal, NamedTuple

import msgspec

from handbill.core.rule_conditions import Condition, Guards, RuleBody
from handbill.core.rules import figures as seeing
from handbill.core.rules.figures import NONE, RATIOS, Asked, Figures
from handbill.core.rules.memory import Done, Memory, Of
from handbill.core.rules.subjects import Kind, Subject, Target
from handbill.core.rules.windows import is_past, maturity_ppm, window_of
from handbill.kit.instants import DAY, HOUR, Instant
from handbill.kit.money import PPM
from handbill.kit.zones import day_of, start_of

Skip = Literal[
    "GONE",
    "WINDOW_TOO_LONG",
    "NO_BUDGET",
    "FEW_EVENTS",
    "IMMATURE",
    "UNCHANGED",
    "ALREADY",
    "NO_BASE",
    "COOL_DOWN",
    "DAILY_LIMIT",
    "REPEAT",
    "CONTRADICTED",
    "AT_BOUND",
    "SHARE_OF_RUN",
    "REFUSED",
]
"""Why an entity, or one of its targets, is left alone."""
MOST_TOLD: Final = 1_000


class Act(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A change of one target: a pause, a resume, or an amount. ``skip``: why it is not made.
    ``clamped``: the result was outside a bound.
    """

    kind: Kind
    entity: str
    id: str
    name: str
    publisher_id: str = ""
    what: str
    before: int | None = None
    after: int | None = None
    clamped: bool = False
    skip: str = ""
    words: str = ""
    undone: bool = False

    @property
    def pull(self) -> int:
        """1: more is listed or spent because of it; -1: less."""
        if self.what in {"pause", "resume"}:
            return 1 if self.what == "resume" else -1
        return 1 if (self.after or 0) > (self.before or 0) else -1

    @property
    def of(self) -> Of:
        """What is acted on: opposite acts on the same thing contradict each other."""
        what = "switch" if self.what in {"pause", "resume"} else self.what
        return self.kind, self.entity, what


class Finding(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
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
        return f"{self.level} {self.id} {' '.join(self.publishers)}"


class Sight(NamedTuple):
    """The input of a run. ``answers``: by days and publishers, the figures of each entity, by id.
    ``curve``: the share of applies (in ppm) that have come by so many days after their click;
    empty: too few were seen. ``day_start``: when the client's day began.
    """

    now: Instant
    today: date
    day_start: Instant
    answers: Mapping[Asked, Mapping[str, Figures]]
    curve: Sequence[int] = ()
    zone: tzinfo = UTC


class Run(NamedTuple):
    """``findings``: the entities that it holds for or that could not be evaluated; at most 1,000,
    and all that are acted on. ``truths``: to be remembered.
    """

    evaluated: int
    matched: int
    findings: tuple[Finding, ...]
    truths: frozenset[str]

    @property
    def acts(self) -> list[Act]:
        return [act for one in self.findings for act in one.acts if not act.skip]


def asked_of(rule: RuleBody, subjects: Iterable[Subject], today: date) -> set[Asked]:
    """The queries to stats that a rule needs."""
    durations = {one.duration for one in rule.conditions}
    places = {one.publishers for one in subjects if not one.gone}
    return {(window_of(duration, today), at) for duration in durations for at in places}


def run(
    rule: RuleBody,
    subjects: Sequence[Subject],
    sight: Sight,
    memory: Memory,
    whole: int | None = None,
) -> Run:
    """Decide on a run; nothing is changed here. ``whole``: the number of entities that the rule
    looks at, if these are only the ones that it may hold for.
    """
    found = [_finding(rule, one, sight, memory) for one in _worth_telling(rule, subjects, sight)]
    of = len(subjects) if whole is None else whole
    most = min(max(1, of * rule.guards.share_ppm // PPM), MOST_TOLD)
    told: list[Finding] = []
    acting = 0
    for one in found:
        if does(one):
            acting += 1
            if acting > most:
                one = _left(one, "SHARE_OF_RUN", f"{most} of {of} entities a run")  # noqa: PLW2901
        if one.matched or one.skip:
            told.append(one)
    heard = frozenset(one.key for one in told if rule.admin and _is_heard(one, memory))
    return Run(of, sum(one.matched for one in found), tuple(_bounded_to(told)), heard)


def _worth_telling(rule: RuleBody, subjects: Sequence[Subject], sight: Sight) -> Iterable[Subject]:
    """The entities about which there is something to report: few, if there are very many. Figures
    are compared column by column.
    """
    columns = [_met_by(it, subjects, sight) for it in rule.conditions]
    met = map(all if rule.all_of else any, zip(*columns, strict=True))
    asks = any(it.parameter == "spent" and it.unit == "%" for it in rule.conditions)
    first = min(window_of(it.duration, sight.today)[0] for it in rule.conditions)
    young = start_of(date.fromisoformat(first) + timedelta(days=1), sight.zone)
    return [
        one
        for one, holds in zip(subjects, met, strict=True)
        if holds or one.gone or one.since_at >= young or (asks and not one.budget)
    ]


def _met_by(it: Condition, subjects: Sequence[Subject], sight: Sight) -> list[bool]:
    """For each entity, whether a condition holds."""
    window = window_of(it.duration, sight.today)
    places = {one.publishers for one in subjects if not one.gone}
    answers = {at: sight.answers[window, at] for at in places}
    figures = [NONE if one.gone else answers[one.publishers].get(one.id, NONE) for one in subjects]
    if it.unit == "%" and it.parameter == "spent":
        every = [
            seeing.seen(it, its, one.budget) for one, its in zip(subjects, figures, strict=True)
        ]
    else:
        every = list(map(attrgetter(it.parameter), figures))
    return seeing.which_hold(it, every)


def does(one: Finding) -> bool:
    """Whether it changes anything."""
    return any(not act.skip for act in one.acts)


def _bounded_to(told: Sequence[Finding], most: int = MOST_TOLD) -> Iterator[Finding]:
    """The first ones, and in any case those that are acted on."""
    room = most - sum(map(does, told))
    for one in told:
        if not does(one):
            room -= 1
        if does(one) or room >= 0:
            yield one


def _is_heard(one: Finding, memory: Memory) -> bool:
    """Whether a rule that pauses or resumes has acted on an entity that it holds for. It acts once,
    until it has ceased to hold.
    """
    if not one.matched:
        return False
    return one.key in memory.truths or any(act.skip in {"", "ALREADY"} for act in one.acts)


def _left(one: Finding, skip: Skip, words: str) -> Finding:
    acts = tuple(
        act if act.skip else msgspec.structs.replace(act, skip=skip, words=words)
        for act in one.acts
    )
    return msgspec.structs.replace(one, skip=skip, words=words, acts=acts)


def _finding(rule: RuleBody, one: Subject, sight: Sight, memory: Memory) -> Finding:
    plain = Finding(level=one.level, id=one.id, name=one.name, publishers=one.publishers)
    if one.gone:
        return _skipped(plain, "GONE", "it is not there any more, or is elsewhere")
    if why := _too_short(rule, one, sight):
        return _skipped(plain, "WINDOW_TOO_LONG", why)
    figures = [
        sight.answers[window_of(it.duration, sight.today), one.publishers].get(one.id, NONE)
        for it in rule.conditions
    ]
    seen, met = looked_at(rule, one, figures)
    plain = msgspec.structs.replace(plain, seen=seen)
    if not met:
        asks = any(it.parameter == "spent" and it.unit == "%" for it in rule.conditions)
        if asks and not one.budget:
            return _skipped(plain, "NO_BUDGET", "it has no budget of its own")
        return plain
    matched = msgspec.structs.replace(plain, matched=True)
    for it, its, value in zip(rule.conditions, figures, seen, strict=True):
        held = seeing.holds(it, value)
        skip, words = _unsure(rule.guards, it, its, sight) if held else ("", "")
        if skip:
            return _skipped(matched, skip, words)
    if matched.key in memory.truths:
        return _skipped(matched, "UNCHANGED", "it has acted since this became true")
    if not one.targets:
        return _skipped(matched, "NO_BASE", "it has nothing that the action could change")
    acts = tuple(_act(rule, target, sight, memory) for target in one.targets)
    return msgspec.structs.replace(matched, acts=acts)


def looked_at(
    rule: RuleBody, one: Subject, figures: Sequence[Figures]
) -> tuple[tuple[int | None, ...], bool]:
    """The number of each condition, and whether the rule holds for the entity."""
    seen = tuple(
        seeing.seen(it, its, one.budget) for it, its in zip(rule.conditions, figures, strict=True)
    )
    said = (seeing.holds(it, value) for it, value in zip(rule.conditions, seen, strict=True))
    return seen, all(said) if rule.all_of else any(said)


def _skipped(one: Finding, skip: Skip, words: str) -> Finding:
    return msgspec.structs.replace(one, skip=skip, words=words)


def _unsure(guards: Guards, it: Condition, figures: Figures, sight: Sight) -> "_Found":
    """Whether a ratio is based on too little to act on."""
    if it.parameter in RATIOS and figures.clicks < guards.least_clicks * PPM:
        return "FEW_EVENTS", f"fewer than {guards.least_clicks} clicks"
    if it.parameter in RATIOS and figures.spent < guards.least_spend_micros:
        return "FEW_EVENTS", "less spend than a ratio needs"
    ripe = PPM
    if it.parameter in {"cpa", "cta"}:
        ripe = maturity_ppm(sight.curve, it.duration, sight.today)
    if ripe < guards.maturity_ppm:
        return "IMMATURE", f"{ripe // 10_000} % of the applies of its days are in by now"
    return "", ""


def _too_short(rule: RuleBody, one: Subject, sight: Sight) -> str:
    """Why a window begins before its entity did; empty if it does not."""
    for it in rule.conditions:
        if is_past(it.duration) and it.duration != "yesterday":
            first, _ = window_of(it.duration, sight.today)
            since_on = day_of(one.since_at, sight.zone).isoformat()
            if first < since_on:
                return f"{it.duration} begins on {first}, and it exists since {since_on}"
    return ""


def _act(rule: RuleBody, target: Target, sight: Sight, memory: Memory) -> Act:
    what = rule.admin or (rule.action.parameter if rule.action else "")
    act = Act(
        kind=target.kind,
        entity=target.entity,
        id=target.id,
        name=target.name,
        publisher_id=target.publisher_id,
        what=what,
        before=target.before,
    )
    act, skip, words = _result(rule, act, target, memory)
    for check in () if skip else _CHECKS:
        skip, words = check(rule, act, sight, memory)
        if skip:
            break
    return msgspec.structs.replace(act, skip=skip, words=words) if skip else act


def _result(
    rule: RuleBody, act: Act, target: Target, memory: Memory
) -> tuple[Act, Skip | Literal[""], str]:
    thing = (target.kind, target.entity)
    if rule.action is None:
        done = thing in memory.held if rule.admin == "pause" else thing not in memory.any_held
        words = "this rule holds it already" if rule.admin == "pause" else "no rule holds it"
        return act, "ALREADY" if done else "", words if done else ""
    if not target.before:
        return act, "NO_BASE", f"it has no {rule.action.parameter} of its own"
    amount = rule.action.value_millionths
    if rule.action.unit == "%":
        amount = target.before * amount // (100 * PPM)
    wanted = target.before + (amount if rule.action.increase else -amount)
    after = _bounded(rule.guards, act.what, target, wanted)
    act = msgspec.structs.replace(act, after=after, clamped=after != wanted)
    moves = after > target.before if rule.action.increase else after < target.before
    return act, "" if moves else "AT_BOUND", "" if moves else "a bound leaves no room for it"


def _bounded(guards: Guards, what: str, target: Target, wanted: int) -> int:
    """An amount within an act's most change first, then within the bounds, in whole cents."""
    assert target.before, "there is a base"
    by = target.before * guards.change_ppm // PPM
    found = min(max(wanted, target.before - by), target.before + by)
    if what == "budget":
        low, high = guards.min_budget_micros, guards.max_budget_micros
    else:
        low, high = max(guards.min_bid_micros, target.least), guards.max_bid_micros
    found = max(found, low)
    found = found if high is None else min(found, high)
    return found // _CENT * _CENT


_CENT: Final = 10_000
_Found = tuple[Skip | Literal[""], str]


def _contradicted(rule: RuleBody, act: Act, sight: Sight, memory: Memory) -> _Found:  # noqa: ARG001
    other = memory.now.get(act.of)
    if other is not None and other[1] != act.pull:
        return "CONTRADICTED", f"rule {other[0]}, which comes first, pulls the other way"
    return "", ""


def _cooling(rule: RuleBody, act: Act, sight: Sight, memory: Memory) -> _Found:
    hours = rule.guards.cooldown_hours
    if act.of in memory.now or any(sight.now - at < hours * HOUR for at in _times(act, memory)):
        return "COOL_DOWN", f"a rule acted on it less than {hours} hours ago"
    return "", ""


def _limited(rule: RuleBody, act: Act, sight: Sight, memory: Memory) -> _Found:
    most = rule.guards.acts_a_day
    if sum(at >= sight.day_start for at in _times(act, memory)) >= most:
        return "DAILY_LIMIT", f"rules have acted on it {most} times today"
    return "", ""


def _repeated(rule: RuleBody, act: Act, sight: Sight, memory: Memory) -> _Found:
    own = [one.at for one in _done_to(act, memory) if one.rule_no == memory.rule_no]
    if rule.repeat_days and own and sight.now - max(own) < rule.repeat_days * DAY:
        return "REPEAT", f"it acts every {rule.repeat_days} days"
    return "", ""


def _times(act: Act, memory: Memory) -> list[Instant]:
    return [one.at for one in _done_to(act, memory)]


def _done_to(act: Act, memory: Memory) -> Sequence[Done]:
    return memory.done.get((act.kind, act.entity), ())


_CHECKS: Final[tuple[Callable[[RuleBody, Act, Any, Memory], _Found], ...]] = (
    _contradicted,
    _cooling,
    _limited,
    _repeated,
)
