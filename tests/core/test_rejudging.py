"""A click classed again: by what was kept of it, and never by a guess."""

from typing import Any

import msgspec
import pytest

from handbill.core.address_lists import AddressList
from handbill.core.click_definitions import Definition
from handbill.core.definition_versions import DefinitionInForce, in_force_of, version_of
from handbill.core.rejudging import Anew, PastClick, Present, Rejudging
from handbill.core.sightings import Sighting, decode, encode
from handbill.kit.instants import DAY, HOUR, SECOND

AT = 20_000 * DAY
OFFER: dict[str, Any] = {
    "bid_micros": 5,
    "price_micros": 4,
    "counted_bid_micros": 5,
    "counted_price_micros": 4,
}
THEN = DefinitionInForce(Definition(), 2 * DAY, DAY, "lists-1")


def past(disposition: str = "valid", **instead: Any) -> PastClick:
    seen = Sighting(**OFFER, **instead.pop("seen", {}))
    known: dict[str, Any] = {
        "id": b"e" * 16,
        "at": AT,
        "disposition": disposition,
        "publisher_no": 1,
        "visitor": b"v",
        "address": "",
        "agent": "digest",
        "opened_at": 0,
        "seen": seen,
        "then": THEN,
    }
    return PastClick(**(known | instead))


def judged(
    force: DefinitionInForce,
    agents: dict[str, str | None] | None = None,
    listed: tuple[str, ...] = (),
) -> Rejudging:
    present = Present(force, AddressList(listed))
    return Rejudging(lambda _: present, (agents or {}).get)


def now(**rules: Any) -> DefinitionInForce:
    return msgspec.structs.replace(THEN, rules=Definition(**rules))


def test_equal_rules_have_one_name_whoever_set_them() -> None:
    assert version_of(now().encoded()) == version_of(THEN.encoded())
    others = (now(bot=False), msgspec.structs.replace(THEN, agents="lists-2"))
    names = {version_of(one.encoded()) for one in (THEN, *others)}
    assert len(names) == 3
    assert in_force_of(now(foreign="CITY").encoded()) == now(foreign="CITY")


def test_evidence_is_kept_as_it_was() -> None:
    seen = Sighting(**OFFER, left_at=AT, foreign="state", clicks_before=3)
    assert decode(encode(seen)) == seen
    assert decode(b"") is None


@pytest.mark.parametrize(
    ("click", "force", "expected"),
    [
        (past(seen={"agent_is_bot": "agent_list"}), now(), ("bot", "agent_list")),
        (past("bot", seen={"agent_is_bot": "agent_list"}), now(bot=False), ("valid", "")),
        (past(seen={"clicks_before": 3}), now(most_clicks=3), ("bot", "address_rate")),
        (past("bot", seen={"clicks_before": 3}), now(most_clicks=4), ("valid", "")),
        (past(seen={"foreign": "state"}), now(foreign="STATE"), ("foreign", "state")),
        (past("foreign", seen={"foreign": "state"}), now(foreign="COUNTRY"), ("valid", "")),
        (past(seen={"left_at": AT - HOUR}), now(latent_seconds=60), ("latent", "left_feed")),
        (past("latent", seen={"left_at": AT - 3 * DAY}), now(latent_seconds=None), None),
        (
            past("latent", seen={"left_at": AT - 3 * DAY}),
            now(latent_seconds=7 * 86_400),
            ("valid", ""),
        ),
        (past(seen={"replaced_at": AT - 2 * DAY}), now(), ("latent", "price_too_old")),
        (past("bot", seen={"ahead": "head"}), now(bot=False), None),
        (past("over_cap"), now(), None),
        (past("over_cap", seen={"agent_is_bot": "no_agent"}), now(), ("bot", "no_agent")),
        (past("invalid"), now(), None),
    ],
)
def test_the_same_facts_by_other_rules(
    click: PastClick, force: DefinitionInForce, expected: tuple[str, str] | None
) -> None:
    book = judged(force)
    found = book.look(click)
    assert found == (None if expected is None else Anew(click.disposition, *expected))
    assert (book.unknown, book.looked_at) == ({}, 1)


def test_other_lists_of_programs_need_the_agent() -> None:
    other = msgspec.structs.replace(THEN, agents="lists-2")
    click = past()
    assert judged(other, {"digest": "agent_added"}).look(click) == Anew(
        "valid", "bot", "agent_added"
    )
    assert judged(other, {"digest": ""}).look(click) is None
    book = judged(other)
    assert book.look(click) is None
    assert book.unknown == {"agent": 1}


def test_another_list_of_addresses_needs_the_address() -> None:
    networks = ("203.0.113.0/24",)
    force = msgspec.structs.replace(THEN, addresses=AddressList(networks).version)
    assert judged(force, listed=networks).look(past(address="203.0.113.9")) == Anew(
        "valid", "bot", "address_list"
    )
    book = judged(force, listed=networks)
    assert book.look(past()) is None
    assert book.unknown == {"address_list": 1}
    same = past("bot", seen={"listed": 1}, then=force)
    assert judged(force, listed=networks).look(same) is None, "the list is the one of then"


def test_what_nothing_was_kept_of_stays_and_opens_its_window() -> None:
    book = judged(now(duplicate_seconds=60))
    assert book.look(past(seen={})._replace(seen=None)) is None
    assert book.unknown == {"nothing_kept": 1}
    later = past(at=AT + 60 * SECOND)
    assert book.look(later) == Anew("valid", "duplicate", "same_visitor")
    assert book.look(past(at=AT + 61 * SECOND)) is None
