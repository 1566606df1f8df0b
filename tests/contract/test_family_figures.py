"""What a publisher partner reads of its own publishers, through the door and on its page."""

from typing import Any

import msgspec
import pytest

from contract.office import Office, plain
from contract.signed_in import asked, person, session
from contract.test_explain import id_of, sqlite_tools
from contract.test_overview import clicked
from contract.test_resolved_status import Market
from engines.test_segments import entry
from handbill.access import families
from handbill.access import service as access
from handbill.api import fronted
from handbill.core.persons import Person
from handbill.core.received import ReceivedFetch
from handbill.kit.instants import DAY
from handbill.kit.zones import zone_of
from handbill.ledger import daily_sums
from handbill.listings import copies
from handbill.pages.views import partners
from handbill.publishers import service as publishers
from handbill.work.tools import Tools
from pages.browsing import Browser

__all__ = ["sqlite_tools"]


@pytest.fixture
def market(sqlite_office: Office, sqlite_tools: Tools) -> Market:
    return Market(sqlite_office, sqlite_tools).open()


def family_of(office: Office, *publisher_ids: str) -> str:
    return office.new("/publisher-families", {"publishers": list(publisher_ids)})


def member(office: Office, family_id: str) -> Person:
    """A person of a family."""
    with office.desk.records.read() as tx:
        agency_no = access.agency_of(tx, office.agency_id).no
        family_no = families.family_of(tx, agency_no, family_id).no
    return person(office, "PUBLISHER", family_no=family_no)


def partner(office: Office, family_id: str) -> dict[str, str]:
    """The session of a person of a family."""
    return session(office, member(office, family_id))


def path_of(family_id: str, query: str = "") -> str:
    return f"/publisher-families/{family_id}/figures?page=0&limit=50{query}"


def booked(market: Market, publisher_id: str, **counts: int) -> None:
    """So many clicks of each disposition, and applies, today."""
    client, now = market.at_work(), market.office.clock.now()
    with market.tools.records.write() as tx:
        here = {one.id: one.no for one in publishers.publishers_of(tx, client.agency_no)}
        some = [
            msgspec.structs.replace(
                entry(n, client.no, now),
                kind="APPLY" if name == "counted" else "CLICK",
                disposition=name,
                publisher_no=here[publisher_id],
                charge_micros=0,
                spend_micros=0,
                marked_micros=0,
            )
            for name, count in counts.items()
            for n in range(count)
        ]
        daily_sums.add(tx, daily_sums.rows_of([(zone_of(client.zone), some)]))


def test_clicks_are_told_by_what_they_were_and_amounts_as_they_may_be_invoiced(
    market: Market,
) -> None:
    office, name = market.office, market.publisher
    family = family_of(office, name)
    headers = partner(office, family)
    clicked(market, 0, 4)
    clicked(market, 1, 2)
    clicked(market, 9, 1)
    booked(market, name, bot=1, duplicate=2, foreign=3, latent=4, over_cap=5, counted=6)
    found = plain(asked(office, headers, "GET", path_of(family, "&days=2")).json)
    (one,) = found["data"]
    assert (one["publisherId"], one["agencyId"], one["activeStatus"]) == (name, "acme", "A")
    assert one["total"] == {
        "clicks": 6,
        "botClicks": 1,
        "duplicateClicks": 2,
        "foreignClicks": 3,
        "latentClicks": 4,
        "overCapClicks": 5,
        "applyStarts": 0,
        "applies": 6,
        "grossSpend": 1.2,
    }
    assert one["values"]["clicks"] == [2, 4]
    assert one["values"]["grossSpend"] == [0.4, 0.8]
    assert (found["total"], one["currency"]) == (1, "USD")
    assert plain(asked(office, headers, "GET", path_of(family, "&days=200")).json)["data"][0][
        "total"
    ]["clicks"] == (7)


def test_only_the_own_publishers_are_told_and_nothing_that_others_set(market: Market) -> None:
    office, own = market.office, market.publisher
    other = office.new("/publishers", {"id": "Other", "name": "Other", "bidType": "CPC"})
    mine, theirs = family_of(office, own), family_of(office, other)
    headers, strangers = partner(office, mine), _of_another(office, own)
    clicked(market, 0, 3)
    booked(market, other, bot=2)
    before = asked(office, headers, "GET", path_of(mine)).raw
    assert [one["publisherId"] for one in plain(_json(before))["data"]] == [own]
    for family in (theirs, "0" * 24, "x"):
        reply = asked(office, headers, "GET", path_of(family))
        assert (reply.status, reply.json["message"]) == (404, "Not found")
    assert asked(office, strangers, "GET", path_of(mine)).status == 404
    assert office.ask("GET", path_of(mine)).status == 403, "nor the agency itself"
    client = office.get(market.client)
    for text in (client["companyName"], id_of(market.client), id_of(market.group)):
        assert text.encode() not in before
    office.put(market.group, {"cpcBid": 17})
    office.new("/markups", _markup(market))
    booked(market, other, bot=5)
    assert asked(office, headers, "GET", path_of(mine)).raw == before


def _of_another(office: Office, publisher_id: str) -> dict[str, str]:
    """A person of another agency's family, whose publisher has the same id."""
    foreign = office.another()
    foreign.new("/publishers", {"id": publisher_id, "name": "x", "bidType": "CPC"})
    return partner(foreign, family_of(foreign, publisher_id))


def _json(raw: bytes) -> Any:
    return msgspec.json.decode(raw)


def _markup(market: Market) -> dict[str, Any]:
    entity = {"clientId": id_of(market.client), "entityId": id_of(market.campaign)}
    return {
        "effectiveFrom": 1_793_491_200,
        "value": 10,
        "entities": [entity | {"level": "Campaign"}],
    }


def test_feeds_are_told_with_how_they_are_fetched(market: Market) -> None:
    office, name = market.office, market.publisher
    family = family_of(office, name)
    somebody = member(office, family)
    headers = session(office, somebody)
    url = office.get(f"/publishers/{name}")["feedUrl"]
    apart = office.get(f"/publishers/{name}/feeds?client_id={id_of(market.client)}")["feedUrl"]
    now = office.clock.now()
    with office.desk.records.write() as tx:
        file = apart.rpartition("/")[2].partition(".")[0]
        copies.note(tx, [ReceivedFetch(name=file, at=now, version=now, status=200, reader="x")])
    (one,) = asked(office, headers, "GET", path_of(family)).json["data"]
    assert [feed["feedUrl"] for feed in one["feeds"]] == [apart, url], "those fetched last first"
    assert [feed["lastFetchAt"] is None for feed in one["feeds"]] == [False, True]
    assert (one["feedCount"], one["notFetchedCount"]) == (2, 0)
    office.clock.forward(30 * DAY)
    (late,) = asked(office, session(office, somebody), "GET", path_of(family)).json["data"]
    lost = [feed["notFetched"] for feed in late["feeds"]]
    assert late["notFetchedCount"] == sum(lost) > 0
    assert lost == sorted(lost, reverse=True), "those not fetched in time first"


def test_the_page_of_a_partner_shows_its_own_publishers(market: Market) -> None:
    office, name = market.office, market.publisher
    family = family_of(office, name)
    browser = Browser(fronted(office.desk, office.app), partner(office, family))
    assert "You have no publishers" not in browser.get("/app").text
    clicked(market, 0, 4)
    booked(market, name, bot=1, over_cap=5)
    seen = browser.get("/app?days=7")
    assert (seen.status, seen.all("//h1/text()")) == (200, ["Your publishers"])
    assert "4 of 10 clicks are valid. 5 came over a cap and are not billed." in seen.text
    assert f"/publisher-families/{family}/figures?days=7" in seen.text, "the call that made it"
    lines = browser.get("/app?days=7&csv=by-day").text.splitlines()
    assert (
        lines[0]
        == "Day,Publisher,Valid,Bot,Duplicate,Foreign,Latent,Over cap,Starts,Applies,To invoice"
    )
    assert [line.partition(",")[2].partition(",")[2] for line in lines[1:]] == [
        "4,1,0,0,0,5,0,0,0.8"
    ]


def test_a_file_of_a_partner_has_all_its_publishers(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partners, "_AT_ONCE", 2)
    office = market.office
    names = [
        office.new("/publishers", {"id": f"B{n}", "name": f"B{n}", "bidType": "CPC"})
        for n in range(5)
    ]
    browser = Browser(fronted(office.desk, office.app), partner(office, family_of(office, *names)))
    _, *lines = browser.get("/app?csv=brought").text.splitlines()
    assert len({line.partition(",")[0] for line in lines}) == len(lines) == 5


def test_a_list_of_publishers_has_pages_and_what_cannot_be_meant_is_refused(market: Market) -> None:
    office = market.office
    other = office.new("/publishers", {"id": "Other", "name": "Other", "bidType": "CPC"})
    family = family_of(office, market.publisher, other)
    headers, path = partner(office, family), f"/publisher-families/{family}/figures"
    first = asked(office, headers, "GET", f"{path}?page=0&limit=1")
    assert f"{path}?page=1&limit=1" in first.headers["link"]
    second = asked(office, headers, "GET", f"{path}?page=1&limit=1").json
    told = [one["publisherId"] for page in (first.json, second) for one in page["data"]]
    assert (told, second["total"]) == ([market.publisher, other], 2)
    for query in ("days=0", "days=201", "days=x", "page=-1", "limit=0"):
        wrong = asked(office, headers, "GET", f"{path}?{query}")
        assert wrong.status == 400
        assert f"/{query.partition('=')[0]}" in str(wrong.json)
