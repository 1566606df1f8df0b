"""Targets of job groups (``performanceTargets``): what may be bid for them at each publisher.

The bid for a cost per apply depends on the rate at which clicks become applies there; a cost per
click is the maximum bid. Rates are estimated over all job groups of a client together, from the
clicks of two months, each counted for the part of its applies that should have come by its age.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from handbill.control import target_rows as rows
from handbill.control.target_rows import ClickDay, Correction
from handbill.control.tree import CapTree, Pair
from handbill.core.in_force import Key
from handbill.core.nouns import Group
from handbill.core.pacing.targets import (
    Got,
    TargetRate,
    at_most,
    cautious,
    corrected,
    delay_curve,
    mature_ppm,
    rates_of,
    usual_delays,
)
from handbill.kit.money import PPM
from handbill.ledger import apply_ages
from handbill.ledger.apply_ages import ApplyAge
from handbill.store.records import Tx

LOOK_BACK_DAYS: Final = 60
CLOSED_DAYS: Final = 60
"""The delays of applies are learned from so many days of clicks with closed windows."""
PRIOR_PPM: Final = 50_000
"""Applies per million clicks, for a client where nothing has come yet."""
_BY_CLICK: Final = frozenset({"CPC", "FLAT_CPC"})


@dataclass(frozen=True, slots=True)
class Aims:
    """``targets``: by job group and publisher. ``corrections``: only the new ones."""

    targets: Mapping[Key, TargetRate]
    corrections: Mapping[int, Correction]
    former: Mapping[Key, int]


def has_targets(groups: Iterable[Group]) -> bool:
    return any(group.body.performance_targets for group in groups)


def aims_of(tx: Tx, tree: CapTree) -> Aims:
    """What a client's job groups with targets may bid."""
    if not has_targets(tree.groups.values()):
        return Aims({}, {}, {})
    client = tree.client
    closed = timedelta(days=client.body.apply_window_days + CLOSED_DAYS)
    came = apply_ages.since(tx, client.no, tree.today - closed)
    days = rows.days_of(tx, client.no, tree.today - timedelta(days=LOOK_BACK_DAYS))
    former = rows.aims_of(tx, client.no)
    return aimed(tree, days, came, former, rows.corrections_of(tx, client.no))


def keep(tx: Tx, client_no: int, aims: Aims, bids: Mapping[Key, int]) -> None:
    """Store corrections, and the bids that were decided for targets per apply."""
    rows.put_corrections(tx, client_no, aims.corrections)
    rows.put_aims(
        tx,
        client_no,
        {
            key: micros
            for key, micros in bids.items()
            if aims.former.get(key) != micros and _is_stepped(aims.targets[key])
        },
    )


def aimed(
    tree: CapTree,
    days: Iterable[ClickDay],
    came: Mapping[ApplyAge, int],
    former: Mapping[Key, int],
    corrections: Mapping[int, Correction],
) -> Aims:
    """``aims_of``, from what was read; without a store."""
    seen = _Seen.of(tree, days, came)
    rates = rates_of(seen.got, PRIOR_PPM) if seen.got else {}
    applies: Counter[int] = Counter()
    for (group_no, _), of_pair in seen.got.items():
        applies[group_no] += of_pair.applies
    after: dict[int, Correction] = {}
    targets: dict[Key, TargetRate] = {}
    for pair in tree.pairs:
        key = pair.key
        wanted = _wanted(tree.groups[key[0]])
        candidates = []
        if "cpc" in wanted and pair.terms.bid_type in _BY_CLICK:
            candidates.append(at_most(wanted["cpc"], kind="cpc"))
        if "cpa" in wanted and pair.terms.bid_type == "CPA":
            candidates.append(at_most(wanted["cpa"], kind="cpa"))
        if "cpa" in wanted and pair.terms.bid_type == "CPC":
            if key[0] not in after:
                before = corrections.get(key[0])
                after[key[0]] = _corrected(seen, key[0], wanted["cpa"], before, tree.today)
            got = seen.got.get(key, Got(0, 0))
            rate = cautious(rates[key], applies[key[0]])
            candidates.append(
                TargetRate(
                    wanted["cpa"],
                    rate,
                    after[key[0]].value_ppm,
                    former.get(key, 0),
                    is_prior=not got.applies,
                )
            )
        if candidates:
            targets[key] = min(candidates, key=_worth)
    new = {no: one for no, one in after.items() if corrections.get(no) != one}
    return Aims(targets, new, former)


def _wanted(group: Group) -> dict[str, int]:
    """The lowest target of each kind; 0 is no target."""
    lowest: dict[str, int] = {}
    for one in group.body.performance_targets:
        if one.value_micros:
            lowest[one.type] = min(one.value_micros, lowest.get(one.type, one.value_micros))
    return lowest


def _worth(target: TargetRate) -> int:
    return target.target_micros * target.rate_ppm * target.correction_ppm


def _is_stepped(target: TargetRate) -> bool:
    return target.kind == "cpa" and target.rate_ppm != PPM


@dataclass(slots=True)
class _Seen:
    """``got``: of each pair that is paid by the click, its ripe clicks and its applies."""

    pairs: Mapping[Key, Pair]
    days: list[ClickDay]
    came: Mapping[ApplyAge, int]
    curve: tuple[int, ...]
    today: date
    got: dict[Key, Got]

    @classmethod
    def of(cls, tree: CapTree, days: Iterable[ClickDay], came: Mapping[ApplyAge, int]) -> "_Seen":
        window = tree.client.body.apply_window_days
        pairs = {pair.key: pair for pair in tree.pairs if pair.terms.bid_type == "CPC"}
        closed = [0] * (window + 1)
        for of, count in came.items():
            if (tree.today - date.fromisoformat(of.click_on)).days > window:
                closed[min(of.age, window)] += count
        curve = delay_curve(closed, usual_delays(window))
        first = tree.today - timedelta(days=LOOK_BACK_DAYS)
        seen = cls(pairs, list(days), came, curve, tree.today, {})
        seen.got = seen.since(first, pairs)
        return seen

    def since(self, first: date, keys: Iterable[Key]) -> dict[Key, Got]:
        """What came of the clicks of these pairs since a day."""
        first_on = first.isoformat()
        aged: dict[Key, list[tuple[int, int]]] = {key: [] for key in keys}
        ages: dict[str, int] = {}
        applies: dict[Key, int] = defaultdict(int)
        for day in self.days:
            key = day.group_no, day.publisher_no
            if key in aged and day.day_on >= first_on:
                if day.day_on not in ages:
                    ages[day.day_on] = max(0, (self.today - date.fromisoformat(day.day_on)).days)
                aged[key].append((ages[day.day_on], day.clicks))
        for of, count in self.came.items():
            if of.click_on >= first_on:
                applies[of.group_no, of.publisher_no] += count
        return {key: Got(mature_ppm(some, self.curve), applies[key]) for key, some in aged.items()}


def _corrected(
    seen: _Seen, group_no: int, target_micros: int, before: Correction | None, today: date
) -> Correction:
    """Once a day, by the real cost of applies since the target was set."""
    if before is None or before.target_micros != target_micros:
        return Correction(target_micros, PPM, today.isoformat(), today.isoformat())
    if before.corrected_on >= today.isoformat():
        return before
    first = max(before.since, today - timedelta(days=LOOK_BACK_DAYS))
    keys = [key for key in seen.pairs if key[0] == group_no]
    got = seen.since(first, keys).values()
    ripe, applies = sum(one.clicks_ppm for one in got), sum(one.applies for one in got)
    clicks = spend = 0
    for day in seen.days:
        pair = seen.pairs.get((day.group_no, day.publisher_no))
        if pair is not None and day.group_no == group_no and day.day_on >= first.isoformat():
            clicks += day.clicks
            # At the bid: targets do not include the markup.
            spend += day.spend_micros * PPM // max(1, pair.marked(PPM))
    value = before.value_ppm
    if ripe:
        due_ppm = applies * clicks * PPM * PPM // ripe
        value = corrected(value, spend, due_ppm, target_micros)
    return before._replace(value_ppm=value, corrected_on=today.isoformat())
