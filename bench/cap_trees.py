"""Random trees of caps, and a model of what they allow that knows nothing of how caps are held.

A tree is one client's. Its caps are kept by place and measure, and written into the bodies of the
nouns they stand on; what was charged is added up anew, window by window.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from random import Random
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from handbill.core.nouns import (
    CampaignBody,
    Cap,
    Caps,
    ClientBody,
    GroupBody,
    JobPlacement,
    JobSetting,
    JobSettings,
    Placement,
)
from handbill.store.records import Tx
from handbill.store.records.tables import campaigns, clients, groups, jobs

PERIODS: tuple[Literal["Daily", "Weekly", "Monthly", "Lifetime"], ...] = (
    "Daily",
    "Weekly",
    "Monthly",
    "Lifetime",
)
MONEY = ("campaign_placement", "placement", "job_placement")
"""Where only money is capped."""


class Where(NamedTuple):
    """Where a cap stands, and what of: ``each_job`` is of every job of a job group for itself."""

    level: str
    at: tuple[Any, ...]
    measure: str


class Event(NamedTuple):
    """A click that was judged: where, on which day of its client, and what it takes."""

    campaign: int
    group: int
    publisher: int
    job: str
    day: date
    micros: int

    def need(self, measure: str) -> int:
        return self.micros if measure == "budget" else 1

    def below(self) -> Iterator[Where]:
        campaign, group, publisher, job, *_ = self
        for measure in ("budget", "clicks"):
            yield Where("client", (), measure)
            yield Where("campaign", (campaign,), measure)
            yield Where("group", (group,), measure)
            yield Where("each_job", (group,), measure)
            yield Where("job", (job,), measure)
        yield Where("campaign_placement", (campaign, publisher), "budget")
        yield Where("placement", (group, publisher), "budget")
        yield Where("job_placement", (job, publisher), "budget")


State = Mapping[Where, Cap]


@dataclass
class Edit:
    """What stands after a change. The last batch that was booked when it was made, and when it was
    known to be kept.
    """

    state: State
    before: int
    after: int


@dataclass
class Tree:
    """``groups`` and ``jobs``: what each is in; ``demand``: what would be charged without caps."""

    name: str
    client_no: int
    zone: str
    publishers: Mapping[int, str]
    groups: dict[int, int] = field(default_factory=dict)
    jobs: dict[str, int] = field(default_factory=dict)
    demand: Counter[Where] = field(default_factory=Counter)
    edits: list[Edit] = field(default_factory=list)

    def day_of(self, at: int) -> date:
        return datetime.fromtimestamp(at // 1_000_000, UTC).astimezone(ZoneInfo(self.zone)).date()

    def cap(self, chance: Random, where: Where) -> Cap | None:
        """A cap that may bind; or none."""
        if chance.random() < 0.6:
            return None
        period = chance.choice(PERIODS)
        most = self.demand[where] * chance.uniform(0.05, 1.1)
        if where.level == "each_job":
            most /= 3
        locked = where.level == "placement" and chance.random() < 0.4
        return Cap(period, round(most / (3 if period == "Daily" else 1)), locked=locked)

    def first(self, chance: Random) -> State:
        caps = {where: self.cap(chance, where) for where in sorted(self.demand)}
        return {where: cap for where, cap in caps.items() if cap is not None}

    def changed(self, chance: Random) -> tuple[State, Where]:
        """One cap set, raised, lowered or taken away."""
        where = chance.choice(sorted(self.demand))
        state = dict(self.edits[-1].state)
        cap = self.cap(chance, where)
        state.pop(where, None)
        if cap is not None:
            state[where] = cap
        return state, where

    # ── as nouns ────────────────────────────────────────────────────────────────────────────────

    def write(self, tx: Tx, state: State, where: Where, now: int) -> None:
        """Write the noun that a cap stands on."""
        if where.level == "client":
            caps = _caps(state, "client", ())
            body: Any = ClientBody(company_name=self.name, exported_name=self.name, caps=caps)
            tx.change(clients, {"no": self.client_no}, body=_json(body), updated_at=now)
        elif where.level in {"campaign", "campaign_placement"}:
            no = where.at[0]
            own = self._budgets(state, "campaign_placement", no)
            body = CampaignBody("K", caps=_caps(state, "campaign", (no,)), placement_caps=own)
            tx.change(campaigns, {"no": no}, body=_json(body), updated_at=now)
        elif where.level in {"group", "placement", "each_job"}:
            no = where.at[0]
            caps, each = _caps(state, "group", (no,)), _caps(state, "each_job", (no,))
            caps = msgspec.structs.replace(caps, job_budget=each.budget, job_clicks=each.clicks)
            own = self._budgets(state, "placement", no)
            placements = [Placement(name, budget=own.get(name)) for name in self._names()]
            body = GroupBody("G", caps=caps, placements=placements)
            tx.change(groups, {"no": no}, body=_json(body), updated_at=now)
        else:
            job = where.at[0]
            own = self._budgets(state, "job_placement", job)
            settings = JobSettings(
                JobSetting(caps=_caps(state, "job", (job,))),
                tuple(JobPlacement(name, budget=cap) for name, cap in own.items()),
            )
            tx.change(jobs, {"id": job}, settings=_json(settings), updated_at=now)

    def _names(self) -> list[str]:
        return list(self.publishers.values())

    def _budgets(self, state: State, level: str, at: Any) -> dict[str, Cap]:
        found = {
            name: state.get(Where(level, (at, no), "budget"))
            for no, name in self.publishers.items()
        }
        return {name: cap for name, cap in found.items() if cap is not None}


def _caps(state: State, level: str, at: tuple[Any, ...]) -> Caps:
    return Caps(
        budget=state.get(Where(level, at, "budget")), clicks=state.get(Where(level, at, "clicks"))
    )


def _json(body: Any) -> str:
    return msgspec.json.encode(body).decode()


# ── the model ───────────────────────────────────────────────────────────────────────────────────


class Batch(NamedTuple):
    """What one booking left of a tree's events. ``no``: its place among all bookings."""

    no: int
    charged: list[Event]
    refused: list[Event]


class Faults(NamedTuple):
    """``over``: caps that were passed; ``under``: clicks that no cap was a reason to refuse."""

    over: int = 0
    under: int = 0


def faults_of(tree: Tree, batches: Iterable[Batch], unsure: int) -> Faults:
    """What was held wrongly, over all states that were ever committed. A batch is held against the
    caps that stood when it was booked: those of one moment. ``unsure``: so many batches behind an
    edit may still be from before it, as they were under way when it was kept.
    """
    used: Counter[tuple[Where, str, str]] = Counter()
    total = Faults()
    for batch in sorted(batches):
        for event in batch.charged:
            for where in event.below():
                for window in windows(event.day):
                    used[where, _own(where, event), window] += event.need(where.measure)
        told = [
            _faults(tree, state, batch, used) for state in standing(tree.edits, batch.no, unsure)
        ]
        least = min(told, key=sum)
        total = Faults(total.over + least.over, total.under + least.under)
    return total


def standing(edits: Sequence[Edit], no: int, unsure: int) -> Iterator[State]:
    """Every state that may have stood when a batch was booked."""
    for at, edit in enumerate(edits):
        is_behind = at + 1 < len(edits) and no > _known_from(edits[at + 1], unsure)
        if edit.before < no and not is_behind:
            yield edit.state


def _known_from(edit: Edit, unsure: int) -> int:
    return edit.after + unsure if unsure else edit.before


def _faults(
    tree: Tree, state: State, batch: Batch, used: Mapping[tuple[Where, str, str], int]
) -> Faults:
    over: set[tuple[Where, str]] = set()
    for event in set(batch.charged):
        over.update(
            (where, _own(where, event))
            for where, room in _rooms(tree, state, event, used)
            if room < 0
        )
    under = sum(
        all(room >= event.need(where.measure) for where, room in _rooms(tree, state, event, used))
        for event in batch.refused
    )
    return Faults(len(over), under)


def _rooms(
    tree: Tree, state: State, event: Event, used: Mapping[tuple[Where, str, str], int]
) -> Iterator[tuple[Where, int]]:
    """What each cap over an event has left for it, less what others are promised of it."""
    for where in event.below():
        cap = state.get(where)
        if cap is None:
            continue
        window = windows(event.day)[PERIODS.index(cap.period)]
        room = cap.value - used.get((where, _own(where, event), window), 0)
        if where.level == "group" and where.measure == "budget":
            for no in tree.publishers:
                other = Where("placement", (event.group, no), "budget")
                lock = state.get(other)
                if no != event.publisher and lock and lock.locked and lock.period == cap.period:
                    room -= max(0, lock.value - used.get((other, "", window), 0))
        yield where, room


def _own(where: Where, event: Event) -> str:
    return event.job if where.level == "each_job" else ""


def windows(day: date) -> tuple[str, str, str, str]:
    """The day, week (from Monday on), month and lifetime that a day lies in."""
    monday = date.fromordinal(day.toordinal() - day.weekday())
    return f"{day}", f"week of {monday}", f"{day:%Y-%m}", "ever"
