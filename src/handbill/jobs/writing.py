"""The form in which a job is written: the columns that its source decides, and how they are made.

The body's blob is MessagePack of the noun without its settings, which have their own column: a feed
rewrites the body, and must not change what an API caller set.
"""

import hashlib
from operator import attrgetter
from typing import Any

import msgspec

from handbill.core.feed_text import ALSO, AND
from handbill.core.nouns import JobBody, JobSettings
from handbill.core.received import job_id_of
from handbill.kit.instants import Instant
from handbill.kit.urls import NotUrl, page_url
from handbill.store.records.base import Row

MATCHING = (
    "valid",
    "title",
    "company",
    "category",
    "city",
    "state",
    "country",
    "zip",
    "type",
    "posted_on",
    "cpc_micros",
    "cpc_currency",
    "custom",
    "end_at",
)
"""The columns that decide whether a job belongs to a job group, and to which one."""


class WrittenJob(msgspec.Struct, array_like=True, gc=False, kw_only=True):
    """A job ready to be written: the columns that its source decides, and the body's blob.

    ``publishers`` None: the source does not restrict publishers; empty: all may carry the job.
    """

    ref: str
    raw_digest: bytes | None
    digest: bytes
    valid: int
    title: str
    company: str
    category: str
    city: str
    state: str
    country: str
    zip: str
    type: str
    posted_on: str | None
    cpc_micros: int | None
    cpc_currency: str
    custom: str | None
    url: str
    end_at: int | None
    publishers: tuple[str, ...] | None
    body: bytes


class FormerJob(msgspec.Struct, gc=False):
    """The row that a write is compared with: the job as it is in the records, without its body."""

    no: int
    feed_no: int | None
    left_at: Instant | None
    deleted_at: Instant | None
    raw_digest: bytes | None
    digest: bytes
    url: str
    settings: str | None
    matching: Row


SETTINGS = msgspec.json.Decoder(JobSettings)
_PACK = msgspec.msgpack.Encoder()
_JSON = msgspec.json.Encoder()
_MATCHING_OF = attrgetter(*MATCHING)


def job_id(client_id: str, ref: str) -> str:
    """The job's public id, which never changes. **Source**: contract 3, ids."""
    return job_id_of(client_id, ref).hex()


def target_of(body: JobBody) -> str:
    """The target of clicks on the job: its canonical URL, or empty if it has none."""
    try:
        return page_url(body.url or body.alternate_url)
    except NotUrl:
        return ""


def written(
    body: JobBody, posted_on: str | None, raw_digest: bytes | None, target: str | None = None
) -> WrittenJob:
    """The columns of a body. Of its settings only the publishers that it allows are included.

    ``posted_on``: the day of posting in the client's zone; ``target``: the canonical URL, if known.
    """
    publishers = None if body.settings is None else (body.settings.publishers or ())
    body.settings = None
    blob = _PACK.encode(body)
    custom = {name: _apart(body, name, text) for name, text in body.additional.items()}
    url = target_of(body) if target is None else target
    return WrittenJob(
        ref=body.ref,
        raw_digest=raw_digest,
        digest=hashlib.blake2b(blob, digest_size=16).digest(),
        valid=0 if body.missing else 1,
        title=body.title,
        company=body.company,
        category=_apart(body, "category", body.category),
        city=body.city,
        state=body.state,
        country=body.country,
        zip=str(body.zip),
        type=_apart(body, "type", body.type),
        posted_on=posted_on,
        cpc_micros=body.cpc_micros,
        cpc_currency=body.cpc_currency,
        custom=_JSON.encode(custom).decode() if custom else None,
        url=url,
        end_at=body.end_at,
        publishers=publishers,
        body=blob,
    )


def _apart(body: JobBody, name: str, text: str) -> str:
    """A field as filters read it: its values, if it has several that it still is made of."""
    values = body.several.get(name, ())
    return ALSO.join(values) if AND.join(values) == text else text


def matching_of(job: WrittenJob) -> Row:
    row: Row = _MATCHING_OF(job)
    return row


def source_columns(job: WrittenJob) -> dict[str, Any]:
    columns = msgspec.structs.asdict(job)
    del columns["publishers"], columns["body"]
    return columns


def settings_with(settings: str | None, publishers: tuple[str, ...] | None) -> str | None:
    """The settings' column with the source's restriction of publishers. None: no restriction, which
    removes a former one of the feed and keeps what an API caller set.
    """
    before = SETTINGS.decode(settings) if settings is not None else JobSettings()
    if publishers is None and not before.publishers_of_feed:
        return settings
    changed = msgspec.structs.replace(
        before, publishers=publishers or None, publishers_of_feed=bool(publishers)
    )
    return spelled(changed)


def spelled(settings: JobSettings) -> str | None:
    """The settings' column; None if the settings have no effect."""
    return None if settings == JobSettings() else _JSON.encode(settings).decode()
