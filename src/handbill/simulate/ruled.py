"""What must hold of rules: their runs are compared with the ledger's entries, with previews, with
holds, budgets and bids as the API returns them, and with back-tests.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from handbill.core.rule_conditions import days_of
from handbill.core.rules.backtesting import DAYS
from handbill.core.rules.windows import EVERY
from handbill.host.ids import Chance
from handbill.kit.instants import DAY, Instant, instant_of_iso
from handbill.simulate import backtested
from handbill.simulate.acts import acts_of, amount_of, follow, thing_of
from handbill.simulate.backtested import BY_THE_PAST, key_of
from handbill.simulate.employers import Body, Employer, GroupOf
from handbill.simulate.rulebook import Rulebook, RuleOf
from handbill.simulate.trade import Trade, micros

_PREVIEWED: Final = 0.05
"""How many runs are previewed."""
_COUNTED: Final = {"clicks": 0, "applies": 1, "spent": 2}
_PAGES: Final = (2, 20, 200)
"""How many of a client's latest runs are read; more, if all of these are new."""
Counted = dict[tuple[str, str], list[int]]
"""Clicks, applies and spend in micros, by job group and publisher."""


class EntryFigures(NamedTuple):
    """What an entry adds to the figures of rules; without a job group: an empty id."""

    client: Employer
    at: Instant
    group: str
    publisher: str
    clicks: int
    applies: int
    spend_micros: int


class Ruled:
    """Follows all runs of rules. Each check yields what does not hold."""

    def __init__(self, rulebook: Rulebook, trade: Trade, chance: Chance, step: Instant) -> None:
        self._rulebook, self._trade, self._chance = rulebook, trade, chance
        self._at_quarters = EVERY % step == 0
        self._came: dict[tuple[str, date], Counted] = defaultdict(lambda: defaultdict(_nothing))
        self._later: list[EntryFigures] = []
        """What has come at the very instant at which rules run: they do not see it yet."""
        self._previews: dict[str, Body] = {}
        self._known: dict[str, set[str]] = defaultdict(set)
        """The runs that were read, by client."""
        self._new: dict[str, Mapping[str, list[Body]]] = {}
        self.acts, self.previews, self.seen, self.backtests = 0, 0, 0, 0
        """How many there were: acts done; previews, figures and back-tests compared."""
        self.firings: Counter[str] = Counter()
        """Of back-tests and runs: equal ones, and others by why."""

    def count(self, one: EntryFigures) -> None:
        """An entry of the ledger."""
        if one.at >= self._now:
            self._later.append(one)
        else:
            self._add(one)

    def _add(self, one: EntryFigures) -> None:
        known = self._came[one.client.id, one.client.day(one.at)][one.group, one.publisher]
        for place, amount in enumerate((one.clicks, one.applies, one.spend_micros)):
            known[place] += amount

    async def ask_ahead(self) -> None:
        """Preview some rules, before they run. Imports change jobs meanwhile: not those of jobs."""
        self._previews = {}
        if self._now % EVERY:
            return
        for rule in self._rulebook.rules:
            of_jobs = rule.body["filterLevel"] == "jobs"
            if self._chance.random() < _PREVIEWED and not of_jobs:
                preview = await self._ask(rule, "POST", "/rules/preview", rule.body)
                self._previews[rule.id] = preview

    async def read_runs(self) -> None:
        """Read the runs since the last look."""
        self._new = {one.id: await self._new_runs(one) for one in self._trade.employers}

    async def look(self) -> list[str]:
        """Take over what these runs have done, in the order in which it was done."""
        wrong: list[str] = []
        touched = set()
        for rule in self._rulebook.rules:
            for run in self._new[rule.client.id].get(rule.id, ()):
                wrong += self._of_run(rule, run)
                rule.runs[run["id"]] = run
                if rule.acts and acts_of(run):
                    touched.add(rule.client.id)
            wrong += self._of_preview(rule)
        for one in self._trade.employers:
            if one.id in touched:
                wrong += [fault async for fault in self._of_holds(one.id)]
        later, self._later = self._later, []
        for came in later:
            self._add(came)
        return wrong

    # ── each run ────────────────────────────────────────────────────────────────────────────────

    async def _new_runs(self, client: Employer) -> Mapping[str, list[Body]]:
        """Those of each rule, the oldest first."""
        known = self._known[client.id]
        new: list[Body] = []
        for limit in _PAGES:
            url = f"/rules/runs?page=0&limit={limit}"
            page = await self._trade.ask("GET", url, x_client_id=client.id)
            new = [one for one in page["data"] if one["id"] not in known]
            if len(new) < limit:
                break
        known.update(one["id"] for one in new)
        by_rule: dict[str, list[Body]] = defaultdict(list)
        for one in reversed(new):
            by_rule[one["ruleId"]].append(one)
        return by_rule

    def _of_run(self, rule: RuleOf, run: Body) -> Iterator[str]:
        if run["mode"] != ("ACT" if rule.acts else "ADVISE"):
            yield f"{rule} may not act so: {run}"
        if any(one["ranOn"] >= run["ranOn"] for one in rule.runs.values()):
            yield f"{rule} has run twice at {run['ranOn']}"
        for entity in run["entities"]:
            yield from self._of_figures(rule, run, entity)
        for act in acts_of(run) if rule.acts else ():
            self.acts += 1
            if fault := follow(self._trade, rule.id, run["id"], act, self._now):
                yield f"{act} of {rule}: {fault}"

    def _of_figures(self, rule: RuleOf, run: Body, entity: Body) -> Iterator[str]:
        """The figures of a run are those of the entries that had come."""
        if entity["level"] == "JOB":
            return
        today = rule.client.day(instant_of_iso(run["ranOn"]))
        for it, seen in zip(rule.body["conditions"], entity["seen"], strict=False):
            place = _COUNTED.get(it["parameter"])
            if place is None or it.get("unit") == "%":
                continue
            first, last = days_of(it["conditionDuration"], today)
            own = sum(
                sums[place]
                for n in range((last - first).days + 1)
                for where, sums in self._came[rule.client.id, first + timedelta(days=n)].items()
                if _is_within(entity, where)
            )
            figure = micros(seen) if place == _COUNTED["spent"] else seen
            self.seen += 1
            if figure != own:
                yield f"{rule} has seen {figure} {it['parameter']} at {run['ranOn']}, not {own}"

    # ── previews ────────────────────────────────────────────────────────────────────────────────

    def _of_preview(self, rule: RuleOf) -> Iterator[str]:
        """What a rule does is what its preview has said, except for what it remembers."""
        ahead = self._previews.get(rule.id)
        if ahead is None or not rule.runs:
            return
        last = list(rule.runs.values())[-1]
        if instant_of_iso(last["ranOn"]) != self._now:
            return
        self.previews += 1
        for name in ("evaluated", "matched"):
            if ahead[name] != last[name]:
                yield f"{rule} has {ahead[name]} {name} in its preview: {ahead}, {last}"
        previewed, done = ({key_of(one): one for one in it["entities"]} for it in (ahead, last))
        if previewed.keys() != done.keys():
            yield f"{rule} previews other entities: {ahead}, {last}"
        for key, one in previewed.items():
            yield from self._of_entity(rule, one, done[key])

    def _of_entity(self, rule: RuleOf, told: Body, done: Body) -> Iterator[str]:
        if told["seen"] != done["seen"] or told["matched"] != done["matched"]:
            yield f"{rule} previews other figures: {told}, {done}"
        if done["skip"] in BY_THE_PAST:
            return
        for its, was in zip(told["acts"], done["acts"], strict=True):
            same = [it for it in its.keys() & was.keys() if its[it] != was[it]]
            by_past = was["skip"] in BY_THE_PAST or its["skip"] == "SHARE_OF_RUN"
            if same and not by_past:
                yield f"{rule} previews another act: {its}, {was}"

    # ── what is so by now ───────────────────────────────────────────────────────────────────────

    async def _of_holds(self, client: str) -> Any:
        holds = (await self._trade.ask("GET", f"/clients/{client}/holds"))["data"]
        its = {one.id for one in self._rulebook.rules if one.client.id == client}
        held = {(thing_of(one, "entityId"), one["ruleId"], one["runId"]) for one in holds}
        known = {one for one in self._trade.held.every() if one[1] in its}
        if held != known:
            yield f"these are held: {held}, and not {known}"

    async def end_day(self) -> list[str]:
        """Switches, budgets and bids of all job groups, and all holds."""
        wrong = []
        for one in self._trade.employers:
            wrong += [fault async for fault in self._of_holds(one.id)]
            for group in one.groups:
                answer = await self._trade.ask("GET", group.path)
                wrong += self._of_group(group, answer)
        return wrong

    def _of_group(self, group: GroupOf, told: Body) -> Iterator[str]:
        if told["activeStatus"] != ("A" if group.active else "P"):
            yield f"{group} has status {told['activeStatus']}"
        own: Body = {"level": "JOBGROUP", "id": group.id}
        budget = told["caps"]["budget"]["value"]
        amounts = [
            (own | {"action": "budget"}, budget),
            (own | {"action": "cpc bid"}, told["cpcBid"]),
        ]
        for one in told["placements"]:
            placed = own | {"level": "PLACEMENT", "publisherId": one["value"]}
            amounts.append((placed | {"action": "cpc bid"}, one.get("bid") or None))
        for act, amount in amounts:
            known = amount_of(self._trade, act)
            if known != (None if amount is None else micros(amount)):
                yield f"{act} stands at {amount}, not at {known}"

    async def end(self) -> list[str]:
        """A back-test says what the rules have done in all these days, or advised: it looks at each
        quarter of an hour, and so must they; those of past days look once a day. It knows 30 days:
        older rules are left out.
        """
        wrong: list[str] = []
        for rule in self._rulebook.rules:
            if not (self._at_quarters or backtested.reads_once(rule)):
                continue
            is_older = self._now - rule.since_at > DAYS * DAY
            if is_older or (rule.acts and not backtested.compares(rule)):
                continue
            self.backtests += 1
            back_test = await self._ask(rule, "POST", f"/rules/{rule.id}/backtest", {})
            compare = backtested.acted if rule.acts else backtested.advised
            wrong += compare(rule, back_test, self.firings)
        return wrong

    @property
    def _now(self) -> Instant:
        return self._trade.house.outside.clock.now()

    async def _ask(self, rule: RuleOf, verb: str, url: str, body: Any = None) -> Any:
        return await self._trade.ask(verb, url, body, x_client_id=rule.client.id)


def _nothing() -> list[int]:
    return [0, 0, 0]


def _is_within(entity: Body, place: tuple[str, str]) -> bool:
    """Whether an entity's figures include what came at a job group and publisher."""
    group, publisher = place
    wanted = entity["publisherIds"]
    if entity["level"] == "JOBGROUP" and group != entity["id"]:
        return False
    return bool(group or entity["level"] == "CLIENT") and (not wanted or publisher in wanted)
