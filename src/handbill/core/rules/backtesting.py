"""What a rule would have done on past days: run after run, as each would have run then.

Promises the decisions of real runs, over the same figures. Each run sees what had come until then.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta, tzinfo
from itertools import accumulate
from typing import Final, NamedTuple

from handbill.core.rule_conditions import RuleBody
from handbill.core.rules.figures import ADDED, Asked, Figures, Sums, figures_of_sums
from handbill.core.rules.memory import EarlierAct, Memory, Thing
from handbill.core.rules.running import RuleFinding, does, looked_at, run
from handbill.core.rules.sights import Sight
from handbill.core.rules.subjects import RuleSubject
from handbill.core.rules.windows import EVERY, SETTLES, reads_once, waits_for_yesterday, window_of
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of, start_of

DAYS: Final = 30
BESIDE: Final = 7
"""The days before a firing and after it whose spend and applies are reported."""
MOST_LOOKS: Final = 2_000_000
"""The most evaluations of an entity at an instant that a back-test makes."""
MOST_TOLD: Final = 1_000
Slice = tuple[Instant, Sums]
"""Its start, and what came in it."""
_NOTHING: Final[Sums] = (0,) * len(ADDED)
_SPENT, _APPLIES = (
    next(at for at, raw in enumerate(ADDED) if raw.name == name) for name in ("spent", "applies")
)


class PastResults:
    """The results of an entity, slice by slice; any range of slices is added up."""

    def __init__(self, slices: Iterable[Slice] = ()) -> None:
        some = sorted(slices)
        self.ats = [at for at, _ in some]
        self._until = list(accumulate((sums for _, sums in some), _added, initial=_NOTHING))

    def between(self, first: Instant, end: Instant) -> Sums:
        """The sums of the slices that begin in a half-open range."""
        low, high = (self._until[bisect_left(self.ats, at)] for at in (first, end))
        return tuple(b - a for a, b in zip(low, high, strict=True))


def _added(one: Sums, other: Sums) -> Sums:
    return tuple(a + b for a, b in zip(one, other, strict=True))


class DaysBeside(NamedTuple):
    """The results of an entity on the days before a firing, or after it."""

    spent_micros: int
    applies: int


class Fired(NamedTuple):
    """An entity on which the rule would have acted, and when."""

    at: Instant
    finding: RuleFinding
    before: DaysBeside
    after: DaysBeside


class BackTest(NamedTuple):
    """``first_at`` and ``last_at``: of so many ``runs``. ``fired``: the first of ``total``.
    ``whole``: it has reached the last instant; otherwise it stopped earlier. ``cut``: as of a run.
    """

    first_at: Instant
    last_at: Instant
    runs: int
    evaluated: int
    total: int
    fired: Sequence[Fired]
    whole: bool = True
    cut: bool = False


class BacktestScene(NamedTuple):
    """What is known about those days. ``pasts``: by publishers and id of the entity; ``curve_at``:
    how late applies come, as learned by a day.
    """

    zone: tzinfo
    pasts: Mapping[tuple[tuple[str, ...], str], PastResults]
    curve_at: Callable[[date], Sequence[int]]
    any_held: frozenset[Thing] = frozenset()


def instants_of(rule: RuleBody, first_on: date, last: Instant, zone: tzinfo) -> Iterator[Instant]:
    """When a rule runs from a day on until an instant, if nothing prevents it."""
    waits, once = waits_for_yesterday(rule), reads_once(rule)
    day = first_on
    while (midnight := start_of(day, zone)) <= last:
        day += timedelta(days=1)
        end = min(start_of(day, zone), last + 1)
        first = -(-(midnight + (SETTLES if waits else 0)) // EVERY) * EVERY
        yield from range(first, min(end, first + 1) if once else end, EVERY)


def backtested(
    rule: RuleBody,
    subjects: Sequence[RuleSubject],
    scene: BacktestScene,
    instants: Iterable[Instant],
    most: int = MOST_LOOKS,
) -> BackTest:
    """Run it at these instants, each with what the earlier ones would have done."""
    play = _Play(rule, [one for one in subjects if not one.gone], scene)
    first_at = last_at = runs = count = 0
    fired: list[Fired] = []
    whole = True
    for at in instants:
        if play.looks >= most:
            whole = False
            break
        for finding in play.run(at):
            count += 1
            if len(fired) < MOST_TOLD:
                fired.append(play.fired(at, finding))
        first_at, last_at, runs = first_at or at, at, runs + 1
    return BackTest(
        first_at=first_at,
        last_at=last_at,
        runs=runs,
        evaluated=len(subjects),
        total=count,
        fired=fired,
        whole=whole,
    )


class _Play:
    """Tracks each entity's figures. An entity is evaluated again only if something has come for it,
    and all are when a day begins; only those for which the conditions hold are decided on.
    """

    def __init__(
        self, rule: RuleBody, subjects: Sequence[RuleSubject], scene: BacktestScene
    ) -> None:
        self.looks = 0
        self._rule, self._subjects, self._scene = rule, subjects, scene
        self._durations = list(dict.fromkeys(one.duration for one in rule.conditions))
        self._pasts = [
            scene.pasts.get((one.publishers, one.id)) or PastResults() for one in subjects
        ]
        self._since = sorted(one.since_at for one in subjects)
        nothing = [figures_of_sums(_NOTHING)] * len(rule.conditions)
        self._open = [
            no
            for no, one in enumerate(subjects)
            if self._pasts[no].ats or looked_at(rule, one, nothing)[1]
        ]
        self._coming = sorted((at, no) for no, past in enumerate(self._pasts) for at in past.ats)
        self._come = 0
        self._met: set[int] = set()
        self._done: dict[Thing, list[EarlierAct]] = defaultdict(list)
        self._memory = Memory(done=self._done, any_held=scene.any_held)
        self._day = date.min
        self._bounds: dict[str, tuple[Instant, Instant]] = {}

    def run(self, at: Instant) -> list[RuleFinding]:
        """The findings on which it acts."""
        today = day_of(at, self._scene.zone)
        for no in self._stale(today, at):
            figures = [self._figures(no, one.duration, at) for one in self._rule.conditions]
            met = looked_at(self._rule, self._subjects[no], figures)[1]
            (self._met.add if met else self._met.discard)(no)
        some = [no for no in sorted(self._met) if self._subjects[no].since_at <= at]
        self.looks += len(some)
        evaluation = run(
            self._rule,
            [self._subjects[no] for no in some],
            self._sight(some, today, at),
            self._memory,
            whole=bisect_right(self._since, at),
        )
        acting = [one for one in evaluation.findings if does(one)]
        for act in (act for one in acting for act in one.acts if not act.skip):
            done = EarlierAct(0, act.kind, act.entity, act.what, act.pull, at)
            self._done[act.kind, act.entity].append(done)
        self._memory = self._memory._replace(truths=evaluation.truths)
        return acting

    def _stale(self, today: date, at: Instant) -> Iterable[int]:
        """The entities whose figures may have changed since the instant before."""
        some = set()
        while self._come < len(self._coming) and self._coming[self._come][0] < at:
            some.add(self._coming[self._come][1])
            self._come += 1
        if today != self._day:
            self._day = today
            zone = self._scene.zone
            for duration in self._durations:
                first, last = map(date.fromisoformat, window_of(duration, today))
                bounds = start_of(first, zone), start_of(last + timedelta(days=1), zone)
                self._bounds[duration] = bounds
            some = set(self._open)
        self.looks += len(some)
        return some

    def _figures(self, no: int, duration: str, at: Instant) -> Figures:
        first, end = self._bounds[duration]
        return figures_of_sums(self._pasts[no].between(first, max(first, min(end, at))))

    def _sight(self, some: Iterable[int], today: date, at: Instant) -> Sight:
        answers: dict[Asked, dict[str, Figures]] = defaultdict(dict)
        for no in some:
            one = self._subjects[no]
            for duration in self._durations:
                asked = window_of(duration, today), one.publishers
                answers[asked][one.id] = self._figures(no, duration, at)
        zone = self._scene.zone
        curve = self._scene.curve_at(today)
        return Sight(at, today, start_of(today, zone), answers, curve, zone)

    def fired(self, at: Instant, finding: RuleFinding) -> Fired:
        """A firing, with the results of the days before and after it."""
        past = self._scene.pasts.get((finding.publishers, finding.id)) or PastResults()
        day, zone = day_of(at, self._scene.zone), self._scene.zone

        def beside(first: int, end: int) -> DaysBeside:
            sums = past.between(*(start_of(day + timedelta(days=n), zone) for n in (first, end)))
            return DaysBeside(sums[_SPENT], sums[_APPLIES])

        return Fired(at, finding, beside(-BESIDE, 0), beside(1, 1 + BESIDE))
