"""The demo market as request bodies: publishers, clients, their feeds and job groups."""

from datetime import date, timedelta
from typing import Any, NamedTuple

from handbill.demo.feeds import Dialect

Body = dict[str, Any]


class DemoFeed(NamedTuple):
    """An inbound feed of the demo. ``breaks``: its site has sent half a file for days."""

    name: str
    dialect: Dialect
    jobs: int
    mappings: Body
    breaks: bool = False


class DemoEmployer(NamedTuple):
    """A client with its campaign, feeds and job groups. ``is_spent``: its budget is used up."""

    body: Body
    sources: tuple[DemoFeed, ...]
    campaign: str
    groups: tuple[Body, ...]
    is_spent: bool = False


_LIKE_INDEED = {
    "schemaMappingsJob": "job",
    "schemaMappingsTitle": "title",
    "schemaMappingsCompany": "company",
    "schemaMappingsCity": "city",
    "schemaMappingsState": "state",
    "schemaMappingsCountry": "country",
    "schemaMappingsDescription": "description",
    "schemaMappingsURL": "url",
    "schemaMappingsZip": "postalcode",
    "schemaMappingsCategory": "category",
    "schemaMappingsDatePosted": "date",
    "schemaMappingsRefNumber": "referencenumber",
    "schemaMappingsType": "jobtype",
    "schemaMappingAdditional": {"salary": "salary"},
}
_INDEED = _LIKE_INDEED | {"schemaMappingsJobCollection": "source"}
_TALENT = _INDEED | {"schemaMappingsCPCBid": "cpc"}
_JOOBLE = {
    "schemaMappingsJobCollection": "jobs",
    "schemaMappingsJob": "job",
    "schemaMappingsTitle": "name",
    "schemaMappingsCompany": "company",
    "schemaMappingsCity": "region",
    "schemaMappingsDescription": "description",
    "schemaMappingsURL": "link",
    "schemaMappingsDatePosted": "pubdate",
    "schemaMappingsRefNumber": "@id",
    "schemaMappingsCPCBid": "cpc",
    "schemaMappingsType": "jobtype",
    "schemaMappingAdditional": {"salary": "salary"},
}
_APPCAST = {
    "schemaMappingsJobCollection": "root",
    "schemaMappingsJob": "job",
    "schemaMappingsTitle": "title",
    "schemaMappingsCompany": "company",
    "schemaMappingsCity": "city",
    "schemaMappingsState": "state",
    "schemaMappingsCountry": "country",
    "schemaMappingsZip": "zip",
    "schemaMappingsDescription": "body",
    "schemaMappingsURL": "url",
    "schemaMappingsCategory": "category",
    "schemaMappingsDatePosted": "posted_at",
    "schemaMappingsRefNumber": "job_reference",
    "schemaMappingsType": "job_type",
}


def _leaf(field: str, operator: str, data: Any) -> Body:
    return {"field": field, "operator": operator, "data": data}


def _all(*rules: Body) -> Body:
    return {"operator": "AND", "rules": list(rules)}


def _any(*rules: Body) -> Body:
    return {"operator": "OR", "rules": list(rules)}


def _group(
    name: str,
    priority: int,
    bids: tuple[float, float],
    cap: tuple[str, float],
    filters: Body,
    placements: list[Body],
    *,
    pacing: bool = False,
) -> Body:
    period, value = cap
    budget = {"cap": period, "value": value} | ({"pacing": True} if pacing else {})
    return {
        "name": name,
        "priority": priority,
        "cpcBid": bids[0],
        "cpaBid": bids[1],
        "filters": filters,
        "caps": {"budget": budget},
        "placements": placements,
    }


EMPLOYERS = (
    DemoEmployer(
        {
            "companyName": "Brightwater Health",
            "exportedName": "brightwater",
            "advertiserName": "Brightwater Health",
            "clientType": "DirectEmployer",
            "timeZone": "UTC-5:00",
            "applyConvWindow": 30,
            "caps": {"budget": {"cap": "Monthly", "value": 3_300}},
        },
        (DemoFeed("brightwater", "indeed", 800, _INDEED),),
        "Autumn hiring",
        (
            _group(
                "Nurses",
                1,
                (0.9, 12),
                ("Monthly", 9_000),
                _all(_leaf("category", "EQUAL", "Healthcare")),
                [{"value": "Indeed_Bid", "bid": 1.1}, {"value": "Appcast"}],
            ),
            # Its day is small on purpose: later clicks are booked over cap, and cost nothing.
            _group(
                "Drivers and warehouse",
                2,
                (0.55, 0),
                ("Daily", 30),
                _all(_leaf("category", "IN", ["Transportation", "Warehouse & Logistics"])),
                [{"value": "Indeed_Bid"}, {"value": "Talent"}, {"value": "Jooble"}],
            ),
            _group(
                "The rest, in the US",
                5,
                (0.3, 0),
                ("Weekly", 2_000),
                _all(_leaf("country", "EQUAL", "US"), _leaf("category", "NOT_IN", ["Hospitality"])),
                [{"value": "Talent"}, {"value": "Jooble"}],
            ),
        ),
    ),
    DemoEmployer(
        {
            "companyName": "Northline Staffing",
            "exportedName": "northline",
            "advertiserName": "Northline Staffing",
            "clientType": "JobBoard",
            "timeZone": "America/Chicago",
            "applyConvWindow": 14,
            "markdown": 10,
            "caps": {"budget": {"cap": "Monthly", "value": 2_800, "pacing": False}},
        },
        (
            DemoFeed("northline-a", "talent", 600, _TALENT),
            DemoFeed("northline-b", "jooble", 500, _JOOBLE, breaks=True),
        ),
        "Always on",
        (
            _group(
                "Engineers",
                1,
                (1.4, 18),
                ("Monthly", 12_000),
                _any(
                    _leaf("title", "CONTAINS", "engineer"), _leaf("title", "CONTAINS", "developer")
                ),
                [{"value": "Indeed_Bid"}, {"value": "Appcast"}],
            ),
            _group(
                "Texas",
                2,
                (0.6, 8),
                ("Weekly", 3_000),
                _any(_leaf("state", "EQUAL", "TX"), _leaf("city", "ENDS_WITH", ", TX")),
                [{"value": "Indeed_Bid", "bid": 0.75}, {"value": "Talent"}, {"value": "Appcast"}],
            ),
            _group(
                "Well paid elsewhere",
                6,
                (0.25, 0),
                ("Monthly", 6_000),
                _all(
                    _leaf("cpcBid", "GREATER_THAN_EQUAL", "0.40"),
                    _any(
                        _leaf("type", "EQUAL", "full-time"),
                        _leaf("title", "BEGINS_WITH", "registered"),
                    ),
                ),
                [{"value": "Talent"}, {"value": "Jooble"}],
            ),
        ),
    ),
    DemoEmployer(
        {
            "companyName": "Quayside Hotels",
            "exportedName": "quayside",
            "advertiserName": "Quayside Hotels",
            "clientType": "DirectEmployer",
            "timeZone": "Europe/London",
            "applyConvWindow": 7,
            # Used up long before today: its jobs are in no feed any more.
            "caps": {"budget": {"cap": "Lifetime", "value": 150}},
        },
        (DemoFeed("quayside", "appcast", 100, _APPCAST),),
        "Summer season",
        (
            _group(
                "All jobs",
                1,
                (0.6, 0),
                ("Weekly", 200),
                _all(_leaf("title", "NOT_CONTAINS", "intern")),
                [{"value": "Indeed_Bid"}, {"value": "Talent"}],
            ),
        ),
        is_spent=True,
    ),
    DemoEmployer(
        {
            "companyName": "Harborview Logistics",
            "exportedName": "harborview",
            "advertiserName": "Harborview Logistics",
            "clientType": "DirectEmployer",
            "timeZone": "America/Los_Angeles",
            "applyConvWindow": 14,
            "caps": {"budget": {"cap": "Monthly", "value": 330}},
        },
        (DemoFeed("harborview", "indeed", 120, _INDEED),),
        "Depots",
        (
            # Paced: it lasts until the end of the month, and bids follow the goal per apply.
            _group(
                "Depots and routes",
                1,
                (0.7, 0),
                ("Monthly", 450),
                _all(_leaf("title", "NOT_CONTAINS", "intern")),
                [{"value": "Indeed_Bid"}, {"value": "Talent"}, {"value": "Jooble"}],
                pacing=True,
            )
            | {"performanceTargets": [{"type": "cpa", "value": 9}]},
        ),
    ),
    DemoEmployer(
        {
            "companyName": "Ridgeway Schools",
            "exportedName": "ridgeway",
            "advertiserName": "Ridgeway Schools",
            "clientType": "DirectEmployer",
            "timeZone": "UTC-6:00",
            "applyConvWindow": 21,
            "caps": {"budget": {"cap": "Monthly", "value": 270}},
        },
        (DemoFeed("ridgeway", "talent", 80, _TALENT),),
        "Next school year",
        (
            _group(
                "Teachers and staff",
                1,
                (0.45, 6),
                ("Weekly", 90),
                _all(_leaf("country", "EQUAL", "US")),
                [{"value": "Indeed_Bid"}, {"value": "Appcast"}],
            ),
        ),
    ),
)
JOBS = sum(source.jobs for employer in EMPLOYERS for source in employer.sources)


def expected_at(outlet: str) -> set[str]:
    """The employers whose jobs a publisher's feed must carry today."""
    return {
        employer.body["advertiserName"]
        for employer in EMPLOYERS
        if not employer.is_spent
        and any(
            placement["value"] == outlet
            for group in employer.groups
            for placement in group["placements"]
        )
    }


def dates(today: date, past: int) -> Body:
    """From the day before, for a year and that long, so that the market is open in every zone."""
    return {
        "startDate": f"{today - timedelta(days=1):%m/%d/%Y}",
        "endDate": f"{today + timedelta(days=past + 365):%m/%d/%Y}",
    }
