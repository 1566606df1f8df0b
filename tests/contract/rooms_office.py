"""The office, with jobs to put into it."""

from dataclasses import dataclass
from typing import Any

from contract.office import Office
from handbill.clients import service as clients
from handbill.core.nouns import Client, JobBody
from handbill.http.operations import Desk
from handbill.jobs import service as jobs


@dataclass
class RoomsOffice(Office):
    """``jobs`` are written as a feed would bring them."""

    def later(self, by: int) -> int:
        """So much later, with a token that is good then; the instant."""
        self.clock.forward(by)
        self.headers.pop("x-authorization-key")
        token = self.ask("POST", "/token", {"client_id": self.api_client_id}).json["access_token"]
        self.headers["x-authorization-key"] = token
        return self.clock.now()

    def another(self, agency_id: str = "other") -> "RoomsOffice":
        return open_rooms(self.desk, agency_id, self.app)

    def jobs(self, client: str, *refs: str, **more: Any) -> None:
        """Live, valid jobs of the client at a path."""
        now = self.desk.clock.now()
        bodies = [
            JobBody(ref=ref, title="Nurse", description="d", url="https://x.org/" + ref, **more)
            for ref in refs
        ]
        noun, brought = self.noun(client), [jobs.written(body, None, None) for body in bodies]
        with self.desk.records.write() as tx:
            jobs.apply(tx, noun, None, brought, now)

    def noun(self, client: str) -> Client:
        with self.desk.records.read() as tx:
            found = clients.client_at_work(tx, client.removeprefix("/clients/"))
        assert found is not None
        return found[0]


def open_rooms(desk: Desk, agency_id: str = "acme", app: Any = None) -> RoomsOffice:
    """An open office of a new agency."""
    opened = RoomsOffice(desk, agency_id, app=app)
    opened.open()
    return opened
