"""Which clients' feeds bid in currencies other than the agency's, and in which."""

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.store.records import Tx
from handbill.store.records.tables import jobs

_t = jobs.c
_ABROAD = _t.cpc_currency != sa.literal_column("''")
_OF_CLIENT = (
    sa.select(_t.cpc_currency)
    .where(_t.client_no == b("client_no"), _ABROAD)
    .distinct()
    .order_by(_t.cpc_currency)
)
_CLIENTS = sa.select(_t.client_no).where(_ABROAD).distinct()


def currencies_of(tx: Tx, client_no: int) -> list[str]:
    """The currencies of bids of a client's jobs, without the agency's own."""
    return [code for (code,) in tx.all(_OF_CLIENT, client_no=client_no)]


def clients(tx: Tx) -> set[int]:
    """The numbers of all clients that have such bids."""
    return {no for (no,) in tx.all(_CLIENTS)}
