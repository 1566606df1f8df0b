"""The effective state of a client, campaign or job group: its own switch, dates, days, caps, and
then its parent's.

``today`` is the day in the client's zone. The caller, who has the counters, says whether a cap is
reached (``capped``). **Source**: domain 1.1 (resolvedStatus), 1.5, 6.1.
"""

from datetime import date
from typing import Literal, NamedTuple

from handbill.core.nouns import Campaign, Client, Group

Status = Literal[
    "ACTIVE", "PAUSED", "PARENT_PAUSED", "NOT_STARTED", "EXPIRED", "CAPPED", "PARENT_CAPPED"
]
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class State(NamedTuple):
    """resolvedStatus, and why in words."""

    status: Status
    description: str

    @property
    def trades(self) -> bool:
        return self.status == "ACTIVE"


class Stop(NamedTuple):
    """What stops a client, campaign or job group by itself. ``on``: the day concerned."""

    code: Literal["PAUSED", "NOT_STARTED", "EXPIRED", "OFF_DAY"]
    description: str
    on: str = ""


ACTIVE = State("ACTIVE", "trades")


def client_state(client: Client, today: date, *, capped: bool = False) -> State:
    """The state of a client; it has no parent."""
    return _own("client", client, today, capped=capped)


def campaign_state(
    campaign: Campaign, parent: State, today: date, *, capped: bool = False
) -> State:
    """The state of a campaign, under its client's."""
    own = _own("campaign", campaign, today, capped=capped)
    return _below(own, parent)


def group_state(group: Group, parent: State, today: date, *, capped: bool = False) -> State:
    """The state of a job group, under its campaign's. Day 0 of ``days`` is Monday."""
    own = _own("job group", group, today, capped=capped)
    return _below(own, parent)


def stops_of(what: str, one: Client | Campaign | Group, today: date) -> list[Stop]:
    """Everything that stops it by itself, in order of reporting: its switch, its dates, its
    weekdays.
    """
    start_on, end_on = one.body.start_on, one.body.end_on
    stops = []
    if one.status != "A":
        stops.append(Stop("PAUSED", f"the {what} is paused"))
    if not in_force(start_on, None, today):
        stops.append(Stop("NOT_STARTED", f"the {what} starts on {start_on}", start_on))
    if not in_force(None, end_on, today):
        stops.append(Stop("EXPIRED", f"the {what} ended on {end_on}", end_on))
    if isinstance(one, Group) and today.weekday() not in one.body.days:
        weekday = _WEEKDAYS[today.weekday()]
        stops.append(Stop("OFF_DAY", f"the {what} does not trade on {weekday}s"))
    return stops


def in_force(start_on: str | None, end_on: str | None, today: date) -> bool:
    """Whether a day lies between two others, both included; an empty one is no bound."""
    on = today.isoformat()
    return (not start_on or start_on <= on) and (not end_on or on <= end_on)


def may_match(group: Group, campaign: Campaign, today: date) -> bool:
    """Whether a job group takes jobs by its filter today: it and its campaign are switched on and
    within their dates (domain 1.5). Weekdays and caps only stop trading: otherwise jobs would
    change their group, and with it bids and reports, from one day to the next.
    """
    return (
        not group.is_default
        and group.body.filters is not None
        and group.status == campaign.status == "A"
        and in_force(group.body.start_on, group.body.end_on, today)
        and in_force(campaign.body.start_on, campaign.body.end_on, today)
    )


def _own(what: str, one: Client | Campaign | Group, today: date, *, capped: bool) -> State:
    for stop in stops_of(what, one, today):
        return State("PAUSED" if stop.code == "OFF_DAY" else stop.code, stop.description)
    if capped:
        return State("CAPPED", f"the {what} has reached a cap")
    return ACTIVE


def _below(own: State, parent: State) -> State:
    """A stopped parent stops its children; a thing's own cause is reported first."""
    if not own.trades or parent.trades:
        return own
    if parent.status in {"PAUSED", "PARENT_PAUSED"}:
        return State("PARENT_PAUSED", parent.description)
    if parent.status in {"CAPPED", "PARENT_CAPPED"}:
        return State("PARENT_CAPPED", parent.description)
    return parent
