"""What can be asked of job groups. Writing use cases follow the reads that other rooms rely on."""

from collections.abc import Iterable

from handbill.core.nouns import Group
from handbill.groups import rows
from handbill.kit.faults import not_found
from handbill.store.records import Tx


def group_of(tx: Tx, client_no: int, group_id: str) -> Group:
    """The live one of that id. **Refuses** any other id alike (404)."""
    group = rows.find(tx, client_no, group_id)
    if group is None:
        raise not_found()
    return group


def groups_of(tx: Tx, client_no: int) -> list[Group]:
    """All live ones, oldest first."""
    return rows.every(tx, client_no)


def groups_by_number(tx: Tx, nos: Iterable[int]) -> dict[int, Group]:
    """By row number, deleted ones too; for rooms that hold numbers (ledger, listings)."""
    return {group.no: group for group in rows.by_numbers(tx, sorted(set(nos)))}
