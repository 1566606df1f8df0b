"""The id of the records' installation, and the turn that the edge's index must have."""

import sqlalchemy as sa

from handbill.host.ids import Ids, new_name
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.tables import installation

TURN_BYTES = 16
_EVERY = sa.select(installation.c.no, installation.c.id, installation.c.turn)


def ensure(tx: Tx, ids: Ids, now: Instant) -> None:
    """Give new records their id. Safe at every start, but not from several processes at once."""
    if tx.one(_EVERY) is None:
        turn = ids.bytes(TURN_BYTES)
        tx.put(installation, id=new_name(ids), turn=turn, created_at=now)


def name_of(tx: Tx) -> str:
    """The installation's id; the same in every copy of its records. Empty before ``ensure``."""
    row = tx.one(_EVERY)
    return "" if row is None else str(row[1])


def turn_of(tx: Tx) -> bytes:
    """The turn that the edge's index must have. **Refuses** records without ``ensure``
    (LookupError).
    """
    return _row(tx)[1]


def hold_turn(tx: Tx) -> bytes:
    """``turn_of``, locked until the transaction ends: changes of the index do not overlap."""
    no, _ = _row(tx)
    tx.lock_row(installation, no)
    return _row(tx)[1]


def move_turn(tx: Tx, turn: bytes) -> None:
    no, _ = _row(tx)
    tx.change(installation, {"no": no}, turn=turn)


def note_restored(tx: Tx, turn: bytes, now: Instant) -> None:
    """Mark these records as a restored copy: no existing index belongs to them."""
    no, _ = _row(tx)
    tx.change(installation, {"no": no}, turn=turn, restored_at=now)


def _row(tx: Tx) -> tuple[int, bytes]:
    row = tx.one(_EVERY)
    if row is None:
        raise LookupError("these records belong to no installation: ensure has not run")
    return int(row[0]), bytes(row[2])


def revision_of(tx: Tx) -> str:
    """The revision of the tables; they were made."""
    ((revision,),) = tx.run_text("SELECT version_num FROM alembic_version", {})[0]
    return str(revision)
