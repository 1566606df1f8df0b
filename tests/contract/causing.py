"""What a market does, or has done to it, so that nothing of it is in a feed any more."""

from collections.abc import Callable
from typing import Any

import msgspec

from contract.office import operation_of
from contract.test_explain import id_of
from contract.test_previews import add_jobs, rule
from contract.test_resolved_status import Market, days, put
from handbill.core.received import ReceivedFetch
from handbill.core.rules.acts import Act
from handbill.groups.service import group_of
from handbill.jobs import service as jobs
from handbill.kit.instants import DAY
from handbill.kit.zones import day_of, zone_of
from handbill.listings import copies, rows
from handbill.publishers import service as publishers
from handbill.rules import holding
from handbill.rules import service as rules


def of_publisher(path: str = "", body: Any = None) -> Callable[[Market], None]:
    return lambda market: market.office.put(f"/publishers/{market.publisher}{path}", body)


def day(market: Market, by: int = 0) -> str:
    return f"{day_of(market.office.clock.now() + by * DAY, zone_of('UTC')):%m/%d/%Y}"


def tomorrow(market: Market) -> int:
    return (day_of(market.office.clock.now(), zone_of("UTC")).weekday() + 1) % 7


def ends(where: str) -> tuple[Callable[[Market], None], ...]:
    """Its last day was yesterday."""
    return put(where, lambda market: {"endDate": day(market)}), days(1)


def placed(**more: Any) -> Callable[[Market], None]:
    return put("group", lambda market: {"placements": [market.placed(**more)]})


def job_placed(**more: Any) -> Callable[[Market], None]:
    return put("job", lambda market: {"placementSettings": [market.placed(**more)]})


def fetched(market: Market) -> None:
    """The publisher has fetched its file of all clients."""
    client = market.at_work()
    with market.tools.records.read() as tx:
        nos = {one.id: one.no for one in publishers.publishers_of(tx, client.agency_no)}
        file = rows.files_of(tx, nos[market.publisher])[0]
    assert file.written_at is not None
    found = ReceivedFetch(
        at=market.office.clock.now(),
        name=file.name,
        version=file.written_at,
        status=200,
        reader="bot",
    )
    with market.tools.records.write() as tx:
        copies.note(tx, [found])


def held(kind: Any) -> Callable[[Market], None]:
    """A rule holds it, as its run would."""

    def act(market: Market) -> None:
        office, client = market.office, market.at_work()
        sample: dict[str, Any] = operation_of("POST", "/rules")[0].sample
        whose = {"clientId": id_of(market.client), "campaignId": id_of(market.campaign)}
        headers = {"x-client-id": id_of(market.client)}
        body = sample | whose | {"jobGroupId": id_of(market.group)}
        made: str = office.ask("POST", "/rules", body, headers).json["data"]["id"]
        with market.tools.records.write() as tx:
            group = group_of(tx, client.no, id_of(market.group))
            nos = {one.id: one.no for one in publishers.publishers_of(tx, client.agency_no)}
            job = office.get(market.job)["jobId"]
            entity, named, where = {
                "client": (f"{client.no}", client.id, ""),
                "campaign": (f"{group.campaign_no}", id_of(market.campaign), ""),
                "group": (f"{group.no}", group.id, ""),
                "placement": (f"{group.no}/{nos[market.publisher]}", group.id, market.publisher),
                "job": (job, job, ""),
            }[kind]
            target = Act(
                kind=kind, entity=entity, id=named, name="it", publisher_id=where, what="pause"
            )
            no = rules.rule_of(tx, client, made).no
            holding.hold(tx, office.desk.ids, office.clock.now(), client, no, "run", target)

    return act


def in_euros(market: Market) -> None:
    """Placed at a publisher in euros, worth a tenth of a dollar, that asks for more by now."""
    office = market.office
    rate = {"date": day(market), "from": "EUR", "to": "USD", "rate": 0.1}
    assert office.ask("POST", "/rates", [rate]).status == 200
    body = {"id": f"{market.publisher}e", "bidType": "CPC", "currency": "EUR", "minBid": 1}
    market.publisher = office.new("/publishers", body)
    placed(bid=2, currency="EUR")(market)
    of_publisher("", {"minBid": 3})(market)


def two_publishers(market: Market) -> None:
    """Beside another one, which the client has excluded since."""
    other = market.office.new("/publishers", {"id": f"{market.publisher}b", "bidType": "CPC"})
    own = market.placed(is_active=False)
    market.office.put(market.group, {"placements": [own, {"value": other}]})
    market.office.put(market.client, {"excludedPublishers": [other]})


def nine_jobs(caps: Any) -> Callable[[Market], None]:
    """A new job group, of so many jobs that a copy is expected to bring more than a click; the
    publisher has fetched it.
    """

    def act(market: Market) -> None:
        office = market.office
        add_jobs(office, market.client, *"23456789", city="Austin")
        office.ask("DELETE", market.group)
        market.group = office.group(market.campaign, placements=[market.placed()], caps=caps)
        market.tick()
        fetched(market)

    return act


def starts_later(market: Market) -> None:
    market.office.ask("DELETE", market.group)
    begins = day(market, 5)
    market.group = market.office.group(
        market.campaign, startDate=begins, placements=[market.placed()]
    )


def by_posting(market: Market) -> None:
    body = {"id": f"{market.publisher}p", "bidType": "PPP"}
    market.publisher = market.office.new("/publishers", body)
    placed()(market)


def in_francs(market: Market) -> None:
    """The last rate is older than a week."""
    franc_rate(market)
    body = {"id": f"{market.publisher}f", "bidType": "CPC", "currency": "CHF"}
    market.publisher = market.office.new("/publishers", body)
    placed()(market)
    days(9)(market)


def franc_rate(market: Market) -> None:
    rate = {"date": day(market), "from": "CHF", "to": "USD", "rate": 1.1}
    assert market.office.ask("POST", "/rates", [rate]).status == 200


def without_publisher(market: Market) -> None:
    """The only publisher is deleted."""
    assert market.office.ask("DELETE", f"/publishers/{market.publisher}").status == 200


def elsewhere_placed(market: Market) -> None:
    market.publisher = "TestExp1"
    placed()(market)


elsewhere = put("group", {"filters": rule("city", "Nowhere")})


def added_anew(**more: Any) -> Callable[[Market], None]:
    def act(market: Market) -> None:
        assert market.office.ask("DELETE", market.job).status == 200
        add_jobs(market.office, market.client, "1", city="Austin", **more)

    return act


def emptied(market: Market) -> None:
    """As a feed does that lost its descriptions."""
    with market.tools.records.write() as tx:
        client = market.at_work()
        job = jobs.job_of(tx, client.no, "1")
        body = msgspec.structs.replace(job.body, description="", missing=("description",))
        jobs.apply(tx, client, None, [jobs.written(body, None, None)], market.office.clock.now())
