"""Additions to the contract: what a publisher partner sees of its own family."""

from typing import Any, Final

from handbill.contract import examples
from handbill.contract.answering import own_family
from handbill.contract.partners.models import FamilyFigures, FamilyFiguresAsked, figures_told
from handbill.http.operations import Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.listings import service as listings
from handbill.listings.copies import Copy
from handbill.stats import families


def _figures(call: Call) -> Answer:
    asked: FamilyFiguresAsked = call.query
    skip, limit = skip_and_limit(call)
    figures = families.figures_of(call.tx, own_family(call), asked.days, skip, limit, call.now)

    def url_of(one: families.PublisherDays, copy: Copy) -> str | None:
        gzipped = one.publisher.body.compressed
        no = one.publisher.no
        return listings.feed_url(call.tx, call.settings, no, copy.client_no, gzipped=gzipped)

    return with_links(call, figures_told(figures, url_of), figures.in_all)


_COUNTS: Final = {
    "botClicks": 1,
    "duplicateClicks": 2,
    "foreignClicks": 0,
    "latentClicks": 0,
    "overCapClicks": 3,
    "applyStarts": 7,
    "applies": 5,
}
_SAMPLE: Final[dict[str, Any]] = {
    "publisherId": "TestExp1",
    "name": "Test Exp 1",
    "agencyId": "ripple",
    "activeStatus": "A",
    "currency": "USD",
    "values": {
        "clicks": [25, 28],
        **{name: [0, count] for name, count in _COUNTS.items()},
        "grossSpend": [12.5, 14.25],
    },
    "total": {"clicks": 53, **_COUNTS, "grossSpend": 26.75},
    "feeds": [
        {
            "feedUrl": "https://links.example.com/f/k0f3v1mx8c2b7q9z5n4d6s1h0a.xml",
            "jobCount": 1240,
            "writtenAt": "2019-11-30T07:40:12.000Z",
            **examples.HELD,
        }
    ],
    "feedCount": 1,
    "notFetchedCount": 0,
}
OPERATIONS: Final = [
    Operation(
        name="get_family_figures",
        verb="GET",
        path="/publisher-families/{publisherFamilyId}/figures",
        title="Get figures of the own publishers.",
        about="For publisher partners only. The family's publishers, each with what came on each "
        "of the last days, by what its clicks were, with the amount that may be invoiced; and "
        "with its feeds and how they are fetched. A few seconds behind. Each day is a day of the "
        "client in question, in its zone.",
        tag="Publisher partners",
        role="partner",
        lane="slow",
        work=_figures,
        query=FamilyFiguresAsked,
        answer=FamilyFigures,
        sample_answer={
            "data": [_SAMPLE],
            "startDate": "11/29/2019",
            "endDate": "11/30/2019",
            "total": 1,
        },
    ),
]
