"""Sessions: a person's credential of the API. ``hbs_<prefix>_<secret>``, shown once.

A session ends 12 hours after it was renewed last, 30 days after it began, and when it is ended.
"""

from handbill.access import shown
from handbill.core.persons import IDLE_FOR, LASTS, LiveSession, Person
from handbill.host.ids import Ids
from handbill.kit.faults import not_found
from handbill.kit.instants import Instant
from handbill.people import codes, rows
from handbill.store.records import Tx


def begin(
    tx: Tx,
    ids: Ids,
    now: Instant,
    person: Person,
    agency_no: int | None,
    *,
    lasts: Instant = LASTS,
) -> str:
    """Begin a session; its secret exists only in this answer. ``agency_no``: where an operator
    works in it. ``lasts``: how long it lasts at most.
    """
    made = shown.new(tx, ids, now, shown.SESSION)
    rows.add_session(
        tx,
        person_no=person.no,
        agency_no=agency_no if person.role == "OPERATOR" else _own(person),
        prefix=made.prefix,
        digest=made.digest,
        created_at=now,
        expires_at=now + IDLE_FOR,
        ends_at=now + lasts,
    )
    return made.text


def proved(tx: Tx, text: str, keys: dict[int, bytes], now: Instant) -> LiveSession | None:
    """The live session with exactly this secret; None for every kind of bad one.

    ``keys``: the caller's cache of our secrets.
    """
    parts = prefix, _ = shown.parts_of(text, shown.SESSION)
    session = tx.kept(("session", prefix), lambda: rows.standing(tx, prefix))
    digest = bytes(session.digest) if session is not None else None
    is_proved = shown.proves(tx, shown.SESSION, parts, digest, keys)
    return session if session is not None and is_proved and now < session.expires_at else None


def renew(tx: Tx, now: Instant, standing: LiveSession, agency_no: int | None) -> None:
    """Let a session go on for 12 hours, in this agency."""
    ends = min(now + IDLE_FOR, standing.ends_at)
    rows.change_session(tx, standing.session_no, expires_at=ends, agency_no=agency_no)


def standing_numbered(tx: Tx, session_no: int) -> LiveSession:
    """The session with this number. **Refuses** one that has ended meanwhile (404)."""
    session = rows.standing_numbered(tx, session_no)
    if session is None:
        raise not_found()
    return session


def end(tx: Tx, session_no: int) -> None:
    """End a session at once, in all processes."""
    rows.end_session(tx, session_no)


def end_all(tx: Tx, person: Person, spared: int = 0) -> int:
    """End all sessions of a person but the spared one; how many there were."""
    return rows.end_sessions(tx, person.no, spared)


def end_every(tx: Tx, now: Instant) -> None:
    """End all sessions and invitations, and the one-time codes of this minute: some of a copy's may
    have ended, or been used, since it was made.
    """
    rows.end_every(tx, codes.newest_step(now))


def _own(person: Person) -> int | None:
    """Where a person works who has one place: none for a publisher, who works in a family."""
    return None if person.family_no is not None else person.agency_no
