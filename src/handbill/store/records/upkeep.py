"""The tables of the house: the installation, its hosts, holds on deletions, and rates."""

import sqlalchemy as sa

from handbill.store.records.columns import metadata
from handbill.store.records.columns import raw as _bytes
from handbill.store.records.columns import row_no as _no
from handbill.store.records.columns import text as _text
from handbill.store.records.columns import whole as _whole

# One row. id: drawn with the keys, kept by every copy. turn: the name of the last change of the
# edge's index; an index with another turn does not belong to these records in their current state.
installation = sa.Table(
    "installation",
    metadata,
    _no(),
    _text("id"),
    _bytes("turn"),
    _whole("created_at"),
    _whole("restored_at", null=True),
    sa.UniqueConstraint("id"),
)
# While a row's instant is in the future, nothing that a backup may still copy is deleted.
holds = sa.Table("holds", metadata, _text("name", key=True), _whole("until_at"))
# Trees of processes that hold or held these records; by the records' own clock. run: drawn at each
# start. successor: the host that took over this one's journal.
hosts = sa.Table(
    "hosts",
    metadata,
    _no(),
    _text("id"),
    _text("name"),
    _text("run"),
    _whole("started_at"),
    _whole("seen_at"),
    _whole("ended_at", null=True),
    _text("successor", null=True),
    sa.UniqueConstraint("id"),
)
# agency_no 0: the house's, for every agency without its own.
rates = sa.Table(
    "rates",
    metadata,
    _no(),
    _whole("agency_no"),
    _text("day_on"),
    _text("source"),
    _text("target"),
    _whole("picos"),
    _whole("set_at"),
    sa.UniqueConstraint("agency_no", "day_on", "source", "target"),
)
