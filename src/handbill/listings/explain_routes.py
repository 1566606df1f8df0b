"""An addition to the contract: why a job is, or is not, in each publisher's feed."""

from typing import Any

from handbill.core.bids import Offer
from handbill.core.filters import DATE_FIELD, NUMBER_FIELD, spell
from handbill.core.nouns import Branch, Caps, Client, JobSettings, Publisher
from handbill.core.states import State
from handbill.core.tracing import Compared, Trace
from handbill.groups.explaining import Loser
from handbill.groups.service import groups_by_number
from handbill.host.settings import Settings
from handbill.http.operations import Call, Operation
from handbill.kit.instants import iso_of
from handbill.kit.money import number_of
from handbill.listings.explaining import Explained, Outcome, Shop, explain
from handbill.listings.service import feed_url
from handbill.store.records import Tx
from handbill.wire.caps import spell_caps
from handbill.wire.explained import EXPLAINED, SAMPLE
from handbill.wire.previews import spell_warnings
from handbill.wire.shapes import spell_day
from handbill.wire.spelled_jobs import status_of

MOST_COMPARED = 20


def spell_explained(tx: Tx, settings: Settings, client: Client, found: Explained) -> dict[str, Any]:
    """An explanation as JSON."""
    job, here = found.job, found.belonging
    own = job.body.settings or JobSettings()
    frozen = {o.shop.listing.group_no for o in found.outcomes if o.shop.listing is not None}
    group_ids = {no: group.id for no, group in groups_by_number(tx, frozen).items()}
    placed = {} if here.group is None else {
        one.publisher_id: spell_caps(Caps(budget=one.budget)) for one in here.group.body.placements
    }  # fmt: skip
    return {
        "refNumber": job.body.ref,
        "jobId": job.id,
        "clientId": client.id,
        "at": iso_of(found.now),
        "job": {
            "status": status_of(job, found.now),
            "valid": job.valid,
            "missingFields": list(job.body.missing),
            "fromFeed": job.feed_no is not None,
            "listable": not found.unlistable,
            "reasons": found.unlistable,
            "caps": spell_caps(own.setting.caps),
        },
        "client": _level(client.id, client.body.company_name, found.states[0], client.body.caps),
        **_belonging(found),
        "publishers": [
            _outcome(one, placed.get(one.publisher.id, {}))
            | {"published": _published(one.shop, _feed_url(tx, settings, one.publisher), group_ids)}
            for one in found.outcomes
        ],
    }  # fmt: skip


def _belonging(found: Explained) -> dict[str, Any]:
    here = found.belonging
    campaign = group = None
    if here.campaign is not None and here.group is not None:
        top, own = here.campaign, here.group
        campaign = _level(top.id, top.body.name, found.states[1], top.body.caps)
        group = _level(own.id, own.body.name, found.states[2], own.body.caps) | {
            "priority": own.priority,
            "isDefault": own.is_default,
            "campaignId": top.id,
            "filter": _trace(here.trace),
            "warnings": spell_warnings(here.warnings),
        }
    return {
        "campaign": campaign,
        "jobGroup": group,
        "pending": here.pending,
        "otherJobGroups": [_loser(one) for one in here.losers],
        "otherJobGroupsTotal": here.loser_count,
    }


def _level(id_: str, name: str, state: State, caps: Caps) -> dict[str, Any]:
    return {"id": id_, "name": name, "state": state._asdict(), "caps": spell_caps(caps)}


def _loser(one: Loser) -> dict[str, Any]:
    return {
        "id": one.group.id,
        "name": one.group.body.name,
        "priority": one.group.priority,
        "campaignId": one.campaign.id,
        "reason": one.reason,
        "state": one.state._asdict(),
        "filter": _trace(one.trace),
        "warnings": spell_warnings(one.warnings),
    }


def _trace(found: Trace | None) -> dict[str, Any] | None:
    if found is None:
        return None
    decided_by = [_compared(one) for one in found.deciding[:MOST_COMPARED]]
    return {"holds": found.holds, "decidedBy": decided_by}


def _compared(one: Compared) -> dict[str, Any]:
    spelled: dict[str, Any] = spell(Branch(True, (one.leaf,)), "AND_OR")["rules"][0]
    value: Any = one.value
    if one.leaf.field == NUMBER_FIELD and isinstance(value, int):
        value = number_of(value)
    elif one.leaf.field == DATE_FIELD and isinstance(value, str):
        value = spell_day(value)
    return spelled | {"value": value, "holds": one.holds}


def _feed_url(tx: Tx, settings: Settings, publisher: Publisher) -> str | None:
    return feed_url(tx, settings, publisher.no, gzipped=publisher.body.compressed)


def _outcome(one: Outcome, caps: dict[str, Any]) -> dict[str, Any]:
    body, bid = one.publisher.body, one.bid
    return {
        "id": one.publisher.id,
        "name": body.name,
        "bidType": body.bid_type,
        "listed": one.offer is not None,
        "reasons": [str(reason) for reason in one.reasons],
        "bid": None if bid is None else number_of(bid[0]),
        "bidSource": None if bid is None else str(bid[1]),
        "markdown": None if bid is None else number_of(one.markdown_ppm * 100),
        "price": number_of(one.offer.price_micros) if isinstance(one.offer, Offer) else None,
        "minBid": number_of(body.min_bid_micros),
        "caps": caps,
    }


def _published(shop: Shop, url: str | None, group_ids: dict[int, str]) -> dict[str, Any]:
    written_at = None if shop.file is None else shop.file.written_at
    listing = shop.listing
    return {
        "feedUrl": url,
        "writtenOn": None if written_at is None else iso_of(written_at),
        "current": shop.current,
        "lookedInto": shop.looked_into,
        "listed": listing is not None if shop.looked_into else None,
        "bid": None if listing is None else number_of(listing.bid_micros),
        "price": None if listing is None else number_of(listing.price_micros),
        "jobGroupId": None if listing is None else group_ids.get(listing.group_no),
    }


def _explain(call: Call) -> dict[str, Any]:
    ref = call.path["job_reference"]
    found = explain(call.tx, call.desk.blobs, call.client, ref, call.now)
    return spell_explained(call.tx, call.settings, call.client, found)


OPERATIONS = [
    Operation(
        name="explain_job",
        verb="GET",
        path="/clients/{client_id}/jobs/{job_reference}/explain",
        title="Explain a job.",
        about="Why the job is, or is not, in each publisher's feed: the job group that it belongs "
        "to and the comparisons of its filter that decided so, the job groups that do not have it "
        "and why, the states in effect, the bid and where it comes from, all that keeps the job "
        "out, and what can be read in each feed right now.",
        tag="Jobs",
        work=_explain,
        lane="slow",
        answer=EXPLAINED,
        sample_answer=SAMPLE,
    ),
]
