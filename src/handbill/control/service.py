"""One tick of one client: what is used is looked at, and what is to be in force decided anew."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

from handbill.control.spent import Spent, spent_jobs
from handbill.control.stopping import Capped, cheapest_of, live_bid, marks_of
from handbill.control.tree import CapKey, Tree, tree_of
from handbill.core.charging import Limit
from handbill.core.in_force import Ceiling, Evaluation, Paced, Standing, Thing
from handbill.core.nouns import Client
from handbill.core.pacing.caps import Felt
from handbill.kit.instants import MINUTE, Instant
from handbill.kit.money import PPM, share_down
from handbill.kit.zones import start_of
from handbill.ledger import service as ledger
from handbill.standing import service as standing
from handbill.standing.service import Decided
from handbill.store.records import Records, Tx

_EVEN_WEEK: Final = (PPM,) * 7
BEFORE_MIDNIGHT: Final = 10 * MINUTE
"""So long before a day ends the ceilings of the next one are set, as far as they are known."""
_NOTHING: Final = Decided({}, {}, ())


def tick(records: Records, client: Client, now: Instant, ceiling_ppm: int) -> bool:
    """Decide what is in force for a live client from now on; whether its listings are to follow.

    A clock that was set back is waited for. **Refuses** (Unavailable) where another worker did the
    same meanwhile: nothing is kept then.
    """
    with records.read() as tx:
        was = standing.evaluation_of(tx, client.no)
        if now < was.evaluated_at:
            return False
        tree = tree_of(tx, client, now)
        paced = standing.paced_of(tx, client.no)
        spent = spent_jobs(tx, tree, paced)
        former = standing.standings_of(tx, client.no)
    capped = _capped(tree, paced, ceiling_ppm)
    standings = {one[:2]: one for one in _standings(tree, capped, paced, spent)}
    decided = Decided(
        {thing: _since(one, former.get(thing)) for thing, one in standings.items()},
        paced, list(_ceilings(tree, capped, ceiling_ppm)),
    )  # fmt: skip
    with records.write() as tx:
        return _keep(tx, tree, was, decided)


def forget(records: Records, client: Client, now: Instant) -> None:
    """Nothing is in force any more for a client that was deleted."""
    with records.write() as tx:
        was = standing.evaluation_of(tx, client.no)
        if was.number and now >= was.evaluated_at:
            standing.replace(tx, client.no, was, now, was.day_on, _NOTHING)


def _keep(tx: Tx, tree: Tree, was: Evaluation, decided: Decided) -> bool:
    """A ceiling is never below what its day has taken by now."""
    today = tree.today.isoformat()
    limits = {
        one: Limit(one.scope, one.entity, one.measure, "Daily", one.most)
        for one in decided.ceilings
        if one.day_on == today
    }
    used = ledger.used(tx, tree.client.no, limits.values(), tree.today)
    ceilings = [
        one._replace(most=max(one.most, used[limits[one]])) if one in limits else one
        for one in decided.ceilings
    ]
    return standing.replace(
        tx, tree.client.no, was, tree.now, today, decided._replace(ceilings=ceilings)
    )


def _capped(
    tree: Tree, paced: Mapping[tuple[int, int], Paced], ceiling_ppm: int
) -> dict[CapKey, Capped]:
    marks, below = marks_of(tree, _EVEN_WEEK, ceiling_ppm), tree.below()
    return {
        key: Capped(one, marks[key], 0, cheapest_of(key, below[key], paced))
        for key, one in tree.caps.items()
    }


def _standings(
    tree: Tree, capped: Mapping[CapKey, Capped], paced: Mapping[tuple[int, int], Paced],
    spent: list[Spent],
) -> Iterator[Standing]:  # fmt: skip
    for thing in _stopped(tree, capped, paced, spent):
        yield Standing(*thing, "CAPPED", Felt.STOPPED, "[]", tree.now, None)


def _stopped(
    tree: Tree, capped: Mapping[CapKey, Capped], paced: Mapping[tuple[int, int], Paced],
    spent: list[Spent],
) -> set[Thing]:  # fmt: skip
    found: set[Thing] = {key[:2] for key, one in capped.items() if one.stops}
    found |= {one.thing for one in spent}
    for pair in tree.pairs:
        _, _, group_no, publisher_no = pair.place
        one = capped.get(("group", f"{group_no}", "budget"))
        own = f"{group_no}/{publisher_no}"
        if one is None or not one.cap.reserved or not pair.stock.least_micros:
            continue
        kept = _reserved(tree, one, own)
        if kept and one.mark.room - kept < pair.marked(live_bid(pair, paced)):
            found.add(("placement", own))
    return found


def _reserved(tree: Tree, capped: Capped, own: str) -> int:
    """What others below a job group's budget have still to spend of what they were promised."""
    kept = 0
    for entity, value in capped.cap.reserved:
        use = tree.used.get(("placement", entity, "budget"))
        if entity != own and use is not None:
            kept += max(0, value - use.all)
    return kept


def _since(one: Standing, former: Standing | None) -> Standing:
    """As long as it says the same, it does so since it first did."""
    if former is None:
        return one
    same = one._replace(since_at=former.since_at)
    return same if same == former else one


def _ceilings(
    tree: Tree, capped: Mapping[CapKey, Capped], ceiling_ppm: int
) -> Iterator[Ceiling]:  # fmt: skip
    tomorrow = tree.today + timedelta(days=1)
    turns_soon = start_of(tomorrow, tree.zone) - tree.now <= BEFORE_MIDNIGHT
    for key, one in capped.items():
        if one.cap.cap.pacing:
            unit = 1 if key[2] == "budget" else PPM
            yield Ceiling(*key, tree.today.isoformat(), one.mark.most // unit, tree.now)
            if turns_soon:
                most = share_down(one.mark.tomorrow, ceiling_ppm) // unit
                yield Ceiling(*key, tomorrow.isoformat(), most, tree.now)
