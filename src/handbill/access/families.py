"""Publisher families that an agency or the operator manages, with their credentials."""

from handbill.access import rows, telling
from handbill.access.rows import Owner
from handbill.access.service import Credentials, let_in, revoke_all
from handbill.core.nouns import Family
from handbill.host.ids import Ids, new_family_id
from handbill.kit.faults import not_found
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.tables import publisher_families


def create_family(
    tx: Tx,
    ids: Ids,
    now: Instant,
    publisher_nos: list[int],
    *,
    agency_no: int | None = None,
    name: str = "",
) -> Credentials:
    """Create a publisher family of these publishers, with its first key and API client.

    ``agency_no``: the agency that manages it; None: only the operator does.
    """
    family_id = new_family_id(ids)
    no = rows.add_family(tx, family_id, name, agency_no, publisher_nos, now)
    owner = Owner("partner", no)
    made = Family(no, family_id, agency_no, name, now, now)
    telling.family(tx, now, made, {}, telling.family_state(tx, no, name))
    return let_in(tx, ids, now, family_id, owner)


def family_of(tx: Tx, agency_no: int, family_id: str) -> Family:
    """The live family of that id that the agency manages. **Refuses** any other id alike (404)."""
    family = rows.family(tx, family_id)
    if family is None or family.agency_no != agency_no:
        raise not_found()
    return family


def family_at_hand(tx: Tx, family_id: str) -> Family:
    """The live family of that id, whoever manages it: for operators. **Refuses** others (404)."""
    family = rows.family(tx, family_id)
    if family is None:
        raise not_found()
    return family


def families(tx: Tx) -> list[Family]:
    """Every live family, oldest first: for the operator."""
    return rows.every_family(tx)


def page_of_families(tx: Tx, agency_no: int, skip: int, limit: int) -> tuple[list[Family], int]:
    """Some live ones that the agency manages, oldest first, and how many there are in all."""
    return rows.families_of(tx, agency_no, skip, limit), rows.count_families(tx, agency_no)


def change_family(
    tx: Tx, now: Instant, family: Family, name: str | None, publisher_nos: list[int] | None
) -> None:
    """Give a family another name or other publishers; None: unchanged."""
    tx.lock_row(publisher_families, family.no)
    family = family_at_hand(tx, family.id)
    before = telling.family_state(tx, family.no, family.name)
    if publisher_nos is not None:
        rows.set_members(tx, family.no, publisher_nos)
    name = family.name if name is None else name
    rows.change_family(tx, family.no, name=name, updated_at=now)
    telling.family(tx, now, family, before, telling.family_state(tx, family.no, name))


def delete_family(tx: Tx, now: Instant, family: Family) -> None:
    """Delete a family: its keys and API clients are revoked at once."""
    rows.change_family(tx, family.no, deleted_at=now, updated_at=now)
    telling.family(tx, now, family, telling.family_state(tx, family.no, family.name), {})
    revoke_all(tx, now, Owner("partner", family.no))
