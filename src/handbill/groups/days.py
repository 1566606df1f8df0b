"""Finds the clients whose matches are out of date because a new day has begun."""

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.clients import service as clients
from handbill.kit.instants import DAY, Instant
from handbill.kit.zones import day_of, zone_of
from handbill.store.records import Tx
from handbill.store.records.tables import jobs, matches, matchings

_AT_ONCE = 5_000
_j, _m = jobs.c, matches.c
_DAYS = (
    sa.select(matchings.c.client_no, matchings.c.day_on)
    .where(matchings.c.client_no > b("after"))
    .order_by(matchings.c.client_no)
    .limit(b("limit", type_=sa.Integer))
)
_ENDING = (
    sa.select(_m.client_no)
    .select_from(jobs.join(matches, _m.job_no == _j.no))
    .where(_j.end_at > b("since"), _j.end_at <= b("now"))
    .distinct()
)


def clients_of_new_day(tx: Tx, now: Instant) -> list[str]:
    """Ids of the clients whose day has changed since they were last matched: dates begin and end,
    and ages grow.
    """
    ids: list[str] = []
    after = 0
    while rows := tx.all(_DAYS, after=after, limit=_AT_ONCE):
        days: dict[int, str] = dict(rows)
        ids += [
            client.id
            for no, client in clients.clients_by_number(tx, days).items()
            if day_of(now, zone_of(client.zone)).isoformat() != days[no]
        ]
        after = rows[-1][0]
    return ids


def clients_of_ended_jobs(tx: Tx, now: Instant) -> list[str]:
    """Ids of the clients with a matched job that ended within the last day. Older ones are found
    when the client's day changes.
    """
    nos = [no for (no,) in tx.all(_ENDING, since=now - DAY, now=now)]
    return [client.id for client in clients.clients_by_number(tx, nos).values()]
