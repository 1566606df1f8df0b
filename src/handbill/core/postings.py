"""Postings: slots or durations bought at a publisher, and their jobs. **Source**: domain 10."""

from typing import Final, Literal

import msgspec

from handbill.kit.instants import Instant

DATE_FORMAT: Final = "yyyy-MM-dd'T'HH:mm:ssZ"
Billing = Literal["PREPAID", "POSTPAID"]
Purchase = Literal["ClientBilled", "AgencyBilled", "JoveoBilled"]


class PostingBody(msgspec.Struct, omit_defaults=True, kw_only=True):
    """``stay_days`` 0: as long as the purchase."""

    cost_micros: int
    available: int
    date_format: str = DATE_FORMAT
    rotate_days: int = 0
    stay_days: int = 0
    least_stay_days: int = 0
    billing: Billing = "PREPAID"
    purchase: Purchase = "ClientBilled"


class Posting(msgspec.Struct, kw_only=True):
    """One purchase: the contract's config. ``posted``: slots held now; ``ever``: jobs so far."""

    no: int
    id: str
    agency_no: int
    publisher_no: int
    body: PostingBody
    start_at: Instant
    end_at: Instant
    credits_used: int
    turned_at: Instant
    created_at: Instant
    updated_at: Instant
    posted: int = 0
    ever: int = 0
    client_ids: list[str] = []


class PostingJob(msgspec.Struct, kw_only=True):
    """One job of a purchase, with what is needed about the job itself."""

    no: int
    id: str
    config_no: int
    client_no: int
    job_no: int
    posted: bool
    pinned: bool
    paused: bool
    times: int
    waiting_at: Instant
    posted_at: Instant | None
    credit_at: Instant | None
    ended_at: Instant | None
    created_at: Instant
    updated_at: Instant
    deleted_at: Instant | None
    ref: str
    job_id: str
    job_status: str
    job_valid: bool
    job_end_at: Instant | None
    job_left_at: Instant | None

    @property
    def is_there(self) -> bool:
        """Whether it can be read: it is not removed, nor the job itself deleted or gone."""
        return self.deleted_at is None and self.job_left_at is None

    def able(self, now: Instant) -> bool:
        """Whether the job itself can be shown: live, valid, switched on and not expired."""
        return (
            can_be_shown(self.job_status, self.job_valid, self.job_end_at, now)
            and self.job_left_at is None
        )


def can_be_shown(status: str, valid: object, end_at: Instant | None, now: Instant) -> bool:
    return status == "A" and bool(valid) and (end_at is None or now < end_at)
