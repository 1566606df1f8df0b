"""Publisher families: vendors of several publishers, each with a login of its own."""

from typing import Any

from handbill.access import service as access
from handbill.core.nouns import Family
from handbill.host.ids import Ids
from handbill.kit.faults import Fault, bad_request, refused_state
from handbill.kit.instants import Instant
from handbill.publishers.service import members, publishers_by_number
from handbill.store.records import Tx
from handbill.wire.families import spell_family

MOST_FAMILIES = 1_000


def create(
    tx: Tx, ids: Ids, now: Instant, agency_no: int, given: dict[str, Any]
) -> tuple[str, str, str]:
    """A family that the agency minds: its id, its key (shown once), its API client.

    **Refuses** (400) ids that are no publishers of the agency, and more than 1,000 families.
    """
    access.lock_agency(tx, agency_no)
    if access.page_of_families(tx, agency_no, 0, 1)[1] >= MOST_FAMILIES:
        raise refused_state("", f"there are {MOST_FAMILIES} publisher families already")
    nos = members(tx, agency_no, given["publishers"])
    return access.create_family(
        tx, ids, now, nos, agency_no=agency_no, name=given.get("name") or ""
    )


def update(tx: Tx, now: Instant, family: Family, given: dict[str, Any]) -> None:
    """Change what ``wire.families.UPDATE`` read. **Refuses** (400) as ``create`` does, and clearing
    the list.
    """
    if "publishers" in given and given["publishers"] is None:
        raise bad_request([Fault("/publishers", "cannot be cleared")])
    nos = None
    if "publishers" in given:
        nos = members(tx, family.agency_no, given["publishers"])
    name = (given["name"] or "") if "name" in given else None
    if nos is not None or name is not None:
        access.change_family(tx, now, family, name, nos)


def spelled(tx: Tx, family: Family) -> dict[str, Any]:
    """A family as it is answered."""
    nos = access.family_publishers(tx, family.no)
    found = publishers_by_number(tx, nos)
    ids = dict.fromkeys(found[no].id for no in nos if found[no].status != "I")
    return spell_family(family.id, family.name, list(ids), family.created_at, family.updated_at)
