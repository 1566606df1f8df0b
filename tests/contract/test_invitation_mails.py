"""Invitations are mailed where a server is set: once, again after failures, given up at last."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import sqlalchemy as sa

from contract.office import Office
from handbill.api import build
from handbill.host.settings import Settings
from handbill.kit.instants import DAY, MINUTE, SECOND
from handbill.mail import service
from handbill.mail.rows import by_id
from handbill.mail.work import TASKS, run_due
from handbill.people.service import person_of, remove
from handbill.store import sealed
from handbill.store.records.tables import mail_bodies, mails
from handbill.work import kinds
from handbill.work.queue import lease
from handbill.work.tools import Tools
from leases import pass_by
from mail_server import DROP, Mailbox, mail_server

ADA = {"mail": "ada@acme.example", "role": "TRADER", "name": "Ada <b>"}


@dataclass
class Post:
    """An office that mails, its server, and what tries its mails."""

    office: Office
    box: Mailbox
    tools: Tools

    def invite(self, **body: Any) -> Any:
        reply = self.office.ask("POST", "/people", ADA | body)
        assert reply.status == 200, reply.raw
        return reply.json

    def told(self, made: Any) -> Any:
        """What the person's row says of its mail."""
        return self.office.get(f"/people/{made['result']}")["invitationMail"]

    def run(self, name: str = "w") -> int:
        return run_due(self.tools, name)

    def forward(self, wait: int) -> None:
        self.office.clock.forward(wait)

    def states(self) -> list[tuple[str, int, str | None]]:
        with self.office.desk.records.read() as tx:
            told = sa.select(mails.c.state, mails.c.attempts, mails.c.failure).order_by(mails.c.no)
            return [(state, tried, why) for state, tried, why in tx.all(told)]


def tools_of(office: Office, settings: Settings) -> Tools:
    nothing: Any = None
    desk = office.desk
    return Tools(
        desk.records, desk.blobs, nothing, desk.clock, desk.ids, desk.egress, settings, nothing
    )


@pytest.fixture
def post(office: Office) -> Iterator[Post]:
    with mail_server() as box:
        settings = Settings(smtp_url=f"smtp://127.0.0.1:{box.port}", smtp_from="hb@ads.example")
        office.desk = replace(office.desk, settings=settings)
        office.app = build(office.desk)
        yield Post(office, box, tools_of(office, settings))


def test_the_link_is_mailed_and_answered(post: Post) -> None:
    made = post.invite()
    assert made["message"] == "Person invited; the link is mailed, too"
    assert post.told(made) == {"state": "WAITING", "failure": None}
    assert (post.run(), post.run()) == (1, 0)
    assert post.told(made) == {"state": "SENT", "failure": None}
    (letter,) = post.box.letters()
    assert (letter["To"], letter["From"]) == ("ada@acme.example", "Handbill <hb@ads.example>")
    for part in letter.iter_parts():
        assert made["link"] in part.get_content()
    assert post.states() == [("SENT", 1, None)]


def test_without_a_server_nothing_is_written(office: Office) -> None:
    made = office.ask("POST", "/people", ADA).json
    assert made["message"] == "Person invited"
    assert office.get(f"/people/{made['result']}")["invitationMail"] is None
    with office.desk.records.read() as tx:
        assert tx.all(sa.select(mails.c.no)) == []


def test_the_text_of_a_waiting_mail_cannot_be_read_in_the_records(post: Post) -> None:
    link = post.invite()["link"]
    with post.office.desk.records.read() as tx:
        ((no, value),) = tx.all(sa.select(mail_bodies.c.mail_no, mail_bodies.c.value))
        assert link.rpartition("/")[2].encode() not in bytes(value)
        row: dict[str, object] = {"mail_no": no}
        assert link.encode() in sealed.opened(tx, mail_bodies, row, value).replace(b"=\r\n", b"")
    post.run()
    with post.office.desk.records.read() as tx:
        assert tx.all(sa.select(mail_bodies.c.no)) == []


def test_a_mail_waits_longer_each_time_and_is_the_same(post: Post) -> None:
    post.invite()
    post.box.answers = {"rcpt": [450], "end": [DROP, "taken, then drop"]}
    for wait in (0, *service.WAITS[:3]):
        post.forward(wait - SECOND if wait else 0)
        assert post.run() == (0 if wait else 1)
        if wait:
            post.forward(SECOND)
            assert post.run() == 1
    first, second = post.box.taken
    assert first == second, "what was taken before the connection ended has the same Message-ID"
    assert post.states() == [("SENT", 4, None)]


def test_it_is_given_up_after_eight_tries_in_a_day(post: Post) -> None:
    post.invite()
    post.box.answers["greeting"] = [421] * 8
    assert sum(service.WAITS) == DAY
    for wait in (0, *service.WAITS):
        post.forward(wait)
        assert post.run() == 1
    assert post.states() == [("DEAD", 8, "the server refused the connection (421)")]
    post.forward(DAY)
    assert post.run() == 0
    with post.office.desk.records.read() as tx:
        assert [one.recipient for one in service.given_up(tx)] == ["ada@acme.example"]


def test_an_unknown_recipient_is_given_up_at_once(post: Post) -> None:
    made = post.invite()
    post.box.answers["rcpt"] = [550]
    assert post.run() == 1
    failure = "the server refused the recipient (550)"
    assert post.told(made) == {"state": "FAILED", "failure": failure}
    post.forward(DAY)
    assert post.run() == 0
    assert post.states() == [("DEAD", 1, failure)]


def test_those_that_wait_can_be_hurried(post: Post) -> None:
    post.invite()
    post.box.answers["mail"] = [451]
    assert (post.run(), post.run()) == (1, 0)
    with post.office.desk.records.write() as tx:
        assert service.hurry(tx, post.office.desk.clock.now()) == 1
    assert post.run() == 1
    assert post.states() == [("SENT", 2, None)]


def test_a_worker_that_died_after_sending_sends_the_same_again(post: Post) -> None:
    """Killed between the server's answer and the mark: at least once, with one Message-ID."""
    post.invite()
    records = post.office.desk.records
    with records.write() as tx:
        lost = lease(tx, [kinds.SEND_MAIL], "dies", post.office.desk.clock.now(), 60)
    assert lost is not None
    with records.read() as tx:
        mail = by_id(tx, lost.key)
    assert mail is not None
    assert post.run() == 0, "another one holds it"
    pass_by(records, 60)
    assert post.run() == 1
    TASKS[kinds.SEND_MAIL](post.tools, lost)
    assert len(post.box.taken) == 1, "it is marked, so whoever wakes up late sends nothing"
    with records.write() as tx:
        assert service.note(tx, mail, post.office.desk.clock.now(), "too late") == "SENT"
    assert post.states() == [("SENT", 1, None)]


def test_two_workers_send_each_mail_once(post: Post) -> None:
    for number in range(6):
        post.invite(mail=f"p{number}@acme.example")
    assert post.run("one") + post.run("two") == 6
    assert sorted(to for to, _ in post.box.taken) == [f"p{n}@acme.example" for n in range(6)]


def test_a_new_link_takes_the_place_of_the_former_one(post: Post) -> None:
    person_id = post.invite()["result"]
    again = post.office.ask("POST", f"/people/{person_id}/invitation").json
    assert again["message"] == "Person invited again; the link is mailed, too"
    post.run()
    (letter,) = post.box.letters()
    part = next(letter.iter_parts())
    assert again["link"] in part.get_content()
    assert [state for state, _, _ in post.states()] == ["DROPPED", "SENT"]


def test_who_is_removed_gets_nothing(post: Post) -> None:
    person_id = post.invite()["result"]
    post.box.answers["greeting"] = [421]
    post.run()
    with post.office.desk.records.write() as tx:
        now = post.office.desk.clock.now()
        agency = tx.value(sa.text("SELECT agency_no FROM persons"))
        remove(tx, now, person_of(tx, agency, person_id))
    post.forward(MINUTE)
    post.run()
    assert post.box.taken == []
    assert post.states()[0][0] == "DROPPED"


def test_addresses_that_cannot_be_mailed_are_refused_by_field(post: Post) -> None:
    for wrong in (
        "ädä@acme.example",
        "ada@acme.example\r\nBcc: eve@x.example",
        "a..b@acme.example",
    ):
        reply = post.office.ask("POST", "/people", ADA | {"mail": wrong})
        assert (reply.status, reply.json["errors"][0]["field"]) == (400, "/mail"), wrong
    assert post.states() == []


def test_old_mails_are_deleted(post: Post) -> None:
    post.invite()
    post.forward(service.KEPT_FOR + SECOND)
    TASKS[kinds.SWEEP_MAILS](post.tools, None)  # type: ignore[arg-type]
    assert post.states() == []
    assert post.run() == 1, "its task finds nothing"
    assert post.box.taken == []
