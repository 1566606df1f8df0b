"""The use of caps while events are judged, and whether every cap has room for the next one."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from handbill.core.charging import (
    JOB_SCOPES,
    MEASURE_AT,
    MEASURES,
    PERIOD_AT,
    CounterKey,
    EventUse,
    Limit,
    Place,
    Scope,
    Uses,
    compared_on,
    period_keys,
    periods_over,
    uses_of,
)

Used = dict[tuple[Scope, str], dict[str, list[int]]]
"""By scope and period, then by entity: the use of each measure, in the order of MEASURES."""
_Gate = tuple[list[int], int, Limit, tuple[tuple[list[int], int], ...]]
"""What the cap's entity has used in its period (shared by all tills below it), the position of the
measure, the cap, and for each budget reserved out of it, what its entity has used, and its value.
"""


class Till:
    """Takes the events of one place on one day: each is let through as a whole, or not at all."""

    __slots__ = ("gates", "meters", "short", "taken")

    def __init__(
        self,
        gates: list[_Gate],
        taken: list[int],
        short: set[Limit] | None = None,
        meters: Sequence[tuple[list[int], int]] = (),
    ) -> None:
        self.gates = gates
        self.taken = taken
        self.meters = meters
        """The job's counts of the day, and the position of their measure."""
        self.short: set[Limit] = set() if short is None else short
        """The caps without room for another event like the last one."""

    def take(self, need: EventUse) -> Limit | None:
        """Use up the need if every cap has room for all of it; else return a cap that has not.

        If nothing of a measure is needed, its caps are passed, even if overdrawn.
        """
        assert min(need) >= 0, "what is taken is never given back"
        for used, measure, limit, reserved in self.gates:
            needed = need[measure]
            if needed:
                assert used[measure] >= 0, "a counter is never negative"
                room = limit.most - used[measure] - needed
                for spent, value in reserved:
                    if spent[measure] < value:
                        room -= value - spent[measure]
                if room < needed:
                    self.short.add(limit)
                    if room < 0:
                        return limit
        for used, measure, limit, _ in self.gates:
            needed = need[measure]
            if needed:
                used[measure] += needed
                assert used[measure] <= limit.most, "a cap is never passed"
        for amounts, measure in self.meters:
            amounts[measure] += need[measure]
        taken = self.taken
        taken[0] += need[0]
        taken[1] += need[1]
        taken[2] += need[2]
        return None


class Spending:
    """The use of every cap while a run of events is judged, and what the events add to it.

    ``counters``: what was used before. ``used``: the same, by cap. Each till that is opened adds
    its caps to it with nothing used, so that what was used can be read once all are opened.
    """

    def __init__(
        self, counters: Mapping[CounterKey, int] | None = None, used: Used | None = None
    ) -> None:
        self._used: Used = {} if used is None else used
        self.is_read = False
        """What was used has been read: no till may be opened whose caps were not asked for."""
        for (scope, entity, measure, period), value in (counters or {}).items():
            assert value >= 0, "a counter is never negative"
            self._amounts(scope, period, entity)[MEASURE_AT[measure]] = value
        self._of_jobs: Uses = {}
        self._tills: dict[tuple[Place, date], Till] = {}
        self.short: dict[Place, set[Limit]] = {}
        """By place, the caps without room for another event like the last one there."""

    def till(
        self, place: Place, day: date, limits: Iterable[Limit], of_job: Iterable[Limit] = ()
    ) -> Till:
        """The till of a place on a day; the limits are read when it is opened. ``of_job``: the
        limits of one job there, which then has its own till: at most one limit of each measure of
        an entity.
        """
        till = self._tills.get((place, day))
        if till is None:
            short = self.short.setdefault(place, set())
            till = self._tills[place, day] = Till(self._gates(day, limits), [0, 0, 0], short)
        if of_job:
            gates, meters = till.gates.copy(), []
            names = period_keys(day)
            for limit in of_job:
                scope, entity, measure, period, _, reserved, on = limit
                assert scope in JOB_SCOPES, "they are a job's"
                assert on is None, "a job's caps are not paced"
                assert not reserved, "nothing is reserved out of a job's budget"
                at = MEASURE_AT[measure]
                used = self._amounts(scope, names[PERIOD_AT[period]], entity)
                gates.append((used, at, limit, ()))
                meters.append((self._metered(scope, entity, names[0]), at))
            return Till(gates, till.taken, till.short, meters)
        return till

    def _metered(self, scope: Scope, entity: str, today: str) -> list[int]:
        """The counts of a job's day."""
        of = (scope, entity, today)
        amounts = self._of_jobs.get(of)
        if amounts is None:
            amounts = self._of_jobs[of] = [0] * len(MEASURES)
        return amounts

    def _gates(self, day: date, limits: Iterable[Limit]) -> list[_Gate]:
        amounts = self._amounts
        return [
            (
                amounts(scope, period, entity),
                measure,
                limit,
                tuple((amounts(at.scope, period, at.entity), value) for at, value in reserved)
                if reserved
                else (),
            )
            for (scope, entity, _, period), measure, limit, reserved in compared_on(limits, day)
        ]

    def _amounts(self, scope: Scope, period: str, entity: str) -> list[int]:
        entities = self._used.get((scope, period))
        if entities is None:
            entities = self._used[scope, period] = {}
        amounts = entities.get(entity)
        if amounts is None:
            assert not self.is_read, "a till is opened before what is used is read"
            amounts = entities[entity] = [0] * len(MEASURES)
        return amounts

    def additions(self) -> Uses:
        """What was added on each day: for jobs, only to what has a cap; otherwise at every scope,
        with or without a cap.
        """
        takings = [till.taken for till in self._tills.values()]
        assert min(map(min, takings), default=0) >= 0, "what is used is never given back"
        uses = uses_of((*at, till.taken) for at, till in self._tills.items())
        return uses | {at: amounts for at, amounts in self._of_jobs.items() if any(amounts)}


def add_used(used: Used, counters: Mapping[CounterKey, int]) -> None:
    """Add counters of days to the periods that contain them, where these are asked for."""
    for (scope, entity, measure, day), value in counters.items():
        for period in periods_over(day):
            amounts = used.get((scope, period), {}).get(entity)
            if amounts is not None:
                amounts[MEASURE_AT[measure]] += value
