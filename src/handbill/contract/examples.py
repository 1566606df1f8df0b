"""A client, campaign and job group as examples for the OpenAPI document, told as real ones are.

Names and values are those of the reference's samples where it has them.
"""

from typing import Any

from handbill.core.nouns import (
    Branch,
    Campaign,
    CampaignBody,
    Cap,
    Caps,
    Client,
    ClientBody,
    Group,
    GroupBody,
    Leaf,
    Override,
    Placement,
)
from handbill.kit.instants import instant_of_iso

_AT = instant_of_iso("2019-11-29T10:00:00Z")
_BUDGET = Caps(budget=Cap("Monthly", 1_000_000_000, pacing=True))
CLIENT = Client(
    no=0,
    id="0b24ce32-5462-9024-a397-de37da501zzz",
    agency_no=0,
    status="A",
    zone="UTC-11:00",
    pixel_id="k0f3v1mx8c2b7q9z5n4d6s1h0a",
    created_at=_AT,
    updated_at=_AT,
    body=ClientBody(
        company_name="jobgroup-saving",
        exported_name="Jobgroup saving",
        start_on="2020-05-13",
        end_on="2020-05-25",
        caps=_BUDGET,
        ats="ADP Apply 2 Jobs",
        markdown_ppm=20_000,
    ),
)
CAMPAIGN = Campaign(
    no=0,
    id="8f3142dc-d7b1-4b21-86e5-b151ae862664",
    client_no=0,
    status="A",
    is_default=False,
    created_at=_AT,
    updated_at=_AT,
    body=CampaignBody(
        "test-campaign-api-1",
        start_on="2020-01-10",
        end_on="2020-07-30",
        caps=_BUDGET,
        override=Override(markdown_ppm=100_000),
        placement_caps={"TestExp1": Cap("Monthly", 100_000_000)},
    ),
)
GROUP = Group(
    no=0,
    id="df8285cd-2ab4-44ab-8861-9ff3be0c4970",
    client_no=0,
    campaign_no=0,
    status="A",
    is_default=False,
    priority=1,
    created_at=_AT,
    updated_at=_AT,
    body=GroupBody(
        "test-jobgroup-200",
        start_on="2020-01-27",
        end_on="2038-11-11",
        cpc_bid_micros=120_000,
        cpa_bid_micros=1_500_000,
        filters=Branch(all_of=True, rules=(Leaf("country", "IN", ("US", "CA")),)),
        caps=_BUDGET,
        iid=1,
        placements=[Placement("TestExp1", 250_000, budget=Cap("Monthly", 100_000_000))],
    ),
)
HELD = {
    "lastFetchAt": "2019-11-30T08:00:00.000Z",
    "heldVersion": "2019-11-30T07:40:12.000Z",
    "fetchRhythmMinutes": 240,
    "nextFetchAt": "2019-11-30T12:00:00.000Z",
    "notFetched": False,
}
"""How a publisher's file is fetched."""
REPORT_ASKED: dict[str, Any] = {
    "groupBy": "CLIENT",
    "groupByPublisher": True,
    "callBackUrl": "https:domain.com/report/reportId",
    "filterBy": {"startDate": "2026-11-01", "endDate": "2026-11-22"},
}
"""A report that is asked for."""
