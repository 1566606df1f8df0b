"""What can be asked of publishers. Writing use cases follow the reads that other rooms rely on."""

from collections.abc import Iterable

from handbill.core.nouns import Publisher
from handbill.kit.faults import not_found
from handbill.publishers import rows
from handbill.store.records import Tx


def publisher_of(tx: Tx, agency_no: int, publisher_id: str) -> Publisher:
    """The live one of that id. **Refuses** any other id alike (404)."""
    publisher = rows.find(tx, agency_no, publisher_id)
    if publisher is None:
        raise not_found()
    return publisher


def publishers_of(tx: Tx, agency_no: int) -> list[Publisher]:
    """All live ones, oldest first."""
    return rows.every(tx, agency_no)


def publishers_by_number(tx: Tx, nos: Iterable[int]) -> dict[int, Publisher]:
    """By row number, deleted ones too; for rooms that hold numbers (ledger, listings)."""
    return {publisher.no: publisher for publisher in rows.by_numbers(tx, sorted(set(nos)))}
