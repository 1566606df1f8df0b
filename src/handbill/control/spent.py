"""Jobs whose own caps are used up: of a job group, of single jobs, and at one publisher."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from handbill.control.tree import CapTree, Pair
from handbill.core.bids import JobBids, Offer, offer_of
from handbill.core.charging import Limit, Measure, by_measure, period_keys
from handbill.core.in_force import Key, Paced, Thing
from handbill.core.job_caps import JobCaps, caps_of_job, each_job
from handbill.core.nouns import Cap
from handbill.core.standing.tree import CappedJob
from handbill.kit.money import PPM
from handbill.kit.zones import PERIODS
from handbill.ledger import service as ledger
from handbill.listings.matched import asked_of
from handbill.store.records import Tx

_At = Mapping[Key, Paced]


class SpentJob(NamedTuple):
    """A job stopped by a cap of its own. ``cheapest``: what one more takes, in millionths."""

    thing: Thing
    measure: Measure
    cap: Cap
    used: int
    cheapest: int
    job: CappedJob


class _Used(NamedTuple):
    thing: Thing
    measure: Measure
    cap: Cap
    used: int
    job_id: str
    group_no: int
    """0: any job group that the job is in."""
    publisher_no: int
    """0: all publishers."""


def spent_jobs(tx: Tx, tree: CapTree, paced: _At) -> list[SpentJob]:
    """The jobs whose rest does not pay for one more at their cheapest live bid."""
    pairs: dict[int, list[Pair]] = {}
    for pair in tree.pairs:
        if pair.stock.jobs:
            pairs.setdefault(pair.place.group_no, []).append(pair)
    near = [*_of_groups(tx, tree, pairs), *_of_jobs(tx, tree)]
    known = asked_of(tx, tree.client.no, {one.job_id for one in near}) if near else {}
    known_costs: dict[tuple[int, int, JobBids], int] = {}  # most jobs of a group bid the same
    spent = []
    for one in near:
        job = known.get(one.job_id)
        if job is None or one.group_no not in {0, job.group_no}:
            continue  # it is in no feed, or has left that job group
        more = 1
        if one.measure == "budget":
            asked = job.asked._replace(paused=False)
            alike = job.group_no, one.publisher_no, asked
            if alike not in known_costs:
                some = pairs.get(job.group_no, ())
                known_costs[alike] = _cheapest(one.publisher_no, asked, some, tree.today, paced)
            more = known_costs[alike]
        if one.cap.value - one.used < max(1, more):
            capped = CappedJob(one.job_id, job.ref, job.title, job.group_no)
            cheapest = more if one.measure == "budget" else PPM
            spent.append(SpentJob(one.thing, one.measure, one.cap, one.used, cheapest, capped))
    return spent


def _of_groups(tx: Tx, tree: CapTree, pairs: Mapping[int, Sequence[Pair]]) -> Iterator[_Used]:
    for group_no, here in pairs.items():
        each = each_job(tree.groups[group_no].body.caps)
        for measure, cap in by_measure(each) if each else ():
            dearest = max(one.marked(one.stock.most_micros) for one in here)
            more = dearest if measure == "budget" else 1
            limit = Limit("group_job", "", measure, cap.period, cap.value)
            by_entity = ledger.used_of_jobs(tx, group_no, limit, tree.today, cap.value - more)
            for entity, used in by_entity.items():
                job_id = entity.partition("/")[2]
                yield _Used(("group_job", entity), measure, cap, used, job_id, group_no, 0)


def _of_jobs(tx: Tx, tree: CapTree) -> Iterator[_Used]:
    counters = ledger.used_by_jobs(tx, tree.client.no, tree.today)
    if not counters:
        return
    ids = {key.entity.partition("/")[0] for key in counters}
    asked = asked_of(tx, tree.client.no, ids)
    numbers = {no: one.id for no, one in tree.publishers.items()}
    keys = dict(zip(period_keys(tree.today), PERIODS, strict=True))
    for key, used in counters.items():
        job_id, _, no = key.entity.partition("/")
        caps = caps_of_job(asked[job_id].asked.settings) if job_id in asked else None
        if caps is None:
            continue
        cap = _cap(caps, key.measure, numbers.get(int(no or 0), ""), own=key.scope == "job")
        if cap is not None and cap.period == keys[key.period]:
            thing = (key.scope, key.entity)
            yield _Used(thing, key.measure, cap, used, job_id, 0, int(no or 0))


def _cap(caps: JobCaps, measure: Measure, publisher_id: str, *, own: bool) -> Cap | None:
    return dict(by_measure(caps.caps)).get(measure) if own else caps.budgets.get(publisher_id)


def _cheapest(
    publisher_no: int, asked: JobBids, pairs: Sequence[Pair], today: date, paced: _At
) -> int:
    """What one more click or apply takes of a job's budget, at these of its job group's places."""
    bids = [
        pair.marked(offer.bid_micros)
        for pair in pairs
        if publisher_no in {0, pair.place.publisher_no}
        and isinstance(
            offer := offer_of(pair.terms, asked, today, paced.get(pair.key)),
            Offer,
        )
    ]
    return min((bid for bid in bids if bid), default=1)
