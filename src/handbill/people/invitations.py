"""Links by which a person sets a password, once: after an invitation, or when it is forgotten."""

from handbill.core.persons import LINK_LASTS, Person
from handbill.host.ids import Ids
from handbill.kit.faults import not_found
from handbill.kit.instants import Instant
from handbill.people import rows, secrets
from handbill.store.records import Tx

__all__ = ["LINK_LASTS", "invite", "invited", "link_of"]


def link_of(address: str, text: str) -> str:
    """The page where a person uses the link. ``address``: the API's, as the public sees it."""
    return f"{address}/app/join/{text}"


def invite(tx: Tx, ids: Ids, now: Instant, person: Person) -> str:
    """A new link's secret, good for 48 hours; the person's former link ends."""
    rows.drop_links(tx, person.no)
    shown = secrets.new(tx, ids, now, secrets.LINK)
    rows.add_link(
        tx,
        person_no=person.no,
        prefix=shown.prefix,
        digest=shown.digest,
        created_at=now,
        expires_at=now + LINK_LASTS,
    )
    return shown.text


def invited(tx: Tx, now: Instant, text: str) -> Person:
    """Whose link this is. **Refuses** a used, late, foreign or unknown one alike (404)."""
    prefix, _ = secrets.parts_of(text, secrets.LINK)
    found = rows.link(tx, prefix)
    digest = found[2] if found is not None else None
    is_proved = secrets.proves(tx, text, secrets.LINK, digest, {})
    if found is None or not is_proved or found[3] <= now or found[1] is None:
        raise not_found()
    person = rows.person_numbered(tx, found[1])
    if person is None:
        raise not_found()
    return person
