"""Rows of table posting_configs: how far the cost of purchases is booked."""

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.postings import PostingBody
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.tables import posting_configs, posting_jobs


class PostingSpending(msgspec.Struct, frozen=True, kw_only=True):
    """How far a purchase's cost is booked: up to and with the day ``spent_on``."""

    no: int
    id: str
    publisher_no: int
    cost_micros: int
    start_at: Instant
    end_at: Instant
    deleted_at: Instant | None
    updated_at: Instant
    spent_on: str | None
    spent_micros: int
    spend_at: Instant


_BODY = msgspec.json.Decoder(PostingBody)
_NAMES = PostingSpending.__struct_fields__
_c, _p = posting_configs.c, posting_jobs.c
_ONE: sa.ColumnElement[int] = sa.literal_column("1")
_SPENDINGS = (
    sa.select(
        _c.no,
        _c.id,
        _c.publisher_no,
        _c.body,
        _c.start_at,
        _c.end_at,
        _c.deleted_at,
        _c.updated_at,
        _c.spent_on,
        _c.spent_micros,
        _c.spend_at,
    )
    .where(_c.spend_at <= b("now"))
    .order_by(_c.spend_at, _c.no)
    .limit(b("limit", type_=sa.Integer))
)
_POSTED_COUNTS = (
    sa.select(_p.client_no, sa.func.count())
    .where(_p.config_no == b("config_no"), _p.posted == _ONE)
    .group_by(_p.client_no)
)


def due(tx: Tx, now: Instant, limit: int) -> list[PostingSpending]:
    """The first purchases of which a further day may have begun, deleted ones included."""
    return [
        PostingSpending(**dict(zip(_NAMES, row, strict=True)) | {"cost_micros": _cost(row[3])})
        for row in tx.all(_SPENDINGS, now=now, limit=limit)
    ]


def _cost(body: str) -> int:
    return _BODY.decode(body).cost_micros


def posted_counts(tx: Tx, config_no: int) -> dict[int, int]:
    """How many jobs each client has posted in a purchase now; clients without any are left out."""
    return dict(tx.all(_POSTED_COUNTS, config_no=config_no))


def save(
    tx: Tx, former: PostingSpending, spent: tuple[str | None, int], due_at: Instant | None
) -> bool:
    """Save how far a purchase's cost is booked; False when the purchase was changed meanwhile."""
    spent_on, spent_micros = spent
    text = tx.dialect.update_text(
        posting_configs,
        ("spent_on", "spent_micros", "spend_at"),
        ("no", "spent_micros", "spend_at", "updated_at"),
    )
    params = {
        "spent_on": spent_on,
        "spent_micros": spent_micros,
        "spend_at": due_at,
        "key_no": former.no,
        "key_spent_micros": former.spent_micros,
        "key_spend_at": former.spend_at,
        "key_updated_at": former.updated_at,
    }
    return tx.run_text(text, params)[1] == 1
