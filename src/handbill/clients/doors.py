"""The doors, whole: access says who is calling, this room says whose client it is."""

from handbill.access.doors import AccessDoors
from handbill.clients import rows
from handbill.core.nouns import Client
from handbill.http.operations import Caller
from handbill.store.records import Tx
from handbill.store.records.tables import clients


class Doors(AccessDoors):
    """``http.operations.Doors`` for the composition root."""

    def client(self, tx: Tx, caller: Caller, client_id: str) -> Client | None:
        """The agency's own live client, or None; a partner has none."""
        if caller.role != "agency":
            return None
        return rows.find(tx, caller.agency_no, client_id)

    def lock_client(self, tx: Tx, client: Client) -> None:
        """Let no other writer decide about this client until the transaction ends."""
        tx.lock_row(clients, client.no)
