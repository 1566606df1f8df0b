"""The demo's publishers, as request bodies."""

from typing import NamedTuple

from handbill.demo.market import Body


class DemoPublisher(NamedTuple):
    """A publisher, and the names of a job's link and employer in its own feed."""

    id: str
    body: Body
    url_node: str
    advertiser_node: str


OUTLETS = (
    DemoPublisher(
        "Indeed_Bid",
        {
            "name": "Indeed Bid",
            "bidType": "CPC",
            "minBid": 0.1,
            "currency": "USD",
            "url": "https://indeed.example",
            "placementType": "All",
            "schema": {
                "jobSchema": {"type": "jobtype", "advertiser": "sourcename", "cpa": ""},
                "headerSchema": {"generationTime": "lastBuildDate"},
            },
        },
        "url",
        "sourcename",
    ),
    DemoPublisher(
        "Talent",
        {
            "name": "Talent",
            "bidType": "CPC",
            "minBid": 0.05,
            "currency": "USD",
            "url": "https://talent.example",
            "schema": {
                "jobSchema": {"type": "jobtype", "cpa": ""},
                "includeCurrencyInBidTag": True,
            },
        },
        "url",
        "advertiser",
    ),
    DemoPublisher(
        "Jooble",
        {
            "name": "Jooble",
            "bidType": "FLAT_CPC",
            "flatBidValue": 0.35,
            "currency": "USD",
            "url": "https://jooble.example",
            "schema": {
                "jobSchema": {
                    "url": "link",
                    "title": "name",
                    "date": "pubdate",
                    "type": "jobtype",
                    "cpa": "",
                },
            },
        },
        "link",
        "advertiser",
    ),
    DemoPublisher(
        "Appcast",
        {
            "name": "Appcast",
            "bidType": "CPA",
            "minBid": 2,
            "currency": "USD",
            "url": "https://appcast.example",
            "schema": {
                "jobSchema": {
                    "refNumber": "job_reference",
                    "description": "body",
                    "zip": "zip",
                    "type": "job_type",
                    "date": "posted_at",
                    "cpc": "",
                },
            },
        },
        "url",
        "advertiser",
    ),
)
