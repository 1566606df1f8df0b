"""Questions that are saved, and links by which anybody reads the answer to one until an end."""

from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.access import service as access
from handbill.access import shown
from handbill.changes.service import tell
from handbill.clients import service as clients
from handbill.core.nouns import Client
from handbill.core.persons import WRITERS
from handbill.core.trail import TrailEntity
from handbill.host.ids import Ids, new_uuid
from handbill.kit.faults import Refused, not_found, refused_state
from handbill.kit.instants import DAY, Instant
from handbill.people import service as people
from handbill.store.records import Tx
from handbill.store.records.mapper import Mapper
from handbill.store.records.tables import report_questions

MOST: Final = 100
"""Of one client."""
USUAL_DAYS: Final = 7
MOST_DAYS: Final = 90


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """A question about a client's last days. ``link_until``: None while no link was made."""

    no: int
    id: str
    client_no: int
    name: str
    days: int
    told_by: str
    created_at: Instant
    link_prefix: str | None
    link_digest: bytes | None
    link_until: Instant | None
    link_person_no: int | None
    link_key_no: int | None
    link_program: str | None


class Maker(NamedTuple):
    """Who makes a link: a person, or a program by its key and the API client of its token."""

    person_no: int | None
    key_no: int | None
    program: str | None


_SAVED = Mapper(report_questions, Saved)
_OF_CLIENT = _SAVED.ever("client_no")
_ONE = _SAVED.ever("client_no", "id")
_BY_PREFIX = _SAVED.ever("link_prefix")
_LINKED = _SAVED.ever(report_questions.c.link_prefix.is_not(None))
_DELETE = sa.delete(report_questions).where(report_questions.c.no == b("no"))
_OF_LINK: Final = (
    "link_prefix",
    "link_digest",
    "link_until",
    "link_person_no",
    "link_key_no",
    "link_program",
)
_NO_LINK: Final = dict.fromkeys(_OF_LINK)


def page(tx: Tx, client: Client, skip: int, limit: int) -> tuple[list[Saved], int]:
    """Those of a client, oldest first, and how many there are."""
    saved = _OF_CLIENT.page(tx, skip, limit, client_no=client.no)
    return saved, _OF_CLIENT.count(tx, client_no=client.no)


def question_of(tx: Tx, client: Client, question_id: str) -> Saved:
    """The client's own; locked until the transaction ends. **Refuses** any other id alike (404)."""
    question = _ONE.hold(tx, client_no=client.no, id=question_id)
    if question is None:
        raise not_found()
    return question


def save(
    tx: Tx,
    ids: Ids,
    now: Instant,
    client: Client,
    name: str,
    days: int,
    told_by: str,
) -> str:
    """Save a question; its id. Hold the client's lock. **Refuses** more than a hundred (400)."""
    if _OF_CLIENT.count(tx, client_no=client.no) >= MOST:
        raise refused_state("", f"there are {MOST} questions already; delete one first")
    made = Saved(
        no=0,
        id=new_uuid(ids),
        client_no=client.no,
        name=name,
        days=days,
        told_by=told_by,
        created_at=now,
        link_prefix=None,
        link_digest=None,
        link_until=None,
        link_person_no=None,
        link_key_no=None,
        link_program=None,
    )
    _SAVED.add(tx, made)
    tell(tx, now, _entity(client, made.id), {}, _state(made))
    return made.id


def _entity(client: Client, question_id: str) -> TrailEntity:
    return TrailEntity("REPORT_QUESTION", question_id, client.agency_no, client.no)


def _state(of: Saved) -> dict[str, Any]:
    """A question as changes tell it: never the link itself."""
    names = ("name", "days", "told_by", "link_until")
    return {name: getattr(of, name) for name in names}


def delete(tx: Tx, now: Instant, client: Client, question_id: str) -> None:
    """Delete a question; its link ends with it."""
    saved = question_of(tx, client, question_id)
    tx.run(_DELETE, no=saved.no)
    tell(tx, now, _entity(client, saved.id), _state(saved), {})


def share(
    tx: Tx,
    ids: Ids,
    now: Instant,
    client: Client,
    question_id: str,
    maker: Maker,
    days: int,
) -> tuple[str, Instant]:
    """Make the question's link: its secret, which exists only in this answer, and its end. The
    former link ends.
    """
    saved = question_of(tx, client, question_id)
    made, until = shown.new(tx, ids, now, shown.SHARED), now + days * DAY
    tx.change(
        report_questions,
        {"no": saved.no},
        link_prefix=made.prefix,
        link_digest=made.digest,
        link_until=until,
        link_person_no=maker.person_no,
        link_key_no=maker.key_no,
        link_program=maker.program,
    )
    former = _state(saved)
    tell(tx, now, _entity(client, saved.id), former, former | {"link_until": until})
    return made.text, until


def end_link(tx: Tx, now: Instant, client: Client, question_id: str) -> None:
    """End the question's link; without one, nothing changes."""
    _end(tx, now, client, question_of(tx, client, question_id))


def end_every_link(tx: Tx, now: Instant) -> None:
    """End the links of all questions: some of a copy's may have ended since it was made."""
    linked = _LINKED.all(tx)
    of = clients.clients_by_number(tx, {one.client_no for one in linked})
    for saved in linked:
        _end(tx, now, of[saved.client_no], saved)


def _end(tx: Tx, now: Instant, client: Client, saved: Saved) -> None:
    tx.change(report_questions, {"no": saved.no}, **_NO_LINK)
    former = _state(saved)
    tell(tx, now, _entity(client, saved.id), former, former | {"link_until": None})


def shared(tx: Tx, now: Instant, text: str) -> tuple[Client, Saved]:
    """The question that a link shows, and its client.

    **Refuses** alike (404) an unknown link, one that has ended, one of a client that is gone, and
    one whose maker may no longer read and change the client.
    """
    parts = shown.parts_of(text, shown.SHARED)
    saved = _BY_PREFIX.first(tx, link_prefix=parts[0]) if parts[0] else None
    digest = bytes(saved.link_digest) if saved and saved.link_digest else None
    if not shown.proves(tx, shown.SHARED, parts, digest, {}) or saved is None:
        raise not_found()
    (client,) = clients.clients_by_number(tx, [saved.client_no]).values()
    live = clients.client_of(tx, client.agency_no, client.id)
    if saved.link_until is None or saved.link_until <= now or not _may_show(tx, now, saved, live):
        raise not_found()
    return live, saved


def _may_show(tx: Tx, now: Instant, saved: Saved, client: Client) -> bool:
    """Whether who made the link could still make it."""
    if saved.link_person_no is None:
        owner = access.Owner("agency", client.agency_no)
        key_no, program = saved.link_key_no or 0, saved.link_program or ""
        return access.program_stands(tx, now, owner, key_no, program)
    try:
        maker = people.person_numbered(tx, saved.link_person_no)
    except Refused:
        return False
    is_there = maker.role == "OPERATOR" or maker.agency_no == client.agency_no
    return is_there and maker.role in WRITERS
