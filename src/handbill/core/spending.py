"""The use of caps while events are judged, and whether every cap has room for the next one."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from handbill.core.charging import (
    JOB_SCOPES,
    MEASURE_AT,
    MEASURES,
    CounterKey,
    EventUse,
    Limit,
    Place,
    Uses,
    compared_on,
    period_keys,
    uses_of,
)

_Gate = tuple[list[int], int, Limit, tuple[tuple[list[int], int], ...]]
"""The use of a cap (shared by all tills below it), the position of the measure, the cap, and for
each budget reserved out of it, its use and its value.
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
            assert used[0] >= 0, "a counter is never negative"
            if need[measure]:
                room = limit.most - used[0] - need[measure]
                for spent, value in reserved:
                    if spent[0] < value:
                        room -= value - spent[0]
                if room < need[measure]:
                    self.short.add(limit)
                    if room < 0:
                        return limit
        for used, measure, limit, _ in self.gates:
            used[0] += need[measure]
            assert not need[measure] or used[0] <= limit.most, "a cap is never passed"
        for amounts, measure in self.meters:
            amounts[measure] += need[measure]
        taken = self.taken
        taken[0] += need[0]
        taken[1] += need[1]
        taken[2] += need[2]
        return None


class Spending:
    """The use of every cap while a run of events is judged, and what the events add to it."""

    def __init__(self, used: Mapping[CounterKey, int]) -> None:
        self._start = used
        self._used: dict[CounterKey, list[int]] = {}
        self._of_jobs: Uses = {}
        self._tills: dict[tuple[Place, date], Till] = {}
        self.short: dict[Place, set[Limit]] = {}
        """By place, the caps without room for another event like the last one there."""

    def till(
        self, place: Place, day: date, limits: Iterable[Limit], of_job: Iterable[Limit] = ()
    ) -> Till:
        """The till of a place on a day; the limits are read when it is opened. ``of_job``: the
        limits of one job there, which then has its own till.
        """
        till = self._tills.get((place, day))
        if till is None:
            short = self.short.setdefault(place, set())
            till = self._tills[place, day] = Till(self._gates(day, limits), [0, 0, 0], short)
        if of_job:
            gates = till.gates + self._gates(day, of_job)
            return Till(gates, till.taken, till.short, self._meters(day, of_job))
        return till

    def _meters(self, day: date, of_job: Iterable[Limit]) -> list[tuple[list[int], int]]:
        today = period_keys(day)[0]
        meters: dict[tuple[str, str, str], tuple[list[int], int]] = {}
        for scope, entity, measure, *_ in of_job:
            assert scope in JOB_SCOPES, "they are a job's"
            amounts = self._of_jobs.setdefault((scope, entity, today), [0] * len(MEASURES))
            meters[scope, entity, measure] = amounts, MEASURE_AT[measure]
        return list(meters.values())

    def _gates(self, day: date, limits: Iterable[Limit]) -> list[_Gate]:
        return [
            (
                self._cell(key),
                measure,
                limit,
                tuple((self._cell(other), value) for other, value in reserved) if reserved else (),
            )
            for key, measure, limit, reserved in compared_on(limits, day)
        ]

    def _cell(self, key: CounterKey) -> list[int]:
        cell = self._used.get(key)
        if cell is None:
            cell = self._used[key] = [self._start.get(key, 0)]
            assert cell[0] >= 0, "a counter is never negative"
        return cell

    def additions(self) -> Uses:
        """What was added on each day: for jobs, only to what has a cap; otherwise at every scope,
        with or without a cap.
        """
        for key, cell in self._used.items():
            assert cell[0] >= self._start.get(key, 0), "what is used is never given back"
        uses = uses_of((*at, till.taken) for at, till in self._tills.items())
        return uses | {at: amounts for at, amounts in self._of_jobs.items() if any(amounts)}
