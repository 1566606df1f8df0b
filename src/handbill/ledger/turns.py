"""The turn of a client's corrections: each correction follows from all before it."""

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.store.records import Tx
from handbill.store.records.tables import rejudge_turns

_t = rejudge_turns.c
_TURN = sa.select(_t.turn).where(_t.client_no == b("client_no"))
_TAKE = (
    sa.update(rejudge_turns)
    .where(_t.client_no == b("client_no"), _t.turn == b("former"))
    .values(turn=b("next"))
)


def turn_of(tx: Tx, client_no: int) -> int:
    """How often a client's entries were corrected."""
    return int(tx.value(_TURN, client_no=client_no) or 0)


def take(tx: Tx, client_no: int, former: int) -> bool:
    """Count one more correction; False if another one was made since."""
    row = {"client_no": client_no, "turn": 0}
    tx.upsert_many(rejudge_turns, ["client_no"], [row], keep=True)
    return tx.run(_TAKE, client_no=client_no, former=former, next=former + 1) == 1
