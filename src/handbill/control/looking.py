"""Finds the clients whose tick is due, because something is new."""

from typing import Final

from handbill.clients import service as clients
from handbill.control.deciding import BEFORE_MIDNIGHT
from handbill.control.learning import SOON
from handbill.core.in_force import Evaluation
from handbill.core.nouns import Client
from handbill.kit.instants import MINUTE, Instant
from handbill.kit.zones import day_of, zone_of
from handbill.ledger.traffic import clients_with_traffic
from handbill.listings import copies
from handbill.standing import service as standing
from handbill.store.records import Tx

BOOKED_APART: Final = 5 * MINUTE
"""How often a tick is due for bookings alone; a cap that is nearly full does not wait for it."""
_NEVER: Final = Evaluation(0, 0, "")


def clients_to_look_at(tx: Tx, now: Instant) -> list[str]:
    """The ids of clients with new bookings, of those whose day has changed or is about to, and of
    those with a publisher that is soon to be given something else.
    """
    looked_at = standing.evaluations(tx)
    booked = clients_with_traffic(tx)
    awaited = _awaited(tx, now)
    return [
        client.id
        for client in clients.clients_at_work(tx)
        if client.no in awaited
        or is_due(client, looked_at.get(client.no, _NEVER), now, booked=client.no in booked)
    ]


def _awaited(tx: Tx, now: Instant) -> set[int]:
    """The clients with a publisher that is expected any minute and has what was decided last."""
    client_nos: set[int] = set()
    for copy in copies.awaited(tx, now, now + SOON):
        nos = standing.clients_decided(tx, copy.publisher_no, copy.held.fetched_at)
        client_nos |= nos & {copy.client_no} if copy.client_no else nos
    return client_nos


def is_due(client: Client, was: Evaluation, now: Instant, *, booked: bool) -> bool:
    """Whether a client's tick is due."""
    if now < was.evaluated_at:
        return False
    if booked and now - was.evaluated_at >= BOOKED_APART:
        return True
    zone = zone_of(client.zone)
    return day_of(now, zone).isoformat() != was.day_on or (
        day_of(now + BEFORE_MIDNIGHT, zone) != day_of(was.evaluated_at + BEFORE_MIDNIGHT, zone)
    )
