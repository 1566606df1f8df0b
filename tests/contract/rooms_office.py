"""The office, with the rooms of postings, rules and funnel, and jobs to put into them."""

import re
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator

from contract import office
from contract.asgi import Reply, call
from contract.office import Office
from handbill.clients import service as clients
from handbill.contract.funnel import routes as funnel
from handbill.contract.postings import routes as postings
from handbill.contract.rules import routes as rules
from handbill.core.nouns import Client, JobBody
from handbill.http.app import Application
from handbill.http.operations import Desk, Operation
from handbill.jobs import service as jobs
from handbill.wire.models import schema_of

MINE: list[Operation] = [*postings.OPERATIONS, *rules.OPERATIONS, *funnel.OPERATIONS]
_PATHS = [
    (
        one,
        re.compile(re.sub(r"{\w+}", "[^/]+", one.path)),
        Draft202012Validator(office.closed(schema_of(one.answer))),
    )
    for one in MINE
]
_KNOWN = {(one.verb, one.path) for one in office.OPERATIONS}


@dataclass
class RoomsOffice(Office):
    """``jobs`` are written as a feed would bring them."""

    def ask(
        self, verb: str, url: str, body: Any = None, headers: dict[str, str] | None = None,
        **kw: Any,
    ) -> Reply:  # fmt: skip
        reply = call(self.app, verb, url, body, headers=self.headers | (headers or {}), **kw)
        assert reply.status < 500, reply.raw
        if reply.status == 200:
            _check(verb, url, reply)
        return reply

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
    mine = [one for one in MINE if (one.verb, one.path) not in _KNOWN]
    app = app or Application([*office.OPERATIONS, *mine], desk)
    opened = RoomsOffice(desk, agency_id, app=app)
    opened.open()
    return opened


def _check(verb: str, url: str, reply: Reply) -> None:
    path, verb = url.partition("?")[0], {"PATCH": "PUT"}.get(verb, verb)
    mine = [row for row in _PATHS if row[0].verb == verb and row[1].fullmatch(path)]
    if not mine:
        office.check_schema(verb, url, reply)
        return
    fixed = [row for row in mine if "{" not in row[0].path.rsplit("/", 1)[1]]
    (fixed or mine)[0][2].validate(office.plain(reply.json))
