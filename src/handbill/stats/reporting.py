"""Reports of one file each: grouped, by address, and for a publisher family."""

from datetime import date, timedelta
from typing import Final

import msgspec

from handbill.access import service as access
from handbill.clients import service as clients
from handbill.core.nouns import Client, Publisher
from handbill.groups.service import groups_of
from handbill.host.ids import Ids
from handbill.kit.faults import not_found, refused_state
from handbill.kit.instants import Instant
from handbill.kit.zones import bounds_of, day_of, zone_of
from handbill.publishers.service import publishers_by_number
from handbill.stats import rows
from handbill.stats.layouts import IP_LEVELS, PUBLISHER_LEVELS
from handbill.stats.questions import OfFamily, OneFile, Plan, Span, first_whole, planned
from handbill.stats.rows import BY_ADDRESS, GROUPED, OF_FAMILY
from handbill.stats.service import RequestedReport, Wish, ask
from handbill.store.records import Tx

KINDS: Final = (GROUPED, BY_ADDRESS)
_LAST_DAYS = 30


def grouped_plan(tx: Tx, client: Client, asked: OneFile, now: Instant) -> Plan:
    """The plan of a stats report. **Refuses** foreign ids (404)."""
    levels = (asked.group_by, "PUBLISHER") if asked.by_publisher else (asked.group_by,)
    return planned(tx, client, asked.filters, levels, now)


def ask_grouped(
    tx: Tx, client: Client, asked: OneFile, ids: Ids, now: Instant, *, is_new: bool = False
) -> RequestedReport:
    """Request a stats report. Hold the client's lock. **Refuses** foreign ids (404)."""
    plan = msgspec.structs.replace(grouped_plan(tx, client, asked, now), whole=True)
    wish = Wish(GROUPED, call_back_url=asked.call_back_url, is_new=is_new)
    return ask(tx, client, plan, ids, now, wish)


def ask_by_address(
    tx: Tx, client: Client, asked: OneFile, ids: Ids, now: Instant, *, is_new: bool = False
) -> RequestedReport:
    """Request an IP report. Hold the client's lock. **Refuses** foreign ids (404)."""
    plan = planned(tx, client, asked.filters, IP_LEVELS, now)
    plan = msgspec.structs.replace(plan, layout="ip", whole=True)
    wish = Wish(BY_ADDRESS, call_back_url=asked.call_back_url, is_new=is_new)
    return ask(tx, client, plan, ids, now, wish)


def ask_for_family(
    tx: Tx, family_no: int, asked: OfFamily, ids: Ids, now: Instant, *, is_new: bool = False
) -> RequestedReport:
    """Request a report for a publisher family.

    **Refuses** a client that uses none of its publishers (404), and a currency in which nothing is
    booked (400): amounts are reported as they were booked.
    """
    client, publisher_nos = _served(tx, family_no, asked.client_id)
    clients.lock(tx, client.no)
    currency = access.agency_by_number(tx, client.agency_no).currency
    if (asked.currency or currency) != currency:
        raise refused_state("currency", f"must be {currency}, the currency of the amounts")
    zone = zone_of(client.zone)
    asked_on, last_on = days_of(asked.span, day_of(now, zone))
    first_on = max(asked_on, first_whole(tx, client, zone))
    first, end = bounds_of(first_on, max(first_on, last_on), zone)
    plan = Plan(
        client_no=client.no,
        zone=client.zone,
        first_on=first_on.isoformat(),
        last_on=last_on.isoformat(),
        first=first,
        end=end if first_on <= last_on else first,
        cut=asked_on < first_on,
        levels=PUBLISHER_LEVELS,
        publisher_nos=publisher_nos,
        layout="publisher",
        whole=True,
    )
    return ask(tx, client, plan, ids, now, Wish(OF_FAMILY, family_no, is_new=is_new))


def days_of(span: Span, today: date) -> tuple[date, date]:
    """The first and last day of a span, both included."""
    if span == "LAST_30_DAYS":
        return today - timedelta(days=_LAST_DAYS - 1), today
    first = today.replace(day=1)
    if span == "THIS_MONTH":
        return first, today
    last = first - timedelta(days=1)
    return last.replace(day=1), last


def _served(tx: Tx, family_no: int, client_id: str) -> tuple[Client, tuple[int, ...]]:
    """The live client, and those of the family's publishers that belong to its agency."""
    at_work = clients.client_at_work(tx, client_id)
    if at_work is None or not at_work[1]:
        raise not_found()
    client = at_work[0]
    every = publishers_by_number(tx, access.family_publishers(tx, family_no)).values()
    own = [publisher for publisher in every if publisher.agency_no == client.agency_no]
    nos = tuple(sorted(publisher.no for publisher in own))
    if not own or not (rows.was_placed(tx, client.no, nos) or _is_placed(tx, client, own)):
        raise not_found()
    return client, nos


def _is_placed(tx: Tx, client: Client, publishers: list[Publisher]) -> bool:
    wanted = {publisher.id for publisher in publishers}
    return any(
        placement.publisher_id in wanted
        for group in groups_of(tx, client.no)
        for placement in group.body.placements
    )
