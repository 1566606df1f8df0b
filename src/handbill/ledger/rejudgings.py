"""Months that were judged again: who asked, and the result; kept with the ledger."""

from typing import Final, Literal

import msgspec

from handbill.changes import service as changes
from handbill.clients.service import clients_by_number
from handbill.core.nouns import Client
from handbill.core.rejudging import MonthOutcome
from handbill.core.trail import TrailEntity
from handbill.host.ids import Ids, new_uuid
from handbill.kit.faults import Refused, too_many
from handbill.kit.instants import Instant
from handbill.ledger import rejudging
from handbill.ledger.planning import RejudgingTools, month_of
from handbill.store.records import Tx
from handbill.store.records.mapper import Mapper
from handbill.store.records.tables import rejudgings
from handbill.work import kinds
from handbill.work.queue import enqueue

State = Literal["SUBMITTED", "SUCCESS", "FAILED"]


class KeptRejudging(msgspec.Struct, frozen=True, kw_only=True):
    """``outcome`` empty: it is not done. ``message``: why it failed."""

    no: int
    id: str
    client_no: int
    month: str
    only_looks: bool
    state: State
    outcome: tuple[MonthOutcome, ...]
    message: str | None
    created_at: Instant
    ended_at: Instant | None


_t = rejudgings.c
_REJUDGINGS: Final = Mapper(rejudgings, KeptRejudging)
_ONE = _REJUDGINGS.ever("id")
_OF_CLIENT = _REJUDGINGS.ever("client_no", order=_t.no.desc())
_IN_STATE = _REJUDGINGS.ever("client_no", "state")
MOST_WAITING: Final = 10
_LATER_SECONDS: Final = 60


def ask(tx: Tx, now: Instant, ids: Ids, client: Client, month: str, *, only_looks: bool) -> str:
    """Note that a month is to be judged again; its id.

    **Refuses** as ``rejudging.month_of``, and (429) where ten of the client wait already.
    """
    month_of(client, month, now)
    if _IN_STATE.count(tx, client_no=client.no, state="SUBMITTED") >= MOST_WAITING:
        text = f"{MOST_WAITING} rejudgings of this client wait; try again when one is done"
        raise too_many(text, _LATER_SECONDS)
    rejudging_id = new_uuid(ids)
    tx.put(
        rejudgings,
        id=rejudging_id,
        client_no=client.no,
        month=month,
        only_looks=int(only_looks),
        state="SUBMITTED",
        outcome="[]",
        message=None,
        created_at=now,
        ended_at=None,
    )
    entity = TrailEntity("REJUDGING", rejudging_id, client.agency_no, client.no)
    changes.tell(tx, now, entity, {}, {"month": month, "only_looks": only_looks})
    return rejudging_id


def ask_worker(tx: Tx, now: Instant, rejudging_id: str) -> None:
    """Queue it for a worker."""
    enqueue(tx, kinds.REJUDGE, rejudging_id, now)


def page(tx: Tx, client: Client, skip: int, limit: int) -> tuple[list[KeptRejudging], int]:
    """A page of a client's rejudgings, newest first, and how many there are."""
    kept = _OF_CLIENT.page(tx, skip, limit, client_no=client.no)
    return kept, _OF_CLIENT.count(tx, client_no=client.no)


def run(desk: RejudgingTools, rejudging_id: str) -> KeptRejudging | None:
    """Do what was asked for. Run again, it finds nothing more; None: it does not exist."""
    with desk.records.read() as tx:
        asked = _ONE.first(tx, id=rejudging_id)
        client = clients_by_number(tx, [asked.client_no]).get(asked.client_no) if asked else None
    if asked is None or client is None or asked.state != "SUBMITTED":
        return asked
    try:
        tally = rejudging.rejudge(desk, client, asked.month, only_looks=asked.only_looks)
        ended = {"state": "SUCCESS", "outcome": msgspec.json.encode([tally.outcome()]).decode()}
    except Refused as refused:  # for example, the month was closed meanwhile
        ended = {"state": "FAILED", "message": f"The month {refused.message}"}
    assert ended["state"] != "SUBMITTED", "it has ended"
    with desk.records.write() as tx:
        now = desk.clock.now()
        tx.change(rejudgings, {"id": rejudging_id}, ended_at=now, **ended)
    with desk.records.read() as tx:
        return _ONE.first(tx, id=rejudging_id)
