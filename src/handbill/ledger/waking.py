"""Has control evaluate clients at once whose caps are full, or nearly full."""

from collections.abc import Iterable, Mapping
from typing import Final

from handbill.clients.service import clients_by_number
from handbill.core.charging import Limit, Place
from handbill.core.in_force import Standing, Thing
from handbill.kit.instants import SECOND, Instant
from handbill.standing import service as standing
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import enqueue

APART: Final = 2 * SECOND
"""The least time between evaluations that events ask for: late clicks come in crowds."""


def wake(tx: Tx, short: Mapping[int, Mapping[Place, Iterable[Limit]]], now: Instant) -> None:
    """``short``: by client and place, the caps without room for more of what came last there. An
    entity that is known to be stopped already wakes nothing.
    """
    by_client = {
        no: some
        for no, at in short.items()
        if (some := [(place, limit) for place, limits in at.items() for limit in limits])
    }
    clients = clients_by_number(tx, by_client) if by_client else {}
    for client_no, some in by_client.items():
        client = clients.get(client_no)
        assert all(limit.most >= 0 for _, limit in some), "a cap is an amount"
        standings = standing.standings_of(tx, client_no)
        if client is None or all(_is_known(*one, standings) for one in some):
            continue
        looked_at = standing.evaluation_of(tx, client_no).evaluated_at
        due_at = max(now, min(looked_at, now) + APART)
        enqueue(tx, kinds.CONTROL, client.id, now, due_at=due_at)


def _is_known(place: Place, limit: Limit, standings: Mapping[Thing, Standing]) -> bool:
    thing: Thing = (limit.scope, limit.entity)
    if limit.scope == "group_job":
        thing = ("job", limit.entity.partition("/")[2])
    elif limit.scope == "campaign_placement" or limit.reserved:
        thing = ("placement", f"{place.group_no}/{place.publisher_no}")
    return thing in standings and bool(standings[thing].capped)
