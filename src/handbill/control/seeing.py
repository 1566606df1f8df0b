"""Reads what one tick of a client goes by."""

from collections.abc import Mapping
from dataclasses import dataclass

from handbill.control import cap_rows, rows, week_rows
from handbill.control.cap_rows import CapNoted
from handbill.control.known import remember
from handbill.control.rows import KnownDemand
from handbill.control.spent import SpentJob, spent_jobs
from handbill.control.targets import Aims, aims_of
from handbill.control.tree import CapTree, tree_of
from handbill.core.in_force import Key, Thing
from handbill.core.nouns import Client
from handbill.core.pacing.copies import ShownCopy
from handbill.core.standing.capping import CapKey
from handbill.core.standing.tree import CappedJob, HeldByRule
from handbill.kit.instants import Instant
from handbill.ledger import traffic
from handbill.ledger.traffic import Quarter, SeenTraffic
from handbill.listings import copies
from handbill.listings.matched import asked_of
from handbill.rules.holding import holds_of
from handbill.standing import service as standing
from handbill.standing.service import Former
from handbill.store.records import Tx


@dataclass(frozen=True, slots=True)
class TickView:
    """All that one tick goes by, from the records of one moment. ``holds``: what rules hold."""

    former: Former
    tree: CapTree
    held: Mapping[int, ShownCopy]
    known: Mapping[Key, KnownDemand]
    weeks: Mapping[int, str]
    came: Mapping[Quarter, SeenTraffic]
    spent: list[SpentJob]
    aims: Aims
    noted: Mapping[CapKey, CapNoted]
    holds: Mapping[Thing, list[HeldByRule]]
    held_jobs: list[CappedJob]


def look_at(tx: Tx, client: Client, now: Instant) -> TickView:
    """Read it."""
    remember(tx)
    former = standing.former_of(tx, client.no)
    tree = tree_of(tx, client, now, former.paced)
    nos = {pair.place.publisher_no for pair in (*tree.pairs, *tree.gone)}
    holds: dict[Thing, list[HeldByRule]] = {}
    for one in holds_of(tx, client.no):
        holds.setdefault((one.kind, one.entity), []).append(one)
    ids = {entity for kind, entity in holds if kind == "job"}
    matched = asked_of(tx, client.no, ids) if ids else {}
    return TickView(
        former=former,
        tree=tree,
        held=copies.held(tx, nos, now, client.no) if nos else {},
        known=rows.demand_of(tx, client.no),
        weeks=week_rows.weeks_of(tx, nos),
        came=traffic.traffic_of(tx, client.no),
        spent=spent_jobs(tx, tree, former.paced),
        aims=aims_of(tx, tree),
        noted=cap_rows.notes_of(tx, client.no),
        holds=holds,
        held_jobs=[CappedJob(id_, it.ref, it.title, it.group_no) for id_, it in matched.items()],
    )
