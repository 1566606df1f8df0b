"""A market that mails, on a clock that tests move: the schedule, its tasks, a server."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from email.message import EmailMessage
from typing import Any

from contract.asgi import Reply
from contract.office import ApiDoors, Office
from contract.signed_in import PASSWORD, asked, person, session
from contract.test_overview import clicked
from contract.test_resolved_status import Market
from handbill.api import build
from handbill.core.persons import Person, PersonRole
from handbill.host.settings import Settings
from handbill.kit.instants import HOUR, Instant
from handbill.mail.work import TASKS as MAIL
from handbill.mailings.work import SCHEDULE
from handbill.mailings.work import TASKS as MAILINGS
from handbill.work.schedule import run_due
from handbill.work.tools import Tools, run_all_due
from mail_server import Mailbox, mail_server

__all__ = ["clicked"]
API = "https://api.ads.example"


@dataclass
class Post:
    """``run``: what a worker does at this moment of the clock."""

    market: Market
    tools: Tools
    box: Mailbox

    @property
    def office(self) -> Office:
        return self.market.office

    def person(self, role: PersonRole, *clients: str, mail: str = "") -> Person:
        return person(self.office, role, *clients, mail=mail, password=PASSWORD)

    def ask(self, of: Person, verb: str, url: str, body: Any = None) -> Reply:
        reply: Reply = asked(self.office, session(self.office, of), verb, url, body)
        return reply

    def choose(self, of: Person, **wanted: Any) -> None:
        reply = self.ask(of, "PUT", "/people/me/mails", wanted)
        assert reply.status == 200, reply.raw

    def run(self, *, sends: bool = True) -> list[EmailMessage]:
        """The mails that arrive."""
        had = len(self.box.taken)
        run_due(self.tools.records, SCHEDULE, self.tools.clock.now())
        for kind, work in (MAILINGS | (MAIL if sends else {})).items():
            run_all_due(self.tools, kind, work, "w", 60, 100)
        return self.box.letters()[had:]

    def days(self, count: int, every: int = 12 * HOUR) -> list[tuple[Instant, EmailMessage]]:
        """Let so many days pass: each mail, and when it arrived."""
        found, clock = [], self.office.clock
        end = clock.now() + count * 24 * HOUR
        while clock.now() < end:
            clock.forward(every)
            found += [(clock.now(), one) for one in self.run()]
        return found


@contextmanager
def posted(office: Office, tools: Tools) -> Iterator[Post]:
    """A market that mails, in place of the office's own application."""
    with mail_server() as box:
        settings = Settings(
            smtp_url=f"smtp://127.0.0.1:{box.port}", smtp_from="hb@ads.example", api_url=API
        )
        tools = replace(tools, settings=settings)
        office.desk = replace(office.desk, settings=settings, doors=ApiDoors(settings))
        office.app = build(office.desk)
        body = {"client_id": office.api_client_id}
        office.headers["x-authorization-key"] = office.ask("POST", "/token", body).json[
            "access_token"
        ]
        yield Post(Market(office, tools).open(), tools, box)


def text_of(letter: EmailMessage) -> str:
    """The plain part."""
    part = letter.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def end_of(letter: EmailMessage) -> str:
    """The token of the link that ends it."""
    link = str(letter["List-Unsubscribe"]).strip("<>")
    assert link.startswith(f"{API}/app/mails/end?token="), link
    return link.partition("token=")[2]
