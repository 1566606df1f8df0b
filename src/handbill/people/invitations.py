"""Links by which a person sets a password, once: after an invitation, or when it is forgotten."""

from handbill.access import shown
from handbill.core.persons import LINK_LASTS, Person
from handbill.host.ids import Ids
from handbill.kit.faults import not_found
from handbill.kit.instants import Instant
from handbill.people import rows
from handbill.store.records import Tx

__all__ = [
    "LINK_LASTS",
    "invite",
    "invited",
    "link_of",
    "may_set_up",
    "set_up_link",
    "use",
    "use_set_up",
]


def link_of(address: str, text: str) -> str:
    """The page where a person uses the link. ``address``: the API's, as the public sees it."""
    return f"{address}/app/join/{text}"


def invite(tx: Tx, ids: Ids, now: Instant, person: Person) -> str:
    """A new link's secret, good for 48 hours; the person's former link ends."""
    rows.drop_links(tx, person.no)
    return _new(tx, ids, now, person.no)


def set_up_link(tx: Tx, ids: Ids, now: Instant, address: str) -> str | None:
    """The page where the first person is made, by a new link; None: there is somebody already."""
    if rows.is_anybody(tx):
        return None
    rows.drop_set_up(tx)
    return f"{address}/app/set-up/{_new(tx, ids, now, None)}"


def may_set_up(tx: Tx, now: Instant, text: str) -> None:
    """**Refuses** (404) any secret but the set-up link's, while there is nobody yet."""
    if _opened(tx, now, text) is not None or rows.is_anybody(tx):
        raise not_found()


def use_set_up(tx: Tx, now: Instant, text: str) -> None:
    """``may_set_up``, and the link ends: of two who use it at once, the second one is refused."""
    may_set_up(tx, now, text)
    _end(tx, text)


def invited(tx: Tx, now: Instant, text: str) -> Person:
    """Whose link this is. **Refuses** a used, late, foreign or unknown one alike (404)."""
    no = _opened(tx, now, text)
    person = None if no is None else rows.person_numbered(tx, no)
    if person is None:
        raise not_found()
    return person


def use(tx: Tx, now: Instant, text: str) -> Person:
    """``invited``, and the link ends: of two who use it at once, the second one is refused."""
    person = invited(tx, now, text)
    rows.lock(tx, person.no)  # first, as whoever changes people does
    _end(tx, text)
    return person


def _end(tx: Tx, text: str) -> None:
    if not rows.drop_link(tx, shown.parts_of(text, shown.LINK)[0]):
        raise not_found()


def _new(tx: Tx, ids: Ids, now: Instant, person_no: int | None) -> str:
    made = shown.new(tx, ids, now, shown.LINK)
    rows.add_link(
        tx,
        person_no=person_no,
        prefix=made.prefix,
        digest=made.digest,
        created_at=now,
        expires_at=now + LINK_LASTS,
    )
    return made.text


def _opened(tx: Tx, now: Instant, text: str) -> int | None:
    """The number of the person of a good link; None: it sets the installation up."""
    parts = prefix, _ = shown.parts_of(text, shown.LINK)
    link = rows.link(tx, prefix)
    digest = link[2] if link is not None else None
    is_proved = shown.proves(tx, shown.LINK, parts, digest, {})
    if link is None or not is_proved or link[3] <= now:
        raise not_found()
    return link[1]
