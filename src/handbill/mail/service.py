"""Mails: written, sent, tried again, given up, dropped."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from handbill.host.ids import Ids, new_name
from handbill.host.settings import Settings
from handbill.kit.instants import DAY, MINUTE, Instant
from handbill.mail import rows
from handbill.mail.composing import Envelope, Items, Letter, MailTable, message_of
from handbill.mail.rows import DEAD, DROPPED, SENDING, SENT, Mail
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import enqueue

__all__ = ["Items", "Letter", "Mail", "MailTable"]


WAITS: Final = tuple(minutes * MINUTE for minutes in (1, 5, 20, 60, 180, 420, 754))
"""The waits before the second to the eighth try: a day in all."""
MOST_TRIES: Final = 1 + len(WAITS)
KEPT_FOR: Final = 14 * DAY
_MOST_AT_ONCE = 1_000


class Recipient(NamedTuple):
    """Whose mail it is, and in which agency; None: of no agency."""

    person_no: int
    agency_no: int | None
    mail: str


def is_on(settings: Settings) -> bool:
    """Whether this installation sends mails."""
    return bool(settings.smtp_url)


def write(
    tx: Tx,
    ids: Ids,
    now: Instant,
    settings: Settings,
    to: Recipient,
    letter: Letter,
    *,
    kind: str,
    about: str = "",
) -> str:
    """Have a letter mailed once this commits; its id."""
    mail_id = f"mail_{new_name(ids)}"
    message = message_of(letter, Envelope(mail_id, settings.mail_sender, to.mail, now))
    rows.add(
        tx,
        message,
        id=mail_id,
        agency_no=to.agency_no,
        person_no=to.person_no,
        kind=kind,
        about=about,
        recipient=to.mail,
        created_at=now,
    )
    enqueue(tx, kinds.SEND_MAIL, mail_id, now)
    return mail_id


def drop(
    tx: Tx, now: Instant, person_no: int, *, kind: str | None = None, about: str | None = None
) -> None:
    """Send nothing of what is not sent yet: all of a person's, or that of a kind or cause."""
    for mail in rows.open_of(tx, person_no):
        if kind in {None, mail.kind} and about in {None, mail.about}:
            _end(tx, mail, now, DROPPED, mail.attempts, "it is not wanted any more")


def drop_every(tx: Tx, now: Instant) -> None:
    """Send nothing of what is not sent yet: some of a copy's may have been sent since it was made,
    and links in them have ended.
    """
    rows.end_open(tx, "it waited as the backup was made", now)


def note(tx: Tx, mail: Mail, now: Instant, failure: str = "", *, for_good: bool = False) -> str:
    """Store the result of a try; no failure: it is sent. Returns the new state.

    A mail that has ended meanwhile, by another try, stays as it is.
    """
    held = rows.held(tx, mail)
    if held is None or held.state != SENDING:
        return held.state if held is not None else DROPPED
    tried = held.attempts + 1
    if not failure:
        return _end(tx, held, now, SENT, tried, None)
    if for_good or tried >= MOST_TRIES:
        return _end(tx, held, now, DEAD, tried, failure)
    rows.change(tx, held.no, attempts=tried, failure=failure)
    enqueue(tx, kinds.SEND_MAIL, held.id, now, due_at=now + WAITS[tried - 1])
    return SENDING


def hurry(tx: Tx, now: Instant) -> int:
    """Try those now that wait for their next try; how many."""
    waiting = rows.in_state(tx, SENDING, _MOST_AT_ONCE)
    for mail in waiting:
        enqueue(tx, kinds.SEND_MAIL, mail.id, now)
    return len(waiting)


def given_up(tx: Tx, most: int = _MOST_AT_ONCE) -> list[Mail]:
    """Mails of the last two weeks that were not sent and are no longer tried, the newest first."""
    return rows.in_state(tx, DEAD, most)


def waiting(tx: Tx, most: int = _MOST_AT_ONCE) -> list[Mail]:
    """Mails that are not sent yet, the newest first."""
    return rows.in_state(tx, SENDING, most)


def last_of(tx: Tx, person_nos: Iterable[int], kind: str) -> dict[int, Mail]:
    """The latest mail of a kind to each of these people, of the last two weeks."""
    return rows.last_of(tx, person_nos, kind)


def sweep(tx: Tx, now: Instant, most: int) -> int:
    """Delete up to so many mails older than two weeks; how many there were."""
    return rows.sweep(tx, now - KEPT_FOR, most)


def _end(tx: Tx, mail: Mail, now: Instant, state: str, attempts: int, failure: str | None) -> str:
    rows.change(tx, mail.no, state=state, attempts=attempts, failure=failure, ended_at=now)
    rows.drop_body(tx, mail.no)
    return state
