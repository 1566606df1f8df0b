"""Alerts that people choose: each cause is told once, until it has gone and come again."""

from collections.abc import Iterator
from typing import cast

import pytest

from contract.mailed import Post, clicked, end_of, posted, text_of
from contract.office import Office
from contract.signed_in import asked
from contract.test_explain import id_of, sqlite_tools
from contract.test_needs import failed_feed, later, paused_rule
from handbill.clients import service as clients
from handbill.core.mailings import MOST_ALERTS
from handbill.feeds import service as feeds
from handbill.kit.instants import DAY, HOUR, MINUTE
from handbill.mailings import service
from handbill.mailings.alerts import Pace, Paces, under_pace
from handbill.people import choices
from handbill.people import service as people
from handbill.store.records import Tx
from handbill.work.tools import Tools

__all__ = ["sqlite_tools"]
RULE_OFF, RULE_ON = "P", "A"


@pytest.fixture
def post(sqlite_office: Office, sqlite_tools: Tools) -> Iterator[Post]:
    with posted(sqlite_office, sqlite_tools) as made:
        yield made


def switch(post: Post, rule: str, status: str) -> None:
    later(post.office, 0)
    headers = {"x-client-id": id_of(post.market.client)}
    body = {"ids": [rule], "status": status}
    assert post.office.ask("PUT", "/rules/status", body, headers=headers).status == 200


def subjects(post: Post, hours: int = 1) -> list[str]:
    post.office.clock.forward(hours * HOUR)
    return [str(letter["Subject"]) for letter in post.run()]


def test_a_cause_is_told_once_until_it_has_gone_and_come_again(post: Post) -> None:
    post.choose(post.person("TRADER"), rulePausedAlert=True)
    assert subjects(post) == []
    rule = paused_rule(post.market)
    (told,) = subjects(post)
    assert told.startswith("Alert: Mills, ")
    assert "the rule is paused" in told
    assert [subjects(post, 24) for _ in range(3)] == [[], [], []]
    switch(post, rule, RULE_ON)
    assert subjects(post) == []
    switch(post, rule, RULE_OFF)
    assert len(subjects(post)) == 1
    assert subjects(post) == []


def test_a_feed_that_fails_again_and_again_is_told_once(post: Post) -> None:
    """Each run is looked at while it is under way, too."""
    post.choose(post.person("TRADER"), feedFailedAlert=True, dailyDigest=True)
    feed = failed_feed(post.market)
    told: list[list[str]] = []
    for state in ("FAILED", "FAILED", "SUCCESS", "FAILED"):
        told.append(subjects(post))
        with post.tools.records.write() as tx:
            begun = feeds.begin_run(tx, post.tools.ids, post.tools.clock.now(), feed)
        assert begun is not None
        told.append(subjects(post))
        with post.tools.records.write() as tx:
            feeds.end_run(tx, begun[1], begun[2], state, post.tools.clock.now())
    told.append(subjects(post))
    counts = [len(one) for one in told]
    assert counts == [1, 0, 0, 0, 0, 0, 0, 0, 1], told
    post.office.clock.forward(DAY)
    with post.tools.records.write() as tx:
        assert feeds.begin_run(tx, post.tools.ids, post.tools.clock.now(), feed) is not None
    assert any("digest" in one for one in subjects(post)), "though it is imported right now"


def test_a_person_gets_few_a_day_and_the_rest_the_next_day(post: Post) -> None:
    trader = post.person("TRADER")
    post.choose(trader, rulePausedAlert=True)
    rule = paused_rule(post.market)
    told = 0
    for _ in range(MOST_ALERTS + 2):
        told += len(subjects(post))
        switch(post, rule, RULE_ON)
        assert subjects(post, 0) == subjects(post, 0) == []
        post.office.clock.forward(15 * MINUTE)
        assert subjects(post, 0) == []
        switch(post, rule, RULE_OFF)
    assert told == MOST_ALERTS
    assert len(subjects(post, 24)) == 1
    assert subjects(post, 24) == []


def test_each_alert_that_is_chosen_comes_and_no_other(post: Post) -> None:
    """All causes stand; each person has chosen one of them."""
    clicked(post.market, 0, 12)
    paused_rule(post.market)
    failed_feed(post.market)
    wanted: dict[str, tuple[int, str]] = {
        "rulePausedAlert": (True, "the rule is paused"),
        "feedFailedAlert": (True, "the last import has failed"),
        "noAppliesAlert": (3, "12 clicks and no apply in 3 days"),
        "underPaceAlert": (99, "of the budget's pace, below 99 %"),
        "notFetchedAlert": (True, "has not fetched its feed"),
    }
    people_of = {}
    for name, (value, _) in wanted.items():
        people_of[name] = post.person("TRADER", mail=f"{name.lower()}@acme.example")
        post.choose(people_of[name], **{name: value})
    found: dict[str, list[str]] = {}
    for _, letter in post.days(3):
        found.setdefault(str(letter["To"]), []).append(text_of(letter))
    for name, (_, words) in wanted.items():
        (said,) = found[people_of[name].mail]
        assert words in " ".join(said.split()), name
        others = [other for key, (_, other) in wanted.items() if key != name]
        assert not any(one in " ".join(said.split()) for one in others), name


def test_applies_end_the_alert_of_none(post: Post) -> None:
    trader = post.person("TRADER")
    post.choose(trader, noAppliesAlert=2)
    clicked(post.market, 0, 12)
    assert len(subjects(post)) == 1
    assert subjects(post, 48) == [], "no clicks of the last two days: it has gone"
    clicked(post.market, 0, 1)
    assert len(subjects(post)) == 1


def test_an_employer_is_told_of_its_clients_and_not_of_the_agency(post: Post) -> None:
    failed_feed(post.market)
    other = post.office.client(companyName="Other")
    employer = post.person("EMPLOYER", id_of(other))
    for name in ("rulePausedAlert", "notFetchedAlert", "underPaceAlert"):
        body = {name: 80 if name == "underPaceAlert" else True}
        reply = post.ask(employer, "PUT", "/people/me/mails", body)
        assert (reply.status, reply.json["errors"][0]["field"]) == (400, f"/{name}")
    post.choose(employer, feedFailedAlert=True, noAppliesAlert=5)
    assert post.days(2) == []
    owner = post.person("OWNER")
    seen = {"clients": [id_of(post.market.client)]}
    assert post.ask(owner, "PUT", f"/people/{employer.id}", seen).status == 200
    assert len(post.days(2)) == 1


def test_a_trader_who_becomes_an_employer_is_told_no_pace_any_more(post: Post) -> None:
    trader = post.person("TRADER")
    post.choose(trader, underPaceAlert=99, rulePausedAlert=True, notFetchedAlert=True)
    paused_rule(post.market)
    with post.tools.records.write() as tx:
        nos = [post.market.at_work().no]
        given = {"role": "EMPLOYER", "client_nos": nos}
        people.change(tx, post.tools.clock.now(), trader, given)
    assert post.days(3) == []


def test_an_alert_that_is_not_written_is_still_due(post: Post) -> None:
    """Killed before the commit, and by two workers at once: one mail."""
    trader = post.person("TRADER")
    post.choose(trader, rulePausedAlert=True)
    paused_rule(post.market)
    tools, now = post.tools, post.tools.clock.now()
    with tools.records.read() as tx:
        made = service.due(tx, trader.id, tools.settings, now, Paces(now, 0))
    assert made is not None
    for is_first in (True, False):
        with tools.records.write() as tx:
            assert service.write(tx, tools.ids, now, tools.settings, made) is is_first
            assert len(choices.alerted(tx, trader.no)) == 1
    assert len(post.run()) == 1
    with tools.records.write() as tx:
        people.remove(tx, now, trader)
        assert choices.alerted(tx, trader.no) == frozenset()


def test_one_link_ends_all_alerts(post: Post) -> None:
    trader = post.person("TRADER")
    post.choose(trader, rulePausedAlert=True, noAppliesAlert=5, weeklyReport=True)
    rule = paused_rule(post.market)
    post.office.clock.forward(HOUR)
    (letter,) = post.run()
    told = asked(post.office, {}, "POST", "/mails/end", {"token": end_of(letter)}).json
    assert told["mails"] == "ALERTS"
    left = post.ask(trader, "GET", "/people/me/mails").json
    assert (left["rulePausedAlert"], left["noAppliesAlert"]) == (False, None)
    assert left["weeklyReport"] is True
    switch(post, rule, RULE_ON)
    switch(post, rule, RULE_OFF)
    assert post.days(2) == []


def _paced(tx: Tx, paces: Paces, told: frozenset[str]) -> list[str]:
    every = clients.of_agency(tx, 1)
    return [one.key for one in under_pace(tx, every, 99, told, paces)]


def test_what_was_told_of_a_pace_holds_while_it_cannot_be_known(post: Post) -> None:
    """So that it is not told twice, such as when a month has just begun."""
    tools, now = post.tools, post.tools.clock.now()
    with tools.records.read() as tx:
        (no,) = [one.no for one in clients.of_agency(tx, 1)]
        key = f"UNDER_PACE/{id_of(post.market.client)}"
        cases: list[tuple[Pace, frozenset[str], list[str]]] = [
            (None, frozenset(), []),
            (None, frozenset((key,)), [key]),
            (500_000, frozenset(), [key]),
            ("STANDS", frozenset((key,)), []),
        ]
        for pace, told, expected in cases:
            paces = Paces(now, 0, {no: pace})
            assert _paced(tx, paces, told) == expected, (pace, told)


def test_a_pace_is_computed_once_for_all_who_are_alerted_of_it(post: Post) -> None:
    later(post.office, 2)
    paces = Paces(post.tools.clock.now(), post.tools.settings.ceiling_ppm)
    with post.tools.records.read() as tx:
        (one,) = clients.of_agency(tx, 1)
        found = paces.of(tx, one)
    assert isinstance(found, int)
    assert paces.of(cast(Tx, None), one) == found, "without a look at the records"
