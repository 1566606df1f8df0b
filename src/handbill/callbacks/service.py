"""Callbacks: agreed on, sent when there is news, tried again, given up."""

from typing import Any, Final

from handbill.callbacks import rows
from handbill.callbacks.rows import DEAD, DELIVERED, DISABLED, SENDING, Callback, signing_name
from handbill.callbacks.signatures import spelled
from handbill.host.ids import Ids, new_name
from handbill.kit.faults import not_found, refused_state
from handbill.kit.instants import DAY, MINUTE, Instant
from handbill.kit.jsons import encode
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import enqueue

__all__ = ["signing_name"]

WAITS: Final = tuple(minutes * MINUTE for minutes in (1, 10, 60, 300, 720, 1_440, 1_789))
"""The waits before the second to the eighth try: three days in all."""
MOST_TRIES: Final = 1 + len(WAITS)
LASTS: Final = sum(WAITS)
KEPT_FOR: Final = 14 * DAY
_SECRET_BYTES = 32
_GONE = 410
_MOST_AT_ONCE = 1_000


def agree(tx: Tx, ids: Ids, now: Instant, agency_no: int, subject: str, url: str) -> None:
    """Agree that an address will get news of a subject."""
    rows.add(
        tx,
        id=f"msg_{new_name(ids)}",
        agency_no=agency_no,
        subject=subject,
        url=url,
        created_at=now,
    )
    secret_of(tx, ids, now, agency_no)


def tell(tx: Tx, subject: str, body: dict[str, Any], now: Instant) -> None:
    """Send the news, if an address is waiting for it, once this commits."""
    callback = rows.about(tx, subject)
    if callback is not None and callback.body is None:
        rows.change(tx, callback.no, body=encode(body).decode(), state=SENDING)
        enqueue(tx, kinds.SEND_CALLBACK, callback.id, now)


def is_awaited(tx: Tx, subject: str) -> bool:
    """Whether an address waits for news of a subject."""
    callback = rows.about(tx, subject)
    return callback is not None and callback.body is None


def given_up(tx: Tx, subject: str) -> Callback | None:
    """The callback of a subject that is no longer tried, and was not delivered."""
    callback = rows.about(tx, subject)
    return callback if callback is not None and callback.state in {DEAD, DISABLED} else None


def given_up_of(tx: Tx, agency_no: int, most: int) -> list[Callback]:
    """An agency's callbacks that are no longer tried, newest first, at most so many."""
    return rows.in_states(tx, agency_no, (DEAD, DISABLED), most)


def page(tx: Tx, agency_no: int, skip: int, limit: int) -> tuple[list[Callback], int]:
    """An agency's callbacks, newest first, and how many are kept."""
    return rows.page(tx, agency_no, skip, limit)


def send_again(tx: Tx, now: Instant, agency_no: int, callback_id: str) -> str:
    """Send what was given up again, with the same id and body, and as many tries as at first; the
    new state. What is being sent, or was delivered, stays as it is.

    **Refuses** a callback that is not the agency's (404), and one without news (400).
    """
    callback = rows.hold(tx, agency_no, callback_id)
    if callback is None:
        raise not_found()
    if callback.body is None:
        raise refused_state("", "there is nothing to send yet")
    if callback.state not in {DEAD, DISABLED}:
        return callback.state
    rows.change(
        tx, callback.no, state=SENDING, attempts=0, status=None, failure=None, ended_at=None
    )
    enqueue(tx, kinds.SEND_CALLBACK, callback.id, now)
    return SENDING


def secret_of(tx: Tx, ids: Ids, now: Instant, agency_no: int) -> str:
    """The agency's own secret, as receivers' libraries take it; created on first use."""
    if not rows.signing_keys(tx, agency_no):
        rows.add_signing_key(tx, agency_no, ids.bytes(_SECRET_BYTES), now)
    return spelled(rows.signing_keys(tx, agency_no)[-1])


def note(tx: Tx, callback: Callback, now: Instant, status: int | None, failure: str) -> str:
    """Store the result of a try: any 2xx ends it, 410 disables it, anything else is tried again.

    Returns the new state. A callback that has ended meanwhile, by another try, stays as it is.
    """
    held = rows.hold(tx, callback.agency_no, callback.id)
    if held is None or held.state != SENDING:
        return callback.state if held is None else held.state
    tried = held.attempts + 1
    state = SENDING
    if status is not None and 200 <= status < 300:
        state, failure = DELIVERED, ""
    elif status == _GONE:
        state = DISABLED
    elif tried >= MOST_TRIES:
        state = DEAD
    _save(tx, held, now, state, status=status, failure=failure or None)
    if state == SENDING:
        enqueue(tx, kinds.SEND_CALLBACK, callback.id, now, due_at=now + WAITS[tried - 1])
    return state


def refuse(tx: Tx, callback: Callback, now: Instant, why: str) -> None:
    """Our own policy forbids the address: trying again would not help."""
    held = rows.hold(tx, callback.agency_no, callback.id)
    if held is not None and held.state == SENDING:
        _save(tx, held, now, DEAD, status=None, failure=why)


def hurry(tx: Tx, now: Instant) -> int:
    """Try those now that wait for their next try; how many."""
    waiting = rows.open_ones(tx, _MOST_AT_ONCE)
    for callback_id in waiting:
        enqueue(tx, kinds.SEND_CALLBACK, callback_id, now)
    return len(waiting)


def sweep(tx: Tx, now: Instant, most: int) -> int:
    """Delete up to so many callbacks older than two weeks, none of them while it is being sent; how
    many there were.
    """
    return rows.sweep(tx, now - KEPT_FOR, most)


def _save(tx: Tx, callback: Callback, now: Instant, state: str, **columns: Any) -> None:
    rows.change(
        tx,
        callback.no,
        state=state,
        attempts=callback.attempts + 1,
        ended_at=None if state == SENDING else now,
        **columns,
    )
