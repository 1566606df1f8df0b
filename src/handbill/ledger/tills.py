"""The tills of a client's places, for a run of its events: which caps apply where, on a day."""

from collections.abc import Mapping
from datetime import date, tzinfo

from handbill.core.charging import Limit, Place
from handbill.core.received import ReceivedClick, ReceivedConversion
from handbill.core.spending import Spending, Till
from handbill.kit.instants import Instant
from handbill.kit.zones import bounds_of, day_of
from handbill.ledger.terms import ClientTerms

_NO_PLACE = Place(0, 0, 0, 0)
_OfDay = dict[tuple[int, int, int, bytes], Till]


class Tills:
    """``of_jobs``: the limits of jobs at their places. ``open_at``: the first instant that is in no
    closed month.
    """

    def __init__(
        self,
        terms: ClientTerms | None,
        of_jobs: Mapping[tuple[int, int, bytes], tuple[Limit, ...]],
        zone: tzinfo,
        open_at: Instant,
        spending: Spending,
    ) -> None:
        self.spending = spending
        self._limits: Mapping[Place, tuple[Limit, ...]] = terms.limits if terms else {}
        self._of_jobs = of_jobs
        self._zone = zone
        self._open_at = open_at
        self._of_days: dict[date, _OfDay] = {}
        self._tills: _OfDay = {}
        self._caps_jobs = terms is not None and bool(terms.each_job or terms.jobs)
        self._day = date.min
        self._first, self._end = 0, 0

    def at(self, event: ReceivedClick | ReceivedConversion, at: Instant) -> Till:
        """The till of the event's place on the day that counts it."""
        at = max(at, self._open_at)
        if not self._first <= at < self._end:
            self._day = day_of(at, self._zone)
            self._first, self._end = bounds_of(self._day, self._day, self._zone)
            assert self._first <= at < self._end, "a day holds its instants"
            self._tills = self._of_days.setdefault(self._day, {})
        job_id = event.job_id if self._caps_jobs else b""
        key = (event.campaign_no, event.group_no, event.publisher_no, job_id)
        till = self._tills.get(key)
        if till is None:
            place = Place(event.client_no, *key[:3])
            of_job = self._of_jobs.get(key[1:], ())
            till = self.spending.till(place, self._day, self._limits.get(place, ()), of_job)
            self._tills[key] = till
        return till


def place_of(event: ReceivedClick | ReceivedConversion) -> Place:
    """Where an event happened, by the numbers that its token froze; zeros for another client's."""
    if isinstance(event, ReceivedConversion) and event.click_client_no != event.client_no:
        return _NO_PLACE._replace(client_no=event.client_no)
    return Place(event.client_no, event.campaign_no, event.group_no, event.publisher_no)
