"""What an edge process has done since it started, and how Prometheus is told."""

from collections.abc import Iterator

import msgspec
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from handbill.tracking.messages import Answer, head

_HEADERS = b"Content-Type: %b\r\nCache-Control: no-store\r\n" % CONTENT_TYPE_LATEST.encode()


class Counts(msgspec.Struct):
    """Plain numbers: a click must not pay for a lock."""

    clicks: int = 0
    uncounted: int = 0
    bad_tokens: int = 0
    unknown_jobs: int = 0
    pixels: int = 0
    bad_pixels: int = 0
    feed_requests: int = 0
    journal_failures: int = 0


_MEANINGS = {
    "clicks": "Clicks handed to the journal",
    "uncounted": "Redirects of HEAD and prefetch, not counted",
    "bad_tokens": "Tokens that are not ours",
    "unknown_jobs": "Good tokens of jobs that the index does not know",
    "pixels": "Pixel reports handed to the journal",
    "bad_pixels": "Pixel reports that could not be counted",
    "feed_requests": "Requests for outbound feed files",
    "journal_failures": "Events, of these or beside them, that the journal could not keep",
}


class _Collector(Collector):
    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[CounterMetricFamily]:
        for name, value in msgspec.structs.asdict(self._counts).items():
            yield CounterMetricFamily(f"handbill_edge_{name}", _MEANINGS[name], value=value)


def metrics(counts: Counts) -> Answer:
    """The counts in Prometheus' text form."""
    registry = CollectorRegistry()
    registry.register(_Collector(counts))
    body = generate_latest(registry)
    return Answer(head(200, _HEADERS, len(body)), body)
