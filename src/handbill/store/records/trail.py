"""The table of changes: one row for each, in the transaction of the change itself."""

import sqlalchemy as sa

from handbill.store.records.columns import WHERE, metadata
from handbill.store.records.columns import row_no as _no
from handbill.store.records.columns import text as _text
from handbill.store.records.columns import whole as _whole

# agency_no NULL: the whole installation. client_no NULL: not a single client. fields: see
# core.trail, as JSON. undoes: the number of the change that it undoes.
changes = sa.Table(
    "changes",
    metadata,
    _no(),
    _whole("at"),
    _whole("agency_no", null=True),
    _whole("client_no", null=True),
    _text("kind"),
    _text("entity_id"),
    _text("act"),
    _text("actor"),
    _text("actor_id"),
    _text("request_id", null=True),
    _text("cause"),
    _whole("undoes", null=True),
    _text("fields"),
    sa.Index("changes_by_age", "at", "no"),
    sa.Index("changes_by_agency", "agency_no", "at", "no"),
    sa.Index("changes_by_kind_of_actor", "agency_no", "actor", "at", "no"),
    sa.Index("changes_by_client", "client_no", "at", "no"),
    sa.Index("changes_by_entity", "entity_id", "at", "no"),
    sa.Index("changes_by_actor", "actor_id", "at", "no"),
)
sa.Index("changes_by_undone", changes.c.undoes, info={WHERE: changes.c.undoes.is_not(None)})
