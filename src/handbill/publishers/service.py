"""What can be asked of publishers, and done to them."""

import re
from collections.abc import Iterable
from typing import Any

from handbill.access import service as access
from handbill.core.nouns import Publisher, PublisherBody
from handbill.host.ids import Ids
from handbill.kit.faults import Fault, bad_request, not_found, refused_state
from handbill.kit.instants import Instant
from handbill.publishers import rows
from handbill.store.records import Tx
from handbill.wire.changes import settled
from handbill.wire.publishers import ID, NAMES, id_of_name

MOST_PUBLISHERS = 5_000


def publisher_of(tx: Tx, agency_no: int, publisher_id: str) -> Publisher:
    """The live one of that id. **Refuses** any other id alike (404)."""
    publisher = rows.find(tx, agency_no, publisher_id)
    if publisher is None:
        raise not_found()
    return publisher


def number_ever(tx: Tx, agency_no: int, publisher_id: str) -> int:
    """The row number of one that is the agency's, or was until it was deleted: its past is asked
    for. **Refuses** any other id alike (404).
    """
    publisher = rows.find_any(tx, agency_no, publisher_id)
    if publisher is None:
        raise not_found()
    return publisher.no


def publishers_of(tx: Tx, agency_no: int) -> list[Publisher]:
    """All live ones, oldest first."""
    return rows.every(tx, agency_no)


def publishers_by_number(tx: Tx, nos: Iterable[int]) -> dict[int, Publisher]:
    """By row number, deleted ones too; for rooms that hold numbers (ledger, listings)."""
    return {publisher.no: publisher for publisher in rows.by_numbers(tx, sorted(set(nos)))}


def page(tx: Tx, agency_no: int, skip: int, limit: int) -> tuple[list[Publisher], int]:
    """Some live ones, oldest first, and how many there are in all."""
    return rows.page(tx, agency_no, skip, limit), rows.count(tx, agency_no)


def create(tx: Tx, now: Instant, agency_no: int, given: dict[str, Any]) -> Publisher:
    """A new publisher of what ``wire.publishers.CREATE`` read.

    A deleted publisher's id may be taken again: then it is the same publisher, set up anew, so that
    the past and its feed's address go on. **Refuses** (400) an id that is taken.
    """
    access.lock_agency(tx, agency_no)
    publisher_id = given.get("id") or id_of_name(given["name"])
    if not re.fullmatch(ID, publisher_id):
        raise bad_request([Fault("/name", "gives no sound id; give an id beside it")])
    former = rows.find_any(tx, agency_no, publisher_id)
    if rows.find(tx, agency_no, publisher_id) is not None:
        raise refused_state("/id" if given.get("id") else "/name", "already exists")
    if rows.count(tx, agency_no) >= MOST_PUBLISHERS:
        raise refused_state("", f"there are {MOST_PUBLISHERS} publishers already")
    blank = PublisherBody(publisher_id, currency=access.agency_by_number(tx, agency_no).currency)
    body = settled(blank, {k: v for k, v in given.items() if v is not None}, NAMES, [])
    publisher = Publisher(
        no=former.no if former else 0, id=publisher_id, agency_no=agency_no, status="A",
        body=body, created_at=now, updated_at=now,
    )  # fmt: skip
    if former is None:
        publisher.no = rows.add(tx, publisher)
    else:
        rows.save(tx, publisher, now, created_at=now, deleted_at=None)
    return publisher


def update(tx: Tx, now: Instant, publisher: Publisher, given: dict[str, Any]) -> bool:
    """Change what ``wire.publishers.UPDATE`` read; whether that changed anything.

    **Refuses** (400) clearing name, currency or bid type.
    """
    faults = [
        Fault(f"/{key}", "cannot be cleared")
        for key in ("name", "currency", "bidType")
        if key in given and given[key] is None
    ]
    if faults:
        raise bad_request(faults)
    body = settled(publisher.body, given, NAMES, faults)
    if body == publisher.body:
        return False
    publisher.body = body
    rows.save(tx, publisher, now)
    return True


def delete(tx: Tx, now: Instant, publisher: Publisher) -> None:
    """It vanishes from reads, and from every feed; the past still names it."""
    publisher.status = "I"
    rows.save(tx, publisher, now, deleted_at=now)


def switch(tx: Tx, now: Instant, publisher: Publisher, status: str) -> bool:
    """Pause (P) or enable (A); whether that changed anything."""
    if publisher.status == status:
        return False
    publisher.status = status
    rows.save(tx, publisher, now)
    return True


def create_family(
    tx: Tx, ids: Ids, now: Instant, publisher_ids: Iterable[str], agency_id: str | None = None
) -> tuple[str, str, str]:
    """A publisher family: its id, its key (shown once), its API client.

    A family is one vendor: without an agency it holds the publishers of these ids in every agency.
    **Refuses** (400) no ids, or an id that no publisher has.
    """
    agency_no = access.agency_of(tx, agency_id).no if agency_id is not None else None
    faults, nos = [], []
    for place, publisher_id in enumerate(dict.fromkeys(publisher_ids)):
        found = rows.everywhere(tx, publisher_id)
        own = [one.no for one in found if agency_no is None or one.agency_no == agency_no]
        if not own:
            faults.append(Fault(f"/publishers/{place}", f"there is no publisher {publisher_id}"))
        nos.extend(own)
    if not nos and not faults:
        faults.append(Fault("/publishers", "is required"))
    if faults:
        raise bad_request(faults)
    return access.create_family(tx, ids, now, nos)
