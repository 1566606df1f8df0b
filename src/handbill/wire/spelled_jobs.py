"""Jobs as the contract writes them. **Source**: contract 1 (11 to 18), domain 14.16 to 14.19."""

from typing import Any

import msgspec

from handbill.core.nouns import Job, JobBody, JobPlacement, JobSetting, JobSettings
from handbill.kit.instants import Instant, iso_of
from handbill.kit.money import number_of
from handbill.wire.caps import spell_cap, spell_caps
from handbill.wire.shapes import spell_day

_NAMES = {
    "ref": "refNumber", "job_id": "jobId", "created_at": "createdAtDate",
    "updated_at": "updatedAtDate", "published_at": "pubDate", "posted_at": "postedDate",
    "modified_at": "modifiedDate", "additional": "additionalFields",
    "publisher_fields": "publisherFields", "setting": "jobSetting",
    "placements": "placementSettings", "client_id": "clientId", "alternate_url": "alternateURL",
    "end_at": "endAtDate", "missing": "missingFields", "is_from_feed": "fromFeed",
}  # fmt: skip


class SpelledJob(msgspec.Struct, gc=False, rename=_NAMES, kw_only=True):
    """A job as it is written as JSON: these fields in this order; what we add stands behind.

    A struct, as a thousand of them are written three times as fast as a thousand dicts.
    """

    ref: str
    title: str
    company: str
    description: str
    category: str
    city: str
    state: str
    country: str
    job_id: str
    zip: str | int
    created_at: str
    updated_at: str
    published_at: str | None
    posted_at: str | None
    modified_at: str | None
    type: str
    additional: dict[str, str]
    publisher_fields: dict[str, Any]
    setting: dict[str, Any]
    placements: list[dict[str, Any]]
    client_id: str
    valid: bool
    status: str
    url: str
    alternate_url: str
    end_at: str | None
    missing: tuple[str, ...]
    is_from_feed: bool


def status_of(job: Job, now: Instant) -> str:
    """ACTIVE, PAUSED or EXPIRED (contract 3)."""
    if job.expired(now):
        return "EXPIRED"
    return "ACTIVE" if job.status == "A" else "PAUSED"


def spell_job(job: Job, client_id: str, now: Instant) -> SpelledJob:
    """A job as the contract writes it."""
    body = job.body
    settings = body.settings
    created_at, published_at = iso_of(job.created_at), _instant(body.published_at)
    return SpelledJob(
        ref=body.ref,
        title=body.title,
        company=body.company,
        description=body.description,
        category=body.category,
        city=body.city,
        state=body.state,
        country=body.country,
        job_id=job.id,
        zip=body.zip,
        created_at=created_at,
        updated_at=created_at if job.updated_at == job.created_at else iso_of(job.updated_at),
        published_at=published_at,
        posted_at=published_at if body.posted_at == body.published_at else _instant(body.posted_at),
        modified_at=_instant(body.modified_at),
        type=body.type,
        additional=body.additional,
        publisher_fields=body.publisher_nodes
        if settings is None
        else _spell_publisher_fields(body, settings),
        setting={} if settings is None else _spell_setting(settings.setting),
        placements=[]
        if settings is None
        else [_spell_placement(one) for one in settings.placements],
        client_id=client_id,
        valid=job.valid,
        status=status_of(job, now),
        url=body.url,
        alternate_url=body.alternate_url,
        end_at=_instant(body.end_at),
        missing=body.missing,
        is_from_feed=job.feed_no is not None,
    )


def _instant(at: Instant | None) -> str | None:
    return None if at is None else iso_of(at)


def _spell_publisher_fields(body: JobBody, settings: JobSettings | None) -> dict[str, Any]:
    if settings is None:
        return body.publisher_nodes
    found: dict[str, Any] = dict(body.publisher_nodes)
    if settings.publishers is not None:
        found["publishers"] = list(settings.publishers)
    return found


def _spell_setting(setting: JobSetting) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if setting.cpc_bid_micros is not None:
        found["cpcBid"] = number_of(setting.cpc_bid_micros)
    if setting.cpa_bid_micros is not None:
        found["cpaBid"] = number_of(setting.cpa_bid_micros)
    if setting.markdown_ppm is not None:
        found["markdown"] = number_of(setting.markdown_ppm * 100)
    if caps := spell_caps(setting.caps):
        found["caps"] = caps
    if setting.start_on:
        found["startDate"] = spell_day(setting.start_on)
    if setting.end_on:
        found["endDate"] = spell_day(setting.end_on)
    return found


def _spell_placement(placement: JobPlacement) -> dict[str, Any]:
    found: dict[str, Any] = {"value": placement.publisher_id}
    if placement.cpc_bid_micros is not None:
        found["cpcBid"] = number_of(placement.cpc_bid_micros)
    if placement.cpa_bid_micros is not None:
        found["cpaBid"] = number_of(placement.cpa_bid_micros)
    found["isActive"] = placement.active
    if placement.budget is not None:
        found["caps"] = {"budget": spell_cap(placement.budget, money=True)}
    if placement.currency:
        found["currency"] = placement.currency
    return found
