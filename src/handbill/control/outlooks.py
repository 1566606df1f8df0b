"""How a cap stands and what is ahead of it, for those who ask."""

from datetime import date
from typing import NamedTuple

from handbill.control.cap_rows import CapNoted
from handbill.core.nouns import Campaign, Cap, Client, Group, Publisher
from handbill.core.pacing.caps import CapMark
from handbill.core.pacing.outlook import Forecast, Missed, Unspent
from handbill.core.standing.capping import CapKey
from handbill.core.standing.reasons import Resolved
from handbill.kit.instants import Instant


class Unbilled(NamedTuple):
    """Events that came when a cap was used up. ``rhythm``: the usual time between its publisher's
    fetches; None: it has no file.
    """

    publisher: Publisher
    events: int
    micros: int
    rhythm: Instant | None


class Outlook(NamedTuple):
    """A cap. ``publisher_id``: of a placement's cap. ``last`` None: it has no end. ``ceiling``: the
    maximum of today, in what the cap counts, where that is less than the whole.
    """

    key: CapKey
    cap: Cap
    publisher_id: str
    first: date
    last: date | None
    mark: CapMark
    ceiling: int | None
    noted: CapNoted
    ahead: Forecast | None
    pace_ppm: int | None
    in_budget_ppm: int | None
    missed: Missed
    unbilled: list[Unbilled]
    unspent: list[Unspent]


class Budgeted(NamedTuple):
    """A client, campaign or job group, its standing, and its caps."""

    one: Client | Campaign | Group
    resolved: Resolved
    caps: list[Outlook]


class Budget(NamedTuple):
    """``evaluated_at`` None: control has not looked at the client yet. ``below``: its campaigns,
    and the job groups of each, without the default one.
    """

    client: Budgeted
    currency: str
    today: date
    evaluated_at: Instant | None
    below: list[tuple[Budgeted, list[Budgeted]]]

    def of(self, one: Client | Campaign | Group) -> Budgeted | None:
        """Of the client, or of one of its campaigns or job groups; None: of a default job group."""
        every = [self.client]
        for campaign, groups_of in self.below:
            every += [campaign, *groups_of]
        return next((it for it in every if it.one == one), None)
