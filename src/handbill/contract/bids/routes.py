"""An addition to the contract: the log of a job group's bids."""

from datetime import date, timedelta
from typing import Final

from handbill.campaigns import service as campaigns
from handbill.contract.bids.models import BidPage, BidsAsked, change_told
from handbill.control.telling import bids_of
from handbill.groups import service as groups
from handbill.http.operations import Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.kit.zones import bounds_of, day_of, zone_of
from handbill.publishers import service as publishers

_DAYS: Final = timedelta(days=6)


def _week_to(last: date) -> date:
    return last - _DAYS if last - date.min > _DAYS else date.min


def _list(call: Call) -> Answer:
    asked: BidsAsked = call.query
    campaign = campaigns.campaign_of(call.tx, call.client.no, call.path["campaign_id"])
    group = groups.group_under(call.tx, campaign, call.path["jobgroup_id"])
    zone = zone_of(call.client.zone)
    last = date.fromisoformat(asked.to_on) if asked.to_on else day_of(call.now, zone)
    first = date.fromisoformat(asked.from_on) if asked.from_on else _week_to(last)
    some = [
        one
        for one in publishers.publishers_of(call.tx, call.client.agency_no)
        if asked.publisher_id in {None, one.id}
    ]
    start_at, end_at = bounds_of(first, last, zone)
    changes = bids_of(call.tx, group.no, some, start_at, end_at)
    skip, limit = skip_and_limit(call)
    rows = [
        change_told(one.line, one.publisher_id, one.at, one.version)
        for one in changes[skip : skip + limit]
    ]
    return with_links(call, BidPage.of(rows=rows), len(changes))


OPERATIONS: Final = [
    Operation(
        name="list_bids",
        verb="GET",
        path="/clients/{client_id}/campaigns/{campaign_id}/jobgroups/{jobgroup_id}/bids",
        title="Get the bid log of a job group.",
        about="Each change of a published bid, newest first: the bid that was set and its source, "
        "every factor with its inputs and whether it was binding, the price, the jobs, and the "
        "first version of the feed with it that the publisher fetched. Each row contains "
        "everything needed to recompute its bid (docs/decisions/0046). Without from, it covers "
        "the seven days up to to.",
        work=_list,
        query=BidsAsked,
        answer=BidPage,
        sample_answer={"data": []},
    )
]
