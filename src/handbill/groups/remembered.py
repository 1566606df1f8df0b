"""The groups for which a client's matches were last made true (table matchings)."""

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.groups.contest import Contest
from handbill.store.records import Tx
from handbill.store.records.tables import matchings

# Held: what is written by it is committed before anybody else may match for other groups.
_REMEMBERED = (
    sa.select(matchings.c.body).where(matchings.c.client_no == b("client_no")).with_for_update()
)
_FORGET_ALL = sa.delete(matchings).where(matchings.c.client_no == b("client_no"))


class Remembered(msgspec.Struct):
    """The groups for which matches were last made true. ``groups``: number → signature.

    ``round``: counts those who began to match, so that no two of them look alike.
    """

    default_no: int | None
    groups: dict[int, str]
    round: int = 0


_BODY = msgspec.json.Decoder(Remembered)


def forget(tx: Tx, client_no: int) -> None:
    """Delete what is stored of a client that is gone."""
    tx.run(_FORGET_ALL, client_no=client_no)


def kept_of(contest: Contest, before: Remembered) -> dict[int, str]:
    """The groups that took part before exactly as now: number → signature."""
    known = before.groups
    return {no: mark for no, mark in contest.signatures.items() if known.get(no) == mark}


def lacks_default(contest: Contest, before: Remembered) -> bool:
    """Whether the default group is missing or new: then unmatched jobs may be in any group."""
    return contest.default_no is None or before.default_no != contest.default_no


def remembered_of(tx: Tx, client_no: int) -> Remembered | None:
    """What was last remembered for the client; nobody else changes it during this transaction."""
    body = tx.value(_REMEMBERED, client_no=client_no)
    return None if body is None else _BODY.decode(body)


def begin(tx: Tx, contest: Contest) -> Remembered:
    """``remembered_of`` for who begins to match; of a new client, that nothing is."""
    before = remembered_of(tx, contest.client_no)
    if before is None:
        remember(tx, contest, Remembered(None, {}), keep=True)
        before = remembered_of(tx, contest.client_no)
    assert before is not None, "it has just been stored, and is held"
    return before


def remember(tx: Tx, contest: Contest, remembered: Remembered, *, keep: bool = False) -> None:
    """Replace what is remembered for the contest's client. ``keep``: unless there is something."""
    row = {
        "client_no": contest.client_no,
        "day_on": contest.today.isoformat(),
        "body": msgspec.json.encode(remembered).decode(),
    }
    tx.upsert_many(matchings, ["client_no"], [row], keep=keep)
