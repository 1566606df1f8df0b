"""Publisher families: vendors of several publishers, each with a login of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from handbill.access import families
from handbill.access import service as access
from handbill.core.nouns import Family
from handbill.host.ids import Ids
from handbill.kit.faults import Fault, bad_request, refused_state
from handbill.kit.instants import Instant
from handbill.publishers.service import members, publishers_by_number
from handbill.store.records import Tx

MOST_FAMILIES = 1_000


def create(
    tx: Tx, ids: Ids, now: Instant, agency_no: int, *, publishers: Sequence[str], name: str = ""
) -> access.Credentials:
    """Create a family managed by the agency: its id, its key (shown once), its API client.

    **Refuses** (400) ids that are no publishers of the agency, and more than 1,000 families.
    """
    access.lock_agency(tx, agency_no)
    if families.page_of_families(tx, agency_no, 0, 1)[1] >= MOST_FAMILIES:
        raise refused_state("", f"there are {MOST_FAMILIES} publisher families already")
    nos = members(tx, agency_no, publishers)
    return families.create_family(tx, ids, now, nos, agency_no=agency_no, name=name)


def update(tx: Tx, now: Instant, family: Family, changes: Mapping[str, Any]) -> None:
    """Change its ``name`` or ``publishers``. **Refuses** (400) as ``create`` does, and clearing the
    list.
    """
    if not changes:
        return
    nos = None
    if "publishers" in changes:
        if changes["publishers"] is None:
            raise bad_request([Fault("publishers", "cannot be cleared")])
        nos = members(tx, family.agency_no, changes["publishers"])
    name = (changes["name"] or "") if "name" in changes else None
    families.change_family(tx, now, family, name, nos)


def publisher_ids(tx: Tx, family: Family) -> list[str]:
    """Ids of its publishers, without deleted ones."""
    nos = access.family_publishers(tx, family.no)
    by_no = publishers_by_number(tx, nos)
    return list(dict.fromkeys(by_no[no].id for no in nos if by_no[no].status != "I"))
