"""Decides every logged bid again, from what the API tells of it alone. How many there are is
counted in the records.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import count
from typing import Any

import sqlalchemy as sa

from handbill.contract.bids.models import BidChange
from handbill.core.pacing.bids import BidLine, Inputs, PacedBid, decided
from handbill.core.pacing.caps import CapMark
from handbill.core.pacing.plans import Ahead, CapInputs, CopyDemand
from handbill.core.pacing.targets import TargetRate
from handbill.core.pacing.thinning import JobWindow
from handbill.kit.instants import Instant, instant_of_iso
from handbill.simulate.employers import GroupOf
from handbill.simulate.trade import Trade, api_day
from handbill.store.records.tables import bid_log

_MOST_ROWS = 200


class LoggedBids:
    """The bid logs of all job groups, since a simulation began."""

    def __init__(self, trade: Trade) -> None:
        self._trade = trade
        self._first = self._until = self._now
        self.count = 0
        """How many bids were decided again."""

    async def look(self) -> list[str]:
        """Decide those again that were logged since the last look; returns what is wrong."""
        wrong: list[str] = []
        for group in self._groups():
            logged = await self._told(group, group.client.day(self._until))
            new = [one for one in logged if instant_of_iso(one["at"]) > self._until]
            self.count += len(new)
            wrong += miscounted(new)
        self._until = self._now
        return wrong

    async def end(self, *, offered: bool) -> list[str]:
        """Whether each logged bid was decided again, and all are still told. ``offered``: a job was
        shown, so that some are logged.
        """
        shown = 0
        for group in self._groups():
            shown += len(await self._told(group, group.client.day(self._first)))
        with self._trade.house.tools.records.read() as tx:
            logged = tx.value(sa.select(sa.func.count()).select_from(bid_log))
        if self.count == shown == logged >= offered:
            return []
        return [f"{self.count} bids were decided again, {logged} are logged, {shown} are told"]

    async def _told(self, group: GroupOf, first: date) -> list[Any]:
        """The bid log of a job group from a day on."""
        days = f"from={api_day(first)}&to={api_day(group.client.day(self._now))}"
        lines: list[Any] = []
        for page in count():
            url = f"{group.path}/bids?page={page}&limit={_MOST_ROWS}&{days}"
            some = (await self._trade.ask("GET", url))["data"]
            lines += some
            if len(some) < _MOST_ROWS:
                break
        return lines

    def _groups(self) -> Iterator[GroupOf]:
        return (group for one in self._trade.employers for group in one.groups)

    @property
    def _now(self) -> Instant:
        return self._trade.house.outside.clock.now()


def line_of(told: Any) -> BidLine:
    """A row of the bid log as the API returns it, read back by the names of its fields alone."""
    row = BidChange.model_validate(told | {"at": 0, "fileVersion": None}, strict=False)

    def picked(kind: Any, one: Any, **made: Any) -> Any:
        rows = {name: getattr(one, name) for name in kind._fields if name not in made}
        return kind(**rows, **made)

    step = picked(
        Inputs,
        row,
        life=CopyDemand(row.life.now, row.life.then),
        target=row.target and picked(TargetRate, row.target),
        views=tuple(
            CapInputs(one.name, picked(CapMark, one), picked(Ahead, one)) for one in row.views
        ),
    )
    window = picked(JobWindow, row.window, first=row.window.place)
    return BidLine(step, picked(PacedBid, row, window=window, binding=tuple(row.binding)))


def miscounted(told: Iterable[Any]) -> Iterator[str]:
    """The rows of a bid log that differ when their bids are decided again from what they tell."""
    for one in map(line_of, told):
        if (again := decided(one.inputs)) != one.bid:
            yield f"of {one.inputs} came {one.bid}, and not {again}"
