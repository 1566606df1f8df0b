"""Mails that people choose: when they come, to whom, what they tell, and how they end."""

from collections.abc import Iterator

import pytest

from contract.mailed import Post, clicked, end_of, posted, text_of
from contract.office import NOON, Office
from contract.signed_in import asked
from contract.test_explain import id_of, sqlite_tools, tools
from contract.test_needs import failed_feed, later, paused_rule
from handbill.core.mailings import Choices
from handbill.host.ids import SeededIds
from handbill.kit.instants import DAY, HOUR, MINUTE, iso_of
from handbill.mailings import service
from handbill.mailings.work import TASKS
from handbill.people import choices
from handbill.people import service as people
from handbill.work import kinds
from handbill.work.tools import Tools

__all__ = ["sqlite_tools", "tools"]
MONDAY = NOON + 4 * DAY + 19 * HOUR  # 2026-11-23, 07:00 in UTC


@pytest.fixture
def post(sqlite_office: Office, sqlite_tools: Tools) -> Iterator[Post]:
    with posted(sqlite_office, sqlite_tools) as made:
        yield made


@pytest.fixture
def post_on_each(office: Office, tools: Tools) -> Iterator[Post]:
    """On each engine of records."""
    with posted(office, tools) as made:
        yield made


def renew(post: Post) -> None:
    """A new token, as days have passed."""
    later(post.office, 0)


def test_the_weekly_report_comes_once_each_monday(post: Post) -> None:
    trader = post.person("TRADER")
    clicked(post.market, 0, 4)
    clicked(post.market, 7, 2)
    post.choose(trader, weeklyReport=True)
    mails = post.days(16)
    assert [iso_of(at)[:13] for at, _ in mails] == ["2026-11-23T12", "2026-11-30T12"]
    first, second = (letter for _, letter in mails)
    assert first["To"] == trader.mail
    assert first["Subject"] == "Weekly report: $1.00 spent from 2026-11-16 to 2026-11-22"
    said = text_of(first)
    assert "$1.00 was spent for 4 clicks and 0 applies" in said
    assert "week before: +100 %" in said
    assert "Clicks: 4" in said
    assert "$0.00 was spent" in text_of(second)
    assert post.ask(trader, "GET", "/people/me/mails").json["weeklyReport"] is True


def test_all_mails_come_and_end_on_each_engine(post_on_each: Post) -> None:
    post = post_on_each
    trader = post.person("TRADER")
    rule = {"rulePausedAlert": True, "noAppliesAlert": 3, "underPaceAlert": 50}
    post.choose(trader, weeklyReport=True, dailyDigest=True, **rule)
    paused_rule(post.market)
    clicked(post.market, 0, 4)
    post.office.clock.forward(MONDAY - post.office.clock.now())
    found = {str(one["Subject"]).split()[0]: one for one in post.run()}
    assert sorted(found) == ["Alert:", "Daily", "Weekly"]
    assert post.run() == []
    for letter in found.values():
        reply = asked(post.office, {}, "POST", "/mails/end", {"token": end_of(letter)})
        assert reply.status == 200
    post.office.clock.forward(7 * DAY)
    assert post.run() == []


def test_nobody_gets_what_nobody_chose(post: Post) -> None:
    trader = post.person("TRADER")
    assert post.ask(trader, "GET", "/people/me/mails").json == {
        "mailServer": True,
        "zone": "UTC",
        "hour": 7,
        "weeklyReport": False,
        "dailyDigest": False,
        "underPaceAlert": None,
        "noAppliesAlert": None,
        "feedFailedAlert": False,
        "rulePausedAlert": False,
        "notFetchedAlert": False,
        "clients": None,
    }
    post.choose(trader, zone="Europe/Berlin")
    assert post.days(8) == []


def test_a_house_that_was_down_for_weeks_sends_one_report(post: Post) -> None:
    post.choose(post.person("TRADER"), weeklyReport=True)
    post.run()
    post.office.clock.forward(30 * DAY)
    (letter,) = post.run()
    assert "from 2026-12-07 to 2026-12-13" in letter["Subject"]
    assert post.run() == []


def test_a_clock_that_goes_back_sends_nothing_again(post: Post) -> None:
    post.choose(post.person("TRADER"), weeklyReport=True)
    post.office.clock.forward(MONDAY - post.office.clock.now())
    assert len(post.run()) == 1
    post.office.clock.forward(-2 * DAY)
    assert post.days(8) == [], "the same Monday once more"
    assert len(post.days(7)) == 1, "and the next one"


def test_a_run_that_dies_before_its_end_has_written_nothing(post: Post) -> None:
    """Killed between composing and the commit, and run again by two workers at once."""
    trader = post.person("TRADER")
    post.choose(trader, weeklyReport=True)
    post.office.clock.forward(MONDAY - post.office.clock.now())
    tools, now = post.tools, post.tools.clock.now()

    class Killed(Exception):
        pass

    def written() -> service.DueMails:
        with tools.records.read() as tx:
            made = service.due(tx, trader.id, tools.settings, now)
        assert made is not None
        return made

    made = written()

    def die_before_the_commit() -> None:
        with tools.records.write() as tx:
            assert service.write(tx, tools.ids, now, tools.settings, made)
            raise Killed

    with pytest.raises(Killed):
        die_before_the_commit()
    again = written()
    for is_first in (True, False):
        with tools.records.write() as tx:
            assert service.write(tx, tools.ids, now, tools.settings, again) is is_first
    assert len(post.run()) == 1
    assert TASKS.keys() == {kinds.LOOK_AT_MAILINGS, kinds.MAIL_PERSON, kinds.MAIL_ALERTS}


def test_who_loses_rights_between_writing_and_sending_gets_nothing(post: Post) -> None:
    other = post.office.client(companyName="Other")
    employer = post.person("EMPLOYER", id_of(post.market.client))
    post.choose(employer, weeklyReport=True)
    post.office.clock.forward(MONDAY - post.office.clock.now())
    assert post.run(sends=False) == []
    owner = post.person("OWNER")
    reply = post.ask(owner, "PUT", f"/people/{employer.id}", {"clients": [id_of(other)]})
    assert reply.status == 200
    assert post.run() == [], "it was about a client that is not seen any more"
    post.office.clock.forward(7 * DAY)
    assert len(post.run()) == 1
    post.office.clock.forward(7 * DAY)
    assert post.run(sends=False) == []
    assert post.ask(owner, "DELETE", f"/people/{employer.id}").status == 200
    assert post.days(8) == []


def test_rights_that_change_while_a_mail_is_written_keep_it_from_being_sent(post: Post) -> None:
    trader = post.person("TRADER")
    post.choose(trader, weeklyReport=True)
    tools, now = post.tools, MONDAY
    with tools.records.read() as tx:
        made = service.due(tx, trader.id, tools.settings, now)
    assert made is not None
    for given in ({"role": "ANALYST"}, {"role": "TRADER", "name": "T"}):
        with tools.records.write() as tx:
            people.change(tx, now, trader, given)
        with tools.records.write() as tx:
            assert not service.write(tx, SeededIds(2), now, tools.settings, made)


def test_an_employer_sees_marked_up_spend_of_its_clients_alone(post: Post) -> None:
    clicked(post.market, 0, 4, marked=500_000)
    post.office.client(companyName="Rival")
    employer = post.person("EMPLOYER", id_of(post.market.client))
    post.choose(employer, weeklyReport=True)
    trader = post.person("TRADER")
    post.choose(trader, weeklyReport=True)
    post.office.clock.forward(MONDAY - post.office.clock.now())
    of = {str(one["To"]): one.as_string() for one in post.run()}
    assert "$2.00 spent" in of[employer.mail]
    assert "$1.00" not in of[employer.mail]
    assert "$1.00 spent" in of[trader.mail]
    assert not any("Rival" in one for one in of.values()), "nothing came to it"


def test_named_clients_are_all_that_a_mail_tells(post: Post) -> None:
    clicked(post.market, 0, 4)
    other = id_of(post.office.client(companyName="Other"))
    trader = post.person("TRADER")
    for foreign in ("nobody", id_of(post.office.another().client())):
        reply = post.ask(trader, "PUT", "/people/me/mails", {"clients": [foreign]})
        assert reply.status == 404
    post.choose(trader, weeklyReport=True, clients=[other])
    post.office.clock.forward(MONDAY - post.office.clock.now())
    (letter,) = post.run()
    assert "Nothing came from" in text_of(letter)
    renew(post)
    assert post.office.ask("DELETE", f"/clients/{other}").status == 200
    post.office.clock.forward(7 * DAY)
    assert "Nothing came from" in text_of(post.run()[0]), "not all, now that it is gone"


def test_the_digest_tells_each_morning_what_needs_somebody(post: Post) -> None:
    trader = post.person("TRADER")
    employer = post.person("EMPLOYER", id_of(post.market.client))
    for one in (trader, employer):
        post.choose(one, dailyDigest=True)
    assert post.days(2) == [], "nothing needs anybody"
    renew(post)
    paused_rule(post.market)
    mails = post.days(2)
    assert [iso_of(at)[:13] for at, _ in mails] == ["2026-11-21T12", "2026-11-22T12"]
    (first, _) = (letter for _, letter in mails)
    assert first["To"] == trader.mail
    assert str(first["Subject"]).startswith("Daily digest: ")
    assert "Rule paused" in text_of(first), "which an employer is not told"
    renew(post)
    failed_feed(post.market, "https://feeds.example.com/jobs.xml?secret=hush-hush")
    mails = post.days(1)
    assert sorted(str(letter["To"]) for _, letter in mails) == [employer.mail, trader.mail]
    for _, letter in mails:
        assert "Mills, feeds.example.com/jobs.xml: the last import has failed" in text_of(letter)
        assert "hush-hush" not in letter.as_string()
    renew(post)
    other = id_of(post.office.client(companyName="Other"))
    post.choose(trader, clients=[other])
    of = {str(letter["To"]): text_of(letter) for _, letter in post.days(1)}
    assert "Mills" in of[employer.mail]
    assert "Mills" not in of[trader.mail], "only what is the agency's own"
    assert "has not fetched its feed" in of[trader.mail]
    assert "has not fetched its feed" not in of[employer.mail]
    for _, letter in mails:
        body = {"token": end_of(letter)}
        told = asked(post.office, {}, "POST", "/mails/end", body).json
        assert told["mails"] == "DIGEST"
    assert post.days(2) == []


def test_a_day_of_any_length_has_one_digest_and_a_house_that_was_down_one(post: Post) -> None:
    """In New York, over the end of summer time of 2027, and after six days without a worker."""
    post.choose(post.person("TRADER"), dailyDigest=True, zone="America/New_York", hour=1)
    paused_rule(post.market)
    post.office.clock.forward(NOON + 353 * DAY + 12 * HOUR - post.office.clock.now())
    assert len(post.run()) == 1
    mails = post.days(2, HOUR)
    # 01:00 comes twice on the second day: at 05:00 and at 06:00 in UTC.
    assert [iso_of(at)[:13] for at, _ in mails] == ["2027-11-07T05", "2027-11-08T06"]
    post.office.clock.forward(6 * DAY)
    assert len(post.run()) == 1
    assert post.run() == []


def test_an_employer_names_only_its_own(post: Post) -> None:
    other = id_of(post.office.client(companyName="Other"))
    employer = post.person("EMPLOYER", id_of(post.market.client))
    body = {"clients": [other]}
    assert post.ask(employer, "PUT", "/people/me/mails", body).status == 404


def test_what_cannot_be_chosen_is_refused_by_field(post: Post) -> None:
    trader = post.person("TRADER")
    body = {"zone": "Mars", "hour": 24, "weeklyReport": "yes", "clients": ["a", "a"]}
    reply = post.ask(trader, "PUT", "/people/me/mails", body)
    fields = [one["field"] for one in reply.json["errors"]]
    assert (reply.status, fields) == (400, ["/zone", "/hour", "/weeklyReport", "/clients/1"])
    operator = post.person("OPERATOR")
    assert post.ask(operator, "PUT", "/people/me/mails", {"weeklyReport": True}).status == 400


def test_the_link_ends_the_mails_for_anybody_who_has_it(post: Post) -> None:
    trader = post.person("TRADER")
    post.choose(trader, weeklyReport=True)
    post.office.clock.forward(MONDAY - post.office.clock.now())
    (letter,) = post.run()
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    token = end_of(letter)
    for wrong in (token[:-1], f"{token}A", token.swapcase(), "x", "é", "A" * 100):
        reply = asked(post.office, {}, "POST", "/mails/end", {"token": wrong})
        assert reply.status == 404, wrong
    post.office.clock.forward(7 * DAY)
    post.run(sends=False)
    for given in (f"{token}.", f"{token}>", token):
        reply = asked(post.office, {}, "POST", "/mails/end", {"token": given})
        assert reply.json == {"result": True, "message": "Mails ended", "mails": "WEEKLY"}
    assert post.days(15) == [], "not even what waited"
    assert post.ask(trader, "GET", "/people/me/mails").json["weeklyReport"] is False
    with post.tools.records.write() as tx:
        people.remove(tx, post.tools.clock.now(), trader)
    reply = asked(post.office, {}, "POST", "/mails/end", {"token": token})
    assert reply.status == 200, "it tells nothing of whom it belongs to"


def test_names_are_text_in_a_mail(post: Post) -> None:
    evil = "<b>Mills</b>\r\nBcc: eve@evil.example"
    post.market.client = post.office.client(companyName=evil)
    campaign = post.office.campaign(post.market.client)
    post.market.group = post.office.group(campaign, placements=[post.market.placed()])
    clicked(post.market, 0, 1)
    post.choose(post.person("TRADER"), weeklyReport=True)
    post.office.clock.forward(MONDAY - post.office.clock.now())
    (letter,) = post.run()
    assert letter["Bcc"] is None
    part = letter.get_body(("html",))
    assert part is not None
    assert "&lt;b&gt;Mills&lt;/b&gt; Bcc: eve@evil.example" in part.get_content()


def test_choices_are_recorded_and_forgotten_with_the_person(post: Post) -> None:
    trader = post.person("TRADER")
    post.choose(trader, weeklyReport=True)
    post.choose(trader, weeklyReport=True)
    (one,) = [
        change
        for change in post.office.get("/changes?limit=5")["data"]
        if change["cause"] == "update_mails"
    ]
    (field,) = one["fields"]
    assert (field["field"], field["before"], field["after"]) == ("/mails/weekly", False, True)
    with post.tools.records.write() as tx:
        people.remove(tx, post.tools.clock.now(), trader)
        assert choices.every(tx) == []
        assert choices.of(tx, trader.no) == Choices()


def test_a_mail_server_that_is_set_later_is_enough(post: Post) -> None:
    post.choose(post.person("TRADER"), weeklyReport=True)
    without = post.tools.settings
    object.__setattr__(post.tools, "settings", type(without)())
    assert post.days(8) == []
    object.__setattr__(post.tools, "settings", without)
    post.office.clock.forward(10 * MINUTE)
    assert len(post.run()) == 1
