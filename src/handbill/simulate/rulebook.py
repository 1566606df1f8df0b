"""Rules in a simulation: those that an agency sets up, and what it does about them.

Some clients let their rules act; others only let them advise.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from handbill.host.ids import Chance
from handbill.kit.instants import Instant
from handbill.simulate.acts import acts_of, take_back, thing_of
from handbill.simulate.asking import Unexpected
from handbill.simulate.employers import Body, Employer
from handbill.simulate.trade import Trade, api_day, of_category

_MORE_DAYS = 30
_ADVISED = 3
"""One client in so many only lets its rules advise."""
_GUARDS = {"maxShare": 100, "minClicks": 3, "minSpend": 0, "minMaturity": 40}


class Astray(AssertionError):
    """An answer about rules is not what their runs say."""


@dataclass(kw_only=True)
class RuleOf:
    """A rule of a client, since it was made. ``runs``: all that are kept, by id, the oldest
    first.
    """

    id: str
    client: Employer = field(repr=False)
    body: Body
    acts: bool
    since_at: Instant
    runs: dict[str, Any] = field(default_factory=dict, repr=False)


class Rulebook:
    """The rules of all clients, in their order, and random changes of them."""

    def __init__(self, trade: Trade, chance: Chance, days: int, daily: float) -> None:
        """``daily``: about how many clicks all job groups get in a day."""
        self._trade, self._chance, self._days, self._daily = trade, chance, days, daily
        self.rules: list[RuleOf] = []

    async def set_up(self) -> None:
        employers = self._trade.employers
        each = self._daily / sum(len(one.groups) for one in employers)
        for number, one in enumerate(employers):
            acts = number % _ADVISED != 1
            control = {"control": "ACT" if acts else "ADVISE"}
            await self._trade.ask("PUT", "/rules/control", control, x_client_id=one.id)
            for body in _acting(one, each) if acts else _advising(one, each):
                await self._add(one, body, acts=acts)

    async def _add(self, employer: Employer, body: Body, *, acts: bool) -> None:
        now = self._trade.house.outside.clock.now()
        today = employer.day(now)
        ends = today + timedelta(days=self._days + _MORE_DAYS)
        whole = {"name": "rule", **body, "startDate": api_day(today), "endDate": api_day(ends)}
        made = await self._trade.ask("POST", "/rules", whole, x_client_id=employer.id)
        id_: str = made["data"]["id"]
        self.rules.append(RuleOf(id=id_, client=employer, body=whole, acts=acts, since_at=now))

    # ── day by day ──────────────────────────────────────────────────────────────────────────────

    async def edit(self) -> None:
        """One random change concerning a rule that acts."""
        deeds: tuple[Callable[[RuleOf], Any], ...] = (
            self._undo,
            self._undo,
            self._lift,
            self._reorder,
            self._replace,
        )
        acting = [one for one in self.rules if one.acts]
        await self._chance.choice(deeds)(self._chance.choice(acting))

    async def _undo(self, rule: RuleOf) -> None:
        """Undo one of the last runs that have done something."""
        runs = [one for one in rule.runs.values() if acts_of(one) and not one["undoneOn"]][-3:]
        if not runs:
            return
        run, now = self._chance.choice(runs), self._trade.house.outside.clock.now()
        url = f"/rules/{rule.id}/runs/{run['id']}/undo"
        taken = [
            thing_of(act)
            for act in reversed(acts_of(run))
            if take_back(self._trade, rule.id, run["id"], act, now)
        ]
        try:
            answer = await self._trade.ask("POST", url, {}, x_client_id=rule.client.id)
        except Unexpected:
            if taken:
                raise
            return
        run["undoneOn"] = now
        if [thing_of(act) for act in answer["undone"]] != taken:
            raise Astray(f"of {run} this was undone: {answer}, and not {taken}")

    async def _lift(self, rule: RuleOf) -> None:
        """Lift any hold of the rule's client."""
        client = f"/clients/{rule.client.id}"
        holds = (await self._trade.ask("GET", f"{client}/holds"))["data"]
        if not holds:
            return
        one = self._chance.choice(holds)
        await self._trade.ask("PUT", f"{client}/holds/{one['id']}/lift")
        now = self._trade.house.outside.clock.now()
        self._trade.held.lift(now, thing=thing_of(one, "entityId"), rule=one["ruleId"])

    async def _reorder(self, rule: RuleOf) -> None:
        its = [one for one in self.rules if one.client is rule.client]
        self._chance.shuffle(its)
        self.rules = [one for one in self.rules if one.client is not rule.client] + its
        ids = [one.id for one in its]
        await self._trade.ask("PUT", "/rules/order", {"ids": ids}, x_client_id=rule.client.id)

    async def _replace(self, rule: RuleOf) -> None:
        """Delete a rule, and add the same again: its holds are gone."""
        await self._trade.ask("DELETE", f"/rules/{rule.id}", x_client_id=rule.client.id)
        self._trade.held.lift(self._trade.house.outside.clock.now(), rule=rule.id)
        self.rules.remove(rule)
        await self._add(rule.client, rule.body, acts=True)


def _acting(one: Employer, daily: float) -> Iterator[Body]:
    """Rules of each type and level, of which some pull opposite ways. ``daily``: clicks of a job
    group.
    """
    groups = [group.id for group in one.groups]
    placed = {"filters": [{"id": one, "allPlacements": True} for one in groups]}
    few, many = max(1, round(daily * 0.1)), max(2, round(daily * 0.7))
    pause, resume = ({"adminActions": {"type": it}} for it in ("pause", "resume"))
    spent_today, no_apply = _more("spent", few / 2, "today"), _fewer("applies", 1, "today")
    yield _rule("jobgroups", spent_today, no_apply, **pause)
    yield _rule("jobgroups", _fewer("clicks", 1, "today"), **resume)
    yield _rule("jobgroups", _fewer("cta", 9, "last_3_days"), **_amount(-10, "cpc bid"))
    yield _rule("jobgroups", _more("clicks", few, "this_week"), **_amount(8, "cpc bid"))
    yield _rule("jobgroups", _more("clicks", many, "today"), **pause, **placed)
    yield _rule("jobgroups", _fewer("clicks", 1, "today"), **resume, **placed)
    yield _rule("jobgroups", _more("clicks", few, "yesterday"), **_amount(5, "cpc bid"), **placed)
    yield _rule(
        "jobgroups",
        _more("spent", 30, "this_month", "%"),
        **_amount(10, "budget", maxBudget=round(daily * 40)),
        repeatActionDuration={"value": 1},
    )
    yield _rule(
        "campaign",
        _more("spent", few, "yesterday"),
        **_amount(-10, "budget", minBudget=round(daily)),
        applyToChildren=False,
    )
    yield _rule("clients", _more("clicks", many * 3, "yesterday"), **pause)
    yield _rule("clients", _fewer("clicks", 1, "yesterday"), **resume, applyToChildren=False)
    care = {"jobFilter": {"filter": of_category("Care")}, "jobFilterLevel": "clients"}
    yield _rule("jobs", _more("clicks", few, "this_week"), **pause, **care)
    yield _rule("jobs", _fewer("clicks", 1, "yesterday"), **resume, **care)


def _advising(one: Employer, daily: float) -> Iterator[Body]:
    """Rules that never act on the same, and not on what changes otherwise."""
    pause = {"adminActions": {"type": "pause"}}
    few, many = max(1, round(daily * 0.2)), max(2, round(daily * 0.5))
    dearer = _amount(5, "cpc bid", maxBid=1_000, maxShare=20)
    yield _rule("jobgroups", _more("clicks", few, "today"), **dearer)
    yield _rule("campaign", _fewer("cta", 7, "last_7_days"), **pause)
    yield _rule("clients", _more("spent", many, "today"), _more("cpa", 1, "this_week"), **pause)
    filters = [{"id": group.id, "placementIds": group.publishers[:1]} for group in one.groups]
    yield _rule("jobgroups", _more("clicks", 2, "yesterday"), **pause, filters=filters)


def _rule(level: str, *conditions: Body, **rest: Any) -> Body:
    kind = {"actionType": "administration", "filterLevel": level, "conditions": list(conditions)}
    return kind | {"guards": _GUARDS} | rest


def _amount(percent: int, parameter: str, **guards: float) -> Body:
    action = {"action": "increase" if percent > 0 else "decrease", "unit": "%"}
    return {
        "actionType": "performance" if parameter == "budget" else "bidStrategy",
        "actions": action | {"parameter": parameter, "value": abs(percent)},
        "guards": _GUARDS | {"maxBid": 3, "minBid": 0.1} | guards,
    }


def _more(parameter: str, value: float, days: str, unit: str | None = None) -> Body:
    return _compared("greater than", parameter, value, days, unit)


def _fewer(parameter: str, value: float, days: str, unit: str | None = None) -> Body:
    return _compared("less than", parameter, value, days, unit)


def _compared(how: str, parameter: str, value: float, days: str, unit: str | None) -> Body:
    known = {"parameter": parameter, "condition": how, "value": value, "conditionDuration": days}
    return known | ({"unit": unit} if unit else {})
