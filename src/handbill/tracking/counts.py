"""What an edge process has counted, and how it joins the figures of all processes."""

import msgspec

from handbill.host import figures
from handbill.http1.messages import Http1Answer, head

_HEADERS = b"Content-Type: %b\r\nCache-Control: no-store\r\n" % figures.MEDIA_TYPE.encode()


class Counts(msgspec.Struct, kw_only=True):
    """Plain numbers, so that a click needs no lock."""

    clicks: int = 0
    uncounted: int = 0
    bad_tokens: int = 0
    unknown_jobs: int = 0
    pixels: int = 0
    bad_pixels: int = 0
    feed_requests: int = 0
    feed_fetches: int = 0
    journal_failures: int = 0


_MEANINGS = {
    "clicks": "Clicks handed to the journal",
    "uncounted": "Redirects of HEAD and prefetch, which are not visits",
    "bad_tokens": "Invalid tokens",
    "unknown_jobs": "Valid tokens of jobs that the index does not contain",
    "pixels": "Pixel reports handed to the journal",
    "bad_pixels": "Pixel reports that could not be counted",
    "feed_requests": "Requests for outbound feed files",
    "feed_fetches": "Fetches of outbound feed files handed to the journal",
    "journal_failures": "Events that the journal could not store",
}


class Telling:
    """Adds the counts to the figures, now and then."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._told = Counts()

    def tell(self) -> None:
        for name, meaning in _MEANINGS.items():
            count = getattr(self._counts, name)
            shared = figures.counter(f"handbill_edge_{name}", meaning)
            shared.inc(count - getattr(self._told, name))
            setattr(self._told, name, count)


def metrics() -> Http1Answer:
    """The figures of all processes in Prometheus' text format."""
    body = figures.text()
    return Http1Answer(head(200, _HEADERS, len(body)), body)
