"""Runs of inbound feeds: the result of each import. **Source**: domain 5.3."""

import msgspec

from handbill.kit.instants import Instant


class RunFault(msgspec.Struct, frozen=True):
    """What is wrong with one job. ``line`` 0: not known."""

    job: str
    field: str
    line: int
    reason: str
    message: str


class FeedRunBody(msgspec.Struct, omit_defaults=True, kw_only=True):
    """``settings``: the digest of the feed's settings used by the run, in hex.

    ``live``: the number of the feed's live jobs after it. ``etag``, ``last_modified``: from the
    headers of the response.
    """

    forced: bool = False
    reason: str = ""
    message: str = ""
    line: int = 0
    bytes: int = 0
    counts: dict[str, int] = {}
    fault_counts: dict[str, int] = {}
    faults: list[RunFault] = []
    settings: str = ""
    live: int = 0
    etag: str = ""
    last_modified: str = ""


class FeedRun(msgspec.Struct, kw_only=True):
    """``state``: QUEUED, RUNNING, SUCCESS or FAILED."""

    no: int
    id: str
    feed_no: int
    state: str
    percent: int
    body: FeedRunBody
    created_at: Instant
    ended_at: Instant | None
