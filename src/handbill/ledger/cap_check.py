"""Whether any cap was passed: the use by entries, compared with the caps in force."""

from collections.abc import Iterator, Mapping
from datetime import date, tzinfo
from typing import NamedTuple

from handbill.campaigns.service import campaigns_by_number
from handbill.clients.service import clients_by_number
from handbill.core.charging import CounterKey, Limit, entities_of, key_of, period_keys, summed
from handbill.core.job_caps import TakenOfJob, entities_of_job
from handbill.core.nouns import Campaign, Client, Group
from handbill.groups.service import groups_by_number
from handbill.jobs.service import changed_at as jobs_changed_at
from handbill.kit.instants import Instant
from handbill.kit.zones import PERIODS, start_of
from handbill.ledger import counting, folding
from handbill.ledger.terms import ClientTerms, read_terms
from handbill.store.records import Records, Tx


class ClientUse(NamedTuple):
    """The use by one client's entries, to be compared with its caps."""

    client_no: int
    zone: tzinfo
    taken: list[folding.Taken]
    of_jobs: list[TakenOfJob]


def passed(
    records: Records,
    held: ClientUse,
    every: Mapping[CounterKey, int],
    retired: Mapping[CounterKey, int],
) -> Iterator[str]:
    """The caps that were passed, as far as can be told. A cap can only be checked if it has not
    changed since its period's first event, for it may have been lowered below its use. ``every``:
    the whole use, by day; ``retired``: the part of it that has left the ledger.
    """
    client_no, zone, taken, of_jobs = held
    places = {place for place, _, _ in taken}
    if not places:
        return
    ats = {(one.group_no, one.publisher_no, bytes.fromhex(one.job_id)) for one in of_jobs}
    ids = {job_id for _, _, job_id in ats}
    with records.read() as tx:
        terms = read_terms(tx, places, jobs=ids, since=date.min).get(client_no)
        changed = _changed_at(tx, held)
    firsts = _first_days(taken, of_jobs)
    limits = _limits(terms, ats)
    ceilings = {key_of(limit, limit.on): limit for limit in limits if limit.on is not None}
    against = [
        (CounterKey(limit.scope, limit.entity, limit.measure, period), limit, first)
        for limit in limits
        if limit.on is None
        for period, first in firsts.get((limit.scope, limit.entity, limit.period), {}).items()
    ]
    keys = {key for key, _, _ in against} | ceilings.keys()
    used, gone = summed(every, keys), summed(retired, keys)
    for key, limit, first in against:
        changed_at = changed[_OWNER[limit.scope], limit.entity.partition("/")[0]]
        if key in gone:
            continue  # its first event is no longer known
        if used.get(key, 0) > limit.most and changed_at < start_of(first, zone):
            yield (
                f"client {client_no}: {limit.scope} {limit.entity} used {used[key]} of its "
                f"{limit.period} cap of {limit.most} {limit.measure} in {key.period}"
            )
    # A day is never above its ceiling: no ceiling is set below the use of its day.
    for key, limit in ceilings.items():
        if used.get(key, 0) > limit.most and key not in gone:
            what = f"used {used[key]} of its ceiling of {limit.most} {limit.measure} on {limit.on}"
            yield f"client {client_no}: {limit.scope} {limit.entity} {what}"


def _changed_at(tx: Tx, held: ClientUse) -> dict[tuple[str, str], Instant]:
    """When the entities with caps were last changed."""
    client_no, _, taken, of_jobs = held
    places = {place for place, _, _ in taken}
    nouns: dict[str, Mapping[int, Client | Campaign | Group]] = {
        "client": clients_by_number(tx, [client_no]),
        "campaign": campaigns_by_number(tx, (place.campaign_no for place in places)),
        "group": groups_by_number(tx, (place.group_no for place in places)),
    }
    jobs = jobs_changed_at(tx, sorted({one.job_id for one in of_jobs}))
    changed_at = {("job", id_): at for id_, at in jobs.items()}
    for kind, some in nouns.items():
        changed_at.update({(kind, f"{no}"): noun.updated_at for no, noun in some.items()})
    return changed_at


_OWNER = {
    "client": "client",
    "campaign": "campaign",
    "campaign_placement": "campaign",
    "group": "group",
    "placement": "group",
    "group_job": "group",
    "job": "job",
    "job_placement": "job",
}


def _limits(terms: ClientTerms | None, ats: set[counting.AtJob]) -> set[Limit]:
    if terms is None:
        return set()
    limits = {limit for limits in terms.limits.values() for limit in limits}
    return limits | {limit for at in ats for limit in terms.of_job(*at)}


def _first_days(
    taken: list[folding.Taken], of_jobs: list[TakenOfJob]
) -> dict[tuple[str, str, str], dict[str, date]]:
    """The first day with an event of each period, by scope, entity and kind of period."""
    firsts: dict[tuple[str, str, str], dict[str, date]] = {}
    at = [(entity, day) for place, day, _ in taken for entity in entities_of(place)]
    at += [((it[0], it[2]), one.day) for one in of_jobs for it in entities_of_job(one)]
    for (scope, entity), day in at:
        for kind, key in zip(PERIODS, period_keys(day), strict=True):
            known = firsts.setdefault((scope, entity, kind), {})
            known[key] = min(day, known.get(key, day))
    return firsts
