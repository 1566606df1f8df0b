"""What can be asked of clients. Writing use cases follow the reads that other rooms rely on."""

from collections.abc import Iterable

from handbill.clients import rows
from handbill.core.nouns import Client
from handbill.kit.faults import not_found
from handbill.store.records import Tx
from handbill.store.records.tables import clients

MOST_CUSTOM_FIELDS = 50


def find_client(tx: Tx, agency_no: int, client_id: str) -> Client | None:
    """The agency's own live client; None for every other id alike."""
    return rows.find(tx, agency_no, client_id)


def lock(tx: Tx, client_no: int) -> None:
    """Let no other writer decide about this client until the transaction ends."""
    tx.lock_row(clients, client_no)


def client_of(tx: Tx, agency_no: int, client_id: str) -> Client:
    """The agency's own live client. **Refuses** any other id alike (404)."""
    client = rows.find(tx, agency_no, client_id)
    if client is None:
        raise not_found()
    return client


def clients_by_number(tx: Tx, nos: Iterable[int]) -> dict[int, Client]:
    """Clients by row number, deleted ones too; for rooms that hold numbers (ledger, listings)."""
    return {client.no: client for client in rows.by_numbers(tx, sorted(set(nos)))}


def client_at_work(tx: Tx, client_id: str) -> tuple[Client, bool] | None:
    """A client of any agency, and whether it is live. For background work, whose key is the
    client's id; what a caller asks for goes by its agency.
    """
    found = rows.number_of(tx, client_id)
    if found is None:
        return None
    no, live = found
    return rows.by_numbers(tx, [no])[0], live


def custom_places(tx: Tx, client_no: int) -> dict[str, int]:
    """The client's own job fields: name to N of cifN (domain 14.6)."""
    return rows.custom_places(tx, client_no)


def learn_custom_fields(tx: Tx, client_no: int, names: Iterable[str]) -> dict[str, int]:
    """Give new names the next places, in order of first appearance; all places that now hold.

    A place is never reused; names past the 50th are stored on the job but get no place.
    """
    places = rows.custom_places(tx, client_no)
    new: dict[str, int] = {}
    for name in dict.fromkeys(names):
        if name not in places and len(places) + len(new) < MOST_CUSTOM_FIELDS:
            new[name] = len(places) + len(new) + 1
    if new:
        rows.add_custom_places(tx, client_no, new)
    return places | new
