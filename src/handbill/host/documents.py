"""JSON documents of others, got by our egress and kept for a while, within bounds."""

from collections import OrderedDict
from threading import Lock
from typing import Any, Final, NamedTuple

from handbill.host.egress import Egress, EgressRefused, FetchLimits
from handbill.kit.faults import Unavailable
from handbill.kit.instants import HOUR, MINUTE, SECOND, Instant
from handbill.kit.jsons import NotJson, decode
from handbill.kit.urls import canonical_url

LIMITS: Final = FetchLimits(
    connect_seconds=5, idle_seconds=5, total_seconds=10, most_bytes=128 * 1024
)
KEPT_FOR: Final = HOUR
ASKED_AGAIN_AFTER: Final = MINUTE
"""A document that has proved too old is got again no more often than this."""
FAILED_FOR: Final = 10 * SECOND
"""For so long nobody asks again for what could not be got."""
_MOST_KEPT: Final = 1_024


class _Kept(NamedTuple):
    url: str
    value: Any
    at: Instant
    failure: type[EgressRefused | Unavailable] | None = None
    why: str = ""


class Documents:
    """Shared by threads, lost with the process. ``name``: of a document among all of them, so that
    nobody fills it with addresses.
    """

    def __init__(self, most: int = _MOST_KEPT) -> None:
        self._most = most
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = Lock()

    def get(self, egress: Egress, name: str, url: str, now: Instant, *, anew: bool = False) -> Any:
        """The document at this address, at most an hour old; ``anew``: at most a minute.

        **Refuses** (EgressRefused) what our policy forbids, a redirect, what is too large and what
        is no JSON; (Unavailable) whatever else cannot be got.
        """
        with self._lock:
            kept = self._kept.get(name)
        if kept is not None and kept.url == url:
            age = now - kept.at
            if kept.failure is not None and age < FAILED_FOR:
                raise kept.failure(kept.why)
            if kept.failure is None and age < (ASKED_AGAIN_AFTER if anew else KEPT_FOR):
                return kept.value
        try:
            value = _got(egress, url)
        except (EgressRefused, Unavailable) as failure:
            self._keep(name, _Kept(url, None, now, type(failure), str(failure)))
            raise
        self._keep(name, _Kept(url, value, now))
        return value

    def _keep(self, name: str, kept: _Kept) -> None:
        with self._lock:
            self._kept[name] = kept
            self._kept.move_to_end(name)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)


def _got(egress: Egress, url: str) -> Any:
    with egress.open(url, LIMITS) as fetched:
        if fetched.final_url != canonical_url(url):
            raise EgressRefused("the document is elsewhere: redirects are not followed")
        raw = b"".join(fetched)
    try:
        return decode(raw)
    except NotJson as bad:
        raise EgressRefused(f"the document {bad}") from bad
